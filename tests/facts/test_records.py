"""What the collectors say beyond finding or silence: severities, formulas, roles, coverage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.facts.audit import Collected, collect
from cmgan_audit.facts.loading.roles import leaning, path_leaning
from cmgan_audit.facts.records import Loader
from cmgan_audit.finding import Confidence
from cmgan_audit.gate.door import load_kinds
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.matching import match
from cmgan_audit.rules.record import KINDS, Known, Unknown

Write = Callable[..., Collected]


@pytest.fixture
def collected(tmp_path: Path) -> Write:
    """Write files and collect their records."""

    def write(**files: str) -> Collected:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return collect(tmp_path)

    return write


def loaders(found: Collected) -> list[Loader]:
    return [record for record in found.records if isinstance(record, Loader)]


TRAINING = """
import argparse
import torch
from torch.utils.data import DataLoader, TensorDataset

def train(model, loader, optimizer, accumulate):
    for step, (batch,) in enumerate(loader):
        loss = model(batch).mean() / accumulate
        loss.backward()
        if (step + 1) % {divisor} == 0:
            optimizer.step()
            optimizer.zero_grad()

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default={default})
    args = parser.parse_args()
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.Adam(model.parameters())
    loader = DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=1)
    train(model, loader, optimizer, args.every)

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("divisor", "default", "severity", "formula"),
    [
        ("accumulate", 4, "warning", "1 x 4 accumulated steps"),
        ("accumulate", 2, "error", "1 x 2 accumulated steps"),
        ("8", 1, "warning", "1 x 8 accumulated steps"),
    ],
)
def test_accumulation_changes_the_severity(
    collected: Write, catalogue: Catalogue, divisor: str, default: int, severity: str, formula: str
) -> None:
    found = collected(train=TRAINING.format(divisor=divisor, default=default))
    (loader,) = loaders(found)
    assert loader.effective_batch == formula
    load_kinds()
    rules = [rule for rule in catalogue.judged(KINDS) if rule.rule.id == "CMG101"]
    (finding,) = match(found.records, rules).findings
    assert finding.severity.value == severity
    assert formula in finding.message


@pytest.mark.parametrize(
    "test",
    [
        "counted = (step + 1) % accumulate == 0\n        if counted:",
        "last = step + 1 == len(loader)\n        now = (step + 1) % accumulate == 0 or last\n        if now:",
        "wait = (step + 1) % accumulate\n        if not wait:",
    ],
)
def test_a_counter_may_have_a_name(collected: Write, test: str) -> None:
    text = TRAINING.format(divisor="accumulate", default=4).replace("if (step + 1) % accumulate == 0:", test)
    (loader,) = loaders(collected(train=text))
    assert loader.effective_batch == "1 x 4 accumulated steps"


def test_a_name_that_stands_for_something_else_is_no_counter(collected: Write) -> None:
    test = (
        "counted = (step + 1) % accumulate == 0\n        if step > 3:\n            counted = True\n        if counted:"
    )
    text = TRAINING.format(divisor="accumulate", default=4).replace("if (step + 1) % accumulate == 0:", test)
    (loader,) = loaders(collected(train=text))
    assert loader.effective_batch == "1"


@pytest.mark.parametrize(
    ("batch", "verdict"),
    [
        ("2 // torch.cuda.device_count()", "found"),
        ("8 // torch.cuda.device_count()", "undecided"),
        ("int(64 / torch.cuda.device_count())", "in order"),
        ("4 * torch.cuda.device_count()", "in order"),
    ],
)
def test_a_batch_over_an_unknown_number_of_processes(
    collected: Write, catalogue: Catalogue, batch: str, verdict: str
) -> None:
    text = TRAINING.format(divisor="accumulate", default=1).replace("batch_size=1", f"batch_size={batch}")
    found = collected(train=text)
    load_kinds()
    rules = [rule for rule in catalogue.judged(KINDS) if rule.rule.id == "CMG101"]
    matches = match(found.records, rules)
    verdicts = {"found": matches.findings, "undecided": matches.unresolved, "in order": matches.passed}
    assert [name for name, entries in verdicts.items() if entries] == [verdict]


def test_a_loader_with_an_unknown_batch_counts_as_unresolved(collected: Write) -> None:
    text = TRAINING.format(divisor="accumulate", default=1).replace("batch_size=1", "batch_size=int(input())")
    found = collected(train=text)
    (loader,) = loaders(found)
    assert isinstance(loader.batch_size, Unknown)
    assert (found.coverage.loaders, found.coverage.loaders_resolved) == (1, 0)


def test_norm_layers_are_told_apart(collected: Write) -> None:
    found = collected(
        train=TRAINING.format(divisor="accumulate", default=1).replace(
            "torch.nn.Linear(4, 4)", "torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.LayerNorm(4))"
        )
    )
    (loader,) = loaders(found)
    assert {norm.layer: norm.over_batch for norm in loader.norms} == {
        "BatchNorm1d": Known(True),
        "LayerNorm": Known(False),
    }
    assert "BatchNorm1d (train.py:" in loader.batch_norms
    assert "LayerNorm" not in loader.batch_norms


def test_a_loader_that_is_never_drawn_from_is_no_training_loader(collected: Write) -> None:
    found = collected(
        train=TRAINING.format(divisor="accumulate", default=1)
        + "\n\ndef unused():\n    return DataLoader(TensorDataset(torch.zeros(4, 4)), batch_size=1)\n"
    )
    assert len(loaders(found)) == 1


def test_a_role_by_name_alone_has_low_confidence(collected: Write) -> None:
    text = """
from torch.utils.data import DataLoader
from somewhere import Trainer, speech

train_loader = DataLoader(speech("train"), batch_size=8, shuffle=True)
Trainer(train_loader).run()
"""
    (loader,) = loaders(collected(train=text))
    assert isinstance(loader.role, Known)
    assert (loader.role.value, loader.role.confidence) == ("train", Confidence.LOW)
    assert isinstance(loader.iterated, Unknown)


def test_failed_files_and_dead_definitions_are_reported_apart(collected: Write) -> None:
    found = collected(
        train=TRAINING.format(divisor="accumulate", default=1), old="print 'two'\n", later="def f(:\n    pass\n"
    )
    assert (found.coverage.files, found.coverage.parsed) == (3, 1)
    assert {path for path, _, _ in found.coverage.failed} == {"old.py", "later.py"}
    assert len(loaders(found)) == 1


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("train_loader", 1),
        ("trainset", 1),
        ("tr_dataset", 1),
        ("TrainDataset", 1),
        ("get_training_data", 1),
        ("val_dl", -1),
        ("testloader", -1),
        ("ValidationSet", -1),
        ("cv_loader", -1),
        ("vl_loader", -1),
        ("dev", -1),
        ("values", 0),
        ("latest", 0),
        ("contest", 0),
        ("train_test_split", 0),
        ("strain", 0),
        ("device", 0),
    ],
)
def test_names_lean(name: str, side: int) -> None:
    assert leaning(name) == side


def test_the_last_part_of_a_path_that_leans_decides() -> None:
    assert path_leaning("/data/training_2020/valid/clean") == -1
    assert path_leaning("VCTK_test/train") == 1
    assert path_leaning("wavs") == 0
