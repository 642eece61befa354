"""Command lines that start Python scripts: in shell scripts, Makefiles, Dockerfiles and documents."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from itertools import takewhile
from pathlib import PurePosixPath

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.document_blocks import as_typed, blocks, filled_in, is_fence
from cmgan_audit.source.shell.calls import variables_given
from cmgan_audit.source.shell.copies import Copies
from cmgan_audit.source.shell.expansion import UnknownWord
from cmgan_audit.source.shell.scripts import Simple, Sources, Word, commands

_PYTHON = regex(r"(?:.*/)?(?:python|pypy|ipython)[0-9.]*(?:\.exe)?$")
_LAUNCHERS = frozenset({"torchrun", "accelerate", "accelerate-launch", "deepspeed", "horovodrun", "composer"})
# Those that set WORLD_SIZE, RANK and LOCAL_RANK for each process, whatever the script is.
_TELLS_RANKS = frozenset({"torchrun", "deepspeed"})
_LAUNCH_MODULES = regex(r"torch\.distributed\.(launch|run|elastic)|torch\.distributed\.launcher|accelerate\.commands")
# Commands whose words are text or files to them, although a script's name may stand among them.
# fmt: off
_NOT_STARTING = frozenset((
    "echo", "printf", "cat", "ls", "rm", "cp", "mv", "grep", "sed", "awk", "find", "git", "pip", "pip3", "apt",
    "apt-get", "which", "source", ".", "mkdir", "touch", "chmod", "kill", "pkill", "vim", "nano", "code", "black",
    "flake8", "pytest", "ruff", "pylint", "mypy", "tar", "wget", "curl", "alias", "read", "test", "[", "[[", "pgrep",
    "killall", "egrep", "fgrep", "ps", "logger", "log", "info", "warn", "error", "die", "usage", "print", "say",
))
# fmt: on
# Recipes in the manner of Kaldi hand scripts to a command of the site: `$cuda_cmd --gpu 1 log train.py ...`.
_RECIPE_COMMAND = regex(r"\$\{?\w*cmd\w*\}?|(?:.*/)?\w+\.pl")
_PYTHON_OPTIONS_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
# A line of a comment or a text in a Python file that is a command; no statement of Python begins like this.
_SAID = regex(r"\s*(?:#+\s*|\$\s+)?(?=(?:[A-Z_]+=\S+\s+)*(?:python[0-9.]*|torchrun|accelerate|deepspeed)\s+\S)")
_OPTION = regex(r"--?[A-Za-z]")
_TEXT_OPTION = regex(r"-[JNm]|--(?:job-?name|name|notes?|message|comment|title|desc(?:ription)?)")
_HEADING = regex(r"#{1,6}\s")
_TARGETS = regex(r"([^\s#:=][^#:=]*?)\s*::?(?!=)")  # what a rule of make makes
# How documents, launchers and targets of make call a command that only shows whether the program runs; and a run that
# is over before it has begun.
_TRIAL = regex(
    r"\b(?<!\bno[-_ ])(?<!\bnon[-_ ])(?<!\bwithout[-_ ])(?<!level[= ])"
    r"(smoke|sanity|dry[-_ ]?run|debug(ging)?|unit[-_ ]?tests?|fast[-_ ]dev[-_ ]run|quick(ly)? (test|check|try))\b"
    r"(?![= ](false|0|no|off)\b)"
    r"|冒烟|调试|スモーク|스모크|디버그",
    re.IGNORECASE,
)
_SHORT_RUN = regex(
    r"(?<![\w-])--?(max|num|n|train)?[-_]?(epochs?[= ][1-3]|(steps|iters?|iterations|batches)[= ]\d{1,2})(?=\s|$)"
)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One command that starts a script. `argv` are the words after the script; each `UnknownWord` among them is not
    known before it runs. `folder` is the working folder relative to the launcher's own, as far as `cd` tells.

    `environment` are the variables that it is started with, by name: what each holds and where it is set; `processes`
    the number of processes that a distributed launcher is told to start per machine, as text. `trial`: it is there to
    try the program out, not to train with, as a document or the name of its launcher says.
    """

    location: Location
    launcher: str
    script: str
    module: str
    argv: tuple[str, ...]
    places: tuple[Location, ...]
    folder: str = ""
    environment: Mapping[str, tuple[str, Location]] = field(default_factory=dict)
    processes: str = ""
    trial: bool = False

    @property
    def is_of_several(self) -> bool:
        """Whether a launcher that tells each process its number starts more than one, or as many as there are GPUs."""
        several = self.processes not in ("", "1") or self.launcher == "deepspeed"
        return several and (self.launcher in _TELLS_RANKS or self.launcher.startswith("torch.distributed."))

    def scripts(self) -> tuple[str, ...]:
        """The paths of the file that this may start, best first."""
        if self.module:
            path = self.module.replace(".", "/")
            return (f"{path}.py", f"{path}/__main__.py", f"src/{path}.py")
        return (self.script,)

    @property
    def text(self) -> str:
        """The command as a report names it: script and flags on one line."""
        what = self.script or f"-m {self.module}"
        return " ".join((what, *self.argv))


