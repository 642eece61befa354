"""CSV, JSON, JSONL, YAML: exports and tables as tools and people write them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.series import Run

PESQ = [2.1, 2.35, 2.5, 2.58]


def runs(tmp_path: Path, name: str, content: str) -> list[Run]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return [run for reading in read_logs([path], RoleBook()).readings for run in reading.runs]


def pesq(run: Run) -> list[tuple[float, float]]:
    (series,) = [s for s in run.series if s.role.measure == "pesq"]
    return list(zip(series.xs, series.ys, strict=True))


def rows(template: str) -> str:
    return "".join(template.format(e=e, v=v, c=str(v).replace(".", ",")) for e, v in enumerate(PESQ, start=1))


TABLES = {
    "plain.csv": "epoch,pesq\n" + rows("{e},{v}\n"),
    "comments.csv": "# made by hand\nepoch,pesq,loss\n" + rows("{e},{v},\n"),
    "savetxt.txt": "# epoch loss pesq\n" + rows("{e} 0.3 {v}\n"),
    "commented.csv": "# run 7, lr 5e-4\n#epoch,val_pesq\n" + rows("{e},{v}\n"),
    "spread.csv": "epoch;pesq (mean ± std);stoi\n" + rows("{e};{v} ± 0.61;0.9\n"),
    "power.csv": "epoch,pesq\n" + rows("{e},{v}+-6e-1\n"),
    "spread.txt": "| Epoch | PESQ |\n|---|---|\n" + rows("| {e} | {v} +/- 0.61 |\n"),
    "semicolon.csv": "Epoch;PESQ;STOI\n" + rows("{e};{c};0,9{e}\n"),
    "tabs.tsv": "epoch\tval/pesq\n" + rows("{e}\t{v}\n"),
    "spaces.txt": "epoch   pesq   stoi\n" + rows("   {e}   {v}   0.91\n"),
    "drawn.txt": "+----+----+\n| Epoch | PESQ |\n+====+====+\n" + rows("| {e} | {v} |\n") + "+----+----+\n",
    "rich.log": "┏━━━━━━━┳━━━━━━┓\n┃ epoch ┃ pesq ┃\n┡━━━━━━━╇━━━━━━┩\n"
    + rows("│ {e} │ {v} │\n")
    + "└───────┴──────┘\n",
    "pipes.txt": "| epoch | pesq |\n|---|---|\n" + rows("| {e} | {v} |\n"),
    "quoted.csv": '"epoch","PESQ, wide band"\n' + rows('"{e}","{v}"\n'),
    "checkpoints.csv": "checkpoint,pesq\n" + rows("ckpt/CMGAN_epoch_{e}.pth,{v}\n"),
    "val_pesq.csv": rows("{e},{v}\n"),
    "lightning/metrics.csv": "epoch,step,train_loss,val_pesq\n" + rows("{e},{e}0,0.1,\n{e},{e}9,,{v}\n"),
    "total.csv": "tag,step,val_pesq,batch,iters\n" + rows("final,{e},{v},64,20000\n"),
    "total.jsonl": rows('{{"batch": 64, "iters": 20000, "step": {e}, "val_pesq": {v}}}\n'),
    "long.csv": "epoch,metric,value\n" + rows("{e},pesq,{v}\n{e},stoi,0.9\n"),
    "columns.json": json.dumps({"epoch": [1, 2, 3, 4], "val_pesq": PESQ}),
    "rows.json": json.dumps({"count": 4, "rows": [{"epoch": e, "pesq": v} for e, v in enumerate(PESQ, start=1)]}),
    "phases.json": json.dumps(
        {
            "settings": {"lr": 5e-4},
            "train": [{"epoch": e, "loss": 0.3 - e / 100} for e in range(1, 5)],
            "val": [{"epoch": e, "loss": 0.3, "pesq": v} for e, v in enumerate(PESQ, start=1)],
            "best_epoch": 4,
        }
    ),
    "columns_and_files.json": json.dumps({"history": {"pesq": PESQ}, "saved": [{"epoch": 4, "path": "a.pth"}]}),
    "keyed_and_files.json": json.dumps(
        {**{f"epoch_{e}": {"pesq": v} for e, v in enumerate(PESQ, start=1)}, "saved": [{"epoch": 4}]}
    ),
    "columns_and_schedule.json": json.dumps({"lr": [{"epoch": 0, "value": 0.1}], "results": {"pesq": PESQ}}),
    "lists.json": json.dumps({"train": {"loss": [4, 3, 2, 1]}, "val": {"pesq": PESQ}}),
    "records.json": json.dumps([{"epoch": e, "val": {"pesq": v}} for e, v in enumerate(PESQ, start=1)]),
    "keyed.json": json.dumps({f"epoch_{e}": {"pesq": v} for e, v in enumerate(PESQ, start=1)}),
    "series.json": json.dumps({"pesq": {str(e): v for e, v in enumerate(PESQ, start=1)}, "note": "x"}),
    "trainer_state.json": json.dumps({"log_history": [{"epoch": e, "eval_pesq": v} for e, v in enumerate(PESQ, 1)]}),
    "log.jsonl": rows('{{"epoch": {e}, "pesq": {v}, "lr": 1e-4}}\n'),
    "records.log": rows('{{"epoch": {e}, "pesq": "{v}"}}\n'),
}


@pytest.mark.parametrize("name", TABLES)
def test_reads_epochs_and_values(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (run,) = runs(tmp_path, name, TABLES[name])
    assert pesq(run) == list(zip([1, 2, 3, 4], PESQ, strict=True))


def test_a_number_sign_names_the_rows(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, "log.tsv", "#\tTrainLoss\tDevPESQ\n" + rows("{e}\t0.3\t{v}\n"))
    assert pesq(run) == list(zip([1, 2, 3, 4], PESQ, strict=True))


@pytest.mark.parametrize("comment", ["# run 7, lr", "# pesq: 1, 2", "# made by hand, twice"])
def test_another_comment_names_no_columns(tmp_path: Path, comment: str) -> None:
    (run,) = runs(tmp_path, "val_pesq.csv", f"{comment}\n" + rows("{e},{v}\n"))
    assert pesq(run) == list(zip([1, 2, 3, 4], PESQ, strict=True))


@pytest.mark.parametrize("comment", ["# pesq results", "# the pesq", "# best epoch"])
def test_prose_of_as_many_words_as_columns_names_none(tmp_path: Path, comment: str) -> None:
    found = runs(tmp_path, "scores.txt", f"{comment}\n" + rows("{e} {v}\n"))
    assert not [s for run in found for s in run.series if s.role.measure == "pesq"]


def test_tensorboard_export_is_named_after_its_file(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, "val_pesq.csv", "Wall time,Step,Value\n" + rows("1700000000.1,{e}000,{v}\n"))
    assert [x for x, _ in pesq(run)] == [1000, 2000, 3000, 4000]


def test_wandb_export_holds_a_run_per_column(tmp_path: Path) -> None:
    names = [f"{run} - val/pesq{end}" for run in ("cool-run", "bad - run") for end in ("", "__MIN", "__MAX")]
    content = ",".join(f'"{n}"' for n in ["Step", *names]) + "\n" + rows('"{e}","{v}","0","9","1.5","0","9"\n')
    cool, bad = runs(tmp_path, "wandb_export.csv", content)
    assert (cool.label, [y for _, y in pesq(cool)]) == ("cool-run", PESQ)
    assert (bad.label, [y for _, y in pesq(bad)]) == ("bad - run", [1.5] * 4)


def test_run_column(tmp_path: Path) -> None:
    found = runs(tmp_path, "multi.csv", "run,epoch,pesq\n" + rows("a,{e},{v}\nb,{e},2.0\n"))
    assert [(run.label, len(pesq(run))) for run in found] == [("a", 4), ("b", 4)]


def test_appended_runs_and_resumed_runs(tmp_path: Path) -> None:
    table = "epoch,pesq\n" + rows("{e},{v}\n")
    assert [len(pesq(run)) for run in runs(tmp_path, "appended.csv", table + table)] == [4, 4]
    (run,) = runs(tmp_path, "resumed.csv", table + "3,2.61\n4,2.62\n5,2.63\n")
    assert pesq(run) == [(1, 2.1), (2, 2.35), (3, 2.61), (4, 2.62), (5, 2.63)]


def test_table_per_utterance_is_no_trend(tmp_path: Path) -> None:
    content = "filename,pesq\n" + "".join(f"p232_{i:03d}.wav,2.{i}\n" for i in range(30))
    assert runs(tmp_path, "scores.csv", content) == []


def test_records_of_utterances_are_no_evaluations(tmp_path: Path) -> None:
    content = json.dumps([{"id": f"u{i}", "method": "none", "pesq": 1.5 + i / 10} for i in range(20)])
    assert runs(tmp_path, "scores.json", content) == []
    twice = [{"id": f"u{i % 10}", "method": f"m{i // 10}", "pesq": 1.5 + i / 10} for i in range(20)]
    assert runs(tmp_path, "methods.json", json.dumps(twice)) == []
    content = json.dumps([{"id": f"u{i}", "epoch": i, "pesq": 1.5 + i / 10} for i in range(4)])
    assert pesq(runs(tmp_path, "epochs.json", content)[0])[0] == (0, 1.5)


def test_table_of_systems_is_no_trend(tmp_path: Path) -> None:
    content = "model,set,pesq,stoi\nNoisy,dns,1.97,0.91\nBaseline,dns,2.9,0.93\nOurs (small),dns,2.7,0.92\n"
    assert runs(tmp_path, "table.csv", content.replace("model,set", "system,dataset")) == []
    named = "name,pesq\nepoch_1,2.1\nepoch_2,2.35\nepoch_3,2.5\n"
    assert len(runs(tmp_path, "evaluations.csv", named)) == 1


REPORT = """# Results

