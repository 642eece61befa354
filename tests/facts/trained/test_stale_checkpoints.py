"""CMG605: checkpoints that torch.save wrote, beside code that sets something else now."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import Any

import pytest
import torch

from cmgan_audit.facts.trained import collecting
from cmgan_audit.finding import Finding, Severity
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import load_catalogue

DICTIONARY = """\
import torch
from torch.utils.data import DataLoader, Dataset

CONFIG = {
    "batch_size": 4,
    "init_lr": 5e-4,
    "n_fft": 400,
    "hop": 100,
    "cut_len": 16000 * 2,
    "epochs": 120,
}

class Pairs(Dataset):
    def __init__(self, cut_len):
        self.cut_len = cut_len

    def __getitem__(self, index):
        return torch.zeros(self.cut_len)

    def __len__(self):
        return 64

model = torch.nn.Linear(4, 4)
critic = torch.nn.Linear(4, 4)
optimizer = torch.optim.AdamW(model.parameters(), lr=CONFIG["init_lr"])
optimizer_disc = torch.optim.AdamW(critic.parameters(), lr=2 * CONFIG["init_lr"])
train_loader = DataLoader(Pairs(CONFIG["cut_len"]), batch_size=CONFIG["batch_size"], shuffle=True)
for epoch in range(CONFIG["epochs"]):
    for batch in train_loader:
        spec = torch.stft(batch, CONFIG["n_fft"], CONFIG["hop"], return_complex=True)
        loss = critic(model(spec.abs())).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        optimizer_disc.step()
    torch.save({"epoch": epoch, "model_state_dict": model.state_dict(), "config": CONFIG}, "ckpt/last.pt")
"""

OPTIONS = """\
import argparse
import torch
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=4)
parser.add_argument("--lr", type=float, default=5e-4)
parser.add_argument("--epochs", type=int, default=120)
args = parser.parse_args()
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 4)), batch_size=args.batch_size, shuffle=True):
    loss = model(batch).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

CATALOGUE = load_catalogue()
OWN = {"batch_size": 4, "init_lr": 5e-4, "n_fft": 400, "hop": 100, "cut_len": 32000, "epochs": 120}


def audit(root: Path, **settings: Any) -> Audited:
    load_kinds()
    chosen = Settings(select=("CMG605",), preview=True, **settings)
    return Auditor(CATALOGUE, chosen, collect, datetime.date.today()).audit(root)


def found(root: Path, **settings: Any) -> list[Finding]:
    audited = audit(root, **settings)
    assert not audited.unresolved
    return list(audited.findings)


def project(root: Path, code: str = DICTIONARY) -> Path:
    (root / "train.py").write_text(code)
    (root / ".gitignore").write_text("*.pt\n*.pth\nckpt/\n")
    return root


def save(root: Path, name: str = "ckpt/last.pt", *, is_zip: bool = True, **content: object) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = torch.nn.Linear(4, 4).state_dict()
    torch.save({"model_state_dict": weights, **content}, path, _use_new_zipfile_serialization=is_zip)
    return path


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    ("key", "value", "clause"),
    [
        ("batch_size", 1, "config.batch_size is 1 in it, the training loader gets 4 now"),
        ("init_lr", 1e-3, "config.init_lr is 0.001 in it, the optimiser gets 0.0005 now"),
        ("n_fft", 512, "config.n_fft is 512 in it, the STFT gets 400 now"),
        ("hop", 128, "config.hop is 128 in it, the STFT gets 100 now"),
        ("cut_len", 16000, "config.cut_len is 16000 in it, the training set takes 32000 now"),
    ],
)
def test_each_setting(tmp_path: Path, key: str, value: float, clause: str, *, is_zip: bool) -> None:
    save(project(tmp_path), is_zip=is_zip, epoch=7, config={**OWN, key: value})
    (finding,) = found(tmp_path)
    assert finding.location is not None
    assert (finding.location.path, finding.location.line) == ("ckpt/last.pt", 1)
    assert clause in finding.message
    assert finding.severity is Severity.WARNING
    assert finding.trail[1].location.path == "train.py"


def test_the_trail_begins_where_the_code_sets_the_value(tmp_path: Path) -> None:
    save(project(tmp_path, OPTIONS), args=argparse.Namespace(batch_size=1, lr=5e-4, epochs=120))
    (finding,) = found(tmp_path)
    assert "args.batch_size is 1 in it" in finding.message
    assert [str(step.location) for step in finding.trail] == ["ckpt/last.pt:1", "train.py:6", "train.py:12"]


def test_what_the_code_still_sets_is_passed(tmp_path: Path) -> None:
    save(project(tmp_path), config=OWN)
    audited = audit(tmp_path)
    assert not audited.findings
    assert audited.passed[0].evidence.startswith("ckpt/last.pt: config.batch_size is 4 in it")


@pytest.mark.parametrize(
    "content",
    [
        {"config": {**OWN, "valid_batch_size": 1}},
        {"config": {**OWN, "valid": {"batch_size": 1}}},
        {"config": {"batch_size": 16, "upsample_rates": 8, "resblock": 1, "num_mels": 80}},
        {"optimizer": {"state": {}, "param_groups": [{"lr": 1e-5, "initial_lr": 1e-3, "params": [0, 1]}]}},
        {"epoch": 3, "batch_sizes_seen": 1},
        {"config": {**OWN, "batch_size": "auto"}},
        {"config": {**OWN, "batch_size": None}},
        {"config": {**OWN, "init_lr": "5e-4"}},
        {"config": {**OWN, "init_lr": float("nan")}},
    ],
    ids=str,
)
def test_what_contradicts_nothing(tmp_path: Path, content: dict[str, object]) -> None:
    save(project(tmp_path), **content)
    assert found(tmp_path) == []


