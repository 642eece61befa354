"""Calls of `torch.stft` and `torch.istft`, and whether the torch that the tree allows takes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cmgan_audit.facts.items.making import items_of
from cmgan_audit.facts.spectra.forms import ISTFT, STFT, Form, Forms, returns_complex
from cmgan_audit.facts.spectra.networks import calls_inside
from cmgan_audit.facts.spectra.records import FourierTransform
from cmgan_audit.facts.values import class_name
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Absent, Arguments, Const, Instance, Option, options_of
from cmgan_audit.program.execution.trace import CallEvent, innermost_function
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown
from cmgan_audit.source.syntax import Function

# The first torch that refuses the old forms.
REFUSING = "2.0"
_METHOD = regex(r"torch\.(?!nn\.)(?:\w+\.)+stft")
# A branch that asks which torch runs.
_ANSWERS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Call, ast.IfExp)
_ASKS_VERSION = regex(r"(?i)version|\d_\d|torch_?\d|hasattr|signature")


def transforms_of(view: View) -> Iterator[FourierTransform]:
    """A record for every call that keeps a spectrum in the old form, or would if it were not told otherwise."""
    calls = list(_calls(view))
    forms = Forms(calls)
    allowed: dict[str, tuple[Fact, bool]] = {}
    for event in calls:
        name, path = canonical(event.callee), event.location.path
        if name in STFT or (_METHOD.fullmatch(name) and event.receiver is not None):
            old = _of_stft(forms, event)
        elif name in ISTFT:
            old = _of_istft(forms, event)
        else:
            continue
        if old is None or _is_guarded(view, event):
            continue
        if path not in allowed:
            allowed[path] = (
                view.torch.may_reach(first=REFUSING, path=path),
                not isinstance(view.torch.reaches(first=REFUSING, path=path), Unknown),
            )
        new_torch, stated = allowed[path]
        yield FourierTransform(
            location=event.location,
            anchor=f"{innermost_function(event.context)}:{name.rpartition('.')[2]}",
            function=name.rpartition(".")[2],
            old_form=old,
            new_torch=new_torch,
            torch_stated=stated,
        )


def _calls(view: View) -> Iterator[CallEvent]:
    """What the run calls, in its own code, in the items of its loaders and inside its networks."""
    yield from view.scene.calls
    for made in view.scene.made:
        for reading in items_of(view.scene, made).readings:
            yield from (event for event in reading.events if isinstance(event, CallEvent))
    yield from calls_inside(view, b"stft")


def _of_stft(forms: Forms, event: CallEvent) -> Fact | None:
    """Whether a spectrum is computed without saying in which form; None for a complex signal."""
    given = event.arguments
    if event.receiver is not None:  # tensor.stft(n_fft, ...): every position is one lower
        given = Arguments(positional=(event.receiver, *given.positional), keywords=given.keywords)
    if forms.of(given.get("input", 0)) is Form.COMPLEX:
        return None
    here = Step(event.location, "torch.stft is called without return_complex")
    value = returns_complex(given)
    if value is None:
        reason = event.arguments.open_kwargs
        return Unknown(f"return_complex may be among {reason}", (here,)) if reason else Known(True, (here,))
    options = tuple(_unsaid(option, here) for option in options_of(value))
    return options[0] if len({each.value for each in options}) == 1 else OneOf(options, (here,))


def _unsaid(option: Option, here: Step) -> Known:
    """Whether a value of `return_complex` is as good as none."""
    value = option.value
    unsaid = isinstance(value, Absent) or (isinstance(value, Const) and value.value is None)
    trail = (here, *value.trail) if unsaid else (Step(here.location, "return_complex is given"),)
    return Known(unsaid, trail, option.condition)


def _of_istft(forms: Forms, event: CallEvent) -> Fact | None:
    """Whether a signal is computed from pairs of real numbers; None where the form of the input is not known."""
    spectrum = event.arguments.get("input", 0)
    form = forms.of(spectrum)
    if form is Form.OPEN:
        return None
    made = spectrum.location if isinstance(spectrum, Instance) else None
    steps = [Step(event.location, f"torch.istft gets {form.value} here")]
    if made is not None and made != event.location and made.path:
        steps.append(Step(made, f"they come from {class_name(spectrum)}()" if spectrum is not None else ""))
    return Known(form is Form.PAIRS, tuple(steps))


def _is_guarded(view: View, event: CallEvent) -> bool:
    """Whether the program asks first which torch runs, or tries the other form."""
    module = view.code.module(event.location.path)
    if module is None or module.tree is None:
        return False
    flags = _flags_of_version(module.tree)
    if any(_asks(condition.text, flags) for condition in event.context.conditions):
        return True
    node = view.code.call_at(event.location)
    for parent in view.code.parents(event.location.path, node) if node is not None else ():
        if isinstance(parent, ast.ExceptHandler | ast.Try):
            return True
        if isinstance(parent, ast.If | ast.IfExp) and _asks(ast.unparse(parent.test), flags):
            return True
        if isinstance(parent, Function):
            return False
    return False


def _flags_of_version(tree: ast.Module) -> frozenset[str]:
    """The names that a module gives to answers about a version: `IS_NEW = parse(torch.__version__) >= parse("1.7")`."""
    return frozenset(
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, _ANSWERS) and _mentions_version(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def _mentions_version(value: ast.expr) -> bool:
    return "version" in ast.unparse(value).lower()


def _asks(test: str, flags: frozenset[str]) -> bool:
    return bool(_ASKS_VERSION.search(test)) or any(word in flags for word in re.findall(r"\w+", test))
