"""From the arguments of the command line to systems that can be opened, one at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from cmgan_audit.errors import UsageError
from cmgan_audit.evaluation.checkpoints.bundles import bundle_of
from cmgan_audit.evaluation.checkpoints.naming import expand_checkpoints
from cmgan_audit.evaluation.material.matching import Matched
from cmgan_audit.evaluation.material.pairs import Pair
from cmgan_audit.evaluation.models.sources import model_source
from cmgan_audit.evaluation.options import CompareOptions
from cmgan_audit.evaluation.systems import NOISY, System, model_system, noisy_system, open_folder, short_names
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A system that is opened when its turn comes: many checkpoints must not be in memory together.

    `path` is None for the noisy input.
    """

    name: str
    path: Path | None
    options: CompareOptions

    def open(self, pairs: Sequence[Pair], among: Matched) -> System:
        """Open the system for these utterances of a test set.

        Raises:
            AuditError: no such model, a checkpoint that does not fit, recordings that are not audio.
        """
        if self.path is None:
            return noisy_system(pairs, self.options.noisy.as_posix())
        if not self.is_model:
            return open_folder(
                self.path,
                self.name,
                pairs,
                among=among,
                resample=self.options.resample,
                strict=self.options.strict,
            )
        enhancer = model_source(self.options.model).open(self.path)
        return model_system(enhancer, self.name, resample=self.options.resample)

    @property
    def is_model(self) -> bool:
        """Whether a network makes the outputs, not a folder that holds them."""
        return self.path is not None and (not self.path.is_dir() or bundle_of(self.path) is not None)


@dataclass(frozen=True, slots=True)
class Sources:
    """The systems of a comparison: the checkpoints in the order given, and the baseline's name if there is one.

    `every` holds the baseline first where it is none of the checkpoints.
    """

    order: tuple[str, ...]
    baseline: str | None
    every: tuple[Source, ...]

    def without(self, names: Collection[str]) -> Sources:
        """The same comparison without these checkpoints."""
        kept = tuple(one for one in self.every if one.name not in names)
        return Sources(tuple(name for name in self.order if name not in names), self.baseline, kept)


def find_sources(options: CompareOptions) -> Sources:
    """Expand patterns and folders, find the baseline, give everything a short name.

    Raises:
        UsageError: no checkpoint, one named twice, or a baseline that stands for several.
        MissingPathError: a path is not there.
        CheckpointError: a folder holds neither checkpoints nor recordings.
    """
    paths = expand_checkpoints(options.checkpoints)
    if not paths:
        raise UsageError("no checkpoint given: name checkpoint files or folders of enhanced recordings")
    places = [path.resolve() for path in paths]
    for place, path in zip(places, paths, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"{path}: named twice; every checkpoint counts once")
    outside: list[Path] = []
    baseline_at: int | None = None
    if options.baseline not in (None, NOISY):
        named = expand_checkpoints((str(options.baseline),))
        if len(named) != 1:
            raise UsageError(f"--baseline {options.baseline}: stands for {len(named)} checkpoints; name one")
        if named[0].resolve() not in places:
            outside = named
        baseline_at = [*places, *(path.resolve() for path in outside)].index(named[0].resolve())
    names = short_names([*paths, *outside])
    sources = [Source(name, path, options) for name, path in zip(names, [*paths, *outside], strict=True)]
    baseline = None if baseline_at is None else names[baseline_at]
    if options.baseline == NOISY:
        if NOISY in names:
            # A folder of the user's has that name: tell the two apart by more of its path.
            at = names.index(NOISY)
            sources[at] = Source("/".join(places[at].parts[-2:]), sources[at].path, options)
            names[at] = sources[at].name
        sources.append(Source(NOISY, None, options))
        baseline = NOISY
    first = sources[len(paths) :]
    return Sources(tuple(names[: len(paths)]), baseline, (*first, *sources[: len(paths)]))
