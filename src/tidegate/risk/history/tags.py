"""Release tags: the tags whose names look like versions, with the commits that they lead to."""

from __future__ import annotations

import re

from tidegate.change.git import Repository
from tidegate.risk.late import Late
from tidegate.risk.values import Tag


def read_tags(repository: Repository) -> tuple[Tag, ...]:
    """The release tags of the repository, the oldest first. One process.

    The moment of an annotated tag is its own, that of a light one the commit's.
    """
    listed = repository.run("for-each-ref", f"--format={_FORMAT}", "refs/tags")
    tags = []
    for line in listed.split(b"\n"):
        fields = line.split(b" ", 5)
        if len(fields) < 6:
            continue
        kind, oid, peeled_kind, peeled, at, ref = fields
        commit = oid if kind == b"commit" else peeled if peeled_kind == b"commit" else b""
        name = ref.decode("utf-8", "backslashreplace").removeprefix("refs/tags/")
        if commit and is_version(name):
            tags.append(Tag(name, commit.decode("ascii"), int(at) if at.isdigit() else 0))
    return tuple(sorted(tags, key=lambda tag: (tag.at, tag.name)))


def is_version(name: str) -> bool:
    """Whether a tag's name looks like a release: `v1.2`, `1.2.3-rc1`, `pkg@1.0.0`, `release-2024.1`, `r12`."""
    return len(name) <= 200 and _VERSION.fullmatch(name.rpartition("/")[2]) is not None


# Private

_FORMAT = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(creatordate:unix) %(refname)"
_VERSION = Late(
    r"(?:@?[A-Za-z][A-Za-z0-9.]*[-_@])*(?:v|r|rel|release|version)?[-_]?"
    r"(?:\d+(?:[._]\d+)+|\d{1,8})"
    r"(?:[-_.+]?(?:a|b|c|rc|alpha|beta|pre|preview|dev|post|m|ga|final|release|lts|sp|hotfix|patch)[-_.]?\d*)*"
    r"(?:\+[0-9A-Za-z.-]+)?",
    re.IGNORECASE,
)
