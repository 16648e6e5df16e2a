"""What each definition of a Go file is made of, as digests that gofmt and comments do not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tidegate.reach.languages.go_reader import GoReader
from tidegate.reach.languages.tree import digest, leaves
from tidegate.reach.symbols import Definition, Digests

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMENTS = frozenset(["comment"])
_SIGNATURE = ("receiver", "name", "type_parameters", "parameters", "result")
_CLOSED = frozenset([")", "}", "]"])


def read_go_digests(source: bytes, root: Node) -> tuple[Digests, ...]:
    """The digests of the module and of every definition, in the order of `read_symbols`."""
    reader = GoReader(source)
    definitions = reader.read_file(root).definitions
    nodes = [reader.nodes[index] for index in range(len(definitions))]
    holes = frozenset(node.id for node in nodes[1:])
    return tuple(_digests(made, node, holes) for made, node in zip(definitions, nodes, strict=True))


def _digests(made: Definition, node: Node, holes: frozenset[int]) -> Digests:
    own = holes - {node.id}
    signature: Iterable[bytes] = ()
    bases: Iterable[bytes] = ()
    body: Iterable[bytes] = ()
    if "partial" in made.flags:
        signature = _with(made.name, iter(()))
    elif made.kind == "module":
        body = _tokens([node], own)
    elif made.kind in ("function", "method"):
        signature, bases, body = _function(made, node, own)
    elif made.kind in ("constant", "variable"):
        signature, bases, body = _value(made, node, own)
    else:
        signature, bases, body = _type(made, node, own)
    return Digests(
        name=made.name,
        kind=made.kind,
        line=made.line,
        end_line=made.end_line,
        signature=digest(signature),
        defaults=digest(()),
        decorators=digest(()),
        bases=digest(bases),
        body=digest(body),
        docs=digest(_documentation(node)),
    )


def _function(
    made: Definition, node: Node, holes: frozenset[int]
) -> tuple[Iterator[bytes], Iterable[bytes], Iterator[bytes]]:
    if node.type == "var_spec":
        node = next((part for part in _values_of(node) if part.type == "func_literal"), node)
    signature = [part for field in _SIGNATURE if (part := node.child_by_field_name(field)) is not None]
    body = node.child_by_field_name("body")
    head = _tokens(signature, holes)
    return _with(made.name, head), (), _tokens([body] if body is not None else [], holes)


def _value(
    made: Definition, node: Node, holes: frozenset[int]
) -> tuple[Iterator[bytes], Iterable[bytes], Iterator[bytes]]:
    """A constant without a value repeats the expression above it, with its own place as `iota`."""
    kind = node.child_by_field_name("type")
    values = _values_of(node)
    names = [part.text for part in node.children_by_field_name("name")]
    more = ""
    if node.type == "const_spec":
        values, place = _repeated(node)
        more = str(place) if any(part == b"iota" for part in leaves(values, skip=_COMMENTS)) else ""
    name = made.name.encode()
    if len(values) == len(names) and name in names:
        values = [values[names.index(name)]]
    return _with(made.name, _tokens([kind] if kind is not None else [], holes)), (), _with(more, _tokens(values, holes))


def _type(
    made: Definition, node: Node, holes: frozenset[int]
) -> tuple[Iterator[bytes], Iterable[bytes], Iterator[bytes]]:
    listed = node.child_by_field_name("type_parameters")
    kind = node if node.type == "struct_type" else node.child_by_field_name("type")
    head = _with(f"{made.name} {node.type}", _tokens([listed] if listed is not None else [], holes))
    return head, [base.encode() for base in made.bases], _tokens([kind] if kind is not None else [], holes)


def _with(text: str, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield text.encode()
    yield from parts


def _values_of(node: Node) -> list[Node]:
    listed = node.child_by_field_name("value")
    return [part for part in listed.named_children if part.type != "comment"] if listed is not None else []


def _repeated(node: Node) -> tuple[list[Node], int]:
    declaration = node.parent
    found: list[Node] = []
    place = 0
    specs = [part for part in declaration.named_children if part.type == "const_spec"] if declaration else []
    for number, spec in enumerate(specs):
        place = number
        found = _values_of(spec) or found
        if spec.start_byte >= node.start_byte:
            break
    return found, place


def _tokens(nodes: Iterable[Node], holes: frozenset[int]) -> Iterator[bytes]:
    """The tokens, a line's end counted as a semicolon, without the separators that only the layout asks for."""
    held = b""
    for token in leaves(nodes, skip=_COMMENTS, holes=holes):
        text = b";" if not token.strip() else token
        if held and text.decode("latin-1") not in _CLOSED and not (held == b";" and text == b";"):
            yield held
        held = b""
        if text in (b";", b","):
            held = text
        else:
            yield text


def _documentation(node: Node) -> list[bytes]:
    """The comment that ends on the line above, and the one behind on the same line."""
    anchor: Node = node
    parent = node.parent
    while (
        parent is not None and parent.type.endswith(("_declaration", "_spec_list")) and len(parent.named_children) == 1
    ):
        anchor, parent = parent, parent.parent
    found: list[bytes] = []
    line = anchor.start_point[0]
    before = anchor.prev_named_sibling
    while before is not None and before.type == "comment" and before.end_point[0] == line - 1:
        found.append(before.text or b"")
        line = before.start_point[0]
        before = before.prev_named_sibling
    behind = anchor.next_named_sibling
    if behind is not None and behind.type == "comment" and behind.start_point[0] == anchor.end_point[0]:
        found.append(behind.text or b"")
    return found
