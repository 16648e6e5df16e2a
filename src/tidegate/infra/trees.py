"""The two trees of a change as readers of infrastructure see them: names, and contents read once and together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

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
