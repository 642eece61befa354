"""Options that name a setting of the training and that nothing reads once they are parsed.

Told by names, so that a doubt counts as a read: any attribute, key or text of that name in a file of the run, whatever
it belongs to, and any way in which all options together go where names no longer tell.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from functools import cached_property
from pathlib import PurePosixPath

from cmgan_audit.facts.options.parsing import Parsed, parsed_in
from cmgan_audit.facts.options.records import UnreadOption
from cmgan_audit.facts.options.whole import Whole
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.values import known_number
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import DictValue, Instance, ListValue, Value
from cmgan_audit.program.models.command_lines.argparse_state import OptionSpec
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known, certainly
from cmgan_audit.source.syntax import called_name, walk

# Settings that change what is learnt, by the names that trainings give them.
_SETTINGS = regex(
    r"(train_|init_|base_|max_|num_|n_|total_)?(batch_?size|bs|lr|learning_?rate|epochs?|steps|iterations)"
    r"|(gen|disc|g|d|generator|discriminator)_(lr|learning_rate)|lr_(g|d|gen|disc|decay)|weight_decay|wd|momentum"
    r"|beta_?[12]|b[12]|betas|(random_|manual_)?seed|cut_len|segment(_size|_length|_len)?|loss_weights?|lambda_\w+"
    r"|\w+_(loss_)?weight|(grad_)?clip(_\w+)?|max_(grad_)?norm|(grad_)?accum\w*|gradient_accumulation\w*|decay_epochs?"
    r"|warm_?up\w*|gamma|dropout"
)
_BATCH = regex(r"(train_)?(batch_?size|bs)")
# Options that are kept so that old commands still work say so.
_KEPT = regex(
    r"deprecat|legacy|unused|not (yet )?(used|implemented|supported)|no longer|ignored|compat|obsolete|dummy|no effect"
    r"|does nothing|reserved|placeholder|suppress",
    re.IGNORECASE,
)
# Folders of other people's code that a tree holds a copy of.
_COPIES = regex(r"(third|3rd)[-_]?party|vendor(ed|s)?|externals?|extern|submodules?|\w+-(main|master)", re.IGNORECASE)
_LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE")
# Where names end: what a call does with all options is not told by what it is called.
_HARMLESS = regex(
    r"(torch\.)?multiprocessing\..*|(functools|threading|concurrent)\..*"  # these call what is followed
    r"|builtins\.\w+|(json|yaml|pprint|logging|torch\.save|copy|wandb|argparse|os|time|tensorboardX|\?)\b.*"
    r"|torch\.utils\.tensorboard\..*|.*\.(info|debug|warning|print|log|write|dump|dumps|add_text|add_hparams)"
)


def unread_options(view: View) -> Iterator[UnreadOption]:
    """A record for every option of a training run that is called as a setting of the training and is not read."""
    if not view.scene.is_reached or not view.scene.trains:
        return
    reads: _Mentions | None = None
    done: set[object] = set()
    for parsed in parsed_in(view):
        for spec in parsed.state.options:
            if spec.place in done or spec.action != "store" or not spec.flags or not _SETTINGS.fullmatch(spec.dest):
                continue
            done.add(spec.place)
            if _is_kept(view, spec) or _is_copy(view, spec.place.path):
                continue
            reads = reads or _Mentions(view)
            if not reads.has(spec) and not reads.are_open:
                yield _record(view, parsed, spec)


def _record(view: View, parsed: Parsed, spec: OptionSpec) -> UnreadOption:
    trail = [
        Step(spec.place, f"{spec.name} is declared here"),
        Step(parsed.call, "the command line is parsed here, and nothing reads it afterwards"),
    ]
    instead = ""
    for made in view.made_for(TRAIN) if _BATCH.fullmatch(spec.dest) else ():
        loader = next(each for one, each in view.made_loaders if one is made)
        size = known_number(loader.batch_size)
        if size is not None and certainly(loader.iterated, True):
            instead = f"the training loader has a batch of {size}"
            trail.append(Step(loader.location, instead))
            break
    return UnreadOption(
        location=spec.place,
        anchor=spec.name,
        name=spec.name,
        instead=instead,
        unread=Known(True, tuple(trail)),
    )


def _is_kept(view: View, spec: OptionSpec) -> bool:
    """Whether an option says of itself that nothing uses it, or is written by a helper that may do more with it."""
    call = view.code.call_at(spec.place)
    if call is None or called_name(call) != "add_argument" or not isinstance(next(iter(call.args), None), ast.Constant):
        return True
    return _KEPT.search(ast.unparse(call)) is not None


def _is_copy(view: View, path: str) -> bool:
    """Whether a file belongs to a copy of another project: options that nothing reads are those of its authors."""
    folders = [each.as_posix() for each in PurePosixPath(path).parents][:-1]
    licences = (f"{folder}/{name}" for folder in folders for name in _LICENCES)
    named = any(_COPIES.fullmatch(PurePosixPath(each).name) for each in folders)
    return named or any(view.tree.locate(each) is not None for each in licences)


@dataclass(eq=False)
class _Mentions:
    """What the files of a run name by attributes, keys and texts."""

    view: View
    _of_files: dict[str, frozenset[str]] = field(default_factory=dict)

    def has(self, spec: OptionSpec) -> bool:
        """Whether something may read an option: in the run, or, of a parser that files share, in the whole tree."""
        view = self.view
        if any(_asks_for(self._content(path), spec.dest) for path in view.code.files):
            return True
        everywhere = (*view.tree.python_files, *view.tree.notebooks)
        if spec.place.path != view.scene.run.entry:
            return any(self._names(path, spec) for path in everywhere)
        if any(self._names(path, spec) for path in view.code.files):
            return True
        others = set(everywhere).difference(view.code.files) if any(each.are_stored for each in self._whole) else ()
        return any(self._names(path, spec) and spec.dest not in self._declared(path) for path in others)

    def _names(self, path: str, spec: OptionSpec) -> bool:
        return spec.dest.encode() in self._content(path) and spec.dest in self._in(path)

    def _content(self, path: str) -> bytes:
        return self.view.tree.read_bytes(path) or b""

    def _declared(self, path: str) -> frozenset[str]:
        """The options of a file's own parsers, as far as their flags are written there."""
        tree = self.view.tree.module(path)
        calls = (each for each in walk(tree) if isinstance(each, ast.Call)) if tree is not None else ()
        flags = (each for call in calls if called_name(call) == "add_argument" for each in call.args)
        texts = (each.value for each in flags if isinstance(each, ast.Constant) and isinstance(each.value, str))
        return frozenset(text.lstrip("-").replace("-", "_") for text in texts)

    @cached_property
    def _whole(self) -> tuple[Whole, ...]:
        code, trees = self.view.code, ((path, self.view.tree.module(path)) for path in self.view.code.files)
        return tuple(Whole(code, path, tree) for path, tree in trees if tree is not None)

    def _in(self, path: str) -> frozenset[str]:
        if path not in self._of_files:
            tree = self.view.tree.module(path)
            self._of_files[path] = (
                frozenset(_named_in(tree, spreads=self._spreads)) if tree is not None else frozenset()
            )
        return self._of_files[path]

    @cached_property
    def _spreads(self) -> bool:
        return any(
            _spreads_in(tree) for path in self.view.code.files if (tree := self.view.tree.module(path)) is not None
        )

    @cached_property
    def are_open(self) -> bool:
        """Whether all options go together where names do not tell what is read of them."""
        namespaces = [
            value for event in self.view.scene.calls if _parses(event.callee) for value in _held(event.result)
        ]
        for event in self.view.scene.calls if namespaces else ():
            given = event.arguments.every
            if not any(each in namespaces for value in given for each in _and_items(value)):
                continue
            if event.callee.startswith("copy."):
                namespaces += _held(event.result)
            elif not _HARMLESS.fullmatch(canonical(event.callee)) and not self._is_followed(event.callee):
                return True
        return any(each.may_be_read for each in self._whole)

    def _is_followed(self, callee: str) -> bool:
        """Whether a call is one of the tree's own functions, whose reads are seen."""
        own = {each.name for each in self.view.code.reached if each.name != "<module>"}
        last = callee.rpartition(".")[2]
        return any(name == callee or name.rpartition(".")[2] == last or name.startswith(f"{last}.") for name in own)


