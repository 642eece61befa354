"""Small models in processes that need not load torch again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cmgan_audit.evaluation.models.hosted import host, process


def _serve() -> None:
    """In a child of this process: serve as `python -m cmgan_audit.evaluation.models.hosted.host` does, then end."""
    try:
        os.closerange(3, 1024)  # among them what would tell the parent that a program could not be started
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        torch.set_num_threads(1)  # the threads of the parent are not there
        random.seed()
        np.random.seed()
        host.serve(*host._private_streams())
    finally:
        os._exit(0)


@pytest.fixture
def forked_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes for users' code begin as copies of this one, which has loaded torch; loading is most of their time.

    All else is theirs: their pipes, their group, their end.
    """

    def start(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, preexec_fn=_serve, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(process, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": start}))
