"""`cmgan-audit check` as it is installed: the two fixtures, every exit status, wrong usage, weight of its imports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROKEN, FIXED = ROOT / "fixtures" / "repos" / "broken", ROOT / "fixtures" / "repos" / "fixed"
COMMAND = str(Path(sys.executable).with_name("cmgan-audit"))


def check(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    words = [COMMAND, "check", *map(str, arguments)]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_broken_fixture_shows_both_defects_with_their_way():
    done = check(BROKEN)
    assert (done.returncode, done.stderr) == (1, "")
    assert {"CMG101", "CMG201"} <= set(re.findall(r"^error\[(CMG\d+)\]", done.stdout, re.MULTILINE))
    assert "--> settings.py:7" in done.stdout and "--> corpus/pairs.py:36" in done.stdout


def test_the_fixed_fixture_is_clean_and_says_what_was_looked_at():
    done = check(FIXED, "--format", "json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert {entry["rule"] for entry in document["passed"]} >= {"CMG101", "CMG201"}
    assert not [finding for finding in document["findings"] if finding["severity"] == "error"]


def test_paths_are_relative_with_forward_slashes_and_trails_lead_to_the_loader():
    findings = json.loads(check(BROKEN, "--format", "json").stdout)["findings"]
    batch = next(finding for finding in findings if finding["rule"] == "CMG101")
    assert (batch["path"], batch["line"]) == ("settings.py", 7)
    assert batch["trail"][0]["path"] == "settings.py"
    assert any(step["path"] == "corpus/pairs.py" for step in batch["trail"])


def test_several_files_of_a_folder_are_one_audit_with_the_baseline_of_its_settings(tmp_path):
    project = shutil.copytree(BROKEN, tmp_path / "project")
    names = ("train.py", "settings.py")
    found = json.loads(check(*names, "--format", "json", cwd=project).stdout)
    assert [finding["rule"] for finding in found["findings"]] == ["CMG101"] and found["coverage"]["loaders"] == 2
    (project / "cmgan-audit.toml").write_text("baseline = 'known.json'\n")
    assert "baseline: 'known.json': no such file" in check(cwd=project).stderr
    written = check("--write-baseline", cwd=project)
    assert written.returncode == 0 and "the setting `baseline`" not in written.stderr
    assert check(*names, cwd=project).returncode == check("engine", "corpus", ".", cwd=project).returncode == 0


def test_a_baseline_of_some_rules_keeps_what_it_knows_of_others(tmp_path):
    project = shutil.copytree(BROKEN, tmp_path / "project")
    known = project / "known.json"

    def write(*words):
        written = check("--baseline", known, "--write-baseline", *words, cwd=project)
        assert written.returncode == 0, written.stderr
        return {entry["rule"] for entry in json.loads(known.read_text())["findings"]}

    assert "or always with the setting `baseline`" in check("--write-baseline", "--baseline", known, cwd=project).stderr
    known.unlink()
    assert write("--select", "CMG101") == {"CMG101"}
    assert write("--select", "CMG201") == {"CMG101", "CMG201"}
    settings = project / "settings.py"
    settings.write_text(settings.read_text().replace('"batch_size": 1', '"batch_size": 4'))
    assert write("--ignore", "CMG101") == {"CMG101", "CMG201"}
    assert write("--select", "CMG101") == {"CMG201"}
    known.unlink()
    assert write() == {"CMG201"}


def test_nothing_is_written_into_the_audited_tree(tmp_path):
    target = tmp_path / "repo"
    target.mkdir()
    (target / "train.py").write_text("import sys\n")
    before = sorted(target.rglob("*"))
    check(target)
    assert sorted(target.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nowhere"], 2, "nowhere: no such file or folder"),
        (["--since", ""], 2, "--since names no commit; leave it out to see all findings"),
        (["--write-baseline", "--prune-baseline"], 2, "--write-baseline leaves nothing to prune"),
        (["--write-baseline", "--since", "main"], 2, "--write-baseline writes all findings; leave --since out"),
        (["--select", "CMG10l", "."], 2, "unknown rule 'CMG10l' (did you mean 'CMG101'?)"),
        (["--fail-on", "fatal", "."], 2, "--fail-on fatal: not one of error, warning, note, never"),
        (["--format", "xml", "."], 2, "--format xml: not one of text, json, sarif, github, gitlab, junit, markdown"),
        (["--rules", "nowhere", "."], 2, "nowhere: no such folder of rules"),
        (["--baseline", "none.json", "."], 2, "baseline none.json: cannot be read"),
        (["--prune-baseline", "."], 2, "--prune-baseline needs --baseline FILE"),
        (["--since", "main", "."], 2, "git"),
        (["--unknown", "."], 2, "No such option"),
        (["empty"], 3, "no Python"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(tmp_path, arguments, status, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "train.py").write_text("x = 1\n")
    done = check(*arguments, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_a_file_that_cannot_be_read_matters_under_strict(tmp_path):
    (tmp_path / "train.py").write_text("x = 1\n")
    (tmp_path / "old.py").write_text("print 'python 2'\n")
    assert check(tmp_path).returncode == 0
    done = check(tmp_path, "--strict")
    assert done.returncode == 3
    assert "could not be read\n  old.py:1: " in done.stdout
    assert "read 1 of 2 files" in done.stdout


def test_fail_on_decides_the_status():
    assert check(BROKEN, "--fail-on", "never").returncode == 0
    assert check(BROKEN, "--select", "CMG201").returncode == 1
    assert check(BROKEN, "--ignore", "ALL").returncode == 0


@pytest.mark.parametrize("form", ["json", "sarif", "gitlab"])
def test_only_the_document_is_on_stdout(form):
    done = check(BROKEN, "--format", form)
    json.loads(done.stdout)
    assert done.stderr == ""


def test_output_goes_to_a_file(tmp_path):
    done = check(BROKEN, "--format", "json", "--output", tmp_path / "report.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads((tmp_path / "report.json").read_text())["findings"]


def test_help_has_an_example_and_every_format():
    done = check("--help")
    assert done.returncode == 0
    assert "  cmgan-audit check" in done.stdout and "markdown" in done.stdout


def test_nothing_heavy_is_imported():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cmgan_audit", "check", str(BROKEN)],
        capture_output=True,
        text=True,
        check=False,
    )
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert not imported & {"torch", "numpy", "pandas", "matplotlib", "scipy"}
