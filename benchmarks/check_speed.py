"""How fast `check` is: our own cold and warm runs beside Python's parser, ruff, TorchFix and semgrep on the same trees.

    python benchmarks/check_speed.py TREE... --runs 5 --peers /path/to/environment/bin

Every run is a fresh process. CPU seconds count all processes of a run; wall seconds what a person waits. "cold" has an
empty cache, "warm" has the one that a cold run left; files stand in the page cache of the system in both. `--copies`
puts 1, 2, 4 and 8 copies of the first tree side by side and shows how time and memory grow. Peers are taken from the
folder that `--peers` names, since they are no dependencies of ours; one that is not there is left out and said so.
Python keeps its bytecode, as it does for what is installed: an environment that forbids it would measure its compiler.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# Python's own parser in one process: the least that a tool which reads all of a tree's code can take.
PARSE = (
    "import ast, sys\n"
    "for path in open(sys.argv[1], encoding='utf-8', errors='surrogateescape').read().splitlines():\n"
    "    try:\n"
    "        ast.parse(open(path, 'rb').read())\n"
    "    except (SyntaxError, ValueError):\n"
    "        pass\n"
)
SEMGREP_RULE = """rules:
  - id: batch-size-of-a-loader
    languages: [python]
    severity: WARNING
    message: a loader with one item per batch
    pattern: torch.utils.data.DataLoader(..., batch_size=1, ...)
"""


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Measured:
    """The medians of several runs: seconds, and megabytes of the largest process."""

    wall: float
    cpu: float
    memory: float


def run_once(command: Sequence[str], environment: dict[str, str], limit: float) -> Measured | None:
    """One run in a fresh process; None when it takes longer than `limit` seconds."""
    began = time.perf_counter()
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=nowhere, stderr=nowhere, start_new_session=True)
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.perf_counter() - began > limit:
            os.killpg(process.pid, signal.SIGKILL)  # its workers too
            process.wait()
            return None
        time.sleep(0.002)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # semgrep gives 2 when one file of many cannot be parsed
        print(f"  {Path(command[0]).name}: exit status {process.returncode}", file=sys.stderr)
    return Measured(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(
    command: Sequence[str], runs: int, limit: float, before: Callable[[], object], **extra: str
) -> Measured | None:
    """The medians of several runs, each after `before`."""
    found = []
    for _ in range(runs):
        before()
        one = run_once(command, {**ENVIRONMENT, **extra}, limit)
        if one is None:
            return None
        found.append(one)
    return Measured(*(statistics.median(getattr(one, name) for one in found) for name in ("wall", "cpu", "memory")))


class Bench:
    """The commands that are compared, and a scratch folder for caches and lists of files."""

    def __init__(self, scratch: Path, peers: Path | None, runs: int, limit: float) -> None:
        self.scratch, self.peers, self.runs, self.limit = scratch, peers, runs, limit
        self.cache = scratch / "cache"
        self.ours = [sys.executable, "-m", "cmgan_audit", "check", "--quiet"]

    def forget(self) -> None:
        """Empty the cache."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def cold(self, tree: Path, *flags: str) -> Measured | None:
        """Our own run with an empty cache."""
        return median(
            [*self.ours, *flags, str(tree)], self.runs, self.limit, self.forget, XDG_CACHE_HOME=str(self.cache)
        )

    def warm(self, tree: Path) -> Measured | None:
        """Our own run with the cache of the run before."""
        command = [*self.ours, str(tree)]
        run_once(command, {**ENVIRONMENT, "XDG_CACHE_HOME": str(self.cache)}, self.limit)
        return median(command, self.runs, self.limit, lambda: None, XDG_CACHE_HOME=str(self.cache))

    def parse(self, tree: Path) -> Measured | None:
        """Python's own parser over the same files, in one process."""
        files = self.scratch / "files.txt"
        names = (str(path) for path in sorted(tree.rglob("*.py")) if path.is_file())
        files.write_text("\n".join(names), encoding="utf-8", errors="surrogateescape")
        return median([sys.executable, "-c", PARSE, str(files)], self.runs, self.limit, lambda: None)

    def peer(self, name: str, *arguments: str) -> Measured | None:
        """A tool of the folder of peers, or of the path; None when there is none, or when it takes too long."""
        program = shutil.which(name, path=str(self.peers) if self.peers else None) or shutil.which(name)
        if program is None:
            print(f"  {name}: not installed", file=sys.stderr)
            return None
        runs = 1 if name in ("torchfix", "semgrep") else self.runs  # minutes each; one is enough for a ratio
        return median([program, *arguments], runs, self.limit, lambda: None)

    def all(self, tree: Path) -> dict[str, Measured | None]:
        """Everything that is measured on one tree."""
        rule = self.scratch / "rule.yaml"
        rule.write_text(SEMGREP_RULE, encoding="utf-8")
        local = ("scan", "--config", str(rule), "--metrics", "off", "--disable-version-check", "--quiet")
        return {
            "check, cold": self.cold(tree),
            "check, cold, one process": self.cold(tree, "--jobs", "1"),
            "check, warm": self.warm(tree),
            "ast.parse of every file": self.parse(tree),
            "ruff, all rules": self.peer("ruff", "check", "--select", "ALL", "--no-cache", "--isolated", str(tree)),
            "semgrep, one local rule": self.peer("semgrep", *local, str(tree)),
            "TorchFix": self.peer("torchfix", str(tree)),
        }


