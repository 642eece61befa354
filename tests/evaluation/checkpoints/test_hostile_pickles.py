"""Pickles that nothing but an attacker writes: refused in one line, before they cost memory, time or the process.

They are put together from opcodes, as no `pickle.dumps` makes them.
"""

from __future__ import annotations

import struct
import zipfile

import pytest
import torch

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.inspection import inspect_file
from cmgan_audit.evaluation.checkpoints.reading import open_file

HUGE = 10**9


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + b"(" + b"".join(arguments) + b"tR"


def one(value: int) -> bytes:
    return number(value) + b"\x85"


STORAGE = b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + number(16) + b"tQ"
HOOKS = name("collections", "OrderedDict") + b")R"
REBUILD = name("torch._utils", "_rebuild_tensor_v2")
MODULE = name("somewhere", "Module") + b")\x81"


def tensor(size: bytes, stride: bytes = one(1)) -> bytes:
    return call(REBUILD, STORAGE, number(0), size, stride, b"\x89", HOOKS)


def written(path, body: bytes):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + body + b".")
        archive.writestr("a/byteorder", "little")
        archive.writestr("a/data/0", b"\0" * 64)
        archive.writestr("a/version", "3\n")
    return path


def weights(value: bytes) -> bytes:
    return b"}" + text("a.weight") + value + b"s"


def test_a_file_of_this_make_is_read(tmp_path):
    (facts,) = inspect_file(written(tmp_path / "x.pth", weights(tensor(one(4))))).weights
    assert facts.parameters == 4


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (call(name("torch", "Tensor"), number(HUGE)), r"makes a torch\.Tensor of its own"),
        (name("torch", "Tensor") + b"(" + number(HUGE) + b"t\x81", r"makes a torch\.Tensor of its own"),
        (call(name("torch.sparse", "FloatTensor"), number(HUGE)), "of its own"),
        (call(name("builtins", "bytearray"), number(HUGE)), r"makes a builtins\.bytearray of its own"),
        (tensor(call(name("torch", "Size"), one(HUGE))), "only 16 elements"),
        (tensor(b"]" + number(HUGE) + b"a"), "no shape of whole numbers"),
        (tensor(one(4)) + b"(" + STORAGE + number(0) + one(HUGE) + one(1) + b"tb", "only 16 elements"),
        (
            call(
                name("torch._tensor", "_rebuild_from_type_v2"),
                REBUILD,
                name("torch", "Tensor"),
                b"(" + STORAGE + number(0) + one(HUGE) + one(1) + b"\x89" + HOOKS + b"t",
                b"}",
            ),
            "only 16 elements",
        ),
        (
            call(
                name("torch._utils", "_rebuild_sparse_tensor"),
                call(name("torch.serialization", "_get_layout"), text("torch.sparse_coo")),
                b"(" + tensor(number(1) + number(1) + b"\x86", number(1) + number(1) + b"\x86"),
                tensor(one(1)) + call(name("torch", "Size"), one(HUGE)) + b"t",
            ),
            "a sparse tensor of shape",
        ),
    ],
)
def test_memory_that_a_file_only_claims_is_not_taken(tmp_path, value, reason):
    with pytest.raises(CheckpointError, match=reason):
        open_file(written(tmp_path / "x.pth", weights(value)))


