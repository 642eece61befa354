"""A wrong rule file: the error names the file, the line, the value and what would be right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cmgan_audit.errors import UsageError
from cmgan_audit.rules.catalogue import Catalogue, load_folder
from cmgan_audit.rules.compiled import compile_rule
from cmgan_audit.rules.rule import RuleError
from cmgan_audit.rules.schema import KEYS, read_rule

WRONG = [
    ({"wen": "role"}, "unknown key 'wen' (did you mean 'when'?)"),
    ({"severity": "eror"}, "'eror' is not one of error, warning, note"),
    ({"severity": [{"when": "role", "is": "error"}]}, "the last entry must stand without `when`"),
    ({"severity": [{"is": "error"}, {"is": "note"}]}, "only the last entry may stand without `when`"),
    ({"id": "201"}, "'201' is not capital letters and three or four digits"),
    ({"name": "Small"}, "is not kebab-case"),
    ({"since": 0.1}, "0.1 is not text; write it in quotes"),
    ({"why": None}, "'why' is missing or empty"),
    ({"when": None}, "needs `over` and `when`, or `raised_by`"),
    ({"examples": None}, "at least one bad and one good example"),
    ({"raised_by": "trends"}, "unknown value 'trends' (did you mean 'trend'?)"),
    ({"raised_by": "trend"}, "a rule with `raised_by` has no 'over'"),
    ({"preview": "yes please"}, "neither true nor false"),
    ({"pass_when": "role"}, "`passed` must tell the evidence"),
    ({"params": {"smallest": [1]}}, "neither a number, a text nor true or false"),
    ({"fix": {"title": "x", "safety": "saf"}}, "unknown value 'saf' (did you mean 'safe'?)"),
    ({"examples": [{"verdict": "bad", "files": {"../a.py": ""}}]}, "leaves the example's folder"),
    ({"examples": [{"verdict": "bad", "files": {"a.py": ""}, "at": "b.py:1"}]}, "not file:line with one of the files"),
]

UNFITTING = [
    (
        {"over": "lodaer"},
        "over: unknown kind of record 'lodaer' (did you mean 'loader'?); known: dataset, loader, loop",
    ),
    ({"when": "rol"}, "when: Loader: unknown field 'rol' (did you mean 'role'?)"),
    ({"at": "dataset.random"}, "at: Dataset: unknown field 'random'"),
    ({"message": "{batch}"}, "message: Loader: unknown field 'batch'"),
    ({"message": "{batch_size"}, "message: expected '}' before end of string"),
    ({"params": {"role": "x"}}, "params: 'role' is a field of the record"),
    ({"severity": [{"when": "nothing", "is": "note"}, {"is": "error"}]}, "severity: Loader: unknown field 'nothing'"),
]


@pytest.mark.parametrize(("changes", "reason"), WRONG)
def test_a_file_that_does_not_follow_the_schema(rule_file, changes, reason):
    path = rule_file(**changes)
    with pytest.raises(RuleError) as caught:
        read_rule(path)
    assert reason in str(caught.value) and str(caught.value).startswith(f"{path}:")


@pytest.mark.parametrize(("changes", "reason"), UNFITTING)
def test_a_rule_that_does_not_fit_its_record(lab, rule_file, changes, reason):
    path = rule_file(**changes)
    with pytest.raises(RuleError) as caught:
        compile_rule(read_rule(path), lab.kinds)
    assert reason in str(caught.value) and str(caught.value).startswith(f"{path}:")


def test_the_line_is_that_of_the_value(rule_file):
    path = rule_file(severity="eror")
    with pytest.raises(RuleError, match=r"rule.yaml:4: severity"):
        read_rule(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("- a\n", "a mapping of keys"),
        ("id: [", "is not YAML"),
        ("id: A\nid: B\n", "stands here twice"),
    ],
)
def test_a_file_that_is_no_rule(tmp_path, text, reason):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(RuleError, match=reason):
        read_rule(path)


def test_examples_are_left_out_where_nobody_asks_for_them(rule_file):
    path = rule_file()
    whole, bare = read_rule(path), read_rule(path, examples=False)
    assert len(whole.examples) == 2 and not bare.examples
    lines = {key: line for key, line in whole.lines.items() if key != "examples"}
    assert bare == replace(whole, examples=(), lines=lines)


def test_what_stands_behind_the_examples_is_read_without_them_too(rule_file):
    path = rule_file()
    path.write_text(f'{path.read_text(encoding="utf-8")}since: "0.7"\n', encoding="utf-8")
    assert read_rule(path, examples=False).since == read_rule(path).since == "0.7"


def test_an_id_belongs_to_one_rule(rule_file):
    rule = read_rule(rule_file())
    with pytest.raises(RuleError, match=r"id: .* has the same one"):
        Catalogue([rule, rule])


def test_a_folder_without_rules_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="holds no rule files"):
        load_folder(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        load_folder(tmp_path / "none")


def test_find_by_id_or_name_and_the_nearest_otherwise(rule_file):
    catalogue = Catalogue([read_rule(rule_file())])
    assert catalogue.find("lab101") is catalogue.find("small-batch")
    with pytest.raises(UsageError, match="did you mean 'small-batch'"):
        catalogue.find("smal-batch")


def test_a_rule_is_made_ready_once_for_each_kind_of_record(rule_file, lab):
    catalogue = Catalogue([read_rule(rule_file(when="role"))])
    (first,) = catalogue.judged(lab.kinds)
    assert catalogue.judged(lab.kinds) == [first] and catalogue.judged(lab.kinds)[0] is first
    (other,) = catalogue.judged({"loader": type("Other", (lab.Loader,), {})})
    assert other.kind is not first.kind is lab.Loader


def test_every_key_of_the_schema_is_explained():
    assert all(KEYS.values())
