"""All answers of a tree, whoever makes them: kept ones where nothing changed, new ones in one or several processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cmgan_audit.facts.units.answer import Answer, Follower
from cmgan_audit.facts.units.archive import pack, unpack
from cmgan_audit.facts.units.cache import AnswerCache
from cmgan_audit.facts.units.workers import worked
from cmgan_audit.finding import Location
from cmgan_audit.source.consulted import Consulted


@dataclass(frozen=True, slots=True)
class Effort:
    """How an audit is done, which never changes what it finds.

    Attributes:
        jobs: the largest number of processes.
        cached: whether answers of earlier audits are used and new ones kept, in the user's cache folder.
    """

    jobs: int = 1
    cached: bool = False


ALONE = Effort()


def answers_of(follower: Follower, effort: Effort, kept: AnswerCache | None) -> list[Answer]:
    """The answers of all units: scripts, files that are scripts because nothing imports them, then what they leave."""
    program = follower.program
    answers = _of_scripts(follower, program.scripts(), effort, kept)
    imported = {path for answer in answers for path in answer.imported}
    answers += _of_scripts(follower, program.silent_scripts(imported), effort, kept)
    executed: set[Location] = {place for answer in answers for place in answer.executed}
    for place in program.unreached(executed, any_run=bool(answers)):
        name = f"function {place.location.path}:{place.location.line}:{place.location.column}"
        answer = _kept(kept, name)
        if answer is None:
            answer, consulted = follower.follow(place)
            if kept is not None:
                kept.write(name, answer, consulted)
        executed.update(answer.executed)
        answers.append(answer)
    for answer in answers:
        follower.tree.note_failures(answer.failures)
    return answers


def _of_scripts(follower: Follower, scripts: Sequence[str], effort: Effort, kept: AnswerCache | None) -> list[Answer]:
    found = {script: answer for script in scripts if (answer := _kept(kept, f"script {script}")) is not None}

    def work(script: str) -> str:
        answer, consulted = follower.follow(script)
        if kept is not None:
            kept.write(f"script {script}", answer, consulted)
        return pack((answer, consulted.questions()))

    missing = [script for script in scripts if script not in found]
    if kept is None and (effort.jobs < 2 or len(missing) < 2):
        return [follower.follow(script)[0] for script in scripts]
    for script, packed in worked(missing, work, effort.jobs):
        found[script], questions = unpack(packed)
        follower.tree.depends_on(Consulted(*map(set, questions)))
    return [found[script] for script in scripts]


def _kept(kept: AnswerCache | None, name: str) -> Answer | None:
    return None if kept is None else kept.read(name, Answer)
