"""The error of this room; light, so that anyone can catch it without importing torch."""

from __future__ import annotations

from cmgan_audit.errors import InputError


class CheckpointError(InputError):
    """A checkpoint cannot be read, or its weights do not fit the network; names the file and what would be right."""


def first_line(error: Exception) -> str:
    """The first line of an error of PyTorch, without the advice and the stack below it."""
    return (str(error).splitlines() or [""])[0][:200]
