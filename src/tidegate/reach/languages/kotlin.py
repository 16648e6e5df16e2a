"""Kotlin, by tree-sitter: what a file declares and what its bodies do.

The grammar does not know `data object`, a constructor on a line of its own, nor a class body that ends on the line of
its last member; these are written in another way of the same length before parsing, the last only where the file does
not parse as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.languages.jvm_digests import Shape, read_jvm_digests
from tidegate.reach.languages.jvm_layout import JvmLayout
from tidegate.reach.languages.kotlin_declarations import KotlinDeclarations
from tidegate.reach.languages.kotlin_handlers import GRAMMAR
from tidegate.reach.languages.tree import make_parser
from tidegate.reach.symbols import Digests, FileSymbols, Gap, unread

if TYPE_CHECKING:
    from tree_sitter import Node

_DATA_OBJECT = re.compile(rb"\bdata(?=[ \t]+object\b)")
_BROKEN_HEAD = re.compile(
    rb"(\bclass[ \t]+\w+(?:<[^<>\n]*>)?)(\n[ \t]*)[ \t]((?:(?:@\w+|private|internal|protected)[ \t]+)+constructor\()"
)
"""A class whose constructor begins on a line of its own: the grammar takes the class for one without a body."""
_END_OF_LINE_BODY = re.compile(rb"(?<=[^\s{]) (?=\})")
_SHAPE = Shape(
    comments=frozenset(["line_comment", "block_comment"]),
    annotations=frozenset(["annotation"]),
    modifiers="modifiers",
    bases=frozenset(["delegation_specifiers"]),
    bodies=frozenset(
        [
            *("block", "function_body", "class_body", "enum_class_body", "getter", "setter", "property_delegate"),
            *("value_arguments", "constructor_delegation_call"),
        ]
    ),
    shared=frozenset(),
    values=frozenset(["="]),
    parameters=frozenset(["primary_constructor", "class_parameters", "function_value_parameters"]),
)


class _Kotlin:
    name = "Kotlin"
    version = 2
    suffixes: tuple[str, ...] = (".kt", ".kts")
    submodules = False
    open_world = False
    implicit_self = True
    structural = False
    by_value = False
    called_back: frozenset[str] | None = None
    isolated = False

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:  # noqa: ARG002
        try:
            return _read(source).symbols()
        except RecursionError:
            return unread("nested too deeply")

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:  # noqa: ARG002
        try:
            reader = _read(source)
        except RecursionError:
            return ()
        return read_jvm_digests(reader.definitions, reader.nodes, _SHAPE)

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:
        return JvmLayout(packages, paths, read)


KOTLIN: Language = _Kotlin()


def _read(source: bytes) -> KotlinDeclarations:
    if b"constructor" in source:
        source = _BROKEN_HEAD.sub(rb"\1 \3\2", source)
    root = _parse(source)
    reader = KotlinDeclarations(source)
    reader.module(root)
    if root.has_error and not any(gap.reason == "syntax" for gap in reader.gaps):
        reader.gaps.append(Gap(0, "syntax", 1))
    return reader


def _parse(source: bytes) -> Node:
    parser = make_parser(GRAMMAR)
    if b"data" in source:
        source = _DATA_OBJECT.sub(b"    ", source)
    root = parser.parse(source).root_node
    if not root.has_error:
        return root
    other = parser.parse(_END_OF_LINE_BODY.sub(b";", source)).root_node
    return other if _faults(other) < _faults(root) else root


def _faults(root: Node) -> int:
    """How many bytes stand in places that the grammar does not understand."""
    total, stack = 0, [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            total += max(node.end_byte - node.start_byte, 1)
        elif node.has_error:
            stack.extend(node.children)
    return total
