"""What each definition is made of, as digests that formatting and comments do not change.

The leaves of a definition are sorted into its parts. Nesting is written down, so that moved brackets count; commas,
semicolons and the kind of quotes do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.reader import Reader
from tidegate.reach.languages.ecma.state import COMMENTS, Draft
from tidegate.reach.languages.tree import digest
from tidegate.reach.symbols import Digests

if TYPE_CHECKING:
    from tree_sitter import Node

_FORMAT = frozenset([",", ";", '"', "'"])
_WRAPPERS = frozenset(
    ["export_statement", "lexical_declaration", "variable_declaration", "expression_statement", "ambient_declaration"]
)
_SIGNATURE = frozenset(["name", "key", "property", "return_type", "type", "type_parameters"])
_PARAMETERS = frozenset(["formal_parameters"])
_HERITAGE = frozenset(["class_heritage", "extends_type_clause"])
_KEYWORDS = frozenset(
    [
        "async",
        "static",
        "get",
        "set",
        "*",
        "abstract",
        "accessor",
        "export",
        "default",
        "const",
        "let",
        "var",
        "function",
        "class",
        "readonly",
        "declare",
        "interface",
        "enum",
        "type",
        "namespace",
        "module",
        "?",
    ]
)
_BY_NAME = frozenset(["variable_declarator", "assignment_expression"])


class _Parts:
    """The leaves of one definition by part."""

    __slots__ = ("bases", "body", "decorators", "defaults", "signature")

    def __init__(self) -> None:
        self.signature: list[bytes] = []
        self.defaults: list[bytes] = []
        self.decorators: list[bytes] = []
        self.bases: list[bytes] = []
        self.body: list[bytes] = []


def digests_of(reader: Reader) -> tuple[Digests, ...]:
    """The digests of every definition of a file that was read, in the order of its definitions."""
    drafts = reader.drafts
    holes = {draft.node.id for draft in drafts}
    return tuple(_digests(number, draft, holes) for number, draft in enumerate(drafts))


def _digests(number: int, draft: Draft, holes: set[int]) -> Digests:
    parts = _Parts()
    if draft.kind == "module" and number == 0:
        for child in draft.node.children:
            parts.body.extend(_leaves(child, holes))
    elif draft.kind == "class" and "class" not in draft.value.type and draft.value.type != "enum_declaration":
        parts.signature.append(draft.name.encode())
    elif "test" in draft.flags:
        parts.signature.append(draft.name.encode())
        parts.body.extend(_inside(draft.value, holes))
    else:
        parts.signature.append(draft.name.rpartition(".")[2].encode())
        parts.signature.append(b"exported" if "exported" in draft.flags else b"")
        _sort(draft.node, draft, holes, parts)
    return Digests(
        draft.name,
        draft.kind,
        draft.line,
        draft.end_line,
        digest(parts.signature),
        digest(parts.defaults),
        digest(parts.decorators),
        digest(parts.bases),
        digest(parts.body),
        digest(_documentation(draft.node, number)),
    )


def _sort(top: Node, draft: Draft, holes: set[int], parts: _Parts) -> None:
    """Sorts what stands in a definition. What wraps it (`export const`) and its value are looked into."""
    waiting = [top]
    seen = 0
    while waiting and seen < 64:
        node = waiting.pop()
        seen += 1
        for index, child in enumerate(node.children):
            kind, field = child.type, node.field_name_for_child(index)
            if kind in COMMENTS or (child.id in holes and child.id != draft.value.id):
                continue
            if child.id == draft.value.id or (kind == "variable_declarator" and node.type in _WRAPPERS):
                if child.id == draft.value.id and not _has_parts(child):
                    parts.body.extend(_inside(child, holes))
                else:
                    waiting.append(child)
            elif field == "declaration" or (
                node.type in ("export_statement", "expression_statement") and kind == "assignment_expression"
            ):
                waiting.append(child)
            elif kind == "decorator":
                parts.decorators.extend(_leaves(child, set()))
            elif kind in _HERITAGE:
                parts.bases.extend(_leaves(child, set()))
            elif kind in _PARAMETERS:
                _sort_parameters(child, parts)
            elif _holds(child, draft.value) or _holds_declaration(child):
                waiting.append(child)
            elif (
                field in _SIGNATURE
                or kind in _KEYWORDS
                or kind == "accessibility_modifier"
                or field == "left"
                or field == "parameter"
            ):
                parts.signature.extend(_leaves(child, holes))
            else:
                parts.body.extend(_leaves(child, holes))


def _inside(node: Node, holes: set[int]) -> Iterator[bytes]:
    """The leaves of a node that may itself be a definition's."""
    if not node.children:
        yield from _leaves(node, set())
    for child in node.children:
        yield from _leaves(child, holes)


