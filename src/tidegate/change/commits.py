"""Commits as they stand in the repository: raw objects, without mail map, replacement, grafts or signature checks."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tidegate.change.git import Repository
from tidegate.change.values import Commit, Person
from tidegate.errors import InputError

COMMIT_LIMIT_BYTES = 1 << 20
MESSAGES_LIMIT_BYTES = 256 << 20
"""A message of megabytes takes a few kilobytes of a repository: without a limit it could fill the memory."""


def read_commits(repository: Repository, base: str, head: str) -> tuple[Commit, ...]:
    """The commits of `base..head`, parents before children; "" as base takes the whole history of head.

    Three processes in all. At the edge of a shallow clone git stops: `Repository.shallow_edge` holds those commits.
    Raises InputError for a commit that is too large to be read: leaving one out would hide who wrote what.
    """
    listed = repository.run(
        "rev-list", "--topo-order", "--reverse", "--end-of-options", head, *([f"^{base}"] if base else [])
    )
    oids = listed.decode("ascii").split()
    found = read_commit_objects(repository, oids)
    for oid in oids:
        if oid not in found:
            raise InputError("this commit is larger than 1 MB", where=oid, mend="shorten its message: git rebase -i")
    return tuple(found[oid] for oid in oids)


def read_commit_objects(repository: Repository, oids: Iterable[str]) -> dict[str, Commit]:
    """Object id to commit, for those that are commits of this clone and under 1 MB. Two processes in all."""
    found: dict[str, Commit] = {}
    size = 0
    for answer in repository.read_blobs(dict.fromkeys(oids), limit=COMMIT_LIMIT_BYTES):
        if answer.kind != "commit":
            continue
        size += answer.size
        if size > MESSAGES_LIMIT_BYTES:
            raise InputError(
                f"the messages of these commits are larger than {MESSAGES_LIMIT_BYTES >> 20} MB together",
                where=str(repository.path),
                mend="name a smaller range",
            )
        found[answer.name] = parse_commit(answer.oid, answer.content)
    return found


def parse_commit(oid: str, content: bytes) -> Commit:
    """A raw commit object. Nothing in it raises: a broken name, date or encoding reads as far as it can be read."""
    head, _, message = content.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        if name:  # a line that begins with a space continues a signature
            fields.setdefault(name, []).append(value)
    encoding = _codec(fields.get(b"encoding", [b""])[0])
    author, authored_at = _signature(fields.get(b"author", [b""])[0], encoding)
    committer, committed_at = _signature(fields.get(b"committer", [b""])[0], encoding)
    return Commit(
        oid=oid,
        tree=fields.get(b"tree", [b""])[0].decode("ascii", "replace"),
        parents=tuple(parent.decode("ascii", "replace") for parent in fields.get(b"parent", [])),
        author=author,
        committer=committer,
        authored_at=authored_at,
        committed_at=committed_at,
        message=_decode(message, encoding),
    )


# Private

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write
_SIGNATURE = re.compile(rb"(?P<name>.*?) ?<(?P<email>.*)>(?P<rest>[^>]*)", re.DOTALL)
_TEXT_CODECS = ("iso8859", "latin", "cp", "koi8", "euc", "gb", "big5", "shift_jis", "utf-8", "ascii", "mac", "johab")


def _signature(value: bytes, encoding: str) -> tuple[Person, str]:
    match = _SIGNATURE.fullmatch(value)
    if match is None:
        return Person(_decode(value, encoding).strip(), ""), _time(b"")
    person = Person(_decode(match["name"], encoding).strip(), _decode(match["email"], encoding).strip())
    return person, _time(match["rest"].strip().split(b" ")[0])


def _time(seconds: bytes) -> str:
    """RFC 3339 in UTC; a time that is missing, or outside of what can be written, is the nearest that can."""
    number = int(seconds) if re.fullmatch(rb"-?[0-9]{1,18}", seconds) else 0
    moment = _EPOCH + timedelta(seconds=max(0, min(number, _LAST_SECOND)))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _codec(name: bytes) -> str:
    """Python's name of a text encoding that a commit names, utf-8 for one that it does not know."""
    try:
        found = codecs.lookup(name.decode("ascii")).name
    except (LookupError, UnicodeDecodeError, ValueError):
        return "utf-8"
    return found if found.startswith(_TEXT_CODECS) else "utf-8"


def _decode(text: bytes, encoding: str) -> str:
    try:
        return text.decode(encoding, "backslashreplace")
    except (UnicodeError, TypeError, LookupError):
        return text.decode("utf-8", "backslashreplace")
