"""All answers of a tree, whoever makes them: kept ones where nothing changed, new ones in one or several processes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing

from cmgan_audit.facts.units.answer import Answer, Follower
from cmgan_audit.facts.units.cache import AnswerCache
from cmgan_audit.facts.units.workers import worked
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.consulted import Consulted, Questions


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

# Of all units of a tree, in their order. Of 250 audited repositories the largest has come to two thirds of it.
MOST_STEPS_IN_ALL = 5_000_000
_SPENT = f"more than {MOST_STEPS_IN_ALL} steps in the whole tree"


def answers_of(follower: Follower, effort: Effort, kept: AnswerCache | None) -> list[Answer]:
    """The answers of all units: scripts, files that are scripts because nothing imports them, then what they leave."""
    program = follower.program
    scripts = program.scripts()
    answers = _bounded(scripts, _of_scripts(follower, scripts, effort, kept), 0)
    imported = {path for answer in answers for path in answer.imported}
    scripts = program.silent_scripts(imported)
    answers += _bounded(scripts, _of_scripts(follower, scripts, effort, kept), _steps(answers))
    executed: set[Location] = {place for answer in answers for place in answer.executed}
    for place in program.unreached(executed, any_run=bool(answers)):
        if _steps(answers) > MOST_STEPS_IN_ALL:
            answers.append(Answer(limits=(Step(place.location, f"{_SPENT}: this function is not followed"),)))
            break
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


def _bounded(scripts: Sequence[str], answers: Generator[Answer, None, None], spent: int) -> list[Answer]:
    """The answers of scripts, in their order, until all steps are taken; then one that says how many are left out."""
    taken: list[Answer] = []
    with closing(answers):  # processes that work ahead are ended
        for number, script in enumerate(scripts):
            if spent > MOST_STEPS_IN_ALL:
                note = f"{_SPENT}: scripts that are not followed, from this one on: {len(scripts) - number}"
                taken.append(Answer(limits=(Step(Location(script, 1), note),)))
                break
            taken.append(next(answers))
            spent += taken[-1].steps
    return taken


def _steps(answers: Sequence[Answer]) -> int:
    return sum(answer.steps for answer in answers)


def _of_scripts(
    follower: Follower, scripts: Sequence[str], effort: Effort, kept: AnswerCache | None
) -> Generator[Answer, None, None]:
    """The answer of each script, in their order, when it is asked for."""
    found = {script: answer for script in scripts if (answer := _kept(kept, f"script {script}")) is not None}

    def work(script: str) -> tuple[Answer, Questions]:
        answer, consulted = follower.follow(script)
        if kept is not None:
            kept.write(f"script {script}", answer, consulted)
        return answer, consulted.questions()

    missing = [script for script in scripts if script not in found]
    alone = kept is None and (effort.jobs < 2 or len(missing) < 2)
    results = worked(missing, work, effort.jobs) if not alone else iter(())
    for script in scripts:
        if script in found:
            yield found[script]
        elif alone:
            yield follower.follow(script)[0]
        else:
            _, (answer, questions) = next(results)
            follower.tree.depends_on(Consulted(*map(set, questions)))
            yield answer


def _kept(kept: AnswerCache | None, name: str) -> Answer | None:
    return None if kept is None else kept.read(name, Answer)
