"""Calls that set the state of random number generators, and which generators each of them sets."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.facts.values import is_none
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Choice, Const, Instance, Unknown, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.naming.names import canonical

TORCH, CUDA, PYTHON, NUMPY = "torch", "the CUDA generators of torch", "Python's random", "NumPy"

_SEEDERS = {
    "torch.manual_seed": (TORCH, CUDA),
    "torch.cuda.manual_seed": (CUDA,),
    "torch.cuda.manual_seed_all": (CUDA,),
    "random.seed": (PYTHON,),
    "numpy.random.seed": (NUMPY,),
}
# Helpers of libraries: Lightning, Accelerate, Transformers, SpeechBrain, Ignite, MONAI, Fairseq, MMEngine and others.
_HELPERS = regex(
    r"(?:\w+\.)+(?:seed_everything|set_seed|set_seeds|set_random_seed|set_random_seeds|set_torch_seed|set_determinism|"
    r"fix_seed|fix_seeds|fix_random_seed|fix_random_seeds|setup_seed|init_seed|init_seeds|seed_all|"
    r"set_all_seeds?|set_global_seeds?|manual_seed|seed_torch|enable_full_determinism)"
)
_NO_HELPERS = regex(r"torch\.(?:Generator|cuda|random|xpu|mps)\b.*|random\..*|numpy\..*|tensorflow\..*|jax\..*")
# Frameworks that seed by themselves before they train.
_OWN_SEED = {
    "lightning.pytorch.cli.LightningCLI": "seed_everything_default",
    "lightning.pytorch.utilities.cli.LightningCLI": "seed_everything_default",
    "transformers.TrainingArguments": "seed",
    "transformers.Seq2SeqTrainingArguments": "seed",
}


@dataclass(frozen=True, slots=True, eq=False)
class Seeding:
    """One call that sets generators. `drawn` says that the seed itself is random or the time of day."""

    event: CallEvent
    position: int
    generators: tuple[str, ...]
    name: str
    drawn: bool


def seedings(run: Run) -> Iterator[Seeding]:
    """The calls of a run that set generators, in order; those that pass no seed at all set nothing."""
    for position, event in enumerate(run.events):
        if not isinstance(event, CallEvent):
            continue
        name = canonical(event.callee)
        generators = _generators(name, event)
        if generators:
            seed = _seed(event, name)
            if not _always_none(seed):
                yield Seeding(event, position, generators, name, seed is not None and _is_drawn(seed))


def _generators(name: str, event: CallEvent) -> tuple[str, ...]:
    if name in _SEEDERS:
        return _SEEDERS[name]
    if name in _OWN_SEED:
        given = event.arguments.get(_OWN_SEED[name])
        off = isinstance(given, Const) and given.value is False
        return () if off else (TORCH, CUDA, PYTHON, NUMPY)
    if _HELPERS.fullmatch(name) and not _NO_HELPERS.fullmatch(name) and not _is_followed(event):
        return (TORCH, CUDA, PYTHON, NUMPY)
    return ()


def _is_followed(event: CallEvent) -> bool:
    """Whether a call went to code of the tree: what it seeds are events of their own."""
    return not (isinstance(event.result, Instance) and event.result.external_name)


def _seed(event: CallEvent, name: str) -> Value | None:
    if name in _OWN_SEED:
        return None
    given = event.arguments.get("seed", 0)
    if given is None:
        given = event.arguments.get("a")
    if given is None and name in ("random.seed", "numpy.random.seed") and not event.arguments.open_kwargs:
        return Const(value=None)
    return given


def _always_none(value: Value | None) -> bool:
    return value is not None and all(is_none(option.value) for option in options_of(value))


def _is_drawn(value: Value) -> bool:
    """Whether a seed differs from run to run: drawn, or read from a clock."""
    if value.draws:
        return True
    if isinstance(value, Choice):
        return any(_is_drawn(option.value) for option in value.options)
    if isinstance(value, Instance):
        inner = (*value.arguments.positional, *value.arguments.keywords.values())
        return value.external_name.startswith(("time.", "datetime.")) or any(_is_drawn(each) for each in inner)
    return isinstance(value, Unknown) and "time." in value.reason
