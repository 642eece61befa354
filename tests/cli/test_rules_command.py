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


def test_the_list_has_every_rule_once():
    done = subprocess.run([COMMAND, "rules"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert listed == CATALOGUE
    assert done.stdout.endswith(f"{len(CATALOGUE)} rules; `cmgan-audit explain RULE` tells more\n")


def test_the_json_list(command):
    document = json.loads(command("rules", "--format", "json").stdout)
    assert document["schema"] == "cmgan-audit/rules/v1"
    assert [rule["id"] for rule in document["rules"]] == CATALOGUE


def test_the_markdown_list_is_the_index_of_the_pages(command):
    page = Path(__file__).resolve().parents[2] / "docs" / "rules" / "README.md"
    assert command("rules", "--format", "markdown").stdout == page.read_text(encoding="utf-8")


def test_explain_takes_an_id_or_a_name_in_any_case(command):
    texts = {command("explain", word).stdout for word in ("CMG903", "cmg903", "unused-suppression")}
    assert len(texts) == 1 and texts.pop().startswith("CMG903 unused-suppression ")


def test_explain_of_an_unknown_rule_names_the_nearest(command):
    done = command("explain", "unused-supression")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cmgan-audit: unknown rule 'unused-supression' (did you mean 'unused-suppression'?); "
        "`cmgan-audit rules` lists them all\n"
    )


def test_a_broken_rule_of_a_team_names_file_line_and_legal_words(command, tmp_path):
    (tmp_path / "lab.yaml").write_text("id: LAB101\nnam: x\n")
    done = command("rules", "--rules", str(tmp_path))
    assert done.returncode == 2
    assert f"{tmp_path / 'lab.yaml'}:2: rule: unknown key 'nam' (did you mean 'name'?); known: id, name," in done.stderr


@pytest.mark.parametrize("arguments", [["rules", "--format", "yaml"], ["explain"], ["rules", "--test", "/nowhere"]])
def test_wrong_usage_exits_2_without_a_document(command, arguments):
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr


@pytest.mark.parametrize("name", ["rules", "explain"])
def test_help_has_an_example(command, name):
    done = command(name, "--help")
    assert done.returncode == 0 and f"  cmgan-audit {name}" in done.stdout


def test_output_goes_to_a_file(command, tmp_path):
    target = tmp_path / "deep" / "rules.json"
    done = command("rules", "--format", "json", "--output", str(target))
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(target.read_text())["rules"]
