"""The plot of `trend` holds what its caption says."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import JudgedSeries, Question, judged_series
from cmgan_audit.report.trend_plot import draw

LOGS = Path(__file__).parents[2] / "fixtures" / "logs"


def judged(*names: str) -> list[JudgedSeries]:
    found = read_logs([LOGS / name for name in names], RoleBook())
    return [one for r in found.readings for run in r.runs for one in judged_series(run, Question())]


def labels(panel: object) -> list[str]:
    return [text.get_text() for text in panel.get_legend().get_texts()]  # type: ignore[attr-defined]


def test_one_run_has_its_losses_below() -> None:
    metric, losses = draw(judged("declining.log")).axes
    assert metric.get_ylabel() == "PESQ [MOS]"
    assert "since epoch 9" in metric.get_title(loc="left")
    assert any(label.startswith("noise floor") for label in labels(metric))
    assert "Test Gen loss" in labels(losses)
    assert losses.get_yscale() == "log"


def test_learning_rate_steps_are_lines() -> None:
    assert "learning-rate step" in labels(draw(judged("healthy.csv")).axes[0])


def test_several_runs_share_a_panel() -> None:
    (panel,) = draw(judged("declining.log", "healthy.csv", "resumed.jsonl")).axes
    assert len(labels(panel)) == 3
    assert panel.get_title(loc="left") == "3 runs; star: best of each; circles: below the best to the end (1 of 3)"


def drawn(tmp_path: Path, lines: list[str]) -> list[JudgedSeries]:
    log = tmp_path / "train.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    return [
        one for r in read_logs([log], RoleBook()).readings for run in r.runs for one in judged_series(run, Question())
    ]


def test_two_test_sets_of_one_run_are_no_two_runs(tmp_path: Path) -> None:
    lines = [f"epoch {e} | test set {s}: PESQ {2.1 + e / 100 + s:.2f}" for e in range(8) for s in (0, 1)]
    (panel,) = draw(drawn(tmp_path, lines)).axes
    assert panel.get_title(loc="left") == "2 series; star: best of each; circles: below the best to the end (0 of 2)"


def test_epoch_means_are_said_and_losses_of_one_size_have_an_axis_with_numbers(tmp_path: Path) -> None:
    lines = [f"epoch {e} pesq {2.1 + (7 * e + 5 * b) % 11 / 12:.2f} loss 0.2{e}" for e in range(6) for b in range(5)]
    metric, losses = draw(drawn(tmp_path, lines)).axes
    assert metric.get_title(loc="left").endswith("6 evaluations; means per epoch of 30 scores")
    assert (losses.get_yscale(), losses.get_ylabel()) == ("linear", "loss")


def test_a_long_fall_has_no_rings_that_hide_it(tmp_path: Path) -> None:
    def rings(low: int) -> int:
        scores = [2.0, 2.3, 2.64, *(2.2 + e % 3 / 100 for e in range(low))]
        metric, *_ = draw(drawn(tmp_path, [f"epoch {e} pesq {score}" for e, score in enumerate(scores)])).axes
        assert "below the best by more than the floor, to the end" in labels(metric)
        return sum(line.get_markerfacecolor() == "none" for line in metric.lines)

    assert (rings(20), rings(200)) == (1, 0)


def test_legends_of_long_names_stay_within_the_figure(tmp_path: Path) -> None:
    lines = [f"epoch {e} {'a_long_name_' * 3}loss={1 + e} {'b_' * 20}pesq={2.64 - e / 20:.2f}" for e in range(8)]
    figure = draw(drawn(tmp_path, lines))
    figure.draw_without_rendering()
    width = figure.bbox.width
    assert all(0 <= panel.get_legend().get_window_extent().x1 <= width for panel in figure.axes)
    assert all(panel.get_position().x1 > 0.9 for panel in figure.axes)


def test_nothing_to_draw() -> None:
    assert len(draw([]).axes) == 1


def read(folder: Path, *metrics: str) -> list[JudgedSeries]:
    question = Question(metrics)
    return [
        one for r in read_logs([folder], RoleBook()).readings for run in r.runs for one in judged_series(run, question)
    ]


def test_panels_are_called_as_the_log_calls_them(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"Epoch {e} Val PER: {0.9 / e} PESQ: {2 + e / 9}\n" for e in range(1, 9)))
    (tmp_path / "b.log").write_text("PESQ: 2.1\nPESQ: 2.3\nPESQ: 2.2\n")
    axes = draw(read(tmp_path, "wer", "pesq")).axes
    assert [axis.get_title(loc="left") for axis in draw([*read(tmp_path, "wer")] * 2).axes] == [
        "2 series; star: best of each; circles: above the best to the end (0 of 2)"
    ]
    assert sorted((axis.get_ylabel(), axis.get_xlabel()) for axis in axes) == [
        ("PER", "epoch"),
        ("PESQ [MOS]", "epoch"),
        ("PESQ [MOS]", "values in the order of the log"),
    ]


def test_single_values_are_no_curve_and_falls_come_first(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("Epoch 1 PESQ: 2.1\n")
    (empty,) = draw(read(tmp_path)).axes
    assert list(empty.get_lines()) == []
    for name, last in (("b.log", 2.9), ("c.log", 1.9)):
        course = [2.1, 2.3, 2.5, 2.7, last, last, last, last, last]
        (tmp_path / name).write_text("".join(f"Epoch {e} PESQ: {v}\n" for e, v in enumerate(course)))
    (axis,) = draw(read(tmp_path)).axes
    assert [label.rpartition("/")[2] for label in labels(axis)] == ["c.log", "b.log"]


def test_the_farthest_fall_comes_first(tmp_path: Path) -> None:
    for name, last in (("a.log", 2.5), ("b.log", 2.7), ("c.log", 2.1), ("d.log", 2.4)):
        course = [2.1, 2.3, 2.5, 2.7, last, last, last, last, last]
        (tmp_path / name).write_text("".join(f"Epoch {e} PESQ: {v}\n" for e, v in enumerate(course)))
    (axis,) = draw(read(tmp_path)).axes
    assert [label.rpartition("/")[2] for label in labels(axis)] == ["c.log", "d.log", "a.log", "b.log"]


def test_what_fell_is_drawn_before_what_did_not_and_the_rest_is_named(tmp_path: Path) -> None:
    lines = [
        f"epoch {e} STOI: 0.9{e} LSD: 2.{9 - e} CSIG: {3.5 - e / 5:.2f} CBAK: {3.1 + e / 9:.2f} COVL: {3 + e / 9:.2f} "
        f"SI-SDR improvement: {8 - e}.1"
        for e in range(5)
    ]
    figure = draw(drawn(tmp_path, lines))
    assert [panel.get_ylabel() for panel in figure.axes] == ["SI-SDR [dB]", "CSIG [MOS]", "STOI", "LSD [dB]"]
    assert figure.get_supxlabel() == "not drawn: CBAK over epochs, COVL over epochs"


def test_epochs_are_whole_and_labels_stay_inside(tmp_path: Path) -> None:
    (panel,) = draw(drawn(tmp_path, [f"epoch {e} WER: {30 + 9 * e}.1" for e in range(3)])).axes
    assert panel.get_ylabel() == "WER [%]"
    assert [tick for tick in panel.get_xticks() if tick != round(tick)] == []
    assert [text.get_horizontalalignment() for text in panel.texts] == ["left"]


def test_evaluations_without_a_score_are_marked(tmp_path: Path) -> None:
    scores = [2.1, 2.3, "nan", 2.5, 2.6, 0.0, 0.0]
    metric = draw(drawn(tmp_path, [f"Epoch {e} PESQ: {v}" for e, v in enumerate(scores)])).axes[0]
    (crosses,) = [line for line in metric.get_lines() if line.get_label() == "evaluation without a score"]
    assert list(crosses.get_xdata()) == [2, 5, 6]
    metric = draw(drawn(tmp_path, [f"Epoch {e} PESQ: {2 + e / 9}" for e in range(7)])).axes[0]
    assert "evaluation without a score" not in labels(metric)


def test_losses_of_batches_are_not_drawn_beside_their_means(tmp_path: Path) -> None:
    lines = [
        line
        for e in range(1, 7)
        for line in (
            f"Train | Epoch {e} | 10/40 | Loss 0.3{e}",
            f"Train | Epoch {e} | 20/40 | Loss 0.2{e}",
            f"Train Summary | Epoch {e} | Loss 0.2{e}",
            f"Epoch {e} | PESQ {2 + e / 10}",
        )
    ]
    assert labels(draw(drawn(tmp_path, lines)).axes[1]) == ["Loss (Train)"]


def test_of_a_value_per_step_an_outline_is_drawn_and_said(tmp_path: Path) -> None:
    lines = [f"step {i}, loss: {1 + i % 7:.2f}, pesq: {2.4 + i % 5 / 100:.2f}" for i in range(9000)]
    metric, losses = draw(drawn(tmp_path, lines)).axes
    assert "; lowest and highest of every 5 values drawn" in metric.get_title(loc="left")
    assert losses.get_title(loc="left") == "lowest and highest of every 5 values drawn"
    assert max(len(line.get_xdata()) for panel in (metric, losses) for line in panel.get_lines()) < 4100


def test_of_many_restarts_the_first_are_drawn(tmp_path: Path) -> None:
    lines = [f"step {i - 2 * (i % 10 == 0)}, pesq: {2.4 + i % 5 / 100:.2f}" for i in range(1, 1000)]
    panel = draw(drawn(tmp_path, lines)).axes[0]
    assert "resumed 99 times, the first 40 drawn" in labels(panel)


def test_the_legend_of_an_only_course_covers_no_point() -> None:
    figure = draw(judged("declining.log"))
    figure.draw_without_rendering()
    metric = figure.axes[0]
    assert not metric.get_legend().get_window_extent().overlaps(metric.get_window_extent())


@pytest.mark.parametrize(
    ("name", "shown"),
    [("val_acc", "accuracy"), ("val mean IoU", "IoU"), ("val dice", "Dice"), ("top1", "top-1 accuracy")],
)
def test_measures_that_are_no_abbreviations(tmp_path: Path, name: str, shown: str) -> None:
    lines = [f"epoch {e} {name}: {0.5 + e / 50:.2f}" for e in range(8)]
    assert draw(drawn(tmp_path, lines)).axes[0].get_ylabel() == shown
