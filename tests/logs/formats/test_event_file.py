"""TensorBoard event files: every scalar, as TensorBoard itself reads them; broken tails are said."""

from __future__ import annotations

import importlib.util
import random
import struct
from pathlib import Path
from types import ModuleType

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.logs.formats.event_file import read_scalars
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.search import read_logs

tensorboard = pytest.importorskip("tensorboard")


def load_writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("event_writer", Path(__file__).with_name("event_writer.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


w = load_writer()


def write(path: Path, events: list[bytes]) -> bytes:
    data = b"".join(w.frame(event) for event in events)
    path.write_bytes(data)
    return data


def test_reads_what_tensorboard_reads(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    rng = random.Random(5)
    writer = EventFileWriter(str(tmp_path))
    for step in range(200):
        for tag in ("metric/pesq", "Loss/train"):
            event = Event(step=step, wall_time=1.7e9)
            event.summary.value.add(tag=tag, simple_value=rng.uniform(-5, 5))
            writer.add_event(event)
    writer.close()
    (path,) = tmp_path.glob("*tfevents*")
    theirs = EventAccumulator(str(path), size_guidance={"scalars": 0})
    theirs.Reload()
    ours = read_scalars(path, "events")
    assert ours.notes == []
    for tag in ("metric/pesq", "Loss/train"):
        assert [(s, v) for t, s, v, _ in ours.points if t == tag] == [(e.step, e.value) for e in theirs.Scalars(tag)]


def test_tensors_with_one_number_are_scalars(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    write(path, [w.scalar("a", 1, 2.5, tensor="float"), w.scalar("a", 2, 2.25, tensor="content")])
    assert [(step, value) for _, step, value, _ in read_scalars(path, "e").points] == [(1, 2.5), (2, 2.25)]


@pytest.mark.parametrize("cut", [1, 3, 4, 11, 17])
def test_cut_tail_is_said_and_the_rest_is_kept(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "events.out.tfevents.1"
    data = write(path, [w.scalar("pesq", step, 2.0 + step / 8) for step in range(5)])
    path.write_bytes(data[:-cut])
    scalars = read_scalars(path, "e")
    assert [value for *_, value, _ in scalars.points] == [2.0, 2.125, 2.25, 2.375]
    assert "cut off" in scalars.notes[0].text


def test_damage_in_the_middle_is_said(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    first = len(write(path, [w.scalar("pesq", 0, 2.0)]))
    data = bytearray(write(path, [w.scalar("pesq", step, 2.0) for step in range(5)]))
    data[first : first + 8] = struct.pack("<Q", 1 << 40)
    path.write_bytes(data)
    scalars = read_scalars(path, "e")
    assert len(list(scalars.points)) == 1
    assert f"no record at byte {first}" in scalars.notes[0].text


@pytest.mark.parametrize("content", [b"", b"not an event file at all", b"\0" * 100])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(content)
    with pytest.raises(InputError, match="tfevents"):
        read_logs([path], RoleBook())


def test_files_of_a_folder_continue_each_other(tmp_path: Path) -> None:
    write(tmp_path / "events.out.tfevents.1", [w.scalar("pesq", step, 2.0) for step in range(6)])
    write(tmp_path / "events.out.tfevents.2", [w.scalar("pesq", step, 2.5) for step in range(4, 8)])
    (reading,) = read_logs([tmp_path], RoleBook()).readings
    (run,) = reading.runs
    assert list(run.series[0].xs) == list(range(8))
    assert list(run.series[0].ys) == [2.0] * 4 + [2.5] * 4
    assert [(r.x, r.before) for r in run.restarts] == [(4, 5)]


def test_add_scalars_folders_belong_to_the_run_above(tmp_path: Path) -> None:
    sub = tmp_path / "val_loss_pesq"
    sub.mkdir()
    write(tmp_path / "events.out.tfevents.1", [w.scalar("train_loss", step, 0.1) for step in range(3)])
    write(sub / "events.out.tfevents.1", [w.scalar("val_loss", step, 2.5) for step in range(3)])
    (reading,) = read_logs([tmp_path], RoleBook()).readings
    assert {(s.name, s.role.kind) for s in reading.runs[0].series} == {
        ("train_loss", "loss"),
        ("val_loss/pesq", "metric"),
    }


def scalars(folder: Path, number: int, steps: range, **values: float) -> None:
    folder.mkdir(exist_ok=True)
    points = [w.scalar(tag, step, value) for step in steps for tag, value in values.items()]
    write(folder / f"events.out.tfevents.{number}", points)


def test_folders_of_phases_belong_to_one_run(tmp_path: Path) -> None:
    """As Keras writes them; what names its phase itself, as `val_pesq`, keeps its name."""
    scalars(tmp_path / "train", 1, range(6), epoch_loss=0.2, epoch_sisdr=14.0)
    scalars(tmp_path / "validation", 1, range(6), epoch_loss=0.3, epoch_sisdr=13.0, val_pesq=2.5)
    scalars(tmp_path / "train", 2, range(4, 8), epoch_loss=0.1, epoch_sisdr=14.5)
    scalars(tmp_path / "validation", 2, range(4, 8), epoch_loss=0.2, epoch_sisdr=13.5, val_pesq=2.6)
    (reading,) = read_logs([tmp_path], RoleBook()).readings
    (run,) = reading.runs
    assert reading.path == str(tmp_path)
    assert {(s.name, s.role.phase, len(s)) for s in run.series} == {
        ("train/epoch_loss", "train", 8),
        ("train/epoch_sisdr", "train", 8),
        ("validation/epoch_loss", "eval", 8),
        ("validation/epoch_sisdr", "eval", 8),
        ("val_pesq", "eval", 8),
    }


def test_a_folder_that_is_called_after_a_phase_alone_is_a_run(tmp_path: Path) -> None:
    scalars(tmp_path / "train", 1, range(6), pesq=2.5)
    scalars(tmp_path / "large", 1, range(6), pesq=2.6)
    readings = read_logs([tmp_path], RoleBook()).readings
    assert [[s.name for run in reading.runs for s in run.series] for reading in readings] == [["pesq"], ["pesq"]]


def test_a_run_that_begins_in_a_later_file_names_it(tmp_path: Path) -> None:
    write(tmp_path / "events.out.tfevents.1", [w.scalar("pesq", step, 2.0) for step in range(6)])
    write(tmp_path / "events.out.tfevents.2", [w.scalar("pesq", step, 2.5) for step in range(6)])
    write(tmp_path / "events.out.tfevents.3", [w.scalar("pesq", step, 2.6) for step in range(4, 9)])
    (reading,) = read_logs([tmp_path], RoleBook()).readings
    assert [run.label for run in reading.runs] == [
        "run 1 of 2, from events.out.tfevents.1",
        "run 2 of 2, from events.out.tfevents.2",
    ]
    assert [restart.place < 100 for restart in reading.runs[1].restarts] == [True]
