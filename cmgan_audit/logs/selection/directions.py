"""Measures in decibels that a log holds with the sign of a loss: `valid_sisnr: -13.2` is a score of 13.2 dB."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from cmgan_audit.logs.roles import table, words_of
from cmgan_audit.logs.series import Note, Reading, Run, Series
from cmgan_audit.statistics.trend import moving_median

_DECIBELS = ("si_sdr", "ssnr")
_FEWEST = 3
# So many values show a steady course.
_STEADY = 4
# No network that was trained at all gives this little; as a loss it is an ordinary value.
_IMPOSSIBLE = -8.0
# So many dB below its beginning a course has come down.
_DEEPER = 1.0


def settle_directions(readings: Iterable[Reading]) -> None:
    """Turn the direction of series that are negated measures, and say so in the notes of their log."""
    for reading in readings:
        turned = [name for run in reading.runs for name in _turn(run)]
        for name in dict.fromkeys(turned):
            text = (
                f"{name}: negative and falling as a loss does, so it is read as the negated measure, lower is better "
                f"(--role '{name}=metric:higher' if it is not)"
            )
            reading.notes.append(Note(reading.path, 0, text))


def _turn(run: Run) -> list[str]:
    negated = [series for series in run.series if _is_negated(series, run)]
    negated += [s for s in run.series if s not in negated and any(_is_same_measure(s, other) for other in negated)]
    for series in negated:
        series.role = replace(series.role, higher_is_better=False)
    return [series.name for series in negated]


def _is_same_measure(series: Series, negated: Series) -> bool:
    """Whether a series is the evaluation of a negated training value, or the other way round: it has the same sign."""
    role, ys = series.role, series.finite().ys
    if role.given or role.kind not in ("metric", "saved") or role.measure != negated.role.measure or not ys:
        return False
    return median(ys) < 0 and _without_phase(series.name) == _without_phase(negated.name)


def _without_phase(name: str) -> set[str]:
    return set(words_of(name)) - set(table().phases)


def _is_negated(series: Series, run: Run) -> bool:
    """Whether a score in decibels is negative and falls, and something beside the numbers says that this is no decline.

    That is a loss in the path of its name, a loss of the run that falls with it, or values that no score can have. An
    improvement over the input (SI-SDRi) that is negative is a bad network, not another sign.
    """
    role = series.role
    if role.given or role.kind not in ("metric", "saved") or role.measure not in _DECIBELS:
        return False
    ys = series.finite().ys
    early, late = _ends(series)
    if len(ys) < _FEWEST:
        return False
    if late >= early:
        return _came_down_and_rose(ys) and _falls_with_a_loss(run)
    twins = any(_is_twin(other, series) for other in run.series)
    if twins and _falls_from_the_start(series) and not _rises_with_a_loss(run):
        return True
    if median(ys) >= 0:
        return False
    if set(words_of(series.name)) & table().losses:
        return True
    return max(ys) < 0 and (min(ys) <= _IMPOSSIBLE or _falls_with_a_loss(run))


def _is_twin(other: Series, series: Series) -> bool:
    """Whether another series is the same measure of the other phase, and falls from its start below 0 as well."""
    phases = {other.role.phase, series.role.phase}
    same = other.role.measure == series.role.measure and other.role.kind == series.role.kind
    return same and phases == {"train", "eval"} and _falls_from_the_start(other)


def _falls_from_the_start(series: Series) -> bool:
    """Whether a score is best before it is trained and ends below 0: training makes no network worse all along.

    SpeechBrain prints its loss so, as `train si-snr: 2.23 - valid si-snr: -3.86` and falling.
    """
    ys = series.finite().ys
    if len(ys) < _STEADY:
        return False
    best = max(range(len(ys)), key=ys.__getitem__)
    early, late = _ends(series)
    middle = median(ys[len(ys) // 3 : -(len(ys) // 3)])
    return best <= len(ys) // 4 and early > middle > late and late < 0


def _came_down_and_rose(ys: Sequence[float]) -> bool:
    """Whether a score came down to what none can be and rose again: as a loss it was learned and lost."""
    lowest = min(moving_median(ys))
    return max(ys) < 0 and lowest <= _IMPOSSIBLE and median(ys[:_FEWEST]) - lowest >= _DEEPER


def _falls_with_a_loss(run: Run) -> bool:
    """A loss that is negative and falls is such a measure itself, or holds one."""
    for other in run.series:
        if other.role.kind != "loss" or other.role.network == "discriminator" or len(other) < _FEWEST:
            continue
        early, late = _ends(other)
        if late < early and max(other.finite().ys, default=0.0) < 0:
            return True
    return False


def _rises_with_a_loss(run: Run) -> bool:
    """Whether a loss of its own gets worse: then a network may well get worse all along."""
    losses = [s for s in run.series if s.role.kind == "loss" and s.role.network != "discriminator"]
    return any(len(loss) >= _FEWEST and _ends(loss)[1] > _ends(loss)[0] for loss in losses)


def _ends(series: Series) -> tuple[float, float]:
    """Medians of the first and the last third."""
    ys = series.finite().ys
    if not ys:
        return 0.0, 0.0
    third = max(1, len(ys) // 3)
    return median(ys[:third]), median(ys[-third:])
