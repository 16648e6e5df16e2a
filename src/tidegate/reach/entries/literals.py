"""Literal arguments of a call as its source writes them, in any language whose calls have brackets and commas.

Symbols keep only texts and chains of arguments; lists, maps and the extent of a function that is written in place
are read here, from a loose sequence of tokens. What is not literal is a node of kind "other": never guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

NodeKind: TypeAlias = Literal["text", "word", "list", "map", "call", "other"]

MOST_TOKENS = 400_000
_DEEPEST = 40
_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = frozenset(")]}")


class Node(Struct, frozen=True):
    """One value: `text` is that of a text, a word (a name with its members) or a call's callee; `key` names it."""

    kind: NodeKind
    text: str = ""
    items: tuple[Node, ...] = ()
    key: str = ""
    line: int = 0
    end_line: int = 0

    def get(self, key: str) -> Node | None:
        """The item of that key."""
        return next((item for item in self.items if item.key == key), None)

    def texts(self) -> tuple[str, ...]:
        """The text itself, or the texts in the list."""
        if self.kind == "text":
            return (self.text,)
        return tuple(item.text for item in self.items if item.kind == "text") if self.kind == "list" else ()


class _Token(NamedTuple):
    kind: str
    value: str
    line: int


class Tokens:
    """The tokens of one file; `suffix` chooses how comments and quotes are written."""

    def __init__(self, text: str, suffix: str) -> None:
        self._tokens = _tokenize(text, suffix)
        self._lines = [token.line for token in self._tokens]

    def call(self, line: int, name: str) -> Node | None:
        """The call of `name` that starts at the line or up to 40 lines below it; None where there is none."""
        index = bisect_left(self._lines, line)
        while index < len(self._tokens) - 1 and self._tokens[index].line <= line + 40:
            token = self._tokens[index]
            opener = self._after_type(index + 1)
            if token.kind == "word" and _ends_with(token.value, name) and self._value(opener) == "(":
                return self._named(name, opener)
            index += 1
        return None

    def value(self, line: int, name: str) -> Node | None:
        """What is assigned to `name` at the line: after `=` or `:`, with or without a type between."""
        index = bisect_left(self._lines, line)
        while index < len(self._tokens) and self._tokens[index].line <= line:
            if self._tokens[index].kind in ("word", "text") and self._tokens[index].value == name:
                start = self._assigned(index + 1)
                return self._statement(start) if start else None
            index += 1
        return None

    # Private

    def _statement(self, index: int) -> Node:
        """The value that begins there and ends with its line, if no bracket is open."""
        parts: list[Node] = []
        while index < len(self._tokens) and self._value(index) not in (";", ",", ")", "]", "}"):
            if parts and self._tokens[index].line > parts[-1].end_line and parts[-1].text != "+":
                break
            part, index = self._part(index, 0)
            parts.append(part)
        return _joined(parts)

    def _named(self, name: str, opener: int) -> Node:
        node, _ = self._bracket(opener, 0)
        return Node("call", name, node.items, "", node.line, node.end_line)

    def _value(self, index: int) -> str:
        if index >= len(self._tokens) or self._tokens[index].kind == "text":
            return ""
        return self._tokens[index].value

    def _after_type(self, index: int) -> int:
        """Past type arguments between a name and its bracket: `get<Body>(`."""
        if self._value(index) != "<":
            return index
        depth, end = 0, min(index + 60, len(self._tokens))
        for place in range(index, end):
            depth += {"<": 1, ">": -1}.get(self._value(place), 0)
            if depth == 0:
                return place + 1
        return index

    def _assigned(self, index: int) -> int:
        for place in range(index, min(index + 24, len(self._tokens))):
            value = self._value(place)
            if value in ("=", ":="):
                return place + 1
            if value in (",", ";", ")", "}"):
                break
        return index + 1 if self._value(index) in (":", "=>") else 0

    def _bracket(self, index: int, depth: int) -> tuple[Node, int]:
        """The node of a bracket and the index after its end."""
        start = self._tokens[index]
        if depth >= _DEEPEST:
            return self._skipped(index)
        items: list[Node] = []
        place = index + 1
        while place < len(self._tokens):
            value = self._value(place)
            if value in _CLOSE:
                break
            if value in (",", ";"):
                place += 1
                continue
            item, after = self._item(place, depth + 1)
            items.append(item)
            place = max(after, place + 1)
        end = self._tokens[min(place, len(self._tokens) - 1)]
        is_map = start.value == "{" and any(item.key for item in items)
        return Node("map" if is_map else "list", "", tuple(items), "", start.line, end.line), place + 1

    def _skipped(self, index: int) -> tuple[Node, int]:
        start, depth, place = self._tokens[index], 0, index
        while place < len(self._tokens):
            value = self._value(place)
            depth += (value in _OPEN) - (value in _CLOSE)
            place += 1
            if depth <= 0:
                break
        return Node("other", "", (), "", start.line, self._tokens[place - 1].line), place

    def _item(self, index: int, depth: int) -> tuple[Node, int]:
        """One item up to its comma, with its key, and the index of the comma or closing bracket."""
        key = ""
        if index + 1 < len(self._tokens) and self._tokens[index].kind in ("word", "text"):
            separator = self._value(index + 1)
            if separator in (":", "=", "=>") and not (separator == "=>" and self._value(index + 2) in ("{", "(")):
                key, index = self._tokens[index].value, index + 2
        parts: list[Node] = []
        place = index
        while place < len(self._tokens):
            value = self._value(place)
            if value in (",", ";") or value in _CLOSE:
                break
            part, place = self._part(place, depth)
            parts.append(part)
        line = self._tokens[min(index, len(self._tokens) - 1)].line
        last = self._tokens[min(max(place - 1, 0), len(self._tokens) - 1)].line if self._tokens else line
        node = _joined(parts)
        return Node(node.kind, node.text, node.items, key, line, max(last, node.end_line)), place

    def _part(self, index: int, depth: int) -> tuple[Node, int]:
        token = self._tokens[index]
        if token.kind == "text":
            return Node("text", token.value, (), "", token.line, token.line), index + 1
        if token.kind == "word":
            opener = self._after_type(index + 1)
            if self._value(opener) == "(":
                bracket, after = self._bracket(opener, depth + 1)
                return Node("call", token.value, bracket.items, "", token.line, bracket.end_line), after
            return Node("word", token.value, (), "", token.line, token.line), index + 1
        if token.value in _OPEN:
            return self._bracket(index, depth + 1)
        return Node("other", token.value, (), "", token.line, token.line), index + 1


