"""Git notes: read from any fan-out, a constant number of processes for any number of commits; written by one.

A notes tree names a note by the hex of its commit, cut into folders (`ab/cdef...`) as deep as whoever wrote it liked,
and one tree may mix depths (git-ai and merges of notes leave such trees).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from tidegate.change.git import Repository
from tidegate.change.values import Person
from tidegate.errors import InputError
from tidegate.provenance.gitai import NOTE_LIMIT_BYTES

FEW_COMMITS = 256
"""Up to here candidate names are tried for each commit; above, the whole tree is listed once."""
DEPTHS = 4


def read_notes(repository: Repository, ref: str, commits: Sequence[str] | None = None) -> Iterator[tuple[str, bytes]]:
    """The notes under `ref`, of these commits or of all: commit and text, one note in memory at a time.

    A ref that does not exist has no notes. Two notes of one commit at different depths come joined, as git joins them.
    A note larger than 32 MB is never loaded: its text comes empty, which `parse_note` refuses with that reason.
    """
    tip = read_tip(repository, ref)
    if not tip or (commits is not None and not commits):
        return
    if commits is None or len(commits) > FEW_COMMITS:
        paths = _list_tree(repository, tip)
        wanted = sorted(paths) if commits is None else [commit for commit in dict.fromkeys(commits) if commit in paths]
        yield from _read(repository, [(commit, oid) for commit in wanted for _, oid in paths[commit]])
    else:
        candidates = [(c, f"{tip}:{path}") for c in dict.fromkeys(commits) if _is_oid(c) for path in _candidates(c)]
        yield from _read(repository, candidates)


def list_notes(repository: Repository, ref: str) -> dict[str, str]:
    """The commits that have a note under `ref`, each with the ids of its blobs. Two processes; no note is read."""
    tip = read_tip(repository, ref)
    listed = _list_tree(repository, tip) if tip else {}
    return {commit: " ".join(oid for _, oid in found) for commit, found in listed.items()}


def read_listed(repository: Repository, listed: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The texts of notes that `list_notes` has found, in the order given, as `read_notes` yields them."""
    return _read(repository, [(commit, oid) for commit, oids in listed.items() for oid in oids.split(" ")])


def read_tip(repository: Repository, ref: str) -> str:
    """The object that exactly this ref names; empty when there is none. `rev-parse` would also try other places."""
    listed = repository.run("for-each-ref", "--format=%(objectname) %(refname)", checked_ref(ref))
    for line in listed.decode("utf-8", "replace").splitlines():
        oid, _, name = line.partition(" ")
        if name == ref:
            return oid
    return ""


def checked_ref(ref: str) -> str:
    """The ref itself. Raises InputError for what is not the full name of one."""
    if not ref.startswith("refs/") or any(ord(c) < 33 or c in '*?[\\"' for c in ref):
        raise InputError(f"{ref!r} is not the full name of a ref", mend="write it like refs/notes/ai")
    return ref


def write_notes(
    repository: Repository, ref: str, notes: Mapping[str, bytes], author: Person, now: str, message: str
) -> None:
    """Add a commit with these notes (commit to text) to `ref`, which is created when it does not exist.

    Other notes stay, a note of the same commit is replaced whatever its depth. The ref moves last and only from where
    it was: when somebody else moved it in between, nothing is written and GitError is raised. Raises InputError for a
    ref outside `refs/notes/` and for one that is symbolic or reached through a symbolic link.
    """
    _check_ref(repository, ref)
    for commit in notes:
        if not _is_oid(commit):
            raise InputError(f"{commit!r} is not a whole object id", mend="name the commit by all its hex digits")
    if not notes:
        return
    tip = read_tip(repository, ref)
    stale = _existing(repository, tip, list(notes)) if tip else []
    lines = [b"commit %s\n" % ref.encode(), _committer(author, now), _data(message.encode("utf-8", "backslashreplace"))]
    if tip:
        lines.append(b"from %s\n" % tip.encode())
    lines += [b"D %s\n" % path.encode() for path in stale]
    for commit, text in sorted(notes.items()):
        lines += [b"N inline %s\n" % commit.encode(), _data(text)]
    lines.append(b"done\n")
    repository.run("fast-import", "--quiet", "--done", stdin=b"".join(lines))


# Private

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"refs/notes/[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def _is_oid(text: str) -> bool:
    return _OID.fullmatch(text) is not None


def _candidates(commit: str) -> list[str]:
    """Where the note of a commit can lie, the deepest first, as git lists a tree."""
    cuts = [
        [commit[2 * i : 2 * i + 2] for i in range(depth)] + [commit[2 * depth :]] for depth in reversed(range(DEPTHS))
    ]
    return ["/".join(cut) for cut in cuts]


def _list_tree(repository: Repository, tip: str) -> dict[str, list[tuple[str, str]]]:
    """Path and blob of every note, by commit; of one commit the deepest path first, as git lists and joins them."""
    length = len(repository.null_oid)
    found: dict[str, list[tuple[str, str]]] = {}
    for row in repository.run("ls-tree", "-r", "-z", "--full-tree", tip).split(b"\0"):
        head, _, path = row.decode("utf-8", "replace").partition("\t")
        commit = path.replace("/", "")
        fields = head.split(" ")
        if len(commit) == length and _is_oid(commit) and fields[1] == "blob" and path in _candidates(commit):
            found.setdefault(commit, []).append((path, fields[2]))
    return found


def _read(repository: Repository, asked: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    """The texts of (commit, object name) pairs; pairs of one commit stand together and are joined."""
    current, text = "", b""
    blobs = repository.read_blobs((name for _, name in asked), limit=NOTE_LIMIT_BYTES)
    for (commit, _), blob in zip(asked, blobs, strict=True):
        if blob.kind not in ("blob", "too-large"):
            continue
        if current and commit != current:
            yield current, text
        text = text + b"\n" + blob.content if commit == current else blob.content
        current = commit
    if current:
        yield current, text


def _existing(repository: Repository, tip: str, commits: list[str]) -> list[str]:
    paths = _list_tree(repository, tip)
    return [path for commit in commits for path, _ in paths.get(commit, ())]


def _check_ref(repository: Repository, ref: str) -> None:
    if not _REF.fullmatch(ref) or ".." in ref or any(part.endswith((".lock", ".")) for part in ref.split("/")):
        raise InputError(f"notes are not written to {ref!r}", mend="name a ref below refs/notes/")
    target = repository.run("symbolic-ref", "--quiet", ref, ok=(0, 1, 128)).strip()
    path = repository.common_dir / ref
    linked = [
        part for part in (path, *path.parents) if part.is_relative_to(repository.common_dir) and part.is_symlink()
    ]
    if target or linked:
        raise InputError(
            f"{ref} points to another ref or place, and notes would land there",
            mend="name that ref itself below refs/notes/",
        )


def _committer(author: Person, now: str) -> bytes:
    try:
        seconds = int(datetime.fromisoformat(now).timestamp())
    except ValueError as error:
        raise InputError(f"{now!r} is not a moment", mend="write it like 2026-05-01T12:00:00Z") from error
    name, email = (
        re.sub(r"[<>\x00-\x1f\x7f]", "", part).strip().encode("utf-8", "backslashreplace")
        for part in (author.name, author.email)
    )
    return b"committer %s <%s> %d +0000\n" % (name, email, seconds)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
