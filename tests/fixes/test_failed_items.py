"""CMG401: items whose metric failed are left out of the loss, the others are kept."""

from __future__ import annotations

import sys
import types

import pytest

SCORES = """\
import numpy as np
import torch
from joblib import Parallel, delayed
from pesq import pesq


def score(clean, estimate):
    try:
        return pesq(16000, clean, estimate, "wb")
    except Exception:
        return -1


def labels(clean, estimate):
    values = Parallel(n_jobs=-1)(delayed(score)(c, e) for c, e in zip(clean, estimate))
    values = np.array(values)
    if -1 in values:
        return None
    values = (values - 1) / 3.5
    return torch.FloatTensor(values).to("cpu")
"""
TRAIN = """\
import scores
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def discriminator_loss(discriminator, clean, estimate):
    target = scores.labels(clean.squeeze(1).numpy(), estimate.squeeze(1).numpy())
    if target is not None:
        best = discriminator(torch.cat([clean, clean], 1)).mean((1, 2))
        found = discriminator(torch.cat([clean, estimate], 1)).mean(2)
        return F.mse_loss(
            best, torch.ones(len(best))
        ) + F.mse_loss(found.flatten(), target)
    return None


def main():
    generator, discriminator = torch.nn.Conv1d(1, 1, 3, padding=1), torch.nn.Conv1d(2, 1, 3)
    optimizer = torch.optim.Adam(discriminator.parameters())
    data = TensorDataset(torch.zeros(64, 1, 16000), torch.zeros(64, 1, 16000))
    for clean, noisy in DataLoader(data, batch_size=4, shuffle=True, drop_last=True):
        loss = discriminator_loss(discriminator, clean, generator(noisy).detach())
        if loss is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
"""


def program(change: tuple[str, str] = ("", ""), more: dict[str, str] | None = None) -> dict[str, str]:
    files = {"scores.py": SCORES, "train.py": TRAIN, **(more or {})}
    return {name: text.replace(*change) for name, text in files.items()} if change[0] else files


def assert_marked_and_left_out(mended) -> None:
    """The function marks what failed, and its caller leaves that out of the loss."""
    assert mended.added("scores.py") == [
        "if (values == -1).all():",
        "values = np.where(values == -1, np.nan, values)",
    ]
    assert mended.added("train.py") == [
        "kept = ~target.isnan()",
        ") + F.mse_loss(found.flatten()[kept], target[kept])",
    ]


def test_the_function_marks_what_failed_and_its_caller_leaves_that_out(fix):
    mended = fix("CMG401", program())
    assert mended.remaining == [] and mended.found[0].fix.safety == "unsafe"
    assert_marked_and_left_out(mended)


def test_what_it_makes_trains_on_the_kept_items_only(fix, monkeypatch):
    torch, joblib = pytest.importorskip("torch"), types.ModuleType("joblib")
    joblib.Parallel, joblib.delayed = lambda n_jobs: list, lambda function: function
    rated = types.ModuleType("pesq")

    def pesq(rate, clean, estimate, mode):
        if not clean.any():
            raise ValueError("no speech")
        return 4.5

    rated.pesq = pesq
    mended = fix("CMG401", program())
    scores = types.ModuleType("scores")
    for module in (joblib, rated, scores):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(mended.text("scores.py"), scores.__dict__)
    train: dict[str, object] = {"__name__": "train"}
    exec(mended.text("train.py"), train)

    clean = torch.ones(3, 1, 8)
    clean[1] = 0
    estimate = clean.clone()
    estimate[1] = 1000.0  # would dominate the loss

    def critic(pair: object) -> object:
        return pair[:, 1:]

    loss = train["discriminator_loss"](critic, clean, estimate)
    assert loss.item() == pytest.approx(1 / 3)  # of the pair of clean ones: the best score of the silent item is 0
    assert train["discriminator_loss"](critic, torch.zeros(3, 1, 8), estimate) is None


