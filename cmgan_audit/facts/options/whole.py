"""Options that are taken all together, by names that are values: no name in the source tells then what is read of them.

`vars(args)`, `args.__dict__` and `getattr(args, name)` may end in print, in a log or in a file, as the options of most
trainings do. Wherever else they go, each option may be read there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from cmgan_audit.facts.code import Code
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.syntax import called_name, names_in, walk

# Calls that show or keep what they are given.
_SHOWS = regex(
    r"print|len|isinstance|logging\.\w+|wandb\.\w+|torch\.save|(\w+\.)*(parse_(known_)?args|add_text|add_hparams|save)"
    r"|(\w+\.)*(log|write|print|pprint|dump|info|debug|warning)(_?\w+)?"
)
# Calls whose answer holds what they are given.
_HOLDS = regex(
    r"str|repr|getattr|dict|list|tuple|sorted|map|enumerate|zip|max|(json|yaml)\.dumps?|(pprint\.)?pformat|(copy\.)?(deep)?copy"
    r"|argparse\.Namespace|(\w+\.)*(join|format|items|keys|values)|[\"'].*\.(join|format)"
)
_EVALUATES = frozenset({"globals", "locals", "exec", "eval"})
_PARTS = frozenset({"items", "keys", "values", "copy"})
_ASKS = frozenset({"get", "pop", "setdefault"})
# What a checkpoint or a table for a log is held by.
_KEPT = regex(r"ckpt|check_?point|state|save|log|meta|info", re.IGNORECASE)
_OPTIONS = regex(r"args?|opts?|options|hparams|hps?|h|conf|config|cfg|flags|params")
_CALLED_OPTIONS = regex(r"arg|opt(?!im)|param|conf|cfg|flag|setting|namespace|\bhp?s?$", re.IGNORECASE)
_STORING = frozenset({"save", "save_checkpoint", "save_model", "dump", "dumps", "safe_dump"})


@dataclass(eq=False)
class Whole:
    """What one file of a run does with options that it takes all together."""

    code: Code
    path: str
    tree: ast.Module

    @cached_property
    def may_be_read(self) -> bool:
        """Whether they go where any of them may be read."""
        for node in walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _EVALUATES:
                return True
            if self._takes_all(node) and not self._only_shown(node, set()):
                return True
        return False

    @cached_property
    def are_stored(self) -> bool:
        """Whether they are written into a file, such as a checkpoint, where another program may read them."""
        for call in walk(self.tree):
            if isinstance(call, ast.Call) and called_name(call) in _STORING:
                for each in walk(call):
                    if isinstance(each, ast.Name) and _OPTIONS.fullmatch(each.id) and not self._is_part(each):
                        return True
        return False

    def _is_part(self, name: ast.Name) -> bool:
        parent = next(self.code.parents(self.path, name), None)
        return isinstance(parent, ast.Attribute) and parent.attr != "__dict__"

    @cached_property
    def _imported(self) -> frozenset[str]:
        imports = (each for each in walk(self.tree) if isinstance(each, ast.Import | ast.ImportFrom))
        return frozenset((alias.asname or alias.name).partition(".")[0] for each in imports for alias in each.names)

    def _takes_all(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="vars"), args=[holder]):
                return self._may_be_options(holder)
            case ast.Call(func=ast.Name(id="getattr"), args=[holder, name, *_]):
                return not isinstance(name, ast.Constant) and self._may_be_options(holder)
            case ast.Call(func=ast.Attribute(value=holder, attr="_get_kwargs")):
                return self._may_be_options(holder)
            case (
                ast.Attribute(value=ast.Name(id="wandb"), attr="config")
                | ast.Attribute(value=ast.Name(id="sys"), attr="argv")
            ):
                return True
            case ast.Attribute(value=holder, attr="__dict__", ctx=ast.Load()):
                return self._may_be_options(holder)
        return False

    def _may_be_options(self, holder: ast.expr) -> bool:
        """Whether something may be the options.

        An object in its own methods is not: they would first be put into it. What is imported is by its name only.
        """
        root = holder
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Call):
            return called_name(root).startswith("parse")
        if isinstance(holder, ast.Name) and holder.id == "self":
            return False
        imported = isinstance(root, ast.Name) and root.id in self._imported
        return not imported or _CALLED_OPTIONS.search(ast.unparse(holder)) is not None

    def _only_shown(self, node: ast.AST, followed: set[str]) -> bool:
        """Whether a value is only printed, logged or written, or asked for parts whose names the source tells.

        `followed` gathers the variables that it is held by, each of which is looked at once.
        """
        for parent in self.code.parents(self.path, node):
            match parent:
                case ast.Attribute(attr=name) if name not in _PARTS:
                    match next(self.code.parents(self.path, parent), None):
                        case ast.Call(func=asked, args=[key, *_]) if asked is parent and name in _ASKS:
                            return isinstance(key, ast.Constant)
                    return True
                case ast.Subscript(value=value, slice=index) if value is node:
                    if isinstance(index, ast.Constant):
                        return isinstance(index.value, str) or ast.unparse(value) == "sys.argv"
                    if not isinstance(index, ast.Slice):
                        return False
                case ast.Subscript():
                    return False
                case ast.Call(func=function) if function is not node:
                    name = ast.unparse(function)
                    if _SHOWS.fullmatch(name):
                        return True
                    if not _HOLDS.fullmatch(name):
                        return False
                case ast.Compare() | ast.Expr() | ast.Assert():
                    return True
                case ast.If(test=test) | ast.While(test=test) if test is node:
                    return True
                case ast.comprehension(target=target, iter=iterated) if node is iterated:
                    made = next(self.code.parents(self.path, parent), None)
                    outside = set(walk(iterated))
                    of_items = [
                        each for each in _loads(names_in(target), [made] if made else []) if each not in outside
                    ]
                    return all(self._only_shown(each, followed) for each in of_items)
                case ast.For(target=target, body=body) if node is not target:
                    return all(self._only_shown(each, followed) for each in _loads(names_in(target), body))
                case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                    return self._is_kept_in(target, parent, followed)
                case ast.stmt():
                    return False
            node = parent
        return False

    def _is_kept_in(self, target: ast.expr, statement: ast.stmt, followed: set[str]) -> bool:
        match target:
            case ast.Subscript(value=holder, slice=ast.Constant()):
                return _KEPT.search(ast.unparse(holder)) is not None
            case ast.Name(id=name) if name in followed:
                return True
            case ast.Name(id=name):
                followed.add(name)
                around = self.code.around(self.path, statement)
                body: list[ast.AST] = [around.node if around is not None else self.tree]
                return all(self._only_shown(each, followed) for each in _loads({name}, body))
        return False


def _loads(names: set[str], body: Sequence[ast.AST]) -> Iterator[ast.Name]:
    for each in body:
        for node in walk(each):
            if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load):
                yield node
