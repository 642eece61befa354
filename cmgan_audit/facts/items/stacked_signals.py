"""What an item lays side by side: segments of one recording, which make a batch, or signals of several kinds.

torch.stack([cut(clean) for _ in range(4)])    # segments
torch.stack([noisy, clean])                    # two signals
torch.stack([read(path) for path in self.microphones])   # channels, or the recordings of a batch
"""

from __future__ import annotations

import ast

from cmgan_audit.facts.bindings import given_to
from cmgan_audit.facts.code import Code
from cmgan_audit.finding import Location
from cmgan_audit.source.syntax import names_in, walk

# How many names and methods an expression is followed back through.
_FAR = 4


def are_signals(code: Code, place: Location) -> bool:
    """Whether the call at a place stacks what comes from several signals, not from one that is cut."""
    call, path = code.call_at(place), place.path
    held = call.args[0] if call is not None and call.args else None
    if isinstance(held, ast.Name):
        held = given_to(code, path, held)
    match held:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            origins = {_origin(code, path, part) for part in parts}
            return len(origins) > 1 and not any(isinstance(part, ast.Starred) for part in parts)
        case ast.ListComp(elt=item, generators=[loop]) | ast.GeneratorExp(elt=item, generators=[loop]):
            return _goes_over_signals(item, names_in(loop.target))
    return False


def _origin(code: Code, path: str, signal: ast.expr, far: int = _FAR) -> str:
    """The signal that an expression is a segment of, as text; what a function cuts of it at random is one of these."""
    match signal:
        case ast.Name() if far:
            given = given_to(code, path, signal)
            return signal.id if given is None else _origin(code, path, given, far - 1)
        case ast.Subscript(value=whole, slice=index) if _is_cut(index) and far:
            return _origin(code, path, whole, far - 1)
    return ast.unparse(signal)


def _is_cut(index: ast.expr) -> bool:
    return any(isinstance(part, ast.Slice) for part in walk(index))


def _goes_over_signals(item: ast.expr, counted: set[str]) -> bool:
    """Whether each round takes another channel, `wave[number]`, or reads another recording, `read(path)`.

    Places in one signal, `wave[start : start + size]` and `cut(wave, start)`, are segments of it.
    """
    match item:
        case ast.Subscript(slice=index) if not _is_cut(index):
            return bool(names_in(index) & counted)
        case ast.Subscript(value=whole):
            return _goes_over_signals(whole, counted)
        case ast.Call(args=given):
            names = names_in(*given) - {"self"}
            return bool(names) and names <= counted
    return False
