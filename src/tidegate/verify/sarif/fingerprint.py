"""What stays of a result when its lines move: its rule, its path and the words around it, without white space."""

from __future__ import annotations

import hashlib

from tidegate.facts import Place


class Text:
    """A file as lines without white space at their ends and between their words."""

    def __init__(self, content: bytes) -> None:
        self._raw = content.decode("utf-8", "replace")
        self.lines = [" ".join(line.split()) for line in self._raw.split("\n")]
        if not self.lines[-1]:
            self.lines.pop()
        self._written = [number for number, line in enumerate(self.lines, 1) if line]
        self._words = tuple(line for line in self.lines if line)
        self._places: dict[str, list[int]] = {}
        for at, line in enumerate(self._words):
            self._places.setdefault(line, []).append(at)

    def line_at(self, offset: int) -> int:
        """The line of the character at this offset, counted from 0."""
        return self._raw.count("\n", 0, offset) + 1 if offset <= len(self._raw) else len(self.lines) + 1

    def context(self, first: int, last: int) -> tuple[str, ...]:
        """The written lines of a region, with the one before and the one after."""
        from bisect import bisect_left, bisect_right

        begin, end = bisect_left(self._written, first), bisect_right(self._written, last)
        around = self._written[max(0, begin - 1) : end + 1]
        return tuple(self.lines[number - 1] for number in around)

    def times(self, context: tuple[str, ...]) -> int:
        """How often these lines follow each other here."""
        size = len(context)
        return sum(1 for at in self._places.get(context[0], ()) if self._words[at : at + size] == context)

    def moved_from(self, before: Text, first: int, last: int) -> bool:
        """Whether the region was there before, elsewhere or indented otherwise, at least as often as it is here."""
        context = self.context(first, last)
        return bool(context) and self.times(context) <= before.times(context)

    def fingerprint(self, rule: str, place: Place) -> str:
        """The same for a result whose lines only moved. SHA-256 in hexadecimal digits."""
        parts = (rule, place.path, *self.context(place.line, max(place.line, place.end_line)))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def text_of(content: bytes) -> Text:
    """The file of this content."""
    return Text(content)
