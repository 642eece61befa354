"""`match` statements: cases that compare with constants are decided like a chain of `if`."""

from __future__ import annotations

import ast

from cmgan_audit.program.domain.facts import Facts
from cmgan_audit.program.domain.joins import Branch
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import Unknown, Value
from cmgan_audit.program.execution.branches import Flow, Side, fork, sides_of, truth
from cmgan_audit.program.execution.imports import bind_name
from cmgan_audit.program.execution.interpreter import Interpreter


def execute_match(it: Interpreter, node: ast.Match) -> Flow:
    """The first case that certainly fits; the cases that may fit are joined."""
    from cmgan_audit.program.language.expressions import evaluate
    from cmgan_audit.program.language.statements import execute_block

    subject = it.read(evaluate(it, node.subject))
    sides: list[Side[Flow]] = []
    subject_text = it.text(node.subject, 40)
    missed: Facts = frozenset()  # what is known where none of the cases before fits
    for case in node.cases:
        fits = _fits(it, subject, case.pattern)
        if case.guard is not None and fits is not False:
            fits = truth(it, evaluate(it, case.guard)) if fits else None
        if fits is False:
            continue
        hit, miss = _sides(it, subject, case.pattern, f"{subject_text} is {it.text(case.pattern, 40)}")

        def run(case: ast.match_case = case) -> Flow:
            _bind(it, case.pattern, subject)
            return execute_block(it, case.body)

        if fits and not sides:
            return run()
        sides.append(Side(Branch(hit.text, hit.facts | missed), it.location(case.pattern), run))
        if fits:
            break
        if case.guard is None:
            missed |= miss.facts
    else:
        sides.append(Side(Branch("no case fits", missed), it.location(node), lambda: Flow.NEXT))
    return fork(it, sides, drawn(subject))


def _sides(it: Interpreter, subject: Value, pattern: ast.pattern, text: str) -> tuple[Branch, Branch]:
    """Both sides of a case: it fits, and it does not."""
    if isinstance(pattern, ast.MatchValue):
        return sides_of(it, _compared(it, subject, pattern), text)
    return Branch(text), Branch("")


def _compared(it: Interpreter, subject: Value, pattern: ast.MatchValue) -> Value:
    from cmgan_audit.program.language.expressions import evaluate
    from cmgan_audit.program.language.operators import compare, paired

    return paired(it, subject, evaluate(it, pattern.value), lambda a, b: compare(it, ast.Eq, a, b))


def _fits(it: Interpreter, subject: Value, pattern: ast.pattern) -> bool | None:
    from cmgan_audit.program.language.operators import compare, paired

    match pattern:
        case ast.MatchValue():
            return truth(it, _compared(it, subject, pattern))
        case ast.MatchSingleton():
            from cmgan_audit.program.domain.values import Const

            wanted = Const(value=pattern.value)
            return truth(it, paired(it, subject, wanted, lambda a, b: compare(it, ast.Is, a, b)))
        case ast.MatchOr():
            verdicts = [_fits(it, subject, inner) for inner in pattern.patterns]
            return True if True in verdicts else (None if None in verdicts else False)
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs():
            return _fits(it, subject, pattern.pattern) if pattern.pattern is not None else True
    return None


def _bind(it: Interpreter, pattern: ast.pattern, subject: Value) -> None:
    scope = it.activation.environment
    if isinstance(pattern, ast.MatchAs) and pattern.name is not None:
        bind_name(it, scope, pattern.name, subject)
        return
    for inner in ast.walk(pattern):
        if isinstance(inner, ast.MatchAs | ast.MatchStar) and inner.name is not None:
            bind_name(it, scope, inner.name, Unknown(reason="a part of what is matched", draws=drawn(subject)))
