"""The tree that is audited: every file once, read and parsed when somebody asks for it.

Nothing of it is imported, run or written; what cannot be read or parsed is kept as a `Failure` for the coverage.
"""

from __future__ import annotations

import ast
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from cmgan_audit.errors import InputError
from cmgan_audit.source import notebook, python_file
from cmgan_audit.source.commands import CommandLine, commands_of, commands_said
from cmgan_audit.source.consulted import Consulted
from cmgan_audit.source.data_files.formats import Dialect, may_be, read_data
from cmgan_audit.source.data_files.nodes import DataError, DataNode
from cmgan_audit.source.discovery import Failure, discover, kind_of
from cmgan_audit.source.process_starters import handed_on, may_hand_on, may_start_processes, process_starts
from cmgan_audit.source.python_file import ParsedFile

# Above these sizes a file is generated or data; it is named in the coverage instead of being read.
LARGEST = {"python": 10_000_000, "notebook": 60_000_000, "data": 10_000_000, "launcher": 2_000_000}


class SourceTree:
    """The files under one root; paths are relative to it, with forward slashes.

    `python_files` and `notebooks` are what is analysed; every file below the root can be looked up, also one that
    an ignore file names (an import or a configuration path may lead there).
    """

    def __init__(
        self,
        root: Path,
        exclude: Iterable[str] = (),
        *,
        use_gitignore: bool = True,
        overlay: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """`overlay` holds contents that count instead of those on disk, by path.

        Raises InputError when `root` is missing or cannot be read.
        """
        try:
            status = root.stat()
        except OSError as error:
            raise InputError(f"{root}: {error.strerror}; give a folder or a Python file to audit") from None
        single = not stat.S_ISDIR(status.st_mode)
        self.root = Path(os.path.realpath(root.parent if single else root))
        found = discover(self.root, exclude, use_gitignore=use_gitignore) if not single else None
        files = found.files if found else {kind_of(root.name): [root.name]}
        if single and not (set(files) & {"python", "notebook"}):
            raise InputError(f"{root}: neither a folder nor a Python file or notebook")
        self.python_files: tuple[str, ...] = tuple(files.get("python", ()))
        self.notebooks: tuple[str, ...] = tuple(files.get("notebook", ()))
        self.data_files: tuple[str, ...] = tuple(files.get("data", ()))
        self.launcher_files: tuple[str, ...] = tuple(files.get("launcher", ()))
        self.requirement_files: tuple[str, ...] = tuple(files.get("requirements", ()))
        self._failures: dict[tuple[str, int], Failure] = {}
        for failure in found.failures if found else ():
            self._fail(failure)
        self._bytes: dict[str, bytes | None] = dict(overlay)
        self._parsed: dict[str, ParsedFile | None] = {}
        self._forgotten: set[str] = set()
        self._data: dict[tuple[str, Dialect], DataNode | DataError] = {}
        self._located: dict[str, str | None] = {}
        self._commands: tuple[CommandLine, ...] | None = None
        self._starts: dict[str, list[CommandLine]] | None = None
        self._starts_from = Consulted()
        self._consulted = Consulted()

    # What an answer is made from

    @contextmanager
    def watched(self) -> Iterator[Consulted]:
        """Note what is asked for meanwhile; it counts for those who watch around this too."""
        outer, self._consulted = self._consulted, Consulted()
        try:
            yield self._consulted
        finally:
            outer.add(self._consulted)
            self._consulted = outer

    def depends_on(self, consulted: Consulted) -> None:
        """An answer that was made earlier, from these questions, is used again."""
        self._consulted.add(consulted)

    # Looking up

    def locate(self, path: str) -> str | None:
        """The canonical name of the file that `path` (relative to the root) leads to; None when there is none or when
        it leads out of the root. Links inside the root are followed."""
        self._consulted.located.add(path)
        if path not in self._located:
            self._located[path] = self._locate(path)
        return self._located[path]

    def _locate(self, path: str) -> str | None:
        if not path or "\0" in path:
            return None
        whole = os.path.join(self.root, path)  # noqa: PTH118 (one call on a hot path)
        # Most of what is looked for is not there: to ask once spares following each folder on the way.
        if ".." not in path and not os.path.isfile(whole):  # noqa: PTH113
            return None
        try:
            real = os.path.realpath(whole)
            if not stat.S_ISREG(os.stat(real).st_mode):  # noqa: PTH116 (one call on a hot path)
                return None
        except (OSError, ValueError):
            return None
        return self._relative(real)

    def _relative(self, real: str) -> str | None:
        prefix = os.path.join(self.root, "")  # noqa: PTH118 (the root may be "/")
        if not real.startswith(prefix):
            return None
        return real[len(prefix) :].replace(os.sep, "/")

    def is_folder(self, path: str) -> bool:
        """True when `path` is a folder inside the root ("" or "." is the root itself)."""
        self._consulted.folders.add(path)
        real = os.path.realpath(self.root / path) if "\0" not in path else ""
        return Path(real).is_dir() and (real == str(self.root) or self._relative(real) is not None)

    def resolve(self, path: str, bases: Iterable[str] = ("",)) -> str | None:
        """The file that `path` names, tried relative to each of `bases` (folders relative to the root), in order."""
        if path.startswith("/"):
            self._consulted.located.add(path)
            real = os.path.realpath(path)
            inside = self._relative(real)
            return None if inside is None else self.locate(inside)
        for base in bases:
            found = self.locate(posixpath.normpath(f"{base}/{path}" if base else path))
            if found is not None:
                return found
        return None

    # Reading

    def read_bytes(self, path: str) -> bytes | None:
        """The content of a file, None (and a failure kept) when it cannot be read or is too large."""
        self._consulted.contents.add(path)
        if path not in self._bytes:
            read = self._read(path)
            if isinstance(read, Failure):
                self._fail(read)
            self._bytes[path] = None if isinstance(read, Failure) else read
        return self._bytes[path]

    def glance(self, path: str) -> bytes | None:
        """The content of a file that an earlier answer was made from: it is no failure that one is gone since."""
        self._consulted.contents.add(path)
        if path not in self._bytes:
            read = self._read(path)
            if isinstance(read, Failure):
                return None
            self._bytes[path] = read
        return self._bytes[path]

    def _read(self, path: str) -> bytes | Failure:
        limit = LARGEST.get(kind_of(path.rsplit("/", 1)[-1]), LARGEST["data"])
        try:
            with (self.root / path).open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            return Failure(path, 0, f"cannot be read: {error.strerror}")
        return data if len(data) <= limit else Failure(path, 0, f"larger than {limit // 1_000_000} MB, not read")

    def text(self, path: str) -> str | None:
        """The content of a launcher, document or requirements file; bytes that cannot be decoded become replacement
        characters. UTF-16 is what `pip freeze >` writes on Windows."""
        data = self.read_bytes(path)
        if data is None:
            return None
        encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        return data.decode(encoding, errors="replace")

    def module(self, path: str) -> ast.Module | None:
        """The syntax tree of a Python file or notebook; None (and a failure kept) when it cannot be read or parsed."""
        parsed = self.parsed(path)
        return None if parsed is None else parsed.tree

    def parsed(self, path: str) -> ParsedFile | None:
        """The parsed Python file or notebook; None (and a failure kept) when it cannot be read or parsed."""
        self._consulted.contents.add(path)
        if path not in self._parsed:
            data = self.read_bytes(path)
            parse = notebook.parse_notebook if path.endswith(".ipynb") else python_file.parse_python
            parsed = None if data is None else parse(path, data)
            if isinstance(parsed, Failure):
                self._fail(parsed)
                parsed = None
            for failure in parsed.left_out if parsed is not None else ():
                self._fail(failure)
            self._parsed[path] = parsed
        return self._parsed[path]

    def read_data(self, path: str, dialect: Dialect) -> DataNode:
        """The content of a data file as `dialect`'s library would load it.

        Raises DataError with the line when the library would reject it, or when the file cannot be read.
        """
        self._consulted.contents.add(path)
        key = (path, dialect)
        if key not in self._data:
            self._data[key] = self._read_data(path, dialect)
        node = self._data[key]
        if isinstance(node, DataError):
            raise node
        return node

    def _read_data(self, path: str, dialect: Dialect) -> DataNode | DataError:
        data = self.read_bytes(path)
        if data is None:
            return DataError(0, self._failures[path, 0].reason)
        try:
            return read_data(path, data, dialect)
        except DataError as error:
            if may_be(path, dialect):  # a YAML file that is read as JSON is not broken: the wrong one was tried
                self._fail(Failure(path, error.line, error.reason))
            return error

    # What starts the scripts

    @property
    def commands(self) -> tuple[CommandLine, ...]:
        """Every command line of launchers and documents, and of Python files that start another file once per process,
        that starts a Python script of the tree."""
        if self._commands is None:
            shown = [
                command
                for path in self.launcher_files
                for command in commands_of(path, self.text(path) or "", partial(self._sourced_by, path))
            ]
            self._commands = (*shown, *self._handed_on(shown), *self._process_starts())
        return self._commands

    def _sourced_by(self, launcher: str, name: str, folder: str) -> tuple[str, str] | None:
        """The path and the content of a file that a launcher sources or starts, from a folder relative to its own.

        A launcher may mean to be run from a folder above its own: `bash scripts/large.sh`, which starts `run.sh`.
        """
        own = posixpath.dirname(launcher)
        above = [own.rsplit("/", count)[0] for count in range(1, own.count("/") + 1)]
        path = self.resolve(name, dict.fromkeys((posixpath.join(own, folder), own, *above, "")))
        text = None if path is None else self.text(path)
        return None if path is None or text is None else (path, text)

    def _handed_on(self, shown: Sequence[CommandLine]) -> Iterator[CommandLine]:
        """The scripts that shown commands name behind a file which starts them: `python -m multiproc train.py`."""
        for command in shown:
            path = self._script(command) if command.argv and command.argv[0].endswith(".py") else None
            if path is None or not may_hand_on(self.read_bytes(path) or b""):
                continue
            module = self.module(path)
            for added in handed_on(path, module) if module is not None else ():
                yield replace(
                    command,
                    script=command.argv[0].removeprefix("./"),
                    module="",
                    argv=(*command.argv[1:], *added.argv),
                    places=(*command.places[1:], *added.places),
                )

    def _process_starts(self) -> Iterator[CommandLine]:
        for path in self.python_files:
            if may_start_processes(self.read_bytes(path) or b""):
                module = self.module(path)
                if module is not None:
                    yield from process_starts(path, module)

    def launches(self, entry: str) -> tuple[CommandLine, ...]:
        """The command lines that start the script `entry`, each once, in file order."""
        self._consulted.started.add(entry)
        if self._starts is None:
            outer, self._consulted = self._consulted, self._starts_from
            try:
                self._starts = {}
                for command in self.commands:
                    script = self._script(command)
                    if script is not None:
                        self._starts.setdefault(script, []).append(command)
            finally:
                self._consulted = outer
        return tuple(self._starts.get(entry, ()))

    def said(self, entry: str) -> tuple[CommandLine, ...]:
        """The command lines that start the script `entry` by its name and that its own comments and texts hold."""
        content = self.read_bytes(entry) or b""
        found = commands_said(entry, content.decode("utf-8", "replace")) if b".py" in content else ()
        name = posixpath.basename(entry)
        return tuple(each for each in found if posixpath.basename(each.scripts()[0]) == name)

    def settled(self, consulted: Consulted) -> Consulted:
        """The same questions, put to the launchers and documents themselves instead of to what they start."""
        made = Consulted(set(consulted.contents), set(consulted.located), set(consulted.folders))
        if consulted.started:
            made.add(self._starts_from)
        return made

    def _script(self, command: CommandLine) -> str | None:
        """The file that a command starts: from where the command runs, from the launcher's folder and from every folder
        above it; a document that leaves out a `cd` means the one file of that name."""
        folder = posixpath.dirname(command.location.path)
        bases = [posixpath.join(folder, command.folder)]
        parts = command.folder.split("/")
        # A document starts with `cd repository`: the folder that is scanned.
        bases += ["/".join(parts[count:]) for count in range(1, len(parts))]
        while folder:
            bases.append(folder)
            folder = posixpath.dirname(folder)
        bases += ["", command.folder]
        for candidate in command.scripts():
            found = self.resolve(candidate, dict.fromkeys(bases))
            if found is not None:
                return found
        for candidate in command.scripts()[:1]:
            named = [path for path in self.python_files if f"/{path}".endswith(f"/{candidate}")]
            if len(named) == 1:
                return named[0]
        return None

    # Coverage

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What could not be read or parsed so far, by path and line."""
        return tuple(self._failures[key] for key in sorted(self._failures))

    def parse_all(self) -> None:
        """Parse every Python file and notebook that nobody has asked for, so that the coverage names all failures.

        Their syntax trees are not kept: they would take most of the memory, and nobody looks at them.
        """
        for path in (*self.python_files, *self.notebooks):
            self._consulted.contents.add(path)
            if path not in self._parsed and path not in self._forgotten and self.parsed(path) is not None:
                self.forget(path)

    def forget(self, path: str) -> None:
        """Drop the syntax tree of a file that could be parsed: it is large, and made again if anybody asks for it."""
        if self._parsed.get(path) is not None:
            del self._parsed[path]
            self._forgotten.add(path)

    def note_parsed(self, paths: Iterable[str]) -> None:
        """Files that another process could parse: what could not be read in them, it tells by `note_failures`."""
        self._forgotten.update(path for path in paths if path not in self._parsed)

    def failures_among(self, consulted: Consulted) -> tuple[Failure, ...]:
        """What could not be read or parsed of the files that were asked for."""
        return tuple(failure for failure in self.failures if failure.path in consulted.contents)

    def note_failures(self, failures: Iterable[Failure]) -> None:
        """What an earlier look at the same files could not read or parse."""
        for failure in failures:
            self._fail(failure)

    def _fail(self, failure: Failure) -> None:
        self._failures.setdefault((failure.path, failure.line), failure)
