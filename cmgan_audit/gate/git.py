"""What the gate asks of git: trees at other commits, renamed files, changed lines. Nothing is written there."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.rules.nearest import nearest
from cmgan_audit.source.discovery import kind_of

# Blobs beyond this, and recordings, pictures and arrays of any size, are data: an empty file stands for them in the
# laid-out tree, so that listings stay true.
LARGEST_BLOB = 5_000_000
DATA = frozenset(
    ".wav .flac .mp3 .ogg .opus .m4a .sph .aac .mp4 .avi .png .jpg .jpeg .gif .bmp .tiff .svg .pdf "
    ".npy .npz .mat .h5 .hdf5 .zip .gz .bz2 .xz .tgz .tar".split()
)
# Read from git at a time, so that no more than these are in memory.
TOGETHER = 200

# Branches and tags that are named to somebody who named another one, at most.
MOST_NAMED = 6

# The mode of a submodule's entry.
LINKED = "160000"

# Settings such as diff.mnemonicPrefix, diff.noprefix, diff.submodule and diff.external change what is printed.
_DIFF_AS_IT_IS = (
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
)

_HUNK = regex(rb"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class GitError(UsageError):
    """Git is missing, the folder is in no repository, or a reference does not exist."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository around an audited folder; all paths are relative to that folder."""

    folder: Path

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git in the folder and return what it prints.

        Raises:
            GitError: git is missing or fails.
        """
        import subprocess  # slow to load, and most audits ask git nothing

        # A hook (pre-commit) sets GIT_DIR and GIT_INDEX_FILE for its own repository: they would point us elsewhere.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}  # its messages are told apart by their words
        try:
            done = subprocess.run(
                ["git", "-c", "core.quotepath=off", *arguments],
                cwd=self.folder,
                env=environment,
                input=stdin,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise GitError("git is not installed") from error
        if done.returncode != 0:
            message = done.stderr.decode(errors="replace").strip().splitlines()
            if message and "dubious ownership" in message[0]:  # usual in containers of CI systems
                message[0] += "; if you trust it: git config --global --add safe.directory, and this path"
            raise GitError(f"git {arguments[0]}: {message[0] if message else 'failed'} (in {self.folder})")
        return done.stdout

    def commit(self, reference: str) -> str:
        """Return the full hash of a commit.

        Args:
            reference: a commit, branch or tag; with `...` behind it, as for `git diff`, the commit at which what is
                checked out left it.

        Raises:
            GitError: the folder is in no repository, or the reference names no commit.
        """
        try:
            shallow = self.is_shallow()
        except GitError as error:
            if "not a git repository" not in str(error):
                raise  # git is missing, or keeps away from a folder that belongs to somebody else
            raise GitError(f"{self.folder} lies in no git repository, so {reference!r} names no commit") from error
        more = ", a shallow clone: fetch its history too (actions/checkout: `fetch-depth: 0`)" if shallow else ""
        branch, left, other = reference.partition("...")
        first, two_dots, _ = branch.partition("..")
        if two_dots and first:
            raise GitError(f"{reference!r} is a range of commits; write {first!r}, or '{first}...' for where they part")
        if other not in ("", "HEAD"):
            raise GitError(f"{reference!r}: what is audited is what is checked out; write '{branch}...'")
        try:
            if branch.startswith("-"):  # `--end-of-options` is not known everywhere
                raise GitError(f"{branch!r} is an option")
            found = self.run("rev-parse", "--verify", "--quiet", f"{branch}^{{commit}}").decode().strip()
        except GitError as error:
            near = "" if more else self._nearest_branch(branch)
            where = f"the repository around {self.folder}{near}{more}"
            raise GitError(f"{branch!r} names no commit of {where}") from error
        try:
            return self.run("merge-base", found, "HEAD").decode().strip() if left else found
        except GitError as error:
            raise GitError(f"{branch!r} and HEAD have no commit in common{more}") from error

    def _nearest_branch(self, word: str) -> str:
        """What may have been meant by a word that names no commit, as the end of a sentence."""
        names = self.run("for-each-ref", "--format=%(refname:short)").decode(errors="replace").split()
        short = word.rpartition("/")[2]  # `main` where there is only `origin/main`, and the other way round
        near = next((name for name in names if name.rpartition("/")[2] == short), "") or nearest(word, names)
        if near:
            return f" (did you mean {near!r}?)"
        more = ", ..." if len(names) > MOST_NAMED else ""
        return f" (it has {', '.join(names[:MOST_NAMED])}{more})" if names else ""

    def exists(self) -> bool:
        """Whether the folder lies in a git repository."""
        try:
            self.run("rev-parse", "--git-dir")
        except GitError:
            return False
        return True

    def is_shallow(self) -> bool:
        """Whether the clone holds the last commits only.

        Raises:
            GitError: the folder is in no repository.
        """
        return self.run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def head(self) -> str | None:
        """Return the hash of the commit that is checked out; None outside a repository or before the first commit."""
        try:
            return self.commit("HEAD")
        except GitError:
            return None

    def lay_out(self, commit: str, target: Path) -> None:
        """Write the folder as it is at a commit into an empty folder, from the object store.

        Filters, attributes and hooks have no say; links that lead outside, and submodules whose commit is not at hand,
        are left out. Links come last, so that no file is written through one.
        """
        kept: dict[PurePosixPath, str] = {}
        links: set[PurePosixPath] = set()
        for entry in self.run("ls-tree", "-r", "-l", "-z", commit).split(b"\0"):  # relative to the folder
            head, _, name = entry.partition(b"\t")
            mode, kind, blob, size = head.split() if head else (b"", b"", b"", b"")
            if kind != b"blob":
                continue
            path = PurePosixPath(os.fsdecode(name))
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            missing = size == b"BAD"
            if missing and kind_of(path.name):
                raise GitError(f"git: {os.fsdecode(blob)}: an object is not at hand; fetch it")
            if missing or int(size) > LARGEST_BLOB or path.suffix.lower() in DATA:
                (target / path).touch()
                continue
            kept[path] = blob.decode()
            if mode == b"120000":
                links.add(path)
        aims: dict[PurePosixPath, str] = {}
        for path, content in zip(kept, self._blobs(list(kept.values())), strict=True):
            if path in links:
                aims[path] = os.fsdecode(content)
            else:
                (target / path).write_bytes(content)
        for path, aim in aims.items():
            if not posixpath.normpath(posixpath.join(path.parent, aim)).startswith(("/", "..")):
                (target / path).symlink_to(aim)
        for folder, inner, earlier in self._submodules(commit):
            if earlier is not None:
                (target / folder).mkdir(parents=True, exist_ok=True)
                inner.lay_out(earlier, target / folder)

    def _submodules(self, commit: str) -> Iterator[tuple[str, Repository, str | None]]:
        """The checked-out submodules that can be compared with a commit: path, repository, their own commit there.

        That is None for one that is new since. Left out is one whose earlier commit was not fetched.
        """
        linked = [name for mode, _, name in self._entries("ls-files", "--stage", "-z") if mode == LINKED]
        if not linked:
            return
        earlier = {name: value for mode, value, name in self._entries("ls-tree", "-r", "-z", commit) if mode == LINKED}
        for name in linked:
            inner = Repository(self.folder / name)
            if not (inner.folder / ".git").exists():
                continue
            before = earlier.get(name)
            if before is None or inner.has(before):
                yield name, inner, before

    def _entries(self, *arguments: str) -> Iterator[tuple[str, str, str]]:
        """Mode, object and path of what git lists."""
        for entry in self.run(*arguments).split(b"\0"):
            head, _, name = entry.partition(b"\t")
            if head:
                words = head.decode().split()  # ls-tree tells the kind between mode and object
                yield words[0], words[2] if arguments[0] == "ls-tree" else words[1], os.fsdecode(name)

    def has(self, commit: str) -> bool:
        """Whether a commit is at hand."""
        try:
            self.run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return False
        return True

    def had(self, commit: str, path: str) -> bool:
        """Whether a commit has a file at a path of the folder."""
        return self.run("ls-tree", commit, f"./{path}") != b""

    def last_change(self, file: Path) -> str | None:
        """The commit in the history of what is checked out that last changed a file; None if there is none."""
        try:
            return self.run("log", "-1", "--format=%H", "--", str(file.resolve())).decode().strip() or None
        except GitError:  # the file lies outside of the repository
            return None

    def _blobs(self, names: list[str]) -> Iterator[bytes]:
        """The contents of objects, in order."""
        for start in range(0, len(names), TOGETHER):
            part = names[start : start + TOGETHER]
            output = self.run("cat-file", "--batch", stdin="".join(f"{name}\n" for name in part).encode())
            at = 0
            for _ in part:
                line = output.index(b"\n", at)
                words = output[at:line].split()  # object, kind, length; else "... missing"
                if len(words) != 3 or not words[2].isdigit():
                    raise GitError(f"git: {os.fsdecode(output[at:line])}: an object is not at hand; fetch it")
                length = int(words[2])
                yield output[line + 1 : line + 1 + length]
                at = line + length + 2  # a newline behind every one

    def tracked(self, commit: str | None) -> list[str]:
        """Return the files that git holds, with those of submodules that can be compared with a commit, if any."""
        names = [os.fsdecode(name) for name in self.run("ls-files", "-z").split(b"\0") if name]
        for path, inner, earlier in self._submodules(commit) if commit is not None else ():
            names += [f"{path}/{name}" for name in inner.tracked(earlier)]
        return names

    def renamed_since(self, commit: str) -> dict[str, str]:
        """Return new path -> old path of the files renamed between a commit and the working tree.

        A file that was reformatted and renamed in commits of their own is followed through them.
        """
        renamed: dict[str, str] = {}
        gone: set[str] = set()
        for old, new in _moves(self._diff("--name-status", "-z", "--diff-filter=RD", commit)):
            if new is None:
                gone.add(old)
            else:
                renamed[new] = old
        if gone:
            steps = self._renamed_step_by_step(commit)
            renamed = {new: old for new, old in steps.items() if old in gone} | renamed
        for path, inner, earlier in self._submodules(commit):
            moved = inner.renamed_since(earlier) if earlier is not None else {}
            renamed |= {f"{path}/{new}": f"{path}/{old}" for new, old in moved.items()}
        return renamed

    def changed_files(self, commit: str) -> frozenset[str]:
        """Return the files that differ between a commit and the working tree, without those of submodules."""
        differ = self._diff("--name-only", "-z", "--no-renames", commit)
        untracked = self.run("ls-files", "--others", "--exclude-standard", "-z")
        return frozenset(os.fsdecode(name) for name in (differ + untracked).split(b"\0") if name)

    def changed_programs(self, commit: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return the Python files that differ between a commit and the working tree, as they were and as they are.

        Those of submodules are left out.
        """
        names = {name for name in self.changed_files(commit) if name.endswith(".py")}
        blobs = {name: blob for _, blob, name in self._entries("ls-tree", "-r", "-z", commit) if name in names}
        return (
            dict(zip(blobs, self._blobs(list(blobs.values())), strict=True)),
            dict(self._readable(sorted(names))),
        )

    def gone_programs(self, commit: str) -> frozenset[str]:
        """Return the Python files that a commit has and the working tree has not, renamed ones by their older names."""
        gone = self._diff("--name-only", "-z", "--no-renames", "--diff-filter=D", commit)
        names = (os.fsdecode(name) for name in gone.split(b"\0") if name.endswith(b".py"))
        # What git was told to track no more may still be there.
        return frozenset(name for name in names if not (self.folder / name).exists())

    def _readable(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            with contextlib.suppress(OSError):  # a file is gone, or the audit has told that it cannot be read
                yield name, (self.folder / name).read_bytes()

    def _renamed_step_by_step(self, commit: str) -> dict[str, str]:
        """The same, from the changes of every commit in between."""
        commits = self.run("rev-list", "--topo-order", "--reverse", f"{commit}..HEAD", "--")
        status = ("--name-status", "-z", "--find-renames", "--diff-filter=R")
        before = self.run("diff-tree", "--stdin", "-r", "--no-commit-id", "--relative", *status, stdin=commits)
        first: dict[str, str] = {}
        for old, new in _moves(before + self._diff("--name-status", "-z", "--diff-filter=R", "HEAD")):
            if new is not None:
                first[new] = first.pop(old, old)
        return first

    def _diff(self, *arguments: str) -> bytes:
        """What `git diff` prints of the folder, whatever the user's settings make of it elsewhere.

        Programs that attributes name for notebooks (nbdime, nbstripout) are not run.
        """
        return self.run("diff", *_DIFF_AS_IT_IS, "--relative", "--find-renames", *arguments, "--")

    def changed_lines(self, commit: str) -> dict[str, set[int] | None]:
        """Return, per file of the working tree, the lines that are new or changed since a commit; None for all."""
        output = self._diff("-U0", "--inter-hunk-context=0", commit)
        changed: dict[str, set[int] | None] = {
            os.fsdecode(name): None
            for name in self.run("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
            if name
        }
        path = ""
        lines: set[int] = set()
        inside = 0  # so many lines of the hunk follow: "+++ b/x" among them is what a file says
        for line in output.split(b"\n"):
            if inside:
                inside -= not line.startswith(b"\\")  # "\ No newline at end of file"
            elif line.startswith(b"+++ "):
                path, lines = os.fsdecode(line[4:]).rstrip("\t").removeprefix("b/"), set()
            elif hunk := _HUNK.match(line):
                removed, start, count = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
                inside = removed + count
                lines.update(range(start, start + count))
                changed[path] = lines
        for name, inner, earlier in self._submodules(commit):
            within = dict.fromkeys(inner.tracked(None)) if earlier is None else inner.changed_lines(earlier)
            changed |= {f"{name}/{path}": numbers for path, numbers in within.items()}
        return changed


def _moves(statuses: bytes) -> Iterator[tuple[str, str | None]]:
    """Old and new path of every file in what `--name-status -z` prints of renames and deletions; None if it is gone."""
    parts = iter([os.fsdecode(part) for part in statuses.split(b"\0") if part])
    for status in parts:
        old = next(parts)
        yield old, next(parts) if status.startswith("R") else None
