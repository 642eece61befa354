"""CMG201: the shapes in which an evaluation crop is drawn, and what becomes of each."""

from __future__ import annotations

import ast

import pytest

TRAIN = """\
import torch
from data import loaders


def main():
    model = torch.nn.Conv1d(1, 1, 3)
    optimizer = torch.optim.Adam(model.parameters())
    train_loader, test_loader = loaders("corpus", 8)
    for epoch in range(100):
        model.train()
        for clean, noisy in train_loader:
            loss = (model(noisy) - clean).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            print(sum((model(noisy) - clean).abs().mean() for clean, noisy in test_loader))


if __name__ == "__main__":
    main()
"""

DATA = """\
import random

import numpy as np
import torch
import torchaudio
from torch.utils.data import DataLoader, Dataset


class Speech(Dataset):
    def __init__(self, folder, cut=32000):
        self.folder, self.cut = folder, cut

    def __getitem__(self, index):
        clean, _ = torchaudio.load(f"{self.folder}/clean/{index}.wav")
        noisy, _ = torchaudio.load(f"{self.folder}/noisy/{index}.wav")
        length = clean.shape[-1]
        start = @DRAW@
        return clean[..., start : start + self.cut], noisy[..., start : start + self.cut]


def loaders(root, batch):
    return DataLoader(Speech(root + "/train"), batch), DataLoader(Speech(root + "/test"), batch)
"""

PLAIN = "random.randint(0, length - self.cut)"

MIDDLES = {
    "random.randint(0, length - self.cut)": "(length - self.cut) // 2",
    "random.randint(a=0, b=length - self.cut)": "(length - self.cut) // 2",
    "random.randint(100, length - self.cut)": "(100 + (length - self.cut)) // 2",
    "random.randrange(length - self.cut)": "(length - self.cut) // 2",
    "random.randrange(0, length - self.cut + 1)": "(length - self.cut) // 2",
    "random.choice(range(length - self.cut))": "(length - self.cut) // 2",
    "np.random.randint(length - self.cut)": "(length - self.cut) // 2",
    "np.random.randint(0, high=length - self.cut)": "(length - self.cut) // 2",
    "np.random.randint(0, length - self.cut, 1)[0]": "(length - self.cut) // 2",
    "torch.randint(0, length - self.cut, (1,)).item()": "(length - self.cut) // 2",
    "torch.randint(length - self.cut, size=(1,)).item()": "(length - self.cut) // 2",
    "int(random.random() * (length - self.cut))": "0.5",
    "int(random.uniform(0, length - self.cut))": "(length - self.cut) / 2",
    "int(torch.randint(0, length - self.cut, (1,)))": "(length - self.cut) // 2",
    "int(torch.rand(1).item() * (length - self.cut))": "0.5",
    "torch.randint(0, length - self.cut, (1,))": "torch.full((1,), (length - self.cut) // 2)",
}


@pytest.mark.parametrize("draw", MIDDLES)
def test_each_way_of_drawing_gets_the_middle_of_its_own_range(fix, draw):
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": DATA.replace("@DRAW@", draw)})
    assert [finding.rule for finding in mended.found] == ["CMG201"]
    assert mended.remaining == [] and list(mended.fixed.changes) == ["data.py"]
    text = mended.text("data.py")
    assert 'self.mode == "train"' in text and 'DataLoader(Speech(root + "/test", mode="test"), batch)' in text
    assert 'DataLoader(Speech(root + "/train"), batch)' in text
    middle = MIDDLES[draw]
    assert any(ast.unparse(node) == ast.unparse(ast.parse(middle).body[0].value) for node in ast.walk(ast.parse(text)))


def test_only_the_nodes_that_are_meant_change(fix):
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": DATA.replace("@DRAW@", PLAIN)})
    assert mended.added("data.py") == [
        'def __init__(self, folder, cut=32000, mode="train"):',
        "self.mode = mode",
        'start = random.randint(0, length - self.cut) if self.mode == "train" else (length - self.cut) // 2',
        'return DataLoader(Speech(root + "/train"), batch), DataLoader(Speech(root + "/test", mode="test"), batch)',
    ]


def test_a_safe_run_leaves_scores_alone(fix):
    files = {"train.py": TRAIN, "data.py": DATA.replace("@DRAW@", PLAIN)}
    mended = fix("CMG201", files, unsafe=False)
    assert len(mended.remaining) == 1 and not mended.fixed.changes


HELPER = DATA.replace("@DRAW@", "draw_start(length, self.cut)").replace(
    "class Speech", "def draw_start(length, cut):\n    return random.randint(0, length - cut)\n\n\nclass Speech"
)


def test_a_helper_that_draws_is_told_by_the_method(fix):
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": HELPER})
    assert mended.remaining == []
    assert mended.added("data.py")[:2] == [
        "def draw_start(length, cut, random_start=True):",
        "return random.randint(0, length - cut) if random_start else (length - cut) // 2",
    ]
    assert 'draw_start(length, self.cut, random_start=self.mode == "train")' in mended.text("data.py")


def test_a_helper_in_another_file(fix):
    helper = "import random\n\n\ndef draw_start(length, cut):\n    return random.randint(0, length - cut)\n"
    data = DATA.replace("@DRAW@", "draw_start(length, self.cut)").replace(
        "import random\n", "from cuts import draw_start\n"
    )
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": data, "cuts.py": helper})
    assert mended.remaining == [] and list(mended.fixed.changes) == ["cuts.py", "data.py"]


