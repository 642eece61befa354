"""How the lines of one shape are read: which of their numbers is the epoch, and which are values of which names."""

from __future__ import annotations

from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.lines.named_checkpoints import NamedCheckpoint
from cmgan_audit.logs.series import Role


@dataclass(frozen=True, slots=True)
class SlotValue:
    """A named number of a shape: the slots it stands in (several when commas join them), its sign, or a constant.

    `mean` is the slot of what stands in brackets behind it, which may be the mean so far.
    """

    name: str
    role: Role
    slots: tuple[int, ...]
    sign: float = 1.0
    constant: float | None = None
    mean: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotArray:
    """Numbers printed as a list under one name: slot and sign of each, or None and a value that is no number.

    `is_python`: printed with commas, as Python's lists are, and not as an array of a batch. `open`: it goes on in the
    next line. `counter`: "epoch" where the list counts.
    """

    name: str
    slots: tuple[tuple[int | None, float], ...]
    role: Role | None = None
    counter: str = ""
    is_python: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class TrainingName:
    """What tells the trainings of one log apart, as `Fold 2`: its name, and the slot of its number."""

    name: tuple[str, ...]
    slot: int


@dataclass(frozen=True, slots=True)
class OtherEpoch:
    """A second epoch of a line: its slot, and the values that may be of it.

    Those in one bracket with it are `surely` where others of their names stand outside, else `inside`; or they stand
    `behind` it.
    """

    slot: int
    surely: tuple[SlotValue, ...] = ()
    inside: tuple[SlotValue, ...] = ()
    behind: tuple[SlotValue, ...] = ()


@dataclass(slots=True)
class Plan:
    """How to read the lines of one shape.

    Attributes:
        slots: how many numbers it has; what is called a slot below is the place of one among them.
        body: the line without the prefix of the logger, `body_slot` its first slot.
        key: by it the same message of two handlers is recognised.
        epoch, step, rank: slots; of `step 12,500` the first of `step_slots`.
        other_epoch: a second epoch: `stopped at epoch 20, the best was epoch 6`.
        fixed_epoch, fixed_rank: those that stand in the words: `epoch_7`, `rank1`.
        bare: the slot of a counter without a name; the slot after it is that of its total.
        unnamed: epoch and step stand in brackets without their names.
        training, of_hash, tag: which of several trainings the line is of: in words, by a hash, by the name in brackets
            that it begins with.
        drives: the line moves the log to its epoch.
        surely: training goes on, and not only was some checkpoint loaded; `from_checkpoint`: it is said from which one.
        rest: what the line adds to a list that the line before has left open.
        columns: the phases of a table's head, or its measures.
        cells: the numbers of one of the rows below, `row_of` its first and `row_name` its phase.
        head: the columns of a table with a counter.
        row: the cells of a line that may be one of its rows: slot and sign, None and NaN or infinity, or None.
        announces: the phase that begins with this line.
        checkpoint: what the name of a checkpoint in it counts.
        no_better: the line says that a score did not improve, and not the score.
        ends: the training is over.
        names_below: the line may name a value that stands alone on the next; `is_number`: it may be such a value.
    """

    slots: int
    body: str = ""
    key: str = ""
    body_slot: int = 0
    epoch: int | None = None
    other_epoch: OtherEpoch | None = None
    fixed_epoch: float | None = None
    step: int | None = None
    step_slots: int = 1
    bare: int | None = None
    unnamed: bool = False
    rank: int | None = None
    training: TrainingName | None = None
    of_hash: str = ""
    tag: str = ""
    fixed_rank: int = 0
    drives: bool = False
    resume: bool = False
    surely: bool = False
    from_checkpoint: bool = False
    process: bool = False
    per_item: bool = False
    values: list[SlotValue] = field(default_factory=list)
    arrays: list[SlotArray] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    rest: SlotArray | None = None
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[int, float], ...] = ()
    row_of: SlotValue | None = None
    row_name: str = ""
    head: tuple[str, ...] = ()
    row: tuple[tuple[int | None, float] | None, ...] = ()
    announces: str = ""
    no_better: bool = False
    ends: bool = False
    names_below: bool = False
    is_number: bool = False
    checkpoint: NamedCheckpoint | None = None
    useful: bool = False
    simple: bool = False
    lines: int = 0

    def settle(self) -> None:
        """Set `useful` (the lines change something) and `simple` (blocks of them can be read column by column)."""
        events = self.resume or self.process or bool(self.arrays or self.missing or self.columns or self.cells)
        events = events or self.checkpoint is not None or self.training is not None
        self.useful = events or self.drives or bool(self.values)
        self.simple = (
            not events
            and not self.fixed_rank
            and self.bare is None
            and self.other_epoch is None
            and all(len(value.slots) == 1 for value in self.values)
        )
