"""A rule's page and the index of the catalogue in Markdown; `docs/rules/` is made from these."""

from __future__ import annotations

from collections.abc import Iterable

from cmgan_audit.report.ansi import visible
from cmgan_audit.report.rule_text import by_chapter, chapters, origin, severity_words
from cmgan_audit.rules.rule import Example, Rule

_LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json", ".sh": "bash"}


def rule_page(rule: Rule) -> str:
    """Return the page of one rule."""
    parts = [
        f"# {rule.id} {rule.name}",
        f"**{severity_words(rule)}** · {origin(rule)}",
        f"{rule.summary[:1].upper()}{rule.summary[1:]}.".replace("..", "."),
    ]
    for title, text in chapters(rule):
        parts += [f"## {title}", text]
    if rule.when:
        parts += ["## Condition", f"Over every `{rule.over}`:", f"```python\n{' '.join(rule.when.split())}\n```"]
    if rule.parameters:
        rows = "\n".join(f"| `{name}` | `{value!r}` |" for name, value in rule.parameters.items())
        parts += ["## Settings", f"`[tool.cmgan-audit.per_rule.{rule.id}]`", f"| key | default |\n|---|---|\n{rows}"]
    for verdict, title in (("bad", "Wrong"), ("good", "Right")):
        for example in (each for each in rule.examples if each.verdict == verdict):
            parts += [f"## {title}{f': {example.title}' if example.title else ''}", *_files(example)]
    if rule.door == "check":
        parts += ["## Suppress", f"```python\n# cmgan-audit: ignore[{rule.id}] -- reason\n```"]
    if rule.references:
        parts += ["## References", "\n".join(f"- {reference}" for reference in rule.references)]
    return "\n\n".join(parts) + "\n"


def index(rules: Iterable[Rule]) -> str:
    """Return the table of all rules, each with a link to its page."""
    parts = ["# Rules"]
    for title, members in by_chapter(rules):
        rows = [
            f"| [{rule.id}]({page_name(rule)}) | {rule.name} | {severity_words(rule)}"
            f"{' (preview)' if rule.preview else ''} | {rule.summary} |"
            for rule in members
        ]
        parts += [f"## {title}", "\n".join(("| rule | name | severity | what it finds |", "|---|---|---|---|", *rows))]
    return "\n\n".join(parts) + "\n"


def page_name(rule: Rule) -> str:
    """The file name of a rule's page."""
    return f"{rule.id}-{rule.name}.md"


def _files(example: Example) -> list[str]:
    parts = []
    for name, content in example.files.items():
        language = next((word for suffix, word in _LANGUAGES.items() if name.endswith(suffix)), "")
        found = (
            f" (found at line {example.at.rpartition(':')[2]})" if example.at and example.at.startswith(name) else ""
        )
        fence = "````" if "```" in content else "```"
        shown = "\n".join(map(visible, content.rstrip().split("\n")))
        parts += [f"`{name}`{found}", f"{fence}{language}\n{shown}\n{fence}"]
    return parts
