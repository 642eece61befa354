"""INI files: `configparser` says what the values are, a scan of the lines says where they stand."""

from __future__ import annotations

import configparser

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.data_files.nodes import DataError, Mapping, Scalar
from cmgan_audit.source.python_file import split_lines

_SECTION = regex(r"\[(?P<name>.+)\]")
_OPTION = regex(r"(?P<name>.*?)\s*(?P<delimiter>[=:])\s*(?P<value>.*)$")


class _KeepsCase(configparser.ConfigParser):
    """A parser that tells options apart by their case."""

    def optionxform(self, optionstr: str) -> str:
        """An option as it is written."""
        return optionstr


def read_ini(path: str, text: str, *, interpolation: str = "basic", keeps_case: bool = False) -> Mapping:
    """Sections with their options (those of DEFAULT included), values as strings.

    `interpolation` is "basic", "extended" or "none"; options are in lower case unless a parser keeps their case. Raises
    DataError where `configparser` raises.
    """
    kind = _KeepsCase if keeps_case else configparser.ConfigParser
    parser = kind(interpolation=_interpolation(interpolation))
    try:
        parser.read_string(text, source=path)
        return _mapping(path, parser, _places(path, text, parser))
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", ())), (0, ""))[0]
        message = str(error).splitlines()[0]
        raise DataError(line, f"not a valid INI file: {message}") from None


def _interpolation(kind: str) -> configparser.Interpolation:
    if kind == "extended":
        return configparser.ExtendedInterpolation()
    return configparser.Interpolation() if kind == "none" else configparser.BasicInterpolation()


def _mapping(
    path: str, parser: configparser.ConfigParser, places: dict[tuple[str, str], tuple[Location, Location]]
) -> Mapping:
    nowhere = Location(path, 1)
    root = Mapping({}, nowhere, keys={})
    for section in (parser.default_section, *parser.sections()):
        where = places.get((section, ""), (nowhere, nowhere))[0]
        node = Mapping({}, where, keys={})
        options = parser.defaults() if section == parser.default_section else parser.options(section)
        for option in options:
            own = places.get((section, option)) or places.get((parser.default_section, option), (where, where))
            assert node.keys is not None
            node.keys[option] = own[0]
            node.entries[option] = Scalar(_get(parser, section, option), own[1])
        root.entries[section] = node
        assert root.keys is not None
        root.keys[section] = where
    return root


def _get(parser: configparser.ConfigParser, section: str, option: str) -> str | None:
    value: str | None = parser.get(section, option)
    return value


def _places(
    path: str, text: str, parser: configparser.ConfigParser
) -> dict[tuple[str, str], tuple[Location, Location]]:
    """Where each section (option "") and option stands: the key's place and the place of the value's first line."""
    places: dict[tuple[str, str], tuple[Location, Location]] = {}
    section = ""
    indent_of_option: int | None = None
    for number, line in enumerate(split_lines(text), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", ";")):
            continue
        indent = len(line) - len(line.lstrip())
        if indent_of_option is not None and indent > indent_of_option:
            continue  # the value of the option above goes on
        header = _SECTION.match(stripped)
        if header is not None:
            section, indent_of_option = header.group("name"), None
            here = Location(path, number, indent + 1, number, indent + 1 + header.end())
            places[section, ""] = (here, here)
            continue
        option = _OPTION.match(stripped)
        if option is None or not section:
            continue
        indent_of_option = indent
        start, end = indent + 1 + option.start("value"), indent + 1 + option.end("value")
        name_end = indent + 1 + option.end("name")
        places[section, parser.optionxform(option.group("name").rstrip())] = (
            Location(path, number, indent + 1, number, name_end),
            Location(path, number, start, number, end),
        )
    return places
