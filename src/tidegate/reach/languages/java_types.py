"""Java's types: what they name, and the chain of an instance of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.jvm import (
    CONTAINERS,
    LAST_ARGUMENT,
    PLAIN,
    contained,
    split_qualified,
)
from tidegate.reach.languages.jvm_record import JvmReader, line_of

if TYPE_CHECKING:
    from tree_sitter import Node


class JavaTypes(JvmReader):
    """Reads types, which may stand where an expression could."""

    def type_node(self, node: Node) -> str:
        """A type where an expression could stand: it is only used."""
        self.type_of(node)
        return ""

    def type_name(self, node: Node) -> str:
        """The class that a type names as a chain, without its arguments; "" for a primitive or a type variable."""
        while node.type in ("generic_type", "annotated_type", "array_type"):
            parts = node.named_children
            node = parts[-1] if node.type == "annotated_type" else parts[0]
        if node.type in ("type_identifier", "identifier"):
            name = self.source_of(node)
            if name in self.scope.types:
                return self.scope.types[name].removesuffix("!")
            self.implied(name)
            return name
        if node.type in ("scoped_type_identifier", "scoped_identifier"):
            names = [self.source_of(part) for part in _names(node)]
            return split_qualified(".".join(names)) if names[0][:1].islower() else ".".join(names)
        return ""

    def type_of(self, node: Node, *, made: bool = False) -> str:
        """The chain of an instance of a type, "" where it says nothing; what it names is a reference.

        With `made`, a `new` follows: the class itself is called and needs no reference of its own.
        """
        kind = node.type
        if kind == "type_identifier":
            name = self.source_of(node)
            if name in self.scope.types:
                return self.scope.types[name]
            plain = PLAIN.get(name)
            if plain is not None:
                return plain
            self.implied(name)
            if not made:
                self.use(name, node.start_point[0] + 1)
            return "%list" if name in self.containers and not made else name + "!"
        if kind == "generic_type":
            return self.generic_type(node, made)
        if kind == "array_type":
            element = node.child_by_field_name("element")
            return contained(self.type_of(element)) if element is not None else "%list"
        if kind == "scoped_type_identifier":
            chain = self.type_name(node)
            if not made:
                self.use(chain, line_of(node))
            return chain + "!"
        if kind in ("integral_type", "floating_point_type", "boolean_type"):
            return "%int"
        if kind in ("annotated_type", "wildcard"):
            parts = [child for child in node.named_children if "annotation" not in child.type]
            return self.type_of(parts[-1]) if parts else ""
        return ""

    def generic_type(self, node: Node, made: bool) -> str:
        base, *rest = node.named_children
        given = [self.type_of(child) for part in rest if part.type == "type_arguments" for child in part.named_children]
        full = self.source_of(base)
        name = full.rpartition(".")[2]
        if name == "Class":
            return given[0].removesuffix("!") if given and given[0].endswith("!") else ""
        root = full.partition(".")[0]
        if name not in CONTAINERS or not (root in self.containers or root in ("java", "javax", "jakarta")):
            return self.type_of(base, made=made)
        if not made:
            self.use(self.type_name(base), line_of(base))
        if not given:
            return "" if made else "%list"
        chain = given[-1] if name in LAST_ARGUMENT else given[0]
        return contained(chain)


def _names(node: Node) -> list[Node]:
    """The names of a dotted name, in order, without recursion."""
    found: list[Node] = []
    while node.type in ("scoped_type_identifier", "scoped_identifier"):
        parts = [child for child in node.named_children if "annotation" not in child.type]
        found.append(parts[-1])
        node = parts[0]
        if node.type == "generic_type":
            node = node.named_children[0]
    found.append(node)
    found.reverse()
    return found