def _has_parts(node: Node) -> bool:
    return node.child_by_field_name("body") is not None or node.child_by_field_name("parameters") is not None


def _holds(node: Node, value: Node) -> bool:
    return node.start_byte <= value.start_byte and value.end_byte <= node.end_byte and node.id != value.id


def _holds_declaration(node: Node) -> bool:
    return node.type in ("function_declaration", "class_declaration", "abstract_class_declaration")


def _sort_parameters(node: Node, parts: _Parts) -> None:
    for child in node.named_children:
        if child.type in COMMENTS:
            continue
        value = child.child_by_field_name("value" if child.type != "assignment_pattern" else "right")
        if child.type not in ("required_parameter", "optional_parameter", "assignment_pattern"):
            value = None
        hole = {value.id} if value is not None else set()
        for one in child.children:
            if one.type == "decorator":
                hole.add(one.id)
                parts.decorators.extend(_leaves(one, set()))
        parts.signature.extend(leaf for leaf in _leaves(child, hole) if leaf != b"=")
        parts.signature.append(b"=" if value is not None else b",")
        if value is not None:
            parts.defaults.extend(_leaves(value, set()))


def _leaves(node: Node, holes: set[int]) -> Iterator[bytes]:
    """The leaves below a node in source order, with marks where an inner node with several of them begins and ends.

    A wrapper of which nothing is left but words (`export const` around a definition) is left out.
    """
    stack: list[Node | bytes] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, bytes):
            yield one
            continue
        kind = one.type
        if one.id in holes or kind in COMMENTS or kind in _FORMAT:
            continue
        children = one.children
        if not children:
            yield one.text or b""
            continue
        if kind in _WRAPPERS and holes and not _left(one, holes):
            continue
        if kind == "string":
            yield b'"' + (one.text or b'""')[1:-1]
            continue
        if len(children) > 1:
            stack.append(b")")
            stack.extend(reversed(children))
            stack.append(b"(")
        else:
            stack.extend(children)


def _left(node: Node, holes: set[int]) -> bool:
    """Whether anything of a wrapper is not a definition of its own."""
    inner = [child for child in node.named_children if child.type not in COMMENTS]
    if not inner:
        return True
    for child in inner:
        if child.id in holes:
            continue
        if child.type in _WRAPPERS and not _left(child, holes):
            continue
        return True
    return False


def _documentation(node: Node, number: int) -> Iterable[bytes]:
    """The comments right before a definition; those of the file are the ones before its first statement."""
    if number == 0:
        for child in node.children:
            if child.type not in COMMENTS:
                return
            yield b" ".join((child.text or b"").split())
        return
    while node.parent is not None and node.parent.type in _WRAPPERS | _BY_NAME:
        node = node.parent
    found: list[bytes] = []
    before = node.prev_sibling
    while before is not None and (before.type in COMMENTS or before.type == "decorator"):
        if before.type in COMMENTS:
            found.append(b" ".join((before.text or b"").split()))
        before = before.prev_sibling
    yield from reversed(found)
