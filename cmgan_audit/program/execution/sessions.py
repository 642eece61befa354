"""One execution from its start to its end: the roots of imports, the entry's top level, and the state it leaves."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager

from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.values import ClassValue, Const, Instance
from cmgan_audit.program.execution.imports import run_module
from cmgan_audit.program.execution.interpreter import (
    Activation,
    BudgetExceededError,
    Interpreter,
    ProgramRaisedError,
    UnconfiguredError,
)
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.execution.trace import Launch, Run
from cmgan_audit.program.naming.modules import Module, ModuleIndex
from cmgan_audit.source.tree import SourceTree

# What checks of settings raise, and how many of them are passed over in one script.
_CHECKS = frozenset({"AssertionError", "ValueError", "Exception", "RuntimeError", "FileNotFoundError"})
MOST_CHECKS = 4
# What is known of a script that a launcher starts in several processes.
SEVERAL_PROCESSES = frozenset({("world_size > 1", True)})


def interpreter_of(run: Run) -> Interpreter:
    """The interpreter that made a run, with the state at its end."""
    if not isinstance(run.session, Interpreter):
        raise TypeError("the run was not made by the interpreter")
    return run.session


def let_go(run: Run) -> None:
    """Take a run apart that nobody asks any more: its memory is free at once, without a search for dead cycles."""
    it = interpreter_of(run)
    run.session = None
    for environment in it.environments.values():
        environment.names.clear()  # functions, which hold the names around them


def new_session(tree: SourceTree, index: ModuleIndex, entry: str, launch: Launch) -> Interpreter:
    """An interpreter for one entry, nothing executed yet."""
    run = Run(entry, launch)
    it = Interpreter(tree, index, run)
    run.session = it
    if launch.ranked:
        it.facts = SEVERAL_PROCESSES
    folder = posixpath.dirname(entry)
    it.roots = list(dict.fromkeys([folder, "", "src"]))
    return it


def execute_entry(
    tree: SourceTree,
    index: ModuleIndex,
    entry: str,
    launch: Launch,
    *,
    must_be_configured: bool = False,
    must_be_told: bool = False,
    must_hold: str = "",
) -> Run:
    """Execute a script as `python entry argv` would.

    With `must_be_configured`, the run ends where it asks for a configuration file that the launch does not name, with
    `must_be_told` where it asks for a variable that the launcher sets and the launch does not have yet, and where it
    certainly asks the file `must_hold` for a key that this does not hold. Where a check of the settings ends the
    program, because something is left to be filled in, what comes after it is followed as if the check had passed.
    """
    passed: list[Location] = []
    earlier = 0
    while True:
        it = new_session(tree, index, entry, launch)
        it.earlier_steps = earlier
        it.must_be_configured, it.must_be_told, it.must_hold = must_be_configured, must_be_told, must_hold
        it.passed_checks = frozenset(passed)
        ended = _executed(it)
        if ended is None or ended.name not in _CHECKS or len(passed) == MOST_CHECKS or ended.location in passed:
            break
        passed.append(ended.location)
        earlier = it.all_steps
    for place in passed:
        it.limit(place, "the script ends at this check as it is shipped; it is followed as if the check had passed")
    return it.run


def _executed(it: Interpreter) -> ProgramRaisedError | None:
    """Execute the entry of a session to its end; the exception that ends it, where one is certainly raised."""
    index, entry = it.index, it.entry
    module = index.at(entry)
    if module is None:
        it.run.limits.append(Step(Location(entry, 1), "the script cannot be parsed"))
        return None
    environment = Environment(module, "module")
    environment.names["__name__"] = Const(value="__main__")
    environment.names["__file__"] = Const(value=entry)
    it.environments[entry] = environment
    try:
        run_module(it, module, environment)
    except ProgramRaisedError as error:
        if error.name != "SystemExit":
            it.limit(error.location, f"the script ends here: {error.name or 'an error'} is raised on every path")
        return error
    except BudgetExceededError as error:
        it.limit(Location(entry, 1), f"{error}: what comes later in this script is not followed")
        it.exits.clear()
    except UnconfiguredError:
        pass  # what was seen until then is dropped by those who wanted it configured
    return None


@contextmanager
def module_activation(it: Interpreter, near: Instance) -> Iterator[None]:
    """Execute as the top level of the module that an object's class stands in."""
    module = near.cls.module if isinstance(near.cls, ClassValue) else _entry_module(it)
    with module_activation_of(it, module):
        yield


@contextmanager
def module_activation_of(it: Interpreter, module: Module) -> Iterator[None]:
    """Execute as the top level of a module."""
    activation = Activation(module, it.environments.get(module.path) or Environment(module, "module"))
    with it.activated(activation, None):
        yield


def _entry_module(it: Interpreter) -> Module:
    module = it.index.at(it.entry)
    return module if module is not None else Module("", it.entry, "", None)
