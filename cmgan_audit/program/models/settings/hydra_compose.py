"""Hydra's composition: the defaults list with groups, packages and overrides, as one raw configuration.

Two generations differ in what a file without directives means: before Hydra 1.1 the primary file comes first and its
groups land at the top level; from 1.1 on the primary file comes last and a group lands under its own name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import field

from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.reasons import only_at_launch
from cmgan_audit.program.domain.values import Choice, Const, DictValue, ListValue, Option, Unknown, Value
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.settings.interpolation import argument, merged, split_arguments, with_entry
from cmgan_audit.source.tree import SourceTree

_PACKAGE = regex(r"^#\s*@package\s+(\S+)", re.MULTILINE)
_PINNED = regex(r"hydra[-_]core[\"']?\s*(==|<=|<|~=)\s*[\"']?\s*([0-9]+)\.([0-9]+)", re.IGNORECASE)
_REQUIREMENTS = (
    "requirements.txt",
    "requirements_dev.txt",
    "requirements/requirements.txt",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "environment.yml",
    "environment.yaml",
)
_OVERRIDE = regex(r"^(\+\+|\+|~)?([\w./@:-]+)(?:=(.*))?$", re.DOTALL)
_MOST_FILES = 200

Load = Callable[[str], Value]


def is_legacy(tree: SourceTree) -> bool:
    """Whether the tree asks for a Hydra before 1.1."""
    for name in _REQUIREMENTS:
        if tree.locate(name) is None:
            continue
        for operator, major, minor in _PINNED.findall(tree.text(name) or ""):
            version = (int(major), int(minor))
            if version < (1, 1) or (operator == "<" and version <= (1, 1)):
                return True
    return False


@dataclass(slots=True)
class Entry:
    """One line of a defaults list: a group with its chosen files, one file by name (`fixed`), or "_self_"."""

    group: str
    names: tuple[str, ...]
    package: str | None = None
    override: bool = False
    optional: bool = False
    fixed: bool = False


@dataclass(slots=True)
class Composition:
    """One primary file with the overrides of one launch. `stored` are configurations of the program's ConfigStore;
    `missing` whether one that is chosen is not there, which is where Hydra ends the program; `listed` the groups of the
    defaults lists, `used` those of which a file is chosen."""

    tree: SourceTree
    folder: str
    load: Load
    legacy: bool = False
    stored: dict[str, Value] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    missing: bool = False
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    appended: list[Entry] = field(default_factory=list)
    files: int = 0
    listed: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def compose(self, name: str, overrides: list[tuple[str, Step | None]]) -> Value:
        """The raw configuration of the primary file `name`."""
        values = [(text, step) for text, step in overrides if not self._group_override(text)]
        self._collect(name, "")
        result = self._config(name, "", "", primary=True)
        for entry in self.appended:
            for chosen in entry.names:
                below = self._config(
                    posixpath.join(entry.group, chosen), entry.group, self._under("", entry), primary=False
                )
                result = merged(result, below)
        if not isinstance(result, DictValue):
            return result
        for text, step in values:
            result = self._apply(result, text, step)
        return result

    # Overrides of the command line

    def _group_override(self, text: str) -> bool:
        """Take `group=choice`, `+group=choice` and `~group`; False for an override of a value.

        Where a launcher alone knows which choice is meant, the one of the configuration stands for it.
        """
        match = _OVERRIDE.match(text)
        if match is None:
            return True
        sign, key, value = match.groups()
        group, _, package = key.partition("@")
        if not self._is_group(group):
            return False
        if sign == "~":
            self.removed.add(group)
        elif value is not None and UNKNOWN_MARK not in value:
            names = tuple(split_arguments(value.strip("[]")))
            if sign == "+":
                self.appended.append(Entry(group, names, package or None))
            else:
                self.choices[group] = names
        return True

    def _apply(self, root: DictValue, text: str, step: Step | None) -> DictValue:
        match = _OVERRIDE.match(text)
        if match is None:
            return root
        sign, key, value = match.groups()
        if sign == "~":
            return _without(root, key.split("."))
        if value is None or key.startswith("hydra."):
            return root
        if UNKNOWN_MARK in value:
            return with_entry(root, key, Unknown(reason=only_at_launch(key), trail=(step,) if step else ()))
        parts = split_arguments(value)
        if len(parts) > 1:
            options = tuple(Option(argument(part, step), f"the sweep takes {key}={part}") for part in parts)
            return with_entry(root, key, Choice(options=options))
        made = argument(value, step)
        return with_entry(root, key, made.via(step.location, step.note) if step else made)

    def _is_group(self, group: str) -> bool:
        if self.tree.is_folder(posixpath.join(self.folder, group)) and group:
            return True
        return any(name.startswith(f"{group}/") for name in self.stored)

    # Files

    def _path(self, name: str) -> str | None:
        stem = posixpath.normpath(posixpath.join(self.folder, name))
        for suffix in ("", ".yaml", ".yml"):
            found = self.tree.locate(stem + suffix)
            if found is not None and found.endswith((".yaml", ".yml")):
                return found
        return None

    def _is_there(self, name: str) -> bool:
        return self._path(name) is not None or name.removesuffix(".yaml").removesuffix(".yml") in self.stored

    def _read(self, name: str) -> tuple[Value, str]:
        """A file's raw content and the package that its first lines name."""
        path = self._path(name)
        if path is None:
            stem = name.removesuffix(".yaml").removesuffix(".yml")
            if stem in self.stored:
                return self.stored[stem], ""
            self.problems.append(f"the configuration {name} is not in {self.folder or 'the tree'}")
            self.missing = True
            return DictValue(
                items={}, complete=False, attribute_access=True, origin=f"{name}, which is not in the tree"
            ), ""
        self.files += 1
        if self.files > _MOST_FILES:
            return Unknown(reason="a configuration of too many files"), ""
        header = _PACKAGE.search((self.tree.text(path) or "")[:500])
        content = self.load(path)
        if isinstance(content, Const) and content.value is None:  # nothing but comments: it changes nothing
            content = DictValue(items={}, attribute_access=True, origin=path)
        return content, header.group(1) if header else ""

    # The defaults list

    def _collect(self, name: str, group: str, depth: int = 0) -> None:
        """What `override` lines choose, wherever they stand; the command line has the last word.

        A file that is not there may be the very one that an `override` puts another in place of.
        """
        if depth > 20 or not self._is_there(name):
            return
        said = dict(self.choices)
        for entry in self._entries(self._read(name)[0], group):
            if entry.override:
                self.choices.setdefault(entry.group, entry.names)
            for path in self._paths(entry):
                self._collect(path, entry.group, depth + 1)
        self.choices.update(said)
        if depth == 0:
            for appended in self.appended:
                for chosen in appended.names:
                    self._collect(posixpath.join(appended.group, chosen), appended.group, depth + 1)

    def _chosen(self, entry: Entry) -> tuple[str, ...]:
        if entry.override or entry.group in self.removed or "_self_" in entry.names:
            return ()
        return entry.names if entry.fixed else self.choices.get(entry.group, entry.names)

    def _paths(self, entry: Entry) -> Iterator[str]:
        """The files that an entry brings; an optional one that is not there is no mistake."""
        for chosen in self._chosen(entry):
            path = posixpath.join(entry.group, chosen)
            if not entry.optional or self._path(path) is not None:
                self.used.add(entry.group)
                yield path

    def _entries(self, config: Value, group: str) -> list[Entry]:
        """The defaults list of a file; groups are named from the root of the configuration folder."""
        listed = config.items.get("defaults") if isinstance(config, DictValue) else None
        found: list[Entry] = []
        for item in listed.items if isinstance(listed, ListValue) else ():
            if isinstance(item, Const) and isinstance(item.value, str):
                found.append(self._named(item.value, group))
            elif isinstance(item, DictValue):
                found += [
                    entry for key, value in item.items.items() if (entry := self._grouped(str(key), value, group))
                ]
        return [entry for entry in found if not entry.group.startswith("hydra")]

    def _named(self, text: str, group: str) -> Entry:
        """`- db/mysql`, `- base`, `- /db/mysql@package`, `- _self_`."""
        if text == "_self_":
            return Entry(group, ("_self_",))
        text, _, package = text.partition("@")
        optional = text.startswith("optional ")
        text = text.removeprefix("optional ").strip()
        full = text[1:] if text.startswith("/") else posixpath.join(group, text)
        return Entry(
            posixpath.dirname(full), (posixpath.basename(full),), package or None, optional=optional, fixed=True
        )

    def _grouped(self, key: str, value: Value, group: str) -> Entry | None:
        """`- db: mysql`, `- override /db: mysql`, `- optional db@package: [a, b]`."""
        override, optional = key.startswith("override "), "optional " in key
        key = key.removeprefix("override ").removeprefix("optional ").strip()
        key, _, package = key.partition("@")
        own = key[1:] if key.startswith("/") else posixpath.join("" if self.legacy else group, key)
        self.listed.add(own)
        names: tuple[str, ...] = ()
        if isinstance(value, Const) and isinstance(value.value, str):
            names = (value.value,)
        elif isinstance(value, ListValue):
            names = tuple(str(item.value) for item in value.items if isinstance(item, Const))
        elif not isinstance(value, Const) and own not in self.choices and not override:
            self.problems.append(f"which {own} is chosen is not known")
        return Entry(own, names, package or None, override=override, optional=optional)

    def _config(self, name: str, group: str, package: str, *, primary: bool, depth: int = 0) -> Value:
        """A file with everything that its defaults list brings, each part under its package."""
        content, header = self._read(name)
        if not isinstance(content, DictValue) or depth > 20:
            return content
        entries = self._entries(content, group)
        own = DictValue(
            items={key: value for key, value in content.items.items() if key != "defaults"},
            complete=content.complete,
            attribute_access=True,
            origin=content.origin,
        )
        place = self._package(header, group, package)
        placed = _placed(own, place)
        if not any("_self_" in entry.names for entry in entries):
            self_entry = Entry(group, ("_self_",))
            entries = [self_entry, *entries] if self.legacy else [*entries, self_entry]
        result: Value = DictValue(items={}, attribute_access=True, origin=content.origin)
        for entry in entries:
            if "_self_" in entry.names:
                result = merged(result, placed)
                continue
            for path in self._paths(entry):
                below = self._under("" if primary else place, entry, group)
                result = merged(result, self._config(path, entry.group, below, primary=False, depth=depth + 1))
        return result

    def _package(self, header: str, group: str, given: str) -> str:
        if header == "_global_":
            return ""
        if header == "_group_":
            return group.replace("/", ".")
        if header:
            return header.replace("_group_", group.replace("/", "."))
        return given

    def _under(self, parent: str, entry: Entry, group: str = "") -> str:
        """The package of a group: its own name below the parent's, unless `@package` says another."""
        if entry.package is not None:
            if entry.package.startswith("_global_"):
                return entry.package.removeprefix("_global_").lstrip(".")
            if entry.package.startswith("_here_"):
                return parent
            return f"{parent}.{entry.package}" if parent else entry.package
        if self.legacy:
            return ""
        relative = (
            entry.group.removeprefix(f"{group}/") if group and entry.group.startswith(f"{group}/") else entry.group
        )
        if group and entry.group == group:
            return parent
        return (
            f"{parent}.{relative.replace('/', '.')}"
            if parent and relative != entry.group
            else entry.group.replace("/", ".")
        )


def _placed(content: DictValue, package: str) -> DictValue:
    for part in reversed(package.split(".") if package else []):
        content = DictValue(items={part: content}, attribute_access=True)
    return content


def _without(root: DictValue, parts: list[str]) -> DictValue:
    from dataclasses import replace

    if len(parts) == 1:
        return replace(root, items={key: value for key, value in root.items.items() if str(key) != parts[0]})
    below = root.items.get(parts[0])
    if not isinstance(below, DictValue):
        return root
    return replace(root, items={**root.items, parts[0]: _without(below, parts[1:])})
