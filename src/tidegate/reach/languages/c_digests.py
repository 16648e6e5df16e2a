"""What each definition of a C or C++ file is made of, as digests that comments and formatting do not change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tidegate.reach.languages.c_parse import Parsed
from tidegate.reach.languages.c_reader import CReader
from tidegate.reach.languages.tree import comment_above, digest, leaves
from tidegate.reach.symbols import Definition, Digests

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMENTS = frozenset(["comment"])
_BODIES = frozenset(
    ["compound_statement", "try_statement", "field_initializer_list", "field_declaration_list", "enumerator_list"]
)
_LISTS = frozenset(["initializer_list", "enumerator_list", "argument_list"])


def read_c_digests(parsed: Parsed, grammar: str) -> tuple[Digests, ...]:
    """The digests of the module and of every definition, in the order of `read_symbols`.

    What a second attempt at parsing had to leave out belongs to the module.
    """
    reader = CReader(parsed.source, grammar)
    reader.read_file(parsed.root)
    left_out = [b" ".join(text.split()) for _, text in parsed.left_out]
    holes = frozenset(node.id for node in reader.nodes[1:])
    lines = parsed.source.split(b"\n")
    found = zip(reader.definitions, reader.nodes, strict=True)
    return tuple(
        _one(
            made,
            node,
            holes,
            []
            if index in reader.partial or index == 0
            else comment_above(lines, reader.begins.get(index, made.line), (b"//",)),
            index in reader.partial,
            [] if index else left_out,
        )
        for index, (made, node) in enumerate(found)
    )


# Private


class _Parts:
    def __init__(self) -> None:
        self.signature: list[Node] = []
        self.defaults: list[Node] = []
        self.bases: list[Node] = []
        self.body: list[Node] = []


def _one(
    made: Definition, node: Node, holes: frozenset[int], docs: list[bytes], partial: bool, left_out: list[bytes]
) -> Digests:
    parts = _Parts()
    if made.kind == "module":
        parts.body = node.children
    elif not partial:
        _split(node, parts, titled=node.type == "compound_statement")
    head = [] if made.kind == "module" else [made.name, made.kind, made.visibility, *made.flags]
    return Digests(
        name=made.name,
        kind=made.kind,
        line=made.line,
        end_line=made.end_line,
        signature=digest([*(part.encode() for part in head), *_tokens(parts.signature, holes)]),
        defaults=digest(_tokens(parts.defaults, holes)),
        decorators=digest(()),
        bases=digest(_tokens(parts.bases, holes)),
        body=digest([*_tokens(parts.body, holes), *left_out]),
        docs=digest(docs),
    )


def _split(node: Node, parts: _Parts, *, titled: bool) -> None:
    """Parts a declaration. A class inside of it stands for itself."""
    if titled or not node.child_count:
        parts.body += node.children or [node]
        return
    stack = list(reversed(node.children))
    while stack:
        part = stack.pop()
        kind = part.type
        if kind in _BODIES:
            parts.body.append(part)
        elif kind == "base_class_clause":
            parts.bases.append(part)
        elif kind == "optional_parameter_declaration":
            value = part.child_by_field_name("default_value")
            parts.signature += [child for child in part.children if child != value]
            parts.defaults += [value] if value is not None else []
        elif kind == "preproc_arg":
            parts.body.append(part)
        elif kind == "init_declarator" or kind == "=":
            _split_value(part, parts, stack)
        elif kind.endswith(("_declarator", "_specifier", "parameter_list")):
            stack.extend(reversed(part.children or []))
            if not part.children:
                parts.signature.append(part)
        else:
            parts.signature.append(part)


def _split_value(part: Node, parts: _Parts, stack: list[Node]) -> None:
    if part.type == "=":
        parts.body += [part, *reversed(stack)]
        stack.clear()
        return
    value = part.child_by_field_name("value")
    parts.signature += [child for child in part.children if child != value and child.type != "="]
    parts.body += [child for child in part.children if child == value or child.type == "="]


def _tokens(nodes: Iterable[Node], holes: frozenset[int]) -> Iterable[bytes]:
    for token in leaves(nodes, skip=_COMMENTS, holes=holes, trailing=_is_trailing):
        yield b" ".join(token.split())


def _is_trailing(parent: Node, separator: Node) -> bool:
    return separator.type == "," and parent.type in _LISTS
