"""Which files of a tree are looked at: the walk, ignore files, links and limits."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.git_index import repository_of, tracked_files
from cmgan_audit.source.path_patterns import PathPatterns

# Folders that hold other people's code, build products or bookkeeping, as every tool of the field skips them.
# fmt: off
SKIPPED_FOLDERS = frozenset((
    "__pycache__", "node_modules", "site-packages", "__pypackages__", "venv", "env", ".venv", ".env", ".git",
    ".hg", ".svn", ".tox", ".nox", ".eggs", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints",
    ".direnv", ".idea", ".vscode", "build", "dist", "buck-out", "_build", "wandb", "lightning_logs",
))
# fmt: on
# Names of skipped folders that are also ordinary package names: skipped only when they hold no Python package.
MAYBE_PACKAGES = frozenset({"env", "build", "dist", "wandb"})

DATA_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".json5", ".jsonc", ".toml", ".ini", ".cfg", ".conf"})
LAUNCHER_SUFFIXES = frozenset(
    {".sh", ".bash", ".zsh", ".slurm", ".sbatch", ".pbs", ".lsf", ".job", ".md", ".rst", ".mk"}
)
# What an installation follows (manifests that are data or Python have those kinds).
REQUIREMENTS = regex(
    r"(.*requirements?.*|.*constraints?.*)\.(txt|in)|pipfile|pipfile\.lock|poetry\.lock|uv\.lock|pdm\.lock"
)
LAUNCHER_NAMES = frozenset({"makefile", "gnumakefile", "dockerfile", "readme", "readme.txt"})

DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be analysed: its path relative to the root, the line (0: the whole file) and why."""

    path: str
    line: int
    reason: str


@lru_cache(8192)
def kind_of(name: str) -> str:
    """What a file is to us by its name: "python", "notebook", "data", "launcher", "requirements" or "" (nothing)."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in {".py", ".pyw"}:
        return "python"
    if suffix == ".ipynb":
        return "notebook"
    if suffix in DATA_SUFFIXES:
        return "data"
    lowered = name.lower()
    if suffix in LAUNCHER_SUFFIXES or lowered in LAUNCHER_NAMES or lowered.startswith(("dockerfile.", "makefile.")):
        return "launcher"
    if REQUIREMENTS.fullmatch(lowered):
        return "requirements"
    return ""


@dataclass(slots=True)
class Discovery:
    """The files found under a root, by kind, each sorted; and folders or files that could not be listed."""

    root: Path
    files: dict[str, list[str]]
    failures: list[Failure]


class _Ignore:
    """The ignore rules that hold in one folder: its own ignore file first, then those above it."""

    def __init__(self, folder: str, lines: Iterable[str], above: _Ignore | None) -> None:
        self._prefix = f"{folder}/" if folder else ""
        self._patterns = PathPatterns(lines)
        self._above = above

    def covers(self, path: str, *, is_folder: bool) -> bool:
        relative = path[len(self._prefix) :] + ("/" if is_folder else "")
        include = self._patterns.says(relative)
        if include is not None:
            return include
        return self._above is not None and self._above.covers(path, is_folder=is_folder)


def discover(root: Path, exclude: Iterable[str] = (), *, use_gitignore: bool = True) -> Discovery:
    """List the files under `root` that matter to the audit; the order does not depend on the file system.

    Links to folders are not entered (no loop is possible), and a link to a file is no other file, but for a shell
    script, which is run where the link lies. `exclude` are patterns as in a .gitignore, relative to the root. Ignore
    files hold inside a repository only: what was unpacked from an archive of one was tracked, whatever they name.
    """
    found = Discovery(root, {"python": [], "notebook": [], "data": [], "launcher": [], "requirements": []}, [])
    excluded = PathPatterns(exclude)
    walk = _Walk(root, excluded, found.failures, use_gitignore and repository_of(root) is not None)
    for path in walk.files("", None, 0):
        found.files[kind_of(path.rsplit("/", 1)[-1])].append(path)
    for paths in found.files.values():
        paths.sort()
    return found


@dataclass
class _Walk:
    root: Path
    excluded: PathPatterns
    failures: list[Failure]
    use_gitignore: bool

    @cached_property
    def tracked(self) -> frozenset[str]:
        """What git tracks, and the folders above: not ignored, whatever an ignore file says."""
        paths = tracked_files(self.root)
        return paths | {str(folder) for path in paths for folder in PurePosixPath(path).parents}

    def files(self, folder: str, ignore: _Ignore | None, depth: int) -> Iterator[str]:
        """The files below a folder that matter, in the order of their names."""
        if depth > DEEPEST:
            self.failures.append(Failure(folder, 0, f"folders nested more than {DEEPEST} deep are not entered"))
            return
        try:
            with os.scandir(self.root / folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.failures.append(Failure(folder or ".", 0, f"cannot list this folder: {error.strerror}"))
            return
        names = {entry.name for entry in entries}
        if depth and "pyvenv.cfg" in names:
            return
        if self.use_gitignore and ".gitignore" in names:
            ignore = _Ignore(folder, _ignore_lines(self.root / folder / ".gitignore"), ignore)
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if not self._wanted(entry, path, is_folder, ignore):
                continue
            if is_folder:
                yield from self.files(path, ignore, depth + 1)
            elif _is_own_file(entry, self.root):
                yield path

    def _wanted(self, entry: os.DirEntry[str], path: str, is_folder: bool, ignore: _Ignore | None) -> bool:
        if not is_text(path):
            shown = path.encode(errors="replace").decode()
            self.failures.append(Failure(shown, 0, "the file name is not valid UTF-8"))
            return False
        if (is_folder and _skip_folder(entry)) or (not is_folder and not kind_of(entry.name)):
            return False
        if self.excluded.match(path + ("/" if is_folder else "")):
            return False
        return ignore is None or not ignore.covers(path, is_folder=is_folder) or path in self.tracked


def _ignore_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _skip_folder(entry: os.DirEntry[str]) -> bool:
    if entry.name.endswith(".egg-info"):
        return True
    if entry.name not in SKIPPED_FOLDERS:
        return False
    return not (entry.name in MAYBE_PACKAGES and Path(entry.path, "__init__.py").is_file())


def _is_own_file(entry: os.DirEntry[str], root: Path) -> bool:
    """True for a regular file; a link is another name of a file that is found under its own name, or not ours.

    A shell script that links lay into several folders (recipes that share one `run.sh`) is run in each of them.
    """
    try:
        if not entry.is_symlink():
            return stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)
        if not entry.name.endswith(".sh"):
            return False
        real = Path(os.path.realpath(entry.path))
        return real.is_relative_to(os.path.realpath(root)) and stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False


def is_text(path: str) -> bool:
    """Whether a path is made of characters; one of undecodable bytes cannot be written into a report."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
