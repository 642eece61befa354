"""A team's own rules: read with --rules, tested with `rules --test`, explained like the built-in ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("cmgan-audit"))

RULE = """\
id: LAB101
name: odd-train-batch
summary: our cards want a batch that is a multiple of eight
severity: warning
over: loader
when: role == "train" and batch_size not in (8, 16, 32)
at: batch_size
message: "the {role} loader gets {batch_size}"
why: The tensor cores of our cards are idle otherwise.
examples:
  - verdict: bad
    at: "train.py:5"
    files:
      train.py: |
        import torch
        from torch.utils.data import DataLoader

        def main(data, model, optimizer):
            loader = DataLoader(data, batch_size=6, shuffle=True)
            for batch in loader:
                loss = model(batch).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

        main(torch.load("a"), torch.nn.Linear(1, 1), torch.optim.Adam([]))
  - verdict: good
    files: {train.py: "x = 1"}
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    folder = tmp_path / "lab_rules"
    folder.mkdir()
    (folder / "LAB101.yaml").write_text(RULE)
    return folder


def test_its_examples_are_run(lab):
    done = run("rules", "--test", str(lab))
    assert (done.returncode, done.stdout) == (0, "2 of 2 examples of 1 rule are judged as they say\n"), done.stderr


def test_an_example_that_is_judged_otherwise_is_told_with_its_line(lab):
    (lab / "LAB101.yaml").write_text(RULE.replace("batch_size=6", "batch_size=8"))
    done = run("rules", "--test", str(lab))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{lab / 'LAB101.yaml'}:11: LAB101 bad example: nothing is found\n")


def test_a_condition_that_names_no_field_is_told_with_the_nearest(lab):
    (lab / "LAB101.yaml").write_text(RULE.replace("batch_size not in", "batchsize not in"))
    done = run("check", str(lab.parent), "--rules", str(lab))
    assert done.returncode == 2
    assert (
        f"{lab / 'LAB101.yaml'}:6: when: Loader: unknown field 'batchsize' (did you mean 'batch_size'?)" in done.stderr
    )


def test_it_runs_beside_the_built_in_rules(lab, tmp_path):
    source = RULE.partition("train.py: |\n")[2].partition("  - verdict: good")[0]
    (tmp_path / "train.py").write_text("\n".join(line[8:] for line in source.splitlines()) + "\n")
    done = run("check", str(tmp_path), "--rules", str(lab), "--select", "LAB", "--format", "json")
    [finding] = json.loads(done.stdout)["findings"]
    assert (finding["rule"], finding["line"], finding["severity"]) == ("LAB101", 5, "warning")
    assert run("explain", "odd-train-batch", "--rules", str(lab)).stdout.startswith("LAB101 odd-train-batch")
