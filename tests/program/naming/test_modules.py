"""What every script asks of the tree's files is worked out once, and counts for each that asks."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.program.naming.modules import ModuleIndex
from cmgan_audit.source.tree import SourceTree


def test_an_answer_is_worked_out_once_and_its_questions_count_for_whoever_asks(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch\n", encoding="utf-8")
    tree = SourceTree(tmp_path)
    index = ModuleIndex(tree)
    asked: list[str] = []

    def answer() -> str:
        asked.append("once")
        return f"{tree.locate('setup.py')} {tree.is_folder('data')} {tree.text('train.py')}"

    told = []
    for script in (index.afresh(), index.afresh()):
        with tree.watched() as consulted:
            told.append((script.once("what?", answer), consulted.questions()))
    assert asked == ["once"]
    assert told[0] == told[1] == ("None False import torch\n", (("train.py",), ("setup.py",), ("data",), ()))
    assert index.once("what else?", lambda: "another answer") == "another answer"


def test_a_folder_holds_only_the_files_that_lie_in_it_itself(tmp_path: Path) -> None:
    (tmp_path / "recipes" / "train").mkdir(parents=True)
    (tmp_path / "recipes" / "train" / "main.py").write_text("import torch\n", encoding="utf-8")
    index = ModuleIndex(SourceTree(tmp_path))
    assert [folder for folder in ("", "recipes", "recipes/train", "other") if index.holds_files(folder)] == [
        "recipes/train"
    ]
