"""Lines at the end of a training that say once more what an earlier epoch had reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.logs.lines.reading import only, read

COURSE = [2.1, 2.35, 2.5, 2.64, 2.5, 2.31, 2.2, 2.12, 2.07, 2.05]
LINE = "[INFO] Epoch {e:3d}: train_loss={l} val_pesq={p}\n"


def course() -> str:
    return "".join(LINE.format(e=e, l=round(0.3 - e / 50, 2), p=p) for e, p in enumerate(COURSE, start=1))


@pytest.mark.parametrize(
    "end",
    [
        "[INFO] Early stopping at epoch 10 (best: epoch 4, val_pesq=2.64)\n",
        "[INFO] Parada antecipada na epoch 10 (melhor: epoch 4, val_pesq=2.64)\n",
        "[INFO] Pesos restaurados da epoch 4 (val_pesq=2.64)\n",
        "[INFO] Parada na epoch 10 (melhor: epoch 7, val_pesq=2.2)\n[INFO] Pesos da epoch 7 (val_pesq=2.2)\n",
        "[INFO] Keeping weights of epoch 4, val_pesq=2.64\n",
        "[INFO] Parada na epoch 10, melhor: epoch 4, val_pesq=2.64\n",
    ],
)
def test_is_no_evaluation_of_the_course(tmp_path: Path, end: str) -> None:
    series = only(read(tmp_path, course() + end))
    assert (list(series.xs), list(series.ys)) == ([float(e) for e in range(1, 11)], COURSE)


@pytest.mark.parametrize(
    "line",
    [
        "Epoch {e}: nothing gained since epoch 4, val_pesq={p} loss=0.1\n",
        "Epoch {e}, previous epoch {before}: val_pesq={p}\n",
        "Epoch {e} (warm-up until epoch 3): val_pesq={p}\n",
        "Epoch: {e} | sub-epoch: 0 | val_pesq: {p}\n",
        "Epoch {e} (melhor: epoch 1, val_pesq=2.1): val_pesq={p}\n",
        "Epoch {e} (stage epoch 1, val_pesq={p})\n",
        "Epoch {e} val_pesq={p} (melhor: epoch 1, val_pesq=2.1)\n",
    ],
)
def test_behind_another_epoch_the_score_is_of_the_line_s_own(tmp_path: Path, line: str) -> None:
    text = "".join(line.format(e=e, before=e - 1, p=p) for e, p in enumerate(COURSE, start=1))
    series = only(read(tmp_path, text))
    assert sorted({*zip(series.xs, series.ys, strict=True)}) == list(enumerate(COURSE, start=1))


def test_in_brackets_it_is_of_the_other_one_even_where_that_was_not_printed(tmp_path: Path) -> None:
    sparse = "".join(LINE.format(e=5 * e, l=0.3, p=p) for e, p in enumerate(COURSE, start=1))
    text = f"{sparse}Parada na epoch 53 (melhor: epoch 22, val_pesq=2.71)\n"
    assert list(only(read(tmp_path, text)).ys) == COURSE


def test_the_same_epoch_twice_in_a_line_is_one(tmp_path: Path) -> None:
    text = "".join(f"[epoch {e}] finished, epoch {e}: val_pesq={p}\n" for e, p in enumerate(COURSE, start=1))
    assert list(only(read(tmp_path, text)).ys) == COURSE
