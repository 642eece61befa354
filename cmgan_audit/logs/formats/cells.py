"""The cells of a table as numbers."""

from __future__ import annotations

import re

from cmgan_audit.lazy_regex import regex

# `2.64 ± 0.61`, `2.64 +/- 0.61`, `2.64+-6e-1`, `2.64 (±0.61)`: a mean, and how far the utterances scatter about it.
_SPREAD = regex(r"(?<=\d)\s*\(?\s*(?:\u00b1|\+/?-)\s*\d[\d.,]*(?:[eE][-+]?\d+)?\s*\)?$")
_WITH_UNIT = regex(r"([-+]?\d[\d.,]*(?:[eE][-+]?\d+)?)\s*(?:dB|ms|s|sec)$")

# What tables are drawn with: bars between cells as the plain bar, and the characters of lines that only separate.
BARS = str.maketrans("│┃║", "|||")
RULES = frozenset("|-:+= \t─━═┌┬┐├┼┤└┴┘┏┳┓┣╋┫┗┻┛┡╇┩╞╪╡╒╤╕╘╧╛╔╦╗╠╬╣╚╩╝╭╮╰╯")


def parse_number(text: str, decimal_comma: bool) -> float | None:
    """A cell as a number: plain, `2,64` where commas are decimal, `1,234.5` where they group; None if it is none.

    The best value of a Markdown table is often set off: `**2.64**`, `` `2.64` ``, `__2.64__`.
    """
    text = text.strip().strip("*`").replace("\u2212", "-")
    if text.startswith("__") and text.endswith("__"):
        text = text[2:-2]
    if text.endswith("%"):
        text = text[:-1].rstrip()
    if "_" in text:
        return None
    measured = _WITH_UNIT.match(text)
    if measured:
        text = measured.group(1)
    try:
        return float(text)
    except ValueError:
        pass
    if decimal_comma and re.fullmatch(r"[-+]?[\d.]*\d,\d+(?:[eE][-+]?\d+)?", text):
        return float(text.replace(".", "").replace(",", "."))
    if not decimal_comma and re.fullmatch(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    wrapped = re.fullmatch(r"(?:tensor|array)\(\[?([-+.\deE]+)\]?(?:,.*)?\)", text)
    if wrapped:
        return parse_number(wrapped.group(1), False)
    spread = _SPREAD.search(text)
    return None if spread is None else parse_number(text[: spread.start()], decimal_comma)
