"""Files that an installation follows: requirements, manifests, lock files and conda environments.

They are read line by line or as data, never run.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

from cmgan_audit.facts.requirements.statement import PACKAGES, Stated, poetry, requirement
from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Mapping, Scalar, Sequence, scalars
from cmgan_audit.source.syntax import walk
from cmgan_audit.source.tree import SourceTree

# In a pyproject.toml: tables of PEP 621, PEP 735 and Poetry that hold requirements.
_PYPROJECT = (("project", "dependencies"), ("project", "optional-dependencies"), ("dependency-groups",))
_LOCKED = regex(r'^name = "(?P<name>[\w-]+)"\s*\nversion = "(?P<version>[^"]+)"', re.MULTILINE)
_PIPENV_LOCKED = regex(r'"(?P<name>torch|torchaudio|torchvision)":\s*\{[^{}]*?"version":\s*"(?P<range>[^"]+)"')
_CONDA = regex(r"^\s*(?:dependencies|requirements|python_packages)\s*:|^\s*-\s*pip\s*:", re.MULTILINE)
_ITEM = regex(r"^\s*-\s*(?P<text>[^#\n]+)")
_SETTING = regex(r"^\s*python_requires\s*=\s*(?P<range>.+)$")


def manifest_statements(tree: SourceTree) -> Iterator[Stated]:
    """What the requirements files, manifests, lock files and environments of a tree say."""
    for path in tree.requirement_files:
        yield from _of_requirements(path, tree.text(path) or "")
    for path in tree.data_files:
        name = posixpath.basename(path).lower()
        if name == "pyproject.toml":
            yield from _of_pyproject(tree, path)
        elif name == "setup.cfg":
            yield from _of_setup_cfg(path, tree.text(path) or "")
        elif name.endswith((".yml", ".yaml")) and b"torch" in (tree.read_bytes(path) or b""):
            yield from _of_environment(path, tree.text(path) or "")
    for path in tree.python_files:
        if posixpath.basename(path) == "setup.py":
            yield from _of_setup_py(tree, path)


def _of_requirements(path: str, text: str) -> Iterator[Stated]:
    name = posixpath.basename(path).lower()
    if name.endswith(".lock"):
        yield from _of_lock(path, text)
    elif name == "pipfile":
        yield from _of_pipfile(path, text)
    else:
        for number, line in enumerate(text.splitlines(), 1):
            yield from _named(line.partition("#")[0], Location(path, number))


def _named(text: str, location: Location) -> Iterator[Stated]:
    found = requirement(text)
    if found is not None:
        yield Stated(*found, location)


def _of_lock(path: str, text: str) -> Iterator[Stated]:
    for match in _LOCKED.finditer(text):
        if match["name"] in PACKAGES:
            number = text.count("\n", 0, match.start()) + 1
            yield from _named(f"{match['name']}=={match['version']}", Location(path, number))
    for match in _PIPENV_LOCKED.finditer(text):
        yield from _named(match["name"] + match["range"], Location(path, text.count("\n", 0, match.start()) + 1))


def _of_pipfile(path: str, text: str) -> Iterator[Stated]:
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*"?(?P<name>[\w-]+)"?\s*=\s*(?:\{.*version\s*=\s*)?"(?P<range>[^"]*)"', line)
        if match is None:
            continue
        name = match["name"].replace("python_version", "python").lower()
        if name in PACKAGES:
            yield Stated(PACKAGES[name], poetry(match["range"]), Location(path, number))


def _of_environment(path: str, text: str) -> Iterator[Stated]:
    """A conda environment or another list of packages in YAML, line by line: templates of conda are no YAML."""
    if _CONDA.search(text) is None:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = _ITEM.match(line)
        if match is not None:
            yield from _named(match["text"].strip().strip("\"'"), Location(path, number))


def _of_setup_cfg(path: str, text: str) -> Iterator[Stated]:
    for number, line in enumerate(text.splitlines(), 1):
        match = _SETTING.match(line)
        yield from _named(f"python{match['range']}" if match else line.partition("#")[0], Location(path, number))


def _of_setup_py(tree: SourceTree, path: str) -> Iterator[Stated]:
    module = tree.module(path)
    for node in walk(module):
        if isinstance(node, ast.keyword) and node.arg == "python_requires" and isinstance(node.value, ast.Constant):
            yield from _named(f"python{node.value.value!s}", Location(path, node.value.lineno))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "torch" in node.value:
            for offset, line in enumerate(node.value.splitlines()):
                yield from _named(line, Location(path, node.lineno + offset))


def _of_pyproject(tree: SourceTree, path: str) -> Iterator[Stated]:
    try:
        document = tree.read_data(path, "toml")
    except DataError:
        return  # the tree keeps the failure for the coverage
    for keys in _PYPROJECT:
        yield from _of_texts(_below(document, *keys))
    python = _below(document, "project", "requires-python")
    if isinstance(python, Scalar):
        yield from _named(f"python{python.value!s}", python.location)
    tool = _below(document, "tool", "poetry")
    if isinstance(tool, Mapping):
        groups = _below(tool, "group")
        tables = [_below(tool, "dependencies"), _below(tool, "dev-dependencies")]
        if isinstance(groups, Mapping):
            tables += [_below(group, "dependencies") for group in groups.entries.values()]
        for table in tables:
            yield from _of_poetry(table)


def _below(node: DataNode | None, *keys: str) -> DataNode | None:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _of_texts(node: DataNode | None) -> Iterator[Stated]:
    for scalar in scalars(node) if node is not None else ():
        if isinstance(scalar.value, str):
            yield from _named(scalar.value, scalar.location)


def _of_poetry(node: DataNode | None) -> Iterator[Stated]:
    if not isinstance(node, Mapping):
        return
    for name, value in node.entries.items():
        if not isinstance(name, str) or name.lower() not in PACKAGES:
            continue
        for each in value.items if isinstance(value, Sequence) else [value]:
            version = each.get("version") if isinstance(each, Mapping) else each
            text = version.value if isinstance(version, Scalar) else ""
            place = version.location if version is not None else each.location
            yield Stated(PACKAGES[name.lower()], poetry(str(text)), place)
