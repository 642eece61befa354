"""What every test needs: a cache folder of its own, so that no test reads or fills the user's.

Nor does a property depend on how busy the machine is. Test processes share its cores, so those that compute do it in
one thread each: several would spend more time on waiting for each other.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from subprocess import CompletedProcess
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from cmgan_audit.cli.app import main

# Read when torch is loaded, here and in the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

settings.register_profile("patient", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names for folders that do not exist yet: few tests keep something, and none of the others needs its own."""
    folder = tmp_path_factory.mktemp("caches")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def own_cache(caches: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder of this test, made when something is kept in it."""
    folder = next(caches)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., CompletedProcess[str]]:
    """`cmgan-audit` with these words in this process, which has loaded already what a process of its own loads first.

    What only a process of its own can show (what it loads, how it is killed, closed streams) is tested in one.
    """

    def run(*words: object, cwd: Path | None = None) -> CompletedProcess[str]:
        argv = ["cmgan-audit", *map(str, words)]
        capsys.readouterr()
        with monkeypatch.context() as patched, pytest.raises(SystemExit) as ended:
            patched.setattr(sys, "argv", argv)
            if cwd is not None:
                patched.chdir(cwd)
            main()
        printed = capsys.readouterr()
        return CompletedProcess(argv, ended.value.code, printed.out, printed.err)

    return run


@pytest.fixture
def calls_of() -> Callable[[Callable[[], object]], int]:
    """How many calls of functions, Python's own among them, a call leads to: its work, however busy the machine is."""

    def number(work: Callable[[], object]) -> int:
        calls = 0

        def see(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(see)
        try:
            work()
        finally:
            sys.setprofile(before)
        return calls

    return number
