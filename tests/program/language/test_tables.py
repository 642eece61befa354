"""A display of thousands of constants is read at once, and is what it was otherwise."""

from __future__ import annotations

from pathlib import Path

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
    assert fewer < 100 < steps


def test_the_lists_in_a_lexicon_of_many_thousands_are_not_read(tmp_path: Path) -> None:
    (data, size, _), steps = loader_and_steps(tmp_path, 12_000, "[['p'], ['a']]")
    assert isinstance(data, Unknown)
    assert isinstance(size, Const) and size.value == 3
    assert steps < 100
