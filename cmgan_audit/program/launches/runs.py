"""All runs of a tree: every script that can reach training code, under every launch that the tree ships.

A tree is followed in *units*, one script with all its launches at a time. What a run leaves behind (its events, its
state) is large, and nobody needs it once its facts are taken: the next unit only has to know what was executed.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from cmgan_audit.finding import Location, Step
from cmgan_audit.program.execution.depth import deep_recursion
from cmgan_audit.program.execution.sessions import execute_entry, interpreter_of, let_go
from cmgan_audit.program.execution.trace import Launch, Run
from cmgan_audit.program.launches.asking import (
    is_bare,
    lacks_configuration,
    last_file,
    leaves_it_open,
    mode_of,
    only_fills_in,
    suits,
    those_that_can_start,
    without_file,
)
from cmgan_audit.program.launches.configurations import (
    Candidates,
    called_like,
    candidates,
    lies_far,
    with_second,
    without_first,
)
from cmgan_audit.program.launches.entries import ranked, silent_entries
from cmgan_audit.program.launches.hydra_choices import chosen_by_files
from cmgan_audit.program.launches.restarts import in_several_processes, restarts_of
from cmgan_audit.program.launches.shown import starts_with_words
from cmgan_audit.program.launches.spending import FIRST_ONLY, MOST_STEPS_OF_A_SCRIPT, Spending, told_apart_by
from cmgan_audit.program.launches.trials import without_trials
from cmgan_audit.program.launches.unreached import Place, execute_place, places, referred_to
from cmgan_audit.program.models.command_lines.launches import bare, launches_of
from cmgan_audit.program.models.command_lines.started_with import asked_variables
from cmgan_audit.program.naming.modules import ModuleIndex
from cmgan_audit.source.tree import SourceTree

# How many functions are followed that no script reaches.
MOST_UNREACHED = 40
MOST_LAUNCHES = 24
# How many files are tried in the first place of two: each is a run of its own.
MOST_PAIRS = 3


class Program:
    """A tree as something to be executed, unit by unit."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._index = ModuleIndex(tree)
        self._spending = Spending(MOST_STEPS_OF_A_SCRIPT)
        self._made: list[Run] = []  # of the script that is being followed, also those that tell nothing

    def scripts(self) -> tuple[list[str], list[str]]:
        """The scripts that are followed whatever the others do: those that train or score, and those that help them."""
        with deep_recursion():
            return ranked(self._tree)

    def silent_scripts(self, imported: set[str]) -> list[str]:
        """The files that are scripts because no run has imported them."""
        with deep_recursion():
            return [entry for entry in silent_entries(self._tree) if entry not in imported]

    def unreached(self, executed: set[Location], *, any_run: bool) -> Iterator[Place]:
        """The functions with a loader that no run has executed and that are not dead.

        `executed` may grow while the places are gone through; `any_run` says whether the tree has scripts at all.
        """
        with deep_recursion():
            waiting = [place for place in places(self._tree) if place.location not in executed]
            mentioned = referred_to(self._tree, waiting) if waiting and any_run else None
        for place in waiting:
            if place.location not in executed and (mentioned is None or place.is_live(mentioned)):
                yield place

    def runs_of(self, entry: str, most_steps: int = MOST_STEPS_OF_A_SCRIPT) -> list[Run]:
        """The runs of one script, and those of the processes in which it starts itself again.

        Once they have taken `most_steps`, the other launches are left out, and the runs tell of them.
        """
        self._spending = spending = Spending(most_steps)
        runs = those_that_can_start(self._launched(entry))
        with deep_recursion():
            again = [self._whole(entry, launch) for launch in spending.affordable(restarts_of(runs))]
            # The one in several processes shows what none of the others does, however many there were of them.
            several = in_several_processes(self._tree, runs)
            again += [
                self._whole(entry, each)
                for each in (several if most_steps > FIRST_ONLY else spending.affordable(several))
            ]
        told = spending.told([*runs, *again])
        kept = set(map(id, told))
        for run in self._made:
            if id(run) not in kept:
                let_go(run)
        self._made.clear()
        return told

    def _launched(self, entry: str) -> list[Run]:
        """The runs of one script: with its shipped launches, or with the configurations that lie beside it.

        A command that a document shows as a smoke test trains nobody's model: it counts only where nothing else names
        the configuration that the script needs. A run without its configuration counts only where nothing names one:
        until that is known, it ends where it asks for it.
        """
        with deep_recursion():
            index = self._index.afresh()
            first = self._noted(execute_entry(self._tree, index, entry, bare(entry), must_be_configured=True))
            variables = asked_variables(interpreter_of(first).notes)
            others = self._shipped(entry, variables, trial=False)
            if not (lacks_configuration(first) or self._asks_when_told(entry, first, others)):
                told, left_out = chosen_by_files(self._tree, first, others)
                for why, launches in left_out.items():
                    self._spending.leave_out(launches, why)
                told = [launch for launch in told if not only_fills_in(launch, first)]
                # An experiment that only lies there does not show how a training is started.
                shown = [launch for launch in others if not only_fills_in(launch, first)]
                if starts_with_words(self._tree, entry, variables, shown):
                    first.launch = replace(first.launch, unshown=True)
                return without_trials(
                    [first, *(self._whole(entry, launch, index) for launch in self._spending.affordable(told))]
                )
            tried = self._as_shipped(entry, variables, trial=False)
            found = self._configured(entry, first, tried) or self._configured(entry, first, self._as_said(entry))
            if not found:
                beside = self._beside(entry, [first, *tried])
                found = _noting(self._tried(entry, beside.launches), beside.left_out)
            if not found:
                found = self._configured(entry, first, self._as_shipped(entry, variables, trial=True))
            return found or self._all_whole(entry, [bare(entry), *others])

    def _asks_when_told(self, entry: str, first: Run, launches: Sequence[Launch]) -> bool:
        """Whether a script that ends at a check without a word asks for a configuration once a launch gives it some."""
        ends = bool(interpreter_of(first).passed_checks)
        return ends and any(map(lacks_configuration, self._started(entry, launches[:1])))

    def _shipped(self, entry: str, variables: frozenset[str], *, trial: bool) -> list[Launch]:
        """The launches that the tree ships of one script, trials or others, with the variables that it asks for."""
        found = launches_of(self._tree, entry, variables)
        self._spending.leave_out(found[MOST_LAUNCHES:], f"more than {MOST_LAUNCHES} ways to start it")
        return [each for each in found[:MOST_LAUNCHES] if not is_bare(each) and each.trial == trial]

    def _started(self, entry: str, launches: Sequence[Launch], *, must_be_told: bool = False) -> list[Run]:
        """The runs of launches, each to where it asks for a configuration that it does not name."""
        index = self._index.afresh()
        return [
            self._noted(
                execute_entry(self._tree, index, entry, launch, must_be_configured=True, must_be_told=must_be_told)
            )
            for launch in self._spending.affordable(launches)
        ]

    def _as_shipped(self, entry: str, variables: frozenset[str], *, trial: bool) -> list[Run]:
        """The runs of the launches that the tree ships, each to where it asks for a configuration.

        With its configuration a script goes further, and asks for more variables: a launcher that sets one of those
        starts it once more. A run that asks for one ends there, and counts only if the launcher does not set it.
        """
        known: dict[tuple[object, ...], Run] = {}
        while True:
            launches = self._shipped(entry, variables, trial=trial)
            others = [launch for launch in launches if told_apart_by(launch) not in known]
            known |= {told_apart_by(run.launch): run for run in self._started(entry, others, must_be_told=True)}
            asked = variables.union(*(asked_variables(interpreter_of(run).notes) for run in known.values()))
            if asked == variables:
                once = dict.fromkeys(map(told_apart_by, launches))  # two documents may show the same words
                return [known[each] for each in once if each in known]
            variables = asked

    def _as_said(self, entry: str) -> list[Run]:
        """The runs of the launches that a script's own comments and texts name, each to where it asks for another
        configuration. They may be old, so they count where the tree ships no other launch with a configuration."""
        launches = launches_of(self._tree, entry, said=True)
        return self._started(entry, [each for each in launches if each.argv and not each.trial])

    def _beside(self, entry: str, runs: Sequence[Run]) -> Candidates:
        """Launches with files that lie beside a script, for those that lack one."""
        lacking = [run for run in runs if lacks_configuration(run)]
        return candidates(
            self._tree, entry, [(run.launch, interpreter_of(run).notes["configuration"]) for run in lacking]
        )

    def _whole(self, entry: str, launch: Launch, index: ModuleIndex | None = None) -> Run:
        """The run of a launch to its end, whatever it lacks."""
        return self._noted(execute_entry(self._tree, index or self._index.afresh(), entry, launch))

    def _all_whole(self, entry: str, launches: Sequence[Launch]) -> list[Run]:
        """The runs of launches to their ends, the first one whatever it takes."""
        first = self._whole(entry, launches[0])
        return [first, *(self._whole(entry, launch) for launch in self._spending.affordable(launches[1:]))]

    def _noted(self, run: Run) -> Run:
        """A run whose steps are counted among those of its script."""
        asks = lacks_configuration(run) or interpreter_of(run).unsuited
        self._made.append(run)
        return self._spending.note(run, whole=not asks)

    def _configured(self, entry: str, first: Run, runs: Sequence[Run]) -> list[Run]:
        """Of runs of launches that the tree ships, those that have the configuration that they ask for.

        `train.py --ddp` beside `train.py --config a.yaml` leaves it out for shortness. A mode of which no launch has
        one, `main.py train` beside `main.py test`, is given the files that stand for what its launches leave open or
        call otherwise. Where there is none, what that mode asks for is no configuration: all launches count, and the
        bare script.
        """
        configured = [run for run in runs if not lacks_configuration(run) and not leaves_it_open(run)]
        modes = {mode_of(run.launch) for run in configured}
        others = [run for run in runs if mode_of(run.launch) not in modes]
        if not configured or not others:
            return configured
        filled = self._tried(entry, [each for each in self._beside(entry, [first, *others]).launches if mode_of(each)])
        if {mode_of(run.launch) for run in others} == {mode_of(run.launch) for run in filled}:
            return [*configured, *filled]
        whole = [self._whole(entry, bare(entry))]
        for run in runs:
            if lacks_configuration(run):
                whole += [self._whole(entry, launch) for launch in self._spending.affordable([run.launch])]
            else:
                whole.append(run)
        return whole

    def _tried(self, entry: str, launches: Sequence[Launch]) -> list[Run]:
        """The runs with files that lie beside a script, of those that it reads.

        Where some hold every key that the script asks for when it is started like this, the others are meant for its
        neighbours; one that lies far from the script has to hold them all. Where it reads none, one run stands for all
        of them, and what is not read is tried once per format.
        """
        index = self._index.afresh()
        read: list[Run] = []
        unread: dict[str, Run] = {}
        asking: list[Run] = []
        for must_suit in (len(launches) > 1, False):
            unsuited: list[Launch] = []
            for launch in self._spending.affordable(launches):
                path = "" if launch.location is None else launch.location.path
                suffix = posixpath.splitext(path)[1]
                if suffix in unread:
                    continue
                must_hold = path if must_suit or lies_far(entry, path) else ""
                with self._tree.watched() as consulted:
                    run = self._noted(
                        execute_entry(self._tree, index, entry, launch, must_be_configured=True, must_hold=must_hold)
                    )
                if any(step.note.startswith(f"{path}:") for step in run.limits):
                    continue  # it cannot read this one
                if interpreter_of(run).unsuited:
                    unsuited += [] if lies_far(entry, path) else [launch]
                elif lacks_configuration(run):
                    asking.append(run)
                elif path in consulted.contents:
                    read.append(run)
                else:
                    unread[suffix] = run
            suited = {without_file(run.launch) for run in read}
            launches = [launch for launch in unsuited if without_file(launch) not in suited]
        return read or list(unread.values())[:1] or self._paired(entry, asking)

    def _paired(self, entry: str, asking: Sequence[Run]) -> list[Run]:
        """The run of a script that asks for two configurations, where the keys that it reads tell which are meant.

        Where they tell only the second one, the first is left open. So it is where the tree has one file for both: who
        is asked for two files has two.

        Args:
            entry: the script.
            asking: runs that were given one file, each to where it asks for another one.
        """
        firsts = [run.launch for run in asking if suits(run, last_file(run.launch)) and len(run.launch.argv) <= 2]
        if not firsts:
            return []
        wanted = interpreter_of(asking[0]).notes["configuration"]
        tried: dict[str, Launch] = {}
        for first in firsts[:2]:  # the first with all others, another one with the first
            for launch in with_second(self._tree, entry, first, wanted):
                if last_file(launch) != last_file(first) or len(firsts) == 1:
                    tried.setdefault(last_file(launch), launch)
        fitting = self._fitting(entry, list(tried.values()), second_only=True)
        if len(fitting) != 1:
            return []
        second = last_file(fitting[0].launch)
        flag = firsts[0].argv[0] if len(firsts[0].argv) == 2 else ""
        named = called_like(flag, [path for path in map(last_file, firsts) if path != second])
        pairs = [
            launch
            for first in firsts
            if last_file(first) in named
            for launch in with_second(self._tree, entry, first, wanted)
            if last_file(launch) == second
        ]
        whole = self._fitting(entry, pairs) if len(pairs) <= MOST_PAIRS else []
        return whole if len(whole) == 1 else [self._whole(entry, without_first(fitting[0].launch, firsts[0]))]

    def _fitting(self, entry: str, launches: Sequence[Launch], *, second_only: bool = False) -> list[Run]:
        """Of runs with two files each, those whose files hold every key that they are asked for."""
        found = []
        for run in self._started(entry, launches):
            files = {last_file(run.launch)} if second_only else {step.location.path for step in run.launch.steps}
            if not lacks_configuration(run) and suits(run, *files):
                found.append(run)
        return found

    def run_of(self, place: Place) -> Run:
        """The run of a function that no script reaches."""
        with deep_recursion():
            return execute_place(self._tree, self._index.afresh(), place)


