"""What a training repository does, as records: loaders, datasets, samplers, loops and normalisation layers.

Records of one program under one launch configuration are linked: a loader to its dataset, sampler and loops. They say
what the program does; whether that is wrong is for the rules (`rules/*.yaml`).
"""

from __future__ import annotations

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import NO, Fact, Known, Record, certainly, record_kind

# OTHER: a loader of a script that neither trains nor evaluates, such as a data set that tries itself out.
TRAIN, EVAL, OTHER = "train", "eval", "other"


@record_kind("norm")
@dataclass(frozen=True, slots=True, kw_only=True)
class Norm(Record):
    """A normalisation layer that the program makes; `over_batch` tells whether its statistics pool over the batch."""

    layer: str
    over_batch: Fact


@dataclass(frozen=True, slots=True)
class Call:
    """One call on the way from a dataset's method to a draw.

    Attributes:
        location: the call.
        own: whether it runs a method of the dataset object itself.
    """

    location: Location
    own: bool


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw that picks the segment which an item is cut to, and the calls that lead to it from `__getitem__`."""

    location: Location
    callee: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetObject:
    """One of the objects behind a dataset (several where they are concatenated).

    Attributes:
        made: the call that makes it.
        cls: where its class begins; None for a class of a library.
        flags: its attributes that are a truth value or a short text.
    """

    made: Location
    cls: Location | None = None
    flags: tuple[tuple[str, bool | str], ...] = ()


@record_kind("dataset")
@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Record):
    """A dataset *object*: judged with the arguments that it was made with.

    Attributes:
        name: of its class.
        arguments: how it was made, as text ("mode='test'"), for messages.
        random_crop: whether a random draw picks the segment that an item is cut to; placed where the draw stands.
        drawn_by: the function that draws ("random.randint").
        cut_by: who cuts there, as the subject of a sentence; "" where nobody does.
        crop_evidence: what was looked at, in one sentence, for `passed`.
        draws: every draw that `random_crop` stands for; what a fix has to change.
        objects: the objects behind it.
    """

    name: str
    arguments: str = ""
    random_crop: Fact
    drawn_by: str = ""
    cut_by: str = ""
    crop_evidence: str = ""
    draws: tuple[Draw, ...] = ()
    objects: tuple[DatasetObject, ...] = ()


@record_kind("sampler")
@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler(Record):
    """What picks the indices of a loader.

    Attributes:
        name: of its class.
        shards: whether every process gets a part of the items.
        pads: whether items are repeated until all parts have the same size.
        shuffles: whether it changes the order.
        follows_epoch: whether it is told the epoch in every pass, without which the order never changes.
        epoch_evidence: how, or why not, in one sentence.
        once: whether its loader is gone through a single time, so that there is no second order.
    """

    name: str
    shards: Fact
    pads: Fact
    shuffles: Fact
    follows_epoch: Fact
    epoch_evidence: str = ""
    once: Fact = NO


@record_kind("loop")
@dataclass(frozen=True, slots=True, kw_only=True)
class Loop(Record):
    """A pass over a loader in which a network runs, or one over files or items whose outputs are scored.

    Attributes:
        name: the function that it stands in.
        role: "train" or "eval".
        eval_mode: whether every network that runs was switched by `eval()`; placed at the first that was not.
        no_grad: whether gradients are off while networks run.
        train_mode: of a training loop, whether later passes begin in training mode again; placed at the `eval()` that
            is left behind.
        mode_layers: the layers of the program that `eval()` switches (dropout, batch statistics), as text.
        unseen: the class of a network from outside of the repository, whose layers are not known; "" for all others.
        unread_parts: where neither is known, the classes of libraries that run inside of a network, as text.
        framework: who runs the loop, where it is not the program's own code.
        untold_dropout: whether a network in eval mode drops all the same: `F.dropout(x, p)` is not told the mode.
        differentiates: whether gradients are taken in it and train nothing: of its inputs, or in a penalty.
    """

    name: str
    role: Fact
    eval_mode: Fact
    no_grad: Fact
    train_mode: Fact
    mode_layers: str = ""
    unseen: str = ""
    unread_parts: str = ""
    framework: str = ""
    untold_dropout: bool = False
    differentiates: bool = False


@record_kind("loader")
@dataclass(frozen=True, slots=True, kw_only=True)
class Loader(Record):
    """A data loader that the program makes.

    Attributes:
        role: "train" or "eval"; the trail holds the signs.
        signs: the signs in one sentence.
        batch_size: items per step and process.
        accumulation: steps that are summed before the optimiser steps.
        accumulated_batch: items per process that one optimiser step sees.
        effective_batch: the same over all processes, as a formula.
        batch_norms: the layers of the program whose statistics depend on the batch, as text.
        shuffle: the loader's own flag (without the sampler's).
        drop_last: whether a last incomplete batch is left out.
        num_workers: worker processes.
        iterated: whether the program ever draws from it.
        left_early: where a loop that scores a network is left before the loader is through, as text; "" where none is.
        dataset, sampler, loops, norms: the neighbours.
        declared: the pattern of the settings that declares its role, "" where the role is inferred.
    """

    role: Fact
    signs: str = ""
    batch_size: Fact
    accumulation: Fact
    accumulated_batch: Fact
    effective_batch: str = ""
    batch_norms: str = ""
    shuffle: Fact
    drop_last: Fact
    num_workers: Fact
    iterated: Fact
    left_early: Fact = Known("")
    dataset: Dataset | None = None
    sampler: Sampler | None = None
    loops: tuple[Loop, ...] = ()
    norms: tuple[Norm, ...] = ()
    declared: str = ""

    @property
    def trains(self) -> bool:
        """Whether it certainly serves the training."""
        return certainly(self.role, TRAIN)

    @property
    def evaluates(self) -> bool:
        """Whether it certainly serves the evaluation."""
        return certainly(self.role, EVAL)
