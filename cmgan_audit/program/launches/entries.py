"""Which files are scripts that can reach code which trains or evaluates.

Files are looked at as bytes first: a script is executed only if it, or a file that it can reach through imports,
mentions a loader or a training step, and only if a library whose objects the facts look at can be met on the way:
Python's own modules are full of loaders. So is one that can reach two of these: a metric of speech, the weights of a
network, recordings. In a tree that trains, so is one that lists folders and writes: it makes the sets.
Names are matched by their last part, so that nothing reachable is left out.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.naming.names import looked_at, training_libraries
from cmgan_audit.source.tree import SourceTree

_MAIN = regex(rb"""if\s*\(?\s*(?:__name__\s*==\s*['"]__main__['"]|['"]__main__['"]\s*==\s*__name__)""")
_TRAINS = regex(rb"[Ll]oader|LightningCLI|\.fit\(|\.backward\(|pytorch_lightning|speechbrain|transformers|_target_")
_NOT_ENTRIES = regex(r"(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|setup|conf|__init__)\.py$|(?:^|/)tests?/")
_OF_TESTS = regex(r"(?:^|[/_])tests?(?:[/_]|$)")
# `train_test.py` and `train_and_test.py` train and then test a network, unless a test runner collects what is in them.
_TRAIN_AND_TEST = regex(r"(?:.*/)?train[^/]*_test\.py")
# Nor does one belong to a test runner that reads the weights of a network: `test_model.py` scores them.
_SCORES = regex(rb"\.load_state_dict\((?!\s*[\w.]+\.state_dict\(\))|\bload_from_checkpoint\(")
# What saves weights to read them again, or compares numbers with those that are expected, only tries code out.
_TRIES = regex(rb"\btorch\.save\(|\btorch\.equal\(|\ballclose\(|\bassert_\w+\(|\babsltest\b")
_COLLECTED = regex(rb"\bpytest\b|\bunittest\b|^(?:async )?def test_|^class Test", re.MULTILINE)
_IMPORT = regex(
    rb"(?:^|[:;])[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([^\n#]+))", re.MULTILINE
)
_WORD = regex(rb"\w+")
# What a file holds whose top level may do something: a block, a call or a text that begins a line, or a statement
# behind a semicolon. A module without any of it is made for importing, and need not be parsed to see that. It may find
# what only looks so, which costs one parse; it must find whatever `_is_action` says of a top level, which would be a
# script that nobody follows. So where lines or columns are not what they look like (form feeds, which set the column
# back, lone carriage returns, a byte order mark), anything counts.
_MAY_ACT = regex(
    rb"""^(?:
        (?:for|while|with|async|if|try)\b
        | (?!(?:from|import)\b)[\w.\x80-\xff]+(?:[ \t]*[(\[\\]|[ \t]+\.|(?<=\.)[ \t])
        | [(\[{0-9.\\]
        | [rRbBuUfF]{0,2}(?:'|"(?!"")|\"{3}[^\n]*\()
        | [^\s\#][^\n]*;
        | @[\w.]+\.automain\b
    )
    | ;[ \t]*[\w(\[{."'\\\x80-\xff]
    | (?:\"{3}|'{3})[ \t]*(?:[.(\[\\]|[rRbBuUfF]{0,2}["'])
    | \f
    | \r(?!\n)
    | \A\xef\xbb\xbf""",
    re.MULTILINE | re.VERBOSE,
)
_BY_NAME = regex(rb"import_module|__import__")
_DYNAMIC = regex(rb"import_module|__import__|instantiate\(|hyperpyyaml|getattr\(")
_LIBRARIES = frozenset(name.encode() for name in looked_at())
_TRAINING_LIBRARIES = frozenset(name.encode() for name in training_libraries())
_METRICS = frozenset(b"pesq pypesq pystoi pysepm torchmetrics speechmetrics museval mir_eval fast_bss_eval".split())
# What reads recordings.
_READERS = frozenset(b"soundfile librosa torchaudio wavfile audioread audio2numpy pydub".split())
# What lists a folder, and what writes a file.
_LISTS = regex(rb"\b(?:listdir|scandir|walk|iterdir|[ir]?glob)\(")
_WRITES = regex(rb"\b(?:shutil\.(?:copy|move)|symlink|dumps?\(|write|save|export\(|to_csv\(|to_json\()")
# A library that is imported by its name as text, or that a configuration file names.
_NAMED = regex(rb"\b(?:" + b"|".join(sorted(_TRAINING_LIBRARIES)) + rb")[.\"']")


def entries(tree: SourceTree) -> list[str]:
    """The scripts: files with a main guard, files whose top level does something, and notebooks."""
    return [path for rank in ranked(tree) for path in rank]


def ranked(tree: SourceTree) -> tuple[list[str], list[str]]:
    """The scripts that train or score, with the notebooks, and those that only make sets or apply a network."""
    relevant, helping = _relevant(tree)
    first: list[str] = []
    helpers: list[str] = []
    for path in tree.python_files:
        if not (path in relevant or path in helping) or _is_no_script(tree, path):
            continue
        if _MAIN.search(tree.read_bytes(path) or b"") or _acts(tree, path):
            (first if path in relevant else helpers).append(path)
    return [*first, *tree.notebooks], helpers


def silent_entries(tree: SourceTree) -> list[str]:
    """Files whose top level only assigns, loaders among it: scripts, unless something imports them."""
    found = []
    for path in tree.python_files:
        content = tree.read_bytes(path) or b""
        if b"DataLoader" not in content or _MAIN.search(content) or _is_no_script(tree, path):
            continue
        if any(_assigns_call(node) for node in _top_level(tree, path)) and not _acts(tree, path):
            found.append(path)
    return found


def _is_no_script(tree: SourceTree, path: str) -> bool:
    """Whether a file is there for a test runner, a package or an installer, as its name tells."""
    if not _NOT_ENTRIES.search(path):
        return False
    in_folder_of_tests = bool(_NOT_ENTRIES.search(posixpath.dirname(path) + "/"))
    if posixpath.basename(path) == "__init__.py" and not _OF_TESTS.search(posixpath.dirname(path)):
        return not _MAIN.search(tree.read_bytes(path) or b"")  # `python __init__.py`, in a folder that is no package
    content = tree.read_bytes(path) or b""
    if in_folder_of_tests or _COLLECTED.search(content):
        return True
    scores = _SCORES.search(content) is not None and _TRIES.search(content) is None
    return not scores and _TRAIN_AND_TEST.fullmatch(path) is None


def _relevant(tree: SourceTree) -> tuple[set[str], set[str]]:
    """The files that reach, in themselves or through imports, both training and a library that is looked at, or that
    score what was trained; and those that make the sets for it, or apply it."""
    imports = {path: _imported_names(tree.read_bytes(path) or b"") for path in tree.python_files}
    importers: dict[bytes, list[str]] = defaultdict(list)
    for path, names in imports.items():
        for name in names:
            importers[name].append(path)
    training = _with_importers(_training(tree), importers) & _with_importers(_with_libraries(tree, imports), importers)
    metrics = _with_importers({path for path, names in imports.items() if not names.isdisjoint(_METRICS)}, importers)
    weights = {path for path in tree.python_files if b".load_state_dict(" in (tree.read_bytes(path) or b"")}
    weights = _with_importers(weights, importers)
    readers = _with_importers({path for path, names in imports.items() if not names.isdisjoint(_READERS)}, importers)
    relevant = training | (metrics & (weights | readers))
    return relevant, ((weights & readers) | (_preparing(tree, importers) if training else set())) - relevant


def _preparing(tree: SourceTree, importers: Mapping[bytes, list[str]]) -> set[str]:
    """The files that list folders and write, and that nobody imports: they make the sets, or lists of their items."""
    found = set()
    for path in tree.python_files:
        content = tree.read_bytes(path) or b""
        if _module_name(path) not in importers and _LISTS.search(content) and _WRITES.search(content):
            found.add(path)
    return found


def _training(tree: SourceTree) -> set[str]:
    """The files that mention training, and scripts that may import anything."""
    found = set()
    for path in tree.python_files:
        content = tree.read_bytes(path) or b""
        if _TRAINS.search(content) or _BY_NAME.search(content) or (_DYNAMIC.search(content) and _MAIN.search(content)):
            found.add(path)
    return found


def _with_libraries(tree: SourceTree, imports: Mapping[str, set[bytes]]) -> set[str]:
    """The files that import a library that is looked at, and those that import by name and so may meet one."""
    found = {path for path, names in imports.items() if not names.isdisjoint(_LIBRARIES)}
    dynamic = {path for path in tree.python_files if _DYNAMIC.search(tree.read_bytes(path) or b"")}
    configurations = [path for path in tree.data_files if path.endswith((".yaml", ".yml"))]
    if not dynamic <= found and (
        any(not imports[path].isdisjoint(_TRAINING_LIBRARIES) for path in found)
        or any(_NAMED.search(tree.read_bytes(path) or b"") for path in (*dynamic, *configurations))
    ):
        return found | dynamic
    return found


def _with_importers(paths: set[str], importers: Mapping[bytes, list[str]]) -> set[str]:
    """The files, and those that import one of them, directly or through others."""
    reached = set(paths)
    waiting = list(paths)
    while waiting:
        for importer in importers.get(_module_name(waiting.pop()), ()):
            if importer not in reached:
                reached.add(importer)
                waiting.append(importer)
    return reached


def _imported_names(content: bytes) -> set[bytes]:
    """The words of all import statements: whatever module is meant, its own name is among them."""
    names: set[bytes] = set()
    for match in _IMPORT.finditer(content):
        for part in match.groups():
            if part is not None:
                names.update(_WORD.findall(part))
    return names


def _module_name(path: str) -> bytes:
    name = posixpath.basename(path)[:-3]
    return (posixpath.basename(posixpath.dirname(path)) if name == "__init__" else name).encode()


def _top_level(tree: SourceTree, path: str) -> list[ast.stmt]:
    parsed = tree.parsed(path)
    return parsed.tree.body if parsed is not None else []


def _acts(tree: SourceTree, path: str) -> bool:
    """Whether a file does something when it is run: its top level loops or calls, not only defines."""
    may = _MAY_ACT.search(tree.read_bytes(path) or b"") is not None
    return may and any(_is_action(node) for node in _top_level(tree, path))


def _is_action(node: ast.stmt) -> bool:
    """A loop, a block or a bare call: a statement that a module made for importing seldom has.

    Sacred runs the function that `@ex.automain` decorates where its file is the script.
    """
    if isinstance(node, ast.FunctionDef):
        return any(isinstance(each, ast.Attribute) and each.attr == "automain" for each in node.decorator_list)
    if isinstance(node, ast.If | ast.Try):
        return any(_is_action(inner) for inner in node.body)
    return isinstance(node, ast.For | ast.While | ast.With) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    )


def _assigns_call(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
