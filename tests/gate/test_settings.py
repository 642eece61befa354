"""Settings of a project: found upwards, checked, flags over them."""

from __future__ import annotations

import pytest

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.gate.flags import Flags
from cmgan_audit.gate.selection import selected_rules
from cmgan_audit.gate.settings import KEYS, Settings, find_settings, settle_rules
from cmgan_audit.report.settings_text import show
from cmgan_audit.rules.catalogue import load_catalogue

WRONG = [
    ("fail-on = 'error'", "unknown key 'fail-on' (did you mean 'fail_on'?)"),
    ("fail_on = 'eror'", "fail_on: 'eror' is not one of error, warning, note, never"),
    ("select = 'CMG1'", "select: 'CMG1' is not a list of texts; write [\"CMG1\"]"),
    ("preview = 1", "preview: 1 is neither true nor false"),
    ("per_path_ignores = ['a']", "per_path_ignores: ['a'] is not a table"),
    ("[per_path_ignores]\n'legacy/' = 'CMG1'", "per_path_ignores.legacy/: 'CMG1' is not a list of texts"),
    ("select = [", "is not TOML"),
    (r"exclude = ['old\data.py']", r"exclude: 'old\\data.py': write 'old/data': paths have forward slashes here"),
    ("exclude = ['']", "exclude: '': no path can fit this; patterns are written as in .gitignore"),
    ("exclude = ['!']", "exclude: '!': no path can fit this"),
    ("exclude = ['data[']", "exclude: 'data[': no path can fit this"),
    ("exclude = ['[z-a]']", "exclude: '[z-a]': no path can fit this"),
    ("exclude = ['#old']", "exclude: '#old': no path can fit this"),
    ("exclude = ['../old']", "exclude: '../old': paths start from the folder of this file and do not leave it"),
    ("exclude = ['*.{py,sh}']", "exclude: '*.{py,sh}': braces join no alternatives here: write one pattern for each"),
    ("[per_path_ignores]\n'' = ['CMG1']", "per_path_ignores: '': no path can fit this"),
    ("rules = ['lab']", "rules: 'lab': no such folder in "),
    (
        "[tool.cmgan-audit]\nfail_on = 'note'",
        "belongs into pyproject.toml; in this file the keys stand without a table",
    ),
    (r"per_path_ignores = {'a\b\*.py' = ['CMG1']}", "per_path_ignores: 'a\\\\b\\\\*.py': write 'a/b'"),
]

