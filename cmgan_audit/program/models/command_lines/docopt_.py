"""docopt: a command line that is described by its own help text, usually the docstring of the script.

args = docopt(__doc__)       # {"--epochs": "100", "--checkpoint": None, "--fast": False, "<data>": "corpus"}
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, DictValue, Key, Unknown, Value
from cmgan_audit.program.models.command_lines.argparse_parsing import Reading, command_words
from cmgan_audit.program.models.command_lines.argparse_state import OptionSpec, ParserState
from cmgan_audit.program.models.registry import ModelCall, model

_USAGE = regex(r"^[^\n]*usage:[ \t]*(.*?)(?=\n[ \t]*\n|\n[^\n]*options:|\Z)", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_OPTION = regex(r"^[ \t]*(-{1,2}[^\W_].*)")
_DEFAULT = regex(r"\[default: ([^\]]*)\]", re.IGNORECASE)
_PATTERN = regex(r"--?[\w-]+(?:[= ]<[^<>]*>|=[\w-]+)?|<[^<>]*>|[\w:.-]+|\[|\]|\(|\)|\||\.\.\.")
_HELP = ("-h", "--help", "--version")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the usage; `optional` in square brackets or as one of several, `many` when it may be repeated."""

    text: str
    optional: bool
    many: bool


@model("docopt.docopt")
def _docopt(call: ModelCall) -> Value | None:
    text = call.text("doc", 0)
    if text is None:
        return call.unknown("the usage text that docopt reads is not known")
    usage = list(_usage(text))
    options = _described(call, text)
    known = {flag for option in options for flag in option.flags}
    options += [_undescribed(call, word) for word in usage if _is_flag(word) and _flag(word) not in known | {*_HELP}]
    words, steps = command_words(call, call.get("argv", 1))
    commands = [word.text for word in usage if _is_command(word)]
    chosen = [word for word in words if word in commands]
    state = ParserState(
        options=(*options, *(_positional(call, word) for word in usage if _is_positional(word))),
    )
    ((found, _),) = Reading(call, state, steps).sides([word for word in words if word not in chosen])
    items: dict[Key, Value] = {}
    items.update(found)
    for name in dict.fromkeys(commands):
        items[name] = Const(value=name in chosen) if words else Unknown(reason=f"whether {name} is the command")
    return DictValue(items=items, complete=True, origin="the command line")


def _usage(text: str) -> Iterator[_Word]:
    """The words of the usage patterns, without the name of the program and `[options]`."""
    section = _USAGE.search(text)
    lines = [line for line in (section.group(1) if section else "").split("\n") if line.strip()]
    program = lines[0].split()[0] if lines else ""
    seen: set[str] = set()
    for line in lines:
        depth = 0
        tokens = _PATTERN.findall(line.replace("[options]", " "))
        for number, token in enumerate(tokens):
            depth += (token in "[(") - (token in "])")
            if token in ("[", "]", "(", ")", "|", "...", program, "python", "python3") or token in seen:
                continue
            seen.add(token)
            many = "..." in tokens[number + 1 : number + 3]
            yield _Word(token, optional=depth > 0 or len(lines) > 1, many=many)


def _is_flag(word: _Word) -> bool:
    return word.text.startswith("-") and len(word.text) > 1


def _is_positional(word: _Word) -> bool:
    return word.text.startswith("<") or (word.text.isupper() and not _is_flag(word))


def _is_command(word: _Word) -> bool:
    return not _is_flag(word) and not _is_positional(word)


def _flag(word: _Word) -> str:
    return re.split(r"[= ]", word.text)[0]


def _positional(call: ModelCall, word: _Word) -> OptionSpec:
    return OptionSpec(
        dest=word.text,
        flags=(),
        action="store",
        place=call.location,
        nargs=("*" if word.many else "?") if word.optional else ("+" if word.many else None),
        required=not word.optional,
    )


def _undescribed(call: ModelCall, word: _Word) -> OptionSpec:
    """An option that only the usage names."""
    flag = _flag(word)
    takes = flag != word.text
    default = Const(value=None) if takes else Const(value=False)
    return OptionSpec(
        dest=flag,
        flags=(flag,),
        action="store" if takes else "store_true",
        place=call.location,
        default=None if takes and not word.optional else default.via(call.location, f"{flag} is not given"),
        required=takes and not word.optional,
    )


def _described(call: ModelCall, text: str) -> list[OptionSpec]:
    """The options that lines of the text describe: `-b N, --batch=N  items per batch [default: 4]`."""
    found = []
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not _OPTION.match(line):
            continue
        rest = lines[number + 1 :]
        until = next((at for at, each in enumerate(rest) if _OPTION.match(each) or not each.strip()), len(rest))
        found.append(_spec(call, "\n".join([line, *rest[:until]]), _place(call, text, number)))
    return found


def _spec(call: ModelCall, description: str, place: Location) -> OptionSpec:
    head, _, _ = description.strip().partition("  ")
    words = head.split("\n")[0].replace(",", " ").replace("=", " ").split()
    flags = tuple(word for word in words if word.startswith("-"))
    name = next((flag for flag in flags if flag.startswith("--")), flags[0])
    if len(flags) == len(words):
        off = Const(value=False).via(place, f"{name} is off unless it is given")
        return OptionSpec(dest=name, flags=flags, action="store_true", place=place, default=off)
    stated = _DEFAULT.search(description)
    value = Const(value=stated.group(1) if stated else None)
    note = f"{name} defaults to {value.value!r}" if stated else f"{name} has no default"
    return OptionSpec(dest=name, flags=flags, action="store", place=place, default=value.via(place, note))


def _place(call: ModelCall, text: str, number: int) -> Location:
    """Where a line of the text stands, if it is the docstring of the file that calls docopt."""
    module = call.interpreter.module
    first = module.tree.body[0] if module.tree is not None and module.tree.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.value.value == text:
        return Location(module.path, first.lineno + number)
    return call.location
