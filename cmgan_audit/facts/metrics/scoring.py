"""Where a run computes a speech metric: the calls of metric libraries, and the code on the way to each."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import CallEvent, Context, is_without_gradients
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import Function

# What a metric is called, by the qualified name of the library call; a dot at the end means everything below, by words
# in its name, else by that name itself.
_METRICS = {
    "pesq.pesq": "PESQ",
    "pesq.pesq_batch": "PESQ",
    "pesq.cypesq.cypesq": "PESQ",
    "pypesq.pesq": "PESQ",
    "pesqc2.pesq": "PESQ",
    "pystoi.stoi": "STOI",
    "pystoi.stoi.stoi": "STOI",
    "museval.evaluate": "SDR",
}
_LIBRARIES = (
    "torchmetrics.functional.audio.",
    "torchmetrics.audio.",
    "speechmetrics.",
    "pysepm.",
    "museval.metrics.",
    "mir_eval.separation.",
    "fast_bss_eval.",
)
_BY_WORD = (
    ("perceptualevaluation", "PESQ"),
    ("pesq", "PESQ"),
    ("shorttimeobjective", "STOI"),
    ("stoi", "STOI"),
    ("scaleinvariantsignalnoise", "SI-SNR"),
    ("scaleinvariantsignaldistortion", "SI-SDR"),
    ("sisdr", "SI-SDR"),
    ("signaldistortion", "SDR"),
    ("signalnoise", "SNR"),
    ("sdr", "SDR"),
)
# Ratios of energies: losses as well as metrics, defined for every signal. Only what the network puts out makes them
# NaN, never an item that has no score.
RATIOS = frozenset({"SI-SNR", "SI-SDR", "SDR", "SNR"})
# Classes that torchmetrics also gives out at its top.
_AT_THE_TOP = regex(r"torchmetrics\.(?=\w*Signal(?:Distortion|Noise)Ratio\b|Perceptual\w+|ShortTime\w+)")
_CALLS = frozenset({"__call__", "update", "compute", "forward"})


@lru_cache(maxsize=4096)
def metric_called(callee: str) -> str:
    """The metric that a library call computes ("PESQ"); "" when it computes none.

    A class of torchmetrics is made first and computes when its object is called.
    """
    name = _AT_THE_TOP.sub("torchmetrics.audio.", canonical(callee))
    if name in _METRICS:
        return _METRICS[name]
    for prefix in _LIBRARIES:
        if name.startswith(prefix):
            tail = name.removeprefix(prefix).split(".")
            owner = next((part for part in tail if part[:1].isupper()), "")
            if owner and tail[-1] not in _CALLS:
                return ""
            if not owner and tail[-1] not in _CALLS and any("_" in part for part in tail[:-1]):
                return ""  # a method of what a function gave: signal_noise_ratio(...).mean()
            text = name.lower().replace("_", "")
            named = owner or (prefix.rstrip(".") if tail[-1] in _CALLS else tail[-1])
            return next((metric for word, metric in _BY_WORD if word in text), named)
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """An expression of the way to a metric: the metric's own call, or the call of a function that leads there.

    Attributes:
        path: its file.
        node: the expression.
        function: the function whose code it is; None at the top level of a module.
        name: of that function, qualified.
    """

    path: str
    node: ast.AST
    function: Function | None
    name: str

    def parents(self, code: Code) -> Iterator[tuple[ast.AST, ast.AST]]:
        """What holds the expression inside its function, innermost first, each with the part that it holds it in."""
        child = self.node
        for parent in code.parents(self.path, self.node):
            if parent is self.function:
                return
            yield parent, child
            child = parent


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """One computation of a metric: its event, the metric's name, and the way to it, innermost first."""

    event: CallEvent
    metric: str
    way: tuple[Spot, ...]


def scorings(view: View) -> Sequence[Scoring]:
    """The computations of metrics in a run, in order."""
    found = []
    for event in view.scene.calls:
        metric = metric_called(event.callee) if event.callee else ""
        if metric:
            found.append(Scoring(event, metric, tuple(_way(view.code, event))))
    return found


def _way(code: Code, event: CallEvent) -> Iterator[Spot]:
    places: list[tuple[Location, Function | None, str]] = []
    frames = event.context.frames
    for number, frame in enumerate(frames):
        caller = frames[number - 1] if number else None
        function = caller.value.node if caller is not None and caller.value is not None else None
        places.append((frame.call, function, caller.function if caller is not None else "<module>"))
    inner = frames[-1].value if frames else None
    places.append((event.location, inner.node if inner else None, frames[-1].function if frames else "<module>"))
    for place, function, name in reversed(places):
        node = code.node_at(place)
        if node is not None:
            yield Spot(place.path, node, function, name)


def training_contexts(view: View, contexts: Iterable[Context]) -> list[Context]:
    """Those contexts in which something is trained: in a loop over training data, and with gradients on.

    Where no loop over a loader is known at all, a run that trains counts.
    """
    found = []
    for context in contexts:
        if any(map(is_without_gradients, context.managers)):
            continue
        role = view.role_at(context)
        if role == TRAIN or (not role and view.scene.trains):
            found.append(context)
    return found
