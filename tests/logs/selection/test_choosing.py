"""Which series are judged, and in which direction: what stands beside an evaluation under a name like its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.roles import RoleBook, infer, parse_role, table
from cmgan_audit.logs.search import Search, read_logs
from cmgan_audit.logs.selection.judged import Question, measure_of
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")


def search(tmp_path: Path, content: str, name: str = "train.log", role: str = "") -> Search:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_logs([path], RoleBook(dict([parse_role(role)]) if role else None))


def look(found: Search) -> Judgement:
    return judge(found.readings, Question(), CATALOGUE, EVERY)


def names(found: Search) -> list[str]:
    return [one.series.name for one in look(found).judged]


def verdict(found: Search) -> str:
    return look(found).verdict(Severity.ERROR)


def test_training_values_beside_evaluations_are_not_judged(tmp_path: Path) -> None:
    epochs = "".join(
        f"Epoch {e}, Step 100, loss: 0.1, PESQ: {2.3 - 0.1 * e}\n"
        f"Epoch {e}, Step 200, loss: 0.1, PESQ: {2.2 - 0.1 * e}\n"
        f"TEST - Generator loss: 0.1, PESQ: {2.4 + 0.1 * e}\n"
        for e in range(6)
    )
    assert names(search(tmp_path, epochs)) == ["PESQ (TEST)"]


def test_keras_names_the_training_metric_without_a_word(tmp_path: Path) -> None:
    content = '{"loss": [1, 0.9, 0.8], "pesq": [2.6, 2.2, 2.1], "val_loss": [1, 0.9, 0.8], "val_pesq": [2.1, 2.3, 2.4]}'
    assert names(search(tmp_path, content, "history.json")) == ["val_pesq"]


def test_one_test_value_at_the_end_does_not_make_the_others_training(tmp_path: Path) -> None:
    rows = "".join(f"Epoch {e}: PESQ: 2.{e}\n" for e in range(6)) + "Epoch 5: test PESQ: 2.4\n"
    assert names(search(tmp_path, rows)) == ["PESQ", "test PESQ"]


def test_score_of_the_noisy_input_is_a_reference(tmp_path: Path) -> None:
    rows = "".join(f"{e},1.97,{2.0 + e / 10}\n" for e in range(5))
    assert names(search(tmp_path, "epoch,noisy_pesq,enhanced_pesq\n" + rows, "log.csv")) == ["enhanced_pesq"]
    alone = "epoch,noisy_testset_pesq\n" + "".join(f"{e},{2 + e / 10}\n" for e in range(5))
    assert names(search(tmp_path, alone, "alone.csv")) == ["noisy_testset_pesq"]


def test_value_of_a_batch_beside_the_mean_of_an_epoch(tmp_path: Path) -> None:
    rows = "".join(f"{e},0.{80 - 5 * (e % 2)},0.8{e}\n" for e in range(8))
    assert names(search(tmp_path, "epoch,stoi_step,stoi_epoch\n" + rows, "metrics.csv")) == ["stoi_epoch"]


NEGATED = {
    "no network is that bad": ("epoch,val_sisnr\n", [-3.0, -7.5, -10.1, -11.8, -12.6, -13.0]),
    "a loss in the path of its name": ("epoch,valid_loss/sisnr\n", [1.2, -1.5, -3.1, -4.0, -4.4, -4.5]),
}


@pytest.mark.parametrize("name", NEGATED)
def test_negated_measure_is_a_loss(tmp_path: Path, name: str) -> None:
    head, values = NEGATED[name]
    found = search(tmp_path, head + "".join(f"{e},{v}\n" for e, v in enumerate(values)), "log.csv")
    assert verdict(found) == "healthy"
    assert "lower is better" in str(found.readings[0].notes[-1])


def test_measure_that_falls_with_a_negative_loss_is_one(tmp_path: Path) -> None:
    rows = "".join(f"{e},{v - 0.2},{v}\n" for e, v in enumerate([-1.0, -3.0, -4.1, -4.8, -5.2]))
    assert verdict(search(tmp_path, "epoch,train_loss,val_sisnr\n" + rows, "log.csv")) == "healthy"


def test_negated_measure_that_was_learned_and_lost_is_a_decline(tmp_path: Path) -> None:
    learned = [-7.8, -10.4, -13.1, -15.2, -16.8, -17.3, -17.1, -15.0, -12.8, -10.4, -8.8, -7.1]
    rows = "".join(f"{e},{-9 - e},{y}\n" for e, y in enumerate(learned))
    assert verdict(search(tmp_path, f"epoch,train_loss,val_si_sdr\n{rows}", "log.csv")) == "degraded"
    rows = "".join(f"{e},{0.3 - e / 100},{y}\n" for e, y in enumerate([-19.2, -19.9, -17, -14, -12, -9, -7, -6, -5]))
    assert verdict(search(tmp_path, f"epoch,train_loss,val_si_sdr\n{rows}", "log.csv")) == "healthy"


def test_negative_score_that_falls_against_the_loss_is_a_decline(tmp_path: Path) -> None:
    rows = "".join(f"{e},{0.5 + e / 10},{v}\n" for e, v in enumerate([-1.0, -1.1, -2.9, -3.8, -4.1, -4.4]))
    found = search(tmp_path, "epoch,train_loss,val_sisdr\n" + rows, "log.csv")
    assert verdict(found) == "degraded"
    assert not found.readings[0].notes


def test_the_user_knows_the_direction(tmp_path: Path) -> None:
    rows = "".join(f"{e},{v}\n" for e, v in enumerate([-3.0, -7.5, -10.1, -11.8, -12.6, -13.0]))
    found = search(tmp_path, "epoch,val_sisnr\n" + rows, "log.csv", role="val_sisnr=metric:higher")
    assert verdict(found) == "degraded"


def test_lines_of_single_utterances_are_no_evaluations(tmp_path: Path) -> None:
    rows = "".join(f"Track name: p232_{i:03d}\tPESQ: {3 - i / 10:.2f}\tSTOI: 0.9\n" for i in range(12))
    found = search(tmp_path, rows + "Mean\tPESQ: 2.45\n")
    (one,) = look(found).judged
    assert list(one.series.ys) == [2.45]
    assert "12 lines name an utterance" in str(found.readings[0].notes)


def test_a_line_that_names_a_checkpoint_is_an_evaluation(tmp_path: Path) -> None:
    rows = "".join(f"Epoch {e} file name: best_{e}.pth, PESQ: 2.{e}\n" for e in range(4))
    assert names(search(tmp_path, rows)) != []


def test_device_number_is_no_score(tmp_path: Path) -> None:
    found = search(tmp_path, "Epoch 1 PESQ: 2.4\npesq_score was always on cuda:0\nEpoch 2 PESQ: 2.5\n")
    assert names(found) == ["PESQ"]
    assert not look(found).findings


def test_both_phases_of_a_negated_measure_have_the_same_sign(tmp_path: Path) -> None:
    rows = "".join(f"Epoch {e} | train_sisnr: {-10 - e / 2} | valid_sisnr: {-12 + e / 4}\n" for e in range(8))
    judgement = look(search(tmp_path, rows))
    assert [one.higher for one in judgement.judged] == [False]
    assert judgement.verdict(Severity.ERROR) == "degraded"


def test_training_and_evaluation_that_fall_from_the_start_are_losses(tmp_path: Path) -> None:
    """SpeechBrain's recipes call their loss si-snr; at first it is no lower than a bad score would be."""
    train = (2.23, 1.66, -0.4, -0.64, -0.97, -1.22, -2.15, -2.33)
    valid = (-3.86, -3.51, -5.13, -5.74, -5.79, -5.91, -6.49, -6.71)
    pairs = enumerate(zip(train, valid, strict=True))
    content = "".join(f"epoch: {e}, train si-snr: {t} - valid si-snr: {v}\n" for e, (t, v) in pairs)
    (judged,) = look(search(tmp_path, content)).judged
    assert (judged.higher, judged.decline) == (False, None)


