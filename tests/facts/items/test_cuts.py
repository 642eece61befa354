"""Which of several draws decides where an item is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.gate.check import Auditor

TRAIN = """
import torch
from torch.utils.data import DataLoader
from data import Speech

model = torch.nn.Conv1d(1, 1, 3)
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    for item in DataLoader(Speech(), 8, shuffle=True):
        loss = model(item).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for item in DataLoader(Speech(), 1):
            print(model(item).mean())
"""
DATA = """
import random, torch, torchaudio

class Speech:
    def __len__(self):
        return 100

    def trimmed(self, wav):
        return wav[:, self.first_loud(wav) :]

    def first_loud(self, wav):
        return int((wav.abs() > 0.1).max())

    def __getitem__(self, index):
        wav, _ = torchaudio.load(f"{index}.wav")
%s
        return part
"""


@pytest.mark.parametrize(
    "lines",
    [
        [
            "low = random.choice([0, 1000])",
            "start = random.randint(low, 2000)  # here",
            "part = wav[:, start:]",
        ],
        [
            "start = random.randint(0, 100)  # here",
            "length = random.randint(100, 200)",
            "part = wav[:, start : start + length]",
        ],
        ["length = random.randint(100, 200)", "part = wav[:, random.randint(0, 9) : length]  # here"],
        [
            "wav = self.trimmed(torch.nn.functional.pad(wav, (random.randint(0, 99), 0)))",
            "start = random.randint(0, 2000)  # here",
            "part = wav[:, start : start + 32000]",
        ],
        [
            "noise, _ = torchaudio.load(random.choice(['street.wav', 'cafe.wav']))",
            "begin = random.randint(0, noise.size(1) - wav.size(1))",
            "noise = noise[:, begin : begin + wav.size(1)]",
            "start = random.randint(0, 2000)  # here",
            "part = wav[:, start : start + 32000] + noise[:, :32000]",
        ],
    ],
)
def test_the_draw_that_begins_the_cut_is_named(auditor: Auditor, tmp_path: Path, lines: list[str]) -> None:
    text, places = _found(auditor, tmp_path, lines)
    assert places == [next(number for number, line in enumerate(text.splitlines(), 1) if "# here" in line)]


@pytest.mark.parametrize(
    ("line", "cuts"),
    [
        ("audiofile.read('a.wav', offset=start, duration=2.0)[0]", True),
        ("torchaudio.load('a.wav', offset=start, num_frames=32000)[0]", True),
        ("lab.reader().read_wav('a.wav', start=start, stop=start + 32000)", True),
        ("audiofile.read('a.wav', offset=0, duration=start)[0]", False),
        ("lab.read_wav('a.wav', offset=start)", False),
        ("lab.fade(wav, start=start, length=100)", False),
        ("lab.load_wav_to_torch('a.wav', start=start, duration=2)", True),
        ("lab.AudioDecode('a.wav', start=start, duration=2)", True),
        ("lab.download('a.wav', start=start, length=100)", False),
        ("lab.read_rows('a.csv', start=start, stop=start + 1)", False),
        ("lab.tokens().decode(text, start=start, length=3)", False),
        ("self.read('a.wav', offset=start, duration=2.0)", False),
    ],
)
def test_a_reader_that_is_told_where_to_begin(auditor: Auditor, tmp_path: Path, line: str, cuts: bool) -> None:
    read = "self.read = lambda path, offset, duration: torchaudio.load(path)[0]"
    lines = ["import audiofile, lab", read, "start = random.randint(0, 9)", f"part = {line}"]
    assert bool(_found(auditor, tmp_path, lines)[1]) is cuts


@pytest.mark.parametrize("again", ["self[random.randrange(100)]", "self.__getitem__(random.randint(0, 99))"])
def test_what_is_taken_in_place_of_an_item_that_fails_is_no_cut(auditor: Auditor, tmp_path: Path, again: str) -> None:
    """Its length, and with it the end of what is kept of it, is that of another recording."""
    lines = ["if not wav.any():", f"    return {again}"]
    assert _found(auditor, tmp_path, [*lines, "part = wav[:, : wav.shape[-1] - wav.shape[-1] % 100]"])[1] == []
    text, places = _found(auditor, tmp_path, [*lines, "part = wav[:, random.randint(0, 9) :]  # here"])
    assert places == [next(number for number, line in enumerate(text.splitlines(), 1) if "# here" in line)]


@pytest.mark.parametrize(
    ("noise", "cuts"),
    [
        ("np.random.normal(size=(1, 49152))", False),
        ("np.random.normal(0, 1, 49152)", False),
        ("np.random.standard_normal(49152)", False),
        ("torch.randn(1, 49152)", False),
        ("torch.randn_like(wav)", False),
        ("np.random.randn(*wav.shape)", False),
        ("torch.randn(*wav.shape, device=wav.device)", False),
        ("torch.zeros(1, int(np.random.normal(20000, 1000)))", True),
        ("wav[:, np.random.randint(9, size=1)[0] :]", True),
    ],
)
def test_how_long_a_noise_is_does_not_depend_on_what_is_drawn(
    auditor: Auditor, tmp_path: Path, noise: str, cuts: bool
) -> None:
    lines = [
        "import numpy as np, lab",
        f"wav = lab.mixed(wav, {noise})",
        "begin = (wav.shape[-1] - 16000) // 2",
        "part = wav[:, begin : begin + 16000]",
    ]
    assert bool(_found(auditor, tmp_path, lines)[1]) is cuts


@pytest.mark.parametrize("first", ["<=", ">"])
def test_the_way_that_is_shown_can_be_gone(auditor: Auditor, tmp_path: Path, first: str) -> None:
    """What is drawn for long recordings is cut from them, though a padded one meets the same number."""
    other = ">" if first == "<=" else "<="
    lines = ["start = 0", "if wav.size(1) > 32000:", "    start = random.randint(0, wav.size(1) - 32000)"]
    for test in (first, other):
        padded = "torch.nn.functional.pad(wav, (0, 32000))" if test == "<=" else "wav"
        lines += [f"if wav.size(1) {test} 32000:", f"    part = {padded}[:, start : start + 32000]  # {test}"]
    text, _ = _found(auditor, tmp_path, lines)
    cut = next(number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# >"))
    trail = next(each.trail for each in auditor.audit(tmp_path).findings if each.rule == "CMG201")
    assert [step.location.line for step in trail if step.note == "the item is cut there"] == [cut]


def _found(auditor: Auditor, folder: Path, lines: list[str]) -> tuple[str, list[int]]:
    """The dataset, and the lines in which CMG201 is found."""
    text = DATA % "\n".join(f"        {line}" for line in lines)
    (folder / "data.py").write_text(text, encoding="utf-8")
    (folder / "train.py").write_text(TRAIN, encoding="utf-8")
    found = auditor.audit(folder).findings
    return text, [each.location.line for each in found if each.rule == "CMG201" and each.location is not None]
