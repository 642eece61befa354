"""Whether a file is there, asked more than once: one question until files may have changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.program.models.shown import Shown

ASKED = """
import os
import sys
import sink
import torch
from pathlib import Path

if os.path.exists("runs/last.pt"):
    sys.exit("it is there")
{between}
sink.show("missing" if not {again} else "there")
"""


@pytest.mark.parametrize(
    ("between", "again"),
    [
        ("print('so far')", "os.path.exists('runs/last.pt')"),
        ("os.makedirs('runs', exist_ok=True)", "os.path.exists('runs/last.pt')"),
        ("path = os.path.join('runs', 'last.pt')", "os.path.exists(path)"),
        ("net = torch.nn.Linear(4, 4).cuda()", "os.path.exists('runs/last.pt')"),
        ("open('runs.txt').read()", "os.path.exists('runs/last.pt')"),
    ],
)
def test_a_file_that_was_missing_is_missing_still(show: Callable[..., Shown], between: str, again: str) -> None:
    assert show(ASKED.format(between=between, again=again)).plain() == ["missing"]


@pytest.mark.parametrize(
    ("between", "again"),
    [
        ("torch.save({}, 'runs/last.pt')", "os.path.exists('runs/last.pt')"),
        ("open('runs/last.pt', 'wb').close()", "os.path.exists('runs/last.pt')"),
        ("sink.Stopping(path='runs/last.pt')(0.1)", "os.path.exists('runs/last.pt')"),
        ("torch.hub.load_state_dict_from_url(sink.url, 'runs')", "os.path.exists('runs/last.pt')"),
        ("import subprocess; subprocess.Popen(['wget', sink.url])", "os.path.exists('runs/last.pt')"),
        ("import shutil; shutil.unpack_archive('runs.zip')", "os.path.exists('runs/last.pt')"),
        ("torch.distributed.barrier()", "os.path.exists('runs/last.pt')"),
        ("print('so far')", "os.path.exists('runs/best.pt')"),
        ("print('so far')", "os.path.isdir('runs/last.pt')"),
    ],
)
def test_what_was_saved_or_is_another_question_is_open(show: Callable[..., Shown], between: str, again: str) -> None:
    (shown,) = show(ASKED.format(between=between, again=again)).plain()
    assert shown == {"one of": ["missing", "there"]}


def test_a_folder_that_was_made_may_be_there(show: Callable[..., Shown]) -> None:
    program = ASKED.replace("runs/last.pt", "runs").format(
        between="os.makedirs('runs')", again="os.path.exists('runs')"
    )
    (shown,) = show(program).plain()
    assert shown == {"one of": ["missing", "there"]}


def test_an_assertion_tells_of_a_file(show: Callable[..., Shown]) -> None:
    program = 'import os, sink\nhere = os.path.exists("a.pt")\nassert not here\nsink.show(1 if here else 0)\n'
    assert show(program).plain() == [0]
