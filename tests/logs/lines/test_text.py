"""Text logs: lines as public repositories print them, and what must not be read as a metric."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cmgan_audit.logs import runs as runs_module
from cmgan_audit.logs.lines import text as text_module
from cmgan_audit.logs.selection.choosing import chosen_series
from tests.logs.lines.reading import PESQ, named, only, read

# {e}: epoch, {v}: PESQ. The source is the print statement of the named repository.
LINES = {
    "ruizhecao96/CMGAN, Fazazl2020/CMGAN": (
        "GPU: 0, Epoch {e}, Step 500, loss: 0.1{e}, disc_loss: 0.01\n"
        "GPU: 0, Test Gen loss: 0.11{e}, Disc loss: 0.02, PESQ: {v}\n"
    ),
    "ruizhecao96/CMGAN evaluation.py": "Epoch {e}\npesq:  {v} csig:  4.1 cbak:  3.3 covl:  3.4 stoi:  0.92\n",
    "KhanhNguyen4999/cmgan_denoiser": (
        "\x1b[1m     Evaluation Summary:  | Epoch {e} | Pesq {v} | Csig 1.1 | Stoi 0.68\x1b[0m\n"
        "INFO:utils:\x1b[1m     Evaluation Summary:  | Epoch {e} | Pesq {v} | Csig 1.1 | Stoi 0.68\x1b[0m\n"
    ),
    "Fazazl2020/CMGAN, epoch summary": (
        "Epoch {e} Summary:\n  Train Loss: 0.12, Disc Loss: 0.01\n  Test Loss: 0.13, Test PESQ: {v}\n"
        "  Best Model: NO (Best Loss: 0.12)\n"
    ),
    "facebookresearch/denoiser": (
        "[2024-01-02 10:11:12][denoiser.solver][INFO] - Overall Summary | Epoch {e} | Train 0.1 | Valid 0.2 | Best 0.2 "
        "| Pesq {v} | Stoi 0.93\n"
    ),
    "yxlu-0102/MP-SENet": (
        "Epoch: 1\nSteps : {e}000, Gen Loss: 0.1, s/b : 0.1\nSteps : {e}000, PESQ Score: {v}, s/b : 0.1\n"
    ),
    "1NEYRON1/MP-SENet-upgrade": (
        "Validation step {e}00 | PESQ={v} Mag=0.0190 Pha=2.53 Com=0.12 STFT=0.006\nNew best PESQ: {v}, saved g_best\n"
    ),
    "winddori2002/MANNER": (
        "epoch: 00{e} | trn loss: 0.1234 | val loss: 0.2345\nSet: Val | PESQ: {v} | STOI: 0.9123 \n"
    ),
    "wooseok-shin/MetricGAN-plus-pytorch": "Epoch:{e} | Test PESQ:{v} | Test CSIG:3.1 | Test CBAK:3.0\n",
    "key2miao/TSTNN": (
        "iter = 9/10, epoch = {e}/100, loss = 0.1\n"
        "After {e} epoch the performance on validation score is a s follows:\nAvg_loss: 0.1\nPESQ: {v}\n"
    ),
    "Vitalik-ctrl/speech-enhancement-cmgan": (
        "2025-01-02 10:11:12,345 - INFO - Epoch {e} Summary | Avg Eval Loss G: 0.1 | Avg Eval Loss D: 0.2 "
        "| Avg Eval PESQ: {v}\n"
    ),
    "Xiaobin-Rong/SEtrain": (
        "validate[{e}/100][2024-01-02-10:11]: 100%|##| 9/9 [00:10<00:00, 9.9it/s, valid_loss=0.12, pesq={v}]\n"
    ),
    "speechbrain train_log.txt": (
        "epoch: {e}, lr: 1.00e-04 - train loss: 1.2e-01 - valid loss: 0.2, valid pesq: {v}, valid stoi: 0.9\n"
    ),
    "sp-uhh/sgmse": "Epoch {e}\nPESQ: {v} ± 0.61\n",
    "Keras": "Epoch {e}/120\n9/9 [====] - 3s 6ms/step - loss: 0.2 - val_loss: 0.1 - val_pesq: {v}\n",
    "loguru": (
        "\x1b[32m2024-01-02 10:11:12.345\x1b[0m | \x1b[1mINFO    \x1b[0m | \x1b[36m__main__\x1b[0m:"
        "\x1b[36mtrain\x1b[0m:"
        "\x1b[36m123\x1b[0m - \x1b[1mepoch: {e} | train loss: 0.1 | PESQ: {v}\x1b[0m\n"
    ),
    "absl": "I0102 10:11:12.345678 1234 train.py:56] Epoch {e} val/pesq: {v}\n",
    "dictionary": "{{'epoch': {e}, 'pesq': {v}, 'loss': 0.1}}\n",
    "bracketed epoch": "Epoch [{e}/120] train_loss=0.12 val_pesq={v} stoi=0.91\n",
    "tensor": "Epoch {e}: loss tensor(0.1, device='cuda:0'), pesq: tensor({v})\n",
    "numpy scalar": "epoch {e} {{'pesq': np.float64({v})}}\n",
    "words": "[Epoch {e}] PESQ is {v}; loss is 0.11\n",
    "arrow": "{e}Epoch start\nPesq (dev) -> {v}\n",
    "banner": "===== {e} epoch =====\nPESQ-WB: {v}, SI-SDR: 17.1 dB\n",
    "step": "step {e}000: pesq_wb {v} stoi 0.91\n",
    "train/evaluation pair": 'Epoch {e}:\n  loss=0.31/0.28\n  pesq="N/A"/{v}\n  lr=0.001000\n',
    "windows": "Epoch {e}, PESQ: {v}\r\n",
    "progress bar": (
        "Epoch {e}:  10%|#  | 1/10 [00:01<00:09, 9.9it/s, loss=0.5, pesq=1.1]\r"
        "Epoch {e}: 100%|###| 10/10 [00:10<00:00, 9.9it/s, loss=0.1, pesq={v}]\n"
    ),
}


@pytest.mark.parametrize("source", LINES)
def test_reads_the_pesq_of_every_epoch(tmp_path: Path, source: str) -> None:
    content = "".join(LINES[source].format(e=e, v=v) for e, v in enumerate(PESQ, start=1))
    series = only(read(tmp_path, content))
    assert list(series.ys) == PESQ
    scale = {"yxlu-0102/MP-SENet": 1000, "1NEYRON1/MP-SENet-upgrade": 100, "step": 1000}.get(source, 1)
    assert list(series.xs) == [e * scale for e in (1, 2, 3, 4)]


def test_saved_and_best_values_are_no_evaluations_of_their_own(tmp_path: Path) -> None:
    content = "".join(
        f"Epoch {e}, PESQ: {v}\n*** New best model! Epoch: {e}, Loss: 0.1, PESQ: {v} ***\n"
        for e, v in enumerate(PESQ, start=1)
    )
    reading = read(tmp_path, content)
    assert list(only(reading).ys) == PESQ
    assert list(only(reading, kind="best").ys) == PESQ


@pytest.mark.parametrize(
    "line",
    [
        "p232_001.wav PESQ: 2.31",
        "  [5-10 shot.mkv] pred 3 / gt 4  (err -1; tp 3 fp 0)",
        "2022-11-25 02:43:17",
        "Loaded 824 files from data/test.txt",
        "Total params: 1,670,929",
        "│    └─TSCB: 2-2      [4, 64, 321, 101]         --",
        "PESQ:  [ 2.67021322  3.03289628  3.70540762]",
        'File "train.py", line 193, in <module>',
        "Epochs: 100, Batch size: 4",
        "Namespace(epoch=120, lr=0.0005, pesq=2.0)",
        "",
    ],
)
def test_reads_no_metric_from(tmp_path: Path, line: str) -> None:
    reading = read(tmp_path, f"{line}\n" * 3)
    assert [s.name for run in reading.runs for s in run.series if s.role.kind in ("metric", "loss")] == []


def test_same_message_of_two_handlers_counts_once(tmp_path: Path) -> None:
    lines = [f"Epoch {e} | PESQ 2.{e} | loss 0.0\n" for e in range(1, 5)]
    reading = read(tmp_path, "".join(line + "INFO:root:" + line for line in lines))
    assert len(only(reading)) == 4
    assert any("4 lines repeat" in note.text for note in reading.notes)


def test_equal_losses_in_a_row_are_two_values(tmp_path: Path) -> None:
    reading = read(tmp_path, "disc_loss: 0.0\ndisc_loss: 0.0\ndisc_loss: 0.0\n")
    assert [len(s) for run in reading.runs for s in run.series] == [3]


def test_not_finite_values_are_kept(tmp_path: Path) -> None:
    reading = read(tmp_path, "Epoch 1, loss: 0.2, pesq: 2.1\nEpoch 2, loss: nan, pesq: -inf\n")
    loss, pesq = reading.runs[0].series
    assert math.isnan(loss.ys[1])
    assert pesq.ys[1] == -math.inf


def test_processes_of_one_training_do_not_mix(tmp_path: Path) -> None:
    content = "".join(f"GPU: {r}, Epoch {e}, Step 1, loss: 0.{r}{e}\n" for e in range(1, 5) for r in (1, 0))
    reading = read(tmp_path, content)
    assert len(reading.runs) == 1
    assert {s.name: list(s.ys) for s in reading.runs[0].series} == {
        "loss": [0.01, 0.02, 0.03, 0.04],
        "loss [rank 1]": [0.11, 0.12, 0.13, 0.14],
    }


def test_a_number_that_counts_no_process(tmp_path: Path) -> None:
    assert named(read(tmp_path, "GPU: 1e999, Epoch 1, PESQ: 2.5\n")) == {"PESQ": [2.5]}


def test_printed_sentinels_are_counted_over_wrapped_lines(tmp_path: Path) -> None:
    reading = read(tmp_path, "Epoch 1\nPESQ:  [ 2.67 -1.   3.70\n -1.    2.90]\nEpoch 1 | loss 0.1\n")
    batch = reading.runs[0].printed["PESQ"]
    assert (batch.values, batch.sentinels, batch.first_place) == (5, 2, 2)


def test_jumping_over_steady_lines_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "POINT_LIMIT", 256)
    lines = [f"GPU: 0, Epoch {i // 700}, Step {i}, loss: {i / 7:.6f}, disc_loss: {i / 9:.6f}\n" for i in range(9000)]
    lines[5000] = "Test PESQ: 2.5\n"
    fast = read(tmp_path, "".join(lines))
    monkeypatch.setattr(text_module, "is_thinned", lambda *_: False)
    slow = read(tmp_path, "".join(lines))
    assert fast.notes == slow.notes
    for one, other in zip(fast.runs[0].series, slow.runs[0].series, strict=True):
        assert (one.xs, one.ys, one.places, one.seen) == (other.xs, other.ys, other.places, other.seen)
    assert fast.runs[0].series[0].stride > 4


def test_a_drawn_frame_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert only(read(tmp_path, "│ val_pesq │ 2.1 │\n│ val_pesq │ 2.2 │\n")).name == "val_pesq"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Epoch {e} | PESQ noisy: 1.97 -> enhanced: {v}\n", "PESQ enhanced"),
        ("Epoch {e} | PESQ: 1.97 -> {v}\n", "PESQ (after)"),
        ("Epoch {e} | pesq: 1.97 to {v}\n", "pesq (after)"),
    ],
)
def test_scores_before_and_after_enhancement(tmp_path: Path, line: str, name: str) -> None:
    reading = read(tmp_path, "".join(line.format(e=e, v=v) for e, v in enumerate(PESQ)))
    assert named(reading)[name] == PESQ
    assert [series.name for series in chosen_series(reading.runs[0], ())[0]] == [name]


def test_an_improved_best_value_is_no_score_of_two_signals(tmp_path: Path) -> None:
    reading = read(tmp_path, "Epoch 00003: val_pesq improved from 2.60 to 2.64, saving model\n")
    assert not any(series.role.kind == "metric" for run in reading.runs for series in run.series)


def test_processes_named_in_one_word(tmp_path: Path) -> None:
    lines = "".join(f"[rank{r}] Epoch {e} | val_pesq {v + r / 10:.2f}\n" for e, v in enumerate(PESQ) for r in (0, 1))
    reading = read(tmp_path, lines)
    assert named(reading)["val_pesq"] == PESQ
    assert [series.name for series in chosen_series(reading.runs[0], ())[0]] == ["val_pesq"]


SAID_BEFORE = {
    "Validation PESQ after epoch {e}: {v}\n": "Validation PESQ",
    "PESQ at epoch {e} = {v}\n": "PESQ",
    "epoch {e}: mean PESQ over 824 files: {v}\n": "mean PESQ",
    "Epoch {e} PESQ (824 utts): {v}, STOI (824 utts): 0.9{e}\n": "PESQ",
    "--- epoch {e} ---\nAverage PESQ for 824 files is {v}\n": "Average PESQ",
    "Epoch {e} PESQ - train: 2.8, val: {v}, noisy: 1.97\n": "PESQ val",
    "PESQ(time/N, lr=1.5e-05) - Epoch {e}: train = +2.8(109.42m/11079) | dev = +{v}(10.35m/2802)\n": "PESQ dev",
    "Epoch {e}/9\n----------\ntrain Loss: 0.2{e} PESQ: 2.8\nval Loss: 0.3{e} PESQ: {v}\n": "PESQ (val)",
    "Saving dict for global step {e}: global_step = {e}, loss = 0.2{e}, pesq = {v}\n": "pesq",
}


@pytest.mark.parametrize("line", SAID_BEFORE)
def test_a_name_that_was_said_before_another_number(tmp_path: Path, line: str) -> None:
    reading = read(tmp_path, "".join(line.format(e=e, v=v) for e, v in enumerate(PESQ, start=1)))
    (chosen,), certain = chosen_series(reading.runs[0], ())
    assert (chosen.name, list(chosen.xs), list(chosen.ys)) == (SAID_BEFORE[line], [1, 2, 3, 4], PESQ)
    assert certain


@pytest.mark.parametrize(
    "line",
    [
        "Best PESQ at epoch 3: 2.64\n",
        "PESQ failed for 12 files: 3\n",
        "Error reading the train list of today: 3\n",
    ],
)
def test_a_name_that_is_no_measure_of_what_follows(tmp_path: Path, line: str) -> None:
    assert not any(s.role.kind == "metric" for run in read(tmp_path, line).runs for s in run.series)


def test_a_heading_that_counts_from_1_over_lines_that_count_from_0_is_no_restart(tmp_path: Path) -> None:
    text = "".join(
        f"---- Epoch {e + 1}/4 ----\nepoch {e} | train_loss: 0.{9 - e} | val_PESQ: {v}\n" for e, v in enumerate(PESQ)
    )
    (run,) = read(tmp_path, text).runs
    assert (run.restarts, run.superseded) == ([], 0)
    assert [list(series.xs) for series in run.series] == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_accuracies_may_stand_without_a_colon(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e} train_loss 2.{9 - e} valid_acc 0.{e}1 took 3 s per 100\n" for e in range(4))
    (run,) = read(tmp_path, text).runs
    assert [(series.name, list(series.xs)) for series in run.series if series.role.kind == "metric"] == [
        ("valid_acc", [0, 1, 2, 3])
    ]


@pytest.mark.parametrize("between", [",", ", ", ",-", " , "])
def test_many_numbers_of_one_line(tmp_path: Path, between: str) -> None:
    numbers = between.join(["1.5", "2.5", "3.5", "4.5"])
    content = "".join(f"epoch {e} losses of the batches: {numbers}, mean pesq: 2.{e}\n" for e in range(4))
    assert list(only(read(tmp_path, content)).ys) == [2.0, 2.1, 2.2, 2.3]


def test_a_log_of_one_long_line_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "BLOCK", 500)
    content = "".join(f"\rEpoch {e}: {e + 100}it [00:10, 9.1it/s, loss=0.{e + 10}, pesq=2.{e + 10}]" for e in range(90))
    sizes: list[int] = []
    block = text_module._TextScan.block
    monkeypatch.setattr(text_module._TextScan, "block", lambda scan, part: sizes.append(len(part)) or block(scan, part))
    assert list(only(read(tmp_path, content)).ys) == [float(f"2.{e + 10}") for e in range(90)]
    assert len(sizes) > 5 and max(sizes) < 1100


@pytest.mark.parametrize("name", ["Prec@1", "Acc@1", "acc@1", "Accuracy@1:"])
def test_the_rank_of_an_accuracy_is_a_part_of_its_name(tmp_path: Path, name: str) -> None:
    log = "".join(
        f"Epoch {e}\n * {name} {v}   {name[:-2] if name[-1] == ':' else name[:-1]}5 9{v}\n" for e, v in enumerate(PESQ)
    )
    series = only(read(tmp_path, log), "accuracy")
    assert list(zip(series.xs, series.ys, strict=True)) == list(enumerate(PESQ))


@pytest.mark.parametrize(
    "line",
    [
        "val.pesq: {}",
        "val.pesq = {}",
        "val.pesq={} val.stoi=0.9",
        "val.pesq: {}, val.stoi: 0.9",
        "val.pesq: {} val.stoi: 0.9",
        "x.pesq: {}",
    ],
)
def test_a_name_with_dots_at_the_beginning_is_no_module(tmp_path: Path, line: str) -> None:
    log = "".join(f"epoch {e}\n{line.format(v)}\n" for e, v in enumerate(PESQ))
    assert list(only(read(tmp_path, log)).ys) == PESQ


@pytest.mark.parametrize("prefix", ["espnet.trainer:12 ", "espnet.trainer: ", "espnet.trainer:12: "])
def test_a_module_at_the_beginning_is_none_of_the_name(tmp_path: Path, prefix: str) -> None:
    log = "".join(f"epoch {e}\n{prefix}PESQ: {v}\n" for e, v in enumerate(PESQ))
    series = only(read(tmp_path, log))
    assert (series.name, list(series.ys)) == ("PESQ", PESQ)


def test_a_normalised_score_may_stand_behind_its_name_without_a_sign(tmp_path: Path) -> None:
    line = "Epoch {} | G loss 0.0572 | PESQ norm {} | grad norm 1.3\n"
    reading = read(tmp_path, "".join(line.format(e, y) for e, y in enumerate([0.31, 0.4, 0.43])))
    assert list(only(reading).ys) == [0.31, 0.4, 0.43]
    assert len(reading.runs[0].series) == 2
