"""Which metric series of a run are judged: evaluations of the network, not of its input, of training or of a batch."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from cmgan_audit.logs.roles import table, words_of
from cmgan_audit.logs.selection.batches import are_batches, is_of_a_batch
from cmgan_audit.logs.selection.placeholders import is_zero_throughout
from cmgan_audit.logs.series import Run, Series

# So many evaluations show a course.
_FEW_EVALUATIONS = 3
_DICE = "dice"
_SHARES, _PERCENT = ("accuracy", "auc", "iou", "f1"), 100.0


def chosen_series(run: Run, asked: Sequence[str]) -> tuple[list[Series], bool]:
    """The series that are judged, and whether they are evaluations for certain.

    Those that were asked for, else PESQ, else every metric there is. Evaluation counts before training, and values of
    their own line before those repeated with a saved checkpoint.
    """
    wanted = [s for s in run.series if s.role.kind in ("metric", "saved") and "[rank " not in s.name]
    if asked:
        wanted = [s for s in wanted if any(matches(s, name) for name in asked)]
    else:
        wanted = _evaluations(wanted)
        computed = [s for s in wanted if not is_zero_throughout(s)] or wanted
        pesq = [s for s in computed if s.role.measure == "pesq"]
        wanted = pesq or computed
    for certain, choice in (
        (True, [s for s in wanted if s.role.kind == "metric" and s.role.phase != "train"]),
        (False, [s for s in wanted if s.role.kind == "saved"]),
        (False, wanted),
    ):
        if choice:
            return choice, certain
    return [], True


def matches(series: Series, name: str) -> bool:
    """Whether `--metric NAME` means this series: its measure, its name, or a pattern with `*`."""
    asked, have = name.lower().replace("-", "_"), series.name.lower()
    return series.role.measure == asked or have == name.lower() or fnmatch.fnmatchcase(have, name.lower())


def _evaluations(wanted: list[Series]) -> list[Series]:
    """Leave out what another series of the same measure shows to be no evaluation of the network."""
    return [
        s
        for s in wanted
        if s.role.given
        or not (
            is_of_a_batch(s.name)
            or _is_of_input(s, wanted)
            or _is_per_batch(s, wanted)
            or _is_of_batches(s, wanted)
            or _is_training_beside_evaluation(s, wanted)
            or _is_a_term(s, wanted)
            or _is_no_share(s)
            or _is_no_mos(s, wanted)
        )
    ]


def _is_of_input(series: Series, wanted: list[Series]) -> bool:
    """`noisy_pesq` beside `enhanced_pesq`: the score of what the network gets, for comparison."""
    return _names_input(series) and any(
        other.role.measure == series.role.measure and not _names_input(other) for other in wanted
    )


def _names_input(series: Series) -> bool:
    return bool(set(words_of(series.name)) & table().inputs)


def _is_per_batch(series: Series, wanted: list[Series]) -> bool:
    """Lightning logs `stoi_step` for the batch at hand and `stoi_epoch` for the mean over all; others add `_avg`."""
    stem = series.name.removesuffix("_step")
    if stem != series.name and any(other.name == f"{stem}_epoch" for other in wanted):
        return True
    words = [word for word in words_of(series.name) if word not in table().phases]
    return any(
        "avg" in other.name.lower()
        and other.role.phase == series.role.phase
        and other.x_kind == series.x_kind
        and [word for word in words_of(other.name) if word not in table().phases] in ([*words, "avg"], ["avg", *words])
        and 2 * len(set(other.xs)) >= len(set(series.xs))
        for other in wanted
    )


def _is_of_batches(series: Series, wanted: list[Series]) -> bool:
    """Scores of the batches of an evaluation beside its means: `[Val] batch 10/50 PESQ`, `[Val] average PESQ`."""
    return _scatters_as_batches(series) and any(
        other.role.phase in (series.role.phase, "eval")
        and other.role.measure == series.role.measure
        and other.x_kind == series.x_kind
        and len(set(other.xs)) >= _FEW_EVALUATIONS
        and not _scatters_as_batches(other)
        for other in wanted
        if other is not series
    )


def _scatters_as_batches(series: Series) -> bool:
    measure = table().measure(series.role.measure)
    return measure is not None and are_batches(series.finite(), measure.assumed)


def _is_training_beside_evaluation(series: Series, wanted: list[Series]) -> bool:
    """Keras' `pesq` beside `val_pesq`, `Step 100, PESQ: 1.77` beside `TEST - PESQ: 2.49`: the bare name is training's.

    Only where the evaluation is as frequent: one `test pesq` at the end of the log says nothing about the others.
    """
    if series.role.phase or series.role.kind != "metric":
        return False
    epochs = len(set(series.xs))
    return any(
        other.role.phase == "eval" and other.role.measure == series.role.measure and 2 * len(set(other.xs)) >= epochs
        for other in wanted
        if other.role.kind == "metric" and other.x_kind == series.x_kind
    )


def _is_a_term(series: Series, wanted: list[Series]) -> bool:
    """A bare `ssim` is as often 1 - SSIM, a term of the loss: beside no PSNR, or where it only falls while that rises.

    So is a `dice` that only falls.
    """
    if series.role.phase == "eval":
        return False
    if series.role.measure == "ssim":
        beside = [other.finite().ys for other in wanted if other.role.measure == "psnr"]
        return not beside or (_never_gains(series) and any(len(ys) > 1 and ys[-1] > ys[0] for ys in beside))
    return _DICE in words_of(series.name) and _never_gains(series)


def _never_gains(series: Series) -> bool:
    """Whether a score never got above its first value and ends below: what is minimised comes down so."""
    ys = series.finite().ys
    return len(ys) >= _FEW_EVALUATIONS and max(ys) == ys[0] > ys[-1]


def _is_no_mos(series: Series, wanted: list[Series]) -> bool:
    """A bare `sig` or `bak` is DNSMOS's where the overall score stands beside it; else it may be anything."""
    if not {"sig", "bak"} & set(words_of(series.name)) or "mos" in series.name.lower():
        return False
    return not any(set(words_of(other.name)) & {"ovrl", "ovr", "dnsmos"} for other in wanted if other is not series)


def _is_no_share(series: Series) -> bool:
    """`F1: 512` in Hz is a formant, no F1 score: a share lies between 0 and 1, or 0 and 100 %."""
    ys = series.finite().ys
    return series.role.measure in _SHARES and len(ys) > 0 and (min(ys) < 0 or max(ys) > _PERCENT)
