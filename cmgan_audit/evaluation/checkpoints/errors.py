"""The error of this room; light, so that anyone can catch it without importing torch."""

from __future__ import annotations

from cmgan_audit.errors import InputError


class CheckpointError(InputError):
    """A checkpoint cannot be read, or its weights do not fit the network; names the file and what would be right."""
