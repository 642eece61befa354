"""Which library calls draw random numbers, and what makes a draw repeat itself."""

from __future__ import annotations

from collections.abc import Mapping

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Arguments, Const, Draw, Instance, Value, options_of
from cmgan_audit.program.library.repeating import seed_text
from cmgan_audit.program.library.seeding import Generator, divides_a_dataset, drawn_from

_SAMPLERS = frozenset(
    "random randint randrange choice choices sample uniform gauss normalvariate triangular betavariate expovariate "
    "lognormvariate vonmisesvariate gammavariate paretovariate weibullvariate shuffle getrandbits randbytes".split()
)
_NUMPY = frozenset(
    "rand randn randint random random_sample random_integers ranf sample choice uniform normal permutation permuted "
    "shuffle standard_normal beta gamma exponential binomial poisson integers multinomial laplace lognormal bytes "
    "multivariate_normal standard_exponential standard_gamma chisquare rayleigh triangular vonmises weibull "
    "logistic".split()
)
_TORCH = "rand randn randint randperm rand_like randn_like randint_like normal bernoulli multinomial poisson"
# What draws, by the module or class that has it.
_DRAWING: dict[str, frozenset[str]] = {
    "random": _SAMPLERS,
    "random.Random": _SAMPLERS,
    "random.SystemRandom": _SAMPLERS,
    "secrets": frozenset("choice randbelow randbits token_bytes token_hex".split()),
    "numpy.random": _NUMPY,
    "numpy.random.RandomState": _NUMPY,
    "numpy.random.default_rng": _NUMPY,
    "numpy.random.Generator": _NUMPY,
    "torch": frozenset(_TORCH.split()),
    "os": frozenset({"urandom"}),
}
# Methods that fill a tensor, whatever the name of their owner.
_FILLING = frozenset("random_ uniform_ normal_ bernoulli_ exponential_ log_normal_ cauchy_ geometric_".split())
# Objects that draw whenever they are used, by the member that uses them; what only draws whether, or in which order, it
# uses others is followed (`program/models/frameworks/transforms_.py`).
_CLASSES = {
    "__call__": regex(
        r"torchvision\.transforms(?:\.v2)?\.(?:functional\.)?Random(?!Apply\b|Choice\b|Order\b)\w+"
        r"|torchaudio\.transforms\.(?:TimeMasking|FrequencyMasking|\w*Random\w*)"
        r"|(?:torch_audiomentations|audiomentations)\.\w+"
    ),
    "sample": regex(r"torch\.distributions\.[\w.]+"),
    "rsample": regex(r"torch\.distributions\.[\w.]+"),
    "rvs": regex(r"scipy\.stats\.[\w.]+"),
}
_IN_PLACE = frozenset({"shuffle", "random_", "uniform_", "normal_", "bernoulli_", "exponential_"})

# What numpy's generators are made of, and what those are seeded with.
_BIT_GENERATORS = frozenset(
    f"numpy.random.{name}" for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64", "SeedSequence")
)
# What makes a generator object of its own.
GENERATORS = frozenset(
    {
        "random.Random",
        "numpy.random.RandomState",
        "numpy.random.default_rng",
        "numpy.random.Generator",
        "torch.Generator",
    }
)


def draws_random(name: str) -> bool:
    """Whether a library call draws random numbers."""
    owner, _, member = name.rpartition(".")
    if (owner and member in _FILLING) or member in _DRAWING.get(owner, ()) or divides_a_dataset(name):
        return True
    classes = _CLASSES.get(member)
    return classes is not None and classes.fullmatch(owner) is not None


def keeps_all_in_order(name: str, arguments: Arguments) -> bool:
    """Whether a call that could draw is told not to: `train_test_split(names, shuffle=False)` cuts where it stands."""
    told = arguments.get("shuffle")
    return divides_a_dataset(name) and isinstance(told, Const) and told.value is False


def changes_in_place(name: str) -> bool:
    """Whether a draw changes what it is given (a list that is shuffled, a tensor that is filled)."""
    return name.rpartition(".")[2] in _IN_PLACE


def draw(
    name: str,
    receiver: Value | None,
    arguments: Arguments,
    location: Location,
    reseeded: Mapping[Generator, str],
) -> Draw:
    """The draw that a call makes. `reseeded` says which generators were seeded in the item that is read, and how."""
    return Draw(callee=name, location=location, seeded=_seeded(name, receiver, arguments, reseeded))


def _seeded(name: str, receiver: Value | None, arguments: Arguments, reseeded: Mapping[Generator, str]) -> str:
    own = generator_seed(receiver) or generator_seed(arguments.get("generator"))
    for keyword in ("random_state", "seed") if divides_a_dataset(name) else ("random_state",):
        state = arguments.get(keyword)
        if state is not None:
            own = own or generator_seed(state) or (f"{keyword} is {seed_text(state)}" if seed_text(state) else "")
    if own:
        return own
    if isinstance(receiver, Instance) and receiver.external_name in GENERATORS:
        return ""
    generator = drawn_from(name)
    return "" if generator is None else reseeded.get(generator, "")


def seed_of(generator: Instance) -> Value | None:
    """What a generator object, or the bit generator in it, was seeded with last.

    None where nothing was given, None was (both ask the system), or the object is no generator.
    """
    if generator.external_name not in GENERATORS:
        return None
    seed = generator.attrs.get("@seed") or generator.arguments.get("seed", 0)
    inner = generator.arguments.get("bit_generator", 0)  # `Generator(PCG64(seed))`
    if isinstance(inner, Instance) and inner.external_name in _BIT_GENERATORS:
        seed = inner.arguments.get("seed", 0)
    return None if isinstance(seed, Const) and seed.value is None else seed


def generator_seed(value: Value | None) -> str:
    """Why the draws of a generator object repeat, empty when nothing says so or the value is no generator."""
    for option in options_of(value) if value is not None else ():
        said = seed_text(seed_of(option.value)) if isinstance(option.value, Instance) else ""
        if said:
            return f"its generator is seeded with {said}"
    return ""
