"""Whether a file is there: one question while nothing is written, moved or removed.

`if exists(path) and not args.resume: raise` and, further down, `if exists(path): load(path)`: who comes to the load has
asked to resume.
"""

from __future__ import annotations

import posixpath

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.text_tests import formula_of
from cmgan_audit.program.domain.values import Const, TextTest, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.models.registry import ModelCall

# Calls that change files, start who may, or wait for somebody who does: how their names begin, and what may stand
# anywhere in them.
_CHANGES = regex(
    r"(save|write|dump|remove|unlink|rm|rename|replace|move|touch|link|symlink|system|popen|run|call|check|fit|train"
    r"|open|start|clone|chdir|sync|wait|barrier|sleep|input)(?![a-z])"
    r"|savez|copy|rmtree|extract|unpack|make_archive|mkd|urlretrieve|spawn|exec|posix_spawn|fork|Popen"
    r"|.*(download|from_url)"
)
_MAKES_FOLDERS = ("mkdir", "makedirs")
_THERE = "there"


@dataclass(slots=True)
class _Changes:
    """How often files, and folders, may have changed in the events up to a position."""

    position: int = 0
    files: int = 0
    folders: int = 0


def whether_there(call: ModelCall, path: Value) -> Value:
    """The answer to the question whether there is a file or folder that the tree does not tell of.

    It is another one in each pass of a loop: what happened between them is not known.
    """
    reason = "whether a file is there"
    if not isinstance(path, Const) or path.draws or call.interpreter.context.loops:
        return Unknown(reason=reason, draws=path.draws)
    changes = _changes_until_now(call)
    is_file = bool(posixpath.splitext(str(path.value))[1])
    times = (changes.files, 0 if is_file else changes.folders)
    number = call.interpreter.asked_for.number_of_question(path.value, call.callee.rpartition(".")[2], times)
    return TextTest(reason=reason, formula=formula_of(number, [_THERE], [_THERE, ""]), equal=True)


def _changes_until_now(call: ModelCall) -> _Changes:
    events = call.interpreter.run.events
    kept = call.interpreter.notes.get("files changed")
    before = kept if isinstance(kept, _Changes) and kept.position <= len(events) else _Changes()
    made = _Changes(len(events), before.files, before.folders)
    for event in events[before.position :]:
        if not isinstance(event, CallEvent):
            continue
        member = event.callee.rpartition(".")[2]
        if member in _MAKES_FOLDERS:
            made.folders += 1
        elif event.is_elsewhere or (_CHANGES.match(member) and not _opens_for_reading(event, member)):
            made.files += 1
    call.interpreter.notes["files changed"] = made
    return made


def _opens_for_reading(event: CallEvent, member: str) -> bool:
    """Whether a call opens a file, `open(path)`, `path.open("rb")`, and leaves it as it is."""
    mode = event.arguments.get("mode", 1 if event.receiver is None else 0)
    return member == "open" and (mode is None or (isinstance(mode, Const) and mode.value in ("r", "rb", "rt")))
