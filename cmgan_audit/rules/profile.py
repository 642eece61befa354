"""Profiles: the settings of a published training, as data, that the settings of a repository are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

import yaml

from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import find_catalogue
from cmgan_audit.rules.document import RuleError, Section, read_document
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.rule import ParameterValue

# What a profile may name, and what each of it is.
NAMES: Mapping[str, str] = {
    "batch_size": "items per step and process of the training loader",
    "generator_lr": "learning rate of the network that enhances",
    "discriminator_lr": "learning rate of the network that judges",
    "optimiser": "class of the optimisers",
    "scheduler": "class of the schedulers of the learning rates",
    "decay_epochs": "epochs between two steps of StepLR",
    "decay_factor": "what StepLR and ExponentialLR multiply the rate with",
    "epochs": "passes over the training set",
    "segment": "length that training items are cut to, in samples",
    "n_fft": "samples per frame of the STFT",
    "hop_length": "samples between two frames of the STFT",
    "window": "function that makes the window of the STFT",
    "loss_weight_complex": "weight of the loss on real and imaginary parts",
    "loss_weight_magnitude": "weight of the loss on magnitudes",
    "loss_weight_time": "weight of the loss on samples",
    "loss_weight_adversarial": "weight of the loss that the discriminator gives",
}
_TEXTS = frozenset({"optimiser", "scheduler", "window"})


@dataclass(frozen=True, slots=True)
class Reference:
    """One value of a profile, and where it is published."""

    value: int | float | str
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A published training.

    Attributes:
        name: how reports call it.
        values: what is known of it, by the names of `NAMES`.
        parameters: per rule id or name, values in place of the rule's own.
        path: the file.
    """

    name: str
    values: Mapping[str, Reference]
    parameters: Mapping[str, Mapping[str, ParameterValue]] = field(default_factory=dict)
    path: Path = Path()


def is_own_file(word: str) -> bool:
    """Whether a profile is named by a file of one's own, rather than by its name in the catalogue."""
    return word.endswith((".yaml", ".yml"))


def find_profile(word: str, folder: Path) -> Path:
    """The file of a profile: one of the catalogue by its name, or a file of one's own.

    Args:
        word: "cmgan", or a path that ends in .yaml or .yml.
        folder: where relative paths start.

    Raises:
        UsageError: there is none.
    """
    if is_own_file(word):
        path = folder / word
        if not path.is_file():
            raise UsageError(f"{path}: no such profile")
        return path
    shipped = {path.stem: path for path in sorted((find_catalogue() / "profiles").glob("*.yaml"))}
    if word not in shipped:
        raise UsageError(f"{unknown_word('profile', word, shipped)}; a file of your own ends in .yaml")
    return shipped[word]


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        RuleError: it does not follow the schema; the message names file, line and the legal fields.
    """
    document = Section(path, read_document(path), "profile", ("name", "summary", "source", "values", "rules"))
    source = document.text("source", required=False)  # the file itself, where nothing else is named
    if "values" not in document:
        document.fail("profile: 'values' is missing")
    listing = Section(path, document.node("values"), "values", NAMES)
    values = {name: _reference(path, listing.node(name), name, source) for name in listing}
    parameters: dict[str, dict[str, ParameterValue]] = {}
    if "rules" in document:
        rules = Section(path, document.node("rules"), "rules", ())
        parameters = {rule: _parameters(path, rules.node(rule), rule) for rule in rules}
    return Profile(document.text("name"), values, parameters, path)


def _reference(path: Path, node: yaml.Node, name: str, source: str) -> Reference:
    entry = Section(path, node, name, ("value", "source"))
    value = entry.value("value")
    text = name in _TEXTS
    fits = isinstance(value, str) if text else isinstance(value, int | float) and not isinstance(value, bool)
    if not fits:
        entry.fail(f"{name}: {value!r} is not {'a text' if text else 'a number'} ({NAMES[name]})", "value")
    own = entry.text("source", required=False)
    return Reference(value, ", ".join(part for part in (source, own) if part) or path.name)


def _parameters(path: Path, node: yaml.Node, rule: str) -> dict[str, ParameterValue]:
    entry = Section(path, node, rule, ())
    found: dict[str, ParameterValue] = {}
    for name in entry:
        value = entry.value(name)
        if not isinstance(value, bool | int | float | str):
            raise RuleError(path, entry.line_of(name), f"{rule}.{name}: {value!r} is neither a number nor a text")
        found[name] = value
    return found