Trained for 30 epochs at 5e-4; PESQ 3.41 is what the paper reports.

## Small

| Epoch | PESQ |
|------:|:----:|
| 10 | 2.50 |
| 20 | **2.64** |

## Systems

| Model | PESQ |
|---|---|
| Noisy | 1.97 |
| Ours | 2.64 |
"""


def test_tables_of_a_report(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, "report.md", REPORT)
    assert run.label == "Small"
    assert [(s.name, list(s.xs), list(s.ys)) for s in run.series] == [("PESQ", [10, 20], [2.5, 2.64])]


def test_cells_with_units(tmp_path: Path) -> None:
    table = "Epoch | Loss | Val SI-SNR | Time\n---\n 1 | 0.2 | 7.1 dB | 12.3s\n 2 | 0.1 | -8.4 dB | 12.1s\n"
    (run,) = runs(tmp_path, "train.log", table)
    assert {s.name: list(s.ys) for s in run.series if s.role.kind == "metric"} == {"Val SI-SNR": [7.1, -8.4]}


def test_report_without_tables_of_evaluations_is_read_as_text(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, "log.md", "```\nEpoch 1 PESQ: 2.1\nEpoch 2 PESQ: 2.2\n```\n")
    assert pesq(run) == [(1, 2.1), (2, 2.2)]


def test_file_of_blanks_that_bytes_do_not_know_is_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        runs(tmp_path, "a.log", "\x1c\n\x85")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.csv", "epoch,phase,pesq,pesq_std\n" + rows("{e},train,9.9,0.6\n{e},val,{v},0.6\n")),
        (
            "log.jsonl",
            rows('{{"epoch": {e}, "split": "train", "pesq": 9.9}}\n{{"epoch": {e}, "split": "val", "pesq": {v}}}\n'),
        ),
    ],
)
def test_rows_of_training_and_evaluation_do_not_mix(tmp_path: Path, name: str, content: str) -> None:
    (run,) = runs(tmp_path, name, content)
    found = {s.name: list(s.ys) for s in run.series if s.role.kind == "metric"}
    assert found == {"train/pesq": [9.9] * 4, "val/pesq": PESQ}


def test_bad_cells_and_lines_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("epoch,pesq\n1,2.1\n2,oops\n3,2.3\n")
    (tmp_path / "b.jsonl").write_text('{"epoch": 1, "pesq": 2.1}\nnot json\n{"epoch": 2, "pesq": 2.2}\n')
    found = read_logs([tmp_path], RoleBook())
    assert [str(n).removeprefix(f"{tmp_path.as_posix()}/") for r in found.readings for n in r.notes] == [
        "a.csv:3: pesq: 'oops' is no number (1 such cell)",
        "b.jsonl:2: 1 line is no JSON; the first is here",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"pesq": [1, 2', "a.json:1: no JSON"),
        ("a.json", "[" * 100_000, "nested too deep"),
        ("a.json", "3", "a single value, no log"),
        ("a.csv", "just words\nand more\n", "no table of numbers"),
        ("a.log", "", "empty"),
        ("a.log", "\0\1\2" * 1000, "binary data, no log"),
        ("wandb-summary.yaml", "a: [1\nb: 2", "no YAML"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        runs(tmp_path, name, content)


def test_checkpoint_names(tmp_path: Path) -> None:
    for e, v in enumerate(PESQ, start=1):
        (tmp_path / f"CMGAN_epoch_{e}_{v / 10:.3f}").touch()
        (tmp_path / f"epoch={e}-val_pesq={v}.ckpt").touch()
    found = read_logs([tmp_path], RoleBook())
    (run,) = [run for reading in found.readings for run in reading.runs]
    assert pesq(run) == list(zip([1, 2, 3, 4], PESQ, strict=True))
    loss = next(s for s in run.series if s.role.kind == "loss")
    assert list(loss.ys) == [0.21, 0.235, 0.25, 0.258]


class _Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("harm"),)  # type: ignore[return-value]


def test_numbers_inside_checkpoints_are_read_without_running_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for e, v in enumerate(PESQ, start=1):
        saved = {"epoch": e, "pesq_score": v, "weights": _Harmful()}
        (tmp_path / f"model_{e}.pt").write_bytes(pickle.dumps(saved))
    (run,) = [run for reading in read_logs([tmp_path], RoleBook()).readings for run in reading.runs]
    assert pesq(run) == list(zip([1, 2, 3, 4], PESQ, strict=True))
    assert not (tmp_path / "harm").exists()


def notebook(*outputs: dict[str, object]) -> str:
    cells = [{"cell_type": "markdown", "source": ["PESQ: 3.41"]}]
    cells += [{"cell_type": "code", "source": ["print('PESQ: 3.41')"], "outputs": list(outputs)}]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_what_a_notebook_has_printed(tmp_path: Path) -> None:
    lines = [f"Epoch {e}, PESQ: {v}\n" for e, v in enumerate(PESQ, start=1)]
    content = notebook(
        {"output_type": "stream", "name": "stderr", "text": "\rEpoch 1:  50%|     | 1/2\rEpoch 1: 100%|#####| 2/2"},
        {"output_type": "stream", "name": "stdout", "text": lines[:2]},
        {"output_type": "stream", "name": "stdout", "text": "".join(lines[2:])},
        {"output_type": "display_data", "data": {"text/plain": ["<Figure size 640x480>"], "image/png": "aGVsbG8="}},
    )
    (run,) = runs(tmp_path, "train.ipynb", content)
    assert pesq(run) == list(enumerate(PESQ, start=1))


@pytest.mark.parametrize("content", [notebook(), "[]", '{"cells": [1, {"outputs": [2, {"text": 3}]}]}'])
def test_a_notebook_without_outputs_holds_no_log(tmp_path: Path, content: str) -> None:
    assert runs(tmp_path, "train.ipynb", content) == []


def test_a_broken_notebook_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.ipynb:2: no notebook: "):
        runs(tmp_path, "train.ipynb", '{"cells":\n [}')


def test_lists_of_evaluations_and_of_steps_beside_each_other(tmp_path: Path) -> None:
    history = {"val_pesq": PESQ, "train_loss": [0.5] * 20, "step_loss": [0.6] * 400}
    (run,) = runs(tmp_path, "history.json", json.dumps(history))
    found = {series.name: (series.x_kind, list(series.xs)[:3]) for series in run.series}
    assert found == {
        "val_pesq": ("epoch", [5, 10, 15]),
        "train_loss": ("epoch", [1, 2, 3]),
        "step_loss": ("index", [1, 2, 3]),
    }


def test_a_training_whose_epochs_begin_anew_goes_on_by_its_steps(tmp_path: Path) -> None:
    epochs = [0.5, 1.0, 0.5, 1.0]  # streamed data, resumed: the epochs begin anew, the steps do not
    pairs = enumerate(zip(epochs, PESQ, strict=True))
    history: list[dict[str, float]] = [{"epoch": e, "step": 100 * i, "eval_pesq": v} for i, (e, v) in pairs]
    (run,) = runs(tmp_path, "trainer_state.json", json.dumps({"log_history": history}))
    assert pesq(run) == [(0, 2.1), (100, 2.35), (200, 2.5), (300, 2.58)]
    again = [{**record, "step": 100 * (i % 2)} for i, record in enumerate(history)]
    assert len(runs(tmp_path, "two.json", json.dumps(again))) == 2


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ([1, 2, None, 4], [1, 2, 3, 4]),
        ([None, 2, 3, 4], [1, 2, 3, 4]),
        ([1, 2, 3, None], [1, 2, 3, 4]),
        ([5, None, 10, 15], [5, 6, 10, 15]),
        ([1, None, 1, 2], [1, 1, 1, 2]),
    ],
)
def test_gaps_in_the_epochs_of_a_column_are_closed(
    tmp_path: Path, epochs: list[int | None], expected: list[int]
) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"epoch": epochs, "val_pesq": [2.1, 2.2, 2.3, 2.4]}))
    (series,) = read_logs([path], RoleBook()).readings[0].runs[0].series
    assert list(series.xs) == expected


def test_a_record_whose_epoch_is_nan_belongs_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f'{{"epoch": {e}, "val_pesq": {v}}}\n' for e, v in ((1, 2.1), ("NaN", 2.2), (3, 2.3))))
    (series,) = read_logs([path], RoleBook()).readings[0].runs[0].series
    assert list(series.xs) == [1, 1, 3]


@pytest.mark.parametrize(
    "line",
    [
        '{{"time": "2024-05-01T12:00:00", "level": "INFO", "message": "epoch {e} done: val_pesq={v} loss=0.2"}}\n',
        '{{"log": "Epoch {e}: loss 0.2, val PESQ {v}\\n", "stream": "stderr", "time": "2024-05-01T12:00:00.1Z"}}\n',
    ],
    ids=["logging", "a container"],
)
def test_a_log_that_stands_in_the_messages_of_records(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log.json"
    path.write_text("".join(line.format(e=e, v=v) for e, v in enumerate(PESQ, start=1)))
    (reading,) = read_logs([path], RoleBook()).readings
    (pesq,) = [series for series in reading.runs[0].series if series.role.measure == "pesq"]
    assert (list(pesq.xs), list(pesq.ys), list(pesq.places)) == ([1, 2, 3, 4], PESQ, [1, 2, 3, 4])


def test_runs_of_a_document_begin_at_a_record(tmp_path: Path) -> None:
    records = [{"epoch": e, "val_pesq": 2 + e / 10} for _ in range(2) for e in range(1, 6)]
    (tmp_path / "history.json").write_text(json.dumps(records, indent=2))
    (reading,) = read_logs([tmp_path / "history.json"], RoleBook()).readings
    assert [run.label for run in reading.runs] == ["run 1 of 2, from record 1", "run 2 of 2, from record 6"]


def test_a_record_without_a_counter_behind_all_others_is_no_evaluation_of_the_course(tmp_path: Path) -> None:
    records = [{"epoch": e, "pesq": v} for e, v in enumerate(PESQ, start=1)]
    text = "".join(json.dumps(record) + "\n" for record in [*records, {"final": True, "pesq": 2.7, "best_epoch": 4}])
    (run,) = runs(tmp_path, "final.jsonl", text)
    found = {s.name: list(s.ys) for s in run.series if s.role.measure == "pesq"}
    assert found == {"pesq": PESQ, "pesq (after the training)": [2.7]}
    text = "".join(json.dumps(record) + "\n" for record in [*records[:3], {"pesq": 2.51}, records[3]])
    (run,) = runs(tmp_path, "between.jsonl", text)
    assert [s.name for s in run.series] == ["pesq"] and pesq(run)[-1] == (4, PESQ[3])
    # Where scores stand in records of their own, without a counter, they are of the epoch above.
    text = "".join(f'{{"epoch": {e}, "loss": 0.3}}\n{{"pesq": {v}}}\n' for e, v in enumerate(PESQ, start=1))
    (run,) = runs(tmp_path, "apart.jsonl", text)
    assert pesq(run) == list(enumerate(PESQ, start=1))