def test_a_launcher_that_sets_the_value_of_the_file(tmp_path: Path) -> None:
    save(project(tmp_path, OPTIONS), args=argparse.Namespace(batch_size=1, lr=5e-4, epochs=120))
    (tmp_path / "small.sh").write_text("python train.py --batch_size 1\n")
    assert found(tmp_path) == []


def test_the_default_that_a_launcher_overrides(tmp_path: Path) -> None:
    save(project(tmp_path, OPTIONS), args=argparse.Namespace(batch_size=4, lr=5e-4, epochs=120))
    (tmp_path / "large.sh").write_text("python train.py --batch_size 16\n")
    assert found(tmp_path) == []
    (tmp_path / "train.py").write_text(OPTIONS.replace("default=4", "required=True"))
    (finding,) = found(tmp_path)
    assert "args.batch_size is 4 in it, the training loader gets 16 now" in finding.message


def test_a_value_far_along_the_line_of_a_trial(tmp_path: Path) -> None:
    root = project(tmp_path, OPTIONS)
    folders = " ".join(f"--part_{number} ../corpora/of/{number}/with/a/long/name" for number in range(30))
    trial = f"## Smoke test\n```bash\npython train.py {folders} --epochs 1 --lr 1e-4\n```\n"
    (root / "README.md").write_text(f"```bash\npython train.py --lr 2e-4\n```\n{trial}")
    save(root, config={"lr": 1e-4})
    assert found(root) == []


def test_a_comment_that_tells_the_earlier_value(tmp_path: Path) -> None:
    code = DICTIONARY.replace('"batch_size": 4,', '"batch_size": 4,  # batch_size: 1 was too small')
    save(project(tmp_path, code), config={**OWN, "batch_size": 1})
    assert len(found(tmp_path)) == 1


def test_a_configuration_of_optimisation_is_no_state_of_an_optimiser(tmp_path: Path) -> None:
    save(project(tmp_path), config={"optimization": {**OWN, "batch_size": 1}})
    assert len(found(tmp_path)) == 1


def test_a_value_that_is_not_known_contradicts_nothing(tmp_path: Path) -> None:
    code = OPTIONS.replace("batch_size=args.batch_size", "batch_size=int(open('size').read())")
    save(project(tmp_path, code), args=argparse.Namespace(batch_size=1, lr=5e-4, epochs=120))
    assert found(tmp_path) == []


def test_files_of_one_run_are_one_finding(tmp_path: Path) -> None:
    project(tmp_path)
    for epoch in (2, 10, 7):
        save(tmp_path, f"ckpt/epoch_{epoch}.pth", epoch=epoch, config={**OWN, "batch_size": 1})
    save(tmp_path, "ckpt/new.pth", epoch=1, config=OWN)
    (finding,) = found(tmp_path)
    assert finding.message.startswith("ckpt/epoch_2.pth and 2 more files beside it: trained with other settings")


def test_the_code_in_the_nearest_folder_counts(tmp_path: Path) -> None:
    for name, size in (("baseline", 1), ("modified", 4)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.py").write_text(DICTIONARY.replace('"batch_size": 4', f'"batch_size": {size}'))
        save(tmp_path, f"{name}/ckpt/last.pt", config={**OWN, "batch_size": 1})
    (finding,) = found(tmp_path)
    assert finding.location is not None
    assert finding.location.path == "modified/ckpt/last.pt"
    assert {step.location.path for step in finding.trail[1:]} == {"modified/train.py"}
    save(tmp_path, "ckpt/last.pt", config={**OWN, "batch_size": 1})
    assert len(found(tmp_path)) == 1, "beside both, it may be of either"


def test_settings_exclude_checkpoints(tmp_path: Path) -> None:
    save(project(tmp_path), "old/a.pt", config={**OWN, "batch_size": 1})
    assert len(found(tmp_path)) == 1
    assert found(tmp_path, exclude=("old/",)) == []


def test_code_that_trains_nothing_has_no_settings(tmp_path: Path) -> None:
    (tmp_path / "read.py").write_text("print('batch_size', 4)\n")
    save(tmp_path, config={"batch_size": 1})
    assert found(tmp_path) == []


def test_damaged_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    path = save(project(tmp_path), config={**OWN, "batch_size": 1})
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    (tmp_path / "ckpt" / "model.bin").write_bytes(b"\x00" * 1000)
    (tmp_path / "ckpt" / "data.pkl").write_bytes(b"\x80\x04\x95")
    (tmp_path / "ckpt" / "gone.pt").symlink_to(tmp_path / "nowhere")
    assert found(tmp_path) == []


def test_features_that_torch_saved_are_no_checkpoints(tmp_path: Path) -> None:
    project(tmp_path)
    torch.save({"mel": torch.zeros(80, 9), "hop": 256}, tmp_path / "features.pt")
    assert found(tmp_path) == []


def test_more_checkpoints_than_are_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path)
    for epoch in range(4):
        save(tmp_path, f"ckpt/epoch_{epoch}.pth", config=OWN)
    monkeypatch.setattr(collecting, "MOST_STEPS", 2_250)
    audited = audit(tmp_path)
    assert [(each.location.path, each.rule) for each in audited.unresolved] == [("ckpt/epoch_2.pth", "CMG605")]