TWO = """\
    target = scores.labels(clean.squeeze(1).numpy(), estimate.squeeze(1).numpy())
    lower = scores.labels(estimate.squeeze(1).numpy(), clean.squeeze(1).numpy())
    if target is not None and lower is not None:
        best = discriminator(torch.cat([clean, clean], 1)).mean((1, 2))
        found = discriminator(torch.cat([clean, estimate], 1)).mean(2)
        least = discriminator(torch.cat([estimate, clean], 1)).mean(2)
        loss = F.mse_loss(best, torch.ones(len(best)))
        loss = loss + F.mse_loss(found.flatten(), target) + F.mse_loss(least.flatten(), lower)
        return loss
    return None
"""


def test_scores_that_meet_in_one_statement_are_masked_apart(fix):
    before = TRAIN[TRAIN.index("    target = ") : TRAIN.index("def main")]
    mended = fix("CMG401", program((before, f"{TWO}\n\n")))
    assert mended.remaining == []
    assert mended.added("train.py") == [
        "kept_target = ~target.isnan()",
        "kept_lower = ~lower.isnan()",
        "loss = loss + F.mse_loss(found.flatten()[kept_target], target[kept_target])"
        " + F.mse_loss(least.flatten()[kept_lower], lower[kept_lower])",
    ]


def in_a_class() -> dict[str, str]:
    """The program with the scores of a batch as a method of an object."""
    at = SCORES.index("def labels")
    method = "".join(f"    {line}" if line.strip() else line for line in SCORES[at:].splitlines(keepends=True))
    head = f"{SCORES[:at]}class Scorer:\n"
    train = TRAIN.replace("scores.labels(", "SCORER.labels(")
    train = train.replace("def discriminator_loss", "SCORER = scores.Scorer()\n\n\ndef discriminator_loss")
    return {"scores.py": head + method.replace("labels(clean", "labels(self, clean"), "train.py": train}


def test_a_method_is_mended_like_a_function(fix):
    mended = fix("CMG401", in_a_class())
    assert mended.remaining == []
    assert_marked_and_left_out(mended)


def test_a_name_that_two_functions_of_a_file_have_stays(fix):
    files = in_a_class()
    files["scores.py"] += "\n\nclass Other:\n    def labels(self, clean, estimate):\n        return None\n"
    mended = fix("CMG401", files)
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert "more than once" in mended.found[0].fix.declined


def test_programs_with_a_function_of_the_same_name_are_mended_apart(fix):
    more = {f"{folder}/{name}": text for folder in ("one", "two") for name, text in program().items()}
    more["two/scores.py"] = SCORES.replace("-1 in values", "(values == -1).all()")
    mended = fix("CMG401", more)
    assert mended.remaining == [] and sorted(mended.fixed.changes) == ["one/scores.py", "one/train.py"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            ("        return None\n    values = (", "        return None, None\n    values = ("),
            "is not `if -1 in scores",
        ),
        (("    values = np.array(values)\n", ""), "not made an array"),
        (
            ("    values = (values - 1) / 3.5", "    values = np.nan_to_num((values - 1) / 3.5)"),
            "does more with values",
        ),
        (
            ("    return torch.FloatTensor(values)", "    print(values.mean())\n    return torch.FloatTensor(values)"),
            "more",
        ),
        (("F.mse_loss(found.flatten(), target)", "F.mse_loss(found.flatten(), target, reduction='sum')"), "mean loss"),
        (("F.mse_loss(found.flatten(), target)", "F.mse_loss(found, target)"), "not flattened"),
        (("        best =", "        print(target.mean())\n        best ="), "then used in one loss"),
        (("        best =", "        kept = 1\n        best ="), "a name kept of its own"),
        (("    target = scores.labels(", "    target = (scores.labels)and scores.labels("), "not only called"),
        (("    if target is not None", "    if True"), "tested for None"),
    ],
)
def test_other_shapes_stay_and_the_finding_says_why(fix, change, reason):
    mended = fix("CMG401", program(change))
    assert len(mended.found) == 1 and not mended.fixed.changes
    assert reason in mended.found[0].fix.declined
