"""Long JSON histories are read a record at a time, and say the same."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.logs.formats import long_histories
from cmgan_audit.logs.formats.json_documents import read_json
from cmgan_audit.logs.opening import BLOCK
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Reading

HISTORY: list[dict[str, float | str]] = [
    {"epoch": i / 1000, "loss": 1 / (i + 1), "step": 10 * i, **({"eval_wer": 0.4} if i % 100 == 99 else {})}
    for i in range(25_000)
]
STATE = {"best_metric": None, "log_history": HISTORY, "total_flos": 1.5}
DOCUMENTS = {
    "state": json.dumps(STATE, indent=2),
    "state_in_one_line": json.dumps(STATE),
    "list": json.dumps(HISTORY),
    "steps_go_on": json.dumps([{**record, "epoch": i // 100 % 50} for i, record in enumerate(HISTORY)], indent=1),
    "nothing_before": json.dumps({"log_history": [*HISTORY, {"epoch": 30, "note": "z\u00e4\u00df", "eval_wer": 0.3}]}),
    "no_history": json.dumps({"log_history": [], "loss": [record["loss"] for record in HISTORY] * 3}),
    "other_history": json.dumps({"history": HISTORY}),
    "of_files": json.dumps([{"id": f"a{i}", "pesq": 2.1, "text": "x" * 60} for i in range(25_000)]),
    "two_histories": json.dumps({"log_history": HISTORY}, indent=0)[:-1]
    + ', "log_history": [{"loss": 0.1, "step": 1}]}',
    "a_number_among": json.dumps([*HISTORY, 3]),
}


def read(path: Path) -> Reading:
    return read_json(path, "log.json", RoleBook())


def told(reading: Reading) -> tuple[object, ...]:
    runs = [[(s.name, s.x_kind, list(s.xs), list(s.ys)) for s in run.series] for run in reading.runs]
    return runs, [len(run.restarts) for run in reading.runs], list(map(str, reading.notes))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_same_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = tmp_path / "log.json"
    path.write_text(DOCUMENTS[name], encoding="utf-8")
    assert path.stat().st_size > BLOCK
    found = told(read(path))
    monkeypatch.setattr("cmgan_audit.logs.formats.json_documents.long_history", lambda *_: None)
    assert found == told(read(path))


@pytest.mark.parametrize("end", ["", "]", "}]", "]}x", ', {"epoch": '])
def test_a_broken_one_is_an_error_as_before(tmp_path: Path, end: str) -> None:
    path = tmp_path / "log.json"
    whole = DOCUMENTS["state"]
    path.write_text(whole[: whole.rindex("}", 0, len(whole) - 60)] + end, encoding="utf-8")
    with pytest.raises(InputError, match="no JSON"):
        read(path)


def test_the_document_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": HISTORY * 4}, indent=2), encoding="utf-8")
    seen = 0
    tracemalloc.start()
    survey = long_histories.long_history(path, "log.json", lambda records: sum(1 for _ in records))
    assert survey is not None
    for _ in survey[1]():
        seen += 1
    assert (survey[0], seen) == (100_000, 100_000)
    assert tracemalloc.get_traced_memory()[1] < path.stat().st_size
    tracemalloc.stop()


def test_one_that_is_written_anew_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(DOCUMENTS["state"], encoding="utf-8")

    def survey(records: Iterator[long_histories.Record]) -> int:
        count = sum(1 for _ in records)
        path.write_text(DOCUMENTS["state"][:-70], encoding="utf-8")
        return count

    found = long_histories.long_history(path, "log.json", survey)
    assert found is not None
    with pytest.raises(InputError, match="changed while it was read"):
        list(found[1]())
