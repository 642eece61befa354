"""`check --format html` as a document: walks through the source, and everything accounted for."""

from __future__ import annotations

import builtins
import importlib.util
import re
from dataclasses import replace

import pytest

from cmgan_audit.errors import MissingExtraError
from cmgan_audit.finding import Step
from cmgan_audit.gate.audited import Audited
from cmgan_audit.report.html.check import render
from tests.report.conftest import place
from tests.report.html.test_comparison import Read


def told(page: str) -> str:
    return " ".join("".join(Read(page).texts).split())


def test_a_finding_is_a_walk_through_the_source(audited: Audited) -> None:
    page = render(audited)
    assert re.findall(r"<mark>(.*?)</mark>", page)[:2] == ["random.randint(0, length - self.cut)", "DataLoader("]
    walk = page[page.index('<ol class="walk"') : page.index("</ol>")]
    assert re.findall(r'class="place name">(.*?)<', walk) == ["data set/data.py:6", "data set/data.py:11"]
    assert "randint picks the start" in walk
    assert "def __getitem__" in walk  # the line before, for orientation
    assert "cut at the centre (unsafe fix)" in told(page)


def test_everything_is_accounted_for(audited: Audited) -> None:
    text = told(render(audited))
    assert "2 findings in 2 files, 1 of them an error" in text
    assert "2 findings (1 error, 1 warning); 1 suppressed, 1 in the baseline" in text
    assert "3 of 4 files read" in text and "batch size resolved at 7 of 9 data loaders" in text
    assert "old.py:3 invalid syntax" in text
    assert "batch_size: takes **kwargs from build()" in text
    assert "drop_last is False" in text
    assert "(suppressed: one clip)" in text and "(in the baseline)" in text


def test_many_findings_are_listed_first_by_severity_with_links_to_their_walks(audited: Audited) -> None:
    warning, error = audited.open[1], audited.open[0]
    page = render(replace(audited, findings=(warning, replace(warning, message="<i>"), error, warning)))
    overview = page.split('<ul class="findings overview">')[1].split("</ul>")[0]
    assert re.findall(r"#finding-(\d)", overview) == ["3", "1", "2", "4"]
    assert all(f'<h3 id="finding-{number}">' in page for number in range(1, 5)) and "<i>" not in overview
    assert "overview" not in render(audited).split("</style>")[1]  # two are seen at once


def test_of_one_it_does_not_speak_as_of_several(audited: Audited) -> None:
    (rule, *_) = audited.rules
    seen = replace(audited.coverage, files=1, parsed=1, loaders=1, loaders_resolved=1)
    text = told(render(replace(audited, rules={rule: audited.rules[rule]}, coverage=seen)))
    assert "1 of 1 file read" in text and "at 1 of 1 data loader " in text and "The rule that ran" in text


def test_nothing_found_says_what_was_looked_at(audited: Audited) -> None:
    text = told(render(replace(audited, findings=())))
    assert "Nothing found: 3 files read" in text
    assert "1 place looked at and in order" in text


def test_source_and_names_are_text(audited: Audited) -> None:
    (audited.root / "train.py").write_text('x = "<script>alert(1)</script>\x1b[31m" + ' + "y" * 500, encoding="utf-8")
    first = replace(
        audited.findings[0],
        message="<b>" + "m" * 300,
        location=place("train.py", 1, 6, 20),
        trail=(Step(place("train.py", 1, 6, 20), "a <note>"), Step(place("no<where>.py", 4), "gone")),
    )
    page = render(replace(audited, findings=(first,)))
    read = Read(page)
    assert read.tags.count("script") == 1 and "\x1b" not in page
    assert page.count("<b>") == page.count("</b>")
    text = told(page)
    for part in ("<b>" + "m" * 300, "a <note>", "no<where>.py:4", "No source line to show.", "<script>aler"):
        assert part in text
    assert "y" * 300 not in text  # a line too long to read is cut around the mark


def test_equal_audits_give_equal_bytes(audited: Audited) -> None:
    assert render(audited) == render(audited)


def test_what_is_missing_is_said_in_one_line(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "cmgan_audit.report.html.check.find_spec", lambda name: None if name == "jinja2" else find(name)
    )
    with pytest.raises(MissingExtraError, match=r"check --format html needs more packages: pip install .*\[plot\]"):
        render(audited)


def test_it_needs_nothing_heavy(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    take = builtins.__import__

    def refuse(name: str, *rest: object, **more: object) -> object:
        assert name.split(".")[0] not in ("numpy", "matplotlib", "torch", "scipy", "pandas"), name
        return take(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert render(audited).startswith("<!doctype html>")
