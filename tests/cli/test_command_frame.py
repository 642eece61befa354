"""The frame of the command: help, version, wrong usage; as a user meets it."""

import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("cmgan-audit"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=60)


def test_version_is_that_of_the_package() -> None:
    from cmgan_audit import __version__

    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"cmgan-audit {__version__}\n")


def test_help_lists_commands_on_stdout() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "Usage: cmgan-audit" in done.stdout


def test_unknown_option_and_command_are_usage_errors_without_traceback() -> None:
    for arguments in (["--bogus"], ["bogus"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert "bogus" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_python_m_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "cmgan_audit", "--version"], capture_output=True, text=True)
    assert done.stdout == run("--version").stdout


def test_only_check_does_without_the_search_for_what_can_be_freed(tmp_path: Path) -> None:
    """At its end nothing is left to search; the other commands are left as Python runs them."""
    asking = (
        "import atexit, gc, sys\n"
        "usual = gc.get_threshold()\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000, gc.get_threshold() > usual, file=sys.stderr))\n"
        "from cmgan_audit.cli.app import main; main()"
    )
    (tmp_path / "train.py").write_text("import torch\n")
    for words, expected in ((["check", str(tmp_path), "--no-cache"], "True True"), (["rules"], "False False")):
        done = subprocess.run([sys.executable, "-c", asking, *words], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (0, expected)
