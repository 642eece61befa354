"""Settings of a project: `[tool.cmgan-audit]` in pyproject.toml, or cmgan-audit.toml; flags win over both."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from cmgan_audit.errors import UsageError
from cmgan_audit.facts.loading.declared import DeclaredRoles
from cmgan_audit.finding import FAIL_ON, Severity
from cmgan_audit.gate.selection import check_words
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.profile import find_profile
from cmgan_audit.rules.rule import ParameterValue, Rule
from cmgan_audit.source.path_patterns import why_it_covers_nothing

FILE_NAME = "cmgan-audit.toml"
TABLE = "tool.cmgan-audit"
# A backslash makes the next sign of a pattern an ordinary one; letters and figures are ordinary anyway.
_BACKSLASH = regex(r"\w*\\\w+")
_HERE = regex(r"^(!?)\./")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project decides about its audit; each field is a key of the settings file.

    The metadata of a field is its help text, for `--show-settings`, the JSON schema and the documentation.
    """

    select: tuple[str, ...] = field(
        default=(), metadata={"help": "rules that run: ids, names or prefixes; all if empty"}
    )
    ignore: tuple[str, ...] = field(default=(), metadata={"help": "rules that do not run"})
    fail_on: str = field(default="error", metadata={"help": "lowest severity that makes the exit status 1"})
    preview: bool = field(default=False, metadata={"help": "also run rules that are still in preview"})
    exclude: tuple[str, ...] = field(default=(), metadata={"help": "paths that are not audited, as in .gitignore"})
    rules: tuple[str, ...] = field(
        default=(), metadata={"help": "folders with rules of your own, relative to the settings file"}
    )
    profile: str = field(
        default="",
        metadata={"help": "published training to compare settings with (CMG102): cmgan, or a file of your own (.yaml)"},
    )
    baseline: str = field(default="", metadata={"help": "file of known findings, relative to the settings file"})
    train_loaders: tuple[str, ...] = field(
        default=(),
        metadata={"help": "loaders that serve training, by name, where nothing tells: [FILE:][FUNCTION.]NAME"},
    )
    eval_loaders: tuple[str, ...] = field(default=(), metadata={"help": "loaders that serve evaluation, likewise"})
    per_path_ignores: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict, metadata={"help": "path pattern to the rules that are ignored there"}
    )
    per_rule: Mapping[str, Mapping[str, ParameterValue]] = field(
        default_factory=dict, metadata={"help": "rule to its `severity` and parameters"}
    )
    source: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder that relative paths of the settings start from."""
        return Path() if self.source is None else self.source.parent

    @property
    def declared(self) -> DeclaredRoles:
        """The roles of loaders that the project declares."""
        return DeclaredRoles(self.train_loaders, self.eval_loaders)

    def severity_of(self, rule: str) -> Severity | None:
        """The severity that the project gives a rule, None where it leaves the rule's own."""
        value = self.per_rule.get(rule, {}).get("severity")
        return None if value is None else Severity(value)

    def parameters(self) -> dict[str, dict[str, ParameterValue]]:
        """The parameters that the project sets, per rule."""
        return {
            rule: {name: value for name, value in values.items() if name != "severity"}
            for rule, values in self.per_rule.items()
        }


KEYS = tuple(entry.name for entry in dataclasses.fields(Settings) if "help" in entry.metadata)


def find_settings(start: Path) -> Settings:
    """Read the settings that hold for a folder: the nearest file upwards, up to the root of the git repository.

    Raises:
        UsageError: the file is not TOML, or a key or a value is not legal.
    """
    for folder in (start, *start.parents):
        own = folder / FILE_NAME
        if own.is_file():
            return read_settings(own, _load(own), where="")
        project = folder / "pyproject.toml"
        if project.is_file():
            tool = _load(project).get("tool", {})
            if isinstance(tool, dict) and "cmgan-audit" in tool:
                return read_settings(project, tool["cmgan-audit"], where=TABLE)
            for name in tool if isinstance(tool, dict) else ():
                if re.sub(r"[-_. ]", "", name).casefold() == "cmganaudit":
                    raise UsageError(f"{project}: [tool.{name}] is read by nobody; the table is called [{TABLE}]")
        if (folder / ".git").exists():
            break
    return Settings()


