"""Cuts at random places: which subscripts and reads of a part depend on a number that was drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cmgan_audit.facts.items.making import is_index_of_item
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.turns import is_turned_along_last, turns_of
from cmgan_audit.program.domain.values import (
    BoundMethod,
    ClassValue,
    Const,
    DictValue,
    Draw,
    Instance,
    Listing,
    ListValue,
    Symbol,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.trace import CallEvent, Event, SliceEvent

# Functions that read or cut a part: the argument that says where it starts.
PARTIAL = {
    "torchaudio.load": ("frame_offset", 1),
    "torchaudio.backend.soundfile_backend.load": ("frame_offset", 1),
    "soundfile.read": ("start", 2),
    "librosa.load": ("offset", 3),
    "librosa.core.load": ("offset", 3),
    "torch.narrow": ("start", 2),
}
METHODS = {"narrow": ("start", 1), "seek": ("frames", 0), "setpos": ("pos", 0)}
# How other libraries' readers are told where to begin; those that are told how much to read too read a part. Files that
# are downloaded, rows that are read and tokens that are decoded are no recordings.
_OF_SOUND = r"(?:audio|wave?(?:form)?|sound|signal|speech|sample|frame|flac|mp3|clip|segment|chunk|file)s?"
_READS = regex(
    rf"(?i)_?(?:read|load|(?:read|load|decode)(?:_?{_OF_SOUND})+(?:_(?:to|from|at)_\w+)?|(?:{_OF_SOUND}_?)+(?:read|load|decode))"
)
_BEGINS = ("offset", "frame_offset", "start", "start_time", "start_frame", "start_sec")
_LENGTHS = frozenset({"duration", "num_frames", "frames", "n_frames", "length", "stop", "end", "end_time"})
# Functions that draw some out of several.
PICKS = frozenset({"choice", "choices", "sample"})
_NO_NUMBERS = frozenset("shuffle permutation permuted randperm sample choices multinomial seed".split())
# What draws by a bell curve, and the argument that asks it for more than one number; those that take the size of what
# they are given draw as many as a signal has.
_BELLS = {
    "normal": ("size", 2),
    "standard_normal": ("size", 0),
    "randn": ("size", 0),
    "randn_like": ("input", 0),
    "rand_like": ("input", 0),
}
# Functions that find a place in a signal, and what may be computed of the place.
_SEARCHES = frozenset({"argmax", "argmin", "argwhere", "flatnonzero", "nonzero", "searchsorted"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "min", "max", "int", "round"})
RANDOM_CROP = regex(r"Random(Resized)?(Crop|Chunk|Clip|Segment|Trim)|RandomCrop1D|RandomChunk")


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One cut: the draws that decide where, the most decisive first, and where the event stands among the others.

    What begins the cut comes before what only ends it, and a later draw before an earlier one: an earlier one reaches
    the place of the cut through the bounds of the later.
    """

    draws: tuple[Draw, ...]
    place: Location
    event: Event
    position: int
    begins: bool = True  # whether a draw says where it begins, not only where it ends

    @property
    def repeats(self) -> bool:
        """Whether all its draws repeat themselves."""
        return all(draw.seeded for draw in self.draws)


def cuts_in(events: Sequence[Event]) -> Iterator[Cut]:
    """The cuts by draws that are made inside one reading of an item."""
    numbers: dict[Location, int] = {}
    for position, event in enumerate(events):
        if isinstance(event, CallEvent) and draws_a_number(event):
            numbers[event.location] = position
    for draw in _of_items(events):
        numbers.pop(draw.location, None)
    for position, event in enumerate(events):
        draws, place = _cut(event)
        fresh = [draw for draw in draws if draw.location in numbers and not isinstance(draw, Listing)]
        if isinstance(event, CallEvent) and _crops_by_its_name(event):
            fresh = fresh or [Draw(event.callee.removesuffix(".__call__"), event.location)]
        if fresh:
            begins = _begin_draws(event.index) | _turned(event) if isinstance(event, SliceEvent) else draws
            fresh.sort(key=lambda draw: (draw not in begins, -numbers.get(draw.location, position), str(draw.location)))
            yield Cut(tuple(fresh), place, event, position, fresh[0] in begins)


def _of_items(events: Sequence[Event]) -> Iterator[Draw]:
    """The draws that say which item is taken, as in `return self[random.randrange(len(self))]` after a failure.

    What is read then depends on the draw, and so does its length, as behind a drawn file name. A function that is given
    the index of the item at one place takes another item where it is given a draw: `return self.load(index)`.
    """
    calls = [event for event in events if isinstance(event, CallEvent)]
    asked = {(call.callee, key) for call in calls for key, value in _given(call) if is_index_of_item(value)}
    for call in calls:
        asks = call.callee.rpartition(".")[2] == "__getitem__"
        for key, value in _given(call):
            if (asks or (call.callee, key) in asked) and not isinstance(value, ListValue) and not _is_slice(value):
                yield from value.draws


