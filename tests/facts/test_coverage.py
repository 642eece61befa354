"""How much of a tree was read."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import load_catalogue


def test_a_notebook_without_its_broken_cell_counts_as_read(tmp_path: Path) -> None:
    load_kinds()
    cells = [{"cell_type": "code", "source": text} for text in ("import torch", "for name in names:")]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    (tmp_path / "broken.py").write_text("x = = 1\n", encoding="utf-8")
    audited = Auditor(load_catalogue(), Settings(), collect, datetime.date(2026, 1, 1)).audit(tmp_path)
    assert (audited.coverage.files, audited.coverage.parsed, len(audited.coverage.failed)) == (2, 1, 2)
