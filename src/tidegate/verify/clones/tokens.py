"""Source text as tokens: comments, white space, imports and documentation out, names and literals told by their kind.

A token is one number: its kind in the two highest bits, a checksum of its text in the others. `shape_of` folds names
and literals, so that what differs by them alone has the same shape.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from tidegate.verify.clones.languages import FAMILIES, LANGUAGES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 5
"""Raise it whenever the same source gives other tokens."""

SYMBOL, NAME, LITERAL = 0, 1, 2
LARGEST_BYTES = 1 << 20
LONGEST_LINE = 5000


class Tokens(NamedTuple):
    """The tokens of one file, and the line that each begins on, counted from 1."""

    codes: NDArray[np.uint32]
    lines: NDArray[np.uint32]


class Reader:
    """Turns sources of one family of languages into tokens; it remembers the words that it has seen."""

    def __init__(self, family: str) -> None:
        self._find = re.compile(FAMILIES[family].pattern, re.MULTILINE).findall
        self._words = _Words(family)

    def read(self, content: bytes) -> Tokens:
        """The tokens of a file. Bytes that are not UTF-8 are one symbol each."""
        import numpy as np

        words = self._find(content.decode("utf-8", "replace"))
        if len(self._words) > _MOST_WORDS:
            self._words.clear()
        codes = np.fromiter(map(self._words.__getitem__, words), np.uint32, len(words))
        newline = codes == _NEWLINE
        breaks = newline.astype(np.uint32)
        spans = (codes >> 30 >= LITERAL) & ((codes & _SPANS) != 0)
        for at in np.flatnonzero(spans).tolist():
            breaks[at] = words[at].count("\n")
        lines = np.cumsum(breaks, dtype=np.uint32) - breaks + np.uint32(1)
        kept = (codes >> 30 != _SKIPPED) & ~_documentation(codes, newline)
        return Tokens(codes[kept], lines[kept])


def why_unread(content: bytes) -> str:
    """Why a file cannot be searched, as a clause about it; "" where it can."""
    if len(content) > LARGEST_BYTES:
        return f"is larger than {LARGEST_BYTES >> 20} MB"
    if b"\0" in content:
        return "holds NUL bytes"
    return "" if is_written(content) else f"has lines of more than {LONGEST_LINE:,} bytes"


def unread_tokens() -> Tokens:
    """What stands for a file that cannot be searched: one token, which no file has."""
    import numpy as np

    return Tokens(np.array([_UNREAD], np.uint32), np.array([1], np.uint32))


def is_unread(tokens: Tokens) -> bool:
    """Whether these stand for a file that cannot be searched."""
    return len(tokens.codes) == 1 and int(tokens.codes[0]) == _UNREAD


def family_of(language: str) -> str:
    """The family whose reader reads this language, "" where there is none."""
    return LANGUAGES.get(language, "")


def is_written(content: bytes) -> bool:
    """Whether a file can be written by hand: no NUL bytes, and no lines beyond 5,000 bytes."""
    return b"\0" not in content and not (
        len(content) > LONGEST_LINE and any(len(line) > LONGEST_LINE for line in content.split(b"\n"))
    )


def holds_tests(content: bytes) -> bool:
    """Whether a file is of tests although its name does not say so: it defines several."""
    return len(_TEST.findall(content[:LARGEST_BYTES])) >= _FEWEST_TESTS


def without_tests(content: bytes) -> bytes:
    """A file up to the module of tests that Rust keeps at its end."""
    found = _RUST_TESTS.search(content)
    return content[: found.start()] if found else content


def shape_of(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The tokens with names and literals folded: all names are one, and all literals."""
    import numpy as np

    kinds = codes >> 30
    return np.where(kinds == SYMBOL, codes, kinds << 30)


# Private

_TEST = re.compile(
    rb"^[ \t]*(?:async )?def test_|^func Test[A-Z]|^[ \t]*@Test\b|^[ \t]*#\[(?:\w+::)?test\b|^TEST(?:_F|_P)?\("
    rb"|^[ \t]*\[(?:Fact|Theory|Test)\b|^[ \t]*(?:describe|it|test)(?:\.\w+)?\(\s*['\"`]",
    re.MULTILINE,
)
_FEWEST_TESTS = 3
_RUST_TESTS = re.compile(rb"^#\[cfg\((?:all\()?test\b[^\n]*\)\]\n(?:#\[[^\n]*\]\n)*(?:pub )?mod \w+ ?\{", re.MULTILINE)
_SKIPPED = 3
_NEWLINE = _SKIPPED << 30 | 1
_SPANS = 1 << 29
_UNREAD = _SKIPPED << 30 | 2
_MOST_WORDS = 1_000_000


class _Words(dict[str, int]):
    """Every word's number. A literal, or what is skipped, also says whether it spans lines."""

    def __init__(self, family: str) -> None:
        super().__init__()
        self._match = re.compile(FAMILIES[family].pattern_of_kinds).fullmatch
        self._keywords = FAMILIES[family].keywords

    def __missing__(self, word: str) -> int:
        found = self._match(word)
        kind = found.lastgroup if found else None
        text = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        spans = _SPANS if "\n" in word else 0
        if word == "\n":
            number = _NEWLINE
        elif kind == "skipped":
            number = _SKIPPED << 30 | spans
        elif kind == "literal":
            number = LITERAL << 30 | text & (_SPANS - 1) | spans
        elif kind == "name" and word not in self._keywords:
            number = NAME << 30 | text & ((1 << 30) - 1)
        else:
            number = text & ((1 << 30) - 1)
        self[word] = number
        return number


def _documentation(codes: NDArray[np.uint32], newline: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Literals that stand alone on their lines: they say something and do nothing."""
    import numpy as np

    edges = np.ones(len(codes) + 2, bool)
    edges[1:-1] = newline
    alone: NDArray[np.bool_] = (codes >> 30 == LITERAL) & edges[:-2] & edges[2:]
    return alone
