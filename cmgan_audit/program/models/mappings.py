"""Dictionaries of libraries, above all those whose keys are attributes too: namespaces, EasyDict, Box, Munch."""

from __future__ import annotations

from cmgan_audit.program.domain.containers import value_of
from cmgan_audit.program.domain.reasons import naming
from cmgan_audit.program.domain.values import Const, DictValue, External, Key, ListValue, Unknown, Value
from cmgan_audit.program.models.lifting import as_dict, copied
from cmgan_audit.program.models.registry import ModelCall, listing, model

# Libraries whose nested dictionaries become such objects too.
_NESTED = (
    "easydict.EasyDict",
    "box.Box",
    "box.ConfigBox",
    "munch.munchify",
    "addict.Dict",
    "attrdict.AttrDict",
    "attrdict.AttrMap",
    "dotmap.DotMap",
    "ml_collections.ConfigDict",
    "ml_collections.config_dict.ConfigDict",
    "ml_collections.config_dict.create",
    "ml_collections.FrozenConfigDict",
    "yacs.config.CfgNode",
    "dotted_dict.DottedDict",
    "prodict.Prodict",
    "hydra.utils.DictConfig",
    "lightning.pytorch.utilities.AttributeDict",
    "lightning.fabric.utilities.AttributeDict",
)
_FLAT = (
    "argparse.Namespace",
    "types.SimpleNamespace",
    "munch.Munch",
    "munch.DefaultMunch",
    "optparse.Values",
    "transformers.utils.ModelOutput",
    "tensorflow.contrib.training.HParams",
)
# Of these, the ones that give an empty dictionary or a default, not an error, for a key that they do not hold.
_GIVE_MISSING = frozenset({"addict.Dict", "dotmap.DotMap", "munch.DefaultMunch"})
# Arguments that are no items.
_OWN_WORDS = {"yacs.config.CfgNode": frozenset({"new_allowed", "key_list"})}
_NO_DEFAULT = Const(value=False)


@model(*_FLAT, *_NESTED)
def _mapping(call: ModelCall) -> Value:
    nested = call.callee in _NESTED
    items: dict[Key, Value] = {}
    complete = True
    origin = ""
    for source in call.arguments.positional:
        held = as_dict(source)
        if held is None:
            if not isinstance(source, Const):
                complete = False
                origin = f"{call.callee} of unknown content"
                if isinstance(source, Unknown):
                    origin = naming(f"{origin}: {source.reason}", source.reason)
            continue
        items.update(held.items)
        complete = complete and held.complete
        origin = origin or held.origin
    own = _OWN_WORDS.get(call.callee, frozenset())
    items.update({key: value for key, value in call.arguments.keywords.items() if key not in own})
    complete = complete and not call.arguments.open_kwargs
    boxed = call.arguments.keywords.get("default_box", _NO_DEFAULT)
    gives = call.callee in _GIVE_MISSING or not (isinstance(boxed, Const) and not boxed.value)
    made = DictValue(
        items=items,
        complete=complete,
        attribute_access=True,
        made_by=call.callee,
        origin=origin,
        gives_missing=gives,
    )
    return copied(made, attribute_access=True, gives_missing=gives) if nested else made


@model("collections.OrderedDict")
def _ordered(call: ModelCall) -> Value | None:
    """A dictionary like any other, also as the `object_hook` of a parser; what it is made from has to be known."""
    if not all(isinstance(source, ListValue) or as_dict(source) is not None for source in call.arguments.positional):
        return None
    return call.interpreter.call(External(name="builtins.dict"), call.arguments, call.location)


@model("argparse.Namespace._get_kwargs", "builtins.dict._get_kwargs")
def _get_kwargs(call: ModelCall) -> Value | None:
    held = as_dict(call.receiver) if call.receiver is not None else None
    if held is None:
        return None
    pairs: list[Value] = [listing([value_of(key), held.items[key]], "tuple") for key in sorted(held.items, key=str)]
    return listing(pairs, complete=held.complete)


@model(
    "builtins.dict.to_dict",
    "builtins.dict.toDict",
    "builtins.dict.as_dict",
    "builtins.dict.clone",
    "builtins.dict.copy_and_resolve_references",
    "builtins.dict.__copy__",
    "builtins.dict.deepcopy",
)
def _to_dict(call: ModelCall) -> Value | None:
    """The plain dictionary of an attribute dictionary."""
    if not isinstance(call.receiver, DictValue):
        return None
    keeps = call.callee.endswith(("clone", "__copy__", "deepcopy"))
    plain = None if keeps else False
    return copied(call.receiver, attribute_access=plain, gives_missing=plain)
