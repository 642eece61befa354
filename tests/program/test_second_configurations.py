"""Scripts that ask for two configuration files: which files are meant, as far as the keys that are read tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.trace import Run
from cmgan_audit.program.launches import runs
from cmgan_audit.source.tree import SourceTree

SCRIPT = """
import argparse
import yaml
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--data-config", required=True)
parser.add_argument("--model-config", required=True)
args = parser.parse_args()
data = yaml.safe_load(open(args.data_config))
model = yaml.safe_load(open(args.model_config))
print(model["width"])
loader = DataLoader([1], batch_size=data["loader"]["size"])
"""
DATA, MODEL = "loader:\n  size: 4\n", "width: 64\n"


def runs_in(folder: Path, files: dict[str, str]) -> list[Run]:
    for name, text in {"train.py": SCRIPT, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(runs.execute(SourceTree(folder)))


@pytest.mark.parametrize(
    ("files", "given"),
    [
        pytest.param(
            {"a.yaml": DATA, "b.yaml": MODEL},
            ("--data-config", "a.yaml", "--model-config", "b.yaml"),
            id="the keys that are read tell both",
        ),
        pytest.param(
            {"b.yaml": MODEL, "one_data.yaml": DATA, "other.yaml": DATA},
            ("--data-config", "one_data.yaml", "--model-config", "b.yaml"),
            id="its name tells the first, the keys the second",
        ),
        pytest.param(
            {"b.yaml": MODEL, "x.yaml": DATA, "y.yaml": DATA},
            ("--model-config", "b.yaml"),
            id="the first is left open where two may be it",
        ),
        pytest.param(
            {"a.yaml": DATA, "b.yaml": MODEL, "c.yaml": MODEL},
            (),
            id="nothing is given where two may be the second",
        ),
    ],
)
def test_the_files_that_hold_what_is_read_are_given(
    tmp_path: Path, files: dict[str, str], given: tuple[str, ...]
) -> None:
    assert [run.launch.argv for run in runs_in(tmp_path, files)] == [given]


def test_a_second_configuration_may_be_a_plain_word(tmp_path: Path) -> None:
    script = SCRIPT.replace('"--model-config", required=True', '"model_config"')
    files = {"train.py": script, "b.yaml": MODEL, "x.yaml": DATA, "y.yaml": DATA}
    assert [run.launch.argv for run in runs_in(tmp_path, files)] == [("b.yaml",)]
