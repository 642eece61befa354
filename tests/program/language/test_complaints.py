"""An option that a script asks for, and ends without, is followed as if it were given."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

PROGRAM = """
import argparse
import logging
import os
import sys

from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint")
parser.add_argument("--list", default="")
parser.add_argument("--folder", default="data")
args = parser.parse_args()


def load():
    if args.checkpoint is None:
        print("starting from nothing")
        return
    DataLoader("kept")


def main():
    if {test}:
        {refusal}
    DataLoader(args.folder)


load()
if __name__ == "__main__":
    main()
"""


def loaders(folder: Path, test: str, refusal: str) -> list[str]:
    """What the loaders are made of that the script makes when it is started without a word."""
    (folder / "score.py").write_text(PROGRAM.format(test=test, refusal=refusal), encoding="utf-8")
    (run,) = execute(SourceTree(folder))
    return [
        str(event.arguments.positional[0].value)  # type: ignore[attr-defined]
        for event in run.events
        if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader")
    ]


@pytest.mark.parametrize(
    "test", ["not args.checkpoint", "args.checkpoint is None", "not args.list", "not os.path.isfile(args.list)"]
)
@pytest.mark.parametrize(
    "refusal",
    [
        "print('--checkpoint is needed'); return",
        "parser.print_help(); return",
        "sys.exit('--checkpoint is needed')",
        "parser.error('--checkpoint is needed')",
        "print('--checkpoint is needed'); sys.exit(1)",
        "raise SystemExit('--checkpoint is needed')",
    ],
)
def test_a_script_that_refuses_to_go_on_is_followed(tmp_path, test, refusal):
    assert loaders(tmp_path, test, refusal) == ["data"]


@pytest.mark.parametrize(
    ("test", "refusal"),
    [
        ("not args.checkpoint", "return"),
        ("not args.checkpoint", "DataLoader('first'); return"),
        ("not args.checkpoint", "sys.exit(DataLoader('first'))"),
        ("not args.checkpoint", "raise SystemExit(len(DataLoader('first')))"),
        ("args.folder == 'data'", "print('nothing there'); return"),
    ],
)
def test_a_way_of_its_own_is_no_refusal(tmp_path, test, refusal):
    assert "data" not in loaders(tmp_path, test, refusal)


def test_a_function_that_leaves_out_what_is_optional_does_so(tmp_path):
    assert "kept" not in loaders(tmp_path, "not args.folder", "return")


def test_what_was_passed_over_is_told(tmp_path):
    (tmp_path / "score.py").write_text(
        PROGRAM.format(test="not args.checkpoint", refusal="print('needed'); return"), encoding="utf-8"
    )
    (run,) = execute(SourceTree(tmp_path))
    assert ["--checkpoint" in step.note for step in run.limits] == [True]


def test_what_a_logger_calls_an_error_ends_nothing(tmp_path):
    said = "logging.getLogger().error('starting from nothing')\n    else:\n        args.folder = 'given'"
    assert loaders(tmp_path, "not args.checkpoint", said) == ["data"]


SIZES = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--wide")
args = parser.parse_args()
size = "narrow"
def widen():
    global size
    if args.wide is None:
        print("narrow")
        return
    size = "wide"
widen()
"""


def test_a_function_that_another_file_calls_is_not_the_end_of_the_script(tmp_path):
    (tmp_path / "sizes.py").write_text(SIZES, encoding="utf-8")
    script = "import sizes\nfrom torch.utils.data import DataLoader\nDataLoader(sizes.size)\n"
    (tmp_path / "score.py").write_text(script, encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    made = [event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader")]
    assert [event.arguments.positional[0].value for event in made] == ["narrow"]


def test_a_file_that_has_to_be_named_is_looked_for_on_no_way_without(tmp_path):
    refusal = "raise FileNotFoundError(args.list)"
    assert loaders(tmp_path, "not os.path.isfile(args.list)", refusal) == ["data"]


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("args.list", False),
        ("os.path.expanduser(args.list)", False),
        ("os.path.abspath(args.list)", True),  # the folder that the script is started in
        ("os.path.dirname(os.path.abspath(__file__))", True),
        ("os.getcwd()", True),
    ],
)
def test_an_empty_path_names_nothing_but_the_folder_of_the_script_is_there(tmp_path, path, there):
    refusal = f"pass\n    if os.path.exists({path}):\n        DataLoader('found')"
    assert ("found" in loaders(tmp_path, "True", refusal)) is there