def _given(call: CallEvent) -> Iterator[tuple[int | str, Value]]:
    yield from enumerate(call.arguments.positional)
    yield from call.arguments.keywords.items()


def _crops_by_its_name(event: CallEvent) -> bool:
    """Whether a call is that of a library's crop; a class of the tree is judged by what it does, whatever its name."""
    if not RANDOM_CROP.fullmatch(event.callee.removesuffix(".__call__").rpartition(".")[2]):
        return False
    objects = (event.receiver, event.result)
    return not any(isinstance(each, Instance) and isinstance(each.cls, ClassValue) for each in objects)


def draws_a_number(event: CallEvent) -> bool:
    """Whether a call may draw a place: not when it draws a file, a permutation or a subset.

    The recording behind a drawn file name depends on the draw too, and so does its length; that is random mixing, not
    a random cut. Neither does it when it makes noise: how long that is does not depend on what is drawn.
    """
    member = event.callee.rpartition(".")[2]
    if member in _NO_NUMBERS or _makes_noise(event, member):
        return False
    if member != "choice":
        return True
    pool = event.arguments.get("a", 0)
    if isinstance(pool, Instance):
        return pool.external_name.rpartition(".")[2] in ("range", "arange")
    if isinstance(pool, ListValue):
        return bool(pool.items) and all(isinstance(item, Const) and isinstance(item.value, int) for item in pool.items)
    return isinstance(pool, Symbol) or (isinstance(pool, Const) and isinstance(pool.value, int))


def _makes_noise(event: CallEvent, member: str) -> bool:
    """Whether a call draws a signal: many numbers by a bell curve, which no place in a recording is drawn by."""
    if member not in _BELLS:
        return False
    if event.arguments.spread is not None:  # as `randn(*signal.shape)`
        return True
    asked = event.arguments.get(*_BELLS[member])
    sizes = event.arguments.positional if member == "randn" and event.arguments.positional else (asked,)
    if isinstance(asked, ListValue):
        sizes = tuple(asked.items)
    return any(size is not None and not (isinstance(size, Const) and size.value in (None, 1)) for size in sizes)


def _cut(event: Event) -> tuple[frozenset[Draw], Location]:
    """The draws that decide where an event cuts, none when it does not cut."""
    if isinstance(event, SliceEvent):
        return (_slice_draws(event.index) | _turned(event) if is_segment(event) else frozenset()), event.location
    if isinstance(event, CallEvent):
        spec = PARTIAL.get(event.callee)
        if spec is None and event.receiver is not None:
            spec = METHODS.get(event.callee.rpartition(".")[2])
        if spec is not None:
            value = event.arguments.get(*spec)
            if value is not None:
                return value.draws, event.location
        return _draws_of_reading(event), event.location
    return frozenset(), event.location


def _draws_of_reading(event: CallEvent) -> frozenset[Draw]:
    """The draws that decide where a reader of a library that is not known begins: `read(path, offset=, duration=)`."""
    given = event.arguments.keywords
    if given.keys().isdisjoint(_LENGTHS) or not _READS.fullmatch(event.callee.rpartition(".")[2]):
        return frozenset()
    if not isinstance(event.result, Instance) or isinstance(event.result.cls, ClassValue):
        return frozenset()  # a function of the tree does what it does
    return next((given[name].draws for name in _BEGINS if name in given), frozenset())


def is_segment(event: SliceEvent) -> bool:
    """Whether a subscript takes a stretch out of a signal, rather than one element of a list of files."""
    if isinstance(event.sliced, ListValue | DictValue | Const):
        return False
    return any(_is_slice(option.value) for option in options_of(event.index))


def _slice_draws(index: Value) -> frozenset[Draw]:
    """The draws that decide where a slice begins: in `rooms[drawn, :]` they only pick one of several."""
    found: frozenset[Draw] = frozenset()
    for option in options_of(index):
        each = option.value
        if isinstance(each, ListValue) and each.kind != "slice":
            found = found.union(*(_slice_draws(item) for item in each.items if _is_slice(item)))
        elif isinstance(each, ListValue) and each.kind == "slice":
            found = found if _evens_out(each) else found.union(*map(_deciding, each.items))
        elif _is_slice(each):
            found |= each.draws
    return found


