"""What a metric of a library is called in messages."""

from __future__ import annotations

import pytest

from cmgan_audit.facts.metrics.scoring import metric_called


@pytest.mark.parametrize(
    ("callee", "name"),
    [
        ("pesq.pesq", "PESQ"),
        ("torchmetrics.audio.PerceptualEvaluationSpeechQuality.__call__", "PESQ"),
        ("torchmetrics.functional.audio.short_time_objective_intelligibility", "STOI"),
        ("torchmetrics.audio.pesq.perceptual_evaluation_speech_quality", "PESQ"),
        ("torchmetrics.audio.ScaleInvariantSignalNoiseRatio.update", "SI-SNR"),
        ("torchmetrics.audio.ScaleInvariantSignalNoiseRatio", ""),
        ("mir_eval.separation.bss_eval_sources", "bss_eval_sources"),
        ("speechmetrics.load.__call__", "speechmetrics"),
        ("torch.nn.functional.l1_loss", ""),
    ],
)
def test_metrics_are_called_by_name(callee: str, name: str) -> None:
    assert metric_called(callee) == name
