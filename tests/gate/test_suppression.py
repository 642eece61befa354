"""Each form of inline suppression, and each way in which one can be wrong."""

from __future__ import annotations

import json

import pytest

OPEN, QUIET = ["TOY101"], []


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# cmgan-audit: ignore[TOY101] -- one clip", QUIET),
        ("# cmgan-audit: ignore[tiny-batch] -- by name", QUIET),
        ("#cmgan-audit:ignore[TOY101]--dense", QUIET),
        ("# cmgan_audit: ignore[TOY101] -- as the package is called", QUIET),
        ("# CMGAN-Audit: ignore[TOY101] -- capitals", QUIET),
        ("# cmgan-audit: ignore[TOY101, CMG903] -- two rules, one unused", ["CMG903"]),
        ("# cmgan-audit: ignore[TOY101] until=2026-11-23 -- its last day", QUIET),
        ("# cmgan-audit: ignore[TOY101] until=2026-11-22 -- yesterday", ["TOY101", "CMG904"]),
        ("# cmgan-audit: ignore[TOY101] until=soon -- no date", ["TOY101", "CMG905"]),
        ("# cmgan-audit: ignore[TOY101] -- a while, until=2027-01-31", ["TOY101", "CMG905"]),
        ("# cmgan-audit: ignore[TOY101]", ["TOY101", "CMG901"]),
        ("# cmgan-audit: ignore[TOY101] --", ["TOY101", "CMG901"]),
        ("# cmgan-audit: ignore[TOY999] -- misspelt", ["TOY101", "CMG902"]),
        ("# cmgan-audit: ignore[TOY102] -- the wrong one", ["TOY101", "CMG903"]),
        ("# cmgan-audit: ignore TOY101", ["TOY101", "CMG905"]),
        ("# cmgan-audit: ignore[TOY101]  # per process", ["TOY101", "CMG901"]),
        ("# cmgan-audit: ignore[] -- nothing named", ["TOY101", "CMG905"]),
        ("# noqa  # cmgan-audit: ignore[TOY101] -- behind another comment", QUIET),
    ],
)
@pytest.mark.parametrize("name", ["train.py", "conf/train.yaml"])
def test_forms(auditor, tree, rules_of, comment, found, name):
    line = "batch_size = 1" if name.endswith(".py") else "batch_size: 1"
    root = tree({"main.py": "", name: f"{line}  {comment}\n"})
    assert rules_of(auditor().audit(root)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# cmgan-audit: ignore[TOY101] -- above\nbatch_size = 1\n", QUIET),
        ("# cmgan-audit: ignore[TOY101] -- above\n\nbatch_size = 1\n", ["CMG903", "TOY101"]),
        ("x = 1  # cmgan-audit: ignore[TOY101] -- not alone\nbatch_size = 1\n", ["CMG903", "TOY101"]),
        (
            "# cmgan-audit: ignore[TOY102] -- first\n# cmgan-audit: ignore[TOY101] -- second\nbatch_size = 1\n",
            ["CMG903"],
        ),
        ('TEXT = "# cmgan-audit: ignore[TOY999]"\nbatch_size = 8\n', QUIET),
        ('"""\n# cmgan-audit: ignore everything\n"""\nbatch_size = 8\n', QUIET),
    ],
)
def test_places(auditor, tree, rules_of, text, found):
    assert sorted(rules_of(auditor().audit(tree({"train.py": text})))) == sorted(found)


FORM = "cmgan-audit: ignore[TOY101] -- small card"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"# {FORM}\nload(\n    items,\n    batch_size=1,\n)\n", QUIET),
        (f"if items:\n    # {FORM}\n    # as ever\n    load(items,\n         batch_size=1)\n", ["CMG903", "TOY101"]),
        (f"if items:\n    # {FORM}\n    load(items,  # all\n\n         batch_size=1)\n", QUIET),
        (f"# {FORM}\ndef load(\n    batch_size=1,\n): ...\n", QUIET),
        (f"# {FORM}\ndef load():\n    batch_size = 1\n", ["CMG903", "TOY101"]),  # the head, not what it holds
        (f"load(\n    # {FORM}\n    batch_size=1,\n    other=dict(batch_size=2),\n)\n", OPEN),  # an argument
        (f"load(\n    batch_size=1,  # {FORM}\n    other=dict(batch_size=2),\n)\n", OPEN),
        (f"# {FORM}\nload(items)\nbatch_size = 1\n", ["CMG903", "TOY101"]),
        (f"load(\n    items,\n    batch_size=1,\n)  # {FORM}\n", QUIET),  # where a formatter leaves it
        (f"for item in load(\n    batch_size=1\n):  # {FORM}\n    batch_size = 2\n", OPEN),
        (f"load(batch_size=1)\nload(\n    items,\n)  # {FORM}\n", ["CMG903", "TOY101"]),
    ],
)
def test_above_a_statement_or_behind_it_it_holds_for_all_of_its_lines(auditor, tree, rules_of, text, found):
    assert sorted(rules_of(auditor().audit(tree({"train.py": text})))) == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("run.slurm", f"# {FORM}\nbatch_size: 1\n"),
        ("run.sbatch", f"batch_size: 1  # {FORM}\n"),
        ("Dockerfile", f"# {FORM}\nbatch_size: 1\n"),
        ("GNUmakefile", f"# {FORM}\nbatch_size: 1\n"),
        ("gui.pyw", f"batch_size = 1  # {FORM}\n"),
        ("a.conf", f"; {FORM}\nbatch_size = 1\n"),
        ("a.ini", f"batch_size = 1  # {FORM}\n"),
        ("a.json5", f"// {FORM}\nbatch_size: 1\n"),
        ("a.jsonc", f"batch_size: 1 // {FORM} // and so on\n"),
    ],
)
def test_every_kind_of_file_that_has_comments(auditor, tree, rules_of, name, text):
    audited = auditor().audit(tree({"main.py": "", name: text}))
    assert [finding.suppressed for finding in audited.findings] == ["small card"]