def commands_of(path: str, text: str, sources: Sources | None = None) -> Iterator[CommandLine]:
    """The commands of one launcher or document that start a script, in file order.

    Args:
        path: of the file.
        text: its content.
        sources: finds the files that it sources; without, their variables are not known.
    """
    name = PurePosixPath(path).name.lower()
    if name.startswith("dockerfile"):
        yield from _dockerfile(path, text)
    elif name.startswith(("makefile", "gnumakefile")) or name.endswith(".mk"):
        yield from _makefile(path, text, sources)
    elif name.endswith((".md", ".rst")) or name.startswith("readme"):
        yield from _document(path, text, sources)
    else:
        copies = Copies()
        trial = _called_a_trial(PurePosixPath(path).stem)
        for simple in commands(text, name=path, sources=sources):
            copies.note([word.text for word in simple.words], simple.folder)
            for command in _starts(path, simple):
                argv = tuple(copies.original(word, command.folder) for word in command.argv)
                yield replace(command, argv=argv, trial=trial)


def commands_said(path: str, text: str) -> Iterator[CommandLine]:
    """The commands that start a script which a Python file holds in its comments and texts.

    Args:
        path: of the file.
        text: its content.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        match = _SAID.match(line)
        if match is None:
            continue
        block = [" " * match.end() + line[match.end() :]]
        while block[-1].endswith("\\") and number + len(block) <= len(lines):
            block[-1] = block[-1].rstrip("\\") + "\\"  # a backslash is written twice in a text
            block.append(re.sub(r"^(\s*)#", r"\1 ", lines[number + len(block) - 1]))
        for command in _shell(path, filled_in("\n".join(block)), number):
            trial = _TRIAL.search(command.text) or _SHORT_RUN.search(command.text)
            yield replace(command, trial=trial is not None)


def _shell(path: str, text: str, line: int, sources: Sources | None = None) -> Iterator[CommandLine]:
    in_document = path.lower().endswith((".md", ".rst"))
    for simple in commands(text, line, sources=sources):
        yield from _starts(path, simple, in_document=in_document)


def _starts(path: str, simple: Simple, depth: int = 0, *, in_document: bool = False) -> Iterator[CommandLine]:
    """The script that a simple command starts, behind wrappers such as `nohup`, `srun -n 4` or `env A=1`."""
    words = simple.words
    if words[0].text in _NOT_STARTING:
        return
    for index, word in enumerate(words):
        handed = _handed_on(words, index) if depth < 3 else ()
        if handed:
            for inner in commands(" ".join(part.text for part in handed), handed[0].line):
                yield from _starts(path, _within(simple, handed[0], inner), depth + 1)
            return
        base = word.text.rsplit("/", 1)[-1]
        if _PYTHON.match(word.text) or word.text in {"$PYTHON", "${PYTHON}", "$python", "${python}"}:
            command = _python(path, simple, index)
        elif base in _LAUNCHERS:
            command = _launcher(path, simple, index + 1, base)
        elif word.text.endswith(".py") and _starts_itself(words, index, in_document=in_document):
            command = _command(path, simple, index, _Started("python", script=word.text))
        else:
            continue
        if command is not None:
            yield command
        return


def _handed_on(words: tuple[Word, ...], index: int) -> tuple[Word, ...]:
    """The words that hold a command, where word `index` says so: `bash -c "python a.py"`, `run -n 1 "python a.py"`."""
    word = words[index]
    if word.text in {"-c", "eval"} and _is_shell(words[:index]):
        return words[index + 1 :] if word.text == "eval" else words[index + 1 : index + 2]
    said = word.text.removeprefix("--wrap=")  # of sbatch
    if index and _SAID.match(said) and not _TEXT_OPTION.fullmatch(words[index - 1].text):
        return (replace(word, text=said),)
    return ()


def _starts_itself(words: tuple[Word, ...], index: int, *, in_document: bool) -> bool:
    """Whether a Python file is started by its own name, or by a command of the site. A document that says no more than
    a name may only list files."""
    if index:
        return bool(_RECIPE_COMMAND.fullmatch(words[0].text))
    if in_document:
        return words[0].text.startswith("./") and any(_OPTION.match(word.text) for word in words[1:])
    return "/" in words[0].text


def _within(simple: Simple, text: Word, inner: Simple) -> Simple:
    """A command of a text that another command hands to a shell: `bash -c "python train.py"`."""
    known = not isinstance(inner.folder, UnknownWord) and not isinstance(simple.folder, UnknownWord)
    folder = posixpath.normpath(posixpath.join(simple.folder, inner.folder)) if known else UnknownWord(inner.folder)
    return Simple(
        words=tuple(replace(word, file=text.file) for word in inner.words),
        folder="" if folder == "." else folder,
        environment={**simple.environment, **inner.environment},
        stands=simple.stands,
    )


def _is_shell(words: tuple[Word, ...]) -> bool:
    return any(word.text.rsplit("/", 1)[-1] in {"bash", "sh", "zsh"} for word in words) or not words


def _python(path: str, simple: Simple, index: int) -> CommandLine | None:
    words = simple.words
    at = index + 1
    while at < len(words) and words[at].text.startswith("-"):
        option = words[at].text
        if option == "-m" and at + 1 < len(words):
            module = words[at + 1].text
            if _LAUNCH_MODULES.match(module):
                return _launcher(path, simple, at + 2, module)
            return _command(path, simple, at + 1, _Started("python", module=module))
        if option == "-c" or option == "-":
            return None
        at += 2 if option in _PYTHON_OPTIONS_WITH_VALUE else 1
    if at < len(words) and words[at].text.endswith(".py"):
        return _command(path, simple, at, _Started("python", script=words[at].text))
    return None


def _launcher(path: str, simple: Simple, start: int, launcher: str) -> CommandLine | None:
    """The script behind a distributed launcher's own options: the first word that is a Python file, or `-m module`."""
    processes = ""
    for at in range(start, len(simple.words)):
        text = simple.words[at].text
        name, equals, value = text.partition("=")
        if name.replace("_", "-") in {"--nproc-per-node", "--num-processes", "--num-gpus", "-np"}:
            processes = value if equals else simple.words[at + 1].text if at + 1 < len(simple.words) else ""
        if text.endswith(".py"):
            return _command(path, simple, at, _Started(launcher, script=text, processes=processes))
        if text in {"-m", "--module"} and at + 1 < len(simple.words):
            module = simple.words[at + 1].text
            return _command(path, simple, at + 1, _Started(launcher, module=module, processes=processes))
    return None


