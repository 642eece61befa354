"""What may lie in the place of a checkpoint or a recording: a pointer to it, or a page that says why it is missing."""

from __future__ import annotations


def in_its_place(start: bytes) -> str:
    """What a file seems to be that is not of the expected kind, in brackets; "" where nobody knows.

    Args:
        start: the first bytes of the file, 32 or more.
    """
    if start.startswith(b"version https://git-lfs"):
        return " (it is a Git LFS pointer: fetch the file itself with `git lfs pull`)"
    if start.lstrip()[:1] == b"<":
        return " (it is an HTML or XML page, perhaps a failed download)"
    return ""
