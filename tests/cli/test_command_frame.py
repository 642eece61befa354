"""The frame of the command: help, version, wrong usage; as a user meets it."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from cmgan_audit.cli.commands import COMMANDS
from cmgan_audit.cli.common import run as run_command

COMMAND = str(Path(sys.executable).with_name("cmgan-audit"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=300)


def test_version_is_that_of_the_package() -> None:
    from cmgan_audit import __version__

    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"cmgan-audit {__version__}\n")


def test_help_lists_commands_on_stdout() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "Usage: cmgan-audit" in done.stdout


@pytest.mark.parametrize("command", ["compare-ckpts", "inspect", "trend"])
def test_help_says_once_that_there_may_be_several(command: str) -> None:
    usage = run(command, "--help").stdout.splitlines()[0]
    assert usage.endswith("...") and not usage.endswith("......") and "..." not in usage.removesuffix("...")


def test_help_cuts_nothing_off() -> None:
    text = subprocess.run(
        [COMMAND, "--help"], capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"}
    ).stdout
    listed = [line for line in text.partition("Commands:")[2].splitlines() if line.strip()]
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert all(line.endswith(told) for line, told in zip(listed, COMMANDS.values(), strict=True))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("comp", ["compare-ckpts"]),
        ("check --since main --pru", ["--prune-baseline"]),
        ("check --format js", ["json"]),
        ("check --fail-on ", ["error", "warning", "note", "never"]),
        ("check --select CMG101,CMG20", [f"CMG101,CMG20{number}" for number in range(1, 9)]),
        ("explain random-ev", ["random-eval-crop"]),
    ],
)
def test_the_shell_completes_commands_options_and_their_values(words: str, offered: list[str]) -> None:
    line = f"cmgan-audit {words}"
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_CMGAN_AUDIT_COMPLETE": "complete_bash"}
    done = subprocess.run([COMMAND], capture_output=True, text=True, env={**os.environ, **asked}, timeout=300)
    assert (done.stdout.split(), done.stderr) == (offered, "")


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
        done = subprocess.run([sys.executable, "-c", asking, *words], capture_output=True, text=True, timeout=300)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (0, expected)


LOOP = """import torch

network = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(network.parameters())
for batch in torch.utils.data.DataLoader(list(range(100)), batch_size=2):  # größer 中 😀
    network(batch).mean().backward()
    optimizer.step()
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A tree of one file in which errors are found."""
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "train.py").write_text(LOOP, encoding="utf-8")
    return tmp_path / "wrong"


BUFFERED = ["", "1"]  # values of PYTHONUNBUFFERED: a buffer is written once more when the interpreter ends


@pytest.mark.parametrize("unbuffered", BUFFERED)
@pytest.mark.parametrize("cached", [True, False])
def test_where_stdout_is_closed_or_full_the_audit_still_has_its_status(
    tmp_path: Path, wrong: Path, cached: bool, unbuffered: str
) -> None:
    def audit(redirection: str) -> tuple[int, str]:
        words = f"{COMMAND} check {wrong}{'' if cached else ' --no-cache'} {redirection}"
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, env=environment, timeout=300)
        return done.returncode, done.stderr

    for _ in range(2 if cached else 1):  # the second time the outcome is known
        assert audit(">&-") == (1, "")
        assert audit("2>&-") == (1, "")
        assert audit(">/dev/full") == (3, "cmgan-audit: stdout: cannot be written: No space left on device\n")


def test_the_folder_of_an_output_is_made(tmp_path: Path, wrong: Path) -> None:
    target = tmp_path / "new" / "deep" / "report.json"
    done = run("check", str(wrong), "--format", "json", "--output", str(target))
    assert done.returncode == 1 and done.stdout == ""
    assert target.read_text().startswith("{")
    done = run("check", str(wrong), "--output", str(target / "more.txt"))
    assert done.returncode == 2 and "cannot be written" in done.stderr


@pytest.mark.parametrize("unbuffered", BUFFERED)
@pytest.mark.parametrize("words", ["--help", "--version", "check --help"])
def test_help_on_a_full_disk_is_no_internal_error(words: str, unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = ["sh", "-c", f"{COMMAND} {words} >/dev/full"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert (done.returncode, done.stderr) == (3, "cmgan-audit: output cannot be written: No space left on device\n")


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"PYTHONIOENCODING": "cp1252"}, "größer \\u4e2d \\U0001f600".encode("cp1252")),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "größer 中 😀".encode()),
    ],
)
def test_source_that_the_encoding_of_stdout_does_not_have(wrong: Path, variables: dict[str, str], shown: bytes) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"} | variables
    command = [COMMAND, "check", wrong, "--no-cache"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=300)
    assert done.returncode == 1 and shown in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_on_a_terminal(tmp_path: Path, wrong: Path, variables: dict[str, str], coloured: bool) -> None:
    """One cache for all: what was printed on another terminal is not printed again."""
    environment = {**os.environ, "TERM": "xterm", "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("NO_COLOR", None)
    for asked, expected in (({}, True), (variables, coloured)):
        leader, follower = pty.openpty()
        process = subprocess.Popen([COMMAND, "check", wrong], stdout=follower, env={**environment, **asked})
        os.close(follower)
        text = b""
        with suppress(OSError):  # the end, on Linux
            while part := os.read(leader, 65536):
                text += part
        os.close(leader)
        assert process.wait(timeout=300) == 1
        assert (b"\x1b[1;31merror" in text) == expected


def test_a_path_in_a_closed_folder_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    def look() -> int:
        raise PermissionError(13, "Permission denied", "closed/train.py")

    with pytest.raises(SystemExit) as ended:
        run_command(look)
    assert ended.value.code == 3
    assert capsys.readouterr().err == "cmgan-audit: closed/train.py: Permission denied\n"
