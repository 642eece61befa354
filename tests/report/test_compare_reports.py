"""Reports of a comparison from synthetic rows: documents, names of any kind, many checkpoints, a full disk."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from cmgan_audit.errors import UsageError
from cmgan_audit.evaluation.comparing import Question
from cmgan_audit.evaluation.concluding import Described, Evidence, conclude
from cmgan_audit.evaluation.listening import Listening
from cmgan_audit.evaluation.material.strata import infer_strata
from cmgan_audit.evaluation.metrics import Status
from cmgan_audit.evaluation.result import CheckpointSummary, ComparisonResult, MetricSummary
from cmgan_audit.evaluation.scores.table import Row, ScoreTable
from cmgan_audit.finding import Severity
from cmgan_audit.report.compare_files import try_folder, write_comparison
from cmgan_audit.report.compare_json import to_json
from cmgan_audit.report.compare_plot import half_interval, places_of, scored, ticks, trend_png
from cmgan_audit.report.compare_text import to_text
from cmgan_audit.report.html.comparison import to_html

STRANGE = ('quo"te<b>$x_$', "名前 é", "x" * 300)


def synthetic(
    names: list[str],
    n: int,
    drop: float = 0.0,
    failing: int = 0,
    epochs: bool = False,
    baseline: str = "",
    steps: Sequence[float] | None = None,
) -> ComparisonResult:
    """Checkpoints of which each lies `drop` below the one before, or as many `steps` of it below the first."""
    steps = range(len(names)) if steps is None else steps
    rng = np.random.default_rng(1)
    utterances = [f"s{index % 2}_{index:04d}" for index in range(n)]
    base = rng.normal(2.6, 0.6, n)
    rows = []
    for position, name in enumerate(names):
        scores = base - drop * steps[position] + rng.normal(0, 0.1, n)
        for index, (utterance, score) in enumerate(zip(utterances, scores, strict=True)):
            if index < failing and position == len(names) - 1:
                rows.append(Row(name, utterance, "full", "pesq", None, Status.METRIC_CRASH, "SIGSEGV"))
            else:
                rows.append(Row(name, utterance, "full", "pesq", float(score), Status.OK))
    question = Question(names, baseline or None, ("pesq",), 0.03, False, infer_strata(utterances))
    systems = [
        Described(name, f"ckpt/{name}", "0" * 64, position if epochs else None) for position, name in enumerate(names)
    ]
    return conclude(ScoreTable(rows), question, Evidence(systems, utterances, "full", "pesq:test", []), Severity.ERROR)


def test_the_document_is_the_one_of_the_contract() -> None:
    document = json.loads(to_json(synthetic(["a", "b", "c"], 40, drop=0.2)))
    assert document["schema"] == "cmgan-audit/compare/v1"
    assert document["verdict"] == "fail"
    assert set(document["checkpoints"][0]) == {"name", "path", "sha256", "epoch", "metrics"}
    assert set(document["checkpoints"][0]["metrics"]["pesq"]) == {"mean", "sd", "n", "failed"}
    wanted = {"baseline", "candidate", "metric", "family", "mean_difference", "ci_low", "ci_high", "p_value"}
    wanted |= {"p_adjusted", "n", "minimum_detectable_effect", "share_worse", "verdict"}
    for one in document["comparisons"]:
        assert wanted <= set(one)
        assert one["ci_low"] < one["mean_difference"] < one["ci_high"]
    assert {one["family"] for one in document["comparisons"]} == {"best", "previous"}
    assert all(math.isfinite(one["p_value"]) for one in document["comparisons"])


def test_one_sided_failures_shrink_the_pairs_and_are_told() -> None:
    result = synthetic(["a", "b"], 40, failing=3)
    (decisive,) = result.decisive
    assert decisive.n == 37
    text = to_text(result)
    assert "37 (3 failed)" in text
    assert "warning CMG702 asymmetric-failures: b: no pesq on 3 of the utterances" in text


def test_one_checkpoint_alone_says_what_is_missing() -> None:
    result = synthetic(["only"], 12)
    assert to_text(result).startswith("PASS  nothing was compared, as one checkpoint was named")
    assert json.loads(to_json(result))["comparisons"] == []
    assert trend_png(result).startswith(b"\x89PNG")


def test_a_checkpoint_without_scores_is_why_nothing_was_compared() -> None:
    result = synthetic(["a", "b"], 12, failing=12)
    assert to_text(result).startswith("FAIL  nothing was compared: b has no pesq on any utterance (12 failed)")
    assert result.unanswered and json.loads(to_json(result))["verdict"] == "fail"
    assert not synthetic(["only"], 12).unanswered
    assert synthetic(["only"], 12, failing=12).unanswered


def test_few_pairs_are_said_before_the_numbers() -> None:
    first = to_text(synthetic(["a", "b"], 5, drop=2.0)).splitlines()[0]
    assert first.startswith("PASS  b against a gets no verdict below 10 pairs: PESQ (wide band) -")


def test_a_baseline_that_is_named_last_is_not_held_against_itself() -> None:
    result = synthetic(["a", "b"], 40, drop=0.5, baseline="b")
    assert [(one.candidate, one.baseline) for one in result.decisive] == [("a", "b")]


def test_colour_only_when_asked_for() -> None:
    result = synthetic(["a", "b"], 20, drop=0.5)
    assert "\x1b[" not in to_text(result)
    assert to_text(result, color=True).startswith("\x1b[1;31mFAIL\x1b[0m")


def test_strange_names_are_shown_as_they_are() -> None:
    result = synthetic(list(STRANGE), 20, drop=0.3)
    text = to_text(result)
    assert 'quo"te<b>$x_$' in text and "名前 é" in text
    assert max(map(len, text.splitlines()[2:6])) < 200  # the table stays a table
    document = json.loads(to_json(result))
    assert [entry["name"] for entry in document["checkpoints"]] == list(STRANGE)
    assert trend_png(result).startswith(b"\x89PNG")


def test_files_are_equal_for_equal_results_and_nothing_half_written_stays(tmp_path: Path) -> None:
    result = synthetic(["a", "b"], 20, epochs=True)
    for folder in ("one", "two"):
        written = write_comparison(result, tmp_path / folder)
        assert [path.name for path in written] == ["scores.csv", "summary.json", "report.html", "trend.png"]
        assert len(list((tmp_path / folder).iterdir())) == 4
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"--out .*cannot be written"):
        write_comparison(synthetic(["a", "b"], 20), tmp_path / "file" / "out")


def test_of_a_full_disk_the_files_of_the_run_before_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write_comparison(synthetic(["a", "b"], 20), tmp_path)
    kept = [path.read_bytes() for path in before]
    write = Path.write_bytes

    def full(path: Path, body: bytes) -> int:
        if "trend.png" in path.name:
            write(path, body[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, body)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match=r"cannot be written: No space left on device; the scores are kept"):
        write_comparison(synthetic(["a", "b"], 30), tmp_path)
    assert [path.read_bytes() for path in before] == kept and len(list(tmp_path.iterdir())) == 4


def test_a_folder_is_tried_before_the_run_and_nothing_of_it_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"--out .*file/out: cannot be written"):
        try_folder(tmp_path / "file" / "out")
    (tmp_path / "there").mkdir()
    try_folder(tmp_path / "there")
    try_folder(tmp_path / "new" / "deep")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "there"]


@pytest.mark.slow
def test_a_hundred_and_twenty_checkpoints(tmp_path: Path) -> None:
    result = synthetic([f"epoch_{index}" for index in range(120)], 824, epochs=True)
    write_comparison(result, tmp_path)
    text = to_text(result)
    assert len(text.splitlines()) < 60
    assert "more in summary.json" in text
    assert (tmp_path / "summary.json").stat().st_size < 5_000_000


def two_metrics(pesq: float, ssnr: float, n: int = 20) -> ComparisonResult:
    """Checkpoint b differs from a by these amounts, nearly alike on all utterances."""
    rng = np.random.default_rng(2)
    utterances = [f"u{index:03d}" for index in range(n)]
    rows = []
    for metric, level, change in (("pesq", 3.0, pesq), ("ssnr", 10.0, ssnr)):
        base = rng.normal(level, 0.1 * level, n)
        for name, shift in (("a", 0.0), ("b", change)):
            scores = base + shift + rng.normal(0, 0.002, n)
            rows += [
                Row(name, utterance, "full", metric, float(score), Status.OK)
                for utterance, score in zip(utterances, scores, strict=True)
            ]
    question = Question(["a", "b"], None, ("pesq", "ssnr"), 0.03, False, infer_strata(utterances))
    systems = [Described(name, name, "0" * 64, None) for name in "ab"]
    return conclude(ScoreTable(rows), question, Evidence(systems, utterances, "full", "pesq:test", []), Severity.ERROR)


def test_what_got_worse_beside_the_deciding_metric_is_said_where_that_one_passes() -> None:
    said = "b scores worse in what does not decide, each judged alone: ssnr -7.99"
    text = to_text(two_metrics(0.0, -8.0))
    assert text.startswith("PASS  b is equivalent to a")
    assert said in text
    assert said in to_html(two_metrics(0.0, -8.0), Listening(), "cmgan-audit")
    assert "what does not decide" not in to_text(two_metrics(0.0, 8.0))
    assert "what does not decide" not in to_text(two_metrics(-1.0, -8.0))  # told by the verdict already


def test_a_difference_that_counts_as_none_does_not_look_like_a_decline() -> None:
    text = to_text(two_metrics(-0.01, 0.0))
    assert "pesq ▁▁  " in text
    (named,) = (line for line in to_text(two_metrics(-0.004, 0.0)).splitlines() if line.startswith("most worse: "))
    assert "-0.01" in named and "-0.00" not in named
    assert "pesq █▁  " in to_text(two_metrics(-0.5, 0.0))


def test_what_so_many_utterances_can_show_is_said() -> None:
    power = "would be found with 80 % power"
    undecided = synthetic(["a", "b"], 12)
    (said,) = (line for line in to_text(undecided).splitlines() if power in line)
    effect = undecided.decisive[0].minimum_detectable_effect
    assert undecided.decisive[0].verdict.value == "undecided" and effect is not None
    needed = 12 * (effect / 0.03) ** 2
    assert f"one of the floor, 0.03, would take about {float(f'{needed:.2g}'):.0f} utterances like these" in said
    shown = "that they do by more than the floor, 0.03, is not"
    assert shown in to_text(two_metrics(-0.0295, 0.0))  # its 95 % interval reaches into the floor
    for clear in (-0.5, 0.5):
        assert shown not in (text := to_text(two_metrics(clear, 0.0)))
        assert power in text and "utterances like these" not in text
    assert "utterances like these" not in to_text(two_metrics(0.0, 0.0))


@pytest.mark.parametrize("n", [2, 3, 9])
def test_of_so_few_utterances_that_there_is_no_verdict_no_difference_is_said_to_be_found(n: int) -> None:
    result = synthetic(["a", "b"], n, drop=2.0)
    text = to_text(result)
    assert "gets no verdict below 10 pairs" in text and "true difference" not in text
    effect = result.decisive[0].minimum_detectable_effect
    assert effect is not None
    needed = float(f"{n * (effect / 0.03) ** 2:.2g}")
    assert f"a difference of the floor, 0.03, with 80 % power would take about {needed:.0f} utterances" in text


def test_means_over_other_utterances_are_not_shown_as_a_decline() -> None:
    """The best 10 of 30 utterances have no score with the last checkpoint: its mean is lower, it is not worse."""
    utterances = [f"u{index:03d}" for index in range(30)]
    rows = [
        Row(name, utterance, "full", "pesq", None, Status.METRIC_CRASH)
        if name == "b" and index >= 20
        else Row(name, utterance, "full", "pesq", 1.5 + 0.1 * index, Status.OK)
        for name in "ab"
        for index, utterance in enumerate(utterances)
    ]
    question = Question(["a", "b"], None, ("pesq",), 0.03, False, infer_strata(utterances))
    systems = [Described(name, name, "0" * 64, None) for name in "ab"]
    text = to_text(
        conclude(ScoreTable(rows), question, Evidence(systems, utterances, "full", "pesq:test", []), Severity.ERROR)
    )
    assert "pesq ▁▁  2.450 to 2.450 on the 20 utterances that all have" in text
    assert "each mean is over the utterances that its checkpoint has a score for" in text
    even = to_text(two_metrics(-0.5, 0.0))
    assert "utterances that all have" not in even and "each mean" not in even


def test_the_plots_say_over_how_many_utterances_their_means_are() -> None:
    assert scored(synthetic(["a", "b"], 20)) == "n = 20 utterances"
    assert scored(synthetic(["a", "b"], 20, failing=3)) == "n = 17 to 20 utterances, not the same for all checkpoints"
    assert scored(synthetic(["a"], 20, failing=20)) == "n = 20 utterances"


def test_checkpoints_whose_epochs_do_not_rise_are_drawn_by_name() -> None:
    def entries(*epochs: int | None) -> list[CheckpointSummary]:
        return [CheckpointSummary(f"c{at}", "", "", epoch, {}) for at, epoch in enumerate(epochs)]

    for epochs, places, label, texts in (
        ((2, 7, 14), [2.0, 7.0, 14.0], "epoch", ["2", "7", "14"]),
        ((24, 3, 3), [0.0, 1.0, 2.0], "checkpoint, in the order given", ["c0", "c1", "c2"]),
        ((2, None, 5), [0.0, 1.0, 2.0], "checkpoint, in the order given", ["c0", "c1", "c2"]),
    ):
        axes = Figure().subplots()
        assert places_of(entries(*epochs)) == places
        ticks(axes, entries(*epochs), places)
        assert axes.get_xlabel() == label
        assert [text.get_text() for text in axes.get_xticklabels()] == texts


def test_names_beside_the_axis_do_not_run_into_each_other() -> None:
    def labelled(names: list[str], at_most: int = 12, width: float = 8.0) -> tuple[list[str], str]:
        figure = Figure(figsize=(width, 3), dpi=100, layout="constrained")
        axes = figure.subplots()
        entries = [CheckpointSummary(name, "", "", None, {}) for name in names]
        ticks(axes, entries, places_of(entries), at_most)
        figure.canvas.draw()
        assert axes.xaxis.label.get_window_extent().width < figure.bbox.width
        boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
        assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
        return [text.get_text() for text in axes.get_xticklabels()], axes.get_xlabel()

    numbered = [f"cmgan_voicebank_lr5e-4_of_a_long_run_epoch_{at}" for at in range(12)]
    assert labelled(numbered) == (
        [str(at) for at in range(12)],
        "checkpoint, in the order given: cmgan_voic..._run_epoch_*",
    )
    assert labelled(numbered, 5, 4.0)[1] == "checkpoint, in the order given\ncmgan_voic..._run_epoch_*"
    assert labelled(["epoch_2", "epoch_7", "best"])[0] == ["epoch_2", "epoch_7", "best"]
    others = labelled([f"{'x' * at}{at * 997}_of_something_else{'y' * at}" for at in range(1, 21)])[0]
    assert 2 <= len(others) <= 4


def test_the_interval_of_a_mean_over_few_utterances_is_student_s() -> None:
    three = MetricSummary(mean=2.0, sd=0.3, n=3, failed=0)
    assert half_interval(three) == pytest.approx(4.303 * 0.3 / 3**0.5, abs=1e-3)
    assert half_interval(MetricSummary(2.0, None, 1, 0)) is None
    many = MetricSummary(mean=2.0, sd=0.3, n=824, failed=0)
    assert half_interval(many) == pytest.approx(1.963 * 0.3 / 824**0.5, abs=1e-4)
