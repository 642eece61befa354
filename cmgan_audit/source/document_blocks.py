"""What documents show to be typed: fenced blocks, indented lines and inline code, as a shell would read them.

Up to the first placeholder of a line every character keeps its place, so that what is found stands where it is said to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cmgan_audit.lazy_regex import regex

_FENCE = regex(r"^\s*(`{3,}|~{3,})\s*\{?\.?(\w*)")
_SHELL_LANGUAGES = frozenset(
    {"", "bash", "sh", "shell", "console", "zsh", "shellsession", "commandline", "text", "terminal"}
)
# Shells of Windows, whose paths have backslashes, and whose lines go on behind a backtick or a caret.
_WINDOWS_LANGUAGES = frozenset({"powershell", "pwsh", "ps1", "posh", "cmd", "bat", "batch", "dos"})
_VARIABLE = regex(r"%([A-Za-z_]\w*)%")
_BRACE = regex(r"(?<!\S)[{}](?!\S)")
_PROMPT = regex(r"^(\s*)(?:\([\w.-]+\)\s*)?(?:(?:PS )?[\w@~:/.-]*[$#%>]|>>>)\s+(?=\S)")
# What the reader has to fill in: `<folder>`, `[name of the run]`, `CONFIG_YAML_FILE`, `PATH_TO_DATA`; numbers between
# brackets behind an equals sign are a list: `--data.batch_size=[8,4]`.
_PLACEHOLDER = regex(
    r"<[\w /.,'\"|-]+>|(?!(?<==)\[(?=[^\]\n]*\d)[\de., +-]+\])\[[^\]\n]*\]|\{[\w .|/-]+\}|\.\.\.|…"
    r"|(?<=[\s=])(?:(?:PATH_TO|YOUR)_[A-Z0-9_]+"
    r"|[A-Z0-9_]+_(?:FILE|PATH|DIR|FOLDER|NAME|RUN|ID|CONFIG|YAML|JSON|CKPT|CHECKPOINT|ROOT))(?=\s|$)"
)
# An option with its own name in capitals, as `argparse` shows usage: `--restore_step RESTORE_STEP`.
_NAMESAKE = regex(r"(?<=\s)(--?([A-Za-z][\w-]*)(?:[ \t]+|=))([A-Z][A-Z0-9_-]*)(?=\s|$)")
# A line that is meant to go on, with a remark or a space behind its backslash, which a shell would not forgive.
_GOES_ON = regex(r"(?<=\s\\)[ \t]+(?:#.*)?$")
_INLINE = regex(r"`([^`\n]*\.py\b[^`\n]*)`")
# A line that looks like code without a fence around it.
_BARE = regex(r"\s{2,}\S|\s*\$ |\s*(?:CUDA_VISIBLE_DEVICES=\S+ )?(?:python3?|torchrun) ")
# What is written in HTML: `<code>python train.py</code>`, and a block of it, which begins a line; tags without a sign
# of equality in them, as `<pre-trained model>`, are placeholders.
_INLINE_TAGGED = regex(r"(?i)<(?:pre|code)(?:\s+[\w-]+\s*=[^>]*)?>([^<\n]*\.py\b[^<\n]*)</")
_PRE = regex(r"(?i)\s*(?:(?:[-*+]|\d+[.)])\s+)?(?:<\w[^>]*>\s*)*<pre(?:\s+[\w-]+\s*=[^>]*)?>(?!.*</pre>)")
_END_OF_PRE = regex(r"(?i)</pre>")
_TAG = regex(r"(?i)</?code\b[^>]*>")
_PLACEHOLDER_MARK = "$PLACEHOLDER"
_OPTIONAL_MARK = "$OPTIONAL_PLACEHOLDER"  # `[...]` and an ellipsis, which may also stand for nothing


def is_fence(line: str) -> bool:
    """Whether a line begins or ends a fenced block."""
    return _FENCE.match(line) is not None


def as_typed(lines: Sequence[str]) -> str:
    """The lines of a block without prompts and remarks behind a backslash, and with a variable in place of what the
    reader has to fill in.
    """
    return filled_in("\n".join(_GOES_ON.sub("", _without_prompt(line)) for line in lines))


def filled_in(text: str) -> str:
    """A text with a variable in place of what the reader has to fill in."""
    return _NAMESAKE.sub(_mark_namesake, _PLACEHOLDER.sub(_mark, text))


def _without_prompt(line: str) -> str:
    match = _PROMPT.match(line)
    return line if match is None else " " * match.end() + line[match.end() :]


def blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that may be shell, each with the number of its first line."""
    lines = text.splitlines()
    fence = ""
    block: list[str] = []
    shell = windows = False
    start = behind = 0
    for number, line in enumerate(lines, 1):
        if number < behind:
            continue
        match = _FENCE.match(line)
        if match is not None and (not fence or line.strip().startswith(fence)):
            if fence:
                if shell:
                    yield start, block
                fence = ""
            else:
                fence, language = match.group(1), match.group(2).lower()
                windows = language in _WINDOWS_LANGUAGES
                shell = windows or language in _SHELL_LANGUAGES
                block, start = [], number + 1
        elif fence:
            block.append(_of_windows(line) if windows else line)
        elif tagged := _tagged(lines, number - 1):
            yield number, tagged
            behind = number + len(tagged)
        else:
            for part in _in_line(line):
                yield number, [part]


def _in_line(line: str) -> Iterator[str]:
    """What one line shows to be typed, each part where it stands: the line itself, or code inside a sentence."""
    if ".py" not in line:
        return
    tagged = [" " * inline.start(1) + _plain(inline.group(1)) for inline in _INLINE_TAGGED.finditer(line)]
    if not tagged and _BARE.match(line):
        yield line
        return
    for inline in _INLINE.finditer(line):
        yield " " * inline.start(1) + inline.group(1)
    yield from tagged


def _tagged(lines: Sequence[str], first: int) -> list[str]:
    """The lines of a block of HTML that a line opens and a later one closes, without tags; fences inside are better."""
    opened = _PRE.match(lines[first])
    if opened is None:
        return []
    block = [" " * opened.end() + lines[first][opened.end() :]]
    for line in lines[first + 1 :]:
        if is_fence(line):
            return []
        closed = _END_OF_PRE.search(line)
        block.append(line if closed is None else line[: closed.start()])
        if closed is not None:
            return [_plain(each) for each in block]
    return []


def _plain(line: str) -> str:
    """A line of HTML as a reader sees it: `&lt;folder&gt;` are angle brackets."""
    from html import unescape

    return unescape(_TAG.sub(lambda tag: " " * len(tag.group()), line))


def _of_windows(line: str) -> str:
    """A line for a shell of Windows as other shells write it: `%DATA%` becomes a variable, braces part commands."""
    plain = _BRACE.sub(";", _VARIABLE.sub(r"$\1_", line.rstrip()))
    goes_on = plain.endswith(("`", "^", " \\"))
    return plain[:-1].replace("\\", "/") + "\\" if goes_on else plain.replace("\\", "/")


def _mark(placeholder: re.Match[str]) -> str:
    return _OPTIONAL_MARK if placeholder.group().startswith(("[", ".", "…")) else _PLACEHOLDER_MARK


def _mark_namesake(given: re.Match[str]) -> str:
    option, name, word = given.groups()
    same = name.upper().replace("-", "_") == word.replace("-", "_")
    return f"{option}{_PLACEHOLDER_MARK}" if same and name != word else given.group()
