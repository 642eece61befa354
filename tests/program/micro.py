"""Reading the micro-corpus: programs as files, each as a bad and a good twin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "microcorpus"
MARKER = re.compile(r"<<(.*?)\|\|(.*?)>>")


@dataclass(frozen=True)
class Twin:
    """One program: `place` is its decisive line as (path, line); `batch` what has to reach the loader."""

    name: str
    verdict: str
    files: dict[str, str]
    place: tuple[str, int]
    batch: int
    loader: int
    run: int
    exact: bool

    def write(self, root: Path) -> Path:
        for path, text in self.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return root


def twins() -> list[Twin]:
    found: list[Twin] = []
    for source in sorted(FOLDER.glob("*.txt")):
        for block in re.split(r"^##### ", source.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            found += _twins(block)
    return found


def _twins(block: str) -> list[Twin]:
    head, *parts = re.split(r"^--- (.+)\n", block, flags=re.MULTILINE)
    name, *options = head.strip().split("\n")
    chosen = dict(line.split(": ", 1) for line in options)
    files = {path: text.rstrip("\n") + "\n" for path, text in zip(parts[::2], parts[1::2], strict=True)}
    ((path, line, marked),) = [
        (path, number, match)
        for path, text in files.items()
        for number, content in enumerate(text.split("\n"), start=1)
        for match in MARKER.finditer(content)
    ]
    expected = chosen.get("expect", f"{marked[1]}||{marked[2]}").split("||")
    return [
        Twin(
            name=name,
            verdict=verdict,
            files={path: MARKER.sub(rf"\{side}", text) for path, text in files.items()},
            place=(path, line),
            batch=int(expected[side - 1]),
            loader=int(chosen.get("loader", 1)),
            run=int(chosen.get("run", 1)),
            exact=chosen.get("trail") != "file",
        )
        for side, verdict in ((1, "bad"), (2, "good"))
    ]
