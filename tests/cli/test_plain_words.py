"""What `check` reads of its words without Typer is what Typer reads of them."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand

from cmgan_audit.cli.commands import application
from cmgan_audit.cli.plain_words import PlainCommand, PlainGroup

PLAIN = (
    [],
    ["."],
    [".", ".."],
    ["--no-cache", "--jobs", "1", "--format=json", "."],
    ["-j2", "-q", "--select", "CMG1,CMG2", "--select", "CMG301", "--ignore", "-x"],
    ["--jobs", "12", "--strict", "--", "."],
    ["--since", "main", "--fail-on", "note", "--profile", "", "--rules", ".", "--baseline", "."],
)
FOR_TYPER = (
    ["nowhere"],
    [""],
    ["--output", "new.txt"],
    ["--jobs", "0"],
    ["--jobs", "-1"],
    ["--jobs", "01"],
    ["--jobs", " 1"],
    ["--jobs", "+1"],
    ["--jobs", "1_0"],
    ["--jobs", "x"],
    ["--jobs", ""],
    ["--jobs"],
    ["--bogus"],
    ["--select", "a\nb"],
    ["--select", "\udcff"],
    ["a\0b"],
    ["--strict=1"],
    ["--help"],
    ["-hq"],
)


def outcome(words: list[str], command: TyperCommand) -> object:
    try:
        with command.make_context("check", list(words)) as context:
            sources = {name: context.get_parameter_source(name) for name in context.params}
            return context.params, {name: type(value) for name, value in context.params.items()}, context.args, sources
    except (typer.TyperException, typer.Exit, ValueError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("words", [*PLAIN, *FOR_TYPER], ids=repr)
def test_the_same_as_typer(words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    command = check_command()
    own = outcome(words, command)
    monkeypatch.setattr(PlainCommand, "parse_args", TyperCommand.parse_args)
    assert own == outcome(words, check_command())


def check_command() -> PlainCommand:
    group = typer.main.get_command(application(["check", "rules"]))
    assert isinstance(group, PlainGroup)
    command = group.commands["check"]
    assert isinstance(command, PlainCommand)
    return command


@pytest.mark.parametrize("words", PLAIN, ids=repr)
def test_plain_words_load_no_pydantic(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys, typer\n"
        "from cmgan_audit.cli.commands import application\n"
        "group = typer.main.get_command(application(['check', 'rules']))\n"
        "parent = group.make_context('cmgan-audit', ['check', *sys.argv[1:]])\n"
        "group.commands['check'].make_context('check', sys.argv[1:], parent=parent)\n"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "False\n", done.stderr
