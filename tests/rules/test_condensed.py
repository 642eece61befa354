"""The condensed catalogue says what the rule files say, and never more than they say today."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cmgan_audit.rules import catalogue
from cmgan_audit.rules.catalogue import find_catalogue, load_catalogue
from cmgan_audit.rules.condensed import NAME, condense, condensed_rules
from cmgan_audit.rules.schema import read_rule

FILES = sorted(find_catalogue().glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rule_comes_back_as_it_stands_in_its_file(tmp_path: Path, path: Path) -> None:
    rule = read_rule(path)
    (tmp_path / NAME).write_text(f"{condense(rule, path.read_bytes())}\n", encoding="utf-8")
    lines = {key: line for key, line in rule.lines.items() if key != "examples"}
    found = condensed_rules(tmp_path, [path])[path]
    assert replace(found, lines={**found.lines, "examples": 0}) == replace(
        rule, examples=(), lines={**lines, "examples": 0}
    )


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "rules"
    shutil.copytree(find_catalogue(), folder)
    monkeypatch.setattr(catalogue, "find_catalogue", lambda: folder)
    return folder


def test_a_file_that_was_edited_counts_itself(edited: Path) -> None:
    path = edited / "CMG101.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\nsummary: ", "\nsummary: indeed, ", 1), encoding="utf-8")
    found = load_catalogue(examples=False)
    assert found["CMG101"].summary.startswith("indeed, ")
    assert [rule.id for rule in found] == [rule.id for rule in load_catalogue()]


def test_a_checkout_with_the_line_ends_of_windows_is_the_same_catalogue(
    edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = list(load_catalogue(examples=False))
    for path in edited.iterdir():
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    read = [replace(rule, examples=()) for rule in load_catalogue()]
    monkeypatch.setitem(sys.modules, "cmgan_audit.rules.schema", None)  # importing it fails
    found = list(load_catalogue(examples=False))
    assert found == wanted
    assert [(rule.why, rule.messages, rule.when) for rule in read] == [
        (rule.why, rule.messages, rule.when) for rule in found
    ]


def test_a_line_holds_whatever_a_text_holds(tmp_path: Path) -> None:
    rule = replace(read_rule(FILES[0]), why="one\u2028two\x85three\nfour")
    (tmp_path / NAME).write_text(f"{condense(rule, rule.path.read_bytes())}\n", encoding="utf-8")
    assert condensed_rules(tmp_path, [rule.path])[rule.path].why == rule.why


@pytest.mark.parametrize("content", ["", "{", "[]\n", '["CMG101.yaml", "", {}]\n'])
def test_lines_that_cannot_be_used_are_none(edited: Path, content: str) -> None:
    (edited / NAME).write_text(content, encoding="utf-8")
    assert [rule.id for rule in load_catalogue(examples=False)] == [path.stem for path in FILES]


def test_files_that_are_as_condensed_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmgan_audit.rules.schema", None)  # importing it fails
    assert len(load_catalogue(examples=False)) == len(FILES)