@dataclass(frozen=True, slots=True)
class _Started:
    """What a launch line starts: a script or a module, by which launcher, in how many processes ("" where unsaid)."""

    launcher: str
    script: str = ""
    module: str = ""
    processes: str = ""


def _command(path: str, simple: Simple, at: int, started: _Started) -> CommandLine | None:
    """The launch line whose script or module is word `at`; None where its name is not known."""
    script = started.script
    if isinstance(script, UnknownWord) or isinstance(started.module, UnknownWord):
        # "$ROOT/train.py": the part behind the last unknown folder still names the file.
        script = re.sub(r"^.*[`)}]/|^\$\w+/", "", script)
        if not script or "$" in script:
            return None
    rest = simple.words[at + 1 :]
    first, last = simple.words[0], simple.words[-1]
    if first.file or last.file:
        first = last = simple.stands
    here = Location(path, first.line, first.column, last.line, last.end_column)
    environment = {name: (word.text, _place(path, word)) for name, word in simple.environment.items()}
    for number, name, value in variables_given([word.text for word in simple.words[:at]]):
        environment[name] = (value, _place(path, simple.words[number]))
    return CommandLine(
        location=here,
        launcher=started.launcher,
        script=script.removeprefix("./"),
        module=started.module,
        argv=tuple(word.text for word in rest),
        places=tuple(_place(path, word) for word in rest),
        folder="" if isinstance(simple.folder, UnknownWord) else simple.folder,
        environment=environment,
        processes=started.processes,
    )


