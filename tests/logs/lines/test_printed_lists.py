"""Lists in text logs: the history of a training is a course, the scores of a batch or of a test set are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import EPOCH, INDEX, Reading, Series

PESQ = [2.1, 2.35, 2.5, 2.58]
LOSS = [0.5, 0.4, 0.3, 0.25]


def read(tmp_path: Path, content: str) -> Reading:
    path = tmp_path / "train.log"
    path.write_text(content, encoding="utf-8")
    return read_text(path, "train.log", RoleBook())


def series(reading: Reading) -> dict[str, Series]:
    return {s.name: s for run in reading.runs for s in run.series}


HISTORIES = {
    "one line each": f"Training finished.\nval_pesq: {PESQ}\ntrain_loss: {LOSS}\n",
    "a dictionary": f"{{'loss': {LOSS}, 'val_pesq': {PESQ}}}\n",
    "without spaces": "{'loss':[0.5,0.4,0.3,0.25],'val_pesq':[2.1,2.35,2.5,2.58]}\n",
    "growing": "".join(f"Epoch {n} done\nval_pesq: {PESQ[:n]}\n" for n in range(1, 5)),
    "numpy's scalars": f"pesq: [{', '.join(f'np.float64({v})' for v in PESQ)}]\nlosses: {LOSS}\n",
    "tensors": f"val_pesq = [{', '.join(f'tensor({v}, device=cuda:0)' for v in PESQ)}]\n",
    "pprint": "{'train_loss': [0.5,\n                0.4,\n                0.3,\n                0.25],\n"
    " 'val_pesq': [2.1,\n              2.35,\n              2.5,\n              2.58]}\n",
    "json.dumps": '10:11:12 INFO saved\n{\n  "val_pesq": [\n    2.1,\n    2.35,\n    2.5,\n    2.58\n  ]\n}\n',
    "epochs beside it": f"epochs: [1, 2, 3, 4]\npesq: {PESQ}\n",
    "as many as epochs": "".join(f"Epoch {e}, loss 0.{e}\n" for e in range(1, 5)) + f"PESQ: {PESQ}\n",
}


@pytest.mark.parametrize("form", HISTORIES)
def test_a_history_is_a_course(tmp_path: Path, form: str) -> None:
    found = next(s for name, s in series(read(tmp_path, HISTORIES[form])).items() if "pesq" in name.lower())
    assert (found.role.kind, found.x_kind, list(found.xs), list(found.ys)) == ("metric", EPOCH, [1, 2, 3, 4], PESQ)


NO_HISTORIES = {
    "an array of a batch": "Epoch 1\nPESQ:  [ 2.67 1.9   3.70 2.1]\n",
    "a tensor of a batch": "Epoch 1\nval_pesq: tensor([2.67, 1.9, 3.70, 2.1])\n",
    "utterances": "evaluating 5 files\nPESQ: [2.1, 3.35, 1.5, 2.58, 1.9]\n",
    "other batches": "val_pesq: [2.1, 2.2, 2.3]\nval_pesq: [2.5, 1.9, 2.0]\n",
    "settings": "loss_weights: [0.1, 0.9, 0.2, 0.05]\nbetas: [0.9, 0.99, 0.999]\n",
}


@pytest.mark.parametrize("form", NO_HISTORIES)
def test_a_batch_or_a_test_set_is_none(tmp_path: Path, form: str) -> None:
    assert series(read(tmp_path, NO_HISTORIES[form])) == {}


def test_a_list_of_which_nobody_knows_is_said(tmp_path: Path) -> None:
    reading = read(tmp_path, NO_HISTORIES["utterances"])
    assert (2, "PESQ: a list of 5 numbers, of epochs or of utterances: left out") in [
        (note.line, note.text) for note in reading.notes
    ]
    assert reading.runs[0].printed["PESQ"].values == 5


@pytest.mark.parametrize(("first", "count"), [(0, 0), (20, 1)])
def test_more_scores_than_epochs_are_those_of_utterances(tmp_path: Path, first: int, count: int) -> None:
    """A training that was resumed has a history longer than what this log says of it."""
    epochs = "".join(f"Epoch {e}, loss 0.{99 - e}\n" for e in range(first, first + 5))
    found = series(read(tmp_path, f"{epochs}val_pesq: {[2.1, 3.3, 1.5, 2.4, 2.6, 3.1, 1.2]}\n"))
    assert sum(s.role.kind == "metric" for s in found.values()) == count


def test_values_that_the_log_has_said_epoch_by_epoch_count_once(tmp_path: Path) -> None:
    said = "".join(f"Epoch {e}, val_pesq: {v}\n" for e, v in enumerate(PESQ, start=1))
    found = series(read(tmp_path, said + f"val_pesq history: {PESQ}\n"))
    assert {name: list(s.ys) for name, s in found.items()} == {"val_pesq": PESQ}


@pytest.mark.parametrize(("losses", "kind", "xs"), [(8, EPOCH, [2, 4, 6, 8]), (9, INDEX, [1, 2, 3, 4])])
def test_evaluations_of_some_epochs(tmp_path: Path, losses: int, kind: str, xs: list[int]) -> None:
    found = series(read(tmp_path, f"val_pesq: {PESQ}\ntrain_loss: {[0.5 - 0.01 * i for i in range(losses)]}\n"))
    assert (found["val_pesq"].x_kind, list(found["val_pesq"].xs)) == (kind, xs)


def test_epochs_in_brackets_stay_epochs(tmp_path: Path) -> None:
    found = series(
        read(tmp_path, "".join(f"[{e}, 2000] loss: {v}\nEpoch [{e}, 9] PESQ: {v}\n" for e, v in enumerate(PESQ)))
    )
    assert list(found["PESQ"].xs) == [0, 1, 2, 3]
