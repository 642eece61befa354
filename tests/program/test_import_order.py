"""The modules of the interpreter need each other; whichever is loaded first, all of them are found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cmgan_audit.program

ROOM = Path(cmgan_audit.program.__file__).parent
MODULES = sorted(
    ".".join(("cmgan_audit.program", *path.relative_to(ROOM).with_suffix("").parts))
    for folder in ("execution", "language", "library", "models")
    for path in (ROOM / folder).rglob("*.py")
    if path.stem != "__init__"
)
# One process for all: what has been loaded is forgotten in between, but for Python's own modules.
EACH_FIRST = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [each for each in sys.modules if each.partition(".")[0] == "cmgan_audit"]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(f"{name}: {error}")
"""


def test_each_module_can_be_loaded_first() -> None:
    done = subprocess.run([sys.executable, "-c", EACH_FIRST, *MODULES], capture_output=True, text=True, check=True)
    assert done.stdout == ""
