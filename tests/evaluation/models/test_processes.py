"""The processes of users' code: what they print, read, and take too long for stays theirs."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.evaluation.models import ModelError
from tests.evaluation.models.helpers import NOISY, factory, hosted, opened, quick


def test_what_user_code_prints_reaches_stderr_and_never_stdout(tmp_path, checkpoint, capfd):
    body = "print('loading')\nos.system('echo from a child')\nreturn lambda noisy: print('busy') or noisy"
    enhancer = opened(factory(tmp_path, body), checkpoint)
    assert np.array_equal(enhancer.enhance(NOISY), NOISY)
    enhancer.close()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert all(word in captured.err for word in ("loading", "from a child"))


def gone(pid, within):
    """Whether a process has ended after at most `within` seconds: a signal that was sent is not yet one delivered."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # ended; nobody asks for its status here
            return True
        time.sleep(0.02)
    return False


@quick
def test_user_code_that_hangs_is_stopped_with_its_children(tmp_path, checkpoint):
    pid = tmp_path / "pid"
    body = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\ntime.sleep(600)"
    )
    with pytest.raises(ModelError, match=r"loading .* took more than 2 s and was stopped"):
        hosted(factory(tmp_path, body), checkpoint, opening=2.0)
    assert gone(int(pid.read_text()), within=20.0)


@quick
def test_an_utterance_that_hangs_is_stopped(tmp_path, checkpoint):
    enhancer = hosted(
        factory(tmp_path, "return lambda noisy: time.sleep(60)"), checkpoint, utterance=1.0, per_second=0.0
    )
    with pytest.raises(ModelError, match="enhancing an utterance took more than 1 s"):
        enhancer.enhance(NOISY)


@quick
def test_a_process_that_dies_is_started_again_but_not_for_ever(tmp_path, checkpoint):
    enhancer = opened(factory(tmp_path, "return lambda noisy: os._exit(4) if noisy[0] > 5 else noisy"), checkpoint)
    deadly = np.full(10, 9, dtype=np.float32)
    for _ in range(2):
        with pytest.raises(ModelError, match="ended with status 4 while enhancing"):
            enhancer.enhance(deadly)
        assert np.array_equal(enhancer.enhance(NOISY), NOISY)
    with pytest.raises(ModelError, match="status 4"):
        enhancer.enhance(deadly)
    with pytest.raises(ModelError, match="died 3 times"):
        enhancer.enhance(NOISY)


def test_user_code_cannot_read_the_terminal(tmp_path, checkpoint):
    enhancer = opened(factory(tmp_path, "assert sys.stdin.read() == ''\nreturn lambda noisy: noisy"), checkpoint)
    assert np.array_equal(enhancer.enhance(NOISY), NOISY)
