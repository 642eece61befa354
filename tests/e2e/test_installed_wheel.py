"""The built wheel in an empty environment, with the light base alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cmgan_audit.rules.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[2]


HEAVY = {"torch", "numpy", "pandas", "matplotlib", "scipy"}
# Bytes that the command and all that it needs may take; the larger part is of what typer shows its help with.
SMALL = 40_000_000


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=True, capture_output=True)


def build(folder: Path) -> Path:
    """Build the wheel."""
    run("build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), ".")
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a new environment and return the installed command."""
    run("venv", "--without-pip", str(folder))
    python = folder / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check", "--no-compile", "--constraint", "constraints.txt")
    run("pip", "--python", str(python), "install", *quiet, str(wheel))
    return python.with_name("cmgan-audit")


def packages(command: Path) -> set[str]:
    """What is installed beside a command."""
    site = next((command.parents[1] / "lib").glob("python*/site-packages"))
    return {path.name for path in site.iterdir()}


def test_the_wheel_works_with_the_light_base_alone(tmp_path):
    command = install(build(tmp_path), tmp_path / "venv")
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "train.py").write_text("batch_size = 1  # cmgan-audit: ignore[CMG101]\n")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(command), *arguments], cwd=repo, capture_output=True, text=True, check=False)

    assert not HEAVY & packages(command)

    rules = call("rules")
    assert rules.returncode == 0, rules.stderr
    assert rules.stdout.endswith(f"{len(load_catalogue())} rules; `cmgan-audit explain RULE` tells more\n")

    check = call("check", "--select", "CMG901", "--fail-on", "warning")
    assert check.returncode == 1, check.stderr
    assert "warning[CMG901]" in check.stdout

    compare = call("compare-ckpts", "a.pth", "b.pth", "--data", ".")
    assert (compare.returncode, compare.stdout) == (2, "")
    assert compare.stderr == "cmgan-audit: compare-ckpts needs more packages: pip install 'cmgan-audit[eval]'\n"


@pytest.mark.slow
def test_the_light_base_is_small_and_checks_the_fixtures(tmp_path):
    command = install(build(tmp_path), tmp_path / "venv")
    files = (path for path in (tmp_path / "venv" / "lib").rglob("*") if path.is_file() and not path.is_symlink())
    assert sum(path.stat().st_size for path in files) < SMALL
    assert not HEAVY & packages(command)

    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for name, rules in (("broken", ["CMG101", "CMG201"]), ("fixed", [])):
        done = subprocess.run(
            [str(command), "check", ".", "--format", "json"],
            cwd=ROOT / "fixtures" / "repos" / name,
            env=alone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == (1 if rules else 0), done.stderr
        assert sorted(each["rule"] for each in json.loads(done.stdout)["findings"]) == rules
