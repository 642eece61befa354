"""Labels of utterances and stratified subsets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.evaluation.guards.published import published_rows
from cmgan_audit.evaluation.material.strata import infer_strata, limited, read_strata


def test_the_published_set_has_speaker_and_condition() -> None:
    names = list(published_rows())
    strata = infer_strata(names)
    assert len(set(strata.labels.values())) == 40
    assert Counter(strata.groupings["speaker"].values()) == {"p232": 393, "p257": 431}
    # a part of the set has the labels that the whole set gives it
    part = infer_strata(names[::7])
    assert all(strata.labels[name] == label for name, label in part.labels.items())


@pytest.mark.parametrize("size", [64, 103, 412])
def test_a_subset_of_the_published_set_has_its_mean(size: int) -> None:
    published = published_rows()
    names = list(published)
    chosen = limited(names, size, infer_strata(names))
    assert len(chosen) == size
    assert chosen == sorted(chosen, key=names.index)
    mean = sum(published[name]["pesq"] for name in chosen) / size
    # three standard errors within strata; the first 64 files have 2.20, every fourth one 2.38
    assert abs(mean - 1.972) < 3 * 0.38 / size**0.5


def test_subsets_are_nested() -> None:
    names = list(published_rows())
    strata = infer_strata(names)
    assert set(limited(names, 50, strata)) < set(limited(names, 51, strata))
    assert limited(names, 10_000, strata) == names


def test_speakers_from_prefixes_only_where_they_repeat() -> None:
    assert set(infer_strata(["ada_1", "ada_2", "ben_1", "ben_2"]).labels.values()) == {"ada", "ben"}
    assert infer_strata(["utt_1", "utt_2", "utt_3"]).labels == {}
    assert infer_strata(["a_1", "b_1", "c_1"]).labels == {}
    assert infer_strata(["plain", "names", "here"]).labels == {}


def test_a_strata_file(tmp_path: Path) -> None:
    path = tmp_path / "strata.csv"
    path.write_text("utterance,speaker,snr\na.wav,p1,5\nb,p2,10\n")
    strata = read_strata(path, ["a", "b"])
    assert strata.labels == {"a": "p1 / 5", "b": "p2 / 10"}
    assert strata.groupings["snr"] == {"a": "5", "b": "10"}
    with pytest.raises(InputError, match="no row for c"):
        read_strata(path, ["a", "c"])
    path.write_text("name,speaker\na,p1\n")
    with pytest.raises(InputError, match="column utterance"):
        read_strata(path, ["a"])


def test_a_strata_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"^--strata .*nix\.csv: cannot be read: No such file or directory$"):
        read_strata(tmp_path / "nix.csv", ["a"])
