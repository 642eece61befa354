"""The process that runs a user's code: `python -m cmgan_audit.evaluation.models.hosted.host`.

Frames come on what was stdin and go to what was stdout. Before any user code runs, both are moved out of its reach:
what it prints goes to stderr, and it reads an empty stdin.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import BinaryIO

from cmgan_audit.errors import AuditError
from cmgan_audit.evaluation.models.hosted.loading import HostedModel, load_model
from cmgan_audit.evaluation.models.hosted.wire import Header, pack, read_frame


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Streams for frames; descriptors 0 and 1 are given other ends."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


def _complaint(error: BaseException) -> str:
    """What went wrong and where, in one line: the last place in the user's code, not in ours."""
    if isinstance(error, AuditError):
        return str(error)
    text = f"{type(error).__name__}: {error}".strip().rstrip(":")
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH120, PTH100 - compared as text
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    theirs = [frame for frame in places if "site-packages" not in frame.filename and "importlib" not in frame.filename]
    if theirs:
        return f"{text} ({theirs[-1].filename}:{theirs[-1].lineno})"
    return text


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the parent goes away."""
    model: HostedModel | None = None
    while (frame := read_frame(requests)) is not None:
        header, samples = frame
        answer: bytes
        try:
            if header["do"] == "open":
                model = load_model(header)
                said: Header = {"ok": True, "digest": model.digest, "parameters": model.parameters, **model.contents}
                answer = pack(said)
            else:
                assert model is not None
                answer = pack({"ok": True}, model.enhance(samples))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything; all of it is reported
            answer = pack({"ok": False, "error": _complaint(error)})
        answers.write(answer)
        answers.flush()


if __name__ == "__main__":
    serve(*_private_streams())
