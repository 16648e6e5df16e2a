"""What a Ruby file is read into while it is read: definitions that grow, and the scope that names are seen from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.symbols import Definition, DefinitionKind, Parameter, Visibility

if TYPE_CHECKING:
    from tree_sitter import Node


class Draft:
    """A definition whose bases, returns and visibility are found below it."""

    __slots__ = ("bases", "flags", "kind", "name", "node", "parameters", "parent", "returns", "visibility")

    def __init__(self, name: str, kind: DefinitionKind, node: Node, parent: int) -> None:
        self.name = name
        self.kind: DefinitionKind = kind
        self.node = node
        self.parent = parent
        self.visibility: Visibility = "public"
        self.bases: list[str] = []
        self.parameters: tuple[Parameter, ...] = ()
        self.returns: list[str] = []
        self.flags: list[str] = []

    def definition(self) -> Definition:
        return Definition(
            self.name,
            self.kind,
            self.node.start_point[0] + 1,
            self.node.end_point[0] + 1,
            self.parent,
            self.visibility,
            tuple(dict.fromkeys(self.bases)),
            (),
            self.parameters,
            tuple(dict.fromkeys(self.returns)),
            tuple(self.flags),
        )


class Scope:
    """The definition that is read. `owner` is the class around it (0 for none), `me` is what `self` means in it."""

    __slots__ = ("group", "index", "locals", "me", "method", "owner", "prefix", "set_ups", "static", "visibility")

    def __init__(self, index: int, owner: int, prefix: str, me: str) -> None:
        self.index = index
        self.owner = owner
        self.prefix = prefix
        self.me = me
        self.method = ""
        self.static = False
        self.group = False
        self.visibility: Visibility = "public"
        self.locals: set[str] = set()
        self.set_ups: list[str] = []

    @property
    def is_body(self) -> bool:
        """Whether this is the body of a class or of the file, not of a method."""
        return not self.method
