"""The catalogue: every rule file, found in a checkout as in a wheel, read, and checked against the records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from cmgan_audit.errors import AuditError, UsageError
from cmgan_audit.rules.compiled import CompiledRule, compile_rule
from cmgan_audit.rules.condensed import condensed_rules
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.record import Record
from cmgan_audit.rules.rule import Rule, RuleError


class Catalogue:
    """The rules by id, in the order of their numbers; ids and names are unique."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._rules: dict[str, Rule] = {}
        self._names: dict[str, Rule] = {}
        self._compiled: dict[tuple[str, type[Record] | None], CompiledRule] = {}
        for rule in rules:
            for taken in (self._rules.get(rule.id), self._names.get(rule.name)):
                if taken is not None:
                    key = "id" if taken.id == rule.id else "name"
                    raise RuleError(rule.path, rule.lines.get(key, 1), f"{key}: {taken.path} has the same one")
            self._rules[rule.id] = self._names[rule.name] = rule
        self._rules = dict(sorted(self._rules.items()))

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules.values())

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._rules

    def __getitem__(self, identifier: str) -> Rule:
        return self._rules[identifier]

    def find(self, word: str) -> Rule:
        """Return the rule with this id or name; case does not matter.

        Raises:
            UsageError: there is none; the message names the nearest.
        """
        for rule in self:
            if word.casefold() in (rule.id.casefold(), rule.name):
                return rule
        known = [*self._rules, *self._names]
        near = unknown_word("rule", word, known).split(";")[0]
        raise UsageError(f"{near}; `cmgan-audit rules` lists them all")

    def judged(
        self, kinds: Mapping[str, type[Record]], met: Collection[type[Record]] | None = None
    ) -> list[CompiledRule]:
        """Return the rules over records, their conditions checked against the kinds of record.

        Args:
            kinds: every kind of record, by the name that rules use.
            met: the classes of the records that are judged, where they are known. Of the shipped rules only those over
                one of them are made ready, since tests check the others; a team's own rules are all checked.

        Raises:
            RuleError: a rule names a kind, a field or a parameter that does not exist.
        """
        shipped = find_catalogue()
        return [
            self._ready(rule, kinds)
            for rule in self
            if rule.over
            and (
                met is None
                or rule.path.parent != shipped
                or any(issubclass(each, kinds.get(rule.over, Record)) for each in met)
            )
        ]

    def _ready(self, rule: Rule, kinds: Mapping[str, type[Record]]) -> CompiledRule:
        """A rule made ready, once for all audits with this catalogue."""
        key = (rule.id, kinds.get(rule.over))
        if key not in self._compiled:
            self._compiled[key] = compile_rule(rule, kinds)
        return self._compiled[key]


def find_catalogue() -> Path:
    """Return the folder that holds the catalogue: inside the package in a wheel, at the top in a checkout.

    Raises:
        AuditError: the installation has none.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "data", package.parent.parent / "rules"):
        if folder.is_dir():
            return folder
    raise AuditError(f"the catalogue is missing: no folder {package / 'data'}; install cmgan-audit again")


def load_catalogue(extra: Iterable[Path] = (), *, examples: bool = True) -> Catalogue:
    """Read the built-in catalogue, and the rule files of further folders behind it.

    Args:
        extra: folders of a team's own rule files, which are always read and checked as a whole.
        examples: whether the built-in rules come with their examples, half of their text; without, they have none.

    Raises:
        RuleError: a file does not follow the schema, or an id or a name is taken.
        UsageError: a further folder does not exist or holds no rule files.
    """
    own = _read_folder(find_catalogue(), examples=examples)
    return Catalogue([*own, *(rule for folder in extra for rule in load_folder(folder))])


def load_folder(folder: Path) -> list[Rule]:
    """Read a team's own rule files.

    Raises:
        RuleError: a file does not follow the schema.
        UsageError: the folder does not exist or holds no rule files.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of rules")
    rules = _read_folder(folder)
    if not rules:
        raise UsageError(f"{folder}: holds no rule files (*.yaml)")
    return rules


def _read_folder(folder: Path, *, examples: bool = True) -> list[Rule]:
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in (".yaml", ".yml")]
    known = {} if examples else condensed_rules(folder, paths)
    if len(known) == len(paths):
        return list(known.values())
    from cmgan_audit.rules.schema import read_rule  # loads PyYAML, which takes longer than to judge a small tree

    return [known.get(path) or read_rule(path, examples=examples) for path in paths]
