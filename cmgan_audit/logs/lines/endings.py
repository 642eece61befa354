"""Lines that say that a training is over: that its best checkpoint is loaded or evaluated, or a last test begins.

Most trainers end with `Loading best checkpoint for testing`, and below it the words of every evaluation before.
"""

from __future__ import annotations

from cmgan_audit.logs.after_training import part_behind
from cmgan_audit.logs.lines.headers_below import HeadersBelow
from cmgan_audit.logs.series import Run

_MOST = 1 << 12


class Endings:
    """The lines that may say so, by their words."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}

    def say(self, words: str, line: int, count: int) -> None:
        """Lines of one shape, from `line` on, say that a training is over."""
        said = self._lines.setdefault(words, [])
        if len(said) < _MOST:
            said += [line, line + count - 1]

    def settle(self, run: Run, heads: HeadersBelow) -> None:
        """Part the scores from their courses that stand in or below such a line, if no other epoch does.

        What is said again and again, as `best epoch: 7` after every evaluation, is about the training so far.
        """
        last = run.last_place
        once = [at for at in (_said_once(said, run) for said in self._lines.values()) if at]
        if ends := [at for at in once if not heads.comes_to_another(at, last)]:
            part_behind(run, min(ends) - 1)


def _said_once(said: list[int], run: Run) -> int:
    """The last line in a run that says so, 0 where values stand between those that do; processes say it together."""
    within = [at for at in said if run.first_place <= at <= run.last_place]
    if not within:
        return 0
    first, last = within[0], within[-1]
    again = first < last and any(first < place <= last for series in run.series for place in series.places)
    return 0 if again else last
