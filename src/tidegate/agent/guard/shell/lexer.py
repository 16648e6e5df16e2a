"""The words of a shell: quotes, variables, substitutions (POSIX.1-2017 XCU 2.2, 2.3, 2.6; bash where agents use it)."""

from __future__ import annotations

import re
from collections.abc import Callable

from tidegate.agent.guard.shell.values import Part, Run, Script, ShellError, Text, Variable, Word

DEEPEST = 24
_META = " \t\n;&|<>()"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_ANSI_CODE = re.compile(r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})")

Inner = Callable[[str, int], tuple[Script, int]]
"""Reads a script from a place on to the bracket that closes it; answers it and the place behind the bracket."""


class Words:
    """Reads words out of a text. `inner` reads the scripts inside of them, `whole` a script that fills a text."""

    def __init__(self, text: str, inner: Inner, whole: Callable[[str], Script]) -> None:
        self.text = text
        self._inner = inner
        self._whole = whole

    def word(self, place: int) -> tuple[Word, int]:
        """The word that starts here, () where none does."""
        parts: list[Part] = []
        text = self.text
        while place < len(text):
            char = text[place]
            if char in "<>" and text[place + 1 : place + 2] == "(":
                script, place = self._inner(text, place + 2)
                parts.append(Run(script, process=True))
            elif char in _META:
                break
            else:
                part, place = self._part(place, quoted=False)
                parts += part
        return _merged(parts), place

    def quoted(self, text: str) -> Word:
        """The body of a here-document: like a word in double quotes in which `"` is an ordinary character."""
        own = Words(text, self._inner, self._whole)
        parts: list[Part] = []
        place = 0
        while place < len(text):
            found, place = own._inside(place)
            parts += found
        return _merged(parts)

    def _part(self, place: int, *, quoted: bool) -> tuple[list[Part], int]:
        text = self.text
        char = text[place]
        if char == "'":
            end = self._find("'", place + 1)
            return [Text(text[place + 1 : end], quoted=True)], end + 1
        if char == '"':
            return self._double(place + 1)
        if char == "\\":
            after = text[place + 1 : place + 2]
            return ([] if after == "\n" else [Text(after or "\\", quoted=True)]), place + 2
        if char == "$":
            return self._dollar(place, quoted=quoted)
        if char == "`":
            return self._backticks(place)
        return [Text(char)], place + 1

    def _double(self, place: int) -> tuple[list[Part], int]:
        parts: list[Part] = [Text("", quoted=True)]
        while place < len(self.text):
            if self.text[place] == '"':
                return parts, place + 1
            found, place = self._inside(place)
            parts += found
        raise ShellError("a double quote is never closed")

    def _inside(self, place: int) -> tuple[list[Part], int]:
        text = self.text
        char = text[place]
        if char == "\\":
            after = text[place + 1 : place + 2]
            if after == "\n":
                return [], place + 2
            if after and after in '$`"\\':
                return [Text(after, quoted=True)], place + 2
        elif char == "$":
            return self._dollar(place, quoted=True)
        elif char == "`":
            return self._backticks(place)
        return [Text(char, quoted=True)], place + 1

    def _dollar(self, place: int, *, quoted: bool) -> tuple[list[Part], int]:
        text = self.text
        after = text[place + 1 : place + 2]
        if after == "'" and not quoted:
            return self._ansi(place + 2)
        if after == '"' and not quoted:
            return self._double(place + 2)
        if text.startswith("$((", place) and (found_ := self._arithmetic(place + 3)) is not None:
            return found_
        if after == "(":
            script, end = self._inner(text, place + 2)
            return [Run(script, quoted)], end
        if after == "{":
            return self._braces(place + 2, quoted=quoted)
        found = _PARAMETER.match(text, place + 1)
        if found is None:
            return [Text("$", quoted)], place + 1
        name = found[0] if not found[0].isdigit() else found[0][0]
        return [Variable(name, quoted=quoted)], place + 1 + len(name)

    def _ansi(self, place: int) -> tuple[list[Part], int]:
        text = self.text
        made: list[str] = []
        while place < len(text) and text[place] != "'":
            if text[place] != "\\":
                made.append(text[place])
                place += 1
                continue
            code = _ANSI_CODE.match(text, place + 1)
            if code is not None:
                digits = next(group for group in code.groups() if group)
                number = int(digits, 8 if code[4] else 16)
                made.append(chr(number) if 0 < number < 0x110000 else "\0")
                place = code.end()
            else:
                after = text[place + 1 : place + 2]
                made.append(_ANSI.get(after, after))
                place += 2
        if place >= len(text):
            raise ShellError("a quote is never closed")
        return [Text("".join(made), quoted=True)], place + 1

    def _arithmetic(self, place: int) -> tuple[list[Part], int] | None:
        """A number that nobody computes here, and the scripts inside it; None for a subshell in a substitution."""
        depth = 2
        parts: list[Part] = [Variable("", changed=True)]
        while place < len(self.text):
            char = self.text[place]
            if char in "$`\\'\"":
                found, place = self._part(place, quoted=False)
                parts += [part for part in found if isinstance(part, Run)]
                continue
            depth += (char == "(") - (char == ")")
            place += 1
            if depth == 0:
                return (parts, place) if self.text[place - 2] == ")" else None
        return None

    def _braces(self, place: int, *, quoted: bool) -> tuple[list[Part], int]:
        text = self.text
        start = place
        while place < len(text) and text[place] in "!#":
            place += 1
        found = _PARAMETER.match(text, place)
        name = found[0] if found else ""
        place = found.end() if found else place
        plain = place == start + len(name)
        rest: list[Part] = []
        begin = place
        while place < len(text) and text[place] != "}":
            part, place = self._part(place, quoted=quoted) if text[place] != "'" or not quoted else self._inside(place)
            rest += part
        if place >= len(text):
            raise ShellError("a `${` is never closed")
        operator = re.match(r":?[-=]", text[begin:place])
        if not rest or text[begin:place] == "[0]":
            return [Variable(name, changed=not plain, quoted=quoted)], place + 1
        if plain and operator:
            default = _without_front(_merged(rest), len(operator[0]))
            return [Variable(name, default=default, quoted=quoted)], place + 1
        runs = [part for part in rest if isinstance(part, Run)]
        return [Variable(name, changed=True, quoted=quoted), *runs], place + 1

    def _backticks(self, place: int) -> tuple[list[Part], int]:
        made: list[str] = []
        place += 1
        text = self.text
        while place < len(text) and text[place] != "`":
            if text[place] == "\\" and text[place + 1 : place + 2] in ("`", "\\", "$"):
                place += 1
            made.append(text[place : place + 1])
            place += 1
        if place >= len(text):
            raise ShellError("a backtick is never closed")
        return [Run(self._whole("".join(made)))], place + 1

    def _find(self, char: str, place: int) -> int:
        end = self.text.find(char, place)
        if end < 0:
            raise ShellError("a quote is never closed")
        return end


def is_name(text: str) -> bool:
    """Whether this may be the name of a variable."""
    return _NAME.fullmatch(text) is not None


# Private


def _merged(parts: list[Part]) -> Word:
    made: list[Part] = []
    for part in parts:
        last = made[-1] if made else None
        if isinstance(part, Text) and isinstance(last, Text) and last.quoted == part.quoted:
            made[-1] = Text(last.text + part.text, part.quoted)
        else:
            made.append(part)
    return tuple(made)


def _without_front(word: Word, count: int) -> Word:
    first = word[0]
    return (Text(first.text[count:], first.quoted), *word[1:]) if isinstance(first, Text) else word
