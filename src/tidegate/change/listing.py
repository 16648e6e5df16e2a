"""The files of a tree, listed once for all who ask: one process for the first tree, one more for another near it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.errors import GitError

MOST_KEPT = 4


class Listing(Struct, frozen=True):
    """The entries of a tree in git's order. Bytes of a path that are no UTF-8 are surrogate escapes.

    `files` are the blobs of all regular files by path; what is behind `links` and `submodules` is nothing of the tree.
    """

    files: Mapping[str, str]
    links: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()


def list_tree(repository: Repository, tree: str) -> Listing:
    """Every entry of a tree or of the tree of a commit. The last few are kept while the repository is open.

    A tree beside another one is told from that and from what differs between the two.
    """
    kept: dict[str, Listing] = repository.kept.setdefault("listings", {})
    found = kept.get(tree)
    if found is None:
        near = next(reversed(kept), "")
        found = kept[tree] = _list_beside(repository, tree, near, kept[near]) if near else _list(repository, tree)
        if len(kept) > MOST_KEPT:
            del kept[next(iter(kept))]
    return found


# Private

_FILES = ("100644", "100755")
_LINK = "120000"
_SUBMODULE = "160000"
_MODE = slice(0, 6)
_OID_FROM = len("100644 blob ")


def _list(repository: Repository, tree: str) -> Listing:
    text = _text(repository.run("ls-tree", "-r", "-z", "--full-tree", tree))
    if text and not text.endswith("\0"):
        raise GitError("git ls-tree gave an answer that cannot be read", where=tree)
    lines = text.split("\0")
    lines.pop()
    # By place and not by pattern: a tree may have a million files.
    path_from = _OID_FROM + len(repository.null_oid) + 1
    files = {line[path_from:]: line[_OID_FROM : path_from - 1] for line in lines if line[_MODE] in _FILES}
    odd = [line.partition("\t") for line in lines if line[_MODE] not in _FILES]
    links = tuple(path for head, _, path in odd if head[_MODE] == _LINK)
    return Listing(files, links, tuple(path for head, _, path in odd if head[_MODE] == _SUBMODULE))


def _list_beside(repository: Repository, tree: str, near: str, known: Listing) -> Listing:
    files = dict(known.files)
    links, submodules = set(known.links), set(known.submodules)
    for path, mode, oid in _differences(repository, near, tree):
        links.discard(path)
        submodules.discard(path)
        if mode in _FILES:
            files[path] = oid
        else:
            files.pop(path, None)
        if mode == _LINK:
            links.add(path)
        elif mode == _SUBMODULE:
            submodules.add(path)
    if links == set(known.links) and submodules == set(known.submodules) and files.keys() == known.files.keys():
        return Listing(files, known.links, known.submodules)
    return Listing({path: files[path] for path in _ordered(files)}, _ordered(links), _ordered(submodules))


def _differences(repository: Repository, tree: str, other: str) -> Iterator[tuple[str, str, str]]:
    """Path, mode and object id in `other` of what differs; the mode is 000000 for what is only in `tree`."""
    asked = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", tree, other)
    fields = repository.run(*asked).split(b"\0")
    for head, path in zip(fields[0:-1:2], fields[1::2], strict=True):
        parts = head.decode("ascii", "replace").split()
        if len(parts) != 5:
            raise GitError("git diff-tree gave an answer that cannot be read", where=f"{tree}..{other}")
        yield _text(path), parts[1], parts[3]


def _ordered(paths: Mapping[str, str] | set[str]) -> tuple[str, ...]:
    """In git's order, which is that of the bytes."""
    if not paths:
        return ()
    raw = "\0".join(paths).encode("utf-8", "surrogateescape").split(b"\0")
    return tuple(path for _, path in sorted(zip(raw, paths, strict=True)))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
