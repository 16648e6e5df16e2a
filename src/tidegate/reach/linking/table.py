"""The names of one file, ready to be looked up."""

from __future__ import annotations

from typing import TypeAlias

from tidegate.reach.symbols import Binding, Definition, FileSymbols

Entry: TypeAlias = int | Binding
"""A name is a definition (its index) or a binding."""


class FileTable:
    """One file's symbols by scope and name. `cls` has the class that each definition stands in, -1 for none."""

    __slots__ = ("children", "cls", "definitions", "index", "members", "names", "path", "stars", "symbols")

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
        for number, definition in enumerate(symbols.definitions):
            parent = definition.parent
            self.cls.append(_class_of(number, definition, self.cls))
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

    def key(self, number: int) -> str:
        """The node of a definition."""
        return f"{self.path}:{self.definitions[number].name}"


def _class_of(number: int, definition: Definition, classes: list[int]) -> int:
    if definition.kind in ("class", "interface"):
        return number
    return classes[definition.parent] if definition.parent >= 0 else -1