def _asks_for(content: bytes, name: str) -> bool:
    """Whether a line has an attribute of a name, neither set nor called, and in no comment: `args.batch_size`.

    Nearly all options are read so, and a file's syntax tree takes many times as long to look through. What a default
    of an option is taken from is no read of the option.
    """
    if name.encode() not in content:
        return False
    line = rb"^(?![^\n]*(?:default|add_argument))[^#\n]*"
    attribute = rb"[\w)\]](?<!\bself)\." + name.encode() + rb"\b(?!\s*(?:[-+*/]?=[^=]|[(:]))"
    return re.search(line + attribute, content, re.MULTILINE) is not None


def _spreads_in(tree: ast.Module) -> bool:
    """Whether a call takes its keywords out of something: not where a function hands on those that it was given."""
    handed = {node.kwarg.arg for node in walk(tree) if isinstance(node, ast.arguments) and node.kwarg is not None}
    spread = (
        each.value for node in walk(tree) if isinstance(node, ast.Call) for each in node.keywords if each.arg is None
    )
    return any(not isinstance(each, ast.Name) or each.id not in handed for each in spread)


def _parses(callee: str) -> bool:
    return callee.rpartition(".")[2].startswith("parse")


def _held(value: Value) -> Iterable[Value]:
    items = value.items if isinstance(value, ListValue) else [value]
    return [each for each in items if isinstance(each, DictValue | Instance)]


def _and_items(value: Value) -> Iterable[Value]:
    """A value and what a list or dictionary has in it."""
    match value:
        case ListValue(items=items):
            return (value, *items)
        case DictValue(items=items):
            return (value, *items.values())
    return (value,)


def _named_in(tree: ast.Module, *, spreads: bool) -> Iterator[str]:
    """The names by which something may be read: attributes, keys, texts, and parameters that `**` may fill."""
    nodes = list(walk(tree))
    own: set[ast.AST] = set()
    kept = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node)
    }
    for node in nodes:
        if isinstance(node, ast.Call):
            own.add(node.func)
            if called_name(node) in ("add_argument", "set_defaults"):
                own.update(each for part in (*node.args, *node.keywords) for each in walk(part))
        elif isinstance(node, ast.Dict):
            own.update(each for each in node.keys if each is not None)
        elif isinstance(node, ast.Subscript) and "param_group" in ast.unparse(node.value):
            own.add(node.slice)
    for node in nodes:
        if node in own:
            continue
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()) if not (name in kept and _is_self(node)):
                yield name
            case ast.Constant(value=str() as text) if len(text) < 400:
                yield text
                yield from re.findall(r"[{(](\w+)", text)
            case ast.arg(arg=name) if spreads:
                yield name


def _is_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"
