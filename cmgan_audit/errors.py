"""Errors that end a command with a message for the user, each with the exit status of the contract."""


def reason(error: Exception) -> str:
    """Why a file could not be read or written, without the name, which the message has already."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


class AuditError(Exception):
    """A command cannot go on; `str(error)` names the place, the value and what would be right.

    Attributes:
        exit_status: what the command exits with (2 wrong usage or configuration, 3 nothing could be analysed).
    """

    exit_status = 3


class UsageError(AuditError):
    """The command line or a settings file is wrong."""

    exit_status = 2


class MissingPathError(UsageError):
    """A place that was named is not there: a slip of the pen, unlike a place that holds nothing, or nothing usable."""


class MissingExtraError(UsageError):
    """A command needs packages of an extra that is not installed."""

    def __init__(self, command: str, extra: str) -> None:
        super().__init__(f"{command} needs more packages: pip install 'cmgan-audit[{extra}]'")


class InputError(AuditError):
    """There is nothing to analyse, or an input cannot be read as what it should be."""


def cannot_be_read(what: str, error: Exception) -> AuditError:
    """The error for a file of the command line that could not be opened or decoded."""
    kind = MissingPathError if isinstance(error, FileNotFoundError) else InputError
    return kind(f"{what}: cannot be read: {reason(error)}")
