"""The names of one file, ready to be looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from tidegate.reach.symbols import Binding, Definition, FileSymbols

Entry: TypeAlias = int | Binding
"""A name is a definition (its index) or a binding."""


class FileTable:
    """One file's symbols by scope and name. `cls` has the class that each definition stands in, -1 for none.

    `partial` are the classes that say more of a class of another file.
    """

    __slots__ = ("children", "cls", "definitions", "index", "members", "names", "partial", "path", "stars", "symbols")

    def __init__(self, path: str, index: int, symbols: FileSymbols) -> None:
        self.path = path
        self.index = index
        self.symbols = symbols
        self.definitions: tuple[Definition, ...] = symbols.definitions
        self.names: dict[tuple[int, str], list[Entry]] = {}
        self.members: dict[int, list[str]] = {}
        self.children: dict[int, list[int]] = {}
        self.stars: dict[int, list[Binding]] = {}
        self.cls: list[int] = []
        self.partial: list[int] = []
        for number, definition in enumerate(symbols.definitions):
            parent = definition.parent
            self.cls.append(_class_of(number, definition, self.cls))
            if "partial" in definition.flags:
                self.partial.append(number)
            if parent >= 0:
                name = definition.name.rpartition(".")[2]
                self.names.setdefault((parent, name), []).append(number)
                self.children.setdefault(parent, []).append(number)
                self.members.setdefault(parent, []).append(name)
        for binding in symbols.bindings:
            if binding.name == "*":
                self.stars.setdefault(binding.scope, []).append(binding)
            else:
                self.names.setdefault((binding.scope, binding.name), []).append(binding)

    def declared(self) -> Iterator[str]:
        """The top-level names that the file itself gives a meaning: no imports, no parts of other files' classes."""
        for (scope, name), entries in self.names.items():
            if scope == 0 and any(
                entry not in self.partial if isinstance(entry, int) else entry.kind != "import" for entry in entries
            ):
                yield name

    def key(self, number: int) -> str:
        """The node of a definition."""
        return f"{self.path}:{self.definitions[number].name}"


def _class_of(number: int, definition: Definition, classes: list[int]) -> int:
    if definition.kind in ("class", "interface"):
        return number
    return classes[definition.parent] if definition.parent >= 0 else -1
