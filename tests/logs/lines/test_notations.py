"""One collapse, as it would be logged in other notations: PESQ 2.64 at epoch 2, 2.20 at 7, 2.07 at 14, the loss falls.

The notations are styles of public repositories and of common libraries; the numbers are made up.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.rules.catalogue import load_catalogue

PESQ = [2.31, 2.55, 2.64, 2.61, 2.5, 2.41, 2.3, 2.2, 2.19, 2.21, 2.15, 2.13, 2.11, 2.09, 2.07]
LOSS = [0.2 * math.exp(-e / 9) + 0.05 for e in range(len(PESQ))]

# {e}: epoch, {p}: PESQ, {l}: loss, {s}: STOI; {best}: the best PESQ so far.
WITH_LOSS = {
    "SpeechBrain": "Epoch: {e}, lr: 1.00e-04 - train loss: {l:.2e} - valid loss: {l:.2e}, valid pesq: {p:.2f}\n",
    "ESPnet": (
        "[gpu-1] 2023-03-01 10:00:12,123 (trainer:354) INFO: {e}epoch results: [train] iter_time=0.012, loss={l:.3f}, "
        "optim0_lr0=0.001, total_count=1200, [valid] loss={l:.3f}, pesq_wb={p:.3f}, time=32.1 seconds, total_count=20\n"
    ),
    "Trainer of transformers": (
        "{{'loss': {l:.4f}, 'learning_rate': 1e-4, 'epoch': {e}.0}}\n"
        "{{'eval_loss': {l:.4f}, 'eval_pesq': {p}, 'eval_runtime': 12.3, 'epoch': {e}.0}}\n"
    ),
    "the letter E": "[E{e:03d}] loss={l:.4f} => PESQ={p:.3f} (best {best:.3f})\n",
    "a glued epoch": "epoch{e:02d} loss {l:.4f} pesq {p:.2f}\n",
    "at an epoch": "PESQ@ep{e}={p:.2f} loss@ep{e}={l:.3f}\n",
    "prose": "After epoch {e} the model reaches a PESQ of {p:.2f} on the validation set, with a loss of {l:.4f}.\n",
    "leaders": "===> Epoch [{e}/15]\n  valid/loss ...... {l:.4f}\n  valid/pesq ...... {p:.3f}\n",
    "Kaldi": "Iteration {e}: TRAIN AVG.LOSS {l:.4f}, (lrate1e-3) CROSSVAL AVG.LOSS {l:.4f} PESQ {p:.2f}, accepted\n",
    "PyTorch's tutorials": (
        "train [{e},   100] loss: {l:.3f}, pesq: 2.9\nvalid [{e},   824] loss: {l:.3f}, pesq: {p:.3f}\n"
    ),
    "round brackets": "({e}/15) train_loss_G {l:.4f} | val PESQ {p:.3f} | eta 1:02:03\n",
    "phases alone": "Epoch {e:02d} | train={l:.4f} val={l:.4f} | SI-SDR=12.1 PESQ={p:.2f} DER=0.21\n",
    "the epoch below": "loss {l:.4f} PESQ: {p:.3f}\nEpoch {e} done in 312 s\n",
    "logfmt": 'time="2024-01-01T00:00:00Z" level=info msg="eval done" epoch={e} pesq="{p:.2f}" loss="{l:.4f}"\n',
    "Korean": "[에포크 {e}/15] 훈련 손실: {l:.4f}, 검증 손실: {l:.4f}, 검증 PESQ: {p:.3f}, 학습률: 0.0005\n",
    "Japanese": "エポック {e}/15 - 学習損失: {l:.4f} - 検証損失: {l:.4f} - 検証PESQ: {p:.3f}\n",
    "Russian": "Эпоха {e} | Потери: {l:.4f} | PESQ (валидация): {p:.3f}\n",
    "French": "Époque {e}/15 - perte d'entraînement : {l:.4f} - perte de validation : {l:.4f} - PESQ moyen : {p:.3f}\n",
    "German, compounds": (
        "Epoche {e}/15: Trainingsverlust {l:.4f}, Validierungsverlust {l:.4f}; mittlerer PESQ {p:.2f}\n"
    ),
    "Spanish": "Época {e} | pérdida (entrenamiento): {l:.4f} | pérdida (validación): {l:.4f} | PESQ medio: {p:.3f}\n",
    "Chinese, over several lines": (
        "========== 第{e}轮 / 共15轮 ==========\n训练集平均损失: {l:.4f}\n验证集平均损失: {l:.4f}\n"
        "验证集PESQ得分: {p:.2f}, 准确率: 0.9{e:02d}\n耗时: 300秒\n"
    ),
    "a logger's name before its level": (
        "2024-05-01 12:00:00,123 trainer INFO: Sample: 10, PESQ: 2.9\n"
        "2024-05-01 12:00:01,123 trainer INFO: Epoch {e} done, loss: {l:.4f}, overall PESQ: {p:.3f}\n"
    ),
    "the scale in brackets": "Epoch {e:3d}/15 | loss {l:.4f} | PESQ (1-4.5): {p:.3f}\n",
    "out of the top": "Epoch {e:03d} finished in 5m10s: loss = {l:.4f}, PESQ = {p:.2f}/4.50 over 824 files\n",
    "German": "Epoche {e}: Verlust {l:.4f}, PESQ {p:.3f}\n",
    "a table of names and values": (
        "+-----------+--------+\n| Epoch {e:3d} |        |\n+-----------+--------+\n"
        "| loss      | {l:.4f} |\n| pesq_wb   | {p:.4f} |\n+-----------+--------+\n"
    ),
    "both phases behind losses": ("Epoch {e}: D_loss: 0.012 | G_loss: {l:.3f} | PESQ: train 2.9 / valid {p:.3f}\n"),
    "the epoch of the best": "[{e:03d}/015] loss={l:.4f} pesq={p:.3f} | best pesq so far {best:.3f} (epoch 2)\n",
    "signals as columns": (
        "== epoch {e} ==\nloss: {l:.4f}\nMetric   Noisy  Enhanced  Gain\nPESQ     1.97   {p:.2f}      +0.2\n"
    ),
    "signals between bars": (
        "Epoch {e}, loss {l:.4f}\n| Metric | Noisy | Enhanced |\n|--------|-------|----------|\n"
        "| PESQ | 1.97 | {p:.2f} |\n"
    ),
    "signals as rows": (
        "== epoch {e} ==\nloss: {l:.4f}\nSystem     PESQ   STOI\nnoisy      1.97   0.921\nenhanced   {p:.2f}   0.93\n"
    ),
    "signals as rows between bars": (
        "Epoch {e}, loss {l:.4f}\n| Signal | PESQ | STOI |\n|---|---|---|\n"
        "| Noisy | 1.97 | 0.921 |\n| Enhanced | {p:.2f} | 0.93 |\n"
    ),
}
WITHOUT_LOSS = {
    "CMGAN's checkpoints": "Evaluating ckpt/CMGAN_epoch_{e}_0.{e:03d}\npesq:  {p} csig:  4.1 cbak:  3.3 ssnr:  8.1\n",
    "loaded files": "Loading checkpoint ./ckpt/epoch_{e}.pth\nPESQ: {p:.3f}\n",
    "loaded epochs": "Loaded model from epoch {e}\nAverage PESQ: {p:.3f}\n",
    "commands": "$ python evaluation.py --model_path ckpt/epoch_{e}.pt --test_dir data/test\npesq: {p:.3f} stoi: 0.9\n",
    "names before scores": "epoch_{e}.pth\tPESQ={p:.3f}\tSTOI=0.91\n",
    "a long name": "Epoch {e} results\nPerceptual Evaluation of Speech Quality (PESQ): {p:.4f} (higher is better)\n",
}


def rows(notation: str) -> list[str]:
    return [
        notation.format(e=e, p=p, l=loss, best=max(PESQ[: e + 1]))
        for e, (p, loss) in enumerate(zip(PESQ, LOSS, strict=True))
    ]


def judged(tmp_path: Path, text: str, name: str = "train.log") -> Judgement:
    path = tmp_path / name
    path.write_text(text)
    catalogue = load_catalogue()
    return judge(
        read_logs([path], RoleBook(), None).readings, Question(), catalogue, frozenset(rule.id for rule in catalogue)
    )


@pytest.mark.parametrize("notation", [*WITH_LOSS.values(), *WITHOUT_LOSS.values()], ids=[*WITH_LOSS, *WITHOUT_LOSS])
def test_the_collapse_is_told_with_its_epochs(tmp_path: Path, notation: str) -> None:
    found = [f for f in judged(tmp_path, "".join(rows(notation))).findings if f.rule == "CMG801"]
    assert [finding.severity for finding in found] == [Severity.ERROR]
    assert "fell from 2.64 (epoch 2) to 2.07 (epoch 14)" in found[0].message.replace("step", "epoch")


@pytest.mark.parametrize("notation", WITH_LOSS.values(), ids=WITH_LOSS)
def test_and_that_the_loss_improved(tmp_path: Path, notation: str) -> None:
    assert "CMG802" in {finding.rule for finding in judged(tmp_path, "".join(rows(notation))).findings}


@pytest.mark.parametrize("notation", [*WITH_LOSS.values(), *WITHOUT_LOSS.values()], ids=[*WITH_LOSS, *WITHOUT_LOSS])
def test_three_evaluations_are_enough(tmp_path: Path, notation: str) -> None:
    lines = rows(notation)
    text = "".join(lines[e] for e in (2, 7, 14))
    found = [f for f in judged(tmp_path, text).findings if f.rule == "CMG801"]
    assert [finding.severity for finding in found] == [Severity.ERROR]
    assert "fell from 2.64 (epoch 2) to 2.07 (epoch 14)" in found[0].message.replace("step", "epoch")


@pytest.mark.parametrize("notation", list(WITHOUT_LOSS.values())[:-1], ids=list(WITHOUT_LOSS)[:-1])
def test_a_rise_in_the_order_of_a_folder_is_none(tmp_path: Path, notation: str) -> None:
    """`epoch_10` stands before `epoch_2`: the values would rise, fall and end low."""
    rising = sorted((str(e), 2.0 + 0.04 * e) for e in range(15))
    text = "".join(notation.format(e=int(e), p=round(p, 2)) for e, p in rising)
    found = judged(tmp_path, text)
    assert [list(one.series.xs) for one in found.judged if one.series.role.measure == "pesq"] == [list(range(15))]
    assert not [finding for finding in found.findings if finding.rule == "CMG801"]


@pytest.mark.parametrize("line", ["{b}/4 epoch {e} loss {l} pesq {p}\n", "{b}/4 epoch {e} | loss {l} | pesq {p}\n"])
def test_a_batch_of_all_stands_before_the_epoch(tmp_path: Path, line: str) -> None:
    text = "".join(line.format(b=b, e=e, l=0.3, p=p) for e, p in enumerate(PESQ, start=1) for b in range(1, 5))
    (one,) = judged(tmp_path, text).judged
    assert sorted(set(one.series.xs)) == list(range(1, 16))


@pytest.mark.parametrize("more", ["12.3s", "12.3 s", "120 batches"])
def test_what_has_a_unit_behind_the_epoch_of_all_is_none(tmp_path: Path, more: str) -> None:
    text = "".join(f"{e}/15 epoch {more} loss 0.3 pesq {p}\n" for e, p in enumerate(PESQ, start=1))
    (one,) = judged(tmp_path, text).judged
    assert list(one.series.xs) == list(range(1, 16))


def test_the_total_of_epochs_is_none_of_them(tmp_path: Path) -> None:
    """ESPnet begins each with `3/40epoch started`; read as epoch 40, it would make a run of every epoch."""
    text = "".join(
        f"[gpu-1] 2023-03-01 10:00:12,123 (trainer:280) INFO: {e}/40epoch started. Estimated time to finish: 3 hours\n"
        f"[gpu-1] 2023-03-01 10:10:12,123 (trainer:732) INFO: {e}epoch:train:1-500batch: iter_time=0.012, loss=0.3\n"
        f"[gpu-1] 2023-03-01 10:12:12,123 (trainer:354) INFO: {e}epoch results: [train] loss=0.3, [valid] pesq={p}\n"
        for e, p in enumerate(PESQ, start=1)
    )
    (one,) = judged(tmp_path, text).judged
    assert list(one.series.xs) == list(range(1, 16))
    (one,) = judged(tmp_path, "".join(f"{e} / 15 epochs done, pesq {p}\n" for e, p in enumerate(PESQ, start=1))).judged
    assert list(one.series.xs) == list(range(1, 16))
