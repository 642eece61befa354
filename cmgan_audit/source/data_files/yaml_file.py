"""YAML with the exact place of every scalar, as the library that reads it would understand the scalars.

Three dialects: "yaml" is PyYAML (YAML 1.1: `1e-3` is a string, `yes` is True), "omegaconf" is OmegaConf's loader
(`1e-3` is a number, no dates), "yaml12" is ruamel.yaml and HyperPyYAML (`1e-3` is a number, `yes` a string).
Tags of applications are kept on the nodes, never constructed.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Mapping, Scalar, ScalarValue, Sequence
from cmgan_audit.source.positions import Positions

_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
DEEPEST = 200

_DIGITS = list("-+0123456789.")
_OMEGACONF_FLOAT = regex(
    r"""^(?:[-+]?[0-9]+(?:_[0-9]+)*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)
    |\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?
    |[-+]?[0-9]+(?:_[0-9]+)*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)
_YAML12_FLOAT = regex(
    r"""^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)
    |[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)
_YAML12_INT = regex(r"^(?:[-+]?0b[0-1_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+)$")
_YAML12_BOOL = regex(r"^(?:true|True|TRUE|false|False|FALSE)$")


class _OmegaConfLoader(_Fast):  # type: ignore[misc]
    """PyYAML's rules as OmegaConf changes them: more floats, no dates."""


class _Yaml12Loader(_Fast):  # type: ignore[misc]
    """The rules of YAML 1.2 as ruamel.yaml has them."""


def _without(loader: Any, *kinds: str) -> None:
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in {_STANDARD + kind for kind in kinds}]
        for first, resolvers in loader.yaml_implicit_resolvers.items()
    }


_without(_OmegaConfLoader, "timestamp")
_OmegaConfLoader.add_implicit_resolver(_STANDARD + "float", _OMEGACONF_FLOAT, _DIGITS)
_without(_Yaml12Loader, "bool", "int", "float")
_Yaml12Loader.add_implicit_resolver(_STANDARD + "bool", _YAML12_BOOL, list("tTfF"))
_Yaml12Loader.add_implicit_resolver(_STANDARD + "float", _YAML12_FLOAT, _DIGITS)
_Yaml12Loader.add_implicit_resolver(_STANDARD + "int", _YAML12_INT, _DIGITS)

_LOADERS = {"yaml": _Fast, "omegaconf": _OmegaConfLoader, "yaml12": _Yaml12Loader}


def read_yaml(path: str, text: str, dialect: str = "yaml") -> DataNode:
    """The document of a YAML file; an empty file is None.

    Raises DataError, with the line, for what the library would reject (except for tags that it does not know).
    """
    _refuse_depth(text)
    loader = _LOADERS[dialect](text)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _data_error(error) from None
    finally:
        loader.dispose()
    if node is None:
        return Scalar(None, Location(path, 1, 1, 1, 1))
    return _Reading(path, text, dialect).node(node)


def read_yaml_documents(path: str, text: str, dialect: str = "yaml") -> Sequence:
    """All documents of a YAML file, `---` between them.

    Raises DataError, with the line, for what the library would reject.
    """
    _refuse_depth(text)
    loader = _LOADERS[dialect](text)
    nodes = []
    try:
        while loader.check_node():
            nodes.append(loader.get_node())
    except yaml.YAMLError as error:
        raise _data_error(error) from None
    finally:
        loader.dispose()
    reading = _Reading(path, text, dialect)
    return Sequence([reading.node(node) for node in nodes], Location(path, 1, 1, 1, 1))


def _refuse_depth(text: str) -> None:
    """libyaml and PyYAML recurse: text that nests deeper than any configuration would end the process."""
    if (
        text.count("[") + text.count("{") < DEEPEST
        and text.count("- ") + text.count("-\n") + text.count("? ") < DEEPEST
    ):
        indented = re.search(rf"^ {{{DEEPEST}}}", text, re.MULTILINE)
        if indented is None:
            return
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Fast):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST:
                    line = event.start_mark.line + 1 if event.start_mark is not None else 0
                    raise DataError(line, f"nested more than {DEEPEST} deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError as error:
        raise _data_error(error) from None


def _data_error(error: yaml.YAMLError) -> DataError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).split("\n")[0]
    return DataError(mark.line + 1 if mark is not None else 0, f"not valid YAML: {problem}")