FLAGGED = DATA.replace("folder, cut=32000):", "folder, cut=32000, train=True):").replace(
    "self.folder, self.cut = folder, cut", "self.folder, self.cut, self.train = folder, cut, train"
)


def test_a_flag_that_guards_the_draw_and_is_not_passed_is_passed(fix):
    draw = "random.randint(0, length - self.cut) if self.train else 0"
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": FLAGGED.replace("@DRAW@", draw)})
    assert mended.remaining == []
    assert mended.added("data.py") == [
        'return DataLoader(Speech(root + "/train"), batch), DataLoader(Speech(root + "/test", train=False), batch)'
    ]


def test_a_flag_that_is_passed_and_does_not_cover_the_draw_covers_it(fix):
    data = FLAGGED.replace("@DRAW@", PLAIN).replace('"/test")', '"/test", train=False)')
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": data})
    assert mended.remaining == []
    assert mended.added("data.py") == [
        "start = random.randint(0, length - self.cut) if self.train else (length - self.cut) // 2"
    ]


def test_one_call_for_both_splits_is_told_apart_by_its_flag(fix):
    data = FLAGGED.replace("@DRAW@", PLAIN)
    data = data[: data.index("def loaders")] + (
        "def make(root, batch, train):\n"
        "    return DataLoader(Speech(root, train=train), batch)\n\n\n"
        "def loaders(root, batch):\n"
        '    return make(root + "/train", batch, True), make(root + "/test", batch, False)\n'
    )
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": data})
    assert mended.remaining == []
    assert [line for line in mended.added("data.py") if "self.train else" in line]


def test_a_class_of_the_evaluation_alone_needs_no_flag(fix):
    data = DATA.replace("@DRAW@", PLAIN).replace(
        'DataLoader(Speech(root + "/train"), batch)', 'DataLoader(Whole(root + "/train"), batch)'
    )
    data = data.replace(
        "def loaders",
        "class Whole(Dataset):\n    def __init__(self, folder):\n        self.folder = folder\n\n"
        "    def __getitem__(self, index):\n"
        '        clean, _ = torchaudio.load(f"{self.folder}/{index}.wav")\n        return clean, clean'
        "\n\n\ndef loaders",
    )
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": data})
    assert mended.remaining == []
    assert mended.added("data.py") == ["start = (length - self.cut) // 2"]


def test_a_long_line_becomes_an_if_statement(fix):
    draw = "random.randint(0, clean.shape[-1] - self.cut_length_in_samples_of_one_segment)"
    data = DATA.replace("self.cut", "self.cut_length_in_samples_of_one_segment").replace("@DRAW@", draw)
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": data})
    assert mended.remaining == []
    assert mended.added("data.py")[2:6] == [
        'if self.mode == "train":',
        f"start = {draw}",
        "else:",
        "start = (clean.shape[-1] - self.cut_length_in_samples_of_one_segment) // 2",
    ]


def test_what_shares_its_line_stays_for_both(fix):
    """As the body of an if statement the line would take what stands behind the draw from the evaluation."""
    draw = "random.randint(0, clean.shape[-1] - self.cut_length_in_samples_of_one_segment)"
    data = DATA.replace("start = @DRAW@\n        ", "start = @DRAW@; ")
    data = data.replace("self.cut", "self.cut_length_in_samples_of_one_segment").replace("@DRAW@", draw)
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": data})
    assert mended.remaining == []
    [line] = [line for line in mended.added("data.py") if line.startswith("start = ")]
    middle = "(clean.shape[-1] - self.cut_length_in_samples_of_one_segment) // 2"
    assert line.startswith(f'start = {draw} if self.mode == "train" else {middle}; return clean[...')


DECLINED = {
    "the call at data.py:23 makes the training's dataset too": DATA.replace(
        '    return DataLoader(Speech(root + "/train"), batch), DataLoader(Speech(root + "/test"), batch)\n',
        "    def make(split):\n"
        '        return DataLoader(Speech(f"{root}/{split}"), batch)\n'
        '    return make("train"), make("test")\n',
    ).replace("@DRAW@", PLAIN),
    "Short (data.py:21) derives from Speech and does not call its __init__": DATA.replace(
        "def loaders",
        "class Short(Speech):\n    def __init__(self):\n        self.folder, self.cut = 'a', 1\n\n\ndef loaders",
    ).replace("@DRAW@", PLAIN),
    "random.randrange draws which item is taken, not the place of a cut": DATA.replace(
        "        start = @DRAW@\n"
        "        return clean[..., start : start + self.cut], noisy[..., start : start + self.cut]\n",
        "        whole = length - length % self.cut\n        return clean[..., :whole], noisy[..., :whole]\n",
    ).replace("        clean, _ =", "        index = random.randrange(len(self))\n        clean, _ ="),
    "np.random.randint draws an array": DATA.replace("@DRAW@", "np.random.randint(0, length - self.cut, 1)"),
}


@pytest.mark.parametrize("reason", DECLINED)
def test_a_shape_that_is_not_known_gets_no_edits_and_says_why(fix, reason):
    mended = fix("CMG201", {"train.py": TRAIN, "data.py": DECLINED[reason]})
    assert [finding.fix.declined for finding in mended.found] == [reason.replace("np.", "numpy.")]
    assert not mended.fixed.changes
