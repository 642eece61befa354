"""Every `console` block in README.md and docs/ is run; its output must be what the page shows.

A line `$ command` is run by bash in the root of the repository; the lines under it are the expected output (stdout and
stderr together). A line `...` stands for any number of lines. `python tests/docs/test_documents_are_current.py` runs
every block and writes the real output into the pages (blocks with `...` are left to people).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Enhancing with three networks takes more than a minute of computing: where other programs compute too, many minutes.
TIMEOUT_S = 1200


@dataclass(frozen=True)
class Exchange:
    """One command of a page and the output shown under it."""

    command: str
    expected: str


# Its commands need a reader's own files, which test_models_guide.py lays out.
ELSEWHERE = ("models.md",)


def pages() -> list[Path]:
    guides = (page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in ELSEWHERE)
    return [ROOT / "README.md", *guides]


def exchanges(block: str) -> list[Exchange]:
    found: list[Exchange] = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):  # a command continued on the next line
            more, _, expected = expected.partition("\n")
            command = command[:-1] + more.removeprefix(">").strip()
        found.append(Exchange(command, expected))
    return found


def run(command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=TIMEOUT_S,
    )
    return done.stdout


def tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def matches(expected: str, actual: str) -> bool:
    parts = re.split(r"^\.\.\.$", tidy(expected), flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?.*".join(re.escape(part.strip("\n")) if part.strip("\n") else "" for part in parts)
    pattern = pattern.replace(r"(?:.*\n)*?.*", r"(?:.|\n)*?")
    return re.fullmatch(pattern, tidy(actual)) is not None


def blocks() -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}:{page.read_text()[: match.start()].count(chr(10)) + 1}", match.group(1))
        for page in pages()
        for match in BLOCK.finditer(page.read_text())
    ]


# Networks that enhance recordings take minutes; every other command of a page takes a second.
ENHANCES = "$ cmgan-audit compare-ckpts fixtures/checkpoints"
CASES = [pytest.param(text, id=place, marks=[pytest.mark.slow] if ENHANCES in text else []) for place, text in blocks()]


@pytest.mark.parametrize("block", CASES)
def test_console_block_shows_what_the_command_prints(block: str) -> None:
    for exchange in exchanges(block):
        actual = run(exchange.command)
        shown = f"--- the page shows\n{tidy(exchange.expected)}\n--- the command prints\n{tidy(actual)}"
        assert matches(exchange.expected, actual), f"$ {exchange.command}\n{shown}"


def test_a_changed_output_is_noticed() -> None:
    assert matches("one\n...\nfour", "one\ntwo\nthree\nfour")
    assert matches("same\n", "same")
    assert not matches("one\n...\nfour", "one\ntwo\nfive")
    assert not matches("one", "one\ntwo")


def _rewritten(block: str) -> str:
    if any(line == "..." for line in block.splitlines()):
        return block
    shown = []
    for exchange in exchanges(block):
        output = tidy(run(exchange.command))
        shown.append(f"$ {exchange.command}\n" + (f"{output}\n" if output else ""))
    return "".join(shown)


if __name__ == "__main__":
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or pages()
    for page in chosen:
        page.write_text(BLOCK.sub(lambda match: f"```console\n{_rewritten(match.group(1))}```", page.read_text()))
