"""The files of a tree: one process for a tree, one or two more for the tree on the other side of a change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.errors import GitError

FILES = ("100644", "100755", "100664")
"""The modes of regular files."""

_LINK = "120000"
_SUBMODULE = "160000"


class Listed(NamedTuple):
    """One entry of a tree; `size` is in bytes, -1 where the content is not in this clone."""

    mode: str
    oid: str
    size: int

    @property
    def is_file(self) -> bool:
        return self.mode in FILES

    @property
    def is_link(self) -> bool:
        return self.mode == _LINK

    @property
    def is_submodule(self) -> bool:
        return self.mode == _SUBMODULE


def list_tree(repository: Repository, tree: str) -> dict[str, Listed]:
    """Every entry of the tree by path, in git's order. Bytes of a path that are no UTF-8 are surrogate escapes."""
    answer = _path(repository.run("ls-tree", "-r", "-l", "-z", "--full-tree", tree))
    listed = {
        path: Listed(_MODES.get(mode, mode), oid, int(size) if size.isdigit() else -1)
        for mode, oid, size, path in _ENTRY.findall(answer)
    }
    if len(listed) != answer.count("\0"):
        raise GitError("git ls-tree gave an answer that cannot be read", where=tree)
    return listed


def list_other_tree(repository: Repository, known: dict[str, Listed], tree: str, other: str) -> dict[str, Listed]:
    """Every entry of the tree `other`, told from those of `tree` and the difference between the two."""
    listed = dict(known)
    ordered = True
    changed = list(_differences(repository, tree, other))
    sizes = {
        blob.name: blob.size if blob.kind == "blob" else -1
        for blob in repository.look_up(sorted({oid for _, mode, oid in changed if mode in FILES}))
    }
    for path, mode, oid in changed:
        if mode == "000000":
            listed.pop(path, None)
        else:
            ordered = ordered and path in listed
            listed[path] = Listed(mode, oid, sizes.get(oid, -1))
    if ordered:
        return listed
    return dict(sorted(listed.items(), key=lambda entry: entry[0].encode("utf-8", "surrogateescape")))


# Private

_MODES = {mode: mode for mode in (*FILES, _LINK, _SUBMODULE)}
"""One text for each, not one for each file."""

_ENTRY = re.compile(r"([0-7]{6}) [a-z]+ ([0-9a-f]+) +(\S+)\t([^\0]+)\0")


def _differences(repository: Repository, tree: str, other: str) -> Iterator[tuple[str, str, str]]:
    """Path, mode and object id in `other` of what differs; the mode is 000000 for what is only in `tree`."""
    fields = repository.run("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", tree, other).split(b"\0")
    for head, path in zip(fields[0:-1:2], fields[1::2], strict=True):
        parts = head.decode("ascii", "replace").split()
        if len(parts) != 5:
            raise GitError("git diff-tree gave an answer that cannot be read", where=f"{tree}..{other}")
        yield _path(path), parts[1], parts[3]


def _path(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