@pytest.mark.parametrize("name", ["README.md", "a.json", "readme"])
def test_what_has_no_comments_or_is_read_by_people_holds_none(auditor, tree, rules_of, name):
    assert rules_of(auditor().audit(tree({"main.py": "", name: f"# {FORM}\nbatch_size: 1\n"}))) == OPEN


def notebook(*cells: str, indent: int | None = 1) -> str:
    """A notebook as Jupyter writes it, every line of a cell on a line of the file; without indent all on one."""
    sources = [cell.splitlines(keepends=True) for cell in cells]
    content = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": lines} for lines in sources]
    return json.dumps({"cells": content, "nbformat": 4}, indent=indent)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ((f"batch_size = 1  # {FORM}",), QUIET),
        ((f"names = ['ä', \"b\"]\n# {FORM}\nbatch_size = 1\n",), QUIET),
        ((f"%pip install torch\n!ls 'a  # {FORM}\nbatch_size = 1  # {FORM}\n",), ["CMG903"]),
        ((f"# {FORM}\n\nbatch_size = 1\n",), ["CMG903", "TOY101"]),
        ((f"# {FORM}", "batch_size = 1\n"), ["CMG903", "TOY101"]),  # of another cell
        (("batch_size = 1  # cmgan-audit: ignore[TOY101]\n",), ["CMG901", "TOY101"]),
        ((f"TEXT = '# {FORM}'\nbatch_size = 1\n",), OPEN),
    ],
)
def test_a_comment_in_a_cell_of_a_notebook(auditor, tree, rules_of, cells, found):
    audited = auditor().audit(tree({"main.py": "", "train.ipynb": notebook(*cells)}))
    assert sorted(rules_of(audited)) == found


def test_a_notebook_is_quoted_where_its_comment_stands(auditor, tree):
    code = 'names = "a"; batch_size = 8  # cmgan-audit: ignore[TOY101] -- "small" card'
    root = tree({"main.py": "", "train.ipynb": notebook(code)})
    [finding] = auditor().audit(root).open
    line = (root / "train.ipynb").read_text().splitlines()[finding.location.line - 1]
    marked = line[finding.location.column - 1 : finding.location.end_column - 1]
    assert marked == r"# cmgan-audit: ignore[TOY101] -- \"small\" card"


def test_where_all_cells_are_one_line_of_the_file_no_comment_holds_for_all_of_them(auditor, tree, rules_of):
    text = notebook(f"batch_size = 1  # {FORM}", "batch_size = 1\n", indent=None)
    assert "CMG903" not in rules_of(auditor().audit(tree({"main.py": "", "train.ipynb": text})))
    assert "TOY101" in rules_of(auditor().audit(tree({"main.py": "", "train.ipynb": text})))


COMMAND = "python train.py \\\n  --lr 1 \\\n  batch_size=1 \\\n  --epochs 3"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"# {FORM}\n{COMMAND}\n", QUIET),
        (f"# {FORM}\n{COMMAND}\n".replace("\n", "\r\n"), QUIET),
        (f"{COMMAND}  # {FORM}\n", QUIET),
        (f"# {FORM}\n\n{COMMAND}\n", ["CMG903", "TOY101"]),
        (f"# {FORM}\nls\n{COMMAND}\n", ["CMG903", "TOY101"]),
        (f"{COMMAND}\nls  # {FORM}\n", ["CMG903", "TOY101"]),
    ],
)
def test_a_command_that_goes_on_over_several_lines_holds_no_comment_in_between(auditor, tree, rules_of, text, found):
    root = tree({"main.py": ""})
    (root / "run.sh").write_bytes(text.encode())
    assert sorted(rules_of(auditor().audit(root))) == found


def test_the_reason_is_kept_with_the_finding(auditor, tree):
    root = tree({"train.py": "batch_size = 1  # cmgan-audit: ignore[TOY101] -- one clip -- really\n"})
    [finding] = auditor().audit(root).findings
    assert finding.suppressed == "one clip -- really"


def test_a_suppression_of_a_rule_that_did_not_run_is_not_unused(auditor, tree, rules_of):
    root = tree({"train.py": "batch_size = 1  # cmgan-audit: ignore[TOY101] -- one clip\n"})
    assert rules_of(auditor(ignore=("TOY101",)).audit(root)) == []


def test_a_file_that_python_cannot_tokenize_keeps_its_suppressions(auditor, tree, rules_of):
    root = tree({"train.py": "batch_size = 1  # cmgan-audit: ignore[TOY101] -- fine\nprint 'python 2\n"})
    assert rules_of(auditor().audit(root)) == []


def test_unknown_rules_are_told_with_the_nearest(auditor, tree):
    root = tree({"train.py": "# cmgan-audit: ignore[tiny-bacth] -- misspelt\nx = 1\n"})
    [finding] = auditor().audit(root).open
    assert (
        finding.message
        == "unknown rule 'tiny-bacth' (did you mean 'tiny-batch'?); this suppression has no effect for it"
    )
    assert str(finding.location) == "train.py:1"


def test_a_path_of_windows_does_not_go_on_in_the_next_line(auditor, tree, rules_of):
    text = f"batch_size: 1 in C:\\data\\\nworkers: 2  # {FORM}\n"
    assert sorted(rules_of(auditor().audit(tree({"main.py": "", "a.yaml": text})))) == ["CMG903", "TOY101"]
