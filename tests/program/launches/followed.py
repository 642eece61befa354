"""A script beside its launches, and the runs that it gets."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.launches import runs
from cmgan_audit.source.tree import SourceTree

# The configuration is asked for between two loaders.
SCRIPT = """
import sys
import yaml
from torch.utils.data import DataLoader

first = DataLoader([1], batch_size=1)
config = yaml.safe_load(open(sys.argv[1]))
last = DataLoader([1], batch_size=config["size"])
"""


def runs_in(folder: Path, files: dict[str, str]) -> list[Run]:
    for name, text in {"train.py": SCRIPT, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(runs.execute(SourceTree(folder)))


def words(found: list[Run]) -> list[tuple[str, ...]]:
    return [run.launch.argv for run in found]


def loaders(run: Run) -> int:
    events = [event for event in run.events if isinstance(event, CallEvent)]
    return sum(event.callee == "torch.utils.data.DataLoader" for event in events)


# The configuration is named by an option, or lies beside the checkpoint that training goes on from.
OPTIONS = """
import argparse
import json
import json
from pathlib import Path
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--config", default={default!r})
parser.add_argument("--resume", default=None)
args = parser.parse_args()
if args.resume is not None:
    path = Path(args.resume).parent / "config.json"
else:
    assert args.config is not None
    path = Path(args.config)
with path.open() as handle:
    config = json.load(handle)
loader = DataLoader([1], batch_size=config["size"])
"""

# Nothing is asked for where no option is given: the script only says that it needs one.
REFUSES = """
import argparse
import yaml
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--config", default=None)
args = parser.parse_args()
if args.config:
    config = yaml.safe_load(open(args.config))
else:
    raise AssertionError("a file of settings is needed, --config a.yaml for example")
loader = DataLoader([1], batch_size=config["size"])
"""
