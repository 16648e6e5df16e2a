"""The files of a tree: one process for a tree, one or two more for the tree on the other side of a change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.errors import GitError

_FILES = ("100644", "100755", "100664")
_LINK = "120000"
_SUBMODULE = "160000"


class Listed(NamedTuple):
    """One entry of a tree; `size` is in bytes, -1 where the content is not in this clone."""

    mode: str
    oid: str
    size: int

    @property
    def is_file(self) -> bool:
        return self.mode in _FILES

    @property
    def is_link(self) -> bool:
        return self.mode == _LINK

    @property
    def is_submodule(self) -> bool:
        return self.mode == _SUBMODULE


def list_tree(repository: Repository, tree: str) -> dict[str, Listed]:
    """Every entry of the tree by path, in git's order. Bytes of a path that are no UTF-8 are surrogate escapes."""
    listed: dict[str, Listed] = {}
    for entry in repository.run("ls-tree", "-r", "-l", "-z", "--full-tree", tree).split(b"\0")[:-1]:
        head, _, path = entry.partition(b"\t")
        fields = head.decode("ascii", "replace").split()
        if len(fields) != 4:
            raise GitError("git ls-tree gave an answer that cannot be read", where=tree)
        mode, _, oid, size = fields
        listed[_path(path)] = Listed(mode, oid, int(size) if size.isdigit() else -1)
    return listed


def list_other_tree(repository: Repository, known: dict[str, Listed], tree: str, other: str) -> dict[str, Listed]:
    """Every entry of the tree `other`, told from those of `tree` and the difference between the two."""
    listed = dict(known)
    changed = list(_differences(repository, tree, other))
    sizes = {
        blob.name: blob.size if blob.kind == "blob" else -1
        for blob in repository.look_up(sorted({oid for _, mode, oid in changed if mode in _FILES}))
    }
    for path, mode, oid in changed:
        listed.pop(path, None)
        if mode != "000000":
            listed[path] = Listed(mode, oid, sizes.get(oid, -1))
    return dict(sorted(listed.items(), key=lambda entry: entry[0].encode("utf-8", "surrogateescape")))


# Private


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