def execute(tree: SourceTree) -> Iterator[Run]:
    """Execute every entry of the tree symbolically; nothing of it is imported or run.

    Runs of the same entry stand together: the bare script first, then its launches in the order of the tree.
    """
    program = Program(tree)
    imported: set[str] = set()
    executed: set[Location] = set()
    any_run = False
    for scripts in (*program.scripts(), None):
        for entry in program.silent_scripts(imported) if scripts is None else scripts:
            runs = program.runs_of(entry)
            imported |= imported_by(runs)
            executed |= executed_by(runs)
            any_run = True
            yield from runs
    for place in islice(program.unreached(executed, any_run=any_run), MOST_UNREACHED):
        run = program.run_of(place)
        executed |= executed_by([run])
        yield run


def imported_by(runs: Sequence[Run]) -> set[str]:
    """The files whose top level the runs executed."""
    return {path for run in runs for path in interpreter_of(run).environments}


def executed_by(runs: Sequence[Run]) -> set[Location]:
    """Where the functions stand that the runs executed; lambdas, which nobody asks for, are left out."""
    return {
        function.module.location(node)
        for run in runs
        for node, function in interpreter_of(run).executed.items()
        if not isinstance(node, ast.Lambda)
    }


def _noting(runs: list[Run], left_out: Sequence[str]) -> list[Run]:
    """Runs with files that lie beside a script; where each differs, the files that were too many are told of."""
    if left_out and len(runs) > 1:
        note = f"files that may be configurations and are not tried, from this one on: {len(left_out)}"
        runs[0].limits.append(Step(Location(left_out[0], 1), note))
    return runs
