"""Clean and noisy recordings of different names: matched where nothing is left open, else refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.material.matching import Matched, match_names


def matched(clean: list[str], noisy: list[str]) -> Matched:
    return match_names(
        {name: Path("c") / f"{name}.wav" for name in clean}, {name: Path("n") / f"{name}.wav" for name in noisy}, "here"
    )


def partners(found: Matched) -> dict[str, tuple[str, str]]:
    return {name: (clean.stem, noisy.stem) for name, (clean, noisy) in found.pairs.items()}


def test_the_same_names_come_first_and_need_no_word() -> None:
    found = matched(["a_1", "b_1", "c_1"], ["a_1", "b_1", "x_c_1"])
    assert partners(found) == {"a_1": ("a_1", "a_1"), "b_1": ("b_1", "b_1")}
    assert (found.only_clean, found.only_noisy, found.how) == (("c_1",), ("x_c_1",), "")


@pytest.mark.parametrize(
    ("clean", "noisy", "utterance"),
    [
        ("clean_fileid_{n}", "book_0{m}_chp_0009_reader_{m}_5_snr{m}_tl-20_fileid_{n}", "fileid_{n}"),
        ("clean_{n}", "noisy_{n}", "{n}"),
        ("p232_00{n}_clean", "p232_00{n}_noisy", "p232_00{n}"),
        ("p232_00{n}", "p232_00{n}_bus_snr{m}", "p232_00{n}"),
        ("p232_00{n}-clean", "p232_00{n}", "p232_00{n}"),
        ("reader_{m}_fileid_{n}", "reader_{m}_snr{m}_fileid_{n}", "fileid_{n}"),
        ("ab_{m}_fileid_{n}", "snr{m}_cd_fileid_{n}", "fileid_{n}"),
        ("CLEAN_{n}", "Noisy_{n}", "{n}"),
        ("spk/clean_{n}", "spk/noisy_{n}", "{n}"),
    ],
)
def test_names_that_hold_the_same_part(clean: str, noisy: str, utterance: str) -> None:
    numbers = {n: (3 * n) % 7 for n in range(2, 8)}
    clean_names = [clean.format(n=n, m=m) for n, m in numbers.items()]
    noisy_names = [noisy.format(n=n, m=m) for n, m in numbers.items()]
    found = matched(clean_names, noisy_names[::-1])
    stems = [(Path(one).name, Path(other).name) for one, other in zip(clean_names, noisy_names, strict=True)]
    utterances = [utterance.format(n=n, m=m) for n, m in numbers.items()]
    assert partners(found) == dict(zip(utterances, stems, strict=True))
    assert all(found.also[name] == (theirs, ours) for name, (ours, theirs) in partners(found).items())
    assert "is taken for the clean side of" in found.how and found.only_clean == found.only_noisy == ()


def test_every_pair_has_a_name_of_its_own_where_folding_makes_names_longer() -> None:
    numbers = range(1, 13)
    found = matched([f"Größe_{n}" for n in numbers], [f"noisy_{n}" for n in numbers])
    assert partners(found) == {str(n): (f"Größe_{n}", f"noisy_{n}") for n in numbers}


def test_what_has_no_partner_is_listed() -> None:
    found = matched(["clean_1", "clean_2", "clean_3"], ["noisy_1", "noisy_3", "noisy_4"])
    assert (sorted(found.pairs), found.only_clean, found.only_noisy) == (["1", "3"], ("clean_2",), ("noisy_4",))


def test_several_noisy_recordings_of_a_clean_one_are_utterances_of_their_own() -> None:
    found = matched(["p1_1", "p1_2"], ["p1_1_snr0", "p1_1_snr5", "p1_2_snr0", "p1_2_snr5"])
    assert partners(found) == {
        "p1_1_snr0": ("p1_1", "p1_1_snr0"),
        "p1_1_snr5": ("p1_1", "p1_1_snr5"),
        "p1_2_snr0": ("p1_2", "p1_2_snr0"),
        "p1_2_snr5": ("p1_2", "p1_2_snr5"),
    }
    assert found.how.endswith("4 noisy recordings of 2 clean ones, each an utterance of its own")


@pytest.mark.parametrize(
    ("clean", "noisy", "said"),
    [
        (["ada_1", "ben_1"], ["xada_1", "xben_1"], "no clean file has a noisy file of the same name: here"),
        (["1", "2", "3"], ["1_2", "2_3", "3_1"], "no clean file has a noisy file of the same name"),
        (["a", "b"], ["c", "d"], "no clean file has a noisy file of the same name"),
        (
            ["utt_1_take_2", "utt_2_take_1"],
            ["x_take_1_utt_1", "x_take_2_utt_2"],
            "names do not tell which clean and noisy recordings belong together: here: .*; or ",
        ),
    ],
)
def test_names_that_leave_it_open_are_refused(clean: list[str], noisy: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        matched(clean, noisy)
