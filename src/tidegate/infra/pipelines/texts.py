"""Both sides of a changed text, read once and safely, and the line that a path into it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Place
from tidegate.infra.kubernetes.documents import Parser
from tidegate.infra.values import Value


class Text:
    """A file's text, its first YAML document where it is one, and where things stand in it."""

    def __init__(self, path: str, data: bytes, parser: Parser) -> None:
        self.path = path
        self._data = data
        self._parser = parser

    @cached_property
    def words(self) -> str:
        """The text with plain line ends; bytes that are no UTF-8 show as replacement marks."""
        text = self._data.decode("utf-8-sig", "replace").replace("\0", "\ufffd")
        return text.replace("\r\n", "\n")

    @cached_property
    def _parsed(self) -> tuple[Value, str]:
        found = self._parser.parse(self._data)
        if found.problem:
            return None, found.problem
        return next((one.value for one in found.documents if isinstance(one.value, dict)), None), ""

    @property
    def value(self) -> Value:
        """The first mapping of the file, None where it has none or cannot be read."""
        return self._parsed[0]

    @property
    def problem(self) -> str:
        """Why it is no YAML, "" where it is."""
        return self._parsed[1]

    def place(self, *path: str | int) -> Place:
        """Where the value at a path stands: its own line, or that of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line:
                return Place(self.path, line, line)
        return Place(self.path)

    def place_of(self, word: str) -> Place:
        """The first line that has this word."""
        line = self._words_at.get(word, 0)
        return Place(self.path, line, line) if line else Place(self.path)

    @cached_property
    def _words_at(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for number, line in enumerate(self.words.split("\n"), 1):
            for word in _WORD.findall(line):
                found.setdefault(word, number)
                found.setdefault(word.partition(".")[0], number)
        return found

    @cached_property
    def _lines(self) -> Mapping[tuple[str | int, ...], int]:
        return {} if self.value is None else _lines_of(self.words)


class Both(Struct, frozen=True):
    """A changed file on each side, None where it is not there or cannot be had."""

    before: Text | None
    after: Text | None

    @property
    def path(self) -> str:
        either = self.after or self.before
        return either.path if either else ""


def read_both(trees: Trees, pairs: Sequence[Pair]) -> list[Both]:
    """The changed files on both sides, in their order."""
    parser = Parser()
    old = trees.before.read(pair.before for pair in pairs if pair.before)
    new = trees.after.read(pair.after for pair in pairs if pair.after)
    return [
        Both(
            Text(pair.before, old[pair.before], parser) if pair.before in old else None,
            Text(pair.after, new[pair.after], parser) if pair.after in new else None,
        )
        for pair in pairs
    ]


def read_all(contents: Mapping[str, bytes], paths: Iterable[str]) -> list[Text]:
    """These files as texts."""
    parser = Parser()
    return [Text(path, contents[path], parser) for path in paths if path in contents]


def mapping(value: Value) -> Mapping[str, Value]:
    """A mapping, an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def words_of(value: Value) -> tuple[str, ...]:
    """A text or a list of texts as texts; lists in lists are unfolded."""
    if isinstance(value, list):
        return tuple(word for one in value for word in words_of(one))
    if value is None or isinstance(value, dict):
        return ()
    return (("true" if value else "false") if isinstance(value, bool) else str(value),)


# Private

_WORD = re.compile(r"[\w@*.-]+")


def _lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    """The line of every value of the first document by its path. The text was parsed before, so it is bounded."""
    import yaml

    found: dict[tuple[str | int, ...], int] = {}
    stack: list[_Open] = []
    documents = 0
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            documents += 1
            if documents > 1 and found:
                break
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            stack.pop()
        elif kind in ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent"):
            path = _next(stack, event)
            if path is not None and path:
                found.setdefault(path, stack[-1].line if stack[-1].mapping else _line(event))
            if kind in ("MappingStartEvent", "SequenceStartEvent"):
                stack.append(_Open(path or (), kind == "MappingStartEvent"))
    return found


class _Open:
    def __init__(self, path: tuple[str | int, ...], mapping: bool) -> None:
        self.path = path
        self.mapping = mapping
        self.key: str | None = None
        self.line = 0
        self.count = 0


def _next(stack: list[_Open], event: Any) -> tuple[str | int, ...] | None:
    """The path of the value that begins here, None where this is a key."""
    if not stack:
        return ()
    into = stack[-1]
    if not into.mapping:
        into.count += 1
        return (*into.path, into.count - 1)
    if into.key is None:
        into.key, into.line = str(getattr(event, "value", "")), _line(event)
        return None
    path = (*into.path, into.key)
    into.key = None
    return path


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
