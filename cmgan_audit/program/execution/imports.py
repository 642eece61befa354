"""Imports: a module's top level is executed once per run, when it is first imported, as Python would."""

from __future__ import annotations

import ast

from cmgan_audit.program.domain.values import Const, External, ListValue, ModuleValue, Unknown, Value
from cmgan_audit.program.execution.broken_imports import tell_absent, tell_broken
from cmgan_audit.program.execution.interpreter import Activation, Interpreter
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.execution.trace import Context
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import canonical, from_star


def environment_of(it: Interpreter, module: Module) -> Environment:
    """The names of a module, its top level executed if that has not begun yet."""
    if module.path in it.environments:
        return it.environments[module.path]
    environment = Environment(module, "module")
    it.environments[module.path] = environment
    environment.names["__name__"] = Const(value=module.name)
    environment.names["__file__"] = Const(value=module.path)
    if module.tree is not None:
        run_module(it, module, environment)
    return environment


def run_module(it: Interpreter, module: Module, environment: Environment) -> None:
    """Execute a module's top level; what is written stays, also when the import stands in an undecided branch."""
    from cmgan_audit.program.language.statements import execute_block

    if module.tree is None:
        return
    environment.names["__doc__"] = Const(value=ast.get_docstring(module.tree, clean=False))
    activation = Activation(module, environment)
    outer, facts = it.context, it.facts
    it.context = Context(conditions=outer.conditions, asserted=outer.asserted)
    mark = it.journal.mark()
    try:
        with it.activated(activation, None):
            execute_block(it, module.tree.body)
    finally:
        it.context, it.facts = outer, facts
        it.journal.keep(mark)


def import_module(it: Interpreter, name: str) -> Value:
    """The module of a dotted name, all packages above it imported first."""
    if name.startswith("."):
        level = len(name) - len(name.lstrip("."))
        module = it.index.relative(level, name[level:], it.module)
        return _entered(it, module) if module else Unknown(reason=f"there is no module {name}")
    module = it.index.absolute(name, it.roots_for(name), it.module if it.activations else None)
    if module is None:
        return External(name=canonical(name))
    head = ""
    for part in name.split(".")[:-1]:
        head = f"{head}.{part}" if head else part
        above = it.index.absolute(head, it.roots_for(head), it.module if it.activations else None)
        if above is not None and module.path.startswith(above.folder):
            environment_of(it, above)
    return _entered(it, module)


def _entered(it: Interpreter, module: Module) -> Value:
    environment_of(it, module)
    return ModuleValue(module=module)


def submodule(it: Interpreter, package: Module, name: str) -> Value | None:
    """A module below a package, imported if needed."""
    child = it.index.child(package, name)
    return _entered(it, child) if child is not None else None


def execute_import(it: Interpreter, node: ast.Import) -> None:
    """`import a.b` and `import a.b as c`."""
    environment = it.activation.environment
    for alias in node.names:
        value = import_module(it, alias.name)
        if isinstance(value, External):
            tell_absent(it, node, alias.name)
        if alias.asname is None and "." in alias.name:
            top = alias.name.partition(".")[0]
            value = External(name=top) if isinstance(value, External) else import_module(it, top)
            bind_name(it, environment, top, value)
        else:
            bind_name(it, environment, alias.asname or alias.name, value)


def execute_import_from(it: Interpreter, node: ast.ImportFrom) -> None:
    """`from a import b`, relative ones and `*` included."""
    environment = it.activation.environment
    if node.level:
        module = it.index.relative(node.level, node.module or "", it.module)
        source: Value = (
            _entered(it, module) if module else Unknown(reason=f"there is no module {'.' * node.level}{node.module}")
        )
    else:
        source = import_module(it, node.module or "")
    for alias in node.names:
        if alias.name == "*":
            _import_star(it, environment, source)
        else:
            value = imported(it, source, alias.name)
            if isinstance(value, Unknown | External):
                tell_broken(it, node, source, alias.name)
            bind_name(it, environment, alias.asname or alias.name, value)


def imported(it: Interpreter, source: Value, name: str) -> Value:
    """What `from source import name` gives."""
    if isinstance(source, External):
        return External(name=canonical(f"{source.name}.{name}"))
    if not isinstance(source, ModuleValue):
        return source
    scope = environment_of(it, source.module)
    if name in scope.names:
        return it.read(scope.names[name])
    child = submodule(it, source.module, name)
    if child is not None:
        return child
    library = from_star(scope.stars, name)
    if library is not None:
        return External(name=library)
    getter = scope.names.get("__getattr__")
    return (
        it.attribute(source, name, it.module.location(ast.Pass()))
        if getter is not None
        else Unknown(reason=f"{source.module.path} defines no {name}")
    )


def _import_star(it: Interpreter, environment: Environment, source: Value) -> None:
    if isinstance(source, External):
        environment.stars.append(source.name)
    if not isinstance(source, ModuleValue):
        return
    scope = environment_of(it, source.module)
    listed = scope.names.get("__all__")
    if isinstance(listed, ListValue) and listed.complete:
        names = [item.value for item in listed.items if isinstance(item, Const) and isinstance(item.value, str)]
        for name in names:
            bind_name(it, environment, name, imported(it, source, name))
    else:
        for name, value in list(scope.names.items()):
            if not name.startswith("_"):
                bind_name(it, environment, name, value)
    environment.stars.extend(star for star in scope.stars if star not in environment.stars)


def bind_name(it: Interpreter, environment: Environment, name: str, value: Value) -> None:
    """Assign a name where an assignment in this scope goes."""
    it.journal.set(environment.scope_to_write(name).names, name, value)
