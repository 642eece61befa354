"""The gate on a git repository: a YAML-only change, a reformatted branch with a baseline, the steps of the action."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cmgan_audit.gate.starting import PRE_COMMIT, WORKFLOW

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

TRAIN = """\
import argparse

import torch
import yaml
from torch.utils.data import DataLoader, Dataset


class Pairs(Dataset):
    def __init__(self, names):
        self.names = names

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return torch.load(self.names[index])


def main():
    torch.manual_seed(0)
    with open("conf/train.yaml") as file:
        config = yaml.safe_load(file)
    loader = DataLoader(Pairs(["a", "b"]), batch_size=config["batch_size"], shuffle=True, drop_last=True)
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4)
    model.train()
    for epoch in range(config["epochs"]):
        for batch in loader:
            loss = model(batch).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
"""


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    identity = {
        f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    variables = {**os.environ, **identity, "PATH": path, **environment}
    return subprocess.run(arguments, cwd=cwd, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository whose branch main is clean; the batch size stands in a YAML file."""
    root = tmp_path / "repo"
    (root / "conf").mkdir(parents=True)
    (root / "train.py").write_text(TRAIN)
    (root / "conf" / "train.yaml").write_text("epochs: 120\nbatch_size: 8\n")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "clean"]):
        assert run("git", *command, cwd=root).returncode == 0
    return root


def lower_batch(root: Path) -> None:
    run("git", "checkout", "-q", "-b", "small", cwd=root)
    (root / "conf" / "train.yaml").write_text("epochs: 120\nbatch_size: 1\n")
    run("git", "commit", "-q", "-a", "-m", "smaller", cwd=root)


def findings(done: subprocess.CompletedProcess[str]) -> list[dict]:
    return json.loads(done.stdout)["findings"]


def test_a_branch_that_only_changes_a_yaml_file(repo):
    assert run("cmgan-audit", "check", cwd=repo).returncode == 0
    lower_batch(repo)
    done = run("cmgan-audit", "check", "--since", "main", "--format", "json", cwd=repo)
    assert done.returncode == 1, done.stdout + done.stderr
    [finding] = findings(done)
    assert finding["rule"] == "CMG101"
    assert (finding["trail"][0]["path"], finding["trail"][0]["line"]) == ("conf/train.yaml", 2)


def test_a_branch_that_reformats_and_moves_everything(repo):
    lower_batch(repo)
    assert run("cmgan-audit", "check", "--write-baseline", cwd=repo).returncode == 0
    run("git", "add", ".", cwd=repo)
    run("git", "commit", "-q", "-m", "baseline", cwd=repo)
    head, _, tail = TRAIN.partition("class Pairs")
    pairs, _, rest = tail.partition("def main")
    program = f"def main{rest.partition('if __name__')[0]}"
    moved = f"{head}\n\n{program}\n\nclass Pairs{pairs}\n\n\nif __name__ == '__main__':\n    main()\n"
    (repo / "train.py").write_text(moved.replace("DataLoader(Pairs", "DataLoader(\n        Pairs"))
    (repo / "conf" / "train.yaml").write_text("# moved\n\nbatch_size:    1\nepochs: 120\n")
    done = run("cmgan-audit", "check", "--baseline", "cmgan-audit-baseline.json", cwd=repo)
    assert done.returncode == 0, done.stdout
    assert "1 in the baseline" in done.stdout


def test_a_value_that_moves_into_a_new_file_of_settings_is_not_new(repo):
    script = TRAIN.replace('config["batch_size"]', "BATCH")
    (repo / "train.py").write_text(script.replace("class Pairs", "BATCH = 1\n\n\nclass Pairs"))
    run("cmgan-audit", "check", "--write-baseline", cwd=repo)
    run("git", "commit", "-qam", "a small batch", cwd=repo)
    (repo / "train.py").write_text(f"from settings import BATCH\n{script}")
    (repo / "settings.py").write_text("BATCH = 1\n")
    done = run("cmgan-audit", "check", "--since", "HEAD", cwd=repo)
    assert done.returncode == 0 and "1 older than the commit" in done.stdout, done.stdout
    done = run("cmgan-audit", "check", "--baseline", "cmgan-audit-baseline.json", cwd=repo)
    assert done.returncode == 0 and "1 in the baseline" in done.stdout, done.stdout


