"""Where texts and interpolations of Terraform's language end, and what their escapes stand for."""

from __future__ import annotations

import re


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
