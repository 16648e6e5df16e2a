"""Python sources as trees, also where they are written for a newer Python than the one that runs here."""

from __future__ import annotations

import ast
import re


def parse_python(source: bytes) -> ast.Module:
    """The tree of a source. What this Python is too old for is first put as it was put before, on the same lines.

    Understood on every Python: type parameters and `type` statements (PEP 695), `except A, B:` (PEP 758) and template
    strings (PEP 750); not f-strings that nest their own quotes (PEP 701). Raises as `ast.parse` does.
    """
    try:
        return ast.parse(source)
    except SyntaxError as error:
        older = in_older_words(source)
        if older == source:
            raise
        try:
            return ast.parse(older)
        except SyntaxError:
            raise error from None


def in_older_words(source: bytes) -> bytes:
    """The source in the words of Python 3.11, every line where it was."""
    without = _TYPE.sub(lambda found: found[1] + found[3] + b" " * len(found[2]), _without_parameters(source))
    return _TEMPLATE.sub(b"f", _EXCEPT.sub(rb"\1(\2)\3", without))


# Private

_LONGEST = 2_000
"""Type parameters that are longer stay as they are."""
_OPENED = re.compile(rb"^[ \t]*(?:(?:async[ \t]+)?def|class|type)[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)
_TYPE = re.compile(rb"^([ \t]*)(type[ \t]+)(\w+)(?=[ \t]*=[^=])", re.MULTILINE)
_EXCEPT = re.compile(rb"^([ \t]*except\*?[ \t]+)([^\s:()#][^:()#\n]*,[^:()#\n]*)(:)", re.MULTILINE)
_TEMPLATE = re.compile(rb"""(?<!\w)[tT](?=[rR]?["'])|(?<=[^\w][rR])[tT](?=["'])""")


def _without_parameters(source: bytes) -> bytes:
    """Blanks in the place of `[T]` after the name of a function, a class or a type."""
    parts, done = [], 0
    for found in _OPENED.finditer(source):
        if found.start() < done:
            continue
        end = _closed(source, found.end())
        if not end:
            break
        inner = re.sub(rb"[^\n](?=\n)|[^\n]", _blank, source[found.end() : end])
        parts += [source[done : found.end()], inner]
        done = end
    return b"".join([*parts, source[done:]])


def _blank(found: re.Match[bytes]) -> bytes:
    """A line that ended within brackets goes on by a backslash."""
    return b"\\" if found.string[found.end() : found.end() + 1] == b"\n" else b" "


def _closed(source: bytes, start: int) -> int:
    """The end of the bracket that opens at `start`, 0 where it is too far: then nothing here is Python."""
    depth = 0
    for place in range(start, min(start + _LONGEST, len(source))):
        depth += {b"[": 1, b"]": -1}.get(source[place : place + 1], 0)
        if not depth:
            return place + 1
    return 0
