"""What a conclusion tells beside the numbers: the distance to the paper, and how lucky the best of many is."""

from __future__ import annotations

import re

import numpy as np

from cmgan_audit.evaluation.comparing import Question
from cmgan_audit.evaluation.concluding import Described, Evidence, conclude
from cmgan_audit.evaluation.material.strata import Strata
from cmgan_audit.evaluation.metrics import Status
from cmgan_audit.evaluation.scores.table import Row, ScoreTable
from cmgan_audit.statistics.optimism import expected_maximum


def notes(
    utterances: list[str], checkpoints: int, segments: str = "full", own: float = 0.2, metric: str = "pesq"
) -> list[str]:
    """The notes on checkpoints that are equally good, each with its own luck on every utterance."""
    rng = np.random.default_rng(0)
    names = [f"epoch_{index}" for index in range(checkpoints)]
    difficulty = rng.normal(2.5, 0.5, len(utterances))
    rows = [
        Row(name, utterance, segments, metric, float(score), Status.OK)
        for name in names
        for utterance, score in zip(utterances, difficulty + rng.normal(0, own, len(utterances)), strict=True)
    ]
    systems = [Described(name, name, "0" * 64, None) for name in names]
    question = Question(names, None, (metric,), 0.03, False, Strata())
    result = conclude(ScoreTable(rows), question, Evidence(systems, utterances, segments, "s", []), None)
    return list(result.notes)


def voicebank(n: int) -> list[str]:
    return [f"p{232 if index % 2 else 257}_{index:03d}" for index in range(n)]


def order_notes(*epochs: int, gate_any: bool = False) -> list[str]:
    """The notes on checkpoints of these epochs in this order."""
    names = [f"epoch_{epoch}" for epoch in epochs]
    table = ScoreTable([Row(name, "u", "full", "pesq", 2.5, Status.OK) for name in names])
    systems = [Described(name, name, "0" * 64, epoch) for name, epoch in zip(names, epochs, strict=True)]
    question = Question(names, None, ("pesq",), 0.03, gate_any, Strata())
    result = conclude(table, question, Evidence(systems, ["u"], "full", "s", []), None)
    return [note for note in result.notes if "order" in note]


def test_an_order_that_is_not_that_of_the_epochs_is_told() -> None:
    assert order_notes(2, 7, 12) == []
    told = "the order given is not that of the epochs: epoch_12 stands before epoch_2"
    assert order_notes(12, 2, 7) == [f"{told}; epoch_7 is the last, and decides"]
    assert order_notes(12, 2, 7, gate_any=True) == [told]


def test_the_full_test_set_is_set_beside_the_paper() -> None:
    (note,) = notes(voicebank(824), 2)
    assert "from the 3.41 published for CMGAN" in note


def test_a_part_of_it_is_refused_with_the_reason() -> None:
    (note,) = notes(voicebank(100), 2)
    assert "not comparable with the published 3.41" in note
    assert "all 824" in note
    (note,) = notes(voicebank(824), 2, segments="external")
    assert note.endswith("what other programs scored of an utterance is not known here")
    (note,) = notes(voicebank(824), 2, segments="3x2s")
    assert "3x2s" in note


def test_another_test_set_is_not_set_beside_the_paper() -> None:
    assert notes([f"mine_{index}" for index in range(100)], 2) == []


def changed_by(differences: list[float], metric: str = "pesq") -> list[str]:
    """The notes on two checkpoints that differ so on utterances of another test set."""
    rows = [
        Row(name, f"mine_{index}", "full", metric, 2.5 + (value if name == "b" else 0.0), Status.OK)
        for name in ("a", "b")
        for index, value in enumerate(differences)
    ]
    systems = [Described(name, name, "0" * 64, None) for name in ("a", "b")]
    question = Question(["a", "b"], None, (metric,), 0.03, False, Strata())
    return list(conclude(ScoreTable(rows), question, Evidence(systems, [], "full", "s", []), None).notes)


def test_a_difference_on_too_few_utterances_for_a_verdict_is_told() -> None:
    (note,) = changed_by([0.0] * 12 + [-0.5, -0.51, -0.49, -0.5])
    assert note == (
        "only 4 of 16 utterances differ, and so few do so all in one direction by chance in 2 of 16 cases: "
        "no p-value is smaller than that"
    )
    assert not any(
        note.startswith("only") for note in changed_by([0.0] * 9 + [-0.5, -0.51, -0.49, -0.5, -0.6, -0.4, -0.5])
    )


