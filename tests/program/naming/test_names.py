"""Names that a star brings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cmgan_audit.program.naming.names import from_star

ASKED = """
import sys
sys.path.insert(0, sys.argv[1])
from cmgan_audit.program.naming.names import from_star
print(from_star(["random"], "own"))
"""


@pytest.mark.parametrize(
    ("libraries", "name", "found"),
    [
        (["torch.nn", "random"], "randint", "random.randint"),
        (["torch.nn", "random"], "Linear", "torch.nn.Linear"),
        (["soundtools", "typing"], "Enhancer", "soundtools.Enhancer"),
        (["typing"], "Enhancer", None),
    ],
)
def test_python_s_own_modules_bring_what_they_have(libraries: list[str], name: str, found: str | None) -> None:
    assert from_star(libraries, name) == found


def test_a_module_that_stands_before_one_of_python_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('run')\nown = 1\n")
    done = subprocess.run([sys.executable, "-c", ASKED, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "random.own\n", "")
