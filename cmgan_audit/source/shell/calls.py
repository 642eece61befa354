"""Scripts that start other scripts, and what they hand over: `bash run.sh --batch_size 2 conf/large.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.shell.expansion import UnknownWord

# Commands that run the script that they are given, here or on a node of a cluster.
_RUNNERS = frozenset({"bash", "sh", "zsh", "ksh", "nohup", "srun", "sbatch", "qsub", "bsub", "time", "exec", "env"})
_SCRIPTS = (".sh", ".bash", ".slurm", ".sbatch")
_OPTION = regex(r"--([A-Za-z][\w-]*)")
_SETTING = regex(r"([A-Za-z_]\w*)=")
_HANDING_ON = frozenset({"--export", "-v"})  # of sbatch and srun, and of qsub: `--export=ALL,SIZE=2`


def called_script(words: Sequence[str]) -> int | None:
    """Which word of a command is the shell script that it starts; None where it starts none."""
    for index, word in enumerate(words):
        if word.endswith(_SCRIPTS) and not word.startswith("-"):
            return index
        if index == 0 and word.rsplit("/", 1)[-1] not in _RUNNERS:
            return None
        if word.endswith(".py") or word == "-c":
            return None
    return None


def variables_given(words: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """The variables that the words before a script set for it (`env SIZE=2`, `sbatch --export=ALL,SIZE=2`): the number
    of the word, the name and the value."""
    for number, word in enumerate(words):
        option, equals, rest = word.partition("=")
        handing_on = number > 0 and words[number - 1] in _HANDING_ON
        texts = rest.split(",") if equals and option in _HANDING_ON else word.split(",") if handing_on else [word]
        for text in texts:
            match = _SETTING.match(text)
            if match is not None:
                value = text[match.end() :]
                yield number, match.group(1), UnknownWord(value) if isinstance(word, UnknownWord) else value


def options_given(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """What `utils/parse_options.sh` of Kaldi's recipes makes of a script's arguments: the variables that it sets
    (`--batch-size 2` sets batch_size), and the arguments that are left.

    It stops at the first argument that is no option, and here at one that is not known.
    """
    variables: dict[str, str] = {}
    at = 0
    while at + 1 < len(arguments):
        option = _OPTION.fullmatch(arguments[at])
        if option is None or isinstance(arguments[at], UnknownWord):
            break
        variables[option.group(1).replace("-", "_")] = arguments[at + 1]
        at += 2
    return variables, list(arguments[at:])
