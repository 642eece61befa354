"""What the package imports is what it declares: nothing comes in by chance, nothing is installed for nothing."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Modules of the standard library that only some of the Pythons have which are supported.
OTHER_PYTHONS = {"_sha2", "_sha256"}


def test_what_is_imported_is_declared_and_the_other_way_round():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    users = ("plot", "eval", "onnx")
    wanted = [*project["dependencies"], *(text for extra in users for text in project["optional-dependencies"][extra])]
    declared = {_name(text) for text in wanted} - {"cmgan-audit"}

    homes = packages_distributions()
    imported = {_name(home) for module in _imported_modules() for home in homes[module]}

    assert imported == declared


def _name(requirement: str) -> str:
    written = re.match(r"[\w.-]+", requirement)
    assert written is not None, requirement
    return re.sub(r"[-_.]+", "-", written[0]).lower()


def _imported_modules() -> set[str]:
    found = set()
    for path in (ROOT / "cmgan_audit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").partition(".")[0])
    return found - sys.stdlib_module_names - OTHER_PYTHONS - {"cmgan_audit"}