def _ends_with(word: str, name: str) -> bool:
    return word == name or word.endswith((f".{name}", f":{name}"))


def _joined(parts: list[Node]) -> Node:
    """One node of the parts of an item: texts side by side or added are one text, what is mixed is "other"."""
    kept = [part for part in parts if not (part.kind == "word" and part.text in ("new", "await", "async", "[]string"))]
    kept = [part for part in kept if not (part.kind == "other" and part.text in ("&", "*", "@"))]
    if len(kept) == 1:
        return kept[0]
    texts = [part for part in kept if not (part.kind == "other" and part.text == "+")]
    if texts and all(part.kind == "text" for part in texts):
        return Node("text", "".join(part.text for part in texts), (), "", texts[0].line, texts[-1].line)
    if kept and kept[-1].kind in ("list", "map") and all(part.kind in ("word", "list") for part in kept[:-1]):
        return kept[-1]  # Go's []string{"a"}, Java's new String[]{"a"}
    items = tuple(part for part in kept if part.kind in ("call", "list", "map"))
    return Node("other", "", items, "", 0, max((part.end_line for part in parts), default=0))


@lru_cache(maxsize=8)
def _pattern(style: str) -> re.Pattern[str]:
    comment = r"\#[^\n]*" if style == "hash" else r"//[^\n]*|/\*(?s:.*?)\*/"
    quoted = r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`'
    single = r"'(?:\\.[^'\n]*|[^'\\\n])'" if style == "rust" else r"'(?:[^'\\\n]|\\.)*'"
    triple = r'"""(?s:.*?)"""|' + r"'''(?s:.*?)'''|" if style == "hash" else ""
    return re.compile(
        rf"(?P<space>[^\S\n]+|\n+|\\\n|{comment})"
        rf"|(?P<text>(?:\b[rRbBuUfF]{{1,2}})?(?:{triple}{quoted}|{single}))"
        r"|(?P<word>[A-Za-z_$][\w$]*(?:(?:\.|::|\?\.)[A-Za-z_$][\w$]*)*)"
        r"|(?P<mark>=>|:=|==|::|->|\.\.\.|.)"
    )


def _style(suffix: str) -> str:
    if suffix in (".py", ".pyi", ".rb", ".rake"):
        return "hash"
    return "rust" if suffix == ".rs" else "slash"


def _tokenize(text: str, suffix: str) -> list[_Token]:
    found: list[_Token] = []
    line = 1
    for match in _pattern(_style(suffix)).finditer(text):
        kind, value = match.lastgroup or "", match[0]
        if kind == "text":
            found.append(_Token(kind, _unquoted(value), line))
        elif kind != "space":
            found.append(_Token(kind, value, line))
        line += value.count("\n")
        if len(found) >= MOST_TOKENS:
            break
    return found


def _unquoted(value: str) -> str:
    start = re.match(r"[a-zA-Z]*", value)
    prefix = start[0] if start else ""
    body = value[len(prefix) :]
    width = 3 if len(body) >= 6 and body[:3] in ('"""', "'''") else 1
    inner = body[width:-width]
    if "f" in prefix.lower():
        inner = re.sub(r"\{[^{}]*\}", "{}", inner)
    if body[:1] == "`":
        inner = re.sub(r"\$\{[^{}]*\}", "{}", inner)
    return inner if "r" in prefix.lower() else re.sub(r"\\(.)", r"\1", inner)
