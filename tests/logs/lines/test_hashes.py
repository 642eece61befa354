"""Lines that differ in a hash: one course, unless the hash names what is scored."""

from __future__ import annotations

from pathlib import Path

import pytest

import cmgan_audit.logs.lines.hashes as hashes_module
from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Reading

RISING, FALLING = [2.0, 2.3, 2.5, 2.6], [2.0, 2.64, 2.2, 2.07]


def read(tmp_path: Path, content: str) -> Reading:
    path = tmp_path / "train.log"
    path.write_text(content)
    return read_text(path, "train.log", RoleBook())


def metrics(reading: Reading) -> dict[str, list[float]]:
    return {s.name: list(s.ys) for run in reading.runs for s in run.series if s.role.kind == "metric"}


def some_hash(e: int) -> str:
    return f"{(e * 2654435761 + 0xA7C3F19B) % 2**64:016x}"


def test_lines_that_differ_in_a_hash_alone_are_understood_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    understood: list[str] = []
    understand = hashes_module.understand
    monkeypatch.setattr(
        hashes_module, "understand", lambda shape, book: understood.append(shape) or understand(shape, book)
    )
    content = "".join(f"Epoch {e} job {some_hash(e)} size {e} pesq: 2.{e + 10}\n" for e in range(50))
    reading = read(tmp_path, content)
    assert metrics(reading) == {"pesq": [float(f"2.{e + 10}") for e in range(50)]}
    assert len(understood) < 8
    assert not reading.notes


@pytest.mark.parametrize("names", [("a1b2c3d4/val_pesq", "f00ba47e/val_pesq"), ("dec128 val_pesq", "dec256 val_pesq")])
def test_runs_that_are_named_by_hashes_stay_apart(tmp_path: Path, names: tuple[str, str]) -> None:
    content = "".join(
        f"epoch {e} {name}: {y}\n"
        for e, both in enumerate(zip(RISING, FALLING, strict=True))
        for name, y in zip(names, both, strict=True)
    )
    assert metrics(read(tmp_path, content)) == dict(zip(names, (RISING, FALLING), strict=True))


def test_systems_whose_names_look_like_hashes_are_no_training(tmp_path: Path) -> None:
    names = ["abc001", "abc002", "dec128", "ace005"]
    assert not metrics(read(tmp_path, "".join(f"{n} PESQ={y}\n" for n, y in zip(names, FALLING, strict=True))))


@pytest.mark.parametrize(("hashes", "echoes"), [(("a1b2c3d4", "f00ba47e"), 0), (("a1b2c3d4", "a1b2c3d4"), 4)])
def test_a_line_with_another_hash_is_no_echo(tmp_path: Path, hashes: tuple[str, str], echoes: int) -> None:
    content = "".join(f"epoch {e} | run {h} | pesq: {y}\n" for e, y in enumerate(FALLING) for h in hashes)
    found = [s for run in read(tmp_path, content).runs for s in run.series if s.role.kind == "metric"]
    assert sum(map(len, found)) == 8 - echoes


def test_where_every_value_has_another_hash_it_names_nothing(tmp_path: Path) -> None:
    hashes = ["a87ff679", "c4ca4238", "e4da3b7f", "d3d94468"]
    content = "".join(f"epoch {e} sha {h} pesq {y}\n" for e, (h, y) in enumerate(zip(hashes, FALLING, strict=True)))
    assert metrics(read(tmp_path, content)) == {"sha pesq": FALLING}


def test_names_that_count_are_no_hashes(tmp_path: Path) -> None:
    assert metrics(read(tmp_path, "".join(f"e{e:06d} pesq {y}\n" for e, y in enumerate(FALLING)))) == {"pesq": FALLING}
