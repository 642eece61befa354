"""What is said of a checkpoint: from where its file comes, and what makes a training load it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.finding import Finding
from cmgan_audit.gate.check import Auditor

SEPARATION = """
import argparse
import os
from pathlib import Path
import torch
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--folder", default="given")
parser.add_argument("--model", default="unet")
args = parser.parse_args()
model = torch.nn.Linear(4, 4)
model.load_state_dict(torch.load({path}))
model.eval()
with torch.no_grad():
    for batch in DataLoader(torch.zeros(64, 4)):
        model(batch)
"""
TRAINING = """
import os
import torch
from torch.utils.data import DataLoader

FOLDER = os.path.join("runs", "{folder}")
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters())
first = 0
files = sorted(os.listdir(FOLDER))
if len(files) > 0:
    state = torch.load(os.path.join(FOLDER, files[-1]))
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    first = state["epoch"] + 1
for epoch in range(first, 10):
    for batch in DataLoader(torch.zeros(64, 4), 4, shuffle=True):
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()
    state = {{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}}
    torch.save(state, os.path.join(FOLDER, f"at_{{epoch}}.pt"))
"""


@pytest.mark.parametrize(
    ("path", "outside"),
    [
        ("Path('checkpoints', 'train', args.model, 'latest.pt')", False),
        ("os.path.join('checkpoints', args.model + '.pt')", False),
        ("os.path.join(args.folder, 'latest.pt')", True),
        ("os.path.join(args.folder, args.model, 'latest.pt')", True),
        ("args.model", True),
    ],
)
def test_a_name_in_a_folder_of_the_program_brings_no_file_from_outside(
    path: str, outside: bool, auditor: Auditor, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.1.0\n")
    found = _said(auditor, tmp_path, "CMG604", SEPARATION.format(path=path))
    assert ("comes from outside" in found.message) == outside


def test_a_name_on_the_command_line_of_the_readme_brings_no_file_from_outside(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.1.0\n")
    (tmp_path / "README.md").write_text("```\npython main.py --model=wavenet\n```\n")
    found = _said(auditor, tmp_path, "CMG604", SEPARATION.format(path="Path('checkpoints', args.model, 'latest.pt')"))
    assert "comes from outside" not in found.message


@pytest.mark.parametrize("folder", ["small", "small_pretraining"])
def test_a_pretraining_that_goes_on_is_said_to_take_what_it_finds(
    folder: str, auditor: Auditor, tmp_path: Path
) -> None:
    assert (
        "it takes the file that it finds" in _said(auditor, tmp_path, "CMG601", TRAINING.format(folder=folder)).message
    )


def _said(auditor: Auditor, folder: Path, rule: str, source: str) -> Finding:
    """The one finding of a rule on a script."""
    (folder / "main.py").write_text(source)
    (found,) = (finding for finding in auditor.audit(folder).findings if finding.rule == rule)
    return found
