"""What a measured number is made from, backwards through the source of a run."""

from __future__ import annotations

import ast
from pathlib import Path

from cmgan_audit.facts.code import Code, stack_of
from cmgan_audit.facts.scene import look_at
from cmgan_audit.facts.slices import Slice, Slicer
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

HEAD = """
import torch
from torch.utils.data import DataLoader

train_loader, valid_loader, test_loader = DataLoader(range(3)), DataLoader(range(3)), DataLoader(range(3))
net = torch.nn.Linear(1, 1)
torch.optim.Adam(net.parameters()).step()
def score(loader):
    total, n = 0, 0
    for item in loader:
        total += net(item).item()
        n += 1
    return n, total / n
"""


def slice_of_print(folder: Path, body: str) -> Slice:
    """The slice behind the last printed value."""
    (folder / "train.py").write_text(HEAD + body, encoding="utf-8")
    tree = SourceTree(folder)
    run = next(iter(execute(tree)))
    code = Code(look_at(run))
    event = [each for each in run.events if isinstance(each, CallEvent) and each.callee == "builtins.print"][-1]
    call = code.call_at(event.location)
    assert call is not None
    return Slicer(code).behind(call.args[0], event.location.path, stack_of(event.context))


def lines(found: Slice) -> set[int]:
    return {loop.node.lineno for loop in found.loops}


def test_a_result_leads_into_the_function_that_gathers_it(tmp_path):
    found = slice_of_print(tmp_path, "n, value = score(test_loader)\nprint(value)\n")
    assert lines(found) == {10}
    assert [loop.stack[0].line for loop in found.loops][:1] == [14]


def test_two_calls_of_one_function_are_told_apart(tmp_path):
    body = "first = score(valid_loader)\nsecond = score(test_loader)\nprint(second[1])\n"
    found = slice_of_print(tmp_path, body)
    assert {loop.stack[0].line for loop in found.loops} == {15}


def test_a_parameter_leads_to_the_argument_of_this_call(tmp_path):
    body = """
def show(value):
    print(value)
show(score(valid_loader)[1])
show(score(test_loader)[1])
"""
    found = slice_of_print(tmp_path, body)
    assert {loop.stack[0].line for loop in found.loops} == {18}


def test_an_attribute_leads_to_its_assignments(tmp_path):
    body = """
class Trainer:
    def measure(self):
        self.value = score(test_loader)[1]
    def show(self):
        print(self.value)
trainer = Trainer()
trainer.measure()
trainer.show()
"""
    found = slice_of_print(tmp_path, body)
    assert lines(found) == {10}


def test_a_flag_leads_to_the_test_that_set_it(tmp_path):
    body = """
best = 0
value = score(test_loader)[1]
better = False
if value > best:
    better = True
print(better)
"""
    found = slice_of_print(tmp_path, body)
    assert [compare.node.lineno for compare in found.compares] == [18]
    assert lines(found) == {10}


def test_a_name_that_is_used_again_means_its_last_value(tmp_path):
    body = "value = score(valid_loader)\nvalue = net(1)\nprint(value)\n"
    found = slice_of_print(tmp_path, body)
    assert lines(found) == set()


def test_a_comprehension_is_a_loop(tmp_path):
    found = slice_of_print(tmp_path, "print(sum(net(x) for x in test_loader))\n")
    assert [type(loop.node) for loop in found.loops] == [ast.GeneratorExp]


def test_what_is_given_is_part_of_what_a_name_holds_later(tmp_path):
    body = """
def moved(batch):
    batch = moved_keys(batch)
    return batch
def moved_keys(batch):
    batch["x"] = 1
    return batch
for item in test_loader:
    print(moved(item))
"""
    assert lines(slice_of_print(tmp_path, body)) == {21}


def test_a_tracker_that_only_stores_leads_to_its_updates(tmp_path):
    body = """
class Tracker:
    def __init__(self):
        self.table = make()
    def update(self, name, value):
        self.table.total[name] += value
    def result(self):
        return self.table.total
tracker, log = Tracker(), {}
for item in train_loader:
    tracker.update("train", net(item))
    tracker.update("other", net(item))
    tracker.update("third", net(item))
    tracker.update("fourth", net(item))
for item in test_loader:
    tracker.update("test", net(item))
log.update(**{"val_" + name: value for name, value in tracker.result().items()})
print(log["val_test"])
"""
    assert {23, 28} <= lines(slice_of_print(tmp_path, body))