def test_an_evaluation_that_falls_while_training_rises_is_a_decline(tmp_path: Path) -> None:
    content = "".join(f"epoch: {e}, train si-snr: {3 + e} - valid si-snr: {2 - e}\n" for e in range(8))
    (judged,) = look(search(tmp_path, content)).judged
    assert judged.higher and judged.decline is not None


def test_scores_of_both_phases_that_fall_while_a_loss_rises_are_scores(tmp_path: Path) -> None:
    content = "".join(
        f"epoch: {e}, train sdr: {-e / 2} - valid sdr: {-0.7 * e:.1f}, loss {1 + e / 5}\n" for e in range(8)
    )
    assert all(one.higher for one in look(search(tmp_path, content)).judged)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Val PER", "eval wer metric"),
        ("test/word_error_rate", "eval wer metric"),
        ("Character Error Rate", "wer metric"),
        ("test error", "eval loss"),
        ("loss per epoch", "loss"),
        ("s per step", "other"),
        ("eval_per_epoch", "eval other"),
        ("PER/test", "eval wer metric"),
        ("WER loss", "loss"),
        ("train_loss_scale", "train other"),
    ],
)
def test_error_rates_of_recognition_are_metrics(name: str, role: str) -> None:
    assert str(infer(name)) == role


@pytest.mark.parametrize(
    ("values", "assumed"),
    [
        ([2.4, 0.9, 0.3, 0.2], 0.01),
        ([100.0, 40.0, 12.0, 9.0], 1.0),
        ([100.0, 0.8, 0.7, 0.7], 1.0),
        ([2.6, 2.4, 2.3], 1.0),
    ],
)
def test_error_rates_are_shares_or_percent(tmp_path: Path, values: list[float], assumed: float) -> None:
    content = "".join(f"Epoch {e} WER: {v}\n" for e, v in enumerate(values))
    (series,) = search(tmp_path, content).readings[0].runs[0].series
    assert measure_of(series).assumed == assumed


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("G_GAN", "generator loss"),
        ("D_real", "discriminator loss"),
        ("cycle_A", "loss"),
        ("g_total", "generator loss"),
        ("train_D", "train discriminator loss"),
        ("val kl", "eval loss"),
        ("lr_d", "discriminator learning rate"),
        ("in this cycle", "other"),
        ("D_acc", "other"),
        ("D(x)", "other"),
        ("total", "other"),
        ("GAN type", "other"),
    ],
)
def test_terms_of_adversarial_trainings_are_losses(name: str, role: str) -> None:
    assert str(infer(name)) == role


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("val_acc", "eval accuracy metric"),
        ("Accuracy/test", "eval accuracy metric"),
        ("val_PSNR", "eval psnr metric"),
        ("VAL SSIM", "eval ssim metric"),
        ("mIoU", "iou metric"),
        ("val_auc", "eval auc metric"),
        ("validation_mF1", "eval f1 metric"),
        ("val_f1", "eval f1 metric"),
        ("ssim loss", "loss"),
        ("accuracy of the clock", "other"),
        ("disc acc", "other"),
    ],
)
def test_scores_of_other_trainings_are_metrics(name: str, role: str) -> None:
    assert str(infer(name)) == role


