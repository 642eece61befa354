"""Roles that the settings declare, where neither the loops nor the names of a program tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.errors import UsageError
from cmgan_audit.facts.audit import Collected, collect
from cmgan_audit.facts.loading.declared import DeclaredRoles
from cmgan_audit.facts.records import Loader

PROGRAM = """\
import torch
from torch.utils.data import DataLoader, TensorDataset


def make(n):
    first = DataLoader(TensorDataset(torch.zeros(n, 4)), batch_size=2)
    second = DataLoader(TensorDataset(torch.zeros(n, 4)), batch_size=2, drop_last=True)
    return first, second


def run(model, batches):
    for (batch,) in batches:
        print(model(batch))


one, two = make(8)
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters())
run(model, one)
run(model, two)
model(torch.zeros(1, 4)).mean().backward()
"""


def audited(tmp_path: Path, declared: DeclaredRoles) -> Collected:
    (tmp_path / "program.py").write_text(PROGRAM)
    return collect(tmp_path, (), declared)


def roles(found: Collected) -> list[str]:
    loaders = [record for record in found.records if isinstance(record, Loader)]
    return [getattr(loader.role, "value", "unknown") for loader in sorted(loaders, key=lambda each: each.location.line)]


def test_nothing_tells_the_roles_of_these_loaders(tmp_path):
    assert roles(audited(tmp_path, DeclaredRoles())) == ["unknown", "unknown"]


@pytest.mark.parametrize("pattern", ["second", "make.second", "program.py:second", "*.py:make.s*", "two"])
def test_a_loader_is_named_by_variable_function_and_file(tmp_path, pattern):
    found = audited(tmp_path, DeclaredRoles(evaluation=(pattern,)))
    assert roles(found) == ["unknown", "eval"]
    assert found.unmatched == ()


def test_the_function_that_makes_them_names_all_its_loaders(tmp_path):
    assert roles(audited(tmp_path, DeclaredRoles(train=("make",)))) == ["train", "train"]


@pytest.mark.parametrize("pattern", ["third", "other.py:second", "run.second"])
def test_a_declaration_that_no_loader_answers_to_is_handed_back(tmp_path, pattern):
    found = audited(tmp_path, DeclaredRoles(evaluation=(pattern,)))
    assert roles(found) == ["unknown", "unknown"]
    assert found.unmatched == (pattern,)


def test_two_roles_for_one_loader_are_refused_with_both_declarations(tmp_path):
    with pytest.raises(UsageError, match=r"train_loaders \('make'\) and by eval_loaders \('second'\)"):
        audited(tmp_path, DeclaredRoles(train=("make",), evaluation=("second",)))