UNFITTING = [
    ({"TOY999": {}}, "unknown rule 'TOY999'"),
    ({"TOY101": {"limt": 3}}, "unknown key 'limt' (did you mean 'limit'?); known: severity, limit"),
    ({"TOY101": {"limit": "four"}}, "'four' is not of the type of the default, 4"),
    ({"TOY101": {"limit": True}}, "True is not of the type of the default, 4"),
    ({"TOY101": {"severity": "fatal"}}, "'fatal' is not one of error, warning, note"),
]


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_a_wrong_file_names_file_key_value_and_what_is_legal(tmp_path, text, reason):
    (tmp_path / "cmgan-audit.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        find_settings(tmp_path)
    assert reason in str(caught.value) and str(tmp_path / "cmgan-audit.toml") in str(caught.value)


@pytest.mark.parametrize("name", ["cmgan_audit", "CMGAN-Audit", "cmganaudit"])
def test_a_table_of_nearly_our_name_is_not_passed_over(tmp_path, name):
    (tmp_path / "pyproject.toml").write_text(f"[tool.{name}]\nfail_on = 'note'\n")
    with pytest.raises(UsageError, match=r"the table is called \[tool.cmgan-audit\]"):
        find_settings(tmp_path)


def test_what_other_editors_write_is_read(tmp_path):
    (tmp_path / "cmgan-audit.toml").write_bytes(b"\xef\xbb\xbffail_on = 'note'\r\npreview = true\r\n")
    found = find_settings(tmp_path)
    assert (found.fail_on, found.preview) == ("note", True)


def test_patterns_may_begin_with_the_folder_of_the_settings(tmp_path):
    text = "exclude = ['./old/', '!./old/kept.py', '\\#odd']\n[per_path_ignores]\n'./data/*.py' = ['CMG1']\n"
    (tmp_path / "cmgan-audit.toml").write_text(text)
    found = find_settings(tmp_path)
    assert found.exclude == ("/old/", "!/old/kept.py", "\\#odd") and list(found.per_path_ignores) == ["/data/*.py"]


@pytest.mark.parametrize("key", ["select", "ignore"])
def test_an_unknown_rule_of_the_settings_names_their_file(tmp_path, key):
    (tmp_path / "cmgan-audit.toml").write_text(f"{key} = ['CMG101', 'CMG999']\n")
    with pytest.raises(UsageError, match=rf"cmgan-audit.toml: {key}: unknown rule 'CMG999'"):
        Flags().settings(tmp_path)


@pytest.mark.parametrize("name", ["cmgn", "lab.yaml"])
def test_an_unknown_profile_of_the_settings_names_their_file(tmp_path, name):
    (tmp_path / "cmgan-audit.toml").write_text(f"profile = '{name}'\n")
    with pytest.raises(UsageError, match=rf"cmgan-audit.toml: profile: .*{name}"):
        Flags().settings(tmp_path)


@pytest.mark.parametrize(("name", "table"), [("cmgan-audit.toml", ""), ("pyproject.toml", "[tool.cmgan-audit]\n")])
def test_shown_settings_are_a_settings_file(tmp_path, name, table):
    text = (
        f"{table}select = ['CMG1']\nper_rule.CMG101 = {{severity = 'note'}}\nper_path_ignores = {{'a b/*' = ['ALL']}}\n"
    )
    (tmp_path / name).write_text(text)
    found = find_settings(tmp_path)
    (tmp_path / name).write_text(show(found))
    assert find_settings(tmp_path) == found


def test_rules_that_are_ignored_for_paths_are_checked(catalogue):
    with pytest.raises(UsageError, match=r"per_path_ignores.legacy/: unknown rule 'TOY1O1'"):
        settle_rules(Settings(per_path_ignores={"legacy/": ("TOY101", "TOY1O1")}), catalogue)
    settle_rules(Settings(per_path_ignores={"legacy/": ("TOY1", "ALL")}), catalogue)


@pytest.mark.parametrize(("per_rule", "reason"), UNFITTING)
def test_settings_of_single_rules_are_checked(catalogue, per_rule, reason):
    with pytest.raises(UsageError) as caught:
        settle_rules(Settings(per_rule=per_rule), catalogue)
    assert reason in str(caught.value)


def test_the_nearest_file_upwards_counts(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.cmgan-audit]\nfail_on = 'note'\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_settings(inner).fail_on == "note"
    (inner / "cmgan-audit.toml").write_text("fail_on = 'warning'\n")
    assert find_settings(inner).fail_on == "warning"


def test_a_pyproject_without_our_table_and_a_repository_root_in_between(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.cmgan-audit]\nfail_on = 'note'\n")
    inner = tmp_path / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / "pyproject.toml").write_text("[tool.other]\n")
    assert find_settings(inner) == Settings()


def test_every_key_has_help_and_can_be_written(tmp_path):
    assert set(KEYS) == {
        "select",
        "ignore",
        "fail_on",
        "preview",
        "exclude",
        "rules",
        "baseline",
        "profile",
        "train_loaders",
        "eval_loaders",
        "per_path_ignores",
        "per_rule",
    }


@pytest.mark.parametrize(
    ("select", "ignore", "found"),
    [
        ((), (), ["TOY101", "TOY102"]),
        (("TOY1",), ("TOY101",), ["TOY102"]),
        (("TOY101",), ("TOY1",), ["TOY101"]),
        (("tiny-batch",), (), ["TOY101"]),
        (("ALL",), ("odd-batch",), ["TOY101"]),
    ],
)
def test_selection(catalogue, select, ignore, found):
    rules = selected_rules(catalogue, select, ignore)
    assert [rule.id for rule in rules if rule.id.startswith("TOY")] == found