def test_a_difference_that_few_utterances_make_is_told() -> None:
    small = [0.001 * (-1) ** index for index in range(19)]
    (note,) = changed_by([*small, -1.2])
    assert note.startswith("few utterances make the difference of -0.060: the typical one changes by ")
    assert changed_by([value - 0.06 for value in small]) == []
    assert changed_by([*(value - 0.025 for value in small), -0.225]) == []  # most of the mean is everybody's
    assert [note for note in changed_by([*small, -0.2]) if "few utterances make" in note] == []  # below the floor
    assert changed_by([*small[:7], -1.2]) == []  # and below ten pairs nothing is said


def test_an_equivalence_on_few_utterances_says_what_it_does_not_exclude() -> None:
    small = [0.001 * (-1) ** index for index in range(19)]
    (note,) = changed_by(small)
    assert note == (
        "equivalent on 19 utterances: with a probability of 5 % none of them shows a fault that 15 % of such "
        "utterances have"
    )
    assert round(0.85**19, 2) == 0.05  # so many have no such fault with this probability
    assert changed_by([*small, *small, *small, *small, *small, *small]) == []
    assert changed_by([0.0] * 20) == []  # the same outputs
    assert changed_by(small[:9]) == []


def by_speaker(shifts: list[float], each: int = 10) -> list[str]:
    """The notes where each speaker's utterances differ by a shift of their own."""
    rows, speakers = [], {}
    for speaker, shift in enumerate(shifts):
        for index in range(each):
            utterance = f"s{speaker}_{index}"
            speakers[utterance] = f"s{speaker}"
            wobble = 0.01 * (-1) ** index
            rows += [Row("a", utterance, "full", "pesq", 2.5, Status.OK)]
            rows += [Row("b", utterance, "full", "pesq", 2.5 + shift + wobble, Status.OK)]
    systems = [Described(name, name, "0" * 64, None) for name in ("a", "b")]
    strata = Strata(speakers, {"speaker": speakers}, "speaker")
    question = Question(["a", "b"], None, ("pesq",), 0.03, False, strata)
    return list(conclude(ScoreTable(rows), question, Evidence(systems, [], "full", "s", []), None).notes)


def test_a_difference_that_other_speakers_may_not_have_is_told() -> None:
    (note,) = by_speaker([-0.3, 0.1, -0.2, 0.1, -0.1, 0.0])
    assert (
        "others may show no difference: mean over 6 speakers -0.067 [-0.238, +0.105]" in note
    )  # -0.0667 -+ 2.571 * 0.1633 / sqrt(6)
    assert by_speaker([-0.3, -0.1, -0.2, -0.2, -0.1, -0.2]) == []
    (few,) = by_speaker([-0.4, 0.1, -0.2, 0.1])
    assert "others" not in few  # between four speakers nothing can be said of others


def test_a_difference_of_one_of_few_speakers_is_told_to_be_one() -> None:
    (note,) = by_speaker([0.0, -0.3])
    assert re.fullmatch(
        r"speakers differ, each judged alone: s0 \+0\.000 \[-0\.008, \+0\.008\], s1 -0\.300 \[-0\.308, -0\.292\]; "
        "the verdict is on all utterances together",
        note,
    )
    assert any(told.startswith("speakers differ") for told in by_speaker([0.2, -0.2]))  # no difference on the whole
    assert by_speaker([-0.3, -0.3]) == by_speaker([-0.3, -0.305]) == []
    assert by_speaker([-0.3, -0.1, -0.2, -0.1], each=4) == []


def test_only_pesq_is_set_beside_the_paper() -> None:
    assert notes(voicebank(100), 2, metric="ssnr") == []


def test_the_best_of_many_is_expected_to_be_lucky_by_the_spread_that_is_its_own() -> None:
    (note,) = notes([f"mine_{index}" for index in range(400)], 20)
    told = float(re.search(r"up to (\d\.\d+) too high", note).group(1))  # type: ignore[union-attr]
    assert abs(told - expected_maximum(20) * 0.2 / np.sqrt(400)) < 0.002


def test_luck_that_three_decimals_do_not_show_is_none() -> None:
    assert notes([f"mine_{index}" for index in range(100)], 5, own=1e-5) == []


def test_two_checkpoints_are_no_selection() -> None:
    assert notes([f"mine_{index}" for index in range(100)], 2) == []