def test_a_training_with_pesq_is_judged_by_it_alone(tmp_path: Path) -> None:
    content = "".join(f"Epoch {e} val acc: {0.9 - e / 50} val PESQ: {2 + e / 10}\n" for e in range(8))
    judgement = look(search(tmp_path, content))
    assert [one.series.name for one in judgement.judged] == ["val PESQ"]
    assert judgement.verdict(Severity.ERROR) == "healthy"


def test_accuracies_in_percent_have_thresholds_in_percent(tmp_path: Path) -> None:
    content = "".join(f"Epoch {e} val acc: {v}\n" for e, v in enumerate([61.5, 70.2, 71.0, 69.5, 69.6, 69.4]))
    (judged,) = look(search(tmp_path, content)).judged
    assert (judged.measure.small, judged.measure.large) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("line", "judged"), [("loss {v} ssim: {v}", []), ("val loss {v} PSNR: 21 SSIM: {v}", ["ssim"])]
)
def test_a_bare_ssim_is_a_metric_beside_a_psnr(tmp_path: Path, line: str, judged: list[str]) -> None:
    content = "".join(f"Epoch {e} {line.format(v=round(0.9 / (e + 1), 3))}\n" for e in range(8))
    assert [one.measure.key for one in look(search(tmp_path, content)).judged if one.measure.key == "ssim"] == judged


