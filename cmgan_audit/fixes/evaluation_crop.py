"""CMG201: the evaluation takes the middle of an utterance instead of a random segment; the draw stays for training.

What tells an evaluation object from others is, in this order: nothing, where only the evaluation draws there; a flag
that the objects have; a flag that guards the draw and is not passed; a new parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import cached_property

from cmgan_audit.facts.records import DatasetObject, Draw, Loader
from cmgan_audit.finding import Edit, Location
from cmgan_audit.fixes.case import Case, Repair
from cmgan_audit.fixes.constructors import Constructor, constructor_of
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.draws import fix_draw, guard_draw, method_of
from cmgan_audit.fixes.guards import Guard, guards_around, parameter_of, separation
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import positional_parameters, walk

MODES = ("mode", "split", "crop_mode")
TRAINING, EVALUATION = "train", "test"


def cut_in_the_middle(case: Case) -> Repair:
    """Make the datasets of the evaluation loaders cut at a fixed place."""
    asked = _Asked(case)
    if asked.only_evaluation:
        edits = [edit for draw in asked.places for edit in fix_draw(case.sources, draw)]
        return Repair("cut the middle of the utterance; only the evaluation draws here", tuple(edits))
    told = separation(asked.objects, asked.other_objects)
    if told is not None:
        return Repair(f"cut the middle where {told.name} says evaluation", asked.guarded(told.condition))
    passed = next((repair for guard in asked.guards() if (repair := _pass_flag(asked, guard)) is not None), None)
    return passed if passed is not None else _new_mode(asked)


def _new_mode(asked: _Asked) -> Repair:
    """Give the class a parameter that the evaluation passes, as the draw's condition."""
    asked.refuse_shared_sites()
    constructors = asked.constructors()
    taken = {name for constructor in constructors for name in constructor.names()}
    name = next((each for each in MODES if each not in taken), None)
    if name is None:
        raise UnrecognisedShapeError(f"the class has attributes {', '.join(MODES)} of its own")
    edits = [edit for constructor in constructors for edit in constructor.take_and_keep(name, TRAINING)]
    for place in asked.sites:
        source = asked.case.sources.python(place.path)
        edits.append(source.add_keyword(source.call(place), name, source.literal(EVALUATION)))
    edits += asked.guarded(lambda source: f"self.{name} == {source.literal(TRAINING)}")
    return Repair(f"cut the middle for {name}={EVALUATION!r}, and pass it to the evaluation dataset", tuple(edits))


def _pass_flag(asked: _Asked, guard: Guard) -> Repair | None:
    """Pass the flag that already guards the draw; None where it is passed, or is no argument of the class."""
    if any(dict(each.flags).get(guard.attribute) == guard.excluding for each in asked.objects):
        return None
    names = {parameter_of(constructor.function, guard.attribute) for constructor in asked.constructors()}
    if len(names) != 1 or "" in names:
        return None
    asked.refuse_shared_sites()
    (name,) = names
    edits = []
    for place in asked.sites:
        source = asked.case.sources.python(place.path)
        call, text = source.call(place), source.literal(guard.excluding)
        given = _argument(call, name, asked.constructors()[0])
        if given is None:
            edits.append(source.add_keyword(call, name, text))
        elif isinstance(given, ast.Constant):
            edits.append(source.replace(given, text))
        else:
            raise UnrecognisedShapeError(f"{name} is computed at {place}")
    return Repair(f"pass {name}={guard.excluding!r} to the evaluation dataset", tuple(edits))


