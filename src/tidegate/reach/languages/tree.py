"""What the readers that use tree-sitter share. Nothing here knows a language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser

TEXT_LIMIT = 200
_COMMENT_LINES = 400
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_SQL = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ")


@cache
def load_grammar(module: str, function: str = "language") -> Language:
    """The grammar that a wheel brings, loaded at its first use."""
    from tree_sitter import Language

    return Language(getattr(import_module(module), function)())


@cache
def make_parser(module: str, function: str = "language") -> Parser:
    """The one parser of a grammar. It is used by one thread at a time."""
    from tree_sitter import Parser

    return Parser(load_grammar(module, function))


@cache
def node_kinds(module: str, function: str = "language") -> tuple[str, ...]:
    """The names of the kinds of nodes by `Node.kind_id`; one name may have several ids. `ERROR` has the id 65535."""
    grammar = load_grammar(module, function)
    return tuple(grammar.node_kind_for_id(number) or "" for number in range(grammar.node_kind_count))


class Under:
    """The conditions that the code being read stands under. `branch` is what `Reference.branch` says of them."""

    __slots__ = ("branch", "branches", "exits", "handlers", "loops")

    def __init__(self) -> None:
        self.branch = self.branches = self.exits = self.handlers = self.loops = 0

    def enter(self, what: str, times: int = 1) -> None:
        """Code follows that stands in a branch, a loop or a handler, or after a possible exit."""
        if what == "branches":
            self.branches += times
        elif what == "exits":
            self.exits += times
        elif what == "handlers":
            self.handlers += times
        else:
            self.loops += times
        self._settle()

    def leave(self, what: str, times: int = 1) -> None:
        """The end of what `enter` began."""
        self.enter(what, -times)

    def _settle(self) -> None:
        if self.handlers:
            self.branch = 5
        elif self.branches:
            self.branch = 3 if self.branches == 1 else 4
        else:
            self.branch = 2 if self.exits else 1 if self.loops else 0


def names_something(value: str) -> bool:
    """Whether a text literal is worth a `Text`: a path, a dotted name, a URL or SQL, of 3 to 200 characters."""
    if not 3 <= len(value) <= TEXT_LIMIT or "\n" in value:
        return False
    if " " in value:
        return value.lstrip()[:7].upper().startswith(_SQL)
    return "/" in value or "." in value or "_" in value


def unescape(value: str) -> str:
    """The text of a literal with its plain escapes resolved; an escape of another form is kept as it stands."""
    if "\\" not in value:
        return value
    parts = value.split("\\")
    made, at = [parts[0]], 1
    while at < len(parts):
        part = parts[at]
        if part:
            known = _ESCAPES.get(part[0])
            made.append(known + part[1:] if known else part if part[0] in "\"'`\\/$" else "\\" + part)
        elif at + 1 < len(parts):
            at += 1
            made.append("\\" + parts[at])
        at += 1
    return "".join(made)


def leaves(
    nodes: Iterable[Node],
    *,
    skip: frozenset[str],
    holes: frozenset[int] = frozenset(),
    trailing: Callable[[Node, Node], bool] | None = None,
) -> Iterator[bytes]:
    """The texts of the leaves below `nodes` in source order, iteratively.

    Kinds in `skip` (comments) and nodes whose id is in `holes` (definitions with digests of their own) are left out,
    and so is a separator before the closing bracket where `trailing(parent, separator)` calls it formatting.
    """
    stack = list(nodes)
    stack.reverse()
    while stack:
        node = stack.pop()
        if node.id in holes or node.type in skip:
            continue
        children = [child for child in node.children if child.type not in skip]
        if not children:
            yield node.text or b""
            continue
        if trailing is not None:
            children = _without_trailing(node, children, trailing)
        children.reverse()
        stack.extend(children)


def _without_trailing(node: Node, children: list[Node], trailing: Callable[[Node, Node], bool]) -> list[Node]:
    for place in (-1, -2):
        if len(children) >= -place and not children[place].is_named and trailing(node, children[place]):
            return [child for child in children if child is not children[place]]
    return children


def digest(parts: Iterable[bytes]) -> str:
    """A short digest of a sequence of texts."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        state.update(part)
        state.update(b"\0")
    return state.hexdigest()


STEP_LOOK_ALIKES = str.maketrans({"!": "ǃ", "[": "［", "]": "］", "*": "∗", "(": "（", ")": "）", ".": "․"})
"""Characters that are steps of a chain, for the names of operators and of methods like `save!`."""


def comment_above(lines: Sequence[bytes], line: int, marks: tuple[bytes, ...]) -> list[bytes]:
    """The comment that ends on the line above `line` (from 1), as its lines without indentation.

    `marks` begin a comment of one line. `/* */` counts where one of them begins with a slash. Read from the text:
    asking a tree for the node in front of another takes longer the more nodes there are.
    """
    at = line - 2
    slashes = any(mark.startswith(b"/") for mark in marks)
    found: list[bytes] = []
    while 0 <= at < len(lines) and len(found) < _COMMENT_LINES:
        text = lines[at].strip()
        if text.startswith(marks):
            found.append(text)
            at -= 1
        elif slashes and text.endswith(b"*/") and not found:
            while at >= 0 and len(found) < _COMMENT_LINES:
                found.append(lines[at].strip())
                if b"/*" in lines[at]:
                    break
                at -= 1
            break
        else:
            break
    return found
