"""All answers of a tree, whoever makes them: kept ones where nothing changed, new ones in one or several processes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing

from cmgan_audit.facts.units import allowances
from cmgan_audit.facts.units.answer import Answer, Follower
from cmgan_audit.facts.units.cache import AnswerCache
from cmgan_audit.facts.units.workers import worked
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.launches.runs import MOST_UNREACHED
from cmgan_audit.program.launches.spending import FIRST_ONLY
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

_SPENT = "more steps than one tree may take"


def answers_of(follower: Follower, effort: Effort, kept: AnswerCache | None) -> list[Answer]:
    """The answers of all units: scripts, files that are scripts because nothing imports them, then what they leave."""
    program = follower.program
    answers: list[Answer] = []
    for scripts in program.scripts():  # one that only helps takes no step from one that trains
        answers += _within_limits(follower, scripts, effort, kept, _steps(answers))
    imported = {path for answer in answers for path in answer.imported}
    silent = program.silent_scripts(imported)
    answers += _within_limits(follower, silent, effort, kept, _steps(answers))
    executed: set[Location] = {place for answer in answers for place in answer.executed}
    for count, place in enumerate(program.unreached(executed, any_run=bool(answers))):
        if count == MOST_UNREACHED:
            note = f"more than {count} functions that no script reaches: this one and those after it are not followed"
            answers.append(Answer(limits=(Step(place.location, note),)))
            break
        if _steps(answers) > _most_in_all():
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
        follower.tree.note_parsed(answer.imported)
    return answers


def _most_in_all() -> int:
    return allowances.MOST_STEPS_IN_ALL + allowances.STEPS_FOR_FIRST_LAUNCHES


def _within_limits(
    follower: Follower, scripts: list[str], effort: Effort, kept: AnswerCache | None, spent: int
) -> list[Answer]:
    """The answers of scripts in their order, as far as the steps of the tree reach; then one that says what is left.

    `spent` is what has been taken before. Once the steps for all launches are taken, scripts that are left get their
    first one.
    """
    found: dict[str, Answer] = {}
    waiting = allowances.by_weight(follower.tree, scripts)
    all_launches = (allowances.MOST_STEPS_IN_ALL, allowances.steps_of_each(len(scripts)))
    for most, each in (all_launches, (_most_in_all(), FIRST_ONLY)):
        with closing(_of_scripts(follower, waiting, each, effort, kept)) as answers:  # ends processes that work ahead
            for script in waiting:
                if spent > most:
                    break
                found[script] = next(answers)
                spent += found[script].steps
        waiting = [script for script in waiting if script not in found]
    answers_in_order = [found[script] for script in scripts if script in found]
    left = [script for script in scripts if script not in found]
    if left:
        note = f"{_SPENT}: scripts that are not followed, this one among them: {len(left)}"
        answers_in_order.append(Answer(limits=(Step(Location(left[0], 1), note),)))
    return answers_in_order


def _steps(answers: Sequence[Answer]) -> int:
    return sum(answer.steps for answer in answers)


def _of_scripts(
    follower: Follower, scripts: Sequence[str], most: int, effort: Effort, kept: AnswerCache | None
) -> Generator[Answer, None, None]:
    """The answer of each script with `most` steps, in their order, when it is asked for."""
    names = {script: f"script {script} with {most} steps" for script in scripts}
    found = {script: answer for script, name in names.items() if (answer := _kept(kept, name)) is not None}

    def work(script: str) -> tuple[Answer, Questions]:
        answer, consulted = follower.follow(script, most)
        if kept is not None:
            kept.write(names[script], answer, consulted)
        return answer, consulted.questions()

    missing = [script for script in scripts if script not in found]
    alone = kept is None and (effort.jobs < 2 or len(missing) < 2)
    results = worked(missing, work, effort.jobs) if not alone else iter(())
    for script in scripts:
        if script in found:
            yield found[script]
        elif alone:
            yield follower.follow(script, most)[0]
        else:
            _, (answer, questions) = next(results)
            follower.tree.depends_on(Consulted(*map(set, questions)))
            yield answer


def _kept(kept: AnswerCache | None, name: str) -> Answer | None:
    return None if kept is None else kept.read(name, Answer)
