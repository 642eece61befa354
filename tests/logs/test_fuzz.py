"""No reader raises anything but its own error, whatever the bytes; and none hangs."""

from __future__ import annotations

import json
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmgan_audit.errors import InputError
from cmgan_audit.finding import Severity
from cmgan_audit.logs.formats.event_file import _masked_crc
from cmgan_audit.logs.judging import judge
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.report.trend_json import trend_document
from cmgan_audit.report.trend_text import TrendText
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBER = st.one_of(
    st.floats(width=32).map(repr),
    st.integers(-(10**9), 10**9).map(str),
    st.sampled_from(
        ["nan", "-inf", "1,234,567", "2,64", "1e-5", "1e999", "None", "N/A", "45%", "-1.", "1.10.0", "0x1f"]
    ),
)
WORD = st.sampled_from(
    [
        "pesq", "PESQ:", "loss=", "Epoch", "epoch_7", "[", "]", "(", "/", "|", "-", ":", "=", "best", "saved", "step",
        "val", "train", "GPU:", "lr", "tensor(", "2024-01-02 10:11:12,345", "INFO:root:", "\x1b[1m", "\r", "\t", ",",
        "Namespace(", "resume", "{'", "'", '"', "a.wav", "±", "│", "it/s", "\x00", "\x01", "\udcff", "Epoch [7/120]",
        "->", "to", "over", "files", "(824 utts):", "noisy", "enhanced:", "rank1", "File", "SNR", "after", "p232_001",
        "[7/120]",
    ]
)  # fmt: skip
LINES = st.lists(st.lists(st.one_of(WORD, NUMBER, st.text(max_size=8)), max_size=12).map(" ".join), max_size=12)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["epoch", "pesq", "loss", "1", "epoch_2", "history", "step", "é"]), inner),
    ),
    max_leaves=20,
)


def survives(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            found = read_logs([path], RoleBook())
        except InputError as error:
            assert name in str(error)
            return
        judgement = judge(found.readings, Question(), CATALOGUE, EVERY)
        verdict = judgement.verdict(Severity.ERROR)
        json.loads(trend_document(found, judgement, verdict, Severity.ERROR))
        TrendText(color=False).render(found, judgement, verdict)


@SETTINGS
@given(LINES)
def test_text(lines: list[str]) -> None:
    survives("train.log", "\n".join(lines).encode("utf-8", errors="surrogateescape"))


@SETTINGS
@given(
    st.binary(max_size=400),
    st.sampled_from(["a.log", "a.csv", "a.json", "a.jsonl", "wandb-summary.yaml", "a.gz", "a.pt"]),
)
def test_bytes(content: bytes, name: str) -> None:
    survives(name, content)


@SETTINGS
@given(st.lists(st.lists(st.one_of(NUMBER, st.text(max_size=6)), max_size=6), max_size=8), st.sampled_from(",;\t| "))
def test_tables(rows: list[list[str]], delimiter: str) -> None:
    table = "\n".join(delimiter.join(row) for row in [["epoch", "pesq", "val_loss"], *rows])
    survives("log.csv", table.encode("utf-8", errors="surrogateescape"))


@SETTINGS
@given(JSON)
def test_json(document: object) -> None:
    survives("log.json", json.dumps(document).encode())


@SETTINGS
@given(st.lists(st.binary(max_size=60), max_size=5), st.binary(max_size=20))
def test_event_files(records: list[bytes], tail: bytes) -> None:
    data = b""
    for record in records:
        length = struct.pack("<Q", len(record))
        data += length + struct.pack("<I", _masked_crc(length)) + record + b"\0\0\0\0"
    survives("events.out.tfevents.1", data + tail)


@pytest.mark.parametrize("piece", ["(", "[", "a ", "1 ", "- ", "pesq ", ": ", "1:1:1 ", "x=1,", "\r1%", "((1)", "1/"])
def test_long_lines_do_not_hang(piece: str) -> None:
    survives("train.log", (piece * 20_000 + "\nEpoch 1, PESQ: 2.5\n").encode())
    survives("train.log", (piece * 500 + "\nEpoch 1, PESQ: 2.5\n").encode() * 5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{{"epoch": 1, "pesq": {0}}}, {{"epoch": 2, "pesq": 2}}]'),
        ("a.jsonl", '{{"epoch": 1, "pesq": {0}}}\n{{"epoch": 2, "pesq": 2}}\n'),
        ("a.yaml", "pesq: [{0}, 2, 2.1]\n"),
        ("a.ipynb", '{{"cells": [{{"execution_count": {0}, "outputs": []}}]}}'),
        ("a.log", "epoch 1 pesq {0}\nepoch {0} pesq 2\n"),
        ("a", '{{"pesq": {0}}}'),
    ],
)
@pytest.mark.parametrize("digits", [400, 5000])
def test_numbers_of_more_digits_than_python_converts(name, text, digits):
    survives(name, text.format("9" * digits).encode())
