"""Kotlin's types: what they name, and the chain of an instance of each."""

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


_TYPES = frozenset(
    ["user_type", "nullable_type", "non_nullable_type", "parenthesized_type", "function_type", "type_projection"]
)


class KotlinTypes(JvmReader):
    """Reads names and types, which may stand where an expression could."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.containers = set(CONTAINERS)

    def name_of(self, node: Node) -> str:
        """A name, without the backticks that let it be any text."""
        name = self.source_of(node)
        return name[1:-1].replace(".", " ") if name[:1] == "`" else name

    def type_node(self, node: Node) -> str:
        """A type where an expression could stand: it is only used."""
        self.type_of(node)
        return ""

    def type_name(self, node: Node) -> str:
        """The class that a type names as a chain, without its arguments; "" where it names none."""
        while node.type in ("nullable_type", "non_nullable_type", "parenthesized_type", "type_projection"):
            inner = [child for child in node.named_children if child.type != "type_modifiers"]
            if not inner:
                return ""
            node = inner[-1]
        if node.type != "user_type":
            return ""
        names = [self.name_of(child) for child in node.named_children if child.type == "identifier"]
        if len(names) == 1:
            known = self.scope.types.get(names[0])
            if known is not None:
                return known.removesuffix("!")
            if names[0] not in PLAIN:
                self.implied(names[0])
            return names[0]
        if not names:
            return ""
        return split_qualified(".".join(names)) if names[0][:1].islower() else ".".join(names)

    def type_of(self, node: Node) -> str:
        """The chain of an instance of a type, "" where it says nothing; what it names is a reference."""
        kind = node.type
        if kind in ("nullable_type", "non_nullable_type", "parenthesized_type", "type_projection"):
            inner = [child for child in node.named_children if child.type in _TYPES]
            return self.type_of(inner[-1]) if inner else ""
        if kind == "function_type":
            self.children(node)
            return "%func"
        if kind != "user_type":
            return ""
        chain = self.type_name(node)
        given = [
            part for child in node.named_children if child.type == "type_arguments" for part in child.named_children
        ]
        inner_types = [self.type_of(part) for part in given]
        name = chain.rpartition(".")[2]
        if name in self.scope.types:
            return self.scope.types[name]
        if not chain or chain in PLAIN:
            return PLAIN.get(chain, "")
        if name in ("Class", "KClass"):
            return inner_types[0].removesuffix("!") if inner_types and inner_types[0].endswith("!") else ""
        self.use(chain, line_of(node))
        if name in self.containers:
            if not inner_types:
                return "%list"
            return contained(inner_types[-1] if name in LAST_ARGUMENT else inner_types[0])
        return chain + "!"
