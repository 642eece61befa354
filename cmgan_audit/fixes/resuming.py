"""CMG601: a setting that makes training go on from a checkpoint is off in what is shipped."""

from __future__ import annotations

import ast
import re

from cmgan_audit.fixes.case import Case, Repair
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.fixes.values import switch_off
from cmgan_audit.lazy_regex import regex

# Words for going on from a file; a setting named "checkpoint" may decide whether checkpoints are written at all.
_GOES_ON = regex(r"resum|contin|restart|restor|re_?load|load|last|warm", re.IGNORECASE)


def resume_when_asked(case: Case) -> Repair:
    """Switch the setting off where it is set; a checkpoint that is looked for without a setting is not touched."""
    edit = switch_off(case.sources, case.place)
    if not _GOES_ON.search(_named(case)):
        raise UnrecognisedShapeError(
            f"by its name the setting at {case.place} may also decide whether anything is saved"
        )
    return Repair("switch resuming off; who wants it asks for it", (edit,))


def _named(case: Case) -> str:
    """The text that names a setting: its line up to the value, or the call that declares it as an option."""
    document = case.sources.document(case.place.path)
    start, end = document.span(case.place)
    if isinstance(document, PythonText):
        keyword = document.parent(document.expression(case.place))
        call = document.parent(keyword) if isinstance(keyword, ast.keyword) else None
        if isinstance(call, ast.Call):
            return document.source(call)
    return document.text[document.line_start(start) : end]
