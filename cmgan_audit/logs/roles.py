"""The role of a series, inferred from its name by a table (roles.yaml), or given by the user."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from importlib.resources import files
from typing import Any

import yaml

from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.local_words import in_english
from cmgan_audit.logs.series import Role

_CAMEL = regex(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
# `l1` and `l2` are the names of losses, `valpesq2` is two words.
WORD = regex(r"l[12](?![a-z0-9])|[a-z]+|[0-9]+")
_RELATIVE = ("imp", "improved", "change", "increase", "decrease", "pesqi", "stoii")
_CHANGE = regex(r"[\u0394\u2206]|[A-Za-z]\+(?:$|[\s(/])")
_IN_BRACKETS = regex(r"(?P<long>[A-Za-z][\w\- ]*)\((?P<short>[A-Za-z][\w\-]*)\)?\s*")
# Over the noisy input, in dB, it is a measure of its own, whatever an improvement of other scores is over.
_IMPROVEMENT, _DECIBELS = "improvement", "si_sdr"
# `neg_si_sdr` is a loss under the name of the score.
_NEGATED = frozenset(("neg", "negative", "negated", "minus"))
# `PESQ (mean ± std)`: the mean stands first.
_SPREAD = regex(r"(?:\u00b1|\+/-)\s*(?:std|sd|stddev|ci)\w*", re.IGNORECASE)
_ATTRIBUTE = regex(r"[A-Za-z]\w*\.([A-Za-z]\w*)$")
_NORMALISED = ("normalized", "normalised", "normed", "norm", "scaled")


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table of metrics: direction, severities, noise and range, in the metric's own unit."""

    key: str
    names: tuple[tuple[str, ...], ...]
    higher: bool
    small: float
    large: float
    assumed: float
    finest: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    alone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleTable:
    """roles.yaml, with every name split into its words; a name without one of the `telling` ones has no role."""

    metrics: tuple[Measure, ...]
    losses: frozenset[str]
    loss_terms: frozenset[str]
    loss_sides: frozenset[str]
    learning_rates: tuple[tuple[str, ...], ...]
    counts: tuple[tuple[str, ...], ...]
    phases: dict[str, str]
    networks: dict[str, str]
    epochs: frozenset[str]
    steps: tuple[tuple[str, ...], ...]
    ranks: tuple[tuple[str, ...], ...]
    runs: frozenset[str]
    qualifiers: frozenset[str]
    about: frozenset[str]
    inputs: frozenset[str]
    outputs: frozenset[str]
    parts: frozenset[str]
    fixed_settings: tuple[tuple[str, ...], ...]
    scheduled_settings: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, ...], ...]
    telling: frozenset[str]

    def measure(self, key: str) -> Measure | None:
        """The metric with this key."""
        return next((m for m in self.metrics if m.key == key), None)


@functools.cache
def table() -> RoleTable:
    """The table that the package ships."""
    raw: dict[str, Any] = yaml.safe_load(files("cmgan_audit.logs").joinpath("roles.yaml").read_text(encoding="utf-8"))

    def names(entries: list[str]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(entry.split()) for entry in entries)

    metrics = tuple(
        Measure(key=key, **{**row, "names": names(row["names"]), "alone": tuple(row.get("alone", ()))})
        for key, row in raw["metrics"].items()
    )
    return RoleTable(
        metrics=metrics,
        losses=frozenset(raw["losses"]),
        loss_terms=frozenset(raw["loss_terms"]),
        loss_sides=frozenset(raw["loss_sides"]),
        learning_rates=names(raw["learning_rates"]),
        counts=names(raw["counts"]),
        phases={word: phase for phase, words in raw["phases"].items() for word in words},
        networks={word: network for network, words in raw["networks"].items() for word in words},
        epochs=frozenset(raw["epochs"]),
        steps=names(raw["steps"]),
        ranks=names(raw["ranks"]),
        runs=frozenset(raw["runs"]),
        qualifiers=frozenset(raw["qualifiers"]),
        about=frozenset(raw["about"]),
        inputs=frozenset(raw["inputs"]),
        outputs=frozenset(raw["outputs"]),
        parts=frozenset(raw["parts"]),
        fixed_settings=names(raw["fixed_settings"]),
        scheduled_settings=names(raw["scheduled_settings"]),
        totals=names(raw["totals"]),
        telling=frozenset(
            word
            for entry in (
                *(name for row in raw["metrics"].values() for name in (*row["names"], *row.get("alone", ()))),
                *(name for key in ("losses", "loss_terms", "learning_rates", "counts") for name in raw[key]),
                *(name for names_of in raw["networks"].values() for name in names_of),
            )
            for word in entry.split()
        ),
    )