def _deciding(number: Value) -> frozenset[Draw]:
    """The draws on which a place depends, but for those that only picked the signal it was found in, as a peak is."""
    if isinstance(number, Instance) and number.external_name.rpartition(".")[2] in _SEARCHES:
        return frozenset() if all(map(_is_picked, number.arguments.every)) else number.draws
    computed = number.computed if isinstance(number, Unknown) else None
    if computed is not None and computed.operation == "len" and _is_drawn(computed.operands[0]):
        return frozenset()  # it is as long as was asked for, whatever was drawn
    if computed is None or computed.operation not in _ARITHMETIC:
        return number.draws
    return frozenset[Draw]().union(*map(_deciding, computed.operands))


def _is_drawn(value: Value) -> bool:
    """Whether a value is itself what one draw gave, not something made with it."""
    return isinstance(value, Unknown) and value.computed is None and len(value.draws) == 1


def _is_picked(signal: Value) -> bool:
    """Whether draws reach a signal by a subscript alone: `rooms[:, drawn]`, or what is computed of it."""
    if not signal.draws:
        return True
    if isinstance(signal, Instance):
        own = any(draw.location == signal.location for draw in signal.draws)
        return not own and all(map(_is_picked, signal.arguments.every))
    computed = signal.computed if isinstance(signal, Unknown) else None
    if computed is None:
        return False
    return all(map(_is_picked, computed.operands[:1] if computed.operation == "[]" else computed.operands))


def _turned(event: SliceEvent) -> frozenset[Draw]:
    """The draws by which a signal was turned round of which a fixed part is taken: `np.roll(wav, drawn)[:length]`."""
    draws = turns_of(event.sliced)
    if not draws or not isinstance(event.sliced, Instance) or not isinstance(event.index, ListValue):
        return frozenset()
    parts = [event.index] if event.index.kind == "slice" else event.index.items
    if not isinstance(parts[-1], ListValue) or parts[-1].kind != "slice":
        return frozenset()
    lower, upper, _ = parts[-1].items
    whole = all(isinstance(each, Const) and each.value in (None, 0) for each in (lower, upper))
    along = is_turned_along_last(event.sliced, len(parts))
    return draws if along and not whole and not _is_length(upper) else frozenset()


def _evens_out(cut: ListValue) -> bool:
    """Whether a slice from the beginning ends where another signal does, by what that came to be as long as it is.

    What was resampled to a drawn rate and back is a sample longer or shorter: `both[: min(len(clean), len(noisy))]`.
    """
    lower, upper = cut.items[0], cut.items[1]
    starts = isinstance(lower, Const) and lower.value in (None, 0)
    return starts and bool(upper.draws) and _is_length(upper)


def _is_length(value: Value) -> bool:
    """Whether a number is the length of something, or the least of several: draws reach it through that alone."""
    if isinstance(value, Instance):
        return value.external_name.rpartition(".")[2] == "size"
    if not isinstance(value, Unknown) or value.computed is None:
        return False
    operation, operands = value.computed.operation, value.computed.operands
    if operation == "[]":
        shape = operands[0]
        return isinstance(shape, BoundMethod) and shape.name == "shape" and not _has_given_length(shape.receiver)
    if operation == "len":
        return not _has_given_length(operands[0])
    return operation in ("min", "int") and all(map(_is_length, operands))


def _has_given_length(value: Value) -> bool:
    """Whether something is made of numbers alone, which say how long it is: `np.hanning(drawn)`."""
    return isinstance(value, Instance) and bool(value.arguments.every) and all(map(_is_number, value.arguments.every))


def _is_number(value: Value) -> bool:
    match value:
        case Const():
            return True
        case ListValue(items=items):
            return all(map(_is_number, items))
        case Unknown(computed=None):
            return bool(value.draws)
        case Unknown(computed=made) if made is not None and made.operation != "[]":
            return all(_is_number(each) or _is_length(each) for each in made.operands)
    return False


def _begin_draws(index: Value) -> frozenset[Draw]:
    """The draws on which the lower bounds of a subscript depend."""
    found: frozenset[Draw] = frozenset()
    for option in options_of(index):
        each = option.value
        if isinstance(each, ListValue) and each.kind == "slice":
            found |= each.items[0].draws if each.items else frozenset()
        elif isinstance(each, ListValue):
            found = found.union(*(_begin_draws(item) for item in each.items if _is_slice(item)))
    return found


def _is_slice(index: Value) -> bool:
    if isinstance(index, Instance):
        return index.external_name.rpartition(".")[2] == "slice"
    if isinstance(index, ListValue):
        return index.kind == "slice" or any(_is_slice(item) for item in index.items)
    return False
