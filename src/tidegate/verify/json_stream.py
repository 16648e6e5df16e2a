"""Reads JSON of strangers as a stream: one key or element after the other, so that memory follows the largest one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tidegate.errors import InputError
from tidegate.verify.xml import MEND

DEPTH_LIMIT = 64
VALUE_LIMIT_CHARACTERS = 4 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"[-+.0-9eE]*")
_SKIP_CHARACTERS = 64 << 10


class JsonStream:
    """A place in a JSON document. Whoever is given a key or an element reads it by one of the methods here.

    Each raises InputError, in one line, where the document is no JSON, is cut off, holds NaN or an infinite number,
    is nested too deeply, or where a single value is larger than 4 M characters.
    """

    def __init__(self, texts: Iterable[str], where: str) -> None:
        self._texts = iter(texts)
        self._where = where
        self._text = ""
        self._at = 0
        self._ended = False
        self._depth = 0
        self._before = 0
        self._decoder = json.JSONDecoder(parse_constant=self._constant, parse_float=self._float)

    def members(self) -> Iterator[str]:
        """The keys of the object here; where there is none, the value is skipped and there are no keys."""
        if self._peek() != "{":
            self.skip()
            return
        yield from self._inside("{", "}")

    def elements(self) -> Iterator[None]:
        """Once for each element of the array here; where there is none, the value is skipped."""
        if self._peek() != "[":
            self.skip()
            return
        for _ in self._inside("[", "]"):
            yield None

    def value(self) -> Any:
        """The whole value here."""
        self._peek()
        found = self._decode(VALUE_LIMIT_CHARACTERS)
        if found is None:
            raise self.refused(f"a value in it is larger than {VALUE_LIMIT_CHARACTERS >> 20} M characters")
        return found[0]

    def skip(self) -> None:
        """Passes over the value here, however large it is."""
        first = self._peek()
        if self._decode(_SKIP_CHARACTERS) is not None:
            return
        if first not in "{[":
            raise self.refused(f"a text in it is longer than {_SKIP_CHARACTERS >> 10} K characters")
        for _ in self._inside(first, "}" if first == "{" else "]"):
            self.skip()

    def expect(self, first: str, what: str) -> None:
        """Makes sure that an object ("{") or an array ("[") stands here."""
        if self._peek() != first:
            raise self.refused(f"{what} in it is no {'object' if first == '{' else 'list'}")

    def is_null(self) -> bool:
        """Whether null stands here; then it is passed over."""
        if self._peek() != "n":
            return False
        self.value()
        return True

    def end(self) -> None:
        """Makes sure that nothing follows."""
        if self._peek(last=True):
            raise self.refused("something follows the end of its JSON")

    def refused(self, what: str) -> InputError:
        return InputError(what, where=self._where, mend=MEND)

    def _inside(self, opening: str, closing: str) -> Iterator[str]:
        """Stands before each value of the array or object in turn, and says its key ("" in an array)."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise self.refused(f"it is nested deeper than {DEPTH_LIMIT}")
        self._take(opening)
        if self._peek() == closing:
            self._take(closing)
            self._depth -= 1
            return
        while True:
            key = self._key() if opening == "{" else ""
            yield key
            if self._peek() == closing:
                self._take(closing)
                self._depth -= 1
                return
            self._take(",")

    def _key(self) -> str:
        if self._peek() != '"':
            raise self._no_json("a key is missing")
        key = self.value()
        self._take(":")
        return str(key)

    def _take(self, character: str) -> None:
        if self._peek() != character:
            raise self._no_json(f"{character!r} is missing")
        self._at += 1

    def _peek(self, *, last: bool = False) -> str:
        """The next character that is no white space; "" at the end, where that may be."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                if last:
                    return ""
                raise self.refused("it ends too early")

    def _decode(self, limit: int) -> tuple[Any] | None:
        """The value here, None where it is larger than `limit`."""
        while True:
            held = len(self._text) - self._at
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._ended and held < limit:
                    self._grow(limit)
                    continue
                if held >= limit:
                    return None
                if error.pos >= len(self._text) or error.msg.startswith("Unterminated string"):
                    raise self.refused("it ends too early") from error
                raise self._no_json(error.msg[:1].lower() + error.msg[1:], error.pos) from error
            except RecursionError as error:
                raise self.refused("it is nested too deeply") from error
            except ValueError as error:
                raise self.refused("a number in it has too many digits") from error
            if not self._ended and self._may_go_on(end):
                self._grow(limit)
                continue
            if end - self._at > limit:
                return None
            self._at = end
            return (value,)

    def _may_go_on(self, end: int) -> bool:
        """Whether a number at the very end of what is held may have more digits, a fraction or an exponent."""
        found = _NUMBER.match(self._text, self._at)
        return found is not None and found.end() >= max(end, len(self._text))

    def _grow(self, limit: int) -> None:
        """Holds twice as much, so that a large value is not begun again for every piece."""
        wanted = min(max(2 * (len(self._text) - self._at), 1), limit + 1)
        while len(self._text) - self._at < wanted:
            if not self._more():
                return

    def _more(self) -> bool:
        if self._ended:
            return False
        piece = next(self._texts, None)
        if piece is None:
            self._ended = True
            return False
        self._before += self._at
        self._text = self._text[self._at :] + piece
        self._at = 0
        return True

    def _no_json(self, what: str, at: int | None = None) -> InputError:
        return self.refused(f"it is no JSON: {what} at character {self._before + (self._at if at is None else at)}")

    def _constant(self, name: str) -> Any:
        raise self.refused(f"it holds the number {name}, which is none")

    def _float(self, text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            raise self.refused("it holds a number that is too large")
        return number
