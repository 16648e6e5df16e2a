"""The lines of an application, with what is a comment left out, as the readers of this folder search them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from tidegate.change.values import FileChange
from tidegate.verify.debt.source import Source

LONGEST_LINE = 4_000
MOST_LINES = 40_000
"""Longer lines and files are made by machines; that they were not searched is said."""

ASIDE = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|e2e|cypress|fixtures?|testdata|mocks?|examples?|samples?|docs?|documentation|"
    r"benchmarks?|\.github|\.gitlab|\.circleci|\.devcontainer|\.vscode)/"
)
"""What does not run in the place."""


class Code:
    """One file of source or configuration, read from the change that brings it."""

    def __init__(self, path: str, language: str, kind: str, lines: Sequence[bytes]) -> None:
        self.path = path
        self.language = language
        self.kind = kind
        self._lines = [line if len(line) <= LONGEST_LINE else _without_bytes(line) for line in lines[:MOST_LINES]]
        self.cut = len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in self._lines)
        self._whole = lines

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Every line; one that is too long is empty."""
        return tuple("" if len(one) > LONGEST_LINE else one.decode("utf-8", "replace") for one in self._lines)

    @cached_property
    def spoken(self) -> tuple[tuple[int, str], ...]:
        """Number and text of the lines that say something to a machine: no comment, no docstring, not blank."""
        silent = self._docstrings
        return tuple(
            (number, line)
            for number, line in enumerate(self.lines, 1)
            if line.strip() and number not in silent and not _COMMENT.match(line)
        )

    @cached_property
    def source(self) -> Source:
        return Source(self.path, self.language, b"\n".join(self._whole))

    @cached_property
    def tree(self) -> ast.Module | None:
        """The tree of Python, None of anything else and of what cannot be parsed."""
        return self.source.python if self.language == "Python" else None

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
        """Every match in the lines that say something."""
        for number, line in self.spoken:
            for match in pattern.finditer(line):
                yield number, match

    @cached_property
    def _docstrings(self) -> frozenset[int]:
        found: set[int] = set()
        for node in self.source.of(ast.Expr) if self.tree is not None else ():
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        return frozenset(found)


def code_of(file: FileChange) -> Code:
    """A file of a change from nothing: its one hunk is the whole of it."""
    lines = [line for hunk in file.hunks for line in hunk.added]
    return Code(file.path.decode("utf-8", "backslashreplace"), file.language, file.kind, lines)


def runs_there(file: FileChange) -> bool:
    """Whether a file is part of what runs, as far as its name says: no test, no document, no third party's.

    What calls itself generated runs like the rest."""
    path = file.path.decode("utf-8", "backslashreplace")
    ours = not (file.vendored or file.binary)
    return file.kind in ("source", "config") and ours and not ASIDE.search(path) and not _LOCK.search(path)


# Private


def _without_bytes(line: bytes) -> bytes:
    """A line without its literals of bytes: descriptions of messages are that long, and say nothing to a reader."""
    return _BYTES.sub(b"b''", line) if len(line) <= LONGEST_LITERAL else line


LONGEST_LITERAL = 1_000_000
_BYTES = re.compile(rb"\bb'[^'\\]*(?:\\.[^'\\]*)*'|\bb\"[^\"\\]*(?:\\.[^\"\\]*)*\"")

_COMMENT = re.compile(r"\s*(?:#(?!!\[)|//|/\*|\*(?:\s|/|$)|<!--|--\s|;|\{#|<%#)")
_LOCK = re.compile(r"(?:\.lock|-lock\.(?:json|ya?ml)|\.sum|shrinkwrap\.json|\.min\.js|\.map)$")
