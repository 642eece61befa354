"""Which calls set the state of which random number generators, and whether a seed is the same in every run."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    Choice,
    Const,
    Instance,
    Listing,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical


class Generator(Enum):
    """A generator that a process has of its own, under the name that people know."""

    PYTHON = "Python's random"
    NUMPY = "NumPy"
    TORCH = "torch"
    CUDA = "the CUDA generators of torch"


_ALL = (Generator.TORCH, Generator.CUDA, Generator.PYTHON, Generator.NUMPY)
_SETTERS = {
    "torch.manual_seed": (Generator.TORCH, Generator.CUDA),
    "torch.cuda.manual_seed": (Generator.CUDA,),
    "torch.cuda.manual_seed_all": (Generator.CUDA,),
    "random.seed": (Generator.PYTHON,),
    "numpy.random.seed": (Generator.NUMPY,),
}
# What brings a generator into a state that was kept, and what keeps it.
_RESTORERS = {
    "torch.set_rng_state": (Generator.TORCH,),
    "torch.cuda.set_rng_state": (Generator.CUDA,),
    "torch.cuda.set_rng_state_all": (Generator.CUDA,),
    "random.setstate": (Generator.PYTHON,),
    "numpy.random.set_state": (Generator.NUMPY,),
}
_KEEPERS = frozenset(
    "torch.get_rng_state torch.cuda.get_rng_state torch.cuda.get_rng_state_all random.getstate "
    "numpy.random.get_state".split()
)
# Managers at whose end some generators are what they were before.
_ISOLATING = {".fork_rng": (Generator.TORCH, Generator.CUDA), ".isolate_rng": tuple(Generator)}
# Without a seed these take the time of day; a helper has a default.
_UNSEEDED_WITHOUT = frozenset({"random.seed", "numpy.random.seed"})
# Helpers of libraries: Lightning, Accelerate, Transformers, SpeechBrain, Ignite, MONAI, Fairseq, MMEngine and others.
_HELPERS = regex(
    r"(?:\w+\.)+(?:seed_everything|set_seed|set_seeds|set_random_seed|set_random_seeds|set_torch_seed|set_determinism|"
    r"fix_seed|fix_seeds|fix_random_seed|fix_random_seeds|setup_seed|init_seed|init_seeds|seed_all|"
    r"set_all_seeds?|set_global_seeds?|manual_seed|seed_torch|enable_full_determinism)"
)
_NO_HELPERS = regex(r"torch\.(?:Generator|cuda|random|xpu|mps)\b.*|random\..*|numpy\..*|tensorflow\..*|jax\..*")
# Frameworks that seed by themselves before they train, and the argument that may turn it off. Hugging Face's trainer
# does when it is made, which `TrainingArguments` alone do not.
_OWN_SEED = {
    "lightning.pytorch.cli.LightningCLI": "seed_everything_default",
    "lightning.pytorch.utilities.cli.LightningCLI": "seed_everything_default",
    "catalyst.dl.Runner.train": "seed",
    "catalyst.dl.SupervisedRunner.train": "seed",
    "transformers.Trainer": "seed",
    "transformers.Seq2SeqTrainer": "seed",
}
# The generator that the functions of a library draw from.
_DRAWN_FROM = {
    "random": Generator.PYTHON,
    "numpy": Generator.NUMPY,
    "np": Generator.NUMPY,
    "sklearn": Generator.NUMPY,
    "scipy": Generator.NUMPY,
    "torch": Generator.TORCH,
    "torchvision": Generator.TORCH,
    "torchaudio": Generator.TORCH,
    "torch_audiomentations": Generator.TORCH,
}
# Of what is not known a method of this name is that of a dataset; a function of an unknown library may be any.
_DIVIDES = regex(r"(?:sklearn\.model_selection|datasets(?:\.\w+)+|\?)\.train_test_split")
_NEVER_THE_SAME = regex(r"(?:time|datetime|uuid|secrets)\..*|os\.(?:urandom|getpid|times)\b.*")
_DEEPEST = 8
_MOST_PARTS = 8


@lru_cache(4096)
def generators_set(name: str) -> tuple[Generator, ...]:
    """The generators that a function of a library gives a new state."""
    name = canonical(name)
    if name in _SETTERS:
        return _SETTERS[name]
    return _ALL if _HELPERS.fullmatch(name) and not _NO_HELPERS.fullmatch(name) else ()


def set_by(event: CallEvent) -> tuple[Generator, ...]:
    """The generators that a call gives a new state itself; what a function of the tree seeds are calls of their own."""
    name = canonical(event.callee)
    if name in _OWN_SEED:
        given = event.arguments.get(_OWN_SEED[name])
        return () if isinstance(given, Const) and given.value is False else _ALL
    if name in _RESTORERS:
        return _RESTORERS[name]
    generators = generators_set(name)
    followed = name not in _SETTERS and not (isinstance(event.result, Instance) and event.result.external_name)
    return () if followed else generators


def kept_state(event: CallEvent) -> Instance | None:
    """The state that a call puts back, where the run itself has asked for it before; None for any other call."""
    if canonical(event.callee) not in _RESTORERS:
        return None
    states = (option.value for given in event.arguments.positional[:1] for option in options_of(given))
    return next((each for each in states if isinstance(each, Instance) and keeps_state(each.external_name)), None)


def keeps_state(name: str) -> bool:
    """Whether a function gives the state of a generator, to be put back later."""
    return canonical(name) in _KEEPERS


def restores_state(event: CallEvent) -> bool:
    """Whether a call sets generators to a state that was kept, if only in the file of an earlier run."""
    return canonical(event.callee) in _RESTORERS


def isolated_by(manager: str) -> tuple[Generator, ...]:
    """The generators that a manager puts back at its end."""
    name = manager.partition("(")[0]
    return next((generators for end, generators in _ISOLATING.items() if name.endswith(end)), ())


def drawn_from(callee: str) -> Generator | None:
    """The generator that a drawing function uses, None where it may be any."""
    return Generator.NUMPY if divides_a_dataset(callee) else _DRAWN_FROM.get(callee.partition(".")[0])


def divides_a_dataset(callee: str) -> bool:
    """Whether a call divides a dataset at random: `train_test_split`, of sklearn or of Hugging Face's datasets."""
    return _DIVIDES.fullmatch(callee) is not None


def seed_given(name: str, arguments: Arguments) -> Value | None:
    """The seed that a call passes; None where it is the function's own."""
    if name in _OWN_SEED:
        return None
    given = arguments.get("seed", 0)
    for other in ("a", "state", "new_state", "new_states"):
        given = arguments.get(other) if given is None else given
    if given is None and name in _UNSEEDED_WITHOUT and not arguments.open_kwargs:
        return Const(value=None)
    return given


def differs(seed: Value, depth: int = _DEEPEST) -> bool:
    """Whether a seed is another one in every run: drawn, or made from a clock or the number of a process."""
    if any(not isinstance(draw, Listing) for draw in seed.draws):  # the order of a folder stays what it is
        return True
    parts: tuple[Value, ...] = ()
    if isinstance(seed, Choice):
        parts = tuple(option.value for option in options_of(seed))
    elif isinstance(seed, ListValue):
        parts = tuple(seed.items[:_MOST_PARTS])
    elif isinstance(seed, BoundMethod):
        parts = (seed.receiver,)
    elif isinstance(seed, Instance):
        if _NEVER_THE_SAME.fullmatch(seed.external_name):
            return True
        parts = seed.arguments.every
    elif isinstance(seed, Unknown) and seed.computed is not None:
        parts = seed.computed.operands
    return depth > 0 and any(differs(part, depth - 1) for part in parts)
