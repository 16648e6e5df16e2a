"""What each definition of a Java or Kotlin file is made of, as digests that comments and formatting do not change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.reach.languages.tree import digest, leaves
from tidegate.reach.symbols import Definition, Digests

if TYPE_CHECKING:
    from tree_sitter import Node


class Shape(Struct, frozen=True):
    """Which kinds of nodes make up which part of a definition in one grammar.

    `shared` are declarations of several definitions at once (`int a, b;`): the definition's node is a child of them.
    `inner` are kinds that hold what a list of children should be flattened to (parameters, whose defaults count apart).
    """

    comments: frozenset[str]
    annotations: frozenset[str]
    modifiers: str
    bases: frozenset[str]
    bodies: frozenset[str]
    shared: frozenset[str]
    values: frozenset[str]
    parameters: frozenset[str] = frozenset()


class _Parts(Struct):
    signature: list[Node]
    defaults: list[Node]
    decorators: list[Node]
    bases: list[Node]
    body: list[Node]


def read_jvm_digests(definitions: Sequence[Definition], nodes: Sequence[Node], shape: Shape) -> tuple[Digests, ...]:
    """The digests of the definitions, each with its node."""
    holes = {node.id for node in nodes[1:]}
    for node in nodes[1:]:
        parent = node.parent
        if parent is not None and parent.type in shape.shared:
            holes.add(parent.id)
    taken = frozenset(holes)
    return tuple(_one(definition, node, shape, taken) for definition, node in zip(definitions, nodes, strict=True))


def _one(definition: Definition, node: Node, shape: Shape, holes: frozenset[int]) -> Digests:
    parts = _parts(definition, node, shape)

    def made(found: Iterable[Node], more: str = "", skip: frozenset[int] = frozenset()) -> str:
        return digest([more.encode(), *leaves(found, skip=shape.comments, holes=skip, trailing=_is_trailing)])

    bases = made(parts.bases) if parts.bases else digest([b"", *(base.encode() for base in definition.bases)])
    return Digests(
        definition.name,
        definition.kind,
        definition.line,
        definition.end_line,
        made(parts.signature, f"{definition.kind} {definition.name.rpartition('.')[2]}"),
        made(parts.defaults),
        made(parts.decorators),
        bases,
        made(parts.body, skip=holes),
        _docs(node, shape),
    )


def _parts(definition: Definition, node: Node, shape: Shape) -> _Parts:
    parts = _Parts([], [], [], [], [])
    if definition.kind == "module" or "anonymous" in definition.flags:
        parts.body = list(node.children)
        return parts
    parent = node.parent
    children = list(node.children)
    if parent is not None and parent.type in shape.shared:
        others = [child for child in parent.children if child.type != node.type and child.type != ","]
        children = [child for child in others if child.start_byte < node.start_byte] + children
    after = ""
    for child in children:
        kind = child.type
        if kind == shape.modifiers:
            _add_modifiers(child, shape, parts)
        elif kind in shape.annotations:
            parts.decorators.append(child)
        elif kind in shape.bases:
            parts.bases.append(child)
        elif kind in shape.bodies or after == "=":
            parts.body.append(child)
        elif after == "default":
            parts.defaults.append(child)
        elif kind in shape.parameters:
            _add_parameters(child, shape, parts)
        elif kind in shape.values:
            after = kind
        else:
            parts.signature.append(child)
    return parts


def _add_modifiers(node: Node, shape: Shape, parts: _Parts) -> None:
    for child in node.children:
        (parts.decorators if child.type in shape.annotations else parts.signature).append(child)


def _add_parameters(node: Node, shape: Shape, parts: _Parts) -> None:
    """Parameters, with their default values apart from the rest: those stand in the parameter, or behind it."""
    default = False
    for child in node.children:
        if child.type in shape.parameters:
            _add_parameters(child, shape, parts)
        elif child.type in ("=", ",", ")"):
            default = child.type == "="
            parts.signature.append(child)
        elif default:
            parts.defaults.append(child)
        elif any(part.type == "=" for part in child.children):
            _add_parameters(child, shape, parts)
        else:
            parts.signature.append(child)


def _docs(node: Node, shape: Shape) -> str:
    parent = node.parent
    if parent is not None and parent.type in shape.shared:
        node = parent
    before = node.prev_sibling
    text = (before.text or b"") if before is not None and before.type in shape.comments else b""
    words = [word for word in text.split() if word != b"*"]
    return digest([b" ".join(words)] if text.startswith(b"/**") else [])


def _is_trailing(_: Node, separator: Node) -> bool:
    """A comma before a closing bracket is formatting."""
    return separator.type == ","
