"""What a finder has to answer. One file per framework or family, one line each in the list of `entries/__init__.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from tidegate.reach.answer import EntryPoint
from tidegate.reach.entries.context import Context
from tidegate.reach.entries.interface import Mark
from tidegate.reach.symbols import FileSymbols

MarksByPath: TypeAlias = Mapping[str, tuple[Mark, ...]]


class Finder(Struct, frozen=True):
    """One framework or family, in two halves.

    `marks` is a pure function of one file, so that its answer can be kept with the blob; it is asked only for files
    with one of the `suffixes` and with one of `needs` among their features (`features.features_of`).
    `join` makes entry points of the marks of all files, in the order of their paths, and of configuration files.
    """

    name: str
    join: Callable[[MarksByPath, Context], Iterable[EntryPoint]]
    suffixes: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    marks: Callable[[FileSymbols], tuple[Mark, ...]] | None = None
