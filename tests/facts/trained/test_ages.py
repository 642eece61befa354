"""CMG605 from git alone: a checkpoint that is older than the commit that changed the batch size."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import torch

from cmgan_audit.finding import Severity
from cmgan_audit.source.history import History

from .test_stale_checkpoints import DICTIONARY, OPTIONS, found

DAY = 86_400
START = 1_700_000_000  # 2023-11-14


class Repository:
    """A git repository whose commits are days apart."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.day = 0
        self.git("init", "-q")

    def git(self, *arguments: str) -> str:
        date = f"{START + self.day * DAY} +0000"
        environment = {
            **os.environ,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
        }
        identity = ("-c", "user.name=t", "-c", "user.email=t@t")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, env=environment, capture_output=True, check=True, text=True
        )
        return done.stdout

    def commit(self, **files: str) -> None:
        """A day later, some files have other contents."""
        self.day += 1
        for name, content in files.items():
            (self.root / name.replace("__", ".")).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a change")

    def checkpoint(self, name: str = "last.pth", *, day: float, **content: object) -> Path:
        """Weights that were written on a day."""
        path = self.root / name
        torch.save({"model": torch.nn.Linear(2, 2).state_dict(), **content}, path)
        os.utime(path, (START + day * DAY, START + day * DAY))
        return path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.commit(__gitignore="*.pth\n")
    return made


BEFORE = DICTIONARY.replace('"batch_size": 4', '"batch_size": 1')


def test_weights_from_before_the_change(repository: Repository) -> None:
    repository.commit(train__py=BEFORE)
    repository.commit(train__py=DICTIONARY)
    repository.checkpoint(day=2.5)
    (finding,) = found(repository.root)
    assert "changed the batch size from 1 to 4" in finding.message
    assert repository.git("rev-parse", "HEAD")[:7] in finding.message
    assert "2023-11-17" in finding.message
    assert finding.severity is Severity.NOTE
    assert [step.location.path for step in finding.trail] == ["last.pth", "train.py", "train.py"]


def test_weights_from_after_the_change(repository: Repository) -> None:
    repository.commit(train__py=BEFORE)
    repository.commit(train__py=DICTIONARY)
    repository.checkpoint(day=3.5)
    assert found(repository.root) == []


def test_a_file_that_tells_its_batch_size_needs_no_history(repository: Repository) -> None:
    repository.commit(train__py=BEFORE)
    repository.commit(train__py=DICTIONARY)
    repository.checkpoint(day=2.5, config={"batch_size": 4})
    assert found(repository.root) == []


def test_commits_that_touch_the_line_but_not_the_value(repository: Repository) -> None:
    repository.commit(train__py=BEFORE)
    repository.commit(train__py=DICTIONARY)
    repository.commit(train__py=DICTIONARY.replace('"batch_size": 4,', '"batch_size":  4,  # per process'))
    repository.commit(train__py="# training\n" + DICTIONARY.replace('"batch_size": 4,', '"batch_size":  4,  # per GPU'))
    repository.checkpoint(day=3.5)
    assert found(repository.root) == []
    repository.checkpoint(day=2.5)
    assert len(found(repository.root)) == 1


def test_a_file_that_was_renamed(repository: Repository) -> None:
    repository.commit(train__py=BEFORE)
    repository.commit(train__py=DICTIONARY)
    repository.git("mv", "train.py", "main.py")
    repository.commit()
    repository.checkpoint(day=2.5)
    assert len(found(repository.root)) == 1


def test_the_default_of_an_option(repository: Repository) -> None:
    repository.commit(train__py=OPTIONS.replace("default=4", "default=2"))
    repository.commit(train__py=OPTIONS)
    repository.checkpoint(day=2.5)
    (finding,) = found(repository.root)
    assert "from 2 to 4" in finding.message


def test_a_line_that_was_always_so(repository: Repository) -> None:
    repository.commit(train__py=DICTIONARY)
    repository.commit(readme__md="hello")
    repository.checkpoint(day=-30)
    assert found(repository.root) == [], "weights may come from elsewhere; nothing was changed"


def test_an_edit_that_is_not_committed(repository: Repository) -> None:
    repository.commit(train__py=BEFORE)
    repository.checkpoint(day=2.5)
    (repository.root / "train.py").write_text(DICTIONARY)
    (finding,) = found(repository.root)
    assert "an edit that is not committed" in finding.message


def test_a_committed_checkpoint_keeps_the_time_of_its_commit(repository: Repository) -> None:
    repository.commit(train__py=BEFORE, __gitignore="")
    path = repository.checkpoint(day=2.5)
    repository.commit()
    repository.commit(train__py=DICTIONARY)
    os.utime(path)  # as a fresh checkout leaves it
    assert len(found(repository.root)) == 1


def test_another_script_that_still_trains_as_before(repository: Repository) -> None:
    repository.commit(train__py=BEFORE, baseline__py=BEFORE)
    repository.commit(train__py=DICTIONARY)
    repository.checkpoint(day=2.5)
    assert found(repository.root) == []


def test_another_project_beside_it_does_not_count(repository: Repository) -> None:
    for name in ("baseline", "modified"):
        (repository.root / name).mkdir()
    repository.commit(**{"baseline/train__py": BEFORE, "modified/train__py": BEFORE})
    repository.commit(**{"modified/train__py": DICTIONARY})
    repository.checkpoint("modified/last.pth", day=2.5)
    repository.checkpoint("baseline/last.pth", day=2.5)
    assert [str(finding.location) for finding in found(repository.root)] == ["modified/last.pth:1"]


def test_without_a_repository_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(DICTIONARY)
    torch.save({"model": torch.zeros(2)}, tmp_path / "last.pth")
    os.utime(tmp_path / "last.pth", (1, 1))
    assert found(tmp_path) == []


def test_a_folder_inside_of_the_repository(repository: Repository) -> None:
    (repository.root / "src").mkdir()
    repository.commit(**{"src/train__py": BEFORE})
    repository.commit(**{"src/train__py": DICTIONARY})
    repository.checkpoint("src/last.pth", day=2.5)
    assert len(found(repository.root / "src")) == 1


def test_programs_that_a_repository_names_are_not_run(repository: Repository) -> None:
    repository.commit(train__py=BEFORE)
    repository.commit(train__py=DICTIONARY, __gitattributes="*.py filter=trap diff=trap\n")
    trap = f"touch {repository.root}/sprung"
    for name in ("filter.trap.clean", "filter.trap.smudge", "diff.trap.textconv", "diff.external", "core.fsmonitor"):
        repository.git("config", name, trap)
    repository.git("config", "core.pager", trap)
    (repository.root / "train.py").write_text(DICTIONARY + "\n")
    repository.checkpoint(day=2.5)
    assert len(found(repository.root)) == 1
    assert not (repository.root / "sprung").exists()


@pytest.mark.parametrize(("line", "begin", "end"), [(0, 0, 1), (99, 0, 1), (1, 0, 1), (5, 200, 201)])
def test_places_that_hold_no_number(repository: Repository, line: int, begin: int, end: int) -> None:
    repository.commit(train__py=DICTIONARY)
    assert History(repository.root).last_change("train.py", DICTIONARY.encode(), line, begin, end) is None
