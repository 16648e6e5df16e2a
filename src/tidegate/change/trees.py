"""The two trees of a change as readers of whole files see them: names, and contents read once and together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.listing import list_tree
from tidegate.change.values import Change

REGULAR = (0o100644, 0o100755)
LARGEST_BYTES = 20 * 1024 * 1024
"""No hand-written template is larger; a file beyond it is said not to be judged."""


class Tree(Protocol):
    """One side of a change. Paths are text, `/` between folders; bytes that are not UTF-8 are surrogates."""

    def paths(self) -> tuple[str, ...]:
        """Every file of the tree, in order. Links and submodules are not among them."""
        ...

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of these files; what is not there or too large is missing from the answer."""
        ...


class Pair(Struct, frozen=True):
    """One changed file, by its path on each side; "" where it is not there."""

    before: str
    after: str

    @property
    def path(self) -> str:
        return self.after or self.before


class Trees(Struct, frozen=True):
    """Both sides of a change, and the files that differ between them, renames joined."""

    before: Tree
    after: Tree
    changed: tuple[Pair, ...]


class Given(Struct, frozen=True):
    """A tree of contents that are at hand, by path."""

    contents: Mapping[str, bytes]

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.contents))

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        return {path: self.contents[path] for path in paths if path in self.contents}


def given(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Trees:
    """The trees of contents that are at hand, without renames."""
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    pairs = tuple(Pair(path if path in before else "", path if path in after else "") for path in changed)
    return Trees(Given(before), Given(after), pairs)


def tree_of(repository: Repository, tree: str) -> GitTree:
    """A tree of this repository, the same one for all who ask while it is open: it is listed and read once."""
    found: GitTree = repository.kept.setdefault(tree, GitTree(repository, tree))
    return found


def pairs_of(change: Change) -> tuple[Pair, ...]:
    """The changed files of a change, links and submodules left out. A copied file is new."""
    return tuple(
        Pair(
            file.old_path.decode("utf-8", "surrogateescape")
            if file.old_mode in REGULAR and file.status != "copied"
            else "",
            file.path.decode("utf-8", "surrogateescape") if file.new_mode in REGULAR else "",
        )
        for file in change.files
        if file.old_mode in REGULAR or file.new_mode in REGULAR
    )


class GitTree:
    """A tree in a repository. Contents are read together and kept."""

    def __init__(self, repository: Repository, tree: str) -> None:
        self._repository = repository
        self._tree = tree
        self._read: dict[str, bytes] = {}
        self._asked: set[str] = set()

    @property
    def repository(self) -> Repository:
        """The repository that the tree is in."""
        return self._repository

    def paths(self) -> tuple[str, ...]:
        return tuple(self.oids())

    def oids(self) -> Mapping[str, str]:
        """The blob of every file, by path."""
        return list_tree(self._repository, self._tree).files

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        names = self.oids()
        wanted = [path for path in dict.fromkeys(paths) if path in names]
        missing = [path for path in wanted if path not in self._asked]
        if missing:
            self._asked.update(missing)
            blobs = self._repository.read_blobs([names[path] for path in missing], LARGEST_BYTES)
            for path, blob in zip(missing, blobs, strict=True):
                if blob.kind == "blob":
                    self._read[path] = blob.content
        return {path: self._read[path] for path in wanted if path in self._read}