def _load(path: Path) -> dict[str, Any]:
    import tomllib  # most projects have nothing to read

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_settings(path: Path, table: Any, where: str) -> Settings:
    """Check a table of settings and turn it into `Settings`.

    Args:
        path: the file, for errors and relative paths.
        table: the content of the table.
        where: the name of the table, "" for the top of the file.

    Raises:
        UsageError: a key is unknown, or a value is not what the key holds.
    """
    reader = _Reader(path, where)
    if not isinstance(table, dict):
        raise reader.error("", f"{table!r} is not a table")
    for key in table:
        if key == "tool" and not where:
            raise reader.error(
                "", f"[{TABLE}] belongs into pyproject.toml; in this file the keys stand without a table"
            )
        if key not in KEYS:
            raise reader.error("", unknown_word("key", key, KEYS))
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in ("select", "ignore", "train_loaders", "eval_loaders"):
            values[key] = reader.texts(key, value)
        elif key == "rules":
            values[key] = reader.folders(key, value)
        elif key == "exclude":
            values[key] = tuple(reader.pattern(key, each) for each in reader.texts(key, value))
        elif key == "fail_on":
            values[key] = reader.word(key, value, FAIL_ON)
        elif key == "preview":
            values[key] = reader.flag(key, value)
        elif key in ("baseline", "profile"):
            values[key] = reader.text(key, value)
        elif key == "per_path_ignores":
            values[key] = {
                reader.pattern(key, pattern): reader.texts(f"{key}.{pattern}", rules)
                for pattern, rules in reader.table(key, value)
            }
        else:
            values[key] = {rule: dict(reader.table(f"{key}.{rule}", entry)) for rule, entry in reader.table(key, value)}
    return Settings(**values, source=path)


class _Reader:
    def __init__(self, path: Path, where: str) -> None:
        self._path = path
        self._where = where

    def error(self, key: str, reason: str) -> UsageError:
        place = ".".join(part for part in (self._where, key) if part)
        return UsageError(
            f"{self._path}: {f'[{place}] ' if place and not key else f'{place}: ' if place else ''}{reason}"
        )

    def text(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.error(key, f"{value!r} is not a text")
        return value

    def texts(self, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            hint = f'; write ["{value}"]' if isinstance(value, str) else ""
            raise self.error(key, f"{value!r} is not a list of texts{hint}")
        return tuple(value)

    def pattern(self, key: str, value: str) -> str:
        """A path pattern, as in .gitignore, where "./" at the beginning would cover nothing."""
        if slip := _BACKSLASH.search(value):
            raise self.error(
                key, f"{value!r}: write {slip[0].replace(chr(92), '/')!r}: paths have forward slashes here"
            )
        pattern = _HERE.sub(r"\1/", value)
        if reason := why_it_covers_nothing(pattern):
            raise self.error(key, f"{value!r}: {reason}")
        return pattern

    def folders(self, key: str, value: Any) -> tuple[str, ...]:
        """Folders, relative to the settings file."""
        folders = self.texts(key, value)
        for folder in folders:
            if not (self._path.parent / folder).is_dir():
                raise self.error(key, f"{folder!r}: no such folder in {self._path.parent}")
        return folders

    def word(self, key: str, value: Any, legal: tuple[str, ...]) -> str:
        if value not in legal:
            raise self.error(key, f"{value!r} is not one of {', '.join(legal)}")
        return str(value)

    def flag(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.error(key, f"{value!r} is neither true nor false")
        return value

    def table(self, key: str, value: Any) -> list[tuple[str, Any]]:
        if not isinstance(value, dict):
            raise self.error(key, f"{value!r} is not a table")
        return list(value.items())


def settle_rules(settings: Settings, catalogue: Catalogue) -> Settings:
    """Check what the settings say about rules and profiles, and replace rule names by ids.

    Raises:
        UsageError: a rule, a parameter or its value is not legal, or there is no such profile.
    """
    if settings.profile:
        try:
            find_profile(settings.profile, settings.folder)
        except UsageError as error:
            raise UsageError(f"{settings.source}: profile: {error}") from error
    per_rule: dict[str, dict[str, ParameterValue]] = {}
    for word, values in settings.per_rule.items():
        rule = check_parameters(f"{settings.source}: per_rule.{word}", word, values, catalogue)
        per_rule.setdefault(rule.id, {}).update(values)
    named = {f"per_path_ignores.{pattern}": words for pattern, words in settings.per_path_ignores.items()}
    for key, words in {"select": settings.select, "ignore": settings.ignore, **named}.items():
        try:
            check_words(words, catalogue)
        except UsageError as error:
            raise UsageError(f"{settings.source}: {key}: {error}") from error
    return dataclasses.replace(settings, per_rule=per_rule)


def check_parameters(place: str, word: str, values: Mapping[str, ParameterValue], catalogue: Catalogue) -> Rule:
    """Check the values that are set for a rule, and return the rule.

    Args:
        place: where they stand, for errors.
        word: the rule's id or name.
        values: its severity and parameters.
        catalogue: the rules.

    Raises:
        UsageError: the rule, a parameter or its value is not legal.
    """
    try:
        rule = catalogue.find(word)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from error
    legal = ("severity", *rule.parameters)
    for name, value in values.items():
        if name not in legal:
            raise UsageError(f"{place}: {unknown_word('key', name, legal)}")
        if name == "severity":
            if value not in FAIL_ON[:-1]:
                raise UsageError(f"{place}.severity: {value!r} is not one of {', '.join(FAIL_ON[:-1])}")
        elif not _fits(value, rule.parameters[name]):
            raise UsageError(f"{place}.{name}: {value!r} is not of the type of the default, {rule.parameters[name]!r}")
    return rule


def _fits(value: object, default: ParameterValue) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
