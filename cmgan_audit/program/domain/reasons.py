"""Reasons for which a value is unknown: sentences for people, and behind some of them a cause that facts ask for.

What is computed from an unknown value takes over its reason, the cause with it. No fact reads the sentences.
"""

from __future__ import annotations

from enum import Enum, auto


class Cause(Enum):
    """What keeps a value from being known."""

    LAUNCHER = auto()  # a launch line leaves a word of the command line open: `--config $1`
    REQUIRED = auto()  # the command line has to give it
    ENVIRONMENT = auto()  # an environment variable of which nothing is known
    MISSING_FILE = auto()  # it stands in a file that is not in the tree
    LOADED = auto()  # `torch.load` gives it
    ITEM_INDEX = auto()  # the index by which a dataset is asked for an item
    CALLER = auto()  # code that no script reaches is given it by whoever calls it
    REST_OF_LIST = auto()  # an item of a list of which only the first ones are known
    LOOP_PASS = auto()  # it is another one in each pass of a loop


# Whoever starts the program says what these are.
GIVEN_AT_START = frozenset({Cause.LAUNCHER, Cause.REQUIRED, Cause.ENVIRONMENT})


class Reason(str):
    """A reason with a cause; as a text it is any other."""

    __slots__ = ("cause",)
    cause: Cause

    def __new__(cls, text: str, cause: Cause) -> Reason:
        """The text with its cause."""
        made = super().__new__(cls, text)
        made.cause = cause
        return made


def cause_of(reason: str) -> Cause | None:
    """The cause behind a reason, None where no fact asks for it."""
    return reason.cause if isinstance(reason, Reason) else None


def naming(text: str, inner: str) -> str:
    """A reason that names another one, "what is loaded is not known: ...": the cause is the other's."""
    cause = cause_of(inner)
    return text if cause is None else Reason(text, cause)


def only_at_launch(what: str) -> Reason:
    """The reason why a word of the command line is not known that a launch line leaves open."""
    return Reason(f"{what} is only known when the launcher runs", Cause.LAUNCHER)


def required(text: str) -> Reason:
    """The reason why a value is not known that the command line has to give."""
    return Reason(text, Cause.REQUIRED)


def not_in_tree(path: str) -> Reason:
    """The reason why nothing is known of what a file holds that the tree does not have."""
    return Reason(f"{path} is not in the tree", Cause.MISSING_FILE)


def given_by_caller(parameter: str, function: str) -> Reason:
    """The reason why a parameter of code that no script reaches is not known."""
    return Reason(f"{parameter} of {function}, which no script calls", Cause.CALLER)
