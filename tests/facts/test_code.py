"""The source behind a run: what was executed, in which role, and the node of an event."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.loading.loaders import loaders_of
from cmgan_audit.facts.loading.names import Assigned
from cmgan_audit.facts.requirements import TorchRange
from cmgan_audit.facts.scene import look_at
from cmgan_audit.facts.view import View
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

TRAINING = """
import torch
from torch.utils.data import DataLoader, TensorDataset

def unused():
    return 1

def measure(batch):
    return torch.sqrt(batch)

def main():
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.Adam(model.parameters())
    train_loader = DataLoader(TensorDataset(torch.zeros(8, 4)), 4)
    for (batch,) in train_loader:
        loss = model(batch).mean()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for (batch,) in DataLoader(TensorDataset(torch.zeros(8, 4)), 4):
            model(batch)
            measure(batch)

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def view(tmp_path: Path) -> View:
    (tmp_path / "train.py").write_text(TRAINING, encoding="utf-8")
    tree = SourceTree(tmp_path)
    run = next(iter(execute(tree)))
    scene, assigned = look_at(run), Assigned(tree)
    return View(tree, scene, assigned, TorchRange(tree), tuple(loaders_of(scene, assigned)))


def call(view: View, ending: str) -> CallEvent:
    return next(event for event in view.scene.calls if event.callee.endswith(ending))


def test_only_what_ran_is_reached(view):
    names = [reached.name for reached in view.code.reached]
    assert names[0] == "<module>"
    assert {"main", "measure"} <= set(names)
    assert "unused" not in names


def test_the_node_of_an_event_is_its_call(view):
    node = view.code.node_of(call(view, "torch.sqrt"))
    assert isinstance(node, ast.Call)
    assert ast.unparse(node) == "torch.sqrt(batch)"
    holders = [type(parent) for parent in view.code.parents("train.py", node)]
    assert holders[:2] == [ast.Return, ast.FunctionDef]


def test_events_know_the_role_of_the_loop_around_them(view):
    assert view.roles_in(call(view, "torch.sqrt").context) == {"eval"}
    assert view.roles_in(next(view.scene.of("backward")).event.context) == {"train"}
    assert view.roles_in(call(view, "torch.optim.Adam").context) == frozenset()


def test_a_function_knows_the_contexts_of_what_happened_in_it(view):
    measure = next(reached for reached in view.code.reached if reached.name == "measure")
    roles = {role for context in view.code.contexts[measure.node] for role in view.roles_in(context)}
    assert roles == {"eval"}


def test_a_package_without_a_file_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "steps.py").write_text("def step():\n    return 1\n")
    (tmp_path / "train.py").write_text(f"from parts import steps\n{TRAINING}")
    tree = SourceTree(tmp_path)
    scene = look_at(next(run for run in execute(tree) if run.entry == "train.py"))
    assert sorted(Code(scene).files) == ["parts/steps.py", "train.py"]
