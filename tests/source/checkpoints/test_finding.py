"""Which files may be checkpoints: those that ignore files hide too, never those that settings exclude."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.source.checkpoints import finding
from cmgan_audit.source.checkpoints.finding import checkpoint_candidates


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def test_checkpoints_that_an_ignore_file_names(tmp_path: Path) -> None:
    tree(tmp_path, "train.py", "ckpt/epoch_2.pth", "ckpt/notes.txt", "runs/a/last.ckpt")
    (tmp_path / ".gitignore").write_text("*.pth\nruns/\n")
    assert checkpoint_candidates(tmp_path).files == ["ckpt/epoch_2.pth", "runs/a/last.ckpt"]


def test_what_the_settings_exclude(tmp_path: Path) -> None:
    tree(tmp_path, "ckpt/a.pth", "old/b.pth", "c.pth")
    assert checkpoint_candidates(tmp_path, ["old/", "/c.pth"]).files == ["ckpt/a.pth"]


@pytest.mark.parametrize(
    "name",
    ["CMGAN_epoch_7_0.105", "g_00005000", "do_00005000", "latest_checkpoint", "best_ckpt/ckpt", "m.pth.tar", "M.PT"],
)
def test_names_of_checkpoints(tmp_path: Path, name: str) -> None:
    assert checkpoint_candidates(tree(tmp_path, name)).files == [name]


@pytest.mark.parametrize("name", ["Makefile", "LICENSE", "model.py", "clean/p232_001.wav", "best.yaml", "logs.txt"])
def test_names_of_other_files(tmp_path: Path, name: str) -> None:
    assert checkpoint_candidates(tree(tmp_path, name)).files == []


def test_folders_of_frameworks_are_entered_and_environments_are_not(tmp_path: Path) -> None:
    tree(tmp_path, "lightning_logs/version_0/last.ckpt", "wandb/run/model.pt", ".git/x.pt", "venv/lib/x.pt")
    tree(tmp_path, "mine/pyvenv.cfg", "mine/lib/x.pt", "node_modules/x.bin")
    assert checkpoint_candidates(tmp_path).files == ["lightning_logs/version_0/last.ckpt", "wandb/run/model.pt"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    tree(tmp_path / "outside", "x.pt")
    tree(tmp_path / "inside", "y.pt")
    (tmp_path / "inside" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "loop").symlink_to(tmp_path / "inside")
    (tmp_path / "inside" / "z.pt").symlink_to(tmp_path / "outside" / "x.pt")
    assert checkpoint_candidates(tmp_path / "inside").files == ["y.pt"]


def test_a_search_that_ends_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_ENTRIES", 3)
    tree(tmp_path, "a/1.wav", "a/2.wav", "a/3.wav", "b/x.pt", "c/y.pt")
    found = checkpoint_candidates(tmp_path)
    assert found.files == []
    assert found.unsearched == ["b", "c"]
