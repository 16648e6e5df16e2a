"""A cursor over a text of Terraform's language: where texts and interpolations end, what escapes stand for."""

from __future__ import annotations

import re
from typing import NoReturn


class UnreadableError(Exception):
    """A text that is not of the language, and in a few words why. `Cursor.place` says where."""


class Cursor:
    """One text and the place in it. What is taken moves the place on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def fail(self, reason: str) -> NoReturn:
        raise UnreadableError(reason)

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.place)
        if not found:
            return ""
        self.place = found.end()
        return found[0]

    def looking_at(self, text: str) -> bool:
        return self.text.startswith(text, self.place)

    def skip(self) -> None:
        """Passes spaces, lines and comments."""
        self.place = _end(_BLANK, self.text, self.place)

    def skip_spaces(self) -> None:
        """Passes spaces and comments within the line."""
        self.place = _end(_SPACES, self.text, self.place)

    def expect(self, text: str) -> None:
        if not self.looking_at(text):
            self.fail(f"{text!r} is expected here")
        self.place += len(text)

    def ended(self) -> bool:
        self.skip()
        return self.place >= len(self.text)

    def closed(self, bracket: str) -> bool:
        """Whether the bracket closes here; it is passed."""
        self.skip()
        if self.place >= len(self.text):
            self.fail(f"{bracket!r} is missing")
        if not self.looking_at(bracket):
            return False
        self.place += 1
        return True

    def end_of_entry(self) -> None:
        """An entry of a body ends with its line, or with the body."""
        self.skip_spaces()
        if self.place < len(self.text) and self.text[self.place] not in "\n},":
            self.fail("the line goes on where it should end")
        if self.looking_at(","):
            self.place += 1


def end_of_quoted(text: str, place: int) -> int:
    """Where the quoted text closes that began before this place, -1 where nowhere. Nested texts are stepped over."""
    levels = ['"']
    while levels:
        found = (_IN_TEXT if levels[-1] == '"' else _IN_CODE).search(text, place)
        if not found or (found[0] == "\n" and len(levels) == 1):
            return -1
        place = found.end()
        if found[0] in ("${", "%{", "{"):
            levels.append("{")
        elif found[0] == "}":
            levels.pop()
        elif found[0] == '"':
            if levels[-1] == '"':
                levels.pop()
            else:
                levels.append('"')
        if len(levels) > _DEEPEST:
            return -1
    return place - 1


def end_of_code(text: str, place: int) -> int:
    """Where the interpolation closes that began before this place, -1 where nowhere."""
    levels = 1
    while found := _IN_CODE.search(text, place):
        place = found.end()
        if found[0] == '"':
            closing = end_of_quoted(text, place)
            if closing < 0:
                return -1
            place = closing + 1
            continue
        levels += 1 if found[0] == "{" else -1
        if not levels:
            return place - 1
    return -1


def unescaped(text: str) -> str:
    return _ESCAPE.sub(_plain, text) if "\\" in text else text


# Private

_BLANK = re.compile(r"(?:[\s]+|#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_SPACES = re.compile(r"(?:[ \t\r\f]+|#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_DEEPEST = 100
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_IN_CODE = re.compile(r'["{}]')
_IN_TEXT = re.compile(r'\\.|\$\$\{|%%\{|\$\{|%\{|"|\n', re.DOTALL)


def _plain(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else "\ufffd"
    return _ESCAPES.get(found[3], found[3])


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
