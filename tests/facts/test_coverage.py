"""How much of a tree was read."""

from __future__ import annotations

import json
from pathlib import Path

from cmgan_audit.gate.check import Auditor


def test_a_notebook_without_its_broken_cell_counts_as_read(auditor: Auditor, tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": text} for text in ("import torch", "for name in names:")]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    (tmp_path / "broken.py").write_text("x = = 1\n", encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert (audited.coverage.files, audited.coverage.parsed, len(audited.coverage.failed)) == (2, 1, 2)


def test_a_device_that_settings_name_does_not_make_code_of_them(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("device: cuda\nname: first try\n", encoding="utf-8")
    (tmp_path / "train.py").write_text(
        "import torch, yaml\n"
        "settings = yaml.safe_load(open('train.yaml'))\n"
        "torch.distributed.init_process_group('nccl')\n"
        "network = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4).to(settings['device']))\n"
        "optimizer = torch.optim.Adam(network.parameters())\n"
        "for (batch,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.zeros(4, 4)), 2):\n"
        "    network(batch.to(settings['device'])).mean().backward()\n"
        "    optimizer.step()\n",
        encoding="utf-8",
    )
    audited = auditor.audit(tmp_path)
    assert audited.coverage.failed == ()


def test_a_licence_that_a_folder_does_not_have_is_no_unread_file(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(
        "import argparse, torch\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--lr', type=float, default=5e-4)\n"
        "args = parser.parse_args()\n"
        "network = torch.nn.Linear(4, 4)\n"
        "optimizer = torch.optim.Adam(network.parameters())\n"
        "for (batch,) in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.zeros(4, 4)), 2):\n"
        "    optimizer.zero_grad()\n"
        "    network(batch).mean().backward()\n"
        "    optimizer.step()\n",
        encoding="utf-8",
    )
    audited = auditor.audit(tmp_path)
    assert "CMG106" in {finding.rule for finding in audited.findings}
    assert audited.coverage.failed == ()
