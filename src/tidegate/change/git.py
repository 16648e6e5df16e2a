"""The only door to git: the git command line, one process per question, blobs through `cat-file --batch`.

A repository may be hostile, and its configuration can name commands to run (core.fsmonitor, diff.external, textconv,
filters, gpg.program, hooks, include.path, ...). Instead of switching such keys off one by one we never let git read
that configuration: every question is asked through a private git directory that links to the real objects, refs and
index, and holds a configuration of our own. System and user configuration, hooks, attributes, grafts, replace refs and
lazy fetching are out of the picture for the same reason.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

from tidegate.change import git_dir as git_dirs
from tidegate.change.git_output import TIMEOUT_SECONDS, Answer, Blob, read_content, read_header, stop
from tidegate.change.git_standing import MOST_QUESTIONS, QUESTION_BYTES, Standing, batches
from tidegate.errors import GitError, InputError, InternalError, TidegateError

EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
NULL_OID = {"sha1": "0" * 40, "sha256": "0" * 64}
BLOB_LIMIT_BYTES = 8 << 20
BIG_FILE_BYTES = 32 << 20
"""Git reads both sides of a file into memory to compare them; of a larger file it only says that it differs."""


class Repository:
    """One repository, opened for reading. Use it as a context manager, or call `close`.

    `path` is the work tree's top folder, or the git directory of a bare repository.
    """

    def __init__(self, path: Path, git_dir: Path, common_dir: Path) -> None:
        self.path = path
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.kept: dict[str, Any] = {}
        self.object_format = git_dirs.object_format(common_dir)
        self.shallow_edge = git_dirs.read_shallow(common_dir)
        self._git = git_dirs.find_git()
        self._private = tempfile.TemporaryDirectory(prefix="tidegate-git-", ignore_cleanup_errors=True)
        private = Path(self._private.name)
        try:
            git_dirs.fill_private_dir(private, git_dir, common_dir, _SETTINGS[self.object_format])
        except BaseException:
            self._private.cleanup()
            raise
        self._environment = _environment(private, self)
        self._contents, self._headers = (
            Standing(partial(self._start, ("cat-file", how)), partial(self._failed, ("cat-file",)))
            for how in ("--batch", "--batch-check")
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._contents.close()
        self._headers.close()
        self._private.cleanup()

    @property
    def shallow(self) -> bool:
        return bool(self.shallow_edge)

    @property
    def empty_tree(self) -> str:
        return EMPTY_TREE[self.object_format]

    @property
    def null_oid(self) -> str:
        return NULL_OID[self.object_format]

    def run(self, *arguments: str | bytes, stdin: bytes = b"", ok: tuple[int, ...] = (0,)) -> bytes:
        """What `git ARGUMENTS` prints. Raises GitError for any exit code that is not in `ok`, and after 300 s."""
        done = self._ask(arguments, self._environment, stdin)
        if done.returncode not in ok:
            raise self._refused(arguments, done.stderr)
        return done.stdout

    @contextmanager
    def stream(
        self, *arguments: str | bytes, stdin: bytes = b"", complaints: list[str] | None = None
    ) -> Iterator[IO[bytes]]:
        """The same for output that may be large: yields git's standard output while git still writes it.

        Leaving early ends git. Reading to the end raises GitError when git failed or was silent for 300 s, and so does
        a reader that stumbles over output that git broke off. What git said beside is added to `complaints`.
        """
        with tempfile.TemporaryFile() as questions, tempfile.TemporaryFile() as said:
            questions.write(stdin)
            questions.seek(0)
            process = self._start(arguments, questions, said)
            if process.stdout is None:
                raise InternalError("git has no standard output")
            answer = Answer(process.stdout.fileno(), process)
            output = io.BufferedReader(answer, 1 << 16)
            ended = False
            try:
                yield output
                ended = output.read(1) == b""
            except TidegateError as error:
                if output.read(1) == b"" and process.wait() != 0:
                    raise self._failed(arguments, said, answer) from error
                raise
            finally:
                process.stdout.close()
                stop(process, patient=ended)
            if ended and process.returncode != 0:
                raise self._failed(arguments, said, answer)
            if complaints is not None:
                said.seek(0)
                complaints += said.read(1 << 16).decode("utf-8", "backslashreplace").splitlines()

    def resolve(self, revision: str, kind: str = "commit") -> str:
        """The object id that a revision names. Raises GitError when it names nothing of that kind, or several."""
        arguments = ("rev-parse", "--verify", "--end-of-options", f"{checked_revision(revision)}^{{{kind}}}")
        done = self._ask(arguments, self._environment)
        oid = done.stdout.decode("ascii", "replace").strip()
        if b"is ambiguous" in done.stderr and revision != "HEAD":
            raise GitError(
                f"{revision!r} names more than one thing here",
                where=str(self.path),
                mend="write it in full: refs/heads/NAME, refs/tags/NAME, or more digits of the commit",
            )
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", oid):
            if revision == "HEAD":
                raise GitError("there is no commit yet", where=str(self.path), mend="make the first commit")
            hint = "fetch more history: git fetch --unshallow" if self.shallow else "list what there is: git branch -a"
            raise GitError(f"no {kind} is called {revision!r} here", where=str(self.path), mend=hint)
        return oid

    def find(self, revision: str) -> str:
        """The commit that a revision names, "" where it names none."""
        try:
            return self.resolve(revision)
        except GitError:
            return ""

    def exists(self, revision: str) -> bool:
        """Whether a revision names a commit."""
        return bool(self.find(revision))

    def read_blobs(self, names: Iterable[str], limit: int = BLOB_LIMIT_BYTES) -> Iterator[Blob]:
        """The objects called `names` (object ids, or `REVISION:path`), in that order, by two processes in all.

        Those are the same for every small question. An object larger than `limit` bytes is answered with kind
        `too-large` and is never read into memory. Raises GitError for one that is there and cannot be read.
        """
        found = list(self.look_up(names))
        wanted = [answer for answer in found if answer.kind != "missing" and answer.size <= limit]
        contents = self.read_contents(wanted)
        for answer in found:
            if answer.kind == "missing":
                yield answer
            elif answer.size > limit:
                yield answer._replace(kind="too-large")
            else:
                yield answer._replace(content=next(contents))

    def look_up(self, names: Iterable[str]) -> Iterator[Blob]:
        """The same without content, by one process: which object each name stands for, its kind and its size."""
        asked = list(names)
        if not asked:
            return
        for name in asked:
            if "\n" in name or "\0" in name:
                raise GitError("an object name holds a line break", where=repr(name), mend="rename the file")
        lines = [_line(name) for name in asked]
        if len(asked) > MOST_QUESTIONS or max(map(len, lines)) > QUESTION_BYTES:
            with self.stream("cat-file", "--batch-check", "--buffer", stdin=b"".join(lines)) as output:
                yield from (read_header(output, name) for name in asked)
            return
        start = 0
        for count in batches((line, 0) for line in lines):
            end = start + count
            with self._headers.ask(b"".join(lines[start:end])) as output:
                answers = [read_header(output, name) for name in asked[start:end]]
            yield from answers
            start = end

    def write_staged_tree(self, index_file: Path | None = None) -> str:
        """The tree that committing the index would make; from then on it can be read here like any other.

        `index_file` is the index that is meant where it is not the repository's own: git gives a hook of `commit -a`
        or `commit PATH` one of its own (GIT_INDEX_FILE).

        It is written beside the repository, into the private git directory, from a copy of the index: nothing of the
        repository changes. Raises InputError when the index holds unresolved conflicts.
        """
        private = Path(self._private.name)
        index, objects = private / "staged-index", private / "staged-objects"
        objects.mkdir(exist_ok=True)
        meant = index_file or self.git_dir / "index"
        if meant.is_file():
            shutil.copyfile(meant, index)
        arguments = ("write-tree", "--missing-ok")
        own = {
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": git_dirs.quoted_object_dir(self.common_dir / "objects"),
        }
        done = self._ask(arguments, {**self._environment, **own})
        if done.returncode and b": unmerged (" in done.stderr:
            raise InputError(
                "the index holds unresolved conflicts", where=str(self.path), mend="resolve them, then git add"
            )
        if done.returncode:
            raise self._refused(arguments, done.stderr)
        self._environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = git_dirs.quoted_object_dir(objects)
        self._contents.close()  # those that run do not know of it
        self._headers.close()
        return done.stdout.decode("ascii").strip()

    def merge_trees(self, onto: str, head: str) -> str:
        """The tree that merging `head` into `onto` makes, "" where they conflict or have no history in common.

        It is written beside the repository, like a staged tree: nothing of the repository changes.
        """
        objects = Path(self._private.name) / "merged-objects"
        objects.mkdir(exist_ok=True)
        arguments = ("merge-tree", "--write-tree", "--no-messages", "--end-of-options", onto, head)
        own = {
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(
                filter(
                    None,
                    (
                        git_dirs.quoted_object_dir(self.common_dir / "objects"),
                        self._environment.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", ""),
                    ),
                )
            ),
        }
        done = self._ask(arguments, {**self._environment, **own})
        if done.returncode == 1 or b"unrelated histories" in done.stderr:
            return ""
        if done.returncode:
            raise self._refused(arguments, done.stderr)
        return done.stdout.decode("ascii").strip()

    def read_config(self) -> Mapping[str, tuple[str, ...]]:
        """The repository's own configuration as data, without includes: lower-case key to values in file order.

        Nothing acts on it. A file that git cannot parse reads as empty.
        """
        content = git_dirs.read_small(self.common_dir / "config", git_dirs.CONFIG_LIMIT_BYTES)
        if content is None:
            return {}
        listed = self.run("config", "--file", "-", "--no-includes", "--null", "--list", stdin=content, ok=(0, 1, 128))
        values: dict[str, tuple[str, ...]] = {}
        for entry in listed.decode("utf-8", "backslashreplace").split("\0"):
            key, _, value = entry.partition("\n")
            if key:
                values[key] = (*values.get(key, ()), value)
        return values

    # Private

    def read_contents(self, wanted: Sequence[Blob]) -> Iterator[bytes]:
        lines = [_line(answer.oid) for answer in wanted]
        if len(wanted) > MOST_QUESTIONS:
            with self.stream("cat-file", "--batch", "--buffer", stdin=b"".join(lines)) as output:
                yield from (read_content(output, answer) for answer in wanted)
            return
        start = 0
        for count in batches((line, answer.size) for line, answer in zip(lines, wanted, strict=True)):
            end = start + count
            with self._contents.ask(b"".join(lines[start:end])) as output:
                contents = [read_content(output, answer) for answer in wanted[start:end]]
            yield from contents
            start = end

    def _start(
        self, arguments: tuple[str | bytes, ...], stdin: int | IO[bytes], stderr: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(arguments),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=self._environment,
            cwd=self._private.name,
            bufsize=0,
        )

    def _ask(
        self, arguments: tuple[str | bytes, ...], environment: Mapping[str, str], stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                self._command(arguments),
                input=stdin,
                capture_output=True,
                env=environment,
                cwd=self._private.name,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise self._timed_out(arguments) from error

    def _command(self, arguments: tuple[str | bytes, ...]) -> list[str | bytes]:
        # No pager, and no ownership check: the check guards against configuration, which git does not see here.
        return [self._git, "--no-pager", "-c", "safe.directory=*", *arguments]

    def _refused(self, arguments: tuple[str | bytes, ...], complaint: bytes) -> GitError:
        text = complaint.decode("utf-8", "backslashreplace").strip()
        first = text.splitlines()[0] if text else "no reason given"
        hint = "this clone is shallow, fetch more: git fetch --unshallow" if self.shallow else "check it: git fsck"
        return GitError(f"git {_name(arguments)} failed: {first}", where=str(self.path), mend=hint)

    def _failed(self, arguments: tuple[str | bytes, ...], said: IO[bytes], answer: Answer) -> GitError:
        if answer.overdue:
            return self._timed_out(arguments)
        said.seek(0)
        return self._refused(arguments, said.read(4096))

    def _timed_out(self, arguments: tuple[str | bytes, ...]) -> GitError:
        return GitError(
            f"git {_name(arguments)} gave no answer in {TIMEOUT_SECONDS} s",
            where=str(self.path),
            mend="name a smaller range",
        )


def open_repository(start: Path, *, bare: bool = False) -> Repository:
    """The repository that the folder `start` lies in.

    A bare repository is opened only when `bare` says that `start` was named as one: a folder inside a work tree that
    looks like a bare repository is content, not a repository.
    """
    try:
        return _open(start.resolve(), bare)
    except (OSError, RuntimeError, ValueError) as error:  # no permission, a loop of links, a name with a NUL
        raise InputError(
            f"the repository cannot be opened ({error})", where=str(start), mend="check the path and its permissions"
        ) from error


def checked_revision(revision: str) -> str:
    """The revision itself. Raises InputError for one that git could take for an option, a search or a path."""
    odd = any(ord(c) < 32 or ord(c) == 127 for c in revision)
    if not revision or revision[0] in "-:" or "^{/" in revision or odd:
        raise InputError(f"{revision!r} is not a revision", mend="name a commit, branch, tag or BASE..HEAD")
    return revision


# Private

_SETTINGS = {
    "sha1": f"[core]\n\trepositoryFormatVersion = 0\n\tbare = true\n\tbigFileThreshold = {BIG_FILE_BYTES}\n",
    "sha256": f"[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n\tbigFileThreshold = {BIG_FILE_BYTES}\n"
    "[extensions]\n\tobjectFormat = sha256\n",
}


def _open(start: Path, bare: bool) -> Repository:
    if not start.exists():
        raise InputError("this folder does not exist", where=str(start), mend="name a folder inside a git repository")
    if bare and git_dirs.looks_like_git_dir(start):
        return Repository(start, start, git_dirs.common_dir(start))
    for folder in (start, *start.parents):
        git_dir = git_dirs.find_git_dir(folder)
        if git_dir is not None:
            return Repository(folder, git_dir, git_dirs.common_dir(git_dir))
    raise InputError(
        "no git repository here or above",
        where=str(start),
        mend="go to a repository, or name one with --repo",
    )


def _environment(private: Path, repository: Repository) -> dict[str, str]:
    """All that git sees of the environment. Attributes are taken from an empty tree: those of the repository could
    have a file shown as binary."""
    return {
        "PATH": git_dirs.safe_path(),
        "HOME": str(private),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_DIR": str(private),
        "GIT_OBJECT_DIRECTORY": str(repository.common_dir / "objects"),
        "GIT_INDEX_FILE": str(repository.git_dir / "index"),
        "GIT_ATTR_SOURCE": repository.empty_tree,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_FLUSH": "0",  # a pipe gets whole blocks, not one write for each commit
    }


def _line(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape") + b"\n"


def _name(arguments: tuple[str | bytes, ...]) -> str:
    first = arguments[0]
    return first if isinstance(first, str) else first.decode("utf-8", "replace")
