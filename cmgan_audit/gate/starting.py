"""What `init` writes: settings, a pre-commit hook and a GitHub workflow. Files that are there stay as they are."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

from cmgan_audit.errors import UsageError
from cmgan_audit.gate.settings import FILE_NAME
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.git_index import repository_of

SETTINGS = """\
# Settings of cmgan-audit; `cmgan-audit check --show-settings` shows all keys.
fail_on = "error"

# Paths that are not audited, as in .gitignore.
exclude = []

# Rules that are ignored for some paths.
[per_path_ignores]

# Severity and parameters of single rules.
[per_rule]
"""

PRE_COMMIT = """\
repos:
  - repo: local
    hooks:
      - id: cmgan-audit
        name: cmgan-audit
        description: training and evaluation code that makes scores or gradients wrong
        entry: cmgan-audit check --since HEAD
        language: system
        pass_filenames: false
        always_run: true # a deleted file, a launcher, a README's command may decide too
        minimum_pre_commit_version: "3.2.0" # the names of the stages
        stages: [pre-commit, pre-merge-commit, pre-push, manual]
"""

WORKFLOW = """\
name: cmgan-audit

on:
  pull_request:
  push:
    branches: [main, master]

permissions:
  contents: read

jobs:
  audit:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0 # --since reads the tree of the base branch
          persist-credentials: false
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with:
          python-version: "3.12"
      - name: Install
        env:
          SOURCE: {source}
        run: python -m pip install --quiet "${{SOURCE:?say what pip should install}}"
      - name: Audit
        env:
          BASE: ${{{{ github.base_ref }}}}
        run: |
          since=()
          if [ -n "$BASE" ]; then since=(--since "origin/$BASE..."); fi
          # 3: something could not be read; what could be is told all the same, and the next line decides
          cmgan-audit check "${{since[@]}}" --fail-on never --format markdown >> "$GITHUB_STEP_SUMMARY" || [ $? -eq 3 ]
          cmgan-audit check "${{since[@]}}" --format github
"""

# Without a known source the workflow asks for one: no package index is assumed.
UNKNOWN_SOURCE = (
    "${{ vars.CMGAN_AUDIT_SOURCE }} # a repository variable: what `pip install` takes, such as git+https://..."
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One file of `init`: its path relative to the project, its content, and whether something is there already."""

    path: str
    content: str
    exists: bool


def plan(root: Path, source: str | None) -> list[Planned]:
    """Return the files that a project needs for the gate.

    Args:
        root: the folder of the project.
        source: what `pip install` takes in the workflow; where this installation came from, if None.

    Raises:
        UsageError: the folder does not exist.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: {'a file, not the folder of a project' if root.exists() else 'no such folder'}")
    source = source or installed_from()
    quoted = json.dumps(source) if source else UNKNOWN_SOURCE
    files = {
        FILE_NAME: SETTINGS,
        ".pre-commit-config.yaml": PRE_COMMIT,
        ".github/workflows/cmgan-audit.yml": WORKFLOW.format(source=quoted),
    }
    return [Planned(name, content, _there(root, name)) for name, content in files.items()]


def _there(root: Path, name: str) -> bool:
    if (root / name).exists():
        return True
    project = root / "pyproject.toml"
    return name == FILE_NAME and project.is_file() and "[tool.cmgan-audit" in project.read_text("utf-8", "replace")


def write(root: Path, planned: list[Planned]) -> None:
    """Write the planned files that are not there yet.

    Raises:
        UsageError: a file cannot be written.
    """
    for each in planned:
        if each.exists:
            continue
        path = root / each.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.content, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from error


def lies_below(root: Path) -> Path | None:
    """The top of the repository that a folder lies in, where that is another folder: workflows and hooks stand there.

    Args:
        root: the folder of the project.
    """
    found = repository_of(root.resolve())
    return None if found is None or found[0] == root.resolve() else found[0]


def installed_from() -> str | None:
    """Return the repository that this installation came from as pip writes it, None where it is not known.

    pip keeps it in direct_url.json (PEP 610) when it installs from a version control system.
    """
    try:
        text = metadata.distribution("cmgan-audit").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    content = json.loads(text) if text else {}
    system = content.get("vcs_info", {})
    if not system or str(content.get("url", "")).startswith("file:"):
        return None
    return f"{system['vcs']}+{content['url']}@{system['commit_id']}"
