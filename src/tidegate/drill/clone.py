"""A bare clone beside the repository, for changes that never happened: objects and refs are written there alone.

It borrows the real objects (gitrepository-layout(5), `objects/info/alternates`) and what was worked out before
(`.git/tidegate`, where every command keeps what it can make again); nothing is checked out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.git_dir import CONFIG_LIMIT_BYTES, SHALLOW_LIMIT_BYTES, read_small
from tidegate.change.values import Person
from tidegate.errors import GitError, InputError
from tidegate.provenance.annotate import Author, annotate_commits
from tidegate.provenance.notes import write_notes

NOTES = "refs/notes/ai"
_REF = "refs/drill/{}"


class Made(Struct, frozen=True):
    """A commit that was made for the exercise, and its diff to the base."""

    commit: str
    diff: str


@contextmanager
def borrowed(repository: Repository, base: str) -> Iterator[Repository]:
    """A bare clone of `repository` in a temporary folder, with HEAD at the commit `base`. It is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tidegate-drill-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "repo.git"
        _lay_out(path, repository, base)
        with Repository(path, path, path) as clone:
            yield clone


def commit_files(clone: Repository, base: str, files: Mapping[str, bytes | None], message: str, at: int) -> Made:
    """The commit that changes these files of `base` (None deletes one), by the drill's own person, at Unix `at`."""
    ref = _REF.format(f"{abs(hash_of(message, files)):x}")
    lines = [
        b"commit %s\n" % ref.encode(),
        b"author %s\ncommitter %s\n" % ((_signed(at),) * 2),
        _data(message.encode()),
    ]
    lines.append(b"from %s\n" % base.encode())
    modes = _modes(clone, base, list(files))
    for path, content in sorted(files.items()):
        quoted = _quoted(path)
        if content is None:
            lines.append(b"D %s\n" % quoted)
        else:
            lines += [b"M %s inline %s\n" % (modes.get(path, "100644").encode(), quoted), _data(content)]
    lines.append(b"done\n")
    clone.run("fast-import", "--quiet", "--done", stdin=b"".join(lines))
    commit = clone.resolve(ref)
    return Made(commit, diff_of(clone, base, commit))


def commit_diff(clone: Repository, base: str, diff: str, message: str, at: int) -> Made:
    """The commit that a diff makes of `base`. Raises InputError for one that does not apply there."""
    try:
        clone.run("read-tree", base)
        clone.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=diff.encode("utf-8", "surrogateescape"))
        tree = clone.run("write-tree").decode("ascii").strip()
    except GitError as error:
        raise InputError(
            "its hidden change cannot be applied to this repository",
            where="the scenario",
            mend="run it beside the repository that it was made for, or without --repo",
        ) from error
    content = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\n%s" % (
        tree.encode(),
        base.encode(),
        _signed(at),
        _signed(at),
        message.encode(),
    )
    commit = clone.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=content).decode("ascii").strip()
    return Made(commit, diff)


def declare(clone: Repository, commit: str, author: Author, now: str) -> None:
    """Write the note that a recorder of agents would have left on the commit; a commit that adds no lines has none."""
    try:
        found = annotate_commits(clone, NOTES, [commit], author)
    except InputError:
        return
    write_notes(clone, NOTES, {one.commit: one.text for one in found}, author.person, now, "Attribution for a drill")


def diff_of(clone: Repository, base: str, commit: str) -> str:
    """The difference as git prints it, so that git can apply it again."""
    arguments = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--no-renames")
    return clone.run(*arguments, base, commit).decode("utf-8", "surrogateescape")


PERSON = Person("Drill", "drill@example.invalid")


def hash_of(message: str, files: Mapping[str, bytes | None]) -> int:
    """A number for the name of a ref in the clone."""
    import zlib

    total = zlib.crc32(message.encode())
    for path, content in sorted(files.items()):
        total = zlib.crc32(content or b"-", zlib.crc32(path.encode("utf-8", "surrogateescape"), total))
    return total


# Private


def _lay_out(path: Path, repository: Repository, base: str) -> None:
    for folder in ("objects/info", "objects/pack", "refs"):
        (path / folder).mkdir(parents=True)
    common = repository.common_dir
    (path / "objects" / "info" / "alternates").write_text(f"{common / 'objects'}\n", encoding="utf-8")
    (path / "HEAD").write_text(f"{base}\n", encoding="ascii")
    (path / "config").write_bytes(read_small(common / "config", CONFIG_LIMIT_BYTES) or b"")
    listed = repository.run(
        "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes", "refs/tags"
    )
    (path / "packed-refs").write_bytes(b"# pack-refs with: sorted\n" + listed)
    if edge := read_small(common / "shallow", SHALLOW_LIMIT_BYTES):
        (path / "shallow").write_bytes(edge)
    if (common / "tidegate").is_dir():
        (path / "tidegate").symlink_to(common / "tidegate")


def _signed(at: int) -> bytes:
    return f"{PERSON.name} <{PERSON.email}> {at} +0000".encode()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    """A path as git-fast-import(1) reads it between quotes."""
    raw = path.encode("utf-8", "surrogateescape")
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def _modes(clone: Repository, base: str, paths: list[str]) -> dict[str, str]:
    listed = clone.run("ls-tree", "-z", "--full-tree", base, "--", *paths) if paths else b""
    found = {}
    for row in listed.split(b"\0"):
        head, _, name = row.partition(b"\t")
        if name:
            found[name.decode("utf-8", "surrogateescape")] = head[:6].decode("ascii")
    return found
