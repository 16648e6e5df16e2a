"""The only door to git: the git command line, one process per question, blobs through `cat-file --batch`.

A repository may be hostile, and its configuration can name commands to run (core.fsmonitor, diff.external, textconv,
filters, gpg.program, hooks, include.path, ...). Instead of switching such keys off one by one we never let git read
that configuration: every question is asked through a private git directory that links to the real objects, refs and
index, and holds a configuration of our own. System and user configuration, hooks, attributes, grafts, replace refs and
lazy fetching are out of the picture for the same reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, Self

from tidegate.errors import GitError, InputError, InternalError, TidegateError

EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
NULL_OID = {"sha1": "0" * 40, "sha256": "0" * 64}
TIMEOUT_SECONDS = 300
BLOB_LIMIT_BYTES = 8 << 20
BIG_FILE_BYTES = 32 << 20
"""Git reads both sides of a file into memory to compare them; of a larger file it only says that it differs."""


class Blob(NamedTuple):
    """One answer of `cat-file --batch`: `kind` is blob, tree, commit, tag, missing, or too-large (content is empty)."""

    name: str
    oid: str
    kind: str
    size: int
    content: bytes


class Repository:
    """One repository, opened for reading. Use it as a context manager, or call `close`.

    `path` is the work tree's top folder, or the git directory of a bare repository.
    """

    def __init__(self, path: Path, git_dir: Path, common_dir: Path) -> None:
        self.path = path
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.object_format = _object_format(common_dir / "config")
        self.shallow = (common_dir / "shallow").exists()
        self._git = _find_git()
        self._index = git_dir / "index"
        self._private = tempfile.TemporaryDirectory(prefix="tidegate-git-", ignore_cleanup_errors=True)
        self._environment = self._make_private_git_dir(Path(self._private.name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._private.cleanup()

    @property
    def empty_tree(self) -> str:
        return EMPTY_TREE[self.object_format]

    @property
    def null_oid(self) -> str:
        return NULL_OID[self.object_format]

    def run(self, *arguments: str | bytes, stdin: bytes = b"", ok: tuple[int, ...] = (0,)) -> bytes:
        """What `git ARGUMENTS` prints. Raises GitError for any exit code that is not in `ok`, and after 300 s."""
        return self._run(arguments, self._environment, stdin, ok)

    @contextmanager
    def stream(
        self, *arguments: str | bytes, stdin: bytes = b"", complaints: list[str] | None = None
    ) -> Iterator[IO[bytes]]:
        """The same for output that may be large: yields git's standard output while git still writes it.

        Leaving early ends git; reading to the end raises GitError when git failed, and so does a reader that stumbles
        over output that git broke off. What git says on standard error is added to `complaints`.
        """
        with tempfile.TemporaryFile() as questions, tempfile.TemporaryFile() as said:
            questions.write(stdin)
            questions.seek(0)
            process = subprocess.Popen(
                self._command(arguments),
                stdin=questions,
                stdout=subprocess.PIPE,
                stderr=said,
                env=self._environment,
                cwd=self._private.name,
                bufsize=1 << 16,
            )
            if process.stdout is None:
                raise InternalError("git has no standard output")
            overdue = threading.Event()
            watch = threading.Timer(TIMEOUT_SECONDS, _end, (process, overdue))
            watch.daemon = True
            watch.start()
            ended = False
            try:
                yield process.stdout
                ended = process.stdout.read(1) == b""
            except TidegateError as error:
                if process.stdout.read(1) == b"" and process.wait() != 0:
                    raise self._failed(arguments, said, overdue) from error
                raise
            finally:
                watch.cancel()
                process.stdout.close()
                _stop(process, patient=ended)
            if ended and process.returncode != 0:
                raise self._failed(arguments, said, overdue)
            if complaints is not None:
                said.seek(0)
                complaints += said.read(1 << 16).decode("utf-8", "backslashreplace").splitlines()

    def resolve(self, revision: str, kind: str = "commit") -> str:
        """The object id that a revision names. Raises GitError when it names nothing of that kind."""
        checked_revision(revision)
        answer = self.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{{kind}}}", ok=(0, 1, 128)
        )
        oid = answer.decode("ascii", "replace").strip()
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", oid):
            hint = "fetch more history: git fetch --unshallow" if self.shallow else "list what there is: git branch -a"
            raise GitError(f"no {kind} is called {revision!r} here", where=str(self.path), mend=hint)
        return oid

    def exists(self, revision: str) -> bool:
        """Whether a revision names a commit."""
        try:
            self.resolve(revision)
        except GitError:
            return False
        return True

    def read_blobs(self, names: Iterable[str], limit: int = BLOB_LIMIT_BYTES) -> Iterator[Blob]:
        """The objects called `names` (object ids, or `REVISION:path`), in that order, by two processes in all.

        An object larger than `limit` bytes is answered with kind `too-large` and is never read into memory.
        """
        asked = list(names)
        if not asked:
            return
        sizes = list(self.look_up(asked))
        wanted = [answer.oid for answer in sizes if answer.kind != "missing" and answer.size <= limit]
        with self.stream("cat-file", "--batch", "--buffer", stdin=_lines(wanted)) as output:
            for answer in sizes:
                if answer.kind == "missing":
                    yield answer
                elif answer.size > limit:
                    yield answer._replace(kind="too-large")
                else:
                    output.readline()
                    content = output.read(answer.size)
                    output.read(1)
                    yield answer._replace(content=content)

    def write_staged_tree(self) -> str:
        """The tree that committing the index would make; from then on it can be read here like any other.

        It is written beside the repository, into the private git directory, from a copy of the index: nothing of the
        repository changes. Raises InputError when the index holds unresolved conflicts.
        """
        private = Path(self._private.name)
        staged = private / "staged"
        staged.mkdir(exist_ok=True)
        index = private / "staged-index"
        if self._index.is_file():
            shutil.copyfile(self._index, index)
        own = {
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(staged),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.common_dir / "objects"),
        }
        try:
            tree = self._run(("write-tree", "--missing-ok"), {**self._environment, **own})
        except GitError as error:
            if "unmerged" in error.what or "error building trees" in error.what:
                raise InputError(
                    "the index holds unresolved conflicts", where=str(self.path), mend="resolve them, then git add"
                ) from error
            raise
        self._environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(staged)
        return tree.decode("ascii").strip()

    def read_config(self) -> Mapping[str, tuple[str, ...]]:
        """The repository's own configuration as data, without includes: lower-case key to values in file order.

        Nothing acts on it. A file that git cannot parse reads as empty.
        """
        path = str(self.common_dir / "config")
        listed = self.run("config", "--file", path, "--no-includes", "--null", "--list", ok=(0, 1, 128))
        values: dict[str, tuple[str, ...]] = {}
        for entry in listed.decode("utf-8", "backslashreplace").split("\0"):
            key, _, value = entry.partition("\n")
            if key:
                values[key] = (*values.get(key, ()), value)
        return values

    def look_up(self, names: Iterable[str]) -> Iterator[Blob]:
        """The same without content, by one process: which object each name stands for, its kind and its size."""
        asked = list(names)
        if not asked:
            return
        for name in asked:
            if "\n" in name or "\0" in name:
                raise GitError("an object name holds a line break", where=repr(name), mend="rename the file")
        with self.stream("cat-file", "--batch-check", "--buffer", stdin=_lines(asked)) as output:
            for name in asked:
                answer = output.readline().decode("utf-8", "replace").rstrip("\n")
                fields = answer.rsplit(" ", 2)
                if len(fields) == 3 and fields[2].isdigit():
                    yield Blob(name, fields[0], fields[1], int(fields[2]), b"")
                else:
                    yield Blob(name, "", "missing", 0, b"")

    # Private

    def _run(
        self,
        arguments: tuple[str | bytes, ...],
        environment: Mapping[str, str],
        stdin: bytes = b"",
        ok: tuple[int, ...] = (0,),
    ) -> bytes:
        try:
            done = subprocess.run(
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
        if done.returncode not in ok:
            raise self._refused(arguments, done.stderr)
        return done.stdout

    def _make_private_git_dir(self, private: Path) -> dict[str, str]:
        for name in ("refs", "packed-refs", "shallow"):
            (private / name).symlink_to(self.common_dir / name)
        # A copy: git takes a HEAD that is a symbolic link only when the link itself reads refs/...
        head = self.git_dir / "HEAD"
        link = str(head.readlink()) if head.is_symlink() else ""
        (private / "HEAD").write_bytes(f"ref: {link}\n".encode() if link else head.read_bytes())
        for shared_index in self.git_dir.glob("sharedindex.*"):
            (private / shared_index.name).symlink_to(shared_index)
        (private / "objects").symlink_to(self.common_dir / "objects")
        extension = "[extensions]\n\tobjectFormat = sha256\n" if self.object_format == "sha256" else ""
        version = 1 if extension else 0
        (private / "config").write_text(
            f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = true\n"
            f"\tbigFileThreshold = {BIG_FILE_BYTES}\n{extension}",
            encoding="utf-8",
        )
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(private),
            "LC_ALL": "C",
            "TZ": "UTC",
            "GIT_DIR": str(private),
            "GIT_OBJECT_DIRECTORY": str(self.common_dir / "objects"),
            "GIT_INDEX_FILE": str(self.git_dir / "index"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LITERAL_PATHSPECS": "1",
        }

    def _command(self, arguments: tuple[str | bytes, ...]) -> list[str | bytes]:
        # No pager, and no ownership check: the check guards against configuration, which git does not see here.
        return [self._git, "--no-pager", "-c", "safe.directory=*", *arguments]

    def _refused(self, arguments: tuple[str | bytes, ...], complaint: bytes) -> GitError:
        text = complaint.decode("utf-8", "backslashreplace").strip()
        first = text.splitlines()[0] if text else "no reason given"
        hint = "this clone is shallow, fetch more: git fetch --unshallow" if self.shallow else "check it: git fsck"
        return GitError(f"git {_name(arguments)} failed: {first}", where=str(self.path), mend=hint)

    def _failed(self, arguments: tuple[str | bytes, ...], said: IO[bytes], overdue: threading.Event) -> GitError:
        if overdue.is_set():
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
    start = start.resolve()
    if not start.exists():
        raise InputError("this folder does not exist", where=str(start), mend="name a folder inside a git repository")
    if bare and _looks_like_git_dir(start):
        return Repository(start, start, _common_dir(start))
    for folder in (start, *start.parents):
        marker = folder / ".git"
        git_dir = marker if marker.is_dir() else _follow_git_file(marker)
        if git_dir is not None and _looks_like_git_dir(git_dir):
            return Repository(folder, git_dir, _common_dir(git_dir))
    raise InputError(
        "no git repository here or above",
        where=str(start),
        mend="go to a repository, or name one with --repo",
    )


def checked_revision(revision: str) -> str:
    """The revision itself. Raises InputError for one that git could take for something else."""
    if not revision or revision.startswith("-") or any(ord(c) < 32 or ord(c) == 127 for c in revision):
        raise InputError(f"{revision!r} is not a revision", mend="name a commit, branch, tag or BASE..HEAD")
    return revision


def _end(process: subprocess.Popen[bytes], overdue: threading.Event) -> None:
    overdue.set()
    process.kill()


def _stop(process: subprocess.Popen[bytes], *, patient: bool) -> None:
    """Ends git: at once when the reader left, else after a second in which it may end by itself."""
    if process.poll() is None and patient:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
    if process.poll() is None:
        process.kill()
        process.wait()


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(name.encode("utf-8", "surrogateescape") + b"\n" for name in names)


def _name(arguments: tuple[str | bytes, ...]) -> str:
    first = arguments[0]
    return first if isinstance(first, str) else first.decode("utf-8", "replace")


def _find_git() -> str:
    folders = [f for f in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(f).is_absolute()]
    found = shutil.which("git", path=os.pathsep.join(folders))
    if found is None:
        raise InputError("git is not installed", mend="install git 2.25 or later")
    return found


def _looks_like_git_dir(folder: Path) -> bool:
    has_head = (folder / "HEAD").exists() or (folder / "HEAD").is_symlink()
    return has_head and ((folder / "objects").is_dir() or (folder / "commondir").exists())


def _read_head(head: Path) -> bytes:
    """What HEAD says. Git takes no symbolic link to another folder for a HEAD, so ours is a copy."""
    if head.is_symlink():
        content = b"ref: " + os.fsencode(head.readlink()) + b"\n"
    else:
        content = head.read_bytes()[:4096] if head.is_file() else b""
    if not re.fullmatch(rb"ref:\s*refs/[^\0\n]+\n?|[0-9a-f]{40}\n?|[0-9a-f]{64}\n?", content):
        raise InputError("HEAD is broken", where=str(head), mend="check the repository: git fsck")
    return content


def _common_dir(git_dir: Path) -> Path:
    marker = git_dir / "commondir"
    if not marker.is_file():
        return git_dir
    return (git_dir / marker.read_text(encoding="utf-8", errors="surrogateescape").strip()).resolve()


def _follow_git_file(marker: Path) -> Path | None:
    if not marker.is_file() or marker.stat().st_size > 4096:
        return None
    text = marker.read_text(encoding="utf-8", errors="surrogateescape").strip()
    if not text.startswith("gitdir: "):
        return None
    return (marker.parent / text.removeprefix("gitdir: ")).resolve()


def _object_format(config: Path) -> str:
    try:
        text = config.read_bytes()[: 1 << 20]
    except OSError:
        return "sha1"
    return "sha256" if re.search(rb"^\s*objectformat\s*=\s*\"?sha256", text, re.IGNORECASE | re.MULTILINE) else "sha1"
