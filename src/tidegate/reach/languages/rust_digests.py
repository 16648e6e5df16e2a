"""What each definition of a Rust file is made of, as digests that rustfmt and comments do not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tidegate.reach.languages.rust_reader import RustReader
from tidegate.reach.languages.tree import digest, leaves
from tidegate.reach.symbols import Definition, Digests

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMENTS = frozenset(["line_comment", "block_comment"])
_ATTRIBUTES = _COMMENTS | {"attribute_item", "inner_attribute_item"}
_TUPLES = frozenset(["tuple_expression", "tuple_type", "tuple_pattern", "token_tree"])
_BODIES = ("body", "value")
_CLOSERS = frozenset([")", "}", "]", ">"])


def read_rust_digests(source: bytes, root: Node) -> tuple[Digests, ...]:
    """The digests of the module and of every definition, in the order of `read_symbols`."""
    reader = RustReader(source)
    definitions = reader.read_file(root).definitions
    nodes = [reader.nodes[index] for index in range(len(definitions))]
    holes = frozenset(node.id for node in nodes[1:])
    return tuple(_digests(made, node, holes) for made, node in zip(definitions, nodes, strict=True))


def _digests(made: Definition, node: Node, holes: frozenset[int]) -> Digests:
    own = holes - {node.id}
    bodies = [part for field in _BODIES if (part := node.child_by_field_name(field)) is not None]
    if made.kind == "type" and (aliased := node.child_by_field_name("type")) is not None:
        bodies = [aliased]
    if made.kind == "module" and made.parent < 0:
        bodies = [node]
    taken = own | {part.id for part in bodies}
    head = [] if node.type in ("impl_item", "source_file") else [node]
    attributes, docs = _before(node)
    return Digests(
        name=made.name,
        kind=made.kind,
        line=made.line,
        end_line=made.end_line,
        signature=digest([made.name.encode(), *_tokens(head, taken)]),
        defaults=digest(()),
        decorators=digest(_tokens(attributes, own)),
        bases=digest([base.encode() for base in made.bases]),
        body=digest(_tokens(bodies if node.type != "impl_item" else [node], own)),
        docs=digest(docs),
    )


def _tokens(nodes: Iterable[Node], holes: frozenset[int]) -> Iterator[bytes]:
    listed = list(nodes)
    skip = _COMMENTS if any(node.type == "attribute_item" for node in listed) else _ATTRIBUTES
    return leaves(listed, skip=skip, holes=holes, trailing=_trailing)


def _trailing(parent: Node, separator: Node) -> bool:
    """A comma before a closing bracket is rustfmt's; in a tuple or a macro it may mean something."""
    return separator.type == "," and parent.type not in _TUPLES and parent.children[-1].type in _CLOSERS


def _before(node: Node) -> tuple[list[Node], list[bytes]]:
    """The attributes of an item and its documentation, which stand before it."""
    attributes: list[Node] = []
    docs: list[bytes] = []
    before = node.prev_named_sibling
    while before is not None and before.type in _ATTRIBUTES:
        text = before.text or b""
        if before.type == "attribute_item" and not text.startswith(b"#[doc"):
            attributes.append(before)
        elif before.type == "attribute_item" or text.startswith((b"///", b"/**")):
            docs.append(text)
        before = before.prev_named_sibling
    attributes.reverse()
    docs.reverse()
    return attributes, docs
