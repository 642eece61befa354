"""A display of thousands of constants is read at once, and is what it was otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, Unknown, Value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

READING = """
from torch.utils.data import DataLoader

DataLoader(PHONES["word 7"], batch_size=SIZES["word 3"], num_workers=len(WORDS))
"""


def loader_and_steps(folder: Path, entries: int, phones: str) -> tuple[list[Value], int]:
    """The arguments of the loader, and the steps that the script takes."""
    sizes = ", ".join(f"'word {i}': {i}" for i in range(entries))
    said = ", ".join(f"'word {i}': {phones}" for i in range(entries))
    words = ", ".join(f"'word {i}'" for i in range(entries))
    script = f"SIZES = {{{sizes}}}\nPHONES = {{{said}}}\nWORDS = [{words}]\n{READING}"
    (folder / "train.py").write_text(script, encoding="utf-8")
    (run,) = execute(SourceTree(folder))
    (made,) = [each for each in run.events if isinstance(each, CallEvent) and each.callee.endswith(".DataLoader")]
    given = [*made.arguments.positional, *made.arguments.keywords.values()]
    return given, interpreter_of(run).steps


def test_a_table_holds_what_is_written_in_it(tmp_path: Path) -> None:
    (data, size, workers), steps = loader_and_steps(tmp_path, 2_000, "('p', -1)[0]")
    assert isinstance(size, Const) and size.value == 3
    assert isinstance(workers, Const) and workers.value == 2_000
    assert isinstance(data, Const) and data.value == "p"  # what is not all constants is evaluated
    (_, size, workers), fewer = loader_and_steps(tmp_path, 2_000, "'p'")
    assert isinstance(size, Const) and size.value == 3
    assert isinstance(workers, Const) and workers.value == 2_000
    assert fewer < 2_000 < steps


def test_the_lists_in_a_lexicon_of_many_thousands_are_not_read(tmp_path: Path) -> None:
    (data, size, _), steps = loader_and_steps(tmp_path, 12_000, "[['p'], ['a']]")
    assert isinstance(data, Unknown)
    assert isinstance(size, Const) and size.value == 3
    assert steps < 12_000


@pytest.mark.parametrize("entries", [2_000, 12_000])
def test_what_is_no_constant_in_a_table_is_evaluated_alone(tmp_path: Path, entries: int) -> None:
    words = ", ".join(f"-{i}" for i in range(1, entries))
    sizes = ", ".join(f"'word {i}': {i}" for i in range(entries))
    script = (
        f"from torch.utils.data import DataLoader\nLAST = [7, 8]\nWORDS = [{words}, *LAST]\nSET = {{{words}, *LAST}}\n"
        f"SIZES = {{{sizes}, 'word 3': len(LAST), **{{'more': 5}}}}\n"
        "DataLoader(len(WORDS), WORDS[2], WORDS[-1], len(SET), SIZES['word 3'], SIZES['more'], len(SIZES))\n"
    )
    (tmp_path / "train.py").write_text(script, encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    (made,) = [each for each in run.events if isinstance(each, CallEvent) and each.callee.endswith(".DataLoader")]
    given = [each.value for each in made.arguments.positional if isinstance(each, Const)]
    assert given == [entries + 1, -3, 8, entries + 1, 2, 5, entries + 1]
    assert interpreter_of(run).steps < entries
