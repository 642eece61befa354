"""The settings of signal processing around a network as records."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Record, record_kind

# What is compared, in the order in which reports name it.
FFT, HOP, WINDOW_LENGTH, WINDOW = "FFT size", "hop size", "window length", "window"
COMPRESSION, EXPANSION, RATE = "compression exponent", "expansion exponent", "sampling rate"
# Stands for a training itself, whatever is known of it.
ANY = "any"
# Put before a setting of the inverse transform behind the network.
INVERSE = "inverse "


@record_kind("signal_setting")
@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSetting(Record):
    """One setting of what is done to a signal before a network of the tree gets it, or to what the network gives.

    Attributes:
        network: the name of its class.
        cls: where its class is defined.
        made_with: the constants that its constructor gets, by name, as text.
        script: the script that runs.
        trains: whether the network is trained there; else its weights are loaded and used.
        setting: what is set ("hop size"); ANY for the training itself.
        value: its value; each of them where several signals are prepared for one call.
    """

    network: str
    cls: str
    made_with: tuple[tuple[str, str], ...]
    script: str
    trains: bool
    setting: str
    value: Fact


@record_kind("preparation")
@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation(Record):
    """One setting of the signal processing around a network, in its evaluation and in its training.

    Attributes:
        network: the name of the network's class.
        setting: what is set ("hop size").
        evaluated, trained: its values, as text.
        separate: whether the evaluation is another script than the training.
        same: whether both use the same value; its trail leads to the value of the evaluation first.
    """

    network: str
    setting: str
    evaluated: str
    trained: str
    separate: bool
    same: Fact
