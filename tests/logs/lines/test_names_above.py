"""A value on the line below its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.logs.lines.reading import PESQ, named, only, read


@pytest.mark.parametrize(
    "above", ["PESQ:\n", "val pesq\n", "Average PESQ of validation set is:\n  ", "Mean test PESQ =\n", "pesq\n\t"]
)
def test_a_number_is_what_the_line_above_names(tmp_path: Path, above: str) -> None:
    log = "".join(f"Epoch {e}/4\n{above}{v}\n" for e, v in enumerate(PESQ, start=1))
    series = only(read(tmp_path, log))
    assert list(zip(series.xs, series.ys, strict=True)) == list(enumerate(PESQ, start=1))


def test_the_line_above_may_count(tmp_path: Path) -> None:
    series = only(read(tmp_path, "".join(f"Epoch {e} test PESQ:\n{v}\n" for e, v in enumerate(PESQ))))
    assert (list(series.xs), list(series.ys), series.role.phase) == ([0, 1, 2, 3], PESQ, "eval")


def test_several_names_each_with_its_number(tmp_path: Path) -> None:
    log = "".join(f"epoch {e}\ntrain loss:\n-{v}\nPESQ:\ntensor({v}, device='cuda:0')\n" for e, v in enumerate(PESQ))
    assert named(read(tmp_path, log)) == {"train loss": [-v for v in PESQ], "PESQ": PESQ}


@pytest.mark.parametrize(
    "line",
    [
        "val loss did not improve\n12\n",
        "Saved the model with the best PESQ\n3\n",
        "PESQ\n2.1\n2.3\n2.2\n",
        "PESQ: 2.1\n7\n",
        "computing the PESQ of all files, this takes long\n40\n",
        "computing the PESQ of\n40\nfiles\n",
        f"PESQ:\n40{', a=1' * 100}\n",
    ],
)
def test_other_numbers_below_a_line_are_none_of_its(tmp_path: Path, line: str) -> None:
    assert all(y == 2.1 for ys in named(read(tmp_path, f"epoch 1\n{line}")).values() for y in ys)


@pytest.mark.parametrize("column", ["{0}\n-{0}\n{0}\n", "-{0}\n{0}\n", "{0}\nnan\n", "{0}\n {0}\n{0}\n"])
def test_the_first_number_of_a_column_is_no_value(tmp_path: Path, column: str) -> None:
    assert not named(read(tmp_path, "".join(f"Epoch {e}\nval PESQ:\n{column.format(v)}" for e, v in enumerate(PESQ))))


def test_what_is_no_number_may_stand_below_a_name(tmp_path: Path) -> None:
    log = "".join(f"Epoch {e}\nPESQ:\n{v}\n" for e, v in enumerate([*PESQ, "nan"]))
    assert list(map(str, only(read(tmp_path, log)).ys)) == [*map(str, PESQ), "nan"]


def test_a_last_number_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    log = "".join(f"Epoch {e}\nPESQ:\n{v}71\n" for e, v in enumerate(PESQ))
    reading = read(tmp_path, f"{log}Epoch 4\nPESQ:\n2.")
    assert len(only(reading)) == len(PESQ)
    assert any("cut in the middle" in str(note) for note in reading.notes)
    assert len(only(read(tmp_path, f"{log}Epoch 4\nPESQ:\n2.6471"))) == len(PESQ) + 1
