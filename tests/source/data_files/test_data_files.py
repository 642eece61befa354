"""Values of data files equal those of their libraries, and every place points exactly at its scalar."""

from __future__ import annotations

import configparser
import json
import math
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cmgan_audit.source.data_files.formats import read_data, read_text
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Mapping, Scalar, plain, scalars

NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\x85"), max_size=12)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())
JSON_VALUES = st.recursive(
    st.one_of(NUMBERS, WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)
TOML_SCALARS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans(), WORDS)


def text_at(text: str, scalar: Scalar) -> str:
    """The characters that a scalar's place covers."""
    place = scalar.location
    lines = text.replace("\r\n", "\n").split("\n")
    assert place.end_line is not None and place.end_column is not None
    if place.line == place.end_line:
        return lines[place.line - 1][place.column - 1 : place.end_column - 1]
    inner = lines[place.line - 1 : place.end_line]
    inner[-1] = inner[-1][: place.end_column - 1]
    inner[0] = inner[0][place.column - 1 :]
    return "\n".join(inner)


def same(left: Any, right: Any) -> bool:
    """Equal with types, NaN equal to itself."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left) and math.isnan(right):
        return True
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and bool(left == right)


@settings(deadline=None)
@given(JSON_VALUES, st.sampled_from([None, 1, 3]), st.booleans())
def test_json_values_and_places(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    node = read_text("c.json", text, "json")
    assert same(plain(node), json.loads(text))
    for scalar in scalars(node):
        assert same(json.loads(text_at(text, scalar)), scalar.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1,}',
        "[1 2]",
        '{"a" 1}',
        "",
        "tru",
        '{"a": 01}',
        '"\n"',
        "[1]]",
        "{a: 1}",
        "'x'",
        "[1,]",
        "nul",
        "-",
        "1.",
    ],
)
def test_json_is_rejected_where_the_library_rejects_it(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(DataError):
        read_text("c.json", text, "json")


@settings(deadline=None)
@given(st.text('{}[]",:0123456789.eE+-truefalsn \n\t\\', max_size=30))
def test_json_accepts_exactly_what_the_library_accepts(text: str) -> None:
    try:
        expected = json.loads(text)
    except json.JSONDecodeError:
        with pytest.raises(DataError):
            read_text("c.json", text, "json")
    else:
        assert same(plain(read_text("c.json", text, "json")), expected)


@settings(deadline=None)
@given(JSON_VALUES, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_yaml_values_and_places(value: Any, flow: bool, newline: str) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False).replace("\n", newline)
    node = read_text("c.yaml", text, "yaml")
    assert same(plain(node), yaml.safe_load(text))
    for scalar in scalars(node):
        written = text_at(text, scalar)
        assert same(yaml.safe_load(written), scalar.value) or "\n" in written


PLAIN_YAML = st.one_of(
    st.sampled_from(["yes", "no", "on", "off", "y", "n", "~", "null", "Null", "True", "FALSE", "=", "<<", "1:60"]),
    st.sampled_from(
        ["1e-3", "1.e3", "1.0e-3", "5e4", ".5", ".inf", "-.INF", ".nan", "1.", "1e", "1e+5", "0.1e1", "+.5"]
    ),
    st.sampled_from(
        ["010", "0o17", "0x1F", "0b11", "1_000", "12:30:45", "+1", "-0", "1__0", "_1", "0_", "08", "1,000"]
    ),
    st.sampled_from(["2001-01-01", "2001-99-99", "2001-12-14t21:59:43.10-05:00"]),
    st.from_regex(r"[-+]?[0-9_]{1,5}(\.[0-9_]{0,4})?([eE][-+]?[0-9]{1,2})?", fullmatch=True),
)


@settings(deadline=None)
@given(PLAIN_YAML)
def test_plain_yaml_scalars_are_what_pyyaml_makes_of_them(word: str) -> None:
    text = f"key: {word}\n"
    try:
        expected = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, IndexError):
        with pytest.raises(DataError):
            read_text("c.yaml", text, "yaml")
        return
    node = read_text("c.yaml", text, "yaml")
    assert same(plain(node), expected)
    (scalar,) = scalars(node)
    assert text_at(text, scalar) == word


@pytest.mark.parametrize(
    ("word", "yaml_1_1", "omegaconf", "yaml_1_2"),
    [
        ("1e-3", "1e-3", 0.001, 0.001),
        ("5e-4", "5e-4", 0.0005, 0.0005),
        ("1.0e-3", 0.001, 0.001, 0.001),
        ("1.5e3", "1.5e3", 1500.0, 1500.0),
        ("yes", True, True, "yes"),
        ("off", False, False, "off"),
        ("010", 8, 8, 10),
        ("0o17", "0o17", "0o17", 15),
        ("12:30:45", 45045, 45045, "12:30:45"),
        ("1_000", 1000, 1000, 1000),
        ("True", True, True, True),
        ("~", None, None, None),
    ],
)
def test_three_dialects_of_yaml(word: str, yaml_1_1: Any, omegaconf: Any, yaml_1_2: Any) -> None:
    """Measured with PyYAML 6.0, OmegaConf 2.3 and ruamel.yaml 0.18; what 1e-3 means depends on who reads it."""
    for dialect, expected in (("yaml", yaml_1_1), ("omegaconf", omegaconf), ("yaml12", yaml_1_2)):
        assert same(plain(read_text("c.yaml", f"key: {word}", dialect)), {"key": expected})  # type: ignore[arg-type]


def test_yaml_anchors_merges_and_tags() -> None:
    text = "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\nd: !ref <a>\ne: !new:pkg.Class\n  k: 1\n"
    node = read_text("c.yaml", text, "yaml")
    assert isinstance(node, Mapping)
    assert plain(node) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
        "d": "<a>",
        "e": {"k": 1},
    }
    assert node.get("a") is node.get("c")
    reference, made = node.get("d"), node.get("e")
    assert isinstance(reference, Scalar) and reference.tag == "!ref"
    assert isinstance(made, Mapping) and made.tag == "!new:pkg.Class"
    inherited = node.get("b")
    assert isinstance(inherited, Mapping) and isinstance(x := inherited.get("x"), Scalar) and x.location.line == 1


def test_yaml_that_contains_itself_ends() -> None:
    node = read_text("c.yaml", "&a\nx: *a\ny: [*a, 1]\nz: &b [*b]\n", "yaml")
    assert plain(node) == {"x": None, "y": [None, 1], "z": [None]}
    assert [scalar.value for scalar in scalars(node)] == [1]


@pytest.mark.parametrize(
    "opening", ["[" * 50_000, "- " * 20_000, "{a: " * 5_000, "\n".join(" " * n + "a:" for n in range(600))]
)
@pytest.mark.parametrize("dialect", ["yaml", "json", "toml"])
def test_deep_nesting_is_an_error_not_a_crash(opening: str, dialect: str) -> None:
    with pytest.raises(DataError):
        read_text("c", opening, dialect)  # type: ignore[arg-type]


TOML_DOCUMENTS = st.dictionaries(
    NAMES,
    st.one_of(
        TOML_SCALARS,
        st.lists(TOML_SCALARS, max_size=3),
        st.dictionaries(NAMES, st.one_of(TOML_SCALARS, st.lists(TOML_SCALARS, max_size=3)), max_size=3),
    ),
    max_size=5,
)


def toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", # a comment\n  ".join(map(toml_value, value)) + "]"
    return repr(value)


def toml_text(document: dict[str, Any], inline: bool) -> str:
    lines = [f"{key} = {toml_value(value)} # tail" for key, value in document.items() if not isinstance(value, dict)]
    for key, value in document.items():
        if isinstance(value, dict):
            if inline and not any(isinstance(v, list) for v in value.values()):
                pairs = ", ".join(f"{k} = {toml_value(v)}" for k, v in value.items())
                lines.insert(0, f"{key} = {{ {pairs} }}")
            else:
                lines += [f"[{key}]", *(f'"{k}" = {toml_value(v)}' for k, v in value.items())]
    return "\n".join(lines) + "\n"


@settings(deadline=None)
@given(TOML_DOCUMENTS, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_toml_values_and_places(document: dict[str, Any], inline: bool, newline: str) -> None:
    text = toml_text(document, inline).replace("\n", newline)
    expected = tomllib.loads(text)
    node = read_text("c.toml", text, "toml")
    assert plain(node) == expected
    for scalar in scalars(node):
        assert same(tomllib.loads(f"x = {text_at(text, scalar)}")["x"], scalar.value)


def test_toml_tables_of_every_kind() -> None:
    text = (
        "a.b.c = 1\n'q k' = '''x\ny'''\n[t.u]\nv = 1979-05-27\n[[r]]\nn = 1\n[r.s]\nm = 2\n[[r]]\nn = 3\n"
        '[x."y.z"]\nl = [ [1, 2], ["a"], ] # end\ni = { p.q = 1, w = {} }\ne = """\\\n   z"""\n'
    )
    node = read_text("c.toml", text, "toml")
    assert plain(node) == tomllib.loads(text)
    assert {s.location.line for s in scalars(node) if s.value == 3} == {11}


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.dictionaries(NAMES, st.text("abc 1.;#=:", max_size=8), max_size=4), max_size=3))
def test_ini_values_and_places(document: dict[str, dict[str, str]]) -> None:
    text = "# head\n" + "".join(
        f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
        for section, options in document.items()
    )
    expected = configparser.ConfigParser()
    try:
        expected.read_string(text)
    except configparser.Error:
        with pytest.raises(DataError):
            read_text("c.ini", text, "ini")
        return
    node = read_text("c.ini", text, "ini")
    assert isinstance(node, Mapping)
    for section in expected.sections():
        found = node.get(section)
        assert isinstance(found, Mapping)
        assert plain(found) == dict(expected[section])
        for scalar in scalars(found):
            assert text_at(text, scalar).strip() == (scalar.value or "")


@pytest.mark.parametrize(
    ("data", "dialect", "line"),
    [
        (b"a: [1, 2\nb: 3\n", "yaml", 2),
        (b'{"a": 1,\n "b" 2}', "json", 2),
        (b"a = 1\nb = \n", "toml", 2),
        (b"[s]\nnonsense\n", "ini", 2),
        (b"a: 1\nb: \xff\n", "yaml", 2),
        (b"a: 1\na: !!int x\n", "yaml", 2),
    ],
)
def test_errors_name_the_line(data: bytes, dialect: Any, line: int) -> None:
    with pytest.raises(DataError) as error:
        read_data("c", data, dialect)
    assert error.value.line == line


def test_byte_order_marks_and_line_ends() -> None:
    node: DataNode = read_data("c.yaml", "\ufeffbatch_size: 4\r\nlr: 1.0e-3\r\n".encode(), "yaml")
    assert plain(node) == {"batch_size": 4, "lr": 0.001}
    assert [(s.location.line, s.location.column) for s in scalars(node)] == [(1, 13), (2, 5)]
    assert plain(read_data("c.toml", b"\xef\xbb\xbfa = 1\r\n", "toml")) == {"a": 1}
