"""CMG604: loads that take weights only."""

from __future__ import annotations

import pytest

HEAD = """\
import argparse
import torch
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--model_path", default="best.pt")
args = parser.parse_args()
model = torch.nn.Linear(4, 4)
"""
TAIL = """\
for (batch,) in DataLoader(TensorDataset(torch.zeros(4, 4))):
    model(batch)
"""
DIRECT = "model.load_state_dict(torch.load(args.model_path))\n"
BY_NAME = """\
def restore(model, path):
    state = torch.load(path, map_location="cpu")
    model.load_state_dict(state)


restore(model, args.model_path)
"""
MORE = """\
checkpoint = torch.load(
    args.model_path,
    map_location="cpu",  # no GPU is needed
)
model.load_state_dict(checkpoint["model"])
"""


def program(load: str, requirements: str = "torch==2.4.0\n") -> dict[str, str]:
    return {"enhance.py": HEAD + load + TAIL, "requirements.txt": requirements}


@pytest.mark.parametrize(
    ("load", "safety", "added"),
    [
        (DIRECT, "safe", ["model.load_state_dict(torch.load(args.model_path, weights_only=True))"]),
        (BY_NAME, "safe", ['state = torch.load(path, map_location="cpu", weights_only=True)']),
        (MORE, "unsafe", ["weights_only=True,"]),
        (BY_NAME.replace("(state)", '(state["model"])'), "unsafe", None),
        (BY_NAME.replace("(state)\n", "(state)\n    print(state)\n"), "unsafe", None),
        (BY_NAME.replace("(model, args", "(torch.optim.Adam(model.parameters()), args"), "unsafe", None),
    ],
)
def test_the_flag_is_passed_and_is_safe_only_where_the_file_is_the_state_of_a_network(fix, load, safety, added):
    mended = fix("CMG604", program(load))
    assert [finding.fix.safety for finding in mended.found] == [safety] and mended.found[0].fix.reason
    assert mended.remaining == [] and list(mended.fixed.changes) == ["enhance.py"]
    if added is not None:
        assert mended.added("enhance.py") == added


def test_a_false_flag_is_replaced_where_it_stands(fix):
    load = DIRECT.replace("model_path)", "model_path, weights_only=False)")
    mended = fix("CMG604", program(load, "torch>=2.6\n"))
    assert mended.remaining == []
    assert mended.added("enhance.py") == ["model.load_state_dict(torch.load(args.model_path, weights_only=True))"]


def test_a_load_under_another_name_and_in_a_branch_that_is_off(fix):
    load = (
        "from torch import load as read\nif args.model_path == 'x':\n    model.load_state_dict(read(args.model_path))\n"
    )
    mended = fix("CMG604", program(load))
    assert mended.remaining == []
    assert mended.added("enhance.py") == ["model.load_state_dict(read(args.model_path, weights_only=True))"]


def test_the_version_of_python_may_rule_old_ones_out(fix):
    files = program(DIRECT, "numpy\n") | {"pyproject.toml": '[project]\nname = "se"\nrequires-python = ">=3.11"\n'}
    mended = fix("CMG604", files)
    assert mended.found and mended.remaining == []


@pytest.mark.parametrize(
    ("load", "requirements", "reason"),
    [
        (DIRECT, "torch==1.12.1\n", "allows an older one (torch ==1.12.1 at requirements.txt:1)"),
        (DIRECT, "torch>=1.9\n", "allows an older one"),
        (DIRECT, "torch\n", "names no version of torch"),
        (DIRECT, "", "names no version of torch"),
        (DIRECT.replace("model_path)", "model_path, **{})"), "torch==2.4\n", "unpacks its arguments"),
        (DIRECT.replace("model_path)", "model_path, pickle_module=torch)"), "torch==2.4\n", "pickle module"),
        ("ANY = False\n" + DIRECT.replace("h))", "h, weights_only=ANY))"), "torch==2.4\n", "computed there"),
    ],
)
def test_other_loads_stay_and_the_finding_says_why(fix, load, requirements, reason):
    mended = fix("CMG604", program(load, requirements))
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert reason in mended.found[0].fix.declined


def test_a_sentence_of_a_document_is_no_guarantee(fix):
    files = program(DIRECT, "") | {"README.md": "# Enhancer\n\nTested with PyTorch 2.1.0\n"}
    mended = fix("CMG604", files)
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert "only a sentence asks for that (torch ==2.1.0 at README.md:3)" in mended.found[0].fix.declined
