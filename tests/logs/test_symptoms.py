"""Every log rule raises what its own examples say, and the severities of CMG801."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from cmgan_audit.finding import Finding, Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.rules.catalogue import load_catalogue
from cmgan_audit.rules.rule import Example, Rule

CATALOGUE = load_catalogue()
OURS = [rule for rule in CATALOGUE if rule.door == "trend"]
EVERY = frozenset(rule.id for rule in OURS)
CASES = [pytest.param(rule, example, id=f"{rule.id}-{i}") for rule in OURS for i, example in enumerate(rule.examples)]


def look(path: Path, **asked: object) -> Judgement:
    question = Question(**asked)  # type: ignore[arg-type]
    judgement = judge(read_logs([path], RoleBook()).readings, question, CATALOGUE, EVERY)
    for finding in judgement.findings:
        assert finding.severity.value in [case.value for case in CATALOGUE[finding.rule].severities], finding
    return judgement


def curve(tmp_path: Path, values: list[float], **asked: object) -> Judgement:
    path = tmp_path / "log.csv"
    path.write_text("epoch,pesq\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values, start=1)))
    return look(path, **asked)


def of(judgement: Judgement, rule: str) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.rule == rule]


def test_every_log_rule_has_a_bad_and_a_good_example() -> None:
    assert len(OURS) == 10
    for rule in OURS:
        assert {example.verdict for example in rule.examples} == {"bad", "good"}, rule.id


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_example(rule: Rule, example: Example, tmp_path: Path) -> None:
    for name, text in example.files.items():
        (tmp_path / name).write_text(text)
    found = of(look(tmp_path), rule.id)
    assert bool(found) == (example.verdict == "bad"), [f.message for f in found]
    if example.at:
        assert example.at in [f"{Path(f.location.path).name}:{f.location.line}" for f in found if f.location]
    for finding in found:
        assert finding.name == rule.name
        assert "{" not in finding.message


@pytest.mark.parametrize(
    ("last", "severity"),
    [(2.41, Severity.ERROR), (2.43, Severity.WARNING), (2.5, Severity.WARNING)],
)
def test_severity_goes_by_the_size_of_the_drop(tmp_path: Path, last: float, severity: Severity) -> None:
    asked = {"utterances": 824, "seconds": 2.0}
    (finding,) = of(curve(tmp_path, [2.3, 2.5, 2.61, last + 0.02, last + 0.01, last], **asked), "CMG801")
    assert finding.severity is severity
    assert finding.evidence["drop"] == pytest.approx(2.61 - last)


def test_fail_on_drop_moves_the_error(tmp_path: Path) -> None:
    values = [2.3, 2.5, 2.61, 2.45, 2.46, 2.45]
    assert of(curve(tmp_path, values), "CMG801")[0].severity is Severity.WARNING
    assert of(curve(tmp_path, values, fail_on_drop=0.15), "CMG801")[0].severity is Severity.ERROR
    assert of(curve(tmp_path, values, fail_on_drop=0.17), "CMG801")[0].severity is Severity.WARNING


def test_small_drop_is_a_note(tmp_path: Path) -> None:
    values = [2.3, 2.5, 2.61, 2.56, 2.55, 2.55]
    (finding,) = of(curve(tmp_path, values, utterances=824, seconds=2.0), "CMG801")
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([2.3, 2.6, 2.3], False),  # one low value after the best is a dip as well
        ([2.3, 2.6, 2.3, 2.3], True),
        ([2.3, 2.6, 2.58, 2.3, 2.3], False),  # three after the best, of which the first is inside the floor
        ([2.3, 2.6, 2.3, 2.3, 2.55], False),  # recovered
        ([2.6, 2.3, 2.3, 2.3], True),  # the best is the first
    ],
)
def test_sustained(tmp_path: Path, values: list[float], found: bool) -> None:
    assert bool(of(curve(tmp_path, values), "CMG801")) == found


def test_noise_floor_says_where_it_comes_from(tmp_path: Path) -> None:
    low = [2.6, 2.3, 2.3, 2.3]
    (assumed,) = of(curve(tmp_path, low), "CMG801")
    assert (assumed.evidence["noise"], assumed.evidence["noise_from"]) == (0.1, "assumed")
    (table,) = of(curve(tmp_path, low, utterances=824, seconds=2.0), "CMG801")
    assert table.evidence["noise"] == pytest.approx(0.02, abs=0.001)
    assert table.evidence["noise_from"] == "table"
    (measured,) = of(curve(tmp_path, [2.2, 2.4, 2.5, 2.55, 2.6, 2.58, 2.61, 2.3, 2.31, 2.3]), "CMG801")
    assert measured.evidence["noise_from"] == "measured"


def test_failed_values_do_not_make_a_decline(tmp_path: Path) -> None:
    judgement = curve(tmp_path, [2.3, 0.0, 2.5, 0.0, 2.6, 0.0, 0.0, 0.0])
    assert of(judgement, "CMG801") == []
    assert of(judgement, "CMG804")[0].severity is Severity.ERROR


def test_a_printed_sentinel_says_its_line(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("Epoch 1\nPESQ:  [ 2.67 -1.   3.70]\nEpoch 1 | loss 0.1\nEpoch 2 | loss 0.1\n")
    (finding,) = of(look(tmp_path / "train.log"), "CMG804")
    assert "holds -1 (line 2)" in finding.message


def test_lower_is_better(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("epoch,wer\n1,0.3\n2,0.2\n3,0.35\n4,0.36\n5,0.37\n")
    (finding,) = of(look(tmp_path), "CMG801")
    assert (finding.evidence["best"], finding.evidence["last"]) == (0.2, 0.37)


def test_normalised_pesq_has_thresholds_of_its_own(tmp_path: Path) -> None:
    normalised = [(v - 1) / 3.5 for v in (2.45, 2.64, 2.21, 2.20, 2.07)]
    (finding,) = of(curve(tmp_path, normalised), "CMG801")
    assert finding.severity is Severity.ERROR
    assert finding.evidence["noise"] == pytest.approx(0.1 / 3.5, abs=1e-5)


def test_pesq_times_a_hundred_has_thresholds_of_its_own(tmp_path: Path) -> None:
    (finding,) = of(curve(tmp_path, [245, 264, 221, 220, 207]), "CMG801")
    assert (finding.severity, finding.evidence["noise"]) == (Severity.ERROR, 10)
    assert not of(curve(tmp_path, [245, 264, 260.1, 260.2, 260.3]), "CMG801")


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([2.45, 2.64, 2.21, 2.20, 2.07], "degraded"),
        ([2.45, 2.55, 2.6, 2.62], "healthy"),
        ([2.45, 2.64, 2.3], "undecided"),
        ([2.45], "undecided"),
    ],
)
def test_verdict(tmp_path: Path, values: list[float], verdict: str) -> None:
    judgement = curve(tmp_path, values)
    assert judgement.verdict(Severity.ERROR) == verdict
    assert judgement.verdict(None) != "degraded"


NOISE = [0.0, 0.012, -0.009, 0.004, -0.011, 0.007, 0.01, -0.006, 0.002, -0.004]


def plateau_with(place: int, value: float, level: float = 2.6) -> list[float]:
    values = [level + NOISE[i % 10] for i in range(30)]
    values[place] = value
    return values


def test_a_single_high_evaluation_makes_no_decline(tmp_path: Path) -> None:
    (finding,) = of(curve(tmp_path, plateau_with(8, 3.4)), "CMG801")
    assert finding.severity is Severity.NOTE
    assert "rests on the best alone" in finding.message
    steep = [*plateau_with(0, 2.6), 3.4, 2.1, 2.1, 2.09]  # a best beside a real fall
    assert of(curve(tmp_path, steep), "CMG801")[0].severity is Severity.ERROR


def test_a_plunge_at_the_end_is_not_healthy(tmp_path: Path) -> None:
    assert curve(tmp_path, plateau_with(29, 1.6)).verdict(Severity.ERROR) == "undecided"
    assert curve(tmp_path, plateau_with(15, 1.6)).verdict(Severity.ERROR) == "healthy"


def test_words_of_a_measure_for_which_lower_is_better(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,val_wer\n" + "".join(f"{i},{v}\n" for i, v in enumerate([30, 20, 10, 16, 17, 18])))
    (finding,) = of(look(path), "CMG801")
    assert "rose from 10 (epoch 2) to 18 (epoch 5): a rise of 8, above the best" in finding.message


def losses(tmp_path: Path, name: str, values: list[float]) -> Judgement:
    path = tmp_path / "log.csv"
    path.write_text(f"step,{name}\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values, start=1)))
    return look(path)


def test_a_flat_loss_of_single_steps_does_not_diverge(tmp_path: Path) -> None:
    scatter = random.Random(4)
    values = [scatter.lognormvariate(0, 0.35) for _ in range(4000)]
    values[2000:2003] = [0.2, 0.2, 0.2]  # what a median of three takes for a level
    assert of(losses(tmp_path, "train_loss", [*values, 1.8, 1.9, 1.8]), "CMG808") == []


def test_a_loss_of_single_steps_that_comes_back_up_diverges(tmp_path: Path) -> None:
    scatter = random.Random(4)
    course = [1 + 2 * abs(i - 2000) / 2000 + (i > 3000) * (i - 3000) / 500 for i in range(4000)]
    (found,) = of(losses(tmp_path, "train_loss", [y * scatter.lognormvariate(0, 0.2) for y in course]), "CMG808")
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize("first", [0, 1, 5])
@pytest.mark.parametrize(("power", "raised"), [(1, 0), (2, 1)])
def test_the_sum_of_the_losses_of_an_epoch_so_far_does_not_diverge(
    tmp_path: Path, first: int, power: int, raised: int
) -> None:
    scatter, every = random.Random(4), first or 1
    sums = list(itertools.accumulate(scatter.uniform(0.4, 0.8) * every for _ in range(28)))
    path = tmp_path / "train.log"
    path.write_text("".join(f"Batch {first + every * i}/140 | Loss {y**power:.4f}\n" for i, y in enumerate(sums)))
    assert len(of(look(path), "CMG808")) == raised


@pytest.mark.parametrize(("values", "raised"), [([-1, -5, -6, -3, 0, 2, 2, 2], 0), ([1, 0.4, 0.3, 0.8, 2, 3, 3, 3], 1)])
def test_a_generator_that_is_judged_by_its_discriminator_has_no_level(
    tmp_path: Path, values: list[float], raised: int
) -> None:
    assert len(of(losses(tmp_path, "loss_G", values), "CMG808")) == raised


@pytest.mark.parametrize(("opponent", "raised"), [("loss_D", 0), ("loss_mag", 1)])
def test_a_generator_that_only_plays_against_its_discriminator_does_not_diverge(
    tmp_path: Path, opponent: str, raised: int
) -> None:
    path = tmp_path / "log.csv"
    rises = [0.7, 0.8, 1.1, 1.5, 1.9, 2.4, 2.6, 2.8]
    path.write_text(f"epoch,gen_loss,{opponent}\n" + "".join(f"{i},{y},{1.4 / y}\n" for i, y in enumerate(rises)))
    assert len(of(look(path), "CMG808")) == raised


@pytest.mark.parametrize(("whole", "raised"), [("train_loss", 0), ("total train loss", 0), ("val_loss", 1), ("lr", 1)])
def test_a_term_of_a_loss_that_comes_down_may_rise(tmp_path: Path, whole: str, raised: int) -> None:
    path = tmp_path / "log.csv"
    terms = [0.31, 0.25, 0.2, 0.3, 0.5, 0.7, 0.8, 0.8]
    path.write_text(f"epoch,{whole},train_cos_loss\n" + "".join(f"{i},{9 - i},{y}\n" for i, y in enumerate(terms)))
    assert [f.message.partition(" ")[0] for f in of(look(path), "CMG808")] == ["train_cos_loss"] * raised


@pytest.mark.parametrize(("pesq", "severity"), [("2.{e}5", Severity.NOTE), ("2.5", Severity.WARNING)])
def test_a_loss_that_rises_while_the_metric_gets_better_follows_a_schedule(
    tmp_path: Path, pesq: str, severity: Severity
) -> None:
    path = tmp_path / "log.csv"
    rows = "".join(f"{e},{1 + e / 4},{e / 4},{pesq.format(e=e)}\n" for e in range(9))
    path.write_text("epoch,loss,kl_loss,val_pesq\n" + rows)
    found = of(look(path), "CMG808")
    assert [(f.message.partition(" ")[0], f.severity) for f in found] == [("loss", severity)]


@pytest.mark.parametrize(
    ("late", "severity"), [(0.0, Severity.WARNING), (0.0004, Severity.WARNING), (0.01, Severity.NOTE)]
)
def test_a_metric_that_creeps_up_within_its_noise_explains_no_rising_loss(
    tmp_path: Path, late: float, severity: Severity
) -> None:
    """Overfitting: the accuracy has come up while the loss came down, and gains next to nothing while it rises."""
    loss = [0.9, 0.6, 0.4, 0.3, 0.3, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3]
    noise = [0.001, -0.001, 0.0, 0.002, -0.002, 0.001, 0.0]
    accuracy = [min(0.5 + 0.1 * e, 0.9) + late * max(0, e - 4) + noise[e % 7] for e in range(14)]
    path = tmp_path / "log.csv"
    rows = "".join(f"{e},{y},{a:.4f}\n" for e, (y, a) in enumerate(zip(loss, accuracy, strict=True)))
    path.write_text("epoch,val_loss,val_acc\n" + rows)
    assert [f.severity for f in of(look(path), "CMG808")] == [severity]


@pytest.mark.parametrize("name", ["G_GAN", "G_A", "train_G_adv", "loss_G_GAN"])
def test_what_one_network_says_of_the_other_does_not_diverge(tmp_path: Path, name: str) -> None:
    assert of(losses(tmp_path, name, [0.6, 0.3, 0.25, 0.5, 0.8, 0.95, 1.0, 1.0]), "CMG808") == []


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        ([1e-3] * 20 + [1e-4] * 20, 1),
        ([1e-3] * 19 + [5e-4] * 2 + [1e-4] * 19, 2),
        ([1e-3 * (1 - i / 40) ** 0.9 for i in range(40)], 0),
        ([1e-3 * 0.9 ** min(i, 9) for i in range(40)], 0),
    ],
    ids=["a step", "two steps", "polynomial", "exponential"],
)
def test_the_steep_end_of_a_smooth_schedule_is_no_step(tmp_path: Path, schedule: list[float], steps: int) -> None:
    path = tmp_path / "log.csv"
    falls_at = {i for i in range(1, 40) if schedule[i] < schedule[i - 1] * 0.85} if steps else {36}
    pesq = [2.6 - 0.4 * sum(at <= i for at in falls_at) + 0.001 * (i % 3) for i in range(40)]
    path.write_text(
        "epoch,lr,pesq\n" + "".join(f"{i},{lr},{y}\n" for i, (lr, y) in enumerate(zip(schedule, pesq, strict=True)))
    )
    assert len([f for f in of(look(path), "CMG809") if "learning rate" in f.message]) == steps


def divergence_of(tmp_path: Path, loss: str, scores: list[float]) -> list[str]:
    path = tmp_path / "log.csv"
    rows = "".join(f"{e},{y},{0.3 - e / 100:.2f}\n" for e, y in enumerate(scores, start=1))
    path.write_text(f"epoch,val_pesq,{loss}\n{rows}")
    return [finding.message.rpartition(" %): ")[2] for finding in of(look(path), "CMG802")]


def test_a_loss_of_the_training_does_not_tell_over_fitting_from_another_aim(tmp_path: Path) -> None:
    fallen = [2.3, 2.5, 2.6, 2.4, 2.3, 2.2]
    unlike = "the loss does not measure what the metric measures"
    assert divergence_of(tmp_path, "val_loss", fallen) == [unlike]
    assert divergence_of(tmp_path, "train_loss", fallen) == [
        f"over-fitting, or {unlike}; a loss on the evaluation set would tell"
    ]
    assert divergence_of(tmp_path, "gen_loss", fallen) == [f"{unlike}, or, if it is that of the training, over-fitting"]


def test_no_loss_diverges_from_a_fall_that_luck_explains(tmp_path: Path) -> None:
    lucky = plateau_with(8, 3.4)
    (finding,) = of(curve(tmp_path, lucky), "CMG801")
    assert finding.severity is Severity.NOTE
    assert divergence_of(tmp_path, "val_loss", lucky) == []
