"""Java, by tree-sitter: what a compilation unit declares and what its bodies do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.languages.java_declarations import JavaDeclarations
from tidegate.reach.languages.java_handlers import GRAMMAR
from tidegate.reach.languages.jvm_digests import Shape, read_jvm_digests
from tidegate.reach.languages.jvm_layout import JvmLayout
from tidegate.reach.languages.tree import make_parser
from tidegate.reach.symbols import Digests, FileSymbols, Gap, unread

if TYPE_CHECKING:
    from tree_sitter import Node

_MEMBERS = frozenset(["class_body", "interface_body", "enum_body", "annotation_type_body", "enum_body_declarations"])
_SHAPE = Shape(
    comments=frozenset(["line_comment", "block_comment"]),
    annotations=frozenset(["annotation", "marker_annotation"]),
    modifiers="modifiers",
    bases=frozenset(["superclass", "super_interfaces", "extends_interfaces"]),
    bodies=frozenset(["block", "constructor_body", *_MEMBERS, "argument_list"]),
    shared=frozenset(["field_declaration", "constant_declaration"]),
    values=frozenset(["=", "default"]),
)


class _Java:
    name = "Java"
    version = 1
    suffixes: tuple[str, ...] = (".java",)
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


JAVA: Language = _Java()


def _read(source: bytes) -> JavaDeclarations:
    root: Node = make_parser(GRAMMAR).parse(source).root_node
    reader = JavaDeclarations(source)
    reader.module(root)
    if root.has_error and not any(gap.reason == "syntax" for gap in reader.gaps):
        reader.gaps.append(Gap(0, "syntax", 1))
    return reader
