"""Long logs are read in blocks and column by column; what is read is what the lines say one by one."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.logs import runs as runs_module
from cmgan_audit.logs.formats import delimited, event_folder, records
from cmgan_audit.logs.lines.line_values import LineValues
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.series import Reading

_spec = importlib.util.spec_from_file_location("event_writer", Path(__file__).with_name("event_writer.py"))
assert _spec is not None and _spec.loader is not None
writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(writer)

ROWS = 7000


def values(seed: int = 5) -> list[tuple[int, int, float, float]]:
    """Epoch, step, loss and PESQ of every row; the steps go back once, as a resumed training's do."""
    rng = random.Random(seed)
    steps = [*range(4000), *range(3600, 3600 + ROWS - 4000)]
    return [(step // 500, step, rng.random(), 2 + rng.random()) for step in steps]


def csv_of_steps() -> str:
    return "step,loss,note,pesq\n" + "".join(f"{s},{y:.4f},,{p:.4f}\n" for _, s, y, p in values())


def csv_with_gaps() -> str:
    rows = [f"{e},{s},{y:.4f},{f'{p:.3f}' if s % 500 == 499 else ''}\n" for e, s, y, p in values()]
    rows[5200] = "10,5000,n/a,\n"
    rows[5300] = '10,"5000",0.25,2.5,\n'
    rows[6000] = "epoch,step,train_loss,val_pesq\n"
    return "epoch,step,train_loss,val_pesq\n" + "".join(rows)


def csv_without_counter() -> str:
    return "loss;pesq\n" + "".join(f"{y:.4f};{p:.4f}\n" for _, _, y, p in values())


def jsonl() -> str:
    lines = [json.dumps({"epoch": e, "step": s, "loss": y, "val/pesq": p, "lr": 1e-4}) for e, s, y, p in values()]
    lines[3000] = json.dumps({"epoch": 6, "step": 3000, "loss": None, "note": "0.5"})
    lines[3100] = json.dumps({"epoch": float("nan"), "step": 3100, "loss": 0.5})
    return "\n".join(lines)


def text_of_steps() -> str:
    return "".join(f"step {s}, loss: {y:.4f}, pesq: -{p:.4f}\n" for _, s, y, p in values())


def text_without_counter() -> str:
    return "".join(f"loss: {y:.4f} pesq: {p:.4f}\n" for _, _, y, p in values())


def text_of_pairs() -> str:
    return "".join(f"[{e}, {s:5d}] loss: {y:.4f}, pesq: {p:.4f}\n" for e, s, y, p in values())


LOGS: dict[str, Callable[[], str]] = {
    "steps.csv": csv_of_steps,
    "gaps.csv": csv_with_gaps,
    "bare.csv": csv_without_counter,
    "log.jsonl": jsonl,
    "steps.log": text_of_steps,
    "bare.log": text_without_counter,
    "pairs.log": text_of_pairs,
}


def shown(reading: Reading) -> list[object]:
    runs = [
        (run.label, run.restarts, run.superseded, [(s.name, s.x_kind, s.seen, s.stride, list(s)) for s in run.series])
        for run in reading.runs
    ]
    return [*runs, *reading.notes]


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "is_plain", lambda *_: False)
    monkeypatch.setattr(records.Records, "_add_numbers", lambda *_: False)
    monkeypatch.setattr(LineValues, "_steps", lambda *_: False)
    monkeypatch.setattr(LineValues, "_needs_rows", lambda *_: True)
    monkeypatch.setattr(event_folder, "_goes_on", lambda *_: False)


@pytest.mark.parametrize("limit", [1 << 17, 512])
@pytest.mark.parametrize("name", LOGS)
def test_blocks_say_what_their_lines_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(runs_module, "POINT_LIMIT", limit)
    path = tmp_path / name
    path.write_text(LOGS[name]())
    (fast,) = read_logs([path], RoleBook()).readings
    one_by_one(monkeypatch)
    (slow,) = read_logs([path], RoleBook()).readings
    assert shown(fast) == shown(slow)
    longest = max((series for run in fast.runs for series in run.series), key=lambda series: series.seen)
    assert longest.seen > 2000 and len(longest) <= limit


@pytest.mark.parametrize("steps", [range(300), [*range(200), *range(150, 300)]])
def test_event_files_say_what_their_records_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[int]
) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(
        b"".join(writer.frame(writer.scalar(tag, s, s % 7)) for s in steps for tag in ("loss", "val/pesq"))
    )
    (fast,) = read_logs([path], RoleBook()).readings
    one_by_one(monkeypatch)
    (slow,) = read_logs([path], RoleBook()).readings
    assert shown(fast) == shown(slow)
    assert {series.name for run in fast.runs for series in run.series} == {"loss", "val/pesq"}