def table(tree: Path, found: dict[str, Measured | None], limit: float) -> str:
    """The figures of one tree, with the ratio of CPU seconds to those of `ast.parse`."""
    least = found["ast.parse of every file"]
    count = sum(1 for path in tree.rglob("*.py") if path.is_file())
    lines = [f"{tree.name}: {count} Python files", f"  {'':26} {'wall s':>8} {'CPU s':>8} {'MB':>6}  x ast.parse (CPU)"]
    for name, one in found.items():
        if one is None:
            lines.append(f"  {name:26} not installed, or more than {limit:.0f} s")
            continue
        ratio = f"{one.cpu / least.cpu:8.2f}" if least is not None else ""
        lines.append(f"  {name:26} {one.wall:8.2f} {one.cpu:8.2f} {one.memory:6.0f}  {ratio}")
    return "\n".join(lines)


def growth(bench: Bench, tree: Path) -> str:
    """Time and memory with 1, 2, 4 and 8 copies of a tree side by side."""
    lines = [f"copies of {tree.name}, cold", f"  {'copies':>6} {'wall s':>8} {'CPU s':>8} {'MB':>6}"]
    for copies in (1, 2, 4, 8):
        folder = bench.scratch / f"copies{copies}"
        for number in range(copies):
            shutil.copytree(tree, folder / f"copy{number}", symlinks=True)
        one = bench.cold(folder)
        shutil.rmtree(folder)
        lines.append(
            f"  {copies:6} {one.wall:8.2f} {one.cpu:8.2f} {one.memory:6.0f}" if one else f"  {copies:6} took too long"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="+", type=Path, metavar="TREE")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a run is given up")
    parser.add_argument("--peers", type=Path, help="folder with ruff, torchfix and semgrep")
    parser.add_argument("--copies", type=Path, metavar="TREE", help="also grow this tree to 8 copies")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    print(
        f"python {platform.python_version()}, {len(os.sched_getaffinity(0))} processors, medians of {options.runs} runs"
    )
    figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        ENVIRONMENT.setdefault("PYTHONPYCACHEPREFIX", f"{scratch}/bytecode")
        bench = Bench(Path(scratch), options.peers, options.runs, options.limit)
        bench.cold(Path(__file__).resolve().parents[1] / "fixtures" / "repos" / "broken")  # writes the bytecode
        for tree in options.trees:
            found = bench.all(tree)
            figures[tree.name] = {name: vars(one) if one else None for name, one in found.items()}
            print(table(tree, found, options.limit), flush=True)
        if options.copies:
            print(growth(bench, options.copies), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
