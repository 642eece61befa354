"""The built wheel in an empty environment, with the light base alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cmgan_audit.rules.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, install it into a new environment, and return the installed command."""
    folder = tmp_path_factory.mktemp("wheel")

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=True, capture_output=True)

    run("build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), ".")
    [wheel] = (folder / "dist").glob("*.whl")
    run("venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check", "--constraint", "constraints.txt")
    run("pip", "--python", str(python), "install", *quiet, str(wheel))
    return python.with_name("cmgan-audit")


def call(command: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(command), *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_catalogue_is_inside(command, tmp_path):
    done = call(command, "rules", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"{len(load_catalogue())} rules; `cmgan-audit explain RULE` tells more\n")


def test_nothing_heavy_is_installed(command):
    site = next((command.parents[1] / "lib").glob("python*/site-packages"))
    assert not {"torch", "numpy", "pandas", "matplotlib", "scipy"} & {path.name for path in site.iterdir()}


def test_a_command_that_needs_an_extra_says_so_in_one_line(command, tmp_path):
    done = call(command, "compare-ckpts", "a.pth", "b.pth", "--data", ".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cmgan-audit: compare-ckpts needs more packages: pip install 'cmgan-audit[eval]'\n"


def test_check_works(command, tmp_path):
    (tmp_path / "train.py").write_text("batch_size = 1  # cmgan-audit: ignore[CMG101]\n")
    done = call(command, "check", "--select", "CMG901", "--fail-on", "warning", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "warning[CMG901]" in done.stdout