@functools.lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: `valPESQ_wb` -> val, pesq, wb; a measure glued to a known word is split."""
    out: list[str] = []
    for word in WORD.findall(_CAMEL.sub(" ", in_english(name)).lower()):
        out.extend(_unglue(word))
    return tuple(out)


def _unglue(word: str) -> tuple[str, ...]:
    """`valpesq` -> val, pesq; `genloss` -> gen, loss; other words stay."""
    t = table()
    for core in ("pesq", "loss", "stoi"):
        if core not in word or word in (core, "estoi"):
            continue
        left, _, right = word.partition(core)
        if all(part in t.phases or part in t.networks or part in t.qualifiers or not part for part in (left, right)):
            return tuple(part for part in (left, core, right) if part)
    return (word,)


def contains(words: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether the wanted words stand next to each other, in order."""
    size = len(wanted)
    return any(words[i : i + size] == wanted for i in range(len(words) - size + 1))


@functools.lru_cache(maxsize=4096)
def infer(name: str) -> Role:
    """The role that a name suggests; kind "other" when the table knows nothing of it.

    In a path such as `Loss/train` or `val_loss/pesq` the last part decides if it says something of its own, and so does
    that of `VCTK_test.acc` where the whole says nothing.
    """
    name = _SPREAD.sub("", name)
    leaf = name.rstrip("/").rpartition("/")[2]
    words, everything = words_of(leaf), words_of(name)
    role = _kind(_abbreviation(leaf) or words) or (_kind(everything) if leaf != name else None)
    if role is None and (attribute := _ATTRIBUTE.search(leaf)):
        role = _kind(words_of(attribute[1]))
    role = role or Role("other")
    t = table()
    phase = next((t.phases[w] for w in reversed(everything) if w in t.phases), "")
    network = ""
    if role.kind in ("loss", "learning_rate"):
        network = next((t.networks[w] for w in everything if w in t.networks), "")
    if "best" in everything and role.kind in ("metric", "loss"):
        role = replace(role, kind="best")
    return replace(role, phase=phase, network=network)


def _abbreviation(name: str) -> tuple[str, ...]:
    """The words of `STOI` in `Short-Time Objective Intelligibility (STOI)`; () where no brackets abbreviate the rest.

    Of a long name only the last words may be left.
    """
    found = _IN_BRACKETS.fullmatch(name)
    if found is None:
        return ()
    initials = "".join(
        word[0] for word in words_of(found.group("long")) if word not in ("of", "to", "the", "and", "for")
    )
    letters = "".join(words_of(found.group("short")))
    return words_of(found.group("short")) if len(initials) > 1 and letters.endswith(initials) else ()


def _kind(words: tuple[str, ...]) -> Role | None:
    t = table()
    if t.telling.isdisjoint(words):
        return None
    if any(contains(words, name) for name in t.learning_rates):
        return Role("learning_rate")
    named = {
        m: name for m in t.metrics if (name := max((n for n in m.names if contains(words, n)), key=len, default=()))
    }
    named |= {m: (name,) for m in t.metrics for name in m.alone if _stands_alone(name, words)}
    measure = next(iter(named), None)
    rest = [word for word in words if measure is None or word not in named[measure]]
    over_input = measure is not None and measure.key == _DECIBELS and rest.count(_IMPROVEMENT) == 1
    if "time" in rest and not {"domain", "loss", "losses"}.isdisjoint(words[words.index("time") + 1 :][:1]):
        rest.remove("time")  # `time_loss`, `time_domain_l1`: over the waveform, no duration
    if any(word in t.about for word in rest if not (over_input and word == _IMPROVEMENT)):
        return None
    # "PESQ loss" is a loss, "word error rate" is none.
    if any(word in t.losses for word in rest):
        return Role("loss", higher_is_better=False)
    if measure is not None:
        negated = measure.unit == "dB" and not _NEGATED.isdisjoint(rest)
        return Role("metric", measure.key, higher_is_better=measure.higher is not negated)
    if any(contains(words, name) for name in t.counts):
        return Role("count")
    return Role("loss", higher_is_better=False) if _is_loss_term(words) else None


def _is_loss_term(words: tuple[str, ...]) -> bool:
    """`G_GAN`, `cycle_A`, `train kl`; and `D_real`, `g_total`, `train_G`: a network, and its side or the phase."""
    t, said = table(), set(words)
    named = said & t.loss_terms or (said & set(t.networks) and said & (t.loss_sides | set(t.phases)))
    return bool(named) and said <= t.loss_terms | t.loss_sides | set(t.networks) | set(t.phases) | t.qualifiers


