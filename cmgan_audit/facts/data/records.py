"""The records of the data path."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Record, record_kind


@record_kind("worker_draws")
@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDraws(Record):
    """Random numbers that the items of one loader draw from NumPy's global generator, in worker processes.

    Attributes:
        role: of the loader.
        iterated: whether the program draws from it.
        dataset: the name of its class.
        numpy_draw: whether an item draws from the global generator; placed at the draw.
        drawn_by: the drawing function.
        workers: worker processes.
        seeds_workers: whether each worker gets a state of its own.
        old_torch: whether a torch may be used that does not seed NumPy in workers; low confidence where nothing is
            stated.
        torch_stated: whether the tree states a version of torch.
    """

    role: Fact
    iterated: Fact
    dataset: str
    numpy_draw: Fact
    drawn_by: str = ""
    workers: Fact
    seeds_workers: Fact
    old_torch: Fact
    torch_stated: Fact


@record_kind("pair_cut")
@dataclass(frozen=True, slots=True, kw_only=True)
class PairCut(Record):
    """The clean and the noisy signal of one item, both cut at a random place.

    Attributes:
        dataset: the name of the class that makes the item, or of the function.
        separate: whether each has a draw of its own; placed at the second cut.
        noisy, clean: what the two are called.
    """

    dataset: str
    separate: Fact
    noisy: str
    clean: str


@record_kind("training_order")
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOrder(Record):
    """In which order a loader hands out the items of the training set, and to which process.

    Attributes:
        role: of the loader.
        iterated: whether the program draws from it.
        dataset: the name of its class.
        shuffled: whether the order is random, by whoever; placed at what keeps it fixed.
        order_evidence: who shuffles, in one sentence.
        keeper: the name of the class of a sampler that keeps the order; "" where there is none.
        split_once: whether all that mixes the items is that the set was divided at random, once for all epochs.
        distributed: whether several processes train one network (DistributedDataParallel); placed at the wrapping.
        sharded: whether each process gets a part of the items; placed at the loader.
        shard_evidence: who splits, in one sentence.
    """

    role: Fact
    iterated: Fact
    dataset: str
    shuffled: Fact
    order_evidence: str = ""
    keeper: str = ""
    split_once: Fact = Known(False)
    distributed: Fact
    sharded: Fact
    shard_evidence: str = ""


@record_kind("validation_split")
@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSplit(Record):
    """A set that training is evaluated on and that was picked at random.

    Attributes:
        role: of the loader that reads it.
        iterated: whether the program draws from that loader.
        drawn_by: the function that picks.
        unseeded: whether every run picks other items; placed at the draw.
        evidence: what fixes the draw, in one sentence.
    """

    role: Fact
    iterated: Fact
    drawn_by: str
    unseeded: Fact
    evidence: str = ""


@record_kind("listing_use")
@dataclass(frozen=True, slots=True, kw_only=True)
class ListingUse(Record):
    """A place where the order of a listed folder matters.

    Attributes:
        use: "pair" (two lists are gone through side by side) or "part" (a slice of one list is taken).
        what: the expressions, as text.
        unsorted: whether the order is that of the file system; placed at the listing.
        lister: the function that lists.
    """

    use: str
    what: str
    unsorted: Fact
    lister: str


@record_kind("evaluation_set")
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSet(Record):
    """A set that a training is evaluated on and that has the recordings of its training set.

    Its place is where it is made; where the loader is made, if it is the very training set.

    Attributes:
        role: of its loader.
        dataset: the name of its class.
        given: how it was made, as text.
        from_training: whether it has the recordings of the training set, and so have all others that are evaluated.
        in_part: whether both were only given parts of one list, which overlap.
    """

    role: Fact
    dataset: str
    given: str
    from_training: Fact
    in_part: bool = False
