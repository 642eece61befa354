"""Whose a value of a text log is: of which evaluation, epoch and process, and what is none at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook, infer
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.logs.series import Reading
from cmgan_audit.rules.catalogue import load_catalogue

PESQ = [2.1, 2.35, 2.5, 2.58]


def read(folder: Path, text: str | bytes) -> Reading:
    path = folder / "train.log"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_text(path, "train.log", RoleBook())


def judged(folder: Path, text: str | bytes, name: str = "train.log") -> Judgement:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    catalogue = load_catalogue()
    return judge(
        read_logs([path], RoleBook(), None).readings, Question(), catalogue, frozenset(rule.id for rule in catalogue)
    )


def courses(reading: Reading, measure: str = "pesq") -> dict[str, tuple[str, list[float], list[float]]]:
    return {
        s.name: (s.x_kind, list(s.xs), list(s.ys))
        for run in reading.runs
        for s in run.series
        if s.role.measure == measure
    }


def test_the_evaluation_of_the_first_value_is_that_of_the_scores_behind_it(tmp_path: Path) -> None:
    text = "".join(
        f"[Train Loss: 0.{9 - e} | SI-SDRi: {e + 6}.1]\n[Val Loss: 0.{9 - e} | SI-SDRi: {8 - e}.2]\n" for e in range(6)
    )
    found = courses(read(tmp_path, text), "si_sdr")
    assert found["SI-SDRi (val)"][2] == [8.2, 7.2, 6.2, 5.2, 4.2, 3.2]
    assert [one.series.name for one in judged(tmp_path, text).judged] == ["SI-SDRi (val)"]


@pytest.mark.parametrize(
    "line",
    [
        "Epoch {e}: train_loss: 0.2, val_loss: 0.3, PESQ: {v}\n",
        "Epoch {e}: loss: 0.2 - pesq: {v} - val_loss: 0.3 - val_stoi: 0.9\n",
    ],
)
def test_but_not_where_training_speaks_too_or_first(tmp_path: Path, line: str) -> None:
    text = "".join(line.format(e=e, v=v) for e, v in enumerate(PESQ))
    assert [s.role.phase for s in read(tmp_path, text).runs[0].series if s.role.measure == "pesq"] == [""]


def test_a_pair_without_a_name_is_no_epoch_under_named_ones(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e}\n[{100 * e}, 362] loss: 0.{e}\nval PESQ: {v}\n" for e, v in enumerate(PESQ))
    assert courses(read(tmp_path, text)) == {"val PESQ": ("epoch", [0, 1, 2, 3], PESQ)}


def test_two_numbers_that_are_no_counters(tmp_path: Path) -> None:
    text = "".join(f"[0.5, 0.9] PESQ: {v}\n" for v in PESQ)
    assert courses(read(tmp_path, text)) == {"PESQ": ("index", [0, 1, 2, 3], PESQ)}


def test_a_checkpoint_that_is_saved_is_not_the_one_that_is_evaluated(tmp_path: Path) -> None:
    text = "Loading pretrained ./ckpt/epoch_50.pth\n" + "".join(
        f"PESQ: {v}\nsaved ckpt/epoch_{e}.pth\n" for e, v in enumerate(PESQ)
    )
    assert courses(read(tmp_path, text)) == {"PESQ": ("index", [0, 1, 2, 3], PESQ)}


def test_scores_of_files_under_one_checkpoint_stay_in_their_order(tmp_path: Path) -> None:
    text = "Loading ./ckpt/epoch_50.pth\n" + "".join(f"PESQ: {v}\n" for v in PESQ)
    assert courses(read(tmp_path, text)) == {"PESQ": ("index", [0, 1, 2, 3], PESQ)}


def test_epochs_that_are_named_above_stay_above(tmp_path: Path) -> None:
    text = "PESQ: 1.97\n" + "".join(f"Epoch {e}\nPESQ: {v}\n" for e, v in enumerate(PESQ))
    found = [s for s in read(tmp_path, text).runs[0].series if s.x_kind == "epoch"]
    assert [list(s.ys) for s in found] == [PESQ]


def test_a_host_that_is_called_gpu_1_is_no_second_process(tmp_path: Path) -> None:
    text = "".join(f"[gpu-1] Epoch {e} valid PESQ: {v}\n" for e, v in enumerate(PESQ))
    assert courses(read(tmp_path, text)) == {"valid PESQ": ("epoch", [0, 1, 2, 3], PESQ)}


def test_a_second_process_beside_the_first_stays_one(tmp_path: Path) -> None:
    text = "".join(f"[rank{r}] Epoch {e} valid PESQ: {v + r / 10}\n" for e, v in enumerate(PESQ) for r in range(2))
    assert list(courses(read(tmp_path, text))) == ["valid PESQ", "valid PESQ [rank 1]"]


def test_a_number_that_is_cut_off_with_its_log(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e} PESQ {v:.3f}\n" for e, v in enumerate(PESQ)) + "Epoch 4 PESQ 2."
    reading = read(tmp_path, text)
    assert courses(reading) == {"PESQ": ("epoch", [0, 1, 2, 3], PESQ)}
    assert "the last line is cut in the middle of a number, and left out" in [note.text for note in reading.notes]


def test_a_whole_number_at_the_end_of_a_pasted_log_counts(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e} PESQ {v}\n" for e, v in enumerate(PESQ)) + "Epoch 4 PESQ 2.6"
    assert courses(read(tmp_path, text)) == {"PESQ": ("epoch", [0, 1, 2, 3, 4], [*PESQ, 2.6])}


def test_a_block_of_zeros_in_the_middle_of_a_log(tmp_path: Path) -> None:
    lines = [f"Epoch {e} PESQ {v}\n".encode() for e, v in enumerate(PESQ)]
    text = b"".join(lines[:2]) + bytes(5000) + b"".join(lines[2:])
    (only,) = judged(tmp_path, text).judged
    assert list(only.series.ys) == PESQ


def test_behind_a_bar_that_was_not_finished_a_name_begins(tmp_path: Path) -> None:
    text = "".join(f"epoch: {e}/9:   0%|    | 0/896 [00:00<?, ?it/s]eval pesq: {v}\n" for e, v in enumerate(PESQ))
    assert [s.role.phase for s in read(tmp_path, text).runs[0].series] == ["eval"]


def test_a_pesq_that_is_switched_off_leaves_the_others_to_be_judged(tmp_path: Path) -> None:
    text = "".join(f"Epoch {e}: train=4.{e} sisnr=1{e}.7 pesq=0.00000 stoi=0.00000\n" for e in range(5))
    judgement = judged(tmp_path, text)
    assert [one.series.name for one in judgement.judged] == ["sisnr"]
    assert [(f.rule, f.severity) for f in judgement.findings] == [("CMG804", Severity.WARNING)]


def test_a_log_of_nothing_but_zeros_is_an_error(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "".join(f"Epoch {e}: pesq=0.0\n" for e in range(5)))
    assert [(f.rule, f.severity) for f in judgement.findings] == [("CMG804", Severity.ERROR)]


def test_one_zero_beside_other_scores_is_an_error(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "Evaluation: sisnr=11.7 pesq=0.00000 stoi=0.91\n")
    assert [(f.rule, f.severity) for f in judgement.findings] == [("CMG804", Severity.ERROR)]


def test_final_scores_under_other_learning_rates_are_of_other_trainings(tmp_path: Path) -> None:
    text = "".join(f"lr=1e-{n} final PESQ {2.8 - n / 5:.1f}\n" for n in range(2, 6))
    assert not judged(tmp_path, text).judged


@pytest.mark.parametrize(
    ("name", "measure", "higher"),
    [
        ("Short-Time Objective Intelligibility (STOI)", "stoi", True),
        ("Evaluation of Speech Quality (PESQ)", "pesq", True),
        ("Mel Cepstral Distortion (MCD)", "mcd", False),
        ("val_mcd", "mcd", False),
        ("SI-SDR improvement", "si_sdr", True),
        ("fwSegSNR", "ssnr", True),
        ("SIG", "dnsmos", True),
        ("crossval pesq", "pesq", True),
    ],
)
def test_names_of_the_field(name: str, measure: str, higher: bool) -> None:
    role = infer(name)
    assert (role.kind, role.measure, role.higher_is_better) == ("metric", measure, higher)


@pytest.mark.parametrize("name", ["PESQ improvement", "loss improvement", "drop in PESQ", "improvement (PESQ)"])
def test_changes_are_no_scores(name: str) -> None:
    assert infer(name).kind == "other"


def test_sig_and_bak_count_beside_the_overall_score_only(tmp_path: Path) -> None:
    alone = "".join(f"epoch {e} sig: {v} bak: 4.0\n" for e, v in enumerate(PESQ))
    beside = "".join(f"epoch {e} OVRL: {v} SIG: 3.4 BAK: 4.0\n" for e, v in enumerate(PESQ))
    assert not judged(tmp_path, alone).judged
    assert [one.series.name for one in judged(tmp_path, beside).judged] == ["OVRL", "SIG", "BAK"]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [0, 3, 1, 2]])
def test_checkpoints_named_in_a_table(tmp_path: Path, order: list[int]) -> None:
    text = "checkpoint,pesq\n" + "".join(f"ckpt/CMGAN_epoch_{e}_0.{e}21,{PESQ[e]}\n" for e in order)
    (only,) = judged(tmp_path, text, "scores.csv").judged
    assert (list(only.series.xs), list(only.series.ys)) == ([0, 1, 2, 3], PESQ)


def test_a_table_that_begins_with_the_last_epoch(tmp_path: Path) -> None:
    text = "epoch,loss,pesq\n" + "".join(f"{e},0.{9 - e},{PESQ[e]}\n" for e in (3, 2, 1, 0))
    (only,) = judged(tmp_path, text, "history.csv").judged
    assert (list(only.series.xs), list(only.series.ys)) == ([0, 1, 2, 3], PESQ)


def test_tables_of_three_runs_stay_three(tmp_path: Path) -> None:
    text = "epoch,pesq\n" + "".join(f"{e},{PESQ[e]}\n" for _ in range(3) for e in (1, 2, 3))
    assert len(judged(tmp_path, text, "history.csv").judged) == 3


@pytest.mark.parametrize(
    "line",
    [
        "PESQ @ {snr} dB: {v}",
        "PESQ@{snr}dB: {v}",
        "PESQ at SNR {snr}: {v}",
        "PESQ at {snr} dB SNR: {v}",
        "PESQ (SNR={snr}): {v}",
        "PESQ ({snr} dB): {v}",
        "PESQ [SNR {snr} dB] = {v}",
    ],
)
def test_the_snr_of_the_mixtures_is_no_score(tmp_path: Path, line: str) -> None:
    lines = [
        f"Epoch {e}\n" + "".join(line.format(snr=snr, v=v + snr / 20) + "\n" for snr in (-5, 0, 10))
        for e, v in enumerate(PESQ)
    ]
    (found,) = courses(read(tmp_path, "".join(lines))).values()
    assert found[2] == [v + snr / 20 for v in PESQ for snr in (-5, 0, 10)]


@pytest.mark.parametrize(
    ("line", "measure"),
    [("SI-SNR: {v} dB", "si_sdr"), ("output SNR {v} dB | SNR gain: 3.1 dB", "si_sdr"), ("PESQ {v}: saved", "pesq")],
)
def test_a_score_in_db_is_no_condition(tmp_path: Path, line: str, measure: str) -> None:
    text = "".join(f"Epoch {e} " + line.format(v=v) + "\n" for e, v in enumerate(PESQ))
    assert [found[2] for found in courses(read(tmp_path, text), measure).values()] == [PESQ]


@pytest.mark.parametrize("what", ["stage 1", "gpu 0", "exp 3", "model 2", "cv split 4"])
def test_what_is_numbered_before_the_epoch_is_no_epoch(tmp_path: Path, what: str) -> None:
    text = "".join(f"{what} epoch {e} PESQ {v}\n" for e, v in enumerate(PESQ))
    (series,) = [s for s in read(tmp_path, text).runs[0].series if s.role.measure == "pesq"]
    assert list(series.xs) == [0, 1, 2, 3]


@pytest.mark.parametrize("said", ["{e} epoch 120 iterations", "after {e} epoch 120 s", "finished {e} epoch"])
def test_an_epoch_may_stand_before_its_word(tmp_path: Path, said: str) -> None:
    text = "".join(f"{said.format(e=e)}, PESQ {v}\n" for e, v in enumerate(PESQ))
    (series,) = [s for s in read(tmp_path, text).runs[0].series if s.role.measure == "pesq"]
    assert list(series.xs) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "line",
    [
        "epoch {e} Val SI-SDR: 12.1 dB  Val PESQ: {p}\n",
        "epoch {e} Val SI-SDR 12.1 dB Val PESQ {p}\n",
        "epoch {e} complete  train_sisdr_db 13.2  Val PESQ {p}\n",
    ],
)
def test_the_unit_of_a_number_is_no_part_of_the_next_name(tmp_path: Path, line: str) -> None:
    text = "".join(line.format(e=e, p=p) for e, p in enumerate(PESQ, start=1))
    reading = read(tmp_path, text)
    assert courses(reading) == {"Val PESQ": ("epoch", [1, 2, 3, 4], PESQ)}
    assert len(courses(reading, "si_sdr")) == 1


def test_a_row_of_the_input_alone_is_no_course_of_the_network(tmp_path: Path) -> None:
    text = "".join(f"epoch {e}\nModel  PESQ  STOI\nNoisy  1.97  0.92\nOurs  {p}  0.93\n" for e, p in enumerate(PESQ))
    assert courses(read(tmp_path, text)) == {}


@pytest.mark.parametrize(
    ("said", "counted_on"),
    [
        ("Resuming training from ckpt/last.pth", True),
        ("Continuing from epoch 8", True),
        ("Resuming from ckpt/best.pth (epoch 7)", True),
        ("resume: False", False),
        ("Resumed from: None", False),
        ("Not resuming from a checkpoint", False),
        ("Checkpoint broken, continuing from scratch", False),
        ("Continuing from the pretrained weights vctk.pth", False),
        ("Resuming from epoch 0", False),
        ("Resuming from epoch 1", False),
        ("Resuming from exp/other.pth (epoch 120)", False),
    ],
)
def test_a_fall_where_a_resumed_training_counts_anew(tmp_path: Path, said: str, counted_on: bool) -> None:
    rise, low = [2.1, 2.2, 2.3, 2.4, 2.5, 2.55, 2.6, 2.64], [2.2, 2.21, 2.2, 2.19, 2.21, 2.2, 2.2, 2.2]
    first, second = ("".join(f"Epoch {e}/8 PESQ {p}\n" for e, p in enumerate(part, start=1)) for part in (rise, low))
    found = judged(tmp_path, f"{first}{said}\n{second}")
    declines = [(f.severity, f.evidence["since"]) for f in found.findings if f.rule == "CMG801"]
    assert declines == ([(Severity.ERROR, 9)] if counted_on else [])
    assert len({id(one.run) for one in found.judged}) == 2 - counted_on
