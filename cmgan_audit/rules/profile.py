"""Profiles: the settings of a published training, as data, that the settings of a repository are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import find_catalogue
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
