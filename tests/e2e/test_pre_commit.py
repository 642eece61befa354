"""`pre-commit try-repo` against a local clone of the project: the hook installs and runs as its users run it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pre-commit") is None, reason="pre-commit is not installed")
@pytest.mark.parametrize(("state", "status"), [("broken", 1), ("fixed", 0)])
def test_the_hook_of_a_local_clone_fails_on_the_broken_fixture_only(state: str, status: int, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", ROOT, tmp_path / "clone"], check=True)
    project = tmp_path / "project"
    shutil.copytree(ROOT / "fixtures" / "repos" / state, project)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    environment.pop("PYTHONPATH", None)  # the hook's own environment counts
    done = subprocess.run(
        ["pre-commit", "try-repo", tmp_path / "clone", "cmgan-audit", "--all-files"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert ("CMG201" in done.stdout) == (status == 1)
