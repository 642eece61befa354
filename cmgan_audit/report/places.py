"""Paths as CI systems need them: they start from the folder in which the command runs, usually the checkout."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.gate.audited import Audited


def prefix_from_here(audited: Audited) -> str:
    """Return what stands before the paths of findings when seen from the current folder.

    It is "" where the audited folder is the current one or lies outside it.
    """
    root, here = audited.root.resolve(), Path.cwd()
    if root == here or not root.is_relative_to(here):
        return ""
    return root.relative_to(here).as_posix() + "/"
