"""What the finders of entry points are given: a tree, its marks, and a way to ask what names mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from tidegate.reach.answer import SymbolId
from tidegate.reach.symbols import FileSymbols

ReadFiles: TypeAlias = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Reads files of the tree by path; a path that is missing or too large is missing in the answer."""

Resolve: TypeAlias = Callable[[str, int, str], tuple[SymbolId, ...]]
"""What a chain means, written in the file of the path, inside the definition of the index; () outside the tree.

The name of a `SymbolId` is "" for a module or a whole file.
"""


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """One place in a file that may make an entry point, seen in that file alone: a call or a decorator that matters.

    `finder` is the name of the finder that wrote it and `what` that finder's own word for it. `within` is the index of
    the definition: the one around a call, the one that a decorator decorates. `chain` and `arguments` are those of the
    reference.
    """

    finder: str
    what: str
    within: int
    line: int
    chain: str
    arguments: tuple[str, ...] = ()


class Sources(Struct, frozen=True):
    """The tree that is asked about.

    `files` has every file that a language reader read; a mapping that decodes on demand is fine, since finders look
    only at files with marks and at those they lead to. `paths` are all files of the tree. `marks` are the kept answers
    of `marks_of` by path: a file that is missing there is read for marks from `files`; None reads all of them.
    """

    files: Mapping[str, FileSymbols]
    paths: Sequence[str]
    read: ReadFiles
    resolve: Resolve
    marks: Mapping[str, tuple[Mark, ...]] | None = None
