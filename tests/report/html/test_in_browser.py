"""Reports in a real browser: silent console, no request, players that play, and no fault that axe finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cmgan_audit.evaluation.listening import Listening
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.gate.audited import Audited
from cmgan_audit.report.html.check import render
from cmgan_audit.report.html.comparison import to_html
from tests.report.html.conftest import NASTY, Chromium, Opened


@pytest.fixture(scope="module")
def comparison(result: ComparisonResult, listening: Listening, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(to_html(result, listening, "cmgan-audit compare-ckpts a b --out audit/"), encoding="utf-8")
    return path


@pytest.fixture
def static(audited: Audited, tmp_path: Path) -> Path:
    path = tmp_path / "check.html"
    again = replace(audited.findings[0], message="m" * 300)  # more than a few, so that there is an overview
    path.write_text(render(replace(audited, findings=(*audited.findings, again, again))), encoding="utf-8")
    return path


def faults(opened: Opened, axe: str) -> list[str]:
    opened.page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    opened.page.evaluate(axe)  # through the debugger, which the page's policy does not bind
    found = opened.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"]  # it did look
    return [f"{fault['id']}: {fault['help']}: {fault['nodes'][0]['html'][:200]}" for fault in found["violations"]]


def until(page: Any, condition: str) -> None:
    """Wait in steps: the page's policy does not let Playwright's own waiting evaluate strings in it."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def quiet(opened: Opened) -> None:
    assert opened.complaints == []
    outside = [address for address in opened.requests if not address.startswith("data:")]
    assert len(outside) == 1 and outside[0].startswith("file:")  # the page itself


@pytest.mark.parametrize(("width", "dark"), [(400, True), (1400, False)])
def test_the_comparison(chromium: Chromium, axe: str, comparison: Path, width: int, dark: bool) -> None:
    opened = chromium.open(comparison, width=width, dark=dark)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    shown = opened.page.locator("svg:visible")
    assert shown.count() == 4
    assert opened.page.locator("h1").inner_text().startswith("FAIL")
    assert NASTY[0] in opened.page.locator("main").inner_text()
    assert faults(opened, axe) == []
    quiet(opened)
    opened.page.close()


@pytest.mark.parametrize(("width", "dark"), [(400, False), (1400, True)])
def test_the_static_report(chromium: Chromium, axe: str, static: Path, width: int, dark: bool) -> None:
    opened = chromium.open(static, width=width, dark=dark)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.locator("mark").count() >= 3
    assert opened.page.locator(".overview a").count() == 4
    assert faults(opened, axe) == []
    quiet(opened)
    opened.page.close()


def test_players_load_and_play_one_at_a_time(chromium: Chromium, comparison: Path, listening: Listening) -> None:
    opened = chromium.open(comparison)
    page = opened.page
    until(page, "[...document.querySelectorAll('audio')].every(one => one.readyState >= 1)")
    seconds = page.evaluate("[...document.querySelectorAll('audio')].map(one => one.duration)")
    assert seconds == pytest.approx([listening.worse[0].clean.size / 16_000] * 7, abs=0.01)
    page.evaluate("document.querySelectorAll('audio').forEach(one => { one.muted = true; })")
    page.evaluate("document.querySelectorAll('audio')[0].play()")
    until(page, "document.querySelectorAll('audio')[0].currentTime > 0.3")
    page.evaluate("document.querySelectorAll('audio')[1].play()")
    until(page, "document.querySelectorAll('audio')[1].currentTime > 0.3")
    playing = page.evaluate("[...document.querySelectorAll('audio')].map(one => !one.paused && !one.ended)")
    assert playing[:2] == [False, True]
    pictures = page.evaluate("[...document.querySelectorAll('img')].map(one => [one.complete, one.naturalWidth])")
    assert pictures == [[True, 360]] * 7
    quiet(opened)
    page.close()


def test_the_keyboard_reaches_everything(chromium: Chromium, comparison: Path) -> None:
    page = chromium.open(comparison).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "DIV", "AUDIO", "SUMMARY", "PRE"} <= reached
    page.close()


def test_printed_without_players_and_with_everything_else(chromium: Chromium, comparison: Path) -> None:
    page = chromium.open(comparison).page
    page.emulate_media(media="print", color_scheme="light")
    assert page.locator("audio:visible").count() == 0
    assert page.locator("nav:visible").count() == 0
    assert page.locator("svg:visible").count() == 4
    assert page.pdf()[:5] == b"%PDF-"
    page.close()
