"""Calls of code that is not there: a package of one's own that the tree only imports.

What a well-known library is for is known. Of other calls the name may tell that they only look at what they are given.
"""

from __future__ import annotations

from cmgan_audit.facts.name_words import name_words
from cmgan_audit.program.execution.trace import CallEvent

# `count_parameters`, `EarlyStopping`: the words of a name; capitals in a row are one.
_LOOKING = frozenset(
    "average averager averages check checkpoint checkpointer checkpoints clock count counter describe device dump "
    "ema export flop flops graph hist histogram history info inspect log logger logging logs mac macs meter "
    "metric metrics monitor norm norms num number numel plot plotter print profile profiler record recorder "
    "report reporter save saver score seed show size snapshot stat statistics stats stopper stopping summarize "
    "summary time timer trace track tracker visualise visualize watch watcher write writer".split()
)

# What a function does besides, whatever else it is called: `log_and_step(optimizer)`, `Logger.after_backward(loss)`.
_DOING = frozenset("step optimise optimize optimiser optimizer backward minimise minimize".split())


def looks_on(event: CallEvent) -> bool:
    """Whether a call only looks at what it is given, or keeps it, by its name or that of its class.

    `count_parameters(net)`, `EarlyStopping()(loss, net)`, `logger.add(net)` of a `Logger` from elsewhere.
    """
    return only_looks(event.callee.removesuffix(".__call__"))


def only_looks(callee: str) -> bool:
    """Whether the name of a function, or that of its class, says that it looks at things or keeps them.

    Args:
        callee: the name, with its module.
    """
    *owners, member = callee.split(".")
    if not _DOING.isdisjoint(name_words(member)):
        return False
    named = [member, *(each for each in owners if each[:1].isupper())]
    return any(not _LOOKING.isdisjoint(name_words(name)) for name in named)
