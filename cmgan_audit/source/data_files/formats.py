"""Which reader reads which data file."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from cmgan_audit.source.data_files.nodes import DataError, DataNode

# "documents": all documents of a YAML file, as a list.
Dialect = Literal[
    "yaml", "yaml12", "omegaconf", "yaml documents", "omegaconf documents", "json", "json5", "toml", "ini"
]  # fmt: skip

_BY_SUFFIX: dict[str, Dialect] = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".json5": "json5",
    ".jsonc": "json5",
    ".toml": "toml",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
}


def dialect_of(path: str) -> Dialect | None:
    """The dialect that a file's name suggests."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower())


def may_be(path: str, dialect: Dialect) -> bool:
    """Whether a file of this name may be written in a dialect: its name suggests one of that kind, or none at all."""
    suggested = dialect_of(path)
    return suggested is None or _kind(suggested) == _kind(dialect)


def _kind(dialect: Dialect) -> str:
    return "yaml" if dialect.startswith(("yaml", "omegaconf")) else dialect.removesuffix("5")


def read_data(path: str, data: bytes, dialect: Dialect) -> DataNode:
    """The content of a data file with places. Raises DataError with the line for what its library would reject."""
    try:
        text = data.decode("utf-8-sig" if dialect != "json" else "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(line, f"not valid UTF-8 (byte 0x{data[error.start]:02x})") from None
    return read_text(path, text, dialect)


def read_text(path: str, text: str, dialect: Dialect) -> DataNode:
    """Like `read_data`, for text that is at hand (a string in the program, a here-document)."""
    # Each reader is loaded when a file of its kind is read: most trees have one or two kinds.
    if dialect == "json":
        from cmgan_audit.source.data_files.json_file import read_json

        return read_json(path, text)
    if dialect == "json5":
        from cmgan_audit.source.data_files.json5_file import read_json5

        return read_json5(path, text)
    if dialect == "toml":
        from cmgan_audit.source.data_files.toml_file import read_toml

        return read_toml(path, text)
    if dialect == "ini":
        from cmgan_audit.source.data_files.ini_file import read_ini

        return read_ini(path, text)
    from cmgan_audit.source.data_files.yaml_file import read_yaml, read_yaml_documents

    if dialect in ("yaml documents", "omegaconf documents"):
        return read_yaml_documents(path, text, dialect.partition(" ")[0])
    return read_yaml(path, text, dialect)