def test_a_value_of_one_training_that_is_mended_does_not_hide_that_of_another(repo):
    make = "from data import make\n\n\nif __name__ == '__main__':\n    make({})\n"
    body = TRAIN.replace("def main():", "def make(size):").replace('config["batch_size"]', "size")
    (repo / "data.py").write_text(body.partition("\n\nif __name__")[0])
    (repo / "train.py").write_text(make.format(1))
    (repo / "tune.py").write_text(make.format(8))
    run("git", "add", ".", cwd=repo)
    run("git", "commit", "-qm", "a small batch", cwd=repo)
    (repo / "train.py").write_text(make.format(8))
    (repo / "tune.py").write_text(make.format(1))
    done = run("cmgan-audit", "check", "--since", "HEAD", cwd=repo)
    assert done.returncode == 1 and "tune.py" in done.stdout, done.stdout


def test_a_shallow_clone_says_that_it_cannot_follow_the_names_of_a_baseline(repo, tmp_path):
    lower_batch(repo)
    run("cmgan-audit", "check", "--write-baseline", cwd=repo)
    for name in ("train.yaml", "settings.yaml"):
        (repo / "conf" / "train.yaml").rename(repo / "conf" / name)
        (repo / "train.py").write_text(TRAIN.replace("train.yaml", name))
        run("git", "add", ".", cwd=repo)
        run("git", "commit", "-q", "-m", name, cwd=repo)
    words = ("cmgan-audit", "check", "--baseline", "cmgan-audit-baseline.json")
    assert run(*words, cwd=repo).returncode == 0
    clone = tmp_path / "clone"
    run("git", "clone", "-q", "--depth", "1", repo.as_uri(), str(clone), cwd=tmp_path)
    done = run(*words, cwd=clone)
    assert done.returncode == 1
    assert "this shallow clone lacks its commit" in done.stderr and "fetch-depth: 0" in done.stderr
    assert run(*words, "--quiet", cwd=clone).stderr == ""


@pytest.mark.parametrize("comment", ["batch_size: 1  # {}", "# {}\nbatch_size: 1"])
def test_a_suppression_with_a_reason_in_yaml(repo, comment):
    text = comment.format("cmgan-audit: ignore[CMG101] -- a small card")
    (repo / "conf" / "train.yaml").write_text(f"epochs: 120\n{text}\n")
    done = run("cmgan-audit", "check", "--format", "json", cwd=repo)
    assert done.returncode == 0
    [finding] = [each for each in findings(done) if each["rule"] == "CMG101"]
    assert finding["suppressed"] == {"reason": "a small card"}


def test_the_pre_commit_hook_stops_a_commit(repo):
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    command = [*hook["entry"].split(), *hook["args"]]
    assert hook["always_run"] and not hook["pass_filenames"]  # pre-commit hands over no deleted files
    assert "commit-msg" not in hook["stages"]  # without stages it would run at every hook that is installed
    [ours] = yaml.safe_load(PRE_COMMIT)["repos"][0]["hooks"]
    assert {**ours, "entry": hook["entry"], "language": "python"} == {key: hook[key] for key in hook if key != "args"}
    assert run(*command, cwd=repo).returncode == 0
    (repo / "conf" / "train.yaml").write_text("epochs: 120\nbatch_size: 1\n")
    run("git", "add", ".", cwd=repo)
    script = repo / ".git" / "hooks" / "pre-commit"
    script.write_text(f"#!/bin/sh\nexec {' '.join(command)}\n")
    script.chmod(0o755)
    done = run("git", "commit", "-q", "-m", "small", cwd=repo)
    assert done.returncode != 0 and "error[CMG101]" in done.stdout + done.stderr


def test_the_pre_commit_hook_sees_what_is_committed_when_it_is_pushed(repo):
    """pre-commit names the commit from which on it looks, at a push and for `run --from-ref main --to-ref HEAD`."""
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    command = [*hook["entry"].split(), *hook["args"]]
    lower_batch(repo)
    assert run(*command, cwd=repo).returncode == 0  # nothing is to be committed
    done = run(*command, cwd=repo, PRE_COMMIT="1", PRE_COMMIT_FROM_REF="main", PRE_COMMIT_TO_REF="HEAD")
    assert done.returncode == 1 and "error[CMG101]" in done.stdout


def steps(text: str) -> list[dict]:
    content = yaml.safe_load(text)
    found = content["runs"]["steps"] if "runs" in content else next(iter(content["jobs"].values()))["steps"]
    return [step for step in found if "run" in step]


