"""docs/gate.md is one session: its blocks are run in order, in a copy of the fixed fixture under git.

`python tests/docs/test_gate_guide.py` writes the real output into the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "gate.md"
BLOCK = re.compile(r"^```shell-session\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def make_project(folder: Path) -> Path:
    """Lay the fixed fixture out as a git repository whose branch main is clean."""
    project = folder / "project"
    shutil.copytree(ROOT / "fixtures" / "repos" / "fixed", project)
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "clean"]):
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *command], cwd=project, check=True)
    return project


def play(block: str, project: Path) -> str:
    """Run the commands of a block and return the block with what they print."""
    environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    shown = []
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            check=False,
        )
        output = "\n".join(line.rstrip() for line in done.stdout.replace(str(project), ".").splitlines())
        shown.append(f"$ {command}\n" + (f"{output}\n" if output else ""))
    return "".join(shown)


def test_every_block_shows_what_its_commands_print(tmp_path):
    project = make_project(tmp_path)
    for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        assert play(match.group(1), project) == match.group(1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        place = make_project(Path(scratch))
        written = BLOCK.sub(lambda match: f"```shell-session\n{play(match.group(1), place)}```", PAGE.read_text())
        PAGE.write_text(written, encoding="utf-8")
