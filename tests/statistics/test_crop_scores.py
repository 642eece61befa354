"""The spread of random crops from a score table."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.statistics.crop_scores import measure_spread, spread_of_crops


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_components_of_simulated_crops_are_found() -> None:
    draw = random.Random(1)
    crops = {}
    for index in range(400):
        mean = draw.gauss(2.5, 0.7)
        crops[f"u{index}"] = [draw.gauss(mean, 0.2) for _ in range(10)]
    within, total = spread_of_crops(crops)
    assert within == pytest.approx(0.2, rel=0.03)
    assert total == pytest.approx((0.2**2 + 0.7**2) ** 0.5, rel=0.08)


def test_a_plain_table(tmp_path: Path) -> None:
    found = measure_spread(table(tmp_path / "s.csv", "utterance,pesq\na,2.0\na,2.2\nb,3.0\nb,3.4\nc,9\n"))
    variances = [statistics.variance([2.0, 2.2]), statistics.variance([3.0, 3.4])]
    assert found.spread.within == pytest.approx(statistics.fmean(variances) ** 0.5)
    assert (found.utterances, found.crops, found.failed, found.system) == (2, 4, 0, "")


def test_an_exported_score_table_of_several_checkpoints(tmp_path: Path) -> None:
    rows = ["checkpoint,utterance,segment,metric,value,status"]
    for system, width in (("calm", 0.1), ("wild", 0.5)):
        for utterance in "abc":
            rows += [f"{system},{utterance},{part},pesq,{2 + width * part},ok" for part in range(3)]
            rows += [f"{system},{utterance},0,stoi,0.9,ok", f"{system},{utterance},9,pesq,,no_utterances"]
    found = measure_spread(table(tmp_path / "scores.csv", "\n".join(rows)))
    assert (found.system, found.utterances, found.crops, found.failed) == ("wild", 3, 9, 3)
    assert found.spread.within == pytest.approx(0.5)
    assert found.spread.failure_rate == pytest.approx(0.25)


def test_epochs_with_several_crops_of_an_utterance_are_systems(tmp_path: Path) -> None:
    rows = ["utterance,epoch,pesq"]
    rows += [f"{name},{epoch},{epoch + 0.1 * part}" for epoch in (1, 3) for name in "ab" for part in range(3)]
    found = measure_spread(table(tmp_path / "s.csv", "\n".join(rows)))
    assert found.spread.within == pytest.approx(0.1) and found.system in ("epoch 1", "epoch 3")
    # one crop of each utterance in every epoch: the epochs are the evaluations
    found = measure_spread(table(tmp_path / "t.csv", "utterance,epoch,pesq\na,1,2.0\na,2,2.2\nb,1,3\nb,2,3.4\n"))
    assert (found.system, found.crops) == ("", 4)


def test_a_row_that_stands_there_twice_makes_epochs_no_systems(tmp_path: Path) -> None:
    text = "utterance,epoch,pesq\na,1,2.0\na,1,2.0\na,2,2.2\nb,1,3\nb,2,3.4\n"
    assert measure_spread(table(tmp_path / "s.csv", text)).crops == 5


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    plain = measure_spread(table(tmp_path / "s.csv", "utterance,L,pesq\na,1,2.0\na,1,2.2\nb,1,3.0\nb,1,3.4\n"))
    text = "Utterance;L;PESQ;\na;1;2,0;\na;1;2,2;\nb;1;3,0;\nb;1;3,4;\n;;;\n"
    assert measure_spread(table(tmp_path / "t.csv", text), where={"L": "1"}) == plain
    with pytest.raises(InputError, match=r"s\.csv:2: 3 cells, and 2 columns"):
        measure_spread(table(tmp_path / "s.csv", "utterance,pesq\na,2,0\na,2,2\n"))


def test_conditions_choose_rows(tmp_path: Path) -> None:
    text = "utt,L,pesq\n" + "".join(
        f"{u},{length},{2 + k * length}\n" for u in "ab" for length in (1, 2) for k in (0, 1)
    )
    path = table(tmp_path / "s.csv", text)
    one = measure_spread(path, where={"L": "1"}).spread.within
    assert measure_spread(path, where={"l": "2"}).spread.within == pytest.approx(2 * one)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", UsageError, "no column for the utterance .* there are none"),
        ("utt,dnsmos\na,1\n", UsageError, "no column for the score .*there are utt, dnsmos"),
        ("utt,pesq\na,1\na,x\n", InputError, r"s.csv:3: the score 'x' is not a number"),
        ("utt,pesq\na,1\na,inf\n", InputError, r"s.csv:3: the score inf is not finite"),
        ("utt,pesq\na,1\nb,2\n", InputError, "fewer than two utterances have two or more scores"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        measure_spread(table(tmp_path / "s.csv", text))


def test_unknown_condition_missing_file_and_binary_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column q; there are utt, pesq"):
        measure_spread(table(tmp_path / "s.csv", "utt,pesq\na,1\n"), where={"q": "1"})
    with pytest.raises(InputError, match="cannot be read"):
        measure_spread(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"utt,pesq\n\xff\xfe,1\n")
    with pytest.raises(InputError, match="not a UTF-8 text file"):
        measure_spread(tmp_path / "b.csv")
