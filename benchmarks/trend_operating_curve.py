"""Draws docs/images/trend_operating_curve.png: how often CMG801 is raised, by the size of the fall and the length.

    python benchmarks/trend_operating_curve.py --out docs/images/trend_operating_curve.png

Synthetic curves (trend_curves.py); 1000 per point.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import trend_curves as curves
from matplotlib.figure import Figure

from cmgan_audit.finding import Severity
from cmgan_audit.logs.roles import infer
from cmgan_audit.logs.selection.judged import Question, judged_series
from cmgan_audit.logs.series import EPOCH, Run, Series
from cmgan_audit.logs.symptoms.decline import decline_severity

DRAWS = 1000
FLOORS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
LENGTHS = {"8 to 16 evaluations": (8, 10, 12, 16), "20 to 60": (20, 30, 40, 60), "80 to 120": (80, 100, 120)}
STYLES = (("#0072B2", "-", "o"), ("#D55E00", "--", "s"), ("#009E73", "-.", "^"))


def severity_of(values: list[float]) -> Severity | None:
    series = Series("pesq", infer("pesq"), EPOCH)
    for i, value in enumerate(values):
        series.append(float(i), value, i + 1)
    (judged,) = judged_series(Run("synthetic", series=[series]), Question())
    return None if judged.decline is None else decline_severity(judged, Question())


def share_found(kind: str, floors: float, lengths: tuple[int, ...]) -> float:
    rng = random.Random(f"{kind} {floors} {lengths}")
    draw = curves.DECLINING[kind]
    return sum(severity_of(draw(rng, rng.choice(lengths), floors).values) is not None for _ in range(DRAWS)) / DRAWS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axis, kind in zip(figure.subplots(1, 2, sharey=True), curves.DECLINING, strict=True):
        for (label, lengths), (color, dash, marker) in zip(LENGTHS.items(), STYLES, strict=True):
            shares = [100 * share_found(kind, floors, lengths) for floors in FLOORS]
            print(kind, label, [round(share, 1) for share in shares])
            axis.plot(FLOORS, shares, dash, marker=marker, color=color, label=label)
        axis.axhline(95, color="0.5", linewidth=0.8)
        axis.set_title(f"{kind}, three evaluations after it", fontsize=10)
        axis.set_xlabel("size of the fall, in noise floors")
        axis.grid(alpha=0.25)
    figure.axes[0].set_ylabel("runs with a CMG801 (%)")
    figure.axes[0].legend(fontsize=8)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
    print("healthy runs above a note / with any CMG801, % of", DRAWS)
    for kind, draw in curves.HEALTHY.items():
        rng = random.Random(kind)
        found = [severity_of(draw(rng, rng.choice((20, 40, 60, 100, 120))).values) for _ in range(DRAWS)]
        above = sum(s is not None and s > Severity.NOTE for s in found)
        print(f"  {kind}: {100 * above / DRAWS:.1f} / {100 * sum(s is not None for s in found) / DRAWS:.1f}")


if __name__ == "__main__":
    main()
