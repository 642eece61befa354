"""Whole comparisons with models and with early stopping, without the command around them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation import sources
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.listening import Listening
from cmgan_audit.evaluation.material.segments import SegmentSpec
from cmgan_audit.evaluation.models.enhancer import CodeError, ModelError
from cmgan_audit.evaluation.models.sources import ModelSource
from cmgan_audit.evaluation.result import Outcome
from cmgan_audit.evaluation.session import _announced
from cmgan_audit.finding import Severity
from cmgan_audit.report.compare_text import to_text
from cmgan_audit.report.html.comparison import to_html
from cmgan_audit.statistics.verdict import Verdict
from tests.evaluation.helpers import Silent, compared, half, rules


class Scaling:
    """An enhancer for tests: mixes nothing, scales its input, and counts how often it runs."""

    runs = 0

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gain = float(path.read_text())

    @property
    def identity(self) -> str:
        return f"scaling-{self.gain}"

    def describe(self) -> dict[str, object]:
        return {"model": "scaling", "path": str(self.path), "sha256": "0" * 64, "epoch": 3, "device": "cpu"}

    def enhance(self, noisy: np.ndarray) -> np.ndarray:
        Scaling.runs += 1
        if self.gain < 0:
            return np.full_like(noisy, np.nan)
        return (np.tanh(self.gain * noisy) / self.gain).astype(np.float32)

    def enhance_batch(self, noisy: np.ndarray) -> np.ndarray:
        return np.stack([self.enhance(row) for row in noisy])

    def close(self) -> None:
        pass


@pytest.fixture
def scaling(monkeypatch: pytest.MonkeyPatch) -> type[Scaling]:
    def open_one(path: Path) -> Scaling:
        try:
            return Scaling(path)
        except ValueError as error:
            raise CheckpointError(f"{path}: not a checkpoint") from error

    monkeypatch.setattr(sources, "model_source", lambda options: ModelSource(open_one, None))
    Scaling.runs = 0
    return Scaling


def checkpoint(folder: Path, name: str, gain: float) -> Path:
    path = folder / name
    path.write_text(str(gain))
    return path


def test_a_model_runs_once_per_segment_and_never_again(small_set: Path, tmp_path: Path, scaling: type[Scaling]) -> None:
    first = checkpoint(tmp_path, "CMGAN_epoch_3_0.1", 2.0)
    spec = SegmentSpec(2, 1.0)
    result = compared(small_set, first, segments=spec, cache=tmp_path / "cache", baseline="noisy")
    probes = 2  # the estimate of the time
    assert Scaling.runs == 6 + probes
    assert [entry.epoch for entry in result.checkpoints] == [None, 3]
    assert "model:scaling|device:cpu" in result.signature
    again = compared(small_set, first, segments=spec, cache=tmp_path / "cache", baseline="noisy")
    assert Scaling.runs == 6 + probes
    assert again.table.rows == result.table.rows
    # the same weights under another name are the same outputs: nothing is computed
    renamed = Path(shutil.copy(first, tmp_path / "latest"))
    compared(small_set, renamed, segments=spec, cache=tmp_path / "cache")
    assert Scaling.runs == 6 + probes


def test_a_model_that_gives_nan_fails_its_rows_and_the_comparison(
    small_set: Path, tmp_path: Path, scaling: type[Scaling]
) -> None:
    good, bad = checkpoint(tmp_path, "epoch_1", 1.0), checkpoint(tmp_path, "epoch_2", -1.0)
    result = compared(small_set, good, bad)
    assert {"CMG706", "CMG702"} <= rules(result)
    assert result.outcome is Outcome.FAIL
    assert result.comparisons == []
    summary = {entry.name: entry.metrics["ssnr"] for entry in result.checkpoints}
    assert (summary["epoch_2"].mean, summary["epoch_2"].n, summary["epoch_2"].failed) == (None, 0, 3)


def broken(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("no number")
    return path


def test_a_broken_checkpoint_among_others_takes_no_part_and_is_told(
    small_set: Path, tmp_path: Path, scaling: type[Scaling]
) -> None:
    good = [checkpoint(tmp_path, f"epoch_{epoch}", gain) for epoch, gain in ((1, 1.0), (3, 2.0))]
    bad = broken(tmp_path, "epoch_2")
    result = compared(small_set, good[0], bad, good[1])
    (finding,) = (one for one in result.findings if one.rule == "CMG719")
    assert finding.message == f"epoch_2 takes no part: {bad}: not a checkpoint"
    assert finding.severity is Severity.WARNING
    summary = {entry.name: entry for entry in result.checkpoints}
    assert list(summary) == ["epoch_1", "epoch_2", "epoch_3"]
    assert (summary["epoch_2"].metrics["ssnr"].n, summary["epoch_2"].epoch) == (0, 2)
    assert summary["epoch_2"].sha256 == hashlib.sha256(b"no number").hexdigest()
    assert {(one.comparison.baseline, one.comparison.candidate) for one in result.comparisons} == {
        ("epoch_1", "epoch_3")
    }
    assert not result.unanswered and "1 of 3 takes no part, cannot be used: CMG719 below" in to_text(result)
    with pytest.raises(InputError, match=r"--strict: 1 checkpoint cannot be used: .*epoch_2: not a checkpoint"):
        compared(small_set, good[0], bad, good[1], strict=True)


def test_the_state_of_a_scheduler_among_checkpoints_is_passed_over_and_told(
    small_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_one(path: Path) -> Scaling:
        if path.name == "scheduler.pth":
            raise CheckpointError(f"{path}: holds no weights")
        return Scaling(path)

    monkeypatch.setattr(sources, "model_source", lambda options: ModelSource(open_one, None))
    good = [checkpoint(tmp_path, f"epoch_{epoch}", gain) for epoch, gain in ((1, 1.0), (2, 2.0))]
    torch.save({"gamma": 0.5}, tmp_path / "scheduler.pth")
    result = compared(small_set, *good, tmp_path / "scheduler.pth", strict=True)
    assert list(result.order) == [entry.name for entry in result.checkpoints] == ["epoch_1", "epoch_2"]
    assert not result.unanswered and "CMG719" not in rules(result)
    assert "passed over, as content and name say that it is no checkpoint of the network: scheduler.pth" in to_text(
        result
    )
    # Whoever names two asks for a comparison, whoever names one for its scores.
    unanswered = compared(small_set, good[0], tmp_path / "scheduler.pth")
    assert unanswered.unanswered and unanswered.outcome is Outcome.FAIL
    assert to_text(unanswered).startswith("FAIL  nothing was compared: a second checkpoint with scores is needed")
    alone = compared(small_set, good[0])
    assert not alone.unanswered and alone.outcome is Outcome.PASS
    against = compared(small_set, good[0], tmp_path / "scheduler.pth", baseline="noisy")
    assert not against.unanswered and len(against.comparisons) == 1


def test_a_network_that_only_takes_recordings_is_compared_without_an_estimate(
    small_set: Path, tmp_path: Path, scaling: type[Scaling], monkeypatch: pytest.MonkeyPatch
) -> None:
    enhance = Scaling.enhance

    def no_noise(self: Scaling, noisy: np.ndarray) -> np.ndarray:
        if noisy.size == 16_000:
            raise ModelError("the kernel is larger than the input")
        return enhance(self, noisy)

    monkeypatch.setattr(Scaling, "enhance", no_noise)
    heard: list[str] = []
    monkeypatch.setattr(Silent, "say", lambda self, text: heard.append(text))
    result = compared(small_set, checkpoint(tmp_path, "epoch_1", 1.0), baseline="noisy")
    assert len(result.comparisons) == 1 and not result.unanswered
    assert heard[-1].startswith("running 1 checkpoint on") and "takes about" not in heard[-1]


def test_what_takes_long_is_announced_with_what_takes_less() -> None:
    assert _announced(3, 84.0, 0.2) == "running 3 checkpoints on 84 s of audio takes less than 10 s, beside the metrics"
    less = "what is finished is kept; shorter: --segments 3x2s, --limit N"
    assert _announced(1, 84.0, 600.0) == f"running 1 checkpoint on 84 s of audio takes about 10 min; {less}"
    assert _announced(1, 84.0, None) == f"running 1 checkpoint on 84 s of audio; {less}"


def test_code_that_cannot_be_imported_is_told_once(
    small_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_code(path: Path) -> Scaling:
        raise CodeError("models:Net: No module named 'einops'")

    monkeypatch.setattr(sources, "model_source", lambda options: ModelSource(no_code, None))
    several = [checkpoint(tmp_path, f"epoch_{epoch}", 1.0) for epoch in (1, 2, 3)]
    with pytest.raises(CodeError, match=r"^models:Net: No module named 'einops'$"):
        compared(small_set, *several)


def test_where_the_checkpoint_that_decides_is_broken_there_is_no_answer(
    small_set: Path, tmp_path: Path, scaling: type[Scaling]
) -> None:
    good = [checkpoint(tmp_path, f"epoch_{epoch}", gain) for epoch, gain in ((1, 1.0), (2, 2.0))]
    result = compared(small_set, *good, broken(tmp_path, "epoch_3"))
    assert result.unanswered and result.outcome is Outcome.FAIL
    assert len(result.comparisons) == 2  # of the others: with the best, and with the one before
    assert to_text(result).startswith("FAIL  no answer: epoch_3, which decides, cannot be used\n")


def test_where_every_checkpoint_decides_a_broken_one_between_leaves_no_answer(
    small_set: Path, tmp_path: Path, scaling: type[Scaling]
) -> None:
    first, last = (checkpoint(tmp_path, f"epoch_{epoch}", gain) for epoch, gain in ((1, 1.0), (3, 2.0)))
    bad = broken(tmp_path, "epoch_2")
    result = compared(small_set, first, bad, last, gate_any=True)
    assert result.unanswered and result.outcome is Outcome.FAIL
    assert to_text(result).startswith("FAIL  no answer: epoch_2, which decides, cannot be used\n")
    page = to_html(result, Listening(), "")
    assert "No answer: epoch_2, which decides, cannot be used" in page
    assert "Every row has a score." not in page and "Every row of the checkpoints that take part has a score." in page
    # The first is held against nothing, whatever decides.
    assert not compared(small_set, bad, first, last, gate_any=True).unanswered
    assert compared(small_set, bad, first, last, gate_any=True, baseline="noisy").unanswered


def test_failures_are_those_of_the_checkpoints_that_take_part(
    small_set: Path, tmp_path: Path, scaling: type[Scaling]
) -> None:
    dead = [checkpoint(tmp_path, f"epoch_{epoch}", -1.0) for epoch in (1, 2)]
    result = compared(small_set, *dead, broken(tmp_path, "epoch_3"))
    assert "CMG715" in rules(result) and "CMG702" not in rules(result)


@pytest.mark.parametrize("baseline", [False, True])
def test_a_comparison_without_what_it_needs_ends_before_any_model_runs(
    small_set: Path, tmp_path: Path, scaling: type[Scaling], baseline: bool
) -> None:
    good, bad = checkpoint(tmp_path, "epoch_1", 1.0), broken(tmp_path, "epoch_2")
    with pytest.raises(InputError, match="epoch_2: not a checkpoint"):
        if baseline:
            compared(small_set, good, baseline=str(bad))
        else:
            compared(small_set, bad, baseline="noisy")
    with pytest.raises(
        InputError, match=r"^2 checkpoints cannot be used: .*epoch_2: not a checkpoint.*; the same for epoch_3"
    ):
        compared(small_set, bad, broken(tmp_path, "epoch_3"))
    assert Scaling.runs <= 2  # the probe for the estimate, no utterance


@pytest.fixture
def many(tmp_path: Path, test_set: Path) -> Path:
    """72 short pairs, cut from the bundled ones."""
    for path in sorted((test_set / "clean").iterdir()):
        for side in ("clean", "noisy"):
            samples = soundfile.read(test_set / side / path.name)[0]
            (tmp_path / "many" / side).mkdir(parents=True, exist_ok=True)
            for part in range(6):
                piece = samples[4000 + part * 4000 :][:6000]
                soundfile.write(tmp_path / "many" / side / f"{path.stem}_{part}.wav", piece, 16_000, subtype="FLOAT")
    return tmp_path / "many"


def test_until_decided_stops_at_a_clear_difference_and_says_so(many: Path, outputs: Callable[..., Path]) -> None:
    good = outputs(many, "good", lambda name, clean, noisy: clean + 0.2 * (noisy - clean))
    bad = outputs(many, "bad", lambda name, clean, noisy: clean + 0.8 * (noisy - clean))
    result = compared(many, good, bad, until_decided=True)
    assert result.outcome is Outcome.FAIL
    assert (len(result.utterances), result.left_out) == (36, 0)
    assert result.signature.endswith("|looks:36/72,stopped:36")
    assert "overestimated" in result.notes[0]


def test_until_decided_needs_the_whole_set_where_nothing_differs(many: Path, outputs: Callable[..., Path]) -> None:
    rng = np.random.default_rng(0)

    def changed(name: str, clean: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        return half(name, clean, noisy) + rng.normal(0, 1e-5, clean.size)

    first, second = outputs(many, "a", changed, subtype="FLOAT"), outputs(many, "b", changed, subtype="FLOAT")
    result = compared(many, first, second, until_decided=True)
    assert len(result.utterances) == 72
    assert [one.verdict for one in result.decisive] == [Verdict.EQUIVALENT]
    assert [note.partition(":")[0] for note in result.notes] == ["equivalent on 72 utterances"]  # not overestimated
