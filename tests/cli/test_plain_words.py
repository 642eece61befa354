"""What `check` reads of its words without Typer is what Typer reads of them."""

from __future__ import annotations

import dataclasses
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.cli import check as declared
from cmgan_audit.cli.checking import CheckRequest
from cmgan_audit.cli.commands import application
from cmgan_audit.cli.plain_words import OPTIONS, REPEATED, SWITCHES, plain_request

PLAIN = (
    [],
    ["."],
    [".", ".."],
    ["--no-cache", "--jobs", "1", "--format=json", "."],
    ["-q", "--select", "CMG1,CMG2", "--select", "CMG301", "--ignore", "x"],
    ["--since", "main", "--fail-on", "note", "--profile", "", "--rules", ".", "--baseline", "."],
    ["--format", "text", "--format=html", "--jobs=3", "--jobs=12"],
)
FOR_TYPER = (
    ["nowhere"],
    [""],
    ["--output", "new.txt"],
    ["-j2"],
    ["-j", "2"],
    ["--", "."],
    ["-"],
    ["--jobs", "0"],
    ["--jobs", "-1"],
    ["--jobs", "01"],
    ["--jobs", " 1"],
    ["--jobs", "+1"],
    ["--jobs", "1_0"],
    ["--jobs", "x"],
    ["--jobs", ""],
    ["--jobs="],
    ["--jobs"],
    ["--bogus"],
    ["--no-cach"],
    ["--ignore", "-x"],
    ["--select", "a\nb"],
    ["--select", "\udcff"],
    ["a\0b"],
    ["--strict=1"],
    ["--strict="],
    ["--help"],
    ["-hq"],
)


def read_by_typer(words: list[str]) -> CheckRequest | None:
    """The request that Typer makes of the words; None where it refuses them or prints its help."""
    made: list[CheckRequest] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(declared, "carry_out", lambda request, asked: made.append(request) or 0)
        try:
            application(["check", "rules"])(["check", *words], standalone_mode=False)
        except (typer.TyperException, typer.Exit, ValueError):
            return None
    return made[0] if made else None


@pytest.mark.parametrize("words", PLAIN, ids=repr)
def test_plain_words_mean_what_they_mean_to_typer(words: list[str]) -> None:
    request = plain_request(words)
    assert request is not None
    assert request == read_by_typer(words)


@pytest.mark.parametrize("words", FOR_TYPER, ids=repr)
def test_what_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    assert plain_request(words) is None


VALUES = st.sampled_from(
    ["", ".", "..", "1", "12", "json", "CMG1", "a,b", "main", "nowhere", "-x", "--", "\t", "=", "a=b"]
)
OPTION = st.sampled_from([*OPTIONS, *SWITCHES, "--nothing", "-z"])
WORD = st.one_of(VALUES, OPTION, st.builds("{}={}".format, OPTION, VALUES))


@given(st.lists(WORD, max_size=5))
def test_no_line_is_read_otherwise_than_by_typer(words: list[str]) -> None:
    request = plain_request(words)
    if request is not None:
        assert request == read_by_typer(words)


def test_every_option_is_known_under_each_of_its_long_names() -> None:
    command = typer.main.get_command(application(["check", "rules"])).commands["check"]
    told = {name: parameter for parameter in command.params for name in parameter.opts if name.startswith("--")}
    told.pop("--help", None)
    assert {name for name in (*SWITCHES, *OPTIONS) if name.startswith("--")} == set(told)
    for name, parameter in told.items():
        field = SWITCHES[name] if name in SWITCHES else OPTIONS[name][0]
        assert (field, name in REPEATED) == (parameter.name, parameter.multiple)


def test_a_request_has_the_fields_and_defaults_of_the_command() -> None:
    parameters = inspect.signature(declared.check).parameters
    fields = {field.name: field.default for field in dataclasses.fields(CheckRequest)}
    assert list(fields) == [name for name in parameters if name != "context"]
    for name, default in fields.items():
        assert (parameters[name].default or None) == (default or None)


@pytest.mark.parametrize("words", [["--no-cache", "--format=json"], []], ids=repr)
def test_plain_words_load_no_typer(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch\n")
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print([name for name in ('typer', 'pydantic') if name in sys.modules]))\n"
        "from cmgan_audit.cli.app import main; main()"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code, "check", *words, "."],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=300,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]"), done.stderr
