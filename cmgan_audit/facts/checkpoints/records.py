"""Checkpoints as records: restores before training, selections of the best model, loads of files."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Record, record_kind


@record_kind("resume")
@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Record):
    """A training that continues from a checkpoint of its own: restored before the first step.

    Attributes:
        unasked: whether that happens with what is shipped, without anybody asking for it.
        how: what makes it happen, as a clause ("resume is True", "it takes the newest file that it finds").
        what: the objects that are restored, as text ("TSCNet, AdamW").
        left_out: what training uses and the checkpoint does not bring back, as text ("StepLR, the epoch").
        complete: whether everything with a state that training uses is restored.
        stale: whether an optimiser goes on with the parameters of a network that the file's own takes the place of.
        optimiser: its class, where it does.
        key: under which name of the file an object gets the state of another one; "" where each gets its own.
        own_key: the name that its own state is saved under, where it does.
    """

    unasked: Fact
    how: str
    what: str
    left_out: str = ""
    complete: Fact
    stale: Fact = Known(False)
    optimiser: str = ""
    key: str = ""
    own_key: str = ""


@record_kind("selection")
@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(Record):
    """A measured number that decides something about the training: which model or settings are kept, when to stop, the
    step size.

    Attributes:
        decides: what it decides ("which model is kept").
        by_test: whether the number is measured on the set that is named test.
        signs: why that set is taken for the test set, or for another one, in one clause.
    """

    decides: str
    by_test: Fact
    signs: str = ""


@record_kind("direction")
@dataclass(frozen=True, slots=True, kw_only=True)
class Direction(Record):
    """A decision by a measured number whose better direction is certain: by a loss function or a speech metric.

    Attributes:
        decides: what is decided ("which model is kept").
        measured: what the number is computed of ("l1_loss", "PESQ").
        taken: what is taken for better ("lower" or "higher").
        reversed: whether the other direction is the better one.
        never: whether nothing can be better than what the search begins with.
        start: what it begins with, as written, where that is so.
    """

    decides: str
    measured: str
    taken: str
    reversed: Fact
    never: Fact = Known(False)
    start: str = ""


@record_kind("kept_weights")
@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWeights(Record):
    """The weights of a network put aside in a variable while training goes on.

    `aliased` tells whether what is used later are the network's own tensors, which training keeps changing; `used` how.
    `whole` tells whether it is the network itself that got another name, instead of its state.
    """

    aliased: Fact
    used: str
    whole: Fact = Known(False)


@record_kind("file_load")
@dataclass(frozen=True, slots=True, kw_only=True)
class FileLoad(Record):
    """A `torch.load` of a file.

    Attributes:
        given: whether somebody gives the file: not one that this program wrote or found in its own folder.
        typed: whether the path, or at least where it begins, comes from the command line or the environment.
        pickle: "always" (weights_only=False), "by default" (the default of the torch version) or "never".
        old_torch: whether the tree allows a torch before 2.6, whose default unpickles anything.
        older_than_flag: whether the tree allows a torch before 1.13, which has no weights_only; unknown where it names
            no version.
        only_weights: whether the file as a whole becomes the state of a network, so that it holds tensors alone.
    """

    given: Fact
    typed: Fact
    pickle: Fact
    old_torch: Fact
    older_than_flag: Fact
    only_weights: Fact
