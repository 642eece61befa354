"""CMG204 and CMG211: samplers that split a set over processes."""

from __future__ import annotations

import pytest

TRAIN = """\
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler
from tqdm import tqdm


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        return sum(model(batch).mean() for (batch,) in loader)


def main(distributed=False):
    dist.init_process_group("gloo")
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.Adam(model.parameters())
    train_set, test_set = TensorDataset(torch.zeros(64, 4)), TensorDataset(torch.zeros(9, 4))
    train_sampler = DistributedSampler(train_set)
    train_loader = DataLoader(train_set, 8, sampler=train_sampler)
    @SET@
    test_loader = DataLoader(test_set, 8, @TEST@)
    for epoch in range(10):
        @EPOCH@
        for step, (batch,) in enumerate(tqdm(train_loader)):
            loss = model(batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(evaluate(model, test_loader))


if __name__ == "__main__":
    main()
"""


def program(test: str = "", setting: str = "pass", epoch: str = "model.train()") -> dict[str, str]:
    return {"train.py": TRAIN.replace("@TEST@", test).replace("@SET@", setting).replace("@EPOCH@", epoch)}


@pytest.mark.parametrize(
    ("test", "setting", "after"),
    [
        ("sampler=DistributedSampler(test_set)", "pass", "test_loader = DataLoader(test_set, 8, sampler=None)"),
        ("sampler=sampler", "sampler = DistributedSampler(test_set, shuffle=False)", "sampler = None"),
    ],
)
def test_the_evaluation_loader_loses_its_sampler(fix, test, setting, after):
    mended = fix("CMG204", program(test, setting))
    assert len(mended.found) == 1 and mended.remaining == []
    assert mended.added("train.py") == [after]


def test_a_sampler_that_is_used_for_more_stays(fix):
    mended = fix(
        "CMG204", program("sampler=sampler", "sampler = DistributedSampler(test_set)", "sampler.set_epoch(epoch)")
    )
    assert not mended.fixed.changes
    assert "used for more than the sampler of a loader" in mended.found[0].fix.declined


def test_the_sampler_of_training_is_told_the_epoch_first(fix):
    mended = fix("CMG211", program())
    assert len(mended.found) == 1 and mended.remaining == []
    lines = [line.strip() for line in mended.text("train.py").splitlines()]
    at = lines.index("train_loader.sampler.set_epoch(epoch)")
    assert (lines[at - 1], lines[at + 1]) == ("for epoch in range(10):", "model.train()")
    assert mended.added("train.py") == ["train_loader.sampler.set_epoch(epoch)"]


def test_an_epoch_loop_that_is_not_there_is_told(fix):
    text = program()["train.py"].replace("    for epoch in range(10):", "    if True:")
    mended = fix("CMG211", {"train.py": text})
    assert not mended.fixed.changes
    assert "loop over epochs" in mended.found[0].fix.declined


def test_what_wraps_a_loader_may_have_no_sampler(fix):
    text = program()["train.py"]
    loop = next(line for line in text.splitlines() if line.strip().startswith("for ") and "train_loader" in line)
    indent = loop[: len(loop) - len(loop.lstrip())]
    wrapped = f"{indent}progress = tqdm(train_loader)\n" + loop.replace("train_loader", "progress")
    mended = fix("CMG211", {"train.py": text.replace(loop, wrapped)})
    assert len(mended.found) == 1
    assert not mended.fixed.changes
    assert "wraps a loader and may have no sampler" in mended.found[0].fix.declined
