"""Lists of whole trainings, each under other settings, and trainings that only look like one."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import judge
from cmgan_audit.logs.roles import RoleBook, parse_role
from cmgan_audit.logs.search import Search, read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.logs.whole_trainings import settings_of_trainings
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")
# As the course of one training these fall and stay down.
PESQ = [2.62, 2.91, 2.93, 2.95, 2.61, 2.52, 2.41, 2.33, 2.31]
GRID = list(itertools.product((1, 2, 3), (32, 64, 128)))
RATES = list(itertools.product((0.01, 0.001, 0.0001), (4, 8, 16)))


def search(tmp_path: Path, name: str, content: str) -> Search:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_logs([path], RoleBook())


def each(template: str, settings: list[tuple[float, float]] = GRID) -> str:
    return "".join(template.format(a=a, b=b, v=v) for (a, b), v in zip(settings, PESQ, strict=True))


LISTS = {
    "grid.log": each("layers={a}, units={b}, epochs=20 -> PESQ={v}\n"),
    "scores.log": each("layers={a}, units={b}, epochs=20 -> F1=0.{b} PESQ={v}\n"),
    "batch_is_no_step.log": each("lr={a} batch={b} epochs=100 PESQ={v}\n", RATES),
    "line_before.log": each("config: lr={a} batch={b}\nfinal PESQ: {v}\n", RATES),
    "blocks.log": each("--- run ---\nn_layers: {a}\nhidden_size: {b}\nepochs: 9\n\nResult\nPESQ: {v}\nSTOI: 0.93\n"),
    "trials.log": each("[I] Trial finished with parameters: {{'lr': {a}, 'batch_size': {b}}}. PESQ: {v}\n", RATES),
    "seeds.log": "".join(f"seed {seed}: PESQ {v}\n" for seed, v in enumerate(PESQ)),
    "losses.log": each("layers={a}, units={b}: final loss {v}\n"),
    "weights.log": each("alpha={a} beta={b}: val PESQ {v}\n", list(itertools.product((0.1, 0.5, 1.0), (1, 2, 4)))),
    "totals_vary.log": each(
        "hidden={a}, epochs={b} -> PESQ={v}\n", list(itertools.product((16, 32, 64), (20, 30, 40)))
    ),
    "table.csv": "lr,batch_size,num_epochs,pesq\n" + each("{a},{b},100,{v}\n", RATES),
    "index.csv": "index,layers,units,pesq\n" + each("0,{a},{b},{v}\n"),
    "totals.csv": "lr,batch_size,epochs,pesq\n" + each("{a},{b},100,{v}\n", RATES),
    "records.jsonl": each('{{"lr": {a}, "batch_size": {b}, "epochs": 100, "pesq": {v}}}\n', RATES),
    "nested.jsonl": each('{{"config": {{"n_layers": {a}, "hidden_dim": {b}}}, "pesq": {v}}}\n'),
    "columns.json": json.dumps({"layers": [a for a, _ in GRID], "units": [b for _, b in GRID], "pesq": PESQ}),
}


@pytest.mark.parametrize("name", LISTS)
def test_results_of_different_trainings_are_no_course_of_one(tmp_path: Path, name: str) -> None:
    found = search(tmp_path, name, LISTS[name])
    assert found.readings == []
    (note,) = [note for note in found.notes if note.of_a_list]
    assert note.text.startswith("9 values under different settings (")


TRAININGS = {
    "scores_alone.log": "".join(f"val pesq {v}\n" for v in PESQ),
    "decayed_rate.log": "".join(f"lr={1e-3 * 0.5 ** (i // 3)} batch_size=4 pesq={v}\n" for i, v in enumerate(PESQ)),
    "cyclic_rate.log": "".join(f"lr={(1e-3, 5e-4)[i % 2]} pesq={v}\n" for i, v in enumerate(PESQ)),
    "total_on_each_line.log": "".join(f"epochs=100 lr={1e-3 * 0.9**i:.6f} pesq={v}\n" for i, v in enumerate(PESQ)),
    "learned_weight.log": "".join(
        f"alpha={a} pesq={v}\n" for a, v in zip([0.5131, 0.4712, 0.5503, 0.4921, 0.5317] * 2, PESQ, strict=False)
    ),
    "annealed_weight.log": "".join(f"beta={i / 8} pesq={v}\n" for i, v in enumerate(PESQ)),
    "settings_at_the_head.log": "layers=4 units=64\nbatch_size=8\n" + "".join(f"val pesq {v}\n" for v in PESQ),
    "larger_batches.csv": "batch_size,pesq\n" + "".join(f"{4 << i // 3},{v}\n" for i, v in enumerate(PESQ)),
    "epochs_anew.csv": "heads,epochs,pesq\n" + "".join(f"{n},{i},{v}\n" for n in (2, 4, 8) for i, v in enumerate(PESQ)),
    "epochs.csv": "units,pesq,epoch\n" + "".join(f"{32 << i % 3},{v},{i}\n" for i, v in enumerate(PESQ)),
    "epochs.jsonl": "".join(f'{{"epochs": {i}, "units": {32 << i % 3}, "pesq": {v}}}\n' for i, v in enumerate(PESQ)),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAININGS)
def test_one_training_that_states_its_settings_is_judged(tmp_path: Path, name: str) -> None:
    judgement = judge(search(tmp_path, name, TRAININGS[name]).readings, Question(), CATALOGUE, EVERY)
    assert judgement.verdict(Severity.ERROR) == "degraded"


def test_batches_that_are_counted_are_no_sizes() -> None:
    assert settings_of_trainings([{"batch": float(4 << i % 3), "lr": 1e-3 / (1 + i // 3)} for i in range(9)])
    assert not settings_of_trainings([{"batch": 100.0 * (i % 3), "lr": 1e-3 / (1 + i // 3)} for i in range(9)])


@pytest.mark.parametrize("name", ["grid.log", "table.csv", "records.jsonl"])
def test_a_metric_that_the_user_names_is_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(LISTS[name], encoding="utf-8")
    found = read_logs([path], RoleBook(dict([parse_role(f"{'PESQ' if name == 'grid.log' else 'pesq'}=metric")])))
    assert any(series.role.given for run in found.readings[0].runs for series in run.series)


def test_several_values_under_the_same_settings_may_be_a_course() -> None:
    assert not settings_of_trainings([{"fold": float(i // 5)} for i in range(15)])