class _Reading:
    """Turns PyYAML's nodes into ours; an aliased node becomes the same object wherever it is used."""

    def __init__(self, path: str, text: str, dialect: str) -> None:
        self._positions = Positions(path, text)
        self._text = text
        self._dialect = dialect
        self._construct: Any = yaml.constructor.SafeConstructor()
        self._done: dict[int, DataNode] = {}
        self._flattened: set[int] = set()

    def node(self, node: Any) -> DataNode:
        done = self._done.get(id(node))
        if done is not None:
            return done
        place = self._positions.location(node.start_mark.index, node.end_mark.index)
        tag = self._tag(node)
        if isinstance(node, yaml.ScalarNode):
            made: DataNode = Scalar(self._value(node, tag), place, tag, "" if node.style else node.value)
            self._done[id(node)] = made
        elif isinstance(node, yaml.SequenceNode):
            made = self._done[id(node)] = Sequence([], place, tag)
            made.items.extend(self.node(item) for item in node.value)
        else:
            made = self._done[id(node)] = Mapping({}, place, tag, {})
            self._fill(made, node)
        return made

    def _tag(self, node: yaml.Node) -> str:
        """The application's own tag; "!!python/tuple" and their like keep the shorthand people write."""
        tag: str = node.tag
        if not tag.startswith(_STANDARD):
            return tag
        kind = tag[len(_STANDARD) :]
        return f"!!{kind}" if "/" in kind else ""

    def _value(self, node: yaml.ScalarNode, tag: str) -> ScalarValue:
        if tag:
            return str(node.value)
        kind = node.tag[len(_STANDARD) :]
        if self._dialect == "yaml12" and kind in {"int", "float"}:
            return _yaml12_number(node.value, kind)
        if kind == "value" and self._dialect == "yaml12":
            return str(node.value)
        try:
            value: ScalarValue = self._construct.construct_object(node, deep=True)
        except yaml.YAMLError as error:
            raise _data_error(error) from None
        except (ValueError, IndexError, KeyError, OverflowError) as error:
            raise DataError(node.start_mark.line + 1, f"not a valid {kind}: {error}") from None
        return value

    def _fill(self, target: Mapping, node: yaml.MappingNode) -> None:
        for key_node, value_node in self._pairs(node):
            if not isinstance(key_node, yaml.ScalarNode):
                raise DataError(key_node.start_mark.line + 1, "a key that is itself a list or a dictionary")
            key = self.node(key_node)
            assert isinstance(key, Scalar) and target.keys is not None
            target.entries[key.value] = self.node(value_node)
            target.keys[key.value] = key.location

    def _pairs(self, node: yaml.MappingNode) -> list[tuple[Any, Any]]:
        """The pairs with merge keys (`<<`) put in front, as YAML has it; a mapping that merges itself is cut."""
        if id(node) in self._flattened:
            return list(node.value)
        self._flattened.add(id(node))
        merged: list[tuple[Any, Any]] = []
        own: list[tuple[Any, Any]] = []
        for key, value in node.value:
            if key.tag != _STANDARD + "merge":
                own.append((key, value))
                continue
            sources = value.value[::-1] if isinstance(value, yaml.SequenceNode) else [value]
            for source in sources:
                if not isinstance(source, yaml.MappingNode):
                    raise DataError(key.start_mark.line + 1, "expected a mapping to merge here")
                merged += self._pairs(source)
        node.value = merged + own
        return merged + own


def _yaml12_number(text: str, kind: str) -> ScalarValue:
    """A number as ruamel.yaml computes it under YAML 1.2: a leading zero does not mean octal."""
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    try:
        if kind == "float":
            return sign * float(digits.removeprefix(".") if digits in {".inf", ".nan"} else digits)
        for prefix, base in (("0b", 2), ("0x", 16), ("0o", 8)):
            if digits.startswith(prefix):
                return sign * int(digits[2:], base)
        return sign * int(digits)
    except ValueError:
        return text
