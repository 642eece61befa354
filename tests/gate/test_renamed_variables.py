"""What was a variable called before? Statements that read alike but for the name tell."""

from __future__ import annotations

import ast

import pytest

from cmgan_audit.gate.renamed_variables import renamed_variables

BEFORE = """\
def test(loader, model):
    total, count = 0.0, 0
    for batch in loader:
        loss = model(batch)
        total += loss.item()
        count += 1
    print(f"mean {total / count}")
    return total / count
"""


def renamed(now, before=BEFORE):
    """New name -> old name between two texts of one function."""
    return renamed_variables(ast.parse(before).body[0], ast.parse(now).body[0])


def test_a_renamed_variable():
    assert renamed(BEFORE.replace("total", "running")) == {"running": "total"}


def test_several_variables_that_stand_together_in_another_layout():
    now = BEFORE.replace("total", "running").replace("count", "steps").replace("loss", "value")
    now = now.replace("running, steps = 0.0, 0", "(\n        running,\n        steps,\n    ) = 0.0, 0")
    assert renamed(now) == {"running": "total", "steps": "count", "value": "loss"}


def test_a_function_that_was_changed_a_little_too():
    now = BEFORE.replace("total", "running").replace("    return", "    model.train()\n    return")
    assert renamed(now) == {"running": "total"}


def test_an_attribute():
    before = "def f(self, loss):\n    if loss < self.best:\n        self.best = loss\n"
    assert renamed(before.replace("best", "lowest"), before) == {"lowest": "best"}


@pytest.mark.parametrize(
    "now",
    [
        BEFORE.replace("total += loss.item()", "other = loss.item()\n        total += other"),  # the old one is there
        BEFORE.replace("return total", "return [each for each in range(total)]"),
        BEFORE.replace("total", "loader"),  # that was something else
        """\
def test(loader, model):
    worst = None
    for batch in loader:
        worst = max(model(batch), worst or 0)
    return worst
""",
    ],
)
def test_what_is_no_new_name_of_an_old_variable(now):
    assert renamed(now) == {}


def test_the_top_level_of_a_file_without_its_functions():
    before = "best = 0\n\ndef f():\n    mean = 1\n    return mean\n\nprint(best)\n"
    now = before.replace("best", "top").replace("mean", "average")
    assert renamed_variables(ast.parse(before), ast.parse(now)) == {"top": "best"}


def test_a_number_of_more_digits_than_python_writes():
    before = f"def f(x):\n    key = 0x{'f' * 6000}\n    return x % key\n"
    assert renamed(before.replace("key", "modulus"), before) == {"modulus": "key"}
