"""Every checkpoint file of a tree as a record; files of one folder that tell the same are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from cmgan_audit.facts.trained.ages import Ages
from cmgan_audit.facts.trained.comparing import Compared, compare, has_batch_size
from cmgan_audit.facts.trained.records import TrainedFile
from cmgan_audit.facts.trained.settings import CodeSettings, code_settings, sets_anything
from cmgan_audit.finding import Confidence, Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Known, Record, Unknown
from cmgan_audit.source.checkpoints.finding import checkpoint_candidates
from cmgan_audit.source.tree import SourceTree

if TYPE_CHECKING:
    from cmgan_audit.source.checkpoints.container import HeldValues

# Over all checkpoints of a tree; a hundred of CMGAN with both optimisers, or 4,000 small files (features, mostly).
MOST_STEPS = 4_000_000
_PER_FILE = 1_000


@dataclass(slots=True)
class _Told:
    """What files of one folder tell alike."""

    same_settings: Known
    told_by: str
    comparison: str
    files: list[str] = field(default_factory=list)


def trained_files(tree: SourceTree, exclude: Sequence[str], records: Sequence[Record]) -> Iterator[TrainedFile]:
    """The checkpoint files of a tree that tell something about the settings they were trained with.

    Args:
        tree: the files.
        exclude: patterns of paths that are left out.
        records: what the code does.
    """
    if not sets_anything(records):
        return
    candidates = checkpoint_candidates(tree.root, exclude)
    if not (candidates.files or candidates.unsearched):
        return
    from cmgan_audit.source.checkpoints.container import read_checkpoint  # most repositories hold no checkpoint
    from cmgan_audit.source.checkpoints.pickled import Steps

    told: dict[object, _Told] = {}
    code = _Code(tree, records)
    steps = Steps(MOST_STEPS)
    for path in sorted(candidates.files, key=_natural):
        held = read_checkpoint(tree.root / path, steps)
        steps.left -= _PER_FILE
        if held is None and steps.left <= 0:
            yield _unread(path, f"more checkpoints lie here than are read (until {MOST_STEPS:,} opcodes of pickles)")
            break
        found = _tell(path, held, code) if held is not None and held.weights else None
        if found is not None:
            key = (path.rpartition("/")[0], found.told_by, found.comparison, found.same_settings.value)
            told.setdefault(key, found).files.append(path)
    yield from map(_record, told.values())
    for folder in candidates.unsearched[:1]:
        yield _unread(folder or ".", "more files and folders lie here than are searched for checkpoints")


class _Code:
    """What the code trains with now, read when the first checkpoint with weights asks for it."""

    def __init__(self, tree: SourceTree, records: Sequence[Record]) -> None:
        self._tree = tree
        self._records = records

    @cached_property
    def settings(self) -> CodeSettings:
        return code_settings(self._tree, self._records)

    @cached_property
    def ages(self) -> Ages:
        return Ages(self._tree, self.settings)


def _tell(path: str, held: HeldValues, code: _Code) -> _Told | None:
    compared = compare(held.value, code.settings.near(path))
    if compared:
        shown = [each for each in compared if not each.same] or compared
        return _Told(_judged(shown), "content", "; ".join(each.clause for each in shown[:3]))
    change = None if has_batch_size(held.value) else code.ages.overtaken_by(path)
    if change is None:
        return None
    fact = Known(False, change.value.fact.trail, confidence=Confidence.MEDIUM)
    return _Told(fact, "history", change.clause)


def _judged(shown: Sequence[Compared]) -> Known:
    trail = tuple(step for each in shown for step in each.value.fact.trail)
    confidence = min(each.value.fact.confidence for each in shown)
    return Known(shown[0].same, tuple(dict.fromkeys(trail)), confidence=confidence)


def _record(told: _Told) -> TrainedFile:
    first, more = told.files[0], len(told.files) - 1
    others = "" if not more else f" and {more} more {'file' if more == 1 else 'files'} beside it"
    return TrainedFile(
        location=Location(first, 1),
        anchor=told.told_by,
        files=f"{first}{others}",
        same_settings=told.same_settings,
        told_by=told.told_by,
        comparison=told.comparison,
    )


def _unread(path: str, reason: str) -> TrainedFile:
    fact = Unknown(reason)
    return TrainedFile(
        location=Location(path, 1), files=path, same_settings=fact, told_by="content", comparison="it was not read"
    )


def _natural(path: str) -> tuple[str, int, str]:
    """epoch_2 before epoch_10."""
    folder, _, name = path.rpartition("/")
    return folder, len(name), name
