"""A comparison to show and to hear, and a browser to open reports in."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmgan_audit.evaluation.listening import Choice, Excerpt, Listening
from cmgan_audit.evaluation.material.audio import read_audio
from cmgan_audit.evaluation.result import ComparisonResult
from tests.report.test_compare_reports import synthetic

AUDIO = Path(__file__).parents[3] / "fixtures" / "audio"
AXE = "axe-core@4.14.1"
NASTY = ("quo\"te's <b>bold</b> &amp; <script>alert(1)</script>", "名前 é \N{RIGHT-TO-LEFT OVERRIDE}abc", "x" * 300)
# Off the network, and nothing of its own that could reach for it.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def result() -> ComparisonResult:
    """Three checkpoints whose names are hard to show; the last is worse and failed on two utterances."""
    return synthetic(list(NASTY), 40, drop=0.3, failing=2, epochs=True)


@pytest.fixture(scope="session")
def listening(result: ComparisonResult) -> Listening:
    """One utterance with all sides, and one of which an output is missing."""
    clean, noisy = (read_audio(AUDIO / side / "ada_001.wav") for side in ("clean", "noisy"))
    before, after = result.decisive[-1].baseline, result.decisive[-1].candidate
    half = 0.5 * (clean + noisy)
    worse = Excerpt(Choice("<i>ada</i>", "full", 3.0, 2.0), 0.0, clean, noisy, {before: clean, after: half})
    better = Excerpt(Choice("b" * 300, "0+8000", 2.0, 3.0), 0.0, clean, noisy, {before: "no <output>", after: half})
    return Listening([worse], [better], "Said <once>.")


@dataclass
class Opened:
    """What a browser made of a page."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Chromium:
    """The system's Chromium, driven by Playwright."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def open(self, path: Path, *, width: int = 1400, dark: bool = False) -> Opened:
        scheme = "dark" if dark else "light"
        page = self._browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened = Opened(page)
        page.on("console", lambda message: opened.complaints.append(message.text))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("request", lambda request: opened.requests.append(request.url))
        page.goto(path.as_uri(), wait_until="load")
        return opened


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found[0], args=list(ARGUMENTS))
        yield Chromium(browser)
        browser.close()


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The source of axe-core, from npm, kept in pytest's cache."""
    cache = getattr(pytestconfig, "cache", None)  # not there with `-p no:cacheprovider`
    folder = cache.mkdir("axe-core") if cache else None
    npm = shutil.which("npm")
    if folder is None or npm is None:
        pytest.skip("npm, which brings axe-core, is not on this machine")
    package = folder / f"{AXE.replace('@', '-')}.tgz"
    if not package.is_file():
        done = subprocess.run([npm, "pack", "--silent", AXE], cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode or not package.is_file():
            pytest.skip(f"npm could not bring {AXE}: {done.stderr.strip()[-200:]}")
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.fixture
def loud() -> np.ndarray:
    """Ten seconds that FLAC cannot make small."""
    return np.random.default_rng(3).uniform(-0.9, 0.9, 160_000)
