"""Functions that SpeechBrain makes items with: what a branch on a value of the item itself leaves open."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cmgan_audit.facts.items.pipelines import asks_the_item
from cmgan_audit.gate.check import Auditor

TRAIN = """
import random
import torch
import speechbrain as sb
from speechbrain.dataio.dataset import DynamicItemDataset

class Enhancer(sb.Brain):
    def compute_forward(self, batch, stage):
        return self.modules.net(batch.sig[0])
    def compute_objectives(self, predictions, batch, stage):
        return predictions.abs().mean()

@sb.utils.data_pipeline.takes("wav", "segment")
@sb.utils.data_pipeline.provides("sig")
def audio_pipeline(wav, segment):
    sig, marked = sb.dataio.dataio.read_audio(wav), False
    marked = segment == "yes"
    if %s:
        start = random.randint(0, len(sig) - 32000)
        sig = sig[start:start + 32000]
    return sig

sets = {name: DynamicItemDataset.from_json(name + ".json", {}, [audio_pipeline]) for name in ("train", "valid")}
brain = Enhancer(modules={"net": torch.nn.Conv1d(1, 1, 3)}, opt_class=torch.optim.Adam)
brain.fit(range(10), sets["train"], sets["valid"])
"""


@pytest.mark.parametrize(
    ("test", "found", "open_"),
    [("len(sig) > 32000", 1, 0), ("segment", 0, 1), ('segment == "yes"', 0, 1), ("marked", 0, 1)],
)
def test_a_mark_of_the_item_may_keep_the_crop_out_of_the_evaluation(
    auditor: Auditor, tmp_path: Path, test: str, found: int, open_: int
) -> None:
    (tmp_path / "train.py").write_text(TRAIN % test, encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert [each.rule for each in audited.findings].count("CMG201") == found
    assert [each.rule for each in audited.unresolved].count("CMG201") == open_


def test_a_mark_of_the_item_may_decide_where_the_crop_begins(auditor: Auditor, tmp_path: Path) -> None:
    drawn = "start = random.randint(0, len(sig) - 32000)"
    text = TRAIN.replace(drawn, f'{drawn} if segment == "yes" else 0') % "len(sig) > 32000"
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert "CMG201" not in [each.rule for each in audited.findings]
    assert "CMG201" in [each.rule for each in audited.unresolved]


@pytest.mark.parametrize("order", ["", '.filtered_sorted(sort_key="length")'])
def test_the_order_of_a_manifest_or_of_a_key_is_its_authors(auditor: Auditor, tmp_path: Path, order: str) -> None:
    text = TRAIN.replace('brain.fit(range(10), sets["train"]', f'brain.fit(range(10), sets["train"]{order}')
    (tmp_path / "train.py").write_text(text % "len(sig) > 32000", encoding="utf-8")
    audited = auditor.audit(tmp_path)
    assert "CMG213" not in [each.rule for each in audited.findings]
    assert "CMG213" in [each.rule for each in audited.unresolved]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("segment", True),
        ("not segment", True),
        ("x and segment > 0", True),
        ("len(segment) > 3", False),
        ("x", False),
        ('segment.startswith("t")', True),
        ("bool(int(segment))", True),
        ("x.any()", False),
    ],
)
def test_only_the_value_itself_is_asked(text: str, asks: bool) -> None:
    assert asks_the_item(ast.parse(text, mode="eval").body, ("wav", "segment")) is asks
