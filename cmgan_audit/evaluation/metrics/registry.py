"""The table of metrics, what each means, and which versions of what it rests on. Light: imports no numpy."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass

# Goes up when one of our own algorithms changes a value: scores of other versions are then computed again.
COMPOSITE_VERSION = 1
DISTORTION_VERSION = 1


class Status(enum.StrEnum):
    """What became of one score; never a number in place of a failure."""

    OK = "ok"
    NO_UTTERANCES = "no_utterances"
    TOO_SHORT = "too_short"
    DEAD_OUTPUT = "dead_output"
    NOT_FINITE = "not_finite"
    LENGTH_MISMATCH = "length_mismatch"
    METRIC_CRASH = "metric_crash"
    TIMEOUT = "timeout"


class CompositeScale(enum.StrEnum):
    """Scale of the samples that CSIG, CBAK, COVL and segmental SNR see: papers mix the two."""

    INT16 = "int16"
    FLOAT = "float"


@dataclass(frozen=True, slots=True)
class MetricScore:
    """One metric on one pair of signals: `value` is None exactly when `status` is not ok; `detail` then says why."""

    status: Status
    value: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the registry.

    Attributes:
        name: as in `--metrics`, in scores.csv and in summary.json.
        label: as people write it.
        unit: "MOS-LQO", "dB", or "" for a plain number.
        low: smallest possible value, or None.
        high: largest possible value, or None.
        higher_is_better: direction.
        source: paper or recommendation, with the equation where there is one.
        rests_on: what its value depends on, for the signature: packages, and our own versions.
        floor: half-width of the band of differences that do not matter, in its unit: what one would not report.
        scale_matters: the composite scale changes its value.
    """

    name: str
    label: str
    unit: str
    low: float | None
    high: float | None
    higher_is_better: bool
    source: str
    rests_on: tuple[str, ...]
    floor: float
    scale_matters: bool = False

    def signature(self, scale: CompositeScale) -> str:
        """What produced a value of this metric, for example `pesq:0.0.4|wb|16k`."""
        parts = [_with_version(entry) for entry in self.rests_on]
        if self.scale_matters:
            parts.append(f"scale:{scale}")
        return "|".join(parts)


def _with_version(entry: str) -> str:
    if not entry.startswith("package:"):
        return entry
    name = entry.removeprefix("package:")
    try:
        return f"{name}:{version(name)}"
    except PackageNotFoundError:
        return f"{name}:absent"


_HU_LOIZOU = "Y. Hu, P. Loizou, Evaluation of objective quality measures for speech enhancement, IEEE TASLP 16(1), 2008"
_COMPOSITE = ("package:pesq", "wb", "16k", f"composite:{COMPOSITE_VERSION}")

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "pesq",
            "PESQ (wide band)",
            "MOS-LQO",
            1.0,
            4.644,
            True,
            "ITU-T P.862.2 (2007), by the package pesq",
            ("package:pesq", "wb", "16k"),
            0.03,
        ),
        Metric(
            "pesq_nb",
            "PESQ (narrow band)",
            "MOS-LQO",
            1.0,
            4.549,
            True,
            "ITU-T P.862 (2001) with the mapping of P.862.1, by the package pesq, at 16 kHz input",
            ("package:pesq", "nb", "16k"),
            0.03,
        ),
        Metric(
            "csig",
            "CSIG",
            "MOS",
            1.0,
            5.0,
            True,
            f"{_HU_LOIZOU}: 3.093 - 1.029 LLR + 0.603 PESQ - 0.009 WSS",
            _COMPOSITE,
            0.03,
            True,
        ),
        Metric(
            "cbak",
            "CBAK",
            "MOS",
            1.0,
            5.0,
            True,
            f"{_HU_LOIZOU}: 1.634 + 0.478 PESQ - 0.007 WSS + 0.063 segSNR",
            _COMPOSITE,
            0.03,
            True,
        ),
        Metric(
            "covl",
            "COVL",
            "MOS",
            1.0,
            5.0,
            True,
            f"{_HU_LOIZOU}: 1.594 + 0.805 PESQ - 0.512 LLR - 0.007 WSS",
            _COMPOSITE,
            0.03,
            True,
        ),
        Metric(
            "ssnr",
            "segmental SNR",
            "dB",
            -10.0,
            35.0,
            True,
            "J. Hansen, B. Pellom, ICSLP 1998, eq. 1: frames of 30 ms, each limited to [-10, 35] dB",
            (f"ssnr:{DISTORTION_VERSION}",),
            0.25,
            True,
        ),
        Metric(
            "stoi",
            "STOI",
            "",
            -1.0,
            1.0,
            True,
            "C. Taal et al., IEEE TASLP 19(7), 2011, eq. 6, by the package pystoi",
            ("package:pystoi",),
            0.005,
        ),
        Metric(
            "estoi",
            "extended STOI",
            "",
            -1.0,
            1.0,
            True,
            "J. Jensen, C. Taal, IEEE/ACM TASLP 24(11), 2016, eq. 8, by the package pystoi",
            ("package:pystoi", "extended"),
            0.005,
        ),
        Metric(
            "si_sdr",
            "SI-SDR",
            "dB",
            None,
            None,
            True,
            "J. Le Roux et al., SDR - half-baked or well done?, ICASSP 2019, eq. 5, means removed",
            (f"si_sdr:{DISTORTION_VERSION}",),
            0.25,
        ),
    )
}

# The six numbers that papers on this test set print; the first decides the verdict.
DEFAULT_METRICS = ("pesq", "csig", "cbak", "covl", "ssnr", "stoi")


# Only identical scores are equivalent in a metric of which nobody said what does not matter.
NO_FLOOR = 1e-9


def default_floor(metric: str) -> float:
    """The equivalence band of a metric where `--floor` does not state it; none for a metric that is not ours."""
    known = METRICS.get(metric)
    return known.floor if known else NO_FLOOR


def parse_metrics(text: str) -> tuple[str, ...]:
    """Read `--metrics pesq,stoi`; `all` means every metric. The first named decides the verdict.

    Raises:
        UsageError: an unknown or repeated name; the message lists the legal ones.
    """
    written = [part.strip().lower().replace("-", "_") for part in text.split(",") if part.strip()]  # PESQ, SI-SDR
    names = tuple(METRICS) if written == ["all"] else tuple(written)
    if not names:
        raise UsageError(f"--metrics {text!r}: names no metric; legal names: {', '.join(METRICS)}")
    _refuse_unknown(names)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UsageError(f"--metrics {text}: {', '.join(repeated)} is named twice")
    return names


def _refuse_unknown(names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise UsageError(f"--metrics: no metric {', '.join(unknown)}; legal names: {', '.join(METRICS)}, or all")
