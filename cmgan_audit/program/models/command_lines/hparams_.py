"""HParams of TensorFlow, which trainings in PyTorch took over: settings that a text of the command line changes."""

from __future__ import annotations

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.containers import literal_in
from cmgan_audit.program.domain.values import Const, DictValue, Value, options_of
from cmgan_audit.program.models.registry import ModelCall, model

# `name=value`, with a list in brackets: "batch_size=8,layers=[2,4],fp16_run=True".
_SETTING = regex(r"\s*([A-Za-z_][\w.]*)\s*=\s*(\[[^\]]*\]|[^,\[]*)\s*(?:,|$)")
_TRUTH = {"true": True, "false": False}


@model("builtins.dict.parse")
def _parse(call: ModelCall) -> Value | None:
    """`hparams.parse("batch_size=8,fp16_run=True")` puts these in the place of the defaults."""
    text = call.get("values", 0)
    held = call.receiver
    if not isinstance(held, DictValue) or not held.attribute_access or text is None:
        return None
    given = [option.value for option in options_of(text)]
    if len(given) == 1 and isinstance(given[0], Const) and isinstance(given[0].value, str):
        for name, written in _SETTING.findall(given[0].value):
            call.interpreter.journal.set_item(held, name, _meant(given[0], written.strip()))
    return held


def _meant(text: Const, written: str) -> Value:
    """One value, as it is written: a number or a list as a literal, a truth value in any case, else a text."""
    alone = Const(value=_TRUTH.get(written.lower(), written), trail=text.trail)
    meant = literal_in(alone)
    return alone if meant is None else meant