def _argument(call: ast.Call, name: str, constructor: Constructor) -> ast.expr | None:
    """What a call passes for a parameter; None where it passes nothing."""
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        raise UnrecognisedShapeError("the arguments of the dataset are spread")
    parameters = [each.arg for each in positional_parameters(constructor.function.args)][1:]
    given = dict(zip(parameters, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    return given.get(name)


@dataclass
class _Asked:
    """The finding as this fixer sees it: draws, the objects that take them, and who else does."""

    case: Case

    @cached_property
    def draws(self) -> list[Draw]:
        """Every draw that the evaluation reaches, with each way to it."""
        found = [draw for loader in self.case.loaders if loader.dataset for draw in loader.dataset.draws]
        if not found:
            raise UnrecognisedShapeError("it is not known where the draw stands")
        return list(dict.fromkeys(found))

    @cached_property
    def places(self) -> list[Draw]:
        """The same, each place once."""
        return list({draw.location: draw for draw in self.draws}.values())

    @cached_property
    def takers(self) -> list[Loader]:
        """All loaders whose datasets reach one of the draws."""
        places = {draw.location for draw in self.draws}
        loaders = [*self.case.loaders, *self.case.other_loaders]
        return [each for each in loaders if each.dataset and any(d.location in places for d in each.dataset.draws)]

    @cached_property
    def objects(self) -> list[DatasetObject]:
        """The evaluation's dataset objects."""
        return _objects(each for each in self.takers if each.evaluates)

    @cached_property
    def other_objects(self) -> list[DatasetObject]:
        """Those of all other loaders that reach one of the draws."""
        return _objects(each for each in self.takers if not each.evaluates)

    @cached_property
    def sites(self) -> list[Location]:
        """The calls that make the evaluation's objects."""
        return list(dict.fromkeys(each.made for each in self.objects))

    @cached_property
    def only_evaluation(self) -> bool:
        """Whether nothing else can take the draw: no other loader does, and nobody else makes such an object."""
        if self.other_objects or any(draw.calls[1:] and not all(c.own for c in draw.calls) for draw in self.draws):
            return False
        for draw in self.draws:
            source, method = method_of(self.case.sources, draw)
            cls = source.class_around(method)
            if cls is None or any(place not in self.sites for place in _uses(self.case, cls.name)):
                return False
        return True

    def guarded(self, condition: Callable[[PythonText], str]) -> tuple[Edit, ...]:
        """The edits that put every draw under a condition."""
        edits = [edit for draw in self.draws for edit in guard_draw(self.case.sources, draw, condition)]
        return tuple(dict.fromkeys(edits))

    def guards(self) -> list[Guard]:
        """The guards that stand around all draws."""
        found = []
        for draw in self.places:
            source = self.case.sources.python(draw.location.path)
            method_source, method = method_of(self.case.sources, draw)
            node = source.call(draw.location)
            found.append(list(guards_around(source, node, method)) if method_source is source else [])
        return [guard for guard in found[0] if all(guard in others for others in found)]

    def constructors(self) -> list[Constructor]:
        """The constructors of the classes whose methods draw."""
        found: dict[ast.ClassDef, Constructor] = {}
        for draw in self.draws:
            source, method = method_of(self.case.sources, draw)
            cls = source.class_around(method)
            for each in self.objects:
                if cls is None or each.cls is None:
                    raise UnrecognisedShapeError(f"the draw at {draw.location} stands in no method of a dataset")
                found[cls] = constructor_of(self.case.sources, each.made, each.cls, source, cls)
        return list(found.values())

    def refuse_shared_sites(self) -> None:
        """Raises UnrecognisedShapeError where one call makes the evaluation's object and another one."""
        shared = {each.made for each in self.other_objects} & set(self.sites)
        for place in sorted(shared, key=str):
            raise UnrecognisedShapeError(f"the call at {place} makes the training's dataset too")


def _objects(loaders: Iterable[Loader]) -> list[DatasetObject]:
    found = [each for loader in loaders if loader.dataset for each in loader.dataset.objects]
    return list(dict.fromkeys(found))


def _uses(case: Case, name: str) -> list[Location]:
    """Where the tree names a class to call it, or derives from it."""
    found = []
    for path, module in case.sources.modules_with(name):
        parsed = case.sources.tree.parsed(path)
        for node in walk(module):
            heads = [node.func] if isinstance(node, ast.Call) else node.bases if isinstance(node, ast.ClassDef) else []
            if parsed and any(getattr(head, "id", getattr(head, "attr", "")) == name for head in heads):
                found.append(parsed.location(node))
    return found
