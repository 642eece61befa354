"""Logs in other encodings, languages and notations of numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.logs.lines.reading import PESQ, named, only, read


def test_numbers_with_commas(tmp_path: Path) -> None:
    reading = read(tmp_path, "Epoch 1; PESQ 2,64; utterances: 11,572\nEpoch 2; PESQ 2,70; utterances: 11,572\n")
    assert list(only(reading).ys) == [2.64, 2.7]
    count = next(s for s in reading.runs[0].series if s.role.kind == "count")
    assert list(count.ys) == [11572, 11572]


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "latin-1"])
def test_encodings(tmp_path: Path, codec: str) -> None:
    reading = read(tmp_path, "Epoch 1 \u00b0 PESQ: 2.5\n".encode(codec))
    assert list(only(reading).ys) == [2.5]


def test_only_carriage_returns(tmp_path: Path) -> None:
    content = "\r".join(f"Epoch {e}, PESQ: {v}" for e, v in enumerate(PESQ, start=1))
    assert list(only(read(tmp_path, content)).ys) == PESQ


CHINESE = {
    "epoch between its words": "第 {e}/9 轮 训练损失: 0.2 验证损失: 0.3 PESQ: {v}\n",
    "punctuation of full width": "轮次 {e}\uff1a训练损失\uff1d0.2\uff0cPESQ\uff1d{v}\n",
}


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
@pytest.mark.parametrize("name", CHINESE)
def test_reads_chinese(tmp_path: Path, name: str, codec: str) -> None:
    content = "".join(CHINESE[name].format(e=e, v=v) for e, v in enumerate(PESQ, start=1))
    reading = read(tmp_path, content.encode(codec))
    series = only(reading)
    assert (list(series.xs), list(series.ys), series.x_kind) == ([1, 2, 3, 4], PESQ, "epoch")
    assert {s.role.phase for run in reading.runs for s in run.series if s.role.kind == "loss"} >= {"train"}


def test_a_broken_byte_does_not_change_the_encoding(tmp_path: Path) -> None:
    content = "Epoche 1 | PESQ: 2.1 | größer\n".encode() + b"\xff cut\n" + "Epoche 2 | PESQ: 2.2 | größer\n".encode()
    assert list(only(read(tmp_path, content)).ys) == [2.1, 2.2]


def test_minus_sign_of_typesetting(tmp_path: Path) -> None:
    series = only(read(tmp_path, "Epoch 1 SI-SDR: \u22123.2 dB\nEpoch 2 SI-SDR: \u22121.5 dB\n"), "si_sdr")
    assert list(series.ys) == [-3.2, -1.5]


@pytest.mark.parametrize("line", ["Época {e}/9 - pérdida: 0.2 - PESQ: {v}", "Эпоха {e}: loss=0.2, PESQ={v}"])
def test_reads_the_epoch_of_other_languages(tmp_path: Path, line: str) -> None:
    series = only(read(tmp_path, "".join(f"{line.format(e=e, v=v)}\n" for e, v in enumerate(PESQ, start=1))))
    assert (list(series.xs), list(series.ys), series.x_kind) == ([1, 2, 3, 4], PESQ, "epoch")


def test_steps_with_commas_between_thousands(tmp_path: Path) -> None:
    series = only(read(tmp_path, "step 500 | PESQ: 2.1\nstep 1,500 | PESQ: 2.2\nstep 12,500 | PESQ: 2.3\n"))
    assert (list(series.xs), series.x_kind) == ([500, 1500, 12500], "step")


def test_levels_of_mixtures_in_chinese_are_no_scores(tmp_path: Path) -> None:
    assert named(read(tmp_path, "SNR级别: 5\nSI-SDR指标: 3.04\n")) == {"SI-SDR指标": [3.04]}


def test_a_score_with_a_decimal_comma_and_three_decimals(tmp_path: Path) -> None:
    content = "".join(f"Epoche {e}; Verlust: 0,31{e}; PESQ: 2,{634 + e}; Zeit: 12,3 s\n" for e in range(4))
    assert list(only(read(tmp_path, content)).ys) == [2.634, 2.635, 2.636, 2.637]


def test_the_phases_of_russian_logs(tmp_path: Path) -> None:
    line = "Эпоха {e}, обучение: потеря=0.2, проверка: PESQ={v}\n"
    found = only(read(tmp_path, "".join(line.format(e=e, v=v) for e, v in enumerate(PESQ, start=1))))
    assert (list(found.ys), found.role.phase) == (PESQ, "eval")