def test_selecting_an_unknown_rule_is_an_error(catalogue):
    with pytest.raises(UsageError, match=r"unknown rule 'TOY103' \(did you mean 'TOY10"):
        selected_rules(catalogue, ["TOY103"])


@pytest.mark.parametrize("word", ["CMG801", "CMG8", "metric-decline"])
def test_a_rule_of_another_command_cannot_be_selected(word):
    """It would never run here, and an audit that looks at nothing finds nothing."""
    with pytest.raises(UsageError, match=f"{word} is for `cmgan-audit trend`"):
        selected_rules(load_catalogue(), ["CMG101", word])
    assert selected_rules(load_catalogue(), [], [word])


def test_a_selection_of_the_settings_may_speak_of_other_commands(tmp_path):
    """`trend` goes by the same settings."""
    for selected, left in (("'CMG1', 'CMG801'", ("CMG1",)), ("'CMG801', 'CMG7'", ())):
        (tmp_path / "cmgan-audit.toml").write_text(f"select = [{selected}]\n")
        assert Flags().settings(tmp_path).select == left


def test_a_selection_that_leaves_no_rule_is_an_error(catalogue):
    with pytest.raises(UsageError, match=r"no rule is left to run \(select: TOY1; ignore: TOY101, odd-batch\)"):
        selected_rules(catalogue, ["TOY1"], ["TOY101", "odd-batch"])


def test_what_settings_do_to_findings(auditor, tree, rules_of):
    root = tree(
        {"train.py": "batch_size = 1\n", "legacy/old.py": "batch_size = 1\n", "vendor/x.py": "batch_size = 1\n"}
    )
    settings = {
        "exclude": ("vendor/",),
        "per_path_ignores": {"legacy/**": ("TOY1",)},
        "per_rule": {"TOY101": {"severity": "note", "limit": 2}},
        "source": root / "cmgan-audit.toml",
    }
    audited = auditor(**settings).audit(root)
    assert [(finding.location.path, finding.severity.value) for finding in audited.open] == [("train.py", "note")]
    assert (audited.ignored, audited.coverage.files) == (1, 2)
    assert rules_of(auditor(per_rule={"TOY101": {"limit": 1}}).audit(root)) == []


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("sub/", ["legacy/old.py", "train.py"]),  # a path on the command line wins over a pattern that names it
        ("/sub", ["legacy/old.py", "train.py"]),
        ("sub/*", []),
        ("*/old.py", ["legacy/old.py", "train.py"]),
        ("sub/legacy/", ["train.py"]),
        ("s*/legacy/*.py", ["train.py"]),
        ("legacy/", ["train.py"]),
        ("**/old.py", ["train.py"]),
        ("other/legacy/", ["legacy/old.py", "train.py"]),
        ("/legacy/", ["legacy/old.py", "train.py"]),
    ],
)
def test_excluded_paths_start_from_the_settings_file(auditor, tree, pattern, left):
    root = tree({"sub/legacy/old.py": "batch_size = 1\n", "sub/train.py": "batch_size = 1\n", "sub/keep/x.md": ""})
    settings = auditor(exclude=(pattern,), source=root / "cmgan-audit.toml")
    if not left:
        with pytest.raises(InputError):
            settings.audit(root / "sub")
        return
    assert sorted(finding.location.path for finding in settings.audit(root / "sub").open) == left


def test_patterns_start_from_the_settings_file(auditor, tree, rules_of):
    root = tree({"sub/legacy/old.py": "batch_size = 1\n"})
    settings = {"per_path_ignores": {"/sub/legacy/": ("TOY101",)}, "source": root / "cmgan-audit.toml"}
    assert rules_of(auditor(**settings).audit(root / "sub")) == []
