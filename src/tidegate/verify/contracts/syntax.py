"""Syntax trees of files in languages that have a grammar, within bounds."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from tidegate.verify.contracts.values import Unreadable

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

LARGEST_BYTES = 2_000_000
_SPACE = re.compile(r"\s+")


def read_syntax(content: bytes, module: str, function: str = "language") -> Node:
    """The root of a file's tree. Raises Unreadable for one that is too large or no text."""
    if len(content) > LARGEST_BYTES or b"\0" in content:
        raise Unreadable("it is too large" if b"\0" not in content else "it is no text")
    return _parser(module, function).parse(content + b"\n").root_node  # Go ends its statements by lines


def text_of(node: Node | None) -> str:
    """A node as it is written, white space folded."""
    return "" if node is None else _SPACE.sub(" ", (node.text or b"").decode("utf-8", "replace"))


def line_of(node: Node) -> int:
    return int(node.start_point[0]) + 1


def told_before(node: Node) -> str:
    """The comments that stand directly before a node."""
    said = []
    before = node.prev_named_sibling
    while before is not None and before.type == "comment" and before.end_point[0] >= node.start_point[0] - 1:
        said.append(text_of(before))
        node, before = before, before.prev_named_sibling
    return "\n".join(said)


# Private


@cache
def _parser(module: str, function: str) -> Parser:
    """The one parser of a grammar, loaded at its first use."""
    from tree_sitter import Language, Parser

    return Parser(Language(getattr(import_module(module), function)()))
