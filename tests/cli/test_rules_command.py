"""`cmgan-audit rules` and `explain`, as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cmgan_audit.rules.catalogue import load_catalogue

COMMAND = str(Path(sys.executable).with_name("cmgan-audit"))
CATALOGUE = [rule.id for rule in load_catalogue()]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)


def test_the_list_has_every_rule_once():
    done = run("rules")
    assert done.returncode == 0
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert listed == CATALOGUE
    assert done.stdout.endswith(f"{len(CATALOGUE)} rules; `cmgan-audit explain RULE` tells more\n")


def test_the_json_list():
    document = json.loads(run("rules", "--format", "json").stdout)
    assert document["schema"] == "cmgan-audit/rules/v1"
    assert [rule["id"] for rule in document["rules"]] == CATALOGUE


def test_the_markdown_list_is_the_index_of_the_pages():
    page = Path(__file__).resolve().parents[2] / "docs" / "rules" / "README.md"
    assert run("rules", "--format", "markdown").stdout == page.read_text(encoding="utf-8")


def test_explain_takes_an_id_or_a_name_in_any_case():
    texts = {run("explain", word).stdout for word in ("CMG903", "cmg903", "unused-suppression")}
    assert len(texts) == 1 and texts.pop().startswith("CMG903 unused-suppression ")


def test_explain_of_an_unknown_rule_names_the_nearest():
    done = run("explain", "unused-supression")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cmgan-audit: unknown rule 'unused-supression' (did you mean 'unused-suppression'?); "
        "`cmgan-audit rules` lists them all\n"
    )


def test_a_broken_rule_of_a_team_names_file_line_and_legal_words(tmp_path):
    (tmp_path / "lab.yaml").write_text("id: LAB101\nnam: x\n")
    done = run("rules", "--rules", str(tmp_path))
    assert done.returncode == 2
    assert f"{tmp_path / 'lab.yaml'}:2: rule: unknown key 'nam' (did you mean 'name'?); known: id, name," in done.stderr


@pytest.mark.parametrize("arguments", [["rules", "--format", "yaml"], ["explain"], ["rules", "--test", "/nowhere"]])
def test_wrong_usage_exits_2_without_a_document(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr


@pytest.mark.parametrize("command", ["rules", "explain"])
def test_help_has_an_example(command):
    done = run(command, "--help")
    assert done.returncode == 0 and f"  cmgan-audit {command}" in done.stdout


def test_output_goes_to_a_file(tmp_path):
    target = tmp_path / "deep" / "rules.json"
    done = run("rules", "--format", "json", "--output", str(target))
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(target.read_text())["rules"]
