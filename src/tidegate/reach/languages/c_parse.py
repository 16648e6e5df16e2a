"""Parses C and C++ in spite of the preprocessor.

`#if` in the middle of a function's head or of a list, and `class EXPORT Foo`, are nothing that a grammar can follow,
and then it may take all that follows for a part of a broken class. Where something is broken around such words the file
is parsed once more without them and without all but the first branch of each condition; the attempt with the smaller
errors is believed, and what was left out is said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tidegate.reach.languages.tree import make_parser

if TYPE_CHECKING:
    from tree_sitter import Node

_CONDITIONAL = re.compile(rb"[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b").match
_EXPORT = re.compile(
    rb"\b[A-Z][A-Z0-9]*_(?:[A-Z0-9]+_)?(?:EXPORT|API|PUBLIC|DLL|INLINE|NODISCARD|ATTR|UNUSED|NORETURN|NOEXCEPT|CONSTEXPR\d*)"
    rb"\b(?![ \t]*\()|(?<=class )[A-Z][A-Z0-9_]+(?= +[A-Za-z_]\w*\s*(?:final\b)?\s*[:{])"
)
_SUSPICIOUS = re.compile(rb"^[ \t]*#|" + _EXPORT.pattern, re.MULTILINE).search
_LARGE_BYTES = 300
_OPENS = (b"if", b"ifdef", b"ifndef")


class Parsed(NamedTuple):
    """A tree, the source that it is of, and the lines that were left out of it, each with its number."""

    source: bytes
    root: Node
    left_out: tuple[tuple[int, bytes], ...] = ()

    @property
    def unread(self) -> list[int]:
        """The numbers of the lines that were left out whole and say more than a condition."""
        lines = self.source.split(b"\n")
        said = [number for number, text in self.left_out if text.strip() and not _CONDITIONAL(text)]
        return [number for number in said if not lines[number - 1].strip()]


def parse_c(source: bytes, grammar: str) -> Parsed:
    """The better of two attempts."""
    parser = make_parser(grammar)
    first = parser.parse(source).root_node
    broken = _broken(first) if first.has_error else []
    if not any(end - start > _LARGE_BYTES or _SUSPICIOUS(source, start, end) for start, end in broken):
        return Parsed(source, first)
    blanked, left_out = _without_conditions(source)
    if not left_out:
        return Parsed(source, first)
    second = parser.parse(blanked).root_node
    return Parsed(source, first) if _size(_broken(second)) * 2 > _size(broken) else Parsed(blanked, second, left_out)


# Private


def _broken(root: Node) -> list[tuple[int, int]]:
    """Where something is broken on the upper levels. What is broken inside of a function's body stays there."""
    if root.type == "ERROR":
        return [(root.start_byte, root.end_byte)]
    found: list[tuple[int, int]] = []
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        for part in node.children:
            if not part.has_error or part.type in _LOCAL:
                continue
            if depth < _DEPTH and part.type in _LEVELS:
                stack.append((part, depth + 1))
            else:
                found.append((part.start_byte, part.end_byte))
    return found


def _size(broken: list[tuple[int, int]]) -> int:
    """A broken declaration of the usual length counts little, so that it is outweighed by one that swallowed others."""
    return sum(end - start if end - start > _LARGE_BYTES else min(end - start, _BROKEN_BYTES) for start, end in broken)


_DEPTH = 8
_BROKEN_BYTES = 40
_LEVELS = frozenset(
    ["namespace_definition", "declaration_list", "linkage_specification", "preproc_ifdef", "preproc_if", "preproc_else",
     "class_specifier", "struct_specifier", "field_declaration_list", "template_declaration", "function_definition"]
)  # fmt: skip
_LOCAL = frozenset(["compound_statement"])


def _without_conditions(source: bytes) -> tuple[bytes, tuple[tuple[int, bytes], ...]]:
    """The source with the same lines, of which those of conditions and of second branches are empty."""
    lines = source.split(b"\n")
    left_out: list[tuple[int, bytes]] = []
    silent: list[bool] = []
    continued = False
    for number, line in enumerate(lines):
        found = _CONDITIONAL(line)
        if found is not None:
            word = found[1]
            if word in _OPENS:
                silent.append(False)
            elif word == b"endif":
                silent[-1:] = []
            elif silent:
                silent[-1] = True
        kept = b"" if found is not None or continued or any(silent) else _EXPORT.sub(_spaces, line)
        if kept != line:
            left_out.append((number + 1, line))
            lines[number] = kept.ljust(len(line))
        continued = (found is not None or continued) and line.rstrip().endswith(b"\\")
    return b"\n".join(lines), tuple(left_out)


def _spaces(found: re.Match[bytes]) -> bytes:
    return b" " * len(found[0])
