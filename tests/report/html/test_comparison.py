"""report.html as a document: what it says, that names are text, that equal inputs give equal bytes, and its size."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from cmgan_audit.evaluation.listening import Choice, Excerpt, Listening
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.report.html.command import repeatable
from cmgan_audit.report.html.comparison import _from_group_to_group, to_html
from cmgan_audit.report.html.page import _environment
from cmgan_audit.statistics.groups import GroupDifference
from tests.report.html.conftest import NASTY
from tests.report.test_compare_reports import synthetic


class Read(HTMLParser):
    """Tags, texts and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.values: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.values.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def page(result: ComparisonResult, listening: Listening) -> str:
    return to_html(result, listening, "cmgan-audit compare-ckpts '<x>' --out audit/")


def test_the_verdict_comes_first_in_one_sentence(page: str, result: ComparisonResult) -> None:
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert heading is not None
    text = "".join(Read(heading[1]).texts)
    assert text.startswith("FAIL ")
    assert f"{NASTY[2]} scores worse than {NASTY[0]}: PESQ (wide band) " in text
    assert page.index("<h1") < page.index("<h2") < page.index("<table")
    told = " ".join(Read(page).texts)
    assert f"Since when: from {NASTY[1]} on, every checkpoint scores worse than the best before it" in told
    assert result.signature in told


def test_a_difference_that_rounds_to_zero_has_no_minus_as_in_the_text() -> None:
    cells = '{% import "parts.html" as parts %}{{ parts.number(-4e-5) }} {{ parts.interval(-6e-4, -1e-4) }}'
    assert _environment().from_string(cells).render() == "+0.000 [-0.001, +0.000]"


def test_regressions_with_a_recovery_between_them_are_told_as_such() -> None:
    page = to_html(synthetic(["a", "b", "c", "d"], 40, drop=0.5, steps=(0, 1, 0, 1)), Listening(), "")
    told = " ".join(Read(page).texts)
    assert "Since when: the last, d, scores worse than the best before it; so did 1 earlier, but not c, right" in told
    page = to_html(synthetic(["a", "b", "c"], 40, drop=0.5, steps=(0, 0, 1)), Listening(), "")
    told = " ".join(Read(page).texts)
    assert "Since when: only the last, c, scores worse than the best before it (1 of 2 comparisons)." in told


def test_the_story_names_no_group_of_a_handful_of_utterances() -> None:
    def told(*sizes: int) -> list[str]:
        each = [GroupDifference("snr", f"{5 * i} dB", n, 0.1 * i, -1.0, 1.0, 0.5) for i, n in enumerate(sizes)]
        return _from_group_to_group(each, higher=True)

    assert told(6, 5, 2) == ["Group by group: from +0.000 (snr 0 dB, n = 6) to +0.100 (snr 5 dB, n = 5)."]
    assert told(6, 2, 2) == told(2, 2) == told() == []


def test_names_are_text_and_not_markup(page: str) -> None:
    read = Read(page)
    assert read.tags.count("script") == 1  # ours
    assert "i" not in read.tags
    joined = "\n".join(read.texts)
    for name in NASTY:
        assert name in joined
    assert "alert(1)" not in "".join(re.findall(r"<script>(.*?)</script>", page, re.DOTALL))
    assert "Said <once>." in joined
    assert "Nothing to hear: no <output>" in joined
    assert "cmgan-audit compare-ckpts '<x>' --out audit/" in joined
    assert not any(name.startswith("on") for name in read.values)


def test_ids_are_unique_and_what_refers_to_them_finds_them(page: str) -> None:
    read = Read(page)
    ids = read.values["id"]
    assert len(ids) == len(set(ids))
    targets = [value[1:] for value in read.values["href"] if value.startswith("#")]
    targets += [value for value in read.values["xlink:href"] if value.startswith("#") for value in [value[1:]]]
    targets += [part for value in read.values["aria-labelledby"] for part in value.split()]
    assert set(targets) <= set(ids)


def test_nothing_in_it_points_outside(page: str) -> None:
    read = Read(page)
    for address in [*read.values["src"], *read.values["href"]]:
        assert address.startswith(("data:", "#"))
    assert "url(http" not in page and "@import" not in page


def test_equal_inputs_give_equal_bytes(page: str, result: ComparisonResult, listening: Listening) -> None:
    assert to_html(result, listening, "cmgan-audit compare-ckpts '<x>' --out audit/") == page


def test_the_audio_is_what_was_scored(page: str, listening: Listening) -> None:
    players = [value for value in Read(page).values["src"] if value.startswith("data:audio/flac")]
    assert len(players) == 4 + 3
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(players[1].partition(",")[2])), dtype="float64")
    assert rate == 16_000
    assert np.abs(samples - listening.worse[0].noisy).max() <= 1 / 32768


def test_failures_and_findings_are_told(page: str) -> None:
    told = " ".join("\n".join(Read(page).texts).split())
    assert "CMG702 asymmetric-failures" in told
    assert "metric_crash (2)" in told
    assert "(2 failed)" in told


def test_more_than_fits_is_left_out_and_said(result: ComparisonResult, loud: np.ndarray) -> None:
    outputs = dict.fromkeys((result.decisive[-1].baseline, result.decisive[-1].candidate), loud)
    excerpts = [Excerpt(Choice(f"u{i}", "full", 3.0, 2.0), 0.0, loud, loud, outputs) for i in range(8)]
    page = to_html(result, Listening(excerpts[:4], excerpts[4:]), "")
    assert len(page) < 10_000_000
    assert "4 more would make this file larger than 10 MB" in page
    assert page.count('class="excerpt"') == 4


def test_one_checkpoint_alone() -> None:
    page = to_html(synthetic(["only"], 12), Listening(note="No audio."), "")
    assert "Nothing was compared" in page
    assert "No audio." in page
    assert 'id="groups"' not in page
    # What decides is only spoken of where there is something to decide.
    assert "below decides" not in page and "below decides" in to_html(synthetic(["a", "b"], 12), Listening(), "")


def test_no_score_at_all_is_still_a_report() -> None:
    page = to_html(synthetic(["only"], 12, failing=12), Listening(), "")
    assert "metric_crash (12)" in page
    assert "<svg" not in page


def test_the_command_leaves_out_what_changes_nothing() -> None:
    given = ["compare-ckpts", "a b.pth", "--data", "t", "--out", "x", "--jobs=2", "-q", "--cache", "c", "--limit", "5"]
    assert repeatable(given) == "cmgan-audit compare-ckpts 'a b.pth' --data t --limit 5 --out audit/"


@pytest.mark.parametrize("checkpoints", [3, pytest.param(120, marks=pytest.mark.slow)])
def test_small_with_any_number_of_checkpoints(checkpoints: int, listening: Listening) -> None:
    result = synthetic([f"epoch_{index}" for index in range(checkpoints)], 824, drop=0.002, epochs=True)
    excerpts = [
        Excerpt(one.choice, 0.0, one.clean, one.noisy, dict.fromkeys(("epoch_0", result.order[-1]), one.clean))
        for one in listening.worse
    ]
    page = to_html(result, Listening(excerpts * 3, excerpts * 3), "")
    assert len(page.encode()) < 10_000_000
    assert f"epoch_{checkpoints - 1}" in page
