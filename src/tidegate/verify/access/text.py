"""Source of languages with braces as text: comments and strings blanked in place, brackets matched."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

LONGEST = 400_000
LONGEST_CALL = 6_000


class Braced:
    """A text with `plain` of the same length, in which comments are blanks and strings have no content."""

    def __init__(self, text: str) -> None:
        self.text = text[:LONGEST]
        spoken, plain = [], []
        at = 0
        for match in _ASIDE.finditer(self.text):
            found, between = match[0], self.text[at : match.start()]
            hollow = re.sub(r"[^\n]", " ", found)
            comment = found.startswith(("//", "/*"))
            spoken += [between, hollow if comment else found]
            plain += [between, hollow if comment else found[0] + hollow[1:-1] + found[-1]]
            at = match.end()
        self.spoken = "".join([*spoken, self.text[at:]])
        self.plain = "".join([*plain, self.text[at:]])

    def line(self, at: int) -> int:
        """The number of the line that a position is in."""
        return bisect_right(self._starts, at)

    def close(self, at: int, most: int = LONGEST) -> int:
        """The position of the bracket that closes the one here; -1 where none does."""
        depth = 0
        for match in _BRACKET.finditer(self.plain, at, min(len(self.plain), at + most)):
            depth += 1 if match[0] in "([{" else -1
            if depth == 0:
                return match.start()
        return -1

    def arguments(self, at: int, end: int) -> Iterator[tuple[str, int]]:
        """The arguments between two brackets, with where each begins."""
        depth, start = 0, at + 1
        for match in _PART.finditer(self.plain, at + 1, end):
            if match[0] in "([{":
                depth += 1
            elif match[0] in ")]}":
                depth -= 1
            elif depth == 0:
                yield self._trimmed(start, match.start())
                start = match.end()
        if self.spoken[start:end].strip():
            yield self._trimmed(start, end)

    def _trimmed(self, start: int, end: int) -> tuple[str, int]:
        words = self.spoken[start:end]
        return words.strip(), start + len(words) - len(words.lstrip())

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]


# Private

_ASIDE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`", re.DOTALL)
_BRACKET = re.compile(r"[()\[\]{}]")
_PART = re.compile(r"[()\[\]{},]")