def play(step: dict, cwd: Path, values: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as the runner would: `${{ }}` filled in its variables, bash with -e and pipefail."""
    variables = {
        name: re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda match: values[match.group(1)], str(value))
        for name, value in step.get("env", {}).items()
    }
    return run(
        "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"], cwd=cwd, **variables, **environment
    )


@dataclass
class Played:
    """The steps of the action, with the inputs and variables that the runner gives them."""

    steps: list[dict]
    values: dict[str, str]
    environment: dict[str, str]

    def run(self, number: int, cwd: Path, **values: str) -> subprocess.CompletedProcess[str]:
        return play(self.steps[number], cwd, {**self.values, **values}, **self.environment)


@pytest.fixture
def played(tmp_path: Path) -> Played:
    summary = tmp_path / "summary.md"
    values = {"inputs.path": ".", "inputs.since": "main...", "inputs.arguments": "--strict", "inputs.fail-on": ""}
    values |= {"github.action_path": "a copy", "steps.install.outputs.bin": str(BIN)}
    outputs = tmp_path / "outputs"
    environment = {"RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    return Played(steps((ROOT / "action.yml").read_text()), values, environment)


def test_the_steps_of_the_action(repo, played, tmp_path):
    lower_batch(repo)
    done = played.run(1, repo)
    assert done.returncode == 0, done.stderr
    assert "CMG101" in (tmp_path / "summary.md").read_text()
    sarif = tmp_path / "cmgan-audit.sarif"
    assert (tmp_path / "outputs").read_text() == f"sarif={sarif}\n"
    assert json.loads(sarif.read_text())["version"] == "2.1.0"
    done = played.run(2, repo)
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=conf/train.yaml,line=2,")


@pytest.mark.parametrize("folder", ["bin", "Scripts"])
def test_the_action_installs_into_an_environment_of_any_system(played, tmp_path, folder):
    """The programs are stand-ins; what is installed is run by tests/e2e/test_installed_wheel.py."""
    python = '#!/bin/sh\nmkdir -p "$3/$FOLDER"\ncp "$0" "$3/$FOLDER/python"\n'
    pip = '#!/bin/sh\necho "$@" > "$(dirname "$0")/installed"\n'
    (tmp_path / "python3").write_text(python.replace('cp "$0"', 'cp "$(dirname "$0")/pip"'))
    (tmp_path / "pip").write_text(pip)
    for name in ("python3", "pip"):
        (tmp_path / name).chmod(0o755)
    played.environment |= {"FOLDER": folder, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = played.run(0, tmp_path)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "cmgan-audit" / folder
    assert (made / "installed").read_text() == "-m pip install --quiet a copy\n"
    assert (tmp_path / "outputs").read_text() == f"bin={made}\n"


def upload() -> dict:
    return yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]


@pytest.mark.parametrize(
    ("head", "wanted", "uploads"),
    [(None, "true", True), ("owner/repo", "true", True), ("other/repo", "true", False), (None, "false", False)],
)
def test_the_action_uploads_where_it_may_write(head, wanted, uploads):
    """The condition is put into Python's words."""
    condition = upload()["if"].removeprefix("${{").removesuffix("}}").replace("github.event.pull_request ||", "PULL or")
    values = {
        "cancelled()": False,
        "inputs.upload": wanted,
        "steps.report.outputs.sarif": "a.sarif",
        "github.event.pull_request.head.repo.full_name": head,
        "github.repository": "owner/repo",
        "PULL": head is not None,
    }
    for name, value in values.items():
        condition = condition.replace(name, repr(value))
    condition = condition.replace("&&", "and").replace("||", "or")
    assert eval(re.sub(r"!(?!=)", "not ", condition)) is uploads


def test_the_upload_does_not_decide():
    assert upload()["continue-on-error"] is True


def test_the_action_reports_what_it_read_when_some_of_it_cannot_be_read(repo, played, tmp_path):
    lower_batch(repo)
    (repo / "broken.py").write_text("def f(:\n")
    assert played.run(1, repo).returncode == 0
    summary = (tmp_path / "summary.md").read_text()
    assert "CMG101" in summary and "- `broken.py:1`" in summary
    assert json.loads((tmp_path / "cmgan-audit.sarif").read_text())["runs"][0]["results"]
    done = played.run(2, repo, **{"inputs.fail-on": "never"})
    assert done.returncode == 3 and "::notice file=broken.py,line=1," in done.stdout  # --strict


def test_the_action_with_nothing_to_analyse_uploads_nothing(repo, played, tmp_path):
    (repo / "docs").mkdir()
    (tmp_path / "cmgan-audit.sarif").write_text("{}")  # of an earlier use in the same job
    done = played.run(1, repo, **{"inputs.path": "docs", "inputs.since": ""})
    assert done.returncode == 0 and "no Python file or notebook" in done.stderr
    assert not (tmp_path / "outputs").exists() and not (tmp_path / "cmgan-audit.sarif").exists()
    assert played.run(2, repo, **{"inputs.path": "docs", "inputs.since": ""}).returncode == 3


def test_the_action_takes_arguments_on_several_lines_and_stops_at_wrong_ones(repo, played):
    lower_batch(repo)
    done = played.run(2, repo, **{"inputs.arguments": "--strict\n--ignore CMG101\n"})
    assert done.returncode == 0 and done.stdout.startswith("no findings"), done.stderr
    assert played.run(1, repo, **{"inputs.arguments": "--strict\n--ignre CMG101\n"}).returncode != 0


@pytest.mark.parametrize(("wanted", "status"), [("", 0), ("error", 1)])
def test_the_action_leaves_it_to_the_settings_what_fails(repo, played, wanted, status):
    (repo / "cmgan-audit.toml").write_text('fail_on = "never"\n')
    lower_batch(repo)
    assert played.run(2, repo, **{"inputs.fail-on": wanted}).returncode == status


def test_the_steps_of_the_workflow_that_init_writes(repo, tmp_path):
    assert run("cmgan-audit", "init", cwd=repo).returncode == 0
    lower_batch(repo)
    run("git", "branch", "-q", "origin/main", "main", cwd=repo)
    install, audit = steps((repo / ".github" / "workflows" / "cmgan-audit.yml").read_text())
    assert install["env"]["SOURCE"] == "${{ vars.CMGAN_AUDIT_SOURCE }}"
    done = play(install, repo, {"vars.CMGAN_AUDIT_SOURCE": ""})
    assert done.returncode != 0 and "say what pip should install" in done.stderr
    summary = tmp_path / "summary.md"
    done = play(audit, repo, {"github.base_ref": "main"}, GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 1 and "CMG101" in done.stdout and "CMG101" in summary.read_text()
    assert play(audit, repo, {"github.base_ref": ""}, GITHUB_STEP_SUMMARY=str(summary)).returncode == 1


def test_the_job_for_gitlab_reports_everything_and_decides_on_what_is_new(repo):
    guide = (ROOT / "docs" / "gate.md").read_text()
    [block] = re.findall(r"^```yaml\n# \.gitlab-ci\.yml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    job = yaml.safe_load(block)["cmgan-audit"]
    install, report, decide = job["script"]
    assert job["artifacts"]["reports"]["codequality"] in report and "CMGAN_AUDIT_SOURCE" in install
    lower_batch(repo)
    assert run("bash", "-ec", report, cwd=repo).returncode == 0
    assert len(json.loads((repo / "gl-code-quality-report.json").read_text())) == 1
    main, small = (run("git", "rev-parse", name, cwd=repo).stdout.strip() for name in ("main", "small"))
    for base, status in ((main, 1), (small, 0), ("", 1)):  # "": a pipeline of the default branch
        assert run("bash", "-ec", decide, cwd=repo, CI_MERGE_REQUEST_DIFF_BASE_SHA=base).returncode == status


@pytest.mark.parametrize("text", [WORKFLOW, (ROOT / "action.yml").read_text()], ids=["workflow", "action"])
def test_other_actions_are_named_by_commit(text):
    """A tag can be moved to other code by whoever takes over the action."""
    used = re.findall(r"uses: (.*)", text)
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in used)


def test_the_token_of_the_workflow_is_not_left_in_the_checkout():
    workflow = yaml.safe_load(WORKFLOW.format(source="x"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["audit"]["steps"][0]["with"]["persist-credentials"] is False


def test_init_in_a_folder_of_a_repository_says_where_workflows_are_read(repo):
    (repo / "second part").mkdir()
    done = run("cmgan-audit", "init", "second part", cwd=repo)
    assert f"move both to {repo}, for `check 'second part'`" in done.stdout
    assert "top of the repository" not in run("cmgan-audit", "init", cwd=repo).stdout


def test_init_leaves_files_alone(repo):
    (repo / ".pre-commit-config.yaml").write_text("repos: []\n")
    (repo / "pyproject.toml").write_text("[tool.cmgan-audit]\nfail_on = 'note'\n")
    done = run("cmgan-audit", "init", "--format", "json", "--source", "git+https://example.org/x", cwd=repo)
    written = {each["path"]: each["written"] for each in json.loads(done.stdout)["files"]}
    assert written == {
        "cmgan-audit.toml": False,
        ".pre-commit-config.yaml": False,
        ".github/workflows/cmgan-audit.yml": True,
    }
    assert (repo / ".pre-commit-config.yaml").read_text() == "repos: []\n"
    assert '"git+https://example.org/x"' in (repo / ".github" / "workflows" / "cmgan-audit.yml").read_text()
