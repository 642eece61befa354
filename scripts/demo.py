"""The main job on bundled input: audit a broken repository, compare three checkpoints, read the training log.

Run by `make demo`; leaves plots and JSON in the folder given by --out. Each step is the installed command as a user
would type it; exit status 1 of a step means that it found what there is to find.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("cmgan-audit")


def steps(out: str) -> list[tuple[str, list[str]]]:
    """The three doors, one after the other: a heading and the arguments of the command."""
    checkpoints = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "fixtures/checkpoints").glob("CMGAN_epoch_*"))
    return [
        ("What is wrong in the code?", ["check", "fixtures/repos/broken"]),
        ("(the same as JSON)", ["check", "fixtures/repos/broken", "--format", "json", "--output", f"{out}/check.json"]),
        (
            "Did the network get worse?",
            ["compare-ckpts", *checkpoints, "--data", "fixtures/audio", "--out", f"{out}/compare"],
        ),
        (
            "What do logs alone say? (the log of these checkpoints, and the decline that a post-mortem quotes)",
            ["trend", "fixtures/checkpoints/train.log", "fixtures/logs/quoted_decline.csv", "--out", f"{out}/trend"],
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="demo-report", help="folder for plots and JSON (default: demo-report)")
    out = parser.parse_args().out
    (ROOT / out).mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for heading, arguments in steps(out):
        print(f"\n== {heading}\n$ cmgan-audit {shlex.join(arguments)}\n", flush=True)
        status = subprocess.run([COMMAND, *arguments], cwd=ROOT).returncode
        print(f"(exit status {status})", flush=True)
        if status not in (0, 1):
            print(f"demo: the step above should end with exit status 0 or 1, not {status}", file=sys.stderr)
            return status
    print(f"\nDone in {time.monotonic() - started:.0f} s. Look into {out}/:")
    for path in sorted(p for p in (ROOT / out).rglob("*") if p.is_file()):
        print(f"  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
