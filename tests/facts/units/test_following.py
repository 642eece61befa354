"""What is left out of a tree is told, whatever limit it is that leaves it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.loading.declared import DeclaredRoles
from cmgan_audit.facts.units import following
from cmgan_audit.facts.units.answer import Follower
from cmgan_audit.facts.units.following import ALONE, answers_of
from cmgan_audit.source.tree import SourceTree

UNREACHED = """
from torch.utils.data import DataLoader

def {name}(files):
    for batch in DataLoader(files, batch_size=1, shuffle=True):
        batch.backward()
"""


@pytest.mark.parametrize(("most", "told"), [(3, []), (2, ["c.py:4"])])
def test_functions_beyond_those_that_are_followed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, told: list[str]
) -> None:
    monkeypatch.setattr(following, "MOST_UNREACHED", most)
    for name in "abc":
        (tmp_path / f"{name}.py").write_text(UNREACHED.format(name=name), encoding="utf-8")
    answers = answers_of(Follower(SourceTree(tmp_path), DeclaredRoles()), ALONE, None)
    limits = [step for answer in answers for step in answer.limits]
    assert [f"{step.location.path}:{step.location.line}" for step in limits] == told
    assert all(f"more than {most} functions that no script reaches" in step.note for step in limits)
    assert len([each for answer in answers for each in answer.seen]) == most


HELPS = """
import json
import os

if __name__ == "__main__":
    with open("names.json", "w") as file:
        json.dump(sorted(os.listdir("corpus")), file)
"""


def test_scripts_that_only_make_lists_take_no_step_from_one_that_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, int] = {}
    follow = Follower.follow

    def noted(self: Follower, unit: str, *most: int) -> object:
        asked[unit] = most[0]
        return follow(self, unit, *most)

    monkeypatch.setattr(Follower, "follow", noted)
    (tmp_path / "train.py").write_text(UNREACHED.format(name="train") + "train([])\n", encoding="utf-8")
    for number in range(40):
        (tmp_path / f"lists_{number}.py").write_text(HELPS, encoding="utf-8")
    answers_of(Follower(SourceTree(tmp_path), DeclaredRoles()), ALONE, None)
    assert len(asked) == 41
    assert asked["train.py"] == 2 * asked["lists_0.py"]