def test_every_name_of_the_table_has_its_role() -> None:
    t = table()
    names = [" ".join(name) for m in t.metrics for name in (*m.names, *((word,) for word in m.alone))]
    assert all(infer(name).kind == "metric" for name in names)
    assert all(infer(name).kind == "loss" for name in (*t.losses, *t.loss_terms))
    assert all(infer(" ".join(name)).kind == "learning_rate" for name in t.learning_rates)
    assert all(infer(" ".join(name)).kind == "count" for name in t.counts)


@pytest.mark.parametrize(
    ("line", "judged"),
    [
        ("PSNR {up} ssim {down}", ["psnr"]),
        ("PSNR {up} ssim {bent}", ["psnr", "ssim"]),
        ("val PSNR {up} val ssim {down}", ["psnr", "ssim"]),
        ("dice {down} bce 0.3", []),
        ("dice {bent} bce 0.3", ["iou"]),
        ("val dice: {down}", ["iou"]),
        ("mIoU {down}", ["iou"]),
    ],
)
def test_what_only_comes_down_is_a_term_of_the_loss_where_its_name_may_be_one(
    tmp_path: Path, line: str, judged: list[str]
) -> None:
    content = "".join(
        f"epoch {e} {line.format(up=20 + e, down=0.9 - e / 20, bent=0.5 - abs(e - 2) / 20)}\n" for e in range(8)
    )
    assert sorted(one.measure.key for one in look(search(tmp_path, content)).judged) == judged


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_a_share_is_judged_and_a_formant_is_not(tmp_path: Path, scale: float) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,F1,val_f1\n" + "".join(f"{e},{512 - e},{scale * (0.9 - e / 20)}\n" for e in range(8)))
    judgement = look(read_logs([path], RoleBook()))
    assert [one.series.name for one in judgement.judged] == ["val_f1"]


def test_value_of_a_batch_beside_the_mean_that_is_called_so(tmp_path: Path) -> None:
    epochs = "".join(
        f"epoch:[{e}/9] val step:0 top1: {0.5 + 0.1 * (e % 2):.2f}\nEND epoch:{e} val top1_avg: {0.4 + 0.02 * e:.3f}\n"
        for e in range(1, 10)
    )
    assert names(search(tmp_path, epochs)) == ["val top1_avg"]


def test_how_long_something_took_is_no_loss(tmp_path: Path) -> None:
    epochs = "".join(f"epoch {e} pesq: {2 + 0.02 * e:.2f} avg_reader_cost: 2.{e} sec, cost: 0.3\n" for e in range(9))
    (run,) = search(tmp_path, epochs).readings[0].runs
    assert [series.name for series in run.series] == ["pesq", "cost"]


@pytest.mark.parametrize(
    ("last", "said"), [((2.8, 2.8, 2.79), "healthy"), ((2.2, 2.6, 1.4), "undecided"), ((2.8, 2.8, 1.05), "undecided")]
)
def test_noise_hides_no_fall_from_where_a_course_ends_at_its_best(
    tmp_path: Path, last: tuple[float, ...], said: str
) -> None:
    scores = [1.2, 2.6, 1.4, 2.7, 1.3, 2.6, 1.5, 2.7, 1.4, 2.6, 1.3, 2.8, *last]
    epochs = "".join(f"epoch {e} val pesq: {score}\n" for e, score in enumerate(scores))
    assert verdict(search(tmp_path, epochs)) == said
