"""Scripts that start themselves again, once per GPU: `Popen([sys.executable] + sys.argv + [f"rank={rank}"])`.

What the children are given is a launch of its own: only they are told that they are several. So are those that a
launcher such as torchrun would start, where a script asks it for its number and nothing in the tree says so.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.values import Const, External, ListValue, Unknown, Value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import TOLD_BY_LAUNCHERS, CallEvent, Launch, Run
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.command_lines.started_with import asked_variables
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.process_starters import INTERPRETER_SWITCHES, SUBPROCESS_STARTERS
from cmgan_audit.source.python_file import cut_short
from cmgan_audit.source.tree import SourceTree

# Where the words of the command stand among the arguments.
_STARTERS = {
    **dict.fromkeys(SUBPROCESS_STARTERS, ("subprocess", "args", 0)),
    **dict.fromkeys(("execv", "execve", "execvp", "execvpe"), ("os", "args", 1)),
}
# One child tells what all of them do, a second one what the others leave to the first.
MOST_CHILDREN = 2
MOST_RESTARTS = 8
_DEEPEST_TEXT = 8


def restarts_of(runs: Sequence[Run]) -> list[Launch]:
    """The launches by which a script's runs start it again, those left out that are like one of these runs."""
    known = {run.launch.argv for run in runs}
    found: dict[tuple[str, ...], Launch] = {}
    for run in runs:
        children: dict[tuple[str, ...], Launch] = {}
        for event in run.events:
            launch = _restart(run, event) if isinstance(event, CallEvent) else None
            if launch is not None and launch.argv not in known and len(children) < MOST_CHILDREN:
                children.setdefault(launch.argv, launch)
        found = {**found, **children}
    return list(found.values())[:MOST_RESTARTS]


def in_several_processes(tree: SourceTree, runs: Sequence[Run]) -> list[Launch]:
    """The first launch of a script that asks a launcher for its number, as one of several processes.

    Nothing in the tree starts it like this: without such a launcher it is one process, and passes over what it does
    with a sampler for several.
    """
    if any(run.launch.ranked for run in runs):
        return []
    asking = (run for run in runs if not TOLD_BY_LAUNCHERS.isdisjoint(asked_variables(interpreter_of(run).notes)))
    for run in asking:
        files = interpreter_of(run).environments
        if any(b"DistributedSampler" in (tree.read_bytes(path) or b"") for path in files):
            condition = f"{run.launch.condition} in several processes".strip()
            return [replace(run.launch, ranked=True, condition=condition)]
    return []


def _restart(run: Run, event: CallEvent) -> Launch | None:
    room, _, member = canonical(event.callee).rpartition(".")
    starter = _STARTERS.get(member)
    if starter is None or room != starter[0]:
        return None
    command = event.arguments.get(*starter[1:])
    if not isinstance(command, ListValue):
        return None
    words = list(_after_script(run.entry, command.items))
    if not words:
        return None
    name = posixpath.basename(event.location.path)
    argv = tuple(word for word, _ in words)
    text = f"{name}: {' '.join(word.replace(UNKNOWN_MARK, '') for word in argv)}"
    return Launch(
        condition=cut_short(text, 100),
        argv=argv,
        steps=tuple(_step(run, word, value, event.location) for word, value in words),
        location=event.location,
        environment=run.launch.environment,
    )


def _after_script(entry: str, items: Sequence[Value]) -> Iterator[tuple[str, Value]]:
    """The words behind the interpreter and the script, each with its value; nothing where that is another script."""
    if not items or not _is_interpreter(items[0]):
        return
    rest = list(items[1:])
    while rest and _word(rest[0]) in INTERPRETER_SWITCHES:
        del rest[0]
    if not rest or not _is_script(entry, _word(rest[0])):
        return
    for value in rest[1:]:
        word = _word(value)
        if word is None:
            return
        yield word, value


def _is_interpreter(value: Value) -> bool:
    if isinstance(value, External):
        return value.name == "sys.executable"
    return isinstance(value, Const) and value.value in ("python", "python3")


def _is_script(entry: str, word: str | None) -> bool:
    if word is None:
        return False
    return posixpath.normpath(word) in {entry, posixpath.basename(entry)}


def _word(value: Value) -> str | None:
    """A word as it stands in a launch; None for what is no word. `UNKNOWN_MARK` stands for what is not known of it."""
    if isinstance(value, Const):
        return None if value.value is None or isinstance(value.value, bytes) else str(value.value)
    start = _known_start(value)
    return f"{start}{UNKNOWN_MARK}{'its value' if start else 'a word'}"


def _known_start(value: Value, depth: int = 0) -> str:
    """The beginning of a text of which the rest is not known: "rank=" of `f"rank={rank}"`."""
    if isinstance(value, Const):
        return str(value.value)
    if not isinstance(value, Unknown) or value.computed is None or depth > _DEEPEST_TEXT:
        return ""
    operands = value.computed.operands
    if value.computed.operation == "%" and isinstance(operands[0], Const):
        return str(operands[0].value).partition("%")[0]
    if value.computed.operation not in ("+", "str"):
        return ""
    start = ""
    for operand in operands:
        start += _known_start(operand, depth + 1)
        if not isinstance(operand, Const):
            break
    return start


def _step(run: Run, word: str, value: Value, place: Location) -> Step:
    """Where a word stands: in the launcher that the parent was started by, or in the call that starts the child."""
    if value.trail and value.trail[0] in run.launch.steps:
        return value.trail[0]
    return Step(place, f"{posixpath.basename(place.path)} passes {word.replace(UNKNOWN_MARK, '')}")
