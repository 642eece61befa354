"""The worked examples of docs/models.md run as they stand."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import soundfile
import torch

from cmgan_audit.evaluation.models.cmgan.network import TSCNet

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ (.+?)\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """What the guide's reader has: a test set, a fork with checkpoints, checkpoints of a network on waveforms."""
    folder = tmp_path_factory.mktemp("guide")
    for kind in ("clean", "noisy"):
        (folder / "test" / kind).mkdir(parents=True)
        for name in ("ada_002.wav", "ben_002.wav"):
            samples, rate = soundfile.read(ROOT / "fixtures" / "audio" / kind / name, frames=16_000, dtype="int16")
            soundfile.write(folder / "test" / kind / name, samples, rate, subtype="PCM_16")
    shutil.copytree(folder / "test" / "clean", folder / "enhanced")
    models = folder / "fork" / "src" / "models"
    models.mkdir(parents=True)
    (models / "generator.py").write_text(
        "from cmgan_audit.evaluation.models.cmgan.network import TSCNet as Base\n\n\n"
        "class TSCNet(Base):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x).split(1, dim=1)\n"
    )
    (folder / "fork" / "ckpt").mkdir()
    torch.manual_seed(0)
    torch.save({"state_dict": TSCNet(8).state_dict()}, folder / "fork" / "ckpt" / "epoch_3.pth")
    (folder / "runs").mkdir()
    for epoch, side in ((1, 0.05), (2, 0.2)):
        taps = torch.tensor([[[side, 1 - 2 * side, side]]])
        torch.save({"taps.weight": taps}, folder / "runs" / f"epoch_{epoch}.pt")
    for block in re.findall(r"```python\n# file: (.+?)\n(.*?)```", GUIDE, re.DOTALL):
        (folder / block[0]).write_text(block[1])
    return folder


def test_the_guide_has_three_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(("line", "shown"), EXAMPLES, ids=["fork", "factory", "folder"])
def test_an_example(place, command, line, shown):
    program, *arguments = shlex.split(line)
    assert program == "cmgan-audit"
    done = command(*arguments, cwd=place)
    assert done.returncode in (0, 1), done.stderr  # 1: the guards judge these toy networks
    assert "Traceback" not in done.stderr
    for told in shown.splitlines():
        assert told in done.stdout + done.stderr
    assert "undecided" in done.stdout or "fork" in line  # two utterances decide nothing
