"""Runs and restarts are told apart."""

from __future__ import annotations

from cmgan_audit.logs.roles import infer
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, STEP

PESQ = infer("pesq")


def build(epochs: list[int | str]) -> RunBuilder:
    builder = RunBuilder("log")
    for place, entry in enumerate(epochs, start=1):
        if entry == "process":
            builder.process_start(place)
        elif entry == "resume":
            builder.resume()
        elif entry == "resume from":
            builder.resume(named=True)
        else:
            builder.epoch(float(entry), place)
            builder.add("pesq", PESQ, EPOCH, float(entry), 2.0 + place / 100, place)
    return builder


def xs(builder: RunBuilder) -> list[list[float]]:
    return [list(run.series[0].xs) for run in builder.finish()]


def test_one_run() -> None:
    assert xs(build([1, 2, 3, 5, 9])) == [[1, 2, 3, 5, 9]]


def test_epochs_that_begin_anew_are_another_run() -> None:
    assert xs(build([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3])) == [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3]]


def test_a_step_back_is_a_restart_and_the_later_value_counts() -> None:
    builder = build([1, 2, 3, 4, 5, 6, "resume", 5, 6, 7])
    (run,) = builder.finish()
    assert list(run.series[0].xs) == [1, 2, 3, 4, 5, 6, 7]
    assert list(run.series[0].ys)[4] == 2.08
    assert [(r.x, r.before, r.place) for r in run.restarts] == [(5, 6, 8)]
    assert run.superseded == 2


def test_resume_at_the_same_epoch_replaces_it() -> None:
    (run,) = build([1, 2, 3, "process", "resume", 3, 4]).finish()
    assert list(run.series[0].ys) == [2.01, 2.02, 2.06, 2.07]


def test_a_process_that_goes_on_far_away_is_another_run() -> None:
    assert xs(build([1, 2, 19, "process", "resume", 72, 73])) == [[1, 2, 19], [72, 73]]


def test_a_process_that_goes_on_with_the_next_epoch_is_a_restart() -> None:
    assert xs(build([1, 2, 3, "process", "resume", 4, 5])) == [[1, 2, 3, 4, 5]]


def test_steps_that_begin_anew_without_epochs() -> None:
    builder = RunBuilder("log")
    for place, step in enumerate([100, 200, 300, 400, 500, 600, 700, 800, 100, 200], start=1):
        builder.add("pesq", PESQ, STEP, float(step), 2.0, place)
    assert [len(run.series[0]) for run in builder.finish()] == [8, 2]


def test_an_epoch_that_is_only_mentioned_again_supersedes_nothing() -> None:
    """`Weights restored from epoch 4 (pesq 2.04)` behind epoch 6, in whatever language."""
    (run,) = build([1, 2, 3, 4, 5, 6, 4]).finish()
    assert (list(run.series[0]), run.restarts) == ([(e, 2.0 + e / 100, e) for e in range(1, 7)], [])


def test_an_epoch_that_is_mentioned_and_had_no_value_was_picked_among_more_than_were_printed() -> None:
    assert xs(build([1, 10, 20, 30, 40, 8])) == [[1, 10, 20, 30, 40]]
    assert xs(build([1, 10, 20, 30, 40, 38])) == [[1, 10, 20, 30, 40]]


def test_several_epochs_may_be_mentioned() -> None:
    assert xs(build([1, 2, 3, 4, 5, 6, 5, 4])) == [[1, 2, 3, 4, 5, 6]]


def test_a_training_that_says_from_where_it_goes_on_supersedes_what_it_computes_again() -> None:
    (run,) = build([1, 2, 3, 4, 5, 6, "resume", 5]).finish()
    assert list(run.series[0])[-1] == (5, 2.08, 8)
    assert len(run.restarts) == 1


def test_another_training_that_was_stopped_after_its_first_epoch_stays_one() -> None:
    assert xs(build([1, 2, 3, 4, 5, 6, 1])) == [[1, 2, 3, 4, 5, 6], [1]]


def test_a_training_that_counts_anew_behind_its_checkpoint_is_counted_on() -> None:
    (run,) = build(
        [1, 2, 3, 4, 5, 6, 7, 8, "process", "resume from", 1, 2, 3, 4, 5, 6, 7, "resume from", 1, 2]
    ).finish()
    assert list(run.series[0].xs) == [float(e) for e in range(1, 18)]
    assert [(r.x, r.before, r.anew) for r in run.restarts] == [(9, 8, True), (16, 15, True)]


def test_a_training_that_counts_anew_and_names_no_checkpoint_is_another_one() -> None:
    assert xs(build([1, 2, 3, 4, 5, 6, 7, 8, "resume", 1, 2])) == [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2]]


def test_what_it_had_reached_before_is_no_matter_of_a_third_training() -> None:
    entries: list[int | str] = [1, 2, 3, 4, 5, 6, 7, 8, "resume from", 1, 2, 3, 4, 5, 6, 7, "process", 1, 2]
    assert xs(build(entries)) == [[float(e) for e in range(1, 16)], [1, 2]]


def test_trainings_that_all_begin_with_one_checkpoint_are_no_continuations() -> None:
    once: list[int | str] = ["process", "resume from", 1, 2, 3, 4, 5, 6, 7]
    assert xs(build(once * 3)) == [[1, 2, 3, 4, 5, 6, 7]] * 3
