"""Path patterns as gitignore writes them, over paths as bytes, answered in linear time.

Meaning: git's documentation, gitignore(5) "PATTERN FORMAT". A pattern without a slash (but at its end) matches at any
depth; `**` stands for any number of folders; a pattern that matches a folder matches all that is below it; a trailing
`/` asks for a folder; `\\` takes the next character as it is. In a set the last pattern that matches decides, and one
that starts with `!` takes a path out again. Unlike git, a file can be taken back in below a folder that is out.
Matching is case-sensitive. One RE2 expression stands for the whole set, so no pattern can make a match slow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

import re2

from tidegate.errors import InputError

LONGEST_PATTERN = 1000
_MEMORY_BYTES = 64 << 20


class Patterns:
    """A set of patterns. Equal sets answer alike; an empty one matches nothing."""

    def __init__(self, patterns: tuple[str, ...], expressions: tuple[str, ...]) -> None:
        self.patterns = patterns
        self._expressions = expressions
        self._negates = any(p.startswith("!") for p in patterns)
        self._any = re2.compile("|".join(f"(?:{e})" for e in expressions).encode("ascii"), _options())

    def matches(self, path: bytes) -> bool:
        """Whether the set matches the path of a file."""
        if not self.patterns or self._any.fullmatch(path) is None:
            return False
        return not self._negates or self.first(path) != ""

    def first(self, path: bytes) -> str:
        """The pattern that made the set match, for a reason; "" where the set does not match."""
        last = self.last_index(path)
        return "" if last < 0 or self.patterns[last].startswith("!") else self.patterns[last]

    def last_index(self, path: bytes) -> int:
        """The place of the last pattern that matches, negating or not; -1 for none."""
        if not self.patterns or self._any.fullmatch(path) is None:
            return -1
        found = self._which.Match(path)
        if found:
            return int(max(found))
        # A set that ran out of memory for this path answers nothing, where a single expression always answers.
        singles = (re2.compile(e.encode("ascii"), _options()).fullmatch(path) for e in reversed(self._expressions))
        return len(self.patterns) - 1 - next(place for place, match in enumerate(singles) if match is not None)

    # Private

    @cached_property
    def _which(self) -> re2.Set:
        """All patterns side by side. Most sets are only ever asked whether any of them matches."""
        found = re2.Set.FullMatchSet(_options())
        for expression in self._expressions:
            found.Add(expression.encode("ascii"))
        found.Compile()
        return found


def compile_patterns(patterns: Sequence[str], *, where: str = "", below: bool = True) -> Patterns:
    """A set that answers for file paths. Raises InputError that names a pattern which cannot be read.

    `below=False` is the meaning in .gitattributes: a pattern that matches a folder says nothing of what is in it.
    """
    try:
        return _compiled(tuple(patterns), where if patterns else "", below)
    except re2.error as error:
        raise InputError(
            "these patterns are too large together", where=where, mend="use fewer or shorter ones"
        ) from error


# Private


_SPECIAL = re.compile(r"[^A-Za-z0-9_.*-]")
"""Most segments are without groups, escapes and letters beyond ASCII, and one step writes them."""
_QUOTED = {ord("*"): "[^/]*", **{ord(character): f"\\x{ord(character):02x}" for character in "_.-"}}


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY_BYTES
    return options


@lru_cache(maxsize=512)
def _compiled(patterns: tuple[str, ...], where: str, below: bool) -> Patterns:
    """Kept, for the tables of kinds and domains are asked several times of one change."""
    return Patterns(patterns, tuple(_expression(pattern, where, below) for pattern in patterns))


def _expression(pattern: str, where: str, below: bool) -> str:
    body = pattern.removeprefix("!")
    if len(body) > LONGEST_PATTERN:
        raise _bad(pattern[:60] + "...", "is longer than 1000 characters", where)
    folder_only = body.endswith("/")
    body = body[:-1] if folder_only else body
    anchored = "/" in body
    body = body.removeprefix("/")
    if not body or "\0" in body:
        raise _bad(pattern, "names no file", where)
    try:
        expression = _segments(body.split("/"))
    except ValueError as error:
        raise _bad(pattern, str(error), where) from error
    if not anchored:
        expression = f"(?:.*/)?{expression}"
    if folder_only:
        return f"{expression}/.+" if below else r"[^\x00-\xff]"
    return f"{expression}(?:/.*)?" if below else expression


def _bad(pattern: str, reason: str, where: str) -> InputError:
    return InputError(f"the path pattern {pattern!r} {reason}", where=where, mend="write it as in a .gitignore file")


def _segments(segments: list[str]) -> str:
    out = ""
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment == "**" and last:
            out += ".+" if place else ".*"
        elif segment == "**":
            out += "(?:.*/)?"
        else:
            out += _segment(segment) + ("" if last else "/")
    return out


def _segment(segment: str) -> str:
    if "**" not in segment and not _SPECIAL.search(segment):
        return segment.translate(_QUOTED)
    out: list[str] = []
    at = 0
    while at < len(segment):
        character = segment[at]
        at += 1
        if character == "*":
            if out[-1:] != ["[^/]*"]:
                out.append("[^/]*")
        elif character == "?":
            out.append("[^/]")
        elif character == "[":
            group, at = _bracket(segment, at)
            out.append(group)
        elif character == "\\":
            if at == len(segment):
                raise ValueError("ends in a backslash that escapes nothing")
            out.append(_quote(segment[at]))
            at += 1
        else:
            out.append(_quote(character))
    return "".join(out)


def _bracket(segment: str, at: int) -> tuple[str, int]:
    """The group that begins at `at`, after its `[`, and the place after its `]`: POSIX 2.13.1 and backslashes."""
    negated = segment[at : at + 1] in ("!", "^")
    at += negated
    items: list[str] = []
    start = at
    while at < len(segment) and (segment[at] != "]" or at == start):
        if segment.startswith("[:", at) and (end := segment.find(":]", at)) > 0:
            items.append(_class(segment[at + 2 : end]))
            at = end + 2
            continue
        low, at = _member(segment, at)
        high = low
        if segment[at : at + 1] == "-" and segment[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(segment, at + 1)
        if high < low:
            raise ValueError("has a range that runs backwards")
        items += _range(low, high)
    if at >= len(segment):
        raise ValueError("has a [ that nothing closes")
    inside = "".join(items)
    if not inside:
        raise ValueError("has a [ ] that matches nothing but a slash")
    return (f"[^/{inside}]" if negated else f"[{inside}]"), at + 1


def _member(segment: str, at: int) -> tuple[str, int]:
    if segment[at] == "\\" and at + 1 < len(segment):
        at += 1
    character = segment[at]
    if not character.isascii():
        raise ValueError("has a character beyond ASCII in [ ]")
    return character, at + 1


def _range(low: str, high: str) -> list[str]:
    """The characters from low to high as RE2 writes them. A slash never matches in a group, so it is left out."""
    if low <= "/" <= high:
        return (_range(low, ".") if low < "/" else []) + (_range("0", high) if high > "/" else [])
    return [f"{_quote(low)}-{_quote(high)}"]


def _class(name: str) -> str:
    cut = {"graph": r"\x21-\x2e0-\x7e", "print": r"\x20-\x2e0-\x7e", "punct": r"\x21-\x2e\x3a-\x40\x5b-\x60\x7b-\x7e"}
    known = ("alnum", "alpha", "blank", "cntrl", "digit", "lower", "space", "upper", "xdigit")
    if name in cut:
        return cut[name]
    if name not in known:
        raise ValueError(f"has no class [:{name}:]")
    return f"[:{name}:]"


def _quote(character: str) -> str:
    data = character.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\x{byte:02x}" for byte in data)
