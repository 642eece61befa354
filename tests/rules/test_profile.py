"""Profiles: what a file of one may hold, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.errors import UsageError
from cmgan_audit.rules.profile import NAMES, find_profile
from cmgan_audit.rules.profile_schema import read_profile


def written(folder: Path, text: str) -> Path:
    path = folder / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_profile_names_every_setting_with_a_source() -> None:
    profile = read_profile(find_profile("cmgan", Path()))
    assert profile.name == "cmgan"
    assert set(profile.values) == set(NAMES)
    assert all("arXiv:2209.11112" in reference.source for reference in profile.values.values())
    assert profile.values["discriminator_lr"].value == 2 * float(profile.values["generator_lr"].value)


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    text = """
name: lab
source: our notes
values:
  batch_size: {value: 8}
  window: {value: hann_window, source: page 3}
rules:
  CMG101: {min_batch_size: 8}
"""
    profile = read_profile(find_profile(str(written(tmp_path, text)), Path()))
    assert (profile.values["batch_size"].value, profile.values["batch_size"].source) == (8, "our notes")
    assert profile.values["window"].source == "our notes, page 3"
    assert profile.parameters == {"CMG101": {"min_batch_size": 8}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: lab\n", "lab.yaml:1: profile: 'values' is missing"),
        (
            "name: lab\nvalues:\n  n_ftt: {value: 1}\n",
            "lab.yaml:3: values: unknown key 'n_ftt' (did you mean 'n_fft'?)",
        ),
        ("name: lab\nvalues:\n  n_fft: {value: big}\n", "lab.yaml:3: n_fft: 'big' is not a number"),
        ("name: lab\nvalues:\n  window: {value: 3}\n", "lab.yaml:3: window: 3 is not a text"),
        ("name: lab\nvalues:\n  n_fft: {number: 3}\n", "lab.yaml:3: n_fft: unknown key 'number'"),
        ("name: lab\nvalues: {}\nextra: 1\n", "lab.yaml:3: profile: unknown key 'extra'"),
        ("values: {}\n", "lab.yaml:1: profile: 'name' is missing"),
        ("name: lab\nvalues: {}\nrules:\n  CMG101: {min_batch_size: [1]}\n", "lab.yaml:4: CMG101.min_batch_size: [1]"),
        ("", "lab.yaml:1: is empty"),
    ],
)
def test_a_wrong_profile_says_where_and_what_is_legal(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_profile(written(tmp_path, text))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("cmgam", "unknown profile 'cmgam' (did you mean 'cmgan'?); known: cmgan; a file of your own ends in .yaml"),
        ("none.yaml", "none.yaml: no such profile"),
    ],
)
def test_a_profile_that_is_not_there(tmp_path: Path, word: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_profile(word, tmp_path)
    assert message in str(caught.value)
