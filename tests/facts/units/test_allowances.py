"""How the steps of a tree are shared among its scripts."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.facts.units.allowances import by_weight, steps_of_each
from cmgan_audit.source.tree import SourceTree


def test_a_script_among_many_gets_a_smaller_share() -> None:
    shares = {scripts: steps_of_each(scripts) for scripts in (1, 32, 33, 64, 65, 250, 1000)}
    assert shares == {
        1: 500_000,
        32: 500_000,
        33: 250_000,
        64: 250_000,
        65: 125_000,
        250: 62_500,
        1000: 15_625,
    }


def test_scripts_that_train_get_their_steps_first(tmp_path: Path) -> None:
    files = {"a.py": "print(1)", "b.py": "loss.backward()", "c.py": "print(2)", "d.py": "trainer.fit(model)"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert by_weight(SourceTree(tmp_path), list(files)) == ["b.py", "d.py", "a.py", "c.py"]


def test_of_scripts_that_train_those_that_lie_less_deep_come_first(tmp_path: Path) -> None:
    """A copied library brings scripts of its own, whose names may come before those of the tree."""
    scripts = ["lib/examples/audio/train.py", "recipes/train.py", "train.py"]
    for script in scripts:
        (tmp_path / script).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / script).write_text("loss.backward()\n", encoding="utf-8")
    assert by_weight(SourceTree(tmp_path), scripts) == scripts[::-1]
