"""Each form of inline suppression, and each way in which one can be wrong."""

from __future__ import annotations

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
