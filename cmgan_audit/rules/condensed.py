"""The catalogue in a form that is read at once: one line of JSON per rule file, beside the files themselves.

PyYAML takes longer to load, and the YAML files longer to read, than the rules take to judge a small tree. The YAML
files remain the catalogue: a line counts only while the digest in it is that of its file, so a file that was edited is
read itself. `scripts/make_condensed_catalogue.py` writes the lines; a test says when they are old.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from cmgan_audit.lean_hashes import blake2b
from cmgan_audit.rules.rule import Advice, Case, Rule

NAME = "condensed.jsonl"
_CASES = ("severities", "messages", "passed")
# `path` says where the file lies today, and examples are half of the text: who wants them reads the YAML files.
_LEFT_OUT = ("path", "examples")


def condense(rule: Rule, content: bytes) -> str:
    """The line of a rule, without its examples.

    Args:
        rule: as it was read from its file.
        content: what the file holds.
    """
    held: dict[str, Any] = {each.name: getattr(rule, each.name) for each in fields(Rule) if each.name not in _LEFT_OUT}
    for name in _CASES:
        held[name] = [[case.value, case.when, case.line] for case in held[name]]
    if rule.fix is not None:
        held["fix"] = [rule.fix.title, rule.fix.safety, rule.fix.reason]
    return json.dumps([rule.path.name, _digest(content), held], ensure_ascii=False, separators=(",", ":"))


def condensed_rules(folder: Path, paths: Sequence[Path]) -> dict[Path, Rule]:
    """The rules of those files whose lines are there and up to date.

    Args:
        folder: where the lines lie.
        paths: the rule files.
    """
    try:
        # Not `splitlines`: it would also cut at U+2028 and its like, which stand in JSON as they are.
        lines = (folder / NAME).read_text(encoding="utf-8").split("\n")
        known = {name: (digest, held) for name, digest, held in map(json.loads, filter(None, lines))}
        return {
            path: _rule(known[path.name][1], path)
            for path in paths
            if path.name in known and known[path.name][0] == _digest(path.read_bytes())
        }
    except (OSError, ValueError, KeyError, TypeError):  # none, or of another version of the tool
        return {}


def _rule(held: dict[str, Any], path: Path) -> Rule:
    for name in _CASES:
        held[name] = tuple(Case(*case) for case in held[name])
    if held["fix"] is not None:
        held["fix"] = Advice(*held["fix"])
    held["references"] = tuple(held["references"])
    return Rule(**held, path=path)


def _digest(content: bytes) -> str:
    # YAML reads both ends of a line as one, and git writes files with those of the machine.
    return blake2b(content.replace(b"\r\n", b"\n"), digest_size=8).hexdigest()
