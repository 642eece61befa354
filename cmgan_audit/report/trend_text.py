"""The terminal view of `trend`: verdict, series annotated where they changed, findings, and what was left out."""

from __future__ import annotations

from collections import defaultdict

from cmgan_audit.finding import Finding, Severity
from cmgan_audit.logs.judging import Judgement, ends_in_a_plunge, says_only_the_best, scatters_too_much
from cmgan_audit.logs.raising import shown
from cmgan_audit.logs.search import Search
from cmgan_audit.logs.selection.judged import JudgedSeries
from cmgan_audit.logs.symptoms.course import learning_rate_steps
from cmgan_audit.report.trend_axes import how_far_it_fell
from cmgan_audit.report.wording import count
from cmgan_audit.statistics.trend import best_index

_STYLE = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[33m", Severity.NOTE: "\x1b[36m"}
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_ROWS = 14
_EVENTS = 4
_BAR = 24
_PER_RULE = 3
_TABLES = 6
_HEADS = 12
_SENTENCES = {
    "degraded": "degraded: a metric fell from its best and stayed down",
    "healthy": "healthy: no metric fell and stayed down",
    "undecided": "undecided: the logs do not tell whether a metric fell and stays down",
}
_ROSE = "degraded: a metric for which lower is better rose from its best and stayed up"
_PLUNGED = "undecided: the last evaluation is far worse than those before it: it failed, or a collapse begins"
_WITHOUT_SCORE = "undecided: the last evaluation gave no score, so how the metric went on is not known"
_ANEW = "; the log counts from here on anew"
_SCATTERS = "undecided: the scores scatter too much for evaluations of a test set, so that a fall would not be seen"
_ONLY_BEST = "undecided: the log has only the scores that improved, so that a fall would not be seen"
_NO_METRIC = "undecided: the logs hold no metric that could have fallen"
_UNASKED = "undecided: a metric fell and stayed down, and CMG801, which judges that, is not among the rules"
_BELOW_THRESHOLD = "undecided: a metric fell and stayed down, by less than what --fail-on makes a regression"
_ORIGIN = {
    "measured": "measured on this series",
    "table": "what random crops of this number and length do",
    "assumed": "assumed: fewer than 8 evaluations; give --utterances and --seconds if the crops are random",
}


def sentence(judgement: Judgement, verdict: str) -> str:
    """The verdict in words; where no metric fell, errors of another kind are named with it."""
    if verdict == "healthy" and judgement.errors:
        return f"no metric fell and stayed down, but {count(judgement.errors, 'error')} of another kind"
    if not judgement.judged:
        return _NO_METRIC
    declined = [one for one in judgement.judged if one.decline is not None and one.decline.counts]
    if verdict == "degraded" and declined and not any(one.higher for one in declined):
        return _ROSE
    if verdict == "undecided" and judgement.fell_unasked:
        return _UNASKED
    if verdict == "undecided" and declined:
        return _BELOW_THRESHOLD
    if verdict == "undecided" and any(one.ends_without_score for one in judgement.judged):
        return _WITHOUT_SCORE
    if verdict == "undecided" and any(ends_in_a_plunge(one) for one in judgement.judged):
        return _PLUNGED
    if verdict == "undecided" and any(says_only_the_best(one) for one in judgement.judged):
        return _ONLY_BEST
    if verdict == "undecided" and any(scatters_too_much(one) for one in judgement.judged):
        return _SCATTERS
    return _SENTENCES[verdict]


class TrendText:
    """Writes the view; `color` adds escape codes."""

    def __init__(self, color: bool) -> None:
        self.color = color
        self.lines: list[str] = []

    def render(self, found: Search, judgement: Judgement, verdict: str) -> str:
        """The whole view as text."""
        findings: dict[str, list[Finding]] = defaultdict(list)
        for finding in judgement.findings:
            findings[f"{finding.evidence.get('run')}|{finding.evidence.get('series')}"].append(finding)
        self.lines.append(self._styled(sentence(judgement, verdict), _BOLD))
        # What fell comes first, and a single value, which shows no trend, last.
        order = sorted(judgement.judged, key=lambda one: (*how_far_it_fell(one), len(one.series) < 2))
        for one in order[:_TABLES]:
            self._table(one, findings[f"{one.run.title}|{one.series.name}"])
        for one in order[_TABLES : _TABLES + _HEADS]:
            self.lines.append("")
            self.lines.append(self._head(one))
        if len(order) > _TABLES + _HEADS:
            self.lines += ["", f"and {len(order) - _TABLES - _HEADS} more series (all of them: --format json)"]
        self._findings(judgement.findings)
        self._left_out(found)
        return "\n".join(self.lines) + "\n"

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if self.color else text

    def _head(self, one: JudgedSeries) -> str:
        series = one.series
        if not len(series):
            return f"{one.run.title}: {series.name}: no value that is a score"
        best = best_index(series.ys, one.higher)
        return (
            f"{one.run.title}: {series.name}, {len(series)} evaluation{'s' * (len(series) != 1)}, "
            f"best {shown(series.ys[best])} at {series.x_kind} {shown(series.xs[best])}, last {shown(series.ys[-1])}"
            f"{one.without_score}{one.from_batches}"
        )

    def _table(self, one: JudgedSeries, findings: list[Finding]) -> None:
        self.lines += ["", self._styled(self._head(one), _BOLD)]
        series = one.series
        if len(series) < 2:
            return
        floor = one.floor
        self.lines.append(f"  noise floor {shown(floor.half_width)} ({_ORIGIN[floor.origin]})")
        best = best_index(series.ys, one.higher)
        since = one.decline.since if one.decline else None
        events = {x: f"learning rate {a:g} -> {b:g}" for x, a, b in learning_rate_steps(one.run, series.x_kind)}
        events |= {restart.x: "resumed" + _ANEW * restart.anew for restart in one.run.restarts}
        low, high = min(series.ys), max(series.ys)
        previous = -1
        for i in self._rows(one, best, since, list(events)):
            if i > previous + 1:
                self.lines.append(self._styled(f"  {'...':>9}  {i - previous - 1} evaluations", _DIM))
            passed = [event for x, event in events.items() if previous >= 0 and series.xs[previous] < x <= series.xs[i]]
            more = [f"{len(passed) - _EVENTS} more like these"] if len(passed) > _EVENTS else []
            for event in [*passed[:_EVENTS], *more]:
                self.lines.append(self._styled(f"  {'':>9}  -- {event}", _DIM))
            if i == since:
                worst = next((f for f in findings if f.rule == "CMG801"), None)
                if worst is not None:
                    side = one.words["side"]
                    text = (
                        f"-- {worst.rule} {worst.severity.value}: from here on {side} the best by more than the floor"
                    )
                    self.lines.append(self._styled(f"  {'':>9}  {text}", _STYLE[worst.severity]))
            self._row(one, i, best, low, high)
            previous = i

    def _rows(self, one: JudgedSeries, best: int, since: int | None, events: list[float]) -> list[int]:
        """All evaluations of a short series; of a long one the ends, and what surrounds best, change and events."""
        n = len(one.series)
        if n <= _ROWS:
            return list(range(n))
        wanted = {0, 1, n - 3, n - 2, n - 1, best - 1, best, best + 1}
        if since is not None:
            wanted |= {since - 1, since, since + 1}
        for event in events[:_EVENTS]:
            behind = next((i for i, x in enumerate(one.series.xs) if x >= event), n - 1)
            wanted |= {behind - 1, behind}
        return sorted(i for i in wanted if 0 <= i < n)

    def _row(self, one: JudgedSeries, i: int, best: int, low: float, high: float) -> None:
        series = one.series
        x, y = series.xs[i], series.ys[i]
        share = (y - low) / (high - low) if high > low else 1.0
        bar = "#" * (1 + round(share * (_BAR - 1)))
        marks = []
        if i == best:
            marks.append("best")
        elif abs(y - series.ys[best]) > one.floor.half_width and i > best:
            marks.append(f"{y - series.ys[best]:+.4g}")
        if i == len(series) - 1:
            marks.append("last")
        tail = f"  {', '.join(marks)}" if marks else ""
        self.lines.append(f"  {shown(x):>9}  {y:<8.4f} {bar:<{_BAR}}{tail}".rstrip())

    def _findings(self, findings: list[Finding]) -> None:
        if findings:
            self.lines.append("")
        told: dict[tuple[str, Severity], int] = defaultdict(int)
        for finding in findings:
            key = (finding.rule, finding.severity)
            told[key] += 1
            if told[key] > _PER_RULE:
                continue
            severity = self._styled(finding.severity.value, _STYLE[finding.severity])
            self.lines.append(f"{finding.location}: {severity} {finding.rule} {finding.name}")
            self.lines.append(f"  {finding.message}")
        more = [f"{count(n - _PER_RULE, f'more {s.value}')} {rule}" for (rule, s), n in told.items() if n > _PER_RULE]
        if more:
            self.lines.append(f"and {', '.join(more)} (all of them: --format json)")
        counts = [(s, sum(1 for f in findings if f.severity is s)) for s in reversed(list(Severity))]
        words = ", ".join(f"{n} {s.value}{'s' * (n != 1)}" for s, n in counts if n)
        self.lines += ["", words or "no findings"]

    def _left_out(self, found: Search) -> None:
        for note in found.failed:
            self.lines.append(f"not read: {note}")
        notes = [note for reading in found.readings for note in reading.notes]
        notes += [note for note in found.notes if note.of_a_list]
        for note in notes[:8]:
            self.lines.append(self._styled(f"{note}", _DIM))
        if len(notes) > 8:
            self.lines.append(self._styled(f"and {len(notes) - 8} more remarks on what was not understood", _DIM))
        if found.without_series:
            n = len(found.without_series)
            names = ", ".join(found.without_series[:3]) + (", ..." if n > 3 else "")
            self.lines.append(self._styled(f"{n} file{'s' * (n != 1)} without metrics and losses: {names}", _DIM))