def test_a_tensor_without_values_is_told(tmp_path):
    torch.save({"a.weight": torch.empty(3, device="meta")}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="of the meta device, which has no values"):
        open_file(tmp_path / "x.pth")


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("layout", ["coo", "csr"])
def test_indices_of_a_sparse_tensor_do_not_lead_out_of_it(tmp_path, layout):
    values = torch.eye(3).to_sparse() if layout == "coo" else torch.eye(3).to_sparse_csr()
    torch.save({"a.weight": values}, tmp_path / "x.pth")
    (facts,) = inspect_file(tmp_path / "x.pth").weights
    assert facts.tensors == 1
    (values.col_indices() if layout == "csr" else values._indices())[..., 0] = 10**12
    torch.save({"a.weight": values}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="damaged"):
        open_file(tmp_path / "x.pth")


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_told(tmp_path):
    torch.save({"a.weight": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="holds a nested tensor"):
        open_file(tmp_path / "x.pth")


def test_bytes_of_a_file_are_read(tmp_path):
    torch.save({"state": bytearray(b"abc"), "more": b"xyz"}, tmp_path / "x.pth")
    assert open_file(tmp_path / "x.pth").content == {"state": bytearray(b"abc"), "more": b"xyz"}


def test_views_that_are_conjugate_or_negative_are_values(tmp_path):
    values = torch.view_as_complex(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    contents = {"lazy": {"a.weight": values.conj()}, "plain": {"a.weight": values.conj().resolve_conj()}}
    digests = set()
    for form, content in contents.items():
        torch.save(content, tmp_path / f"{form}.pth")
        (facts,) = inspect_file(tmp_path / f"{form}.pth").weights
        digests.add(facts.digest)
    assert len(digests) == 1


@pytest.mark.parametrize("use", [b"}%sK\x01s", call(name("builtins", "set"), b"]%sa")])
def test_tuples_in_tuples_do_not_end_the_process(tmp_path, use):
    body = use.replace(b"%s", b")" + b"\x85" * 200_000)
    with pytest.raises(CheckpointError, match="nests more than 100 tuples"):
        open_file(written(tmp_path / "x.pth", body))


def test_dictionaries_that_share_their_parts_are_not_walked_for_ever(tmp_path):
    body = b"}q\0"
    for level in range(1, 9):
        body += b"}" + b"".join(text(f"k{key}") + b"h" + bytes([level - 1]) + b"s" for key in range(60))
        body += b"q" + bytes([level])
    with pytest.raises(CheckpointError, match="contain each other in more than"):
        inspect_file(written(tmp_path / "x.pth", body))


def test_modules_that_contain_themselves_twice_are_not_walked_for_ever(tmp_path):
    inner = b"}" + text("a") + b"h\0s" + text("b") + b"h\0s"
    body = MODULE + b"q\0}" + text("_parameters") + b"}s" + text("_buffers") + b"}s" + text("_modules") + inner + b"sb"
    with pytest.raises(CheckpointError, match="contain each other in more than"):
        inspect_file(written(tmp_path / "x.pth", body))


def test_thousands_of_classes_are_refused(tmp_path):
    body = b"](" + b"".join(name("somewhere", f"Class{index}") for index in range(3000)) + b"e"
    with pytest.raises(CheckpointError, match="more than 2000 classes"):
        open_file(written(tmp_path / "x.pth", body))


def test_an_attribute_is_not_called_as_a_method(tmp_path):
    body = weights(tensor(one(4))) + text("x") + MODULE
    body += b"}" + text("__setstate__") + name("torch", "Size") + b"sb" + number(5) + b"b" + b"s"
    read = open_file(written(tmp_path / "x.pth", body))  # torch.Size(5) would be a TypeError
    assert vars(read.content["x"]) == {}


def test_a_version_is_text_and_no_encoding_is_looked_up(tmp_path):
    encoded = call(name("_codecs", "encode"), text("abc"), text("latin1"))
    version = call(name("torch.torch_version", "TorchVersion"), encoded, text("rot13"))
    read = open_file(written(tmp_path / "x.pth", b"}" + text("version") + version + b"s"))
    assert read.content == {"version": ""}


def test_what_pickle_itself_would_run_is_refused_in_every_spelling(tmp_path):
    marker = tmp_path / "ran"
    command = text(f"touch {marker}")
    for body in (
        call(name("os", "system"), command),
        call(name("builtins", "getattr"), name("os", "path"), text("join")),
        b"(" + command + b"ios\nsystem\n",
        b"(" + name("os", "system") + command + b"o",
        name("os", "system") + b"(" + command + b"t\x81",
        text("os") + text("system") + b"\x93" + command + b"\x85R",
    ):
        with pytest.raises(CheckpointError):
            open_file(written(tmp_path / "x.pth", body))
        with pytest.raises(CheckpointError):
            (tmp_path / "y.pth").write_bytes(b"\x80\x02" + body + b".")
            open_file(tmp_path / "y.pth")
    assert not marker.exists()