def _place(path: str, word: Word) -> Location:
    return Location(word.file or path, word.line, word.column, word.line, word.end_column)


def _makefile(path: str, text: str, sources: Sources | None) -> Iterator[CommandLine]:
    """Recipe lines, with the variables that the file itself gives a constant value."""
    variables: dict[str, str] = {}
    recipe: list[str] = []
    start, trial = 0, False
    lines = text.splitlines()
    for number, line in enumerate([*lines, ""], 1):
        continued = bool(recipe) and recipe[-1].endswith("\\")
        if line.startswith("\t") or continued:
            if not continued:
                yield from _recipe(path, recipe, start, variables, sources, trial=trial)
                recipe, start = [], number
            recipe.append(line)
            continue
        yield from _recipe(path, recipe, start, variables, sources, trial=trial)
        recipe = []
        target = _TARGETS.match(line)
        trial = trial if target is None else all(map(_called_a_trial, target[1].split()))
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(\?|::?|\+)?=\s*(.*?)\s*(?:#.*)?$", line)
        if match is not None:
            name, operator, value = match.groups()
            value = _make_value(value, variables)
            variables[name] = f"{variables[name]} {value}" if operator == "+" and name in variables else value


def _called_a_trial(name: str) -> bool:
    return _TRIAL.search(re.sub(r"[-_.]", " ", name)) is not None


def _recipe(
    path: str, lines: list[str], start: int, variables: dict[str, str], sources: Sources | None, *, trial: bool
) -> Iterator[CommandLine]:
    if not lines:
        return
    first = re.sub(r"^(\t\s*)([@+-]+)", lambda match: match.group(1) + " " * len(match.group(2)), lines[0])
    for command in _shell(path, _make_value("\n".join([first, *lines[1:]]), variables), start, sources=sources):
        yield replace(command, trial=trial)


def _make_value(text: str, variables: dict[str, str]) -> str:
    """Make's own variables replaced; those without a constant value become shell variables of unknown value."""

    def replace(match: re.Match[str]) -> str:
        if match.group() == "$$":
            return "$"
        name = match.group(1) or match.group(2)
        if not name:
            return ""
        return variables.get(name, "${" + re.sub(r"\W", "_", name) + "}")

    return re.sub(r"\$\$|\$\(([^()$]*)\)|\$\{([^{}$]*)\}", replace, text)


def _dockerfile(path: str, text: str) -> Iterator[CommandLine]:
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        first = number
        while lines[number].rstrip().endswith("\\") and number + 1 < len(lines):
            number += 1
        block = "\n".join(lines[first : number + 1])
        number += 1
        match = re.match(r"\s*(?:CMD|RUN|ENTRYPOINT)\s+(?:--\S+\s+)*", block, re.IGNORECASE)
        if match is None:
            continue
        body = block[match.end() :]
        if body.startswith("["):
            try:
                words = json.loads(body)
            except json.JSONDecodeError:
                continue
            body = " ".join(word for word in words if isinstance(word, str))
        yield from _shell(path, " " * match.end() + body, first + 1)


def _document(path: str, text: str, sources: Sources | None) -> Iterator[CommandLine]:
    """Fenced blocks, indented lines and inline code of a document, where they start a script."""
    lines = text.splitlines()
    heading, seen = "", 0
    for number, block in blocks(text):
        between = [line for line in lines[seen : number - 1] if line.strip() and not is_fence(line)]
        heading = next((line for line in reversed(between) if _HEADING.match(line)), heading)
        seen = number - 1 + len(block)
        for command in _shell(path, as_typed(block), number, sources=sources):
            said = [heading, *between[-1:], command.text, *_comment_above(block, command.location.line - number)]
            trial = any(_TRIAL.search(line) for line in said) or _SHORT_RUN.search(command.text) is not None
            yield replace(command, trial=trial)


def _comment_above(block: list[str], index: int) -> list[str]:
    """The comment that stands right above a command of a block."""
    lines = reversed(block[:index])
    return list(takewhile(lambda line: line.lstrip().startswith("#"), lines))
