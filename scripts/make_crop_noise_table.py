"""Make cmgan_audit/statistics/data/crop_noise.json from the PESQ of repeated random crops.

The input (`measured/random_crop_pesq.csv.gz` below the folder that CMGAN_AUDIT_DATA names) has one row per crop:
utterance, length in samples at 16 kHz, repeat, start, system, PESQ, error. Only the summary enters the project.

    CMGAN_AUDIT_DATA=... python scripts/make_crop_noise_table.py
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import math
import os
import random
import statistics
from collections import defaultdict
from pathlib import Path

from cmgan_audit.statistics.crop_scores import spread_of_crops

SAMPLE_RATE = 16_000
RESAMPLES = 4000
RESAMPLING_SEED = 20230311
TABLE = Path(__file__).resolve().parent.parent / "cmgan_audit" / "statistics" / "data" / "crop_noise.json"
SYSTEM_NAMES = {"noisy": "noisy", "enh": "enhanced"}


def bootstrap_interval(variances: list[float]) -> list[float]:
    """95 % percentile interval of the root mean square SD, utterances resampled."""
    draw = random.Random(RESAMPLING_SEED)
    values = sorted(math.sqrt(statistics.fmean(draw.choices(variances, k=len(variances)))) for _ in range(RESAMPLES))
    return [round(values[int(RESAMPLES * share)], 4) for share in (0.025, 0.975)]


def spread(by_utterance: dict[str, list[float]]) -> dict[str, object]:
    """SD of a crop around its utterance, how well it is known from so few utterances, and SD with fresh utterances."""
    within, total = spread_of_crops(by_utterance)
    return {
        "sd_within": round(within, 4),
        "sd_within_95": bootstrap_interval([statistics.variance(scores) for scores in by_utterance.values()]),
        "sd_total": round(total, 4),
    }


def summarise(source: Path) -> dict[str, object]:
    scores: dict[int, dict[str, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    crops: dict[int, int] = defaultdict(int)
    failed: dict[int, int] = defaultdict(int)
    utterances: set[str] = set()
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            length = int(row["L"])
            utterances.add(row["utt"])
            crops[length] += 1
            if row["err"]:
                failed[length] += 1
            else:
                scores[length][SYSTEM_NAMES[row["sys"]]][row["utt"]].append(float(row["pesq"]))
    return {
        "metric": "pesq",
        "mode": "wb",
        "implementation": "pesq 0.0.4",
        "set": "VoiceBank+DEMAND test, speaker p232",
        "utterances": len(utterances),
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "lengths": [
            {
                "seconds": length / SAMPLE_RATE,
                "crops": crops[length],
                "failure_rate": round(failed[length] / crops[length], 4),
                "systems": {system: spread(rows) for system, rows in sorted(scores[length].items())},
            }
            for length in sorted(scores)
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="default: $CMGAN_AUDIT_DATA/measured/random_crop_pesq.csv.gz")
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    source = arguments.source
    if source is None:
        if "CMGAN_AUDIT_DATA" not in os.environ:
            parser.error("name --source or set CMGAN_AUDIT_DATA")
        source = Path(os.environ["CMGAN_AUDIT_DATA"]) / "measured" / "random_crop_pesq.csv.gz"
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(summarise(source), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