def is_of_the_game(name: str) -> bool:
    """Whether a loss is what one network says of the other, as `G_A` and `G_GAN` are: its level says nothing."""
    t, said = table(), set(words_of(name))
    sides = t.loss_sides - {"total"} | {"gan", "adv", "adversarial", "hinge"}
    return bool(said & sides) and said <= sides | set(t.networks) | set(t.phases) | t.qualifiers | t.losses


def _stands_alone(name: str, words: tuple[str, ...]) -> bool:
    """`Val PER`, `best PER` and `PER/test`, but neither `eval per epoch` nor `s per step`."""
    if name not in words:
        return False
    t, at = table(), words.index(name)
    known = {"best", *t.phases, *t.qualifiers}
    return known.issuperset(words[:at]) and set(t.phases).issuperset(words[at + 1 :])


def is_normalised(name: str) -> bool:
    """Whether a name says that its values are scaled, as CMGAN's `(pesq - 1) / 3.5`."""
    return any(word in _NORMALISED for word in words_of(name)) and "denormalized" not in words_of(name)


def is_relative(name: str) -> bool:
    """Whether a name says that its values are changes, as `pesq_imp` and `PESQ change`: they may be 0 or negative."""
    return any(word in _RELATIVE for word in words_of(name)) or bool(_CHANGE.search(name))


def counter_kind(name: str) -> str | None:
    """ "epoch" or "step" if a column or key of this name counts epochs or steps, else None."""
    words = words_of(name.rpartition("/")[2])
    t = table()
    if not words or len(words) > 3:
        return None
    if words in {("current", "epoch"), ("epoch", "num"), ("epoch", "id"), ("epoch", "idx"), ("n", "epoch")}:
        return "epoch"
    if len(words) == 1 and (words[0] in t.epochs or words[0] == "epochs"):
        return "epoch"
    if words in t.steps or words in {("train", "step"), ("trainer", "global", "step"), ("step", "num")}:
        return "step"
    return None


def doubt_of_step(name: str) -> int:
    """How doubtful it is that a counter of steps counts, the least first, where there is more than one.

    `iters` may say how many there will be in all, `batch` how large one is or where in its epoch it stands.
    """
    word = words_of(name)[-1]
    return 2 if word == "batch" else int(word.endswith("s"))


ROLE_WORDS = (
    "metric",
    "loss",
    "lr",
    "count",
    "best",
    "ignore",
    "train",
    "eval",
    "generator",
    "discriminator",
    "higher",
    "lower",
)


def parse_role(text: str) -> tuple[str, Role | None]:
    """`NAME=ROLE` of `--role`: role words joined by ":", for example `score=metric:eval` or `x=pesq`; None: ignore.

    Raises:
        UsageError: not of this form, or an unknown role word.
    """
    name, found, words = text.rpartition("=")
    if not found or not name.strip() or not words.strip():
        raise UsageError(f"--role {text}: not NAME=ROLE, for example score=metric:eval")
    keys = tuple(m.key for m in table().metrics)
    role = replace(infer(name.strip()), given=True)
    for word in words.strip().lower().split(":"):
        if word not in ROLE_WORDS and word not in keys:
            raise UsageError(f"--role {text}: {word}: not one of {', '.join(ROLE_WORDS + keys)}")
        if word == "ignore":
            return name.strip(), None
        role = _with_word(role, word)
    return name.strip(), role


def _with_word(role: Role, word: str) -> Role:
    if word == "metric":
        higher = True if role.higher_is_better is None else role.higher_is_better
        return replace(role, kind="metric", higher_is_better=higher)
    if word == "loss":
        return replace(role, kind="loss", measure="", higher_is_better=False)
    if word in ("train", "eval"):
        return replace(role, phase=word)
    if word in ("generator", "discriminator"):
        return replace(role, network=word)
    if word in ("higher", "lower"):
        return replace(role, higher_is_better=word == "higher")
    if word in ("lr", "count", "best"):
        return replace(role, kind={"lr": "learning_rate"}.get(word, word))
    measure = table().measure(word)
    return replace(role, kind="metric", measure=word, higher_is_better=None if measure is None else measure.higher)


class RoleBook:
    """Roles by name: what the user gave with `--role` first, then the table."""

    def __init__(self, given: dict[str, Role | None] | None = None) -> None:
        self._given = {name.lower(): role for name, role in (given or {}).items()}

    def of(self, name: str) -> Role | None:
        """The role of a name; None when the user said to ignore it."""
        key = name.lower()
        return self._given[key] if key in self._given else infer(name)

    @property
    def gives_roles(self) -> bool:
        """Whether the user named any series."""
        return bool(self._given)

    def is_given(self, name: str) -> bool:
        """Whether the user named this series."""
        return name.lower() in self._given
