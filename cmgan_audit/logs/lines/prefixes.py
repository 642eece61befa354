"""What stands before the words of a line: a logger's prefix, and dates, times and devices wherever they stand."""

from __future__ import annotations

from cmgan_audit.lazy_regex import regex

# In a shape, a number; and a number that is read already, or that nobody reads.
SLOT = "\0"
USED = "\1"

# Dates, times, devices (`cuda:0`) and places in code (`stoi.py:66: RuntimeWarning`, `gpu_timer.cc:114]`): their
# numbers are nobody's metric. T and Z may touch digits, so part stays literal.
_MASKED = regex(
    r"\x00[-/.]\x00[-/.]\x00"
    r"(?:[T_ -]{1,2}[\dT]*\x00?(?:[:\-]\x00[:\-]\x00(?:[.,]\x00)?(?:Z|[ ]?[+-]\x00(?::\x00)?)?|:\x00(?![.\d])))?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)?,?\s?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
    r"\s+\x00,?(?:\s+\x00)?\s+\x00:\x00(?::\x00)?(?:[.,]\x00)?(?:\s+[A-Z]{2,4})?(?:\s+\x00)?"
    r"|T?\d*\x00?:\x00:\x00(?:[.,]\x00)?"
    r"|(?<![:\w])\x00:\x00(?::\x00)?(?=[<\]])"
    r"|\b(?:cuda|xpu|npu|mps):\x00"
    r"|(?<=\.py):\x00(?=:)"
    r"|(?:(?<=\.cpp)|(?<=\.cc)|(?<=\.cu)):\x00"
)
_LEVEL = r"(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|NOTICE|TRACE|SUCCESS|debug|info|warning)"
_PREFIX_PART = regex(
    r"[\s\[\](){}<>|;,:\-#]*(?:"
    rf"{_LEVEL}(?::[\w.\-]+(?=:))?(?![\w])"
    rf"|[A-Za-z_][\w.\-]*(?=[ ]+{_LEVEL}(?::|\s*[|\]]|\s+-\s))"
    r"|[A-Z]\d{4}(?=[\s\x01])"
    r"|(?:[A-Za-z]:)?[\w.\-/\\]+\.(?:py|log)(?::[\x00\x01]|:\w+:[\x00\x01])?(?=[\]:\s])"
    r"|[\w.]+:[\w.<>]+:[\x00\x01](?=\s)"
    r"|[A-Za-z_]\w*(?:\.\w+)+(?=[\s\]:])(?!\s*=|\s*:\s*[-+]?\x00\s*(?:$|[,;|%/]|[A-Za-z_][\w./ ]*[:=]))"
    r"|\[(?:root|main|__main__|utils|logger|train|trainer)\](?=\[|\s*[-:\[])"
    r"|(?:root|__main__)(?=\s*[-:|\]])"
    r"|[\x01 ]*\x01[\x01 ]*"
    r")"
)


def without_moments(shape: str) -> str:
    """The shape with blanks where dates, times and devices stand, their slots marked as used."""
    return _MASKED.sub(lambda m: "".join(USED if c == SLOT else " " for c in m.group()), shape)


def body_start(masked: str) -> int:
    """Where a line begins behind the logger's prefix: its time, its level, its module."""
    position = 0
    while True:
        match = _PREFIX_PART.match(masked, position)
        if match is None or match.end() == position:
            break
        position = match.end()
    return position
