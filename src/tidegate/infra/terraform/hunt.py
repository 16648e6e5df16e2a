"""Finds very many needles in very many texts at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

AT_ONCE = 400
LONGEST = 400
"""So many needles of so many bytes still make one small automaton; a longer one is sought by itself."""


class Hay:
    """Texts to look into."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._starts: list[int] = []
        encoded, place = [], 0
        for text in texts:
            raw = _bytes(text)
            encoded.append(raw)
            self._starts.append(place)
            place += len(raw) + 1
        self._blob = b"\0".join(encoded)

    def matching(self, patterns: Iterable[str]) -> Iterator[str]:
        """The texts that match one of these patterns of RE2."""
        found = {self._number(start) for start, _ in self._matches("|".join(patterns).encode())}
        return (self._texts[number] for number in sorted(found))

    def replaced(self, needles: Mapping[str, str]) -> Mapping[str, str]:
        """The texts that hold a needle, each with what it becomes when every needle is replaced."""
        known = {_bytes(needle): _bytes(word) for needle, word in needles.items() if needle}
        spans: dict[int, list[tuple[int, int]]] = {}
        for start, end in self._needles(sorted(known)):
            spans.setdefault(self._number(start), []).append((start, end))
        return {self._texts[number]: self._without(number, found, known) for number, found in sorted(spans.items())}

    # Private

    def _number(self, place: int) -> int:
        return bisect_right(self._starts, place) - 1

    def _needles(self, needles: Sequence[bytes]) -> Iterator[tuple[int, int]]:
        import re2

        short = [re2.escape(one) for one in needles if len(one) <= LONGEST]
        for first in range(0, len(short), AT_ONCE):
            yield from self._matches(b"|".join(short[first : first + AT_ONCE]))
        for one in needles:
            place = self._blob.find(one) if len(one) > LONGEST else -1
            while place >= 0:
                yield place, place + len(one)
                place = self._blob.find(one, place + len(one))

    def _matches(self, pattern: bytes) -> Iterator[tuple[int, int]]:
        import re2

        options = re2.Options()
        options.max_mem = 256 << 20
        options.encoding = re2.Options.Encoding.LATIN1
        options.longest_match = True
        options.log_errors = False
        for found in re2.compile(pattern, options).finditer(self._blob):
            yield found.span()

    def _without(self, number: int, spans: list[tuple[int, int]], words: Mapping[bytes, bytes]) -> str:
        """A text in which each span is replaced; of two that overlap the first, and nothing of the other is left."""
        done = self._starts[number]
        parts: list[bytes] = []
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            if end <= done:
                continue
            if start >= done:
                parts += [self._blob[done:start], words[self._blob[start:end]]]
            done = end
        last = self._starts[number + 1] - 1 if number + 1 < len(self._starts) else len(self._blob)
        return b"".join((*parts, self._blob[done:last])).decode("utf-8", "surrogatepass")


# Private


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
