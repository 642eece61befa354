"""The process that runs a user's code: `python -m cmgan_audit.evaluation.models.hosted.host`.

Frames come on what was stdin and go to what was stdout. Before any user code runs, both are moved out of its reach:
what it prints goes to stderr, and it reads an empty stdin.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cmgan_audit.errors import AuditError
from cmgan_audit.evaluation.models.hosted.loading import Code, HostedModel, load_code, load_model
from cmgan_audit.evaluation.models.hosted.wire import Header, pack, read_frame

# So many modules of a package are named where one is not in it.
_NAMED = 8


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


def _complaint(error: BaseException, root: Path) -> str:
    """What went wrong and where, in one line: the last place in the user's code, not in ours."""
    if isinstance(error, AuditError):
        return str(error)
    text = f"{type(error).__name__}: {error}".strip().rstrip(":")
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH120, PTH100 - compared as text
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    theirs = [frame for frame in places if "site-packages" not in frame.filename and "importlib" not in frame.filename]
    if theirs:
        text = f"{text} ({theirs[-1].filename}:{theirs[-1].lineno})"
    text = "; ".join([text, *getattr(error, "__notes__", ())])
    return f"{text}; {_way_out(error.name, root)}" if isinstance(error, ModuleNotFoundError) and error.name else text


def _way_out(module: str, root: Path) -> str:
    """What to do about a module that is not found: it lies elsewhere in the user's tree, or is not installed here.

    Of one whose package is in the tree, it is what that package holds.
    """
    parent, _, last = module.rpartition(".")
    package = root.joinpath(*parent.split("."))
    if parent and package.is_dir():
        held = sorted(path.stem for path in package.glob("*.py") if path.stem != "__init__")
        more = ", ..." if len(held) > _NAMED else ""
        return f"{package} has no {last}; it has: {', '.join(held[:_NAMED]) or 'no module'}{more}"
    first = module.partition(".")[0]
    for folder in _folders(root):
        if folder != root and ((folder / first).is_dir() or (folder / f"{first}.py").is_file()):
            return (
                f"{first} is in {folder}, and imports start from {root}: name the folder that your own scripts run in"
            )
    return (
        f"{sys.executable}, which runs cmgan-audit, has no {first}: install it there, or cmgan-audit into the "
        "environment that your own scripts run in"
    )


def _folders(root: Path) -> Iterator[Path]:
    """A folder, those in it, and those in them: as deep as sources lie in a repository, and no walk over its data."""
    for depth in ("*", "*/*"):
        yield from (path for path in sorted(root.glob(depth)) if path.is_dir() and not path.name.startswith("."))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the parent goes away."""
    code: Code = None
    model: HostedModel | None = None
    root = Path()
    while (frame := read_frame(requests)) is not None:
        header, samples = frame
        answer: bytes
        try:
            if header["do"] == "import":
                root = Path(str(header["root"]))
                code = load_code(header)
                answer = pack({"ok": True})
            elif header["do"] == "open":
                model = load_model(header, code)
                said: Header = {"ok": True, "digest": model.digest, "parameters": model.parameters, **model.contents}
                answer = pack(said)
            else:
                assert model is not None
                answer = pack({"ok": True}, model.enhance(samples))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything; all of it is reported
            answer = pack({"ok": False, "error": _complaint(error, root)})
        try:
            answers.write(answer)
            answers.flush()
        except BrokenPipeError:  # the parent was killed, and has said so itself
            return


if __name__ == "__main__":
    serve(*_private_streams())
