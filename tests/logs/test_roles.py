"""What names mean, by the table of names and by the words of other languages."""

from __future__ import annotations

import pytest

from cmgan_audit.logs.roles import infer


@pytest.mark.parametrize(
    ("name", "measure", "phase"),
    [
        ("验证准确率", "accuracy", "eval"),
        ("训练准确率", "accuracy", "train"),
        ("検証精度", "accuracy", "eval"),
        ("검증 정확도", "accuracy", "eval"),
        ("验证集PESQ得分", "pesq", "eval"),
        ("PESQ moyen", "pesq", ""),
        ("mittlerer PESQ (Validierung)", "pesq", "eval"),
        ("val_dice_score", "iou", "eval"),
        ("val_iou_score", "iou", "eval"),
        ("dice_coef", "iou", ""),
        ("fscore", "f1", ""),
        ("validation pixAcc", "accuracy", "eval"),
        ("val_categorical_accuracy", "accuracy", "eval"),
        ("sparse_categorical_accuracy", "accuracy", ""),
        ("binary_accuracy", "accuracy", ""),
        ("VCTK_test.acc", "accuracy", "eval"),
        ("MeanIU", "iou", ""),
    ],
)
def test_a_metric(name: str, measure: str, phase: str) -> None:
    role = infer(name)
    assert (role.kind, role.measure, role.phase) == ("metric", measure, phase)


@pytest.mark.parametrize(
    "name",
    [
        "perte d'entraînement",
        "Trainingsverlust",
        "perte de validation",
        "dice_coef_loss",
        "loss_dice",
        "train_time_loss",
        "time_domain_l1",
    ],
)
def test_a_loss(name: str) -> None:
    assert infer(name).kind == "loss"


@pytest.mark.parametrize(
    ("name", "higher"), [("cv neg-SI-SDR", False), ("val_neg_sisnr", False), ("val si-sdr", True), ("f1_neg", True)]
)
def test_a_negated_score_in_decibels_falls_as_a_loss_does(name: str, higher: bool) -> None:
    assert (infer(name).kind, infer(name).higher_is_better) == ("metric", higher)


@pytest.mark.parametrize(
    "name",
    [
        "训练集大小",
        "per epoch",
        "precision",
        "recall",
        "loss_time",
        "time per loss",
        "验证集大小",
        "loss_mag_coeff",
        "pesq.std",
    ],
)
def test_others(name: str) -> None:
    assert infer(name).kind == "other"
