"""What a command does not load: a third of what a small tree takes is loading modules, and these easily come back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SLOW = frozenset(
    "_hashlib bz2 difflib packaging shlex shutil subprocess tempfile traceback typer unicodedata yaml".split()
)
AUDIT = """
import runpy, sys
# In one process: a slow machine would start others for a tree that takes it a second, and they need more modules.
sys.argv = ["cmgan-audit", "check", "--jobs", "1", sys.argv[1]]
try:
    runpy.run_module("cmgan_audit", run_name="__main__")
finally:
    print("loaded:", *sys.modules)
"""
COMPARISON = """
import os, sys
def tell(event, arguments):
    if event == "import" and arguments[0] == "torch":
        print("torch:", os.environ.get("OMP_WAIT_POLICY"))
sys.addaudithook(tell)
sys.argv = ["cmgan-audit", "compare-ckpts", *sys.argv[1:], "--metrics", "ssnr", "--jobs", "1", "--no-cache"]
from cmgan_audit.cli.app import main
main()
"""
AUDIO = Path(__file__).parents[2] / "fixtures" / "audio"
TRAIN = """
import argparse

from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=4)
args = parser.parse_args()
loader = DataLoader(list(range(100)), batch_size=args.batch_size, shuffle=True)
for epoch in range(10):
    for batch in loader:
        print(batch)
"""


def test_what_a_small_tree_has_no_use_for_is_not_loaded(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "train.py").write_text(TRAIN, encoding="utf-8")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", AUDIT, str(tree)], capture_output=True, text=True, env=environment, check=True
    )
    loaded = set(done.stdout.rpartition("loaded: ")[2].split())
    assert "cmgan_audit.facts.loading.loaders" in loaded
    assert list((tmp_path / "cache").rglob("*.json"))  # keeping the answers needs none of them either
    assert not SLOW & loaded


def test_the_version_is_told_without_the_parser_of_the_command_line() -> None:
    program = (
        'import sys; sys.argv = ["cmgan-audit", "--version"]\ntry:\n    from cmgan_audit.cli.app import main; main()'
    )
    program += '\nfinally:\n    print("loaded:", *sys.modules)'
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told, _, loaded = done.stdout.partition("loaded: ")
    assert told.startswith("cmgan-audit ")
    assert not {*SLOW, "dataclasses", "json", "cmgan_audit.gate.recall"} & set(loaded.split())


def test_torch_is_loaded_for_checkpoints_only_and_told_before_how_its_threads_wait(tmp_path: Path) -> None:
    (tmp_path / "epoch_3.pth").write_bytes(b"\x80")
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}

    def compare(system: Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", COMPARISON, str(system), "--data", str(AUDIO)]
        return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=300)

    recordings = compare(AUDIO / "noisy")
    assert "signature: ssnr" in recordings.stdout, recordings.stderr
    assert "torch:" not in recordings.stdout
    assert compare(tmp_path / "epoch_3.pth").stdout.startswith("torch: PASSIVE\n")
