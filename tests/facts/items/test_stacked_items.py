"""Items that are several segments, of a number that depends on the recording: the batch is left open (CMG101)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAIN = """
import torch
from torch.utils.data import DataLoader, Dataset

class Segments(Dataset):
    def __init__(self, names):
        self.names = names
    def __len__(self):
        return len(self.names)
    def __getitem__(self, index):
        speech = torch.load(self.names[index])
        return {{"speech": {made}}}

net = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(net.parameters())
for batch in DataLoader(Segments(["a.pt", "b.pt"]), batch_size=1, shuffle=True):
    speech = {taken}
    optimizer.zero_grad()
    net(speech).abs().mean().backward()
    optimizer.step()
"""
TAKEN = 'batch["speech"][0].cuda()'


def judged(auditor: Auditor, tmp_path: Path, program: str) -> str:
    """What CMG101 says of a program: "found", "open" or "good"."""
    (tmp_path / "train.py").write_text(program, encoding="utf-8")
    audited = auditor.audit(tmp_path)
    if "CMG101" in {finding.rule for finding in audited.findings}:
        return "found"
    return "open" if "CMG101" in {entry.rule for entry in audited.unresolved} else "good"


@pytest.mark.parametrize(
    ("made", "taken", "verdict"),
    [
        ("speech.unfold(0, 16000, 8000)", TAKEN, "open"),
        ("torch.stack(speech.split(16000)[:-1])", TAKEN, "open"),
        ("torch.stack(speech.split(16000)[:-1])", 'batch["speech"].cuda()', "found"),
        ("torch.stack(speech.chunk(2))", TAKEN, "found"),  # two channels, as likely
        ("speech", TAKEN, "found"),
    ],
)
def test_a_recording_that_is_cut_into_segments(
    auditor: Auditor, tmp_path: Path, made: str, taken: str, verdict: str
) -> None:
    assert judged(auditor, tmp_path, TRAIN.format(made=made, taken=taken)) == verdict


CUT = """
def cut(speech):
    start = torch.randint(0, 100, (1,)).item()
    return speech[start : start + 800]

"""
MORE = """        noisy = torch.load("noisy/" + self.names[index])
        many = torch.load("many.pt")
"""


@pytest.mark.parametrize(
    ("made", "taken", "verdict"),
    [
        ("torch.stack([speech, noisy])", "first", "found"),  # the loop takes the two apart
        ("torch.stack([speech, noisy])", "all", "open"),
        ("torch.stack([speech, noisy])", "spectra of all", "open"),  # though the loop shows the first one
        ("torch.stack([many[0], many[1], many[2], many[3]])", "all", "open"),
        ("torch.stack([torch.load(path) for path in self.names])", "all", "open"),
        ("torch.stack([many[channel] for channel in range(4)])", "all", "open"),
        ("torch.stack([cut(speech), cut(speech), cut(speech), cut(speech)])", "all", "good"),
        ("torch.stack([many[0, at * 800 : at * 800 + 800] for at in range(4)])", "all", "good"),
        ("torch.stack([speech[:800], speech[800:1600]])", "all", "found"),
    ],
)
def test_several_signals_are_no_segments(auditor: Auditor, tmp_path: Path, made: str, taken: str, verdict: str) -> None:
    program = TRAIN.replace("class Segments", CUT + "class Segments").replace(
        "        return", MORE + "        return", 2
    )
    program = program.replace(MORE, "", 1)  # not in __len__
    used = 'batch["speech"].squeeze(0)' + ("[0]" if taken == "first" else "")
    if taken == "spectra of all":
        used = f"torch.fft.rfft({used}).abs()\n    print({used}[0].mean())"
    assert judged(auditor, tmp_path, program.format(made=made, taken=used)) == verdict


SPEAKERS = """
import torch
from torch.utils.data import DataLoader, Dataset

class Mixtures(Dataset):
    def __init__(self, names):
        self.names = names
    def __len__(self):
        return len(self.names)
    def __getitem__(self, index):
        one, other = torch.load("one/" + self.names[index]), torch.load("other/" + self.names[index])
        return {"mix": one + other, "ref": torch.stack([one, other]), "lengths": len(one)}

net = torch.nn.Conv1d(1, 2, 1)
optimizer = torch.optim.Adam(net.parameters())
for batch in DataLoader(Mixtures(["a.pt", "b.pt"]), batch_size=2, shuffle=True):
    lengths = batch["lengths"].SHAPE
    error = (net(batch["mix"]) - batch["ref"]).square().sum(2, keepdim=True) / lengths
    optimizer.zero_grad()
    error.mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize("shape", ["view(-1, 1, 1)", "reshape(-1, 1, 1)", "float()"])
def test_lengths_that_are_given_dimensions_make_no_batch_of_speakers(
    auditor: Auditor, tmp_path: Path, shape: str
) -> None:
    assert judged(auditor, tmp_path, SPEAKERS.replace("SHAPE", shape)) == "found"


def test_speakers_that_are_laid_into_the_batch_may_be_one(auditor: Auditor, tmp_path: Path) -> None:
    program = SPEAKERS.replace("SHAPE", "float()").replace('- batch["ref"]', '- batch["ref"].view(-1, 1, 16000)')
    assert judged(auditor, tmp_path, program) == "open"
