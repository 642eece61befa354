"""The built wheel in an empty environment, with the light base alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cmgan_audit.rules.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[2]


def install(folder: Path) -> Path:
    """Build the wheel, install it into a new environment, and return the installed command."""

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=True, capture_output=True)

    run("build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), ".")
    [wheel] = (folder / "dist").glob("*.whl")
    run("venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check", "--no-compile", "--constraint", "constraints.txt")
    run("pip", "--python", str(python), "install", *quiet, str(wheel))
    return python.with_name("cmgan-audit")


def test_the_wheel_works_with_the_light_base_alone(tmp_path):
    command = install(tmp_path)
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "train.py").write_text("batch_size = 1  # cmgan-audit: ignore[CMG101]\n")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(command), *arguments], cwd=repo, capture_output=True, text=True, check=False)

    site = next((command.parents[1] / "lib").glob("python*/site-packages"))
    assert not {"torch", "numpy", "pandas", "matplotlib", "scipy"} & {path.name for path in site.iterdir()}

    rules = call("rules")
    assert rules.returncode == 0, rules.stderr
    assert rules.stdout.endswith(f"{len(load_catalogue())} rules; `cmgan-audit explain RULE` tells more\n")

    check = call("check", "--select", "CMG901", "--fail-on", "warning")
    assert check.returncode == 1, check.stderr
    assert "warning[CMG901]" in check.stdout

    compare = call("compare-ckpts", "a.pth", "b.pth", "--data", ".")
    assert (compare.returncode, compare.stdout) == (2, "")
    assert compare.stderr == "cmgan-audit: compare-ckpts needs more packages: pip install 'cmgan-audit[eval]'\n"
