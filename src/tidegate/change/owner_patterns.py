"""Path patterns of CODEOWNERS files, as GitHub and as GitLab match them, in linear time.

Both dialects are translated to RE2. Most patterns of real files are a folder, a file or an extension; those are found
by look-up, so that two thousand of them cost a few dictionary questions for a path. The others wait under their
leading literal folder.

GitHub: gitignore without `!`, `[ ]` and `\\#`: docs.github.com "About code owners", and hmarr's 153 verdicts.
GitLab: Ruby's File.fnmatch with FNM_DOTMATCH | FNM_PATHNAME: docs.gitlab.com "Syntax of CODEOWNERS file".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, TypeAlias

import re2

Dialect: TypeAlias = Literal["github", "gitlab"]
LONGEST = 4096
"""Characters of a pattern; no path that git can check out on Linux is longer. RE2 compiles each of that length."""


class PatternError(ValueError):
    """A pattern that the dialect does not have. The text says which part."""


class Pattern(NamedTuple):
    """One pattern, ready for the index: where its look-up key belongs, and the whole of it as RE2.

    `exact` the path itself, `below` everything under that folder, `name` a last segment, `part` a folder's name at any
    depth, `suffix` the end of a segment. `folder` is the leading literal folder of a pattern that only RE2 can answer,
    `piece` the longest text that every path which it matches holds.
    """

    exact: bytes | None = None
    below: bytes | None = None
    name: bytes | None = None
    part: bytes | None = None
    suffix: bytes | None = None
    suffix_of_folders: bool = False
    folder: bytes = b""
    piece: bytes = b""
    regex: str = ""


def translate(pattern: str, dialect: Dialect) -> Pattern:
    """The pattern as the dialect means it. Raises PatternError for one that it does not have."""
    if "\0" in pattern:
        raise PatternError("it holds a NUL character")
    if len(pattern) > LONGEST:
        raise PatternError(f"it has more than {LONGEST} characters")
    return _github(pattern) if dialect == "github" else _gitlab(pattern)


class PatternIndex:
    """Answers which of many patterns match a path. Patterns are numbered in the order they are given."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._exact: dict[bytes, int] = {}
        self._below: dict[bytes, int] = {}
        self._name: dict[bytes, int] = {}
        self._part: dict[bytes, int] = {}
        self._suffix: dict[bytes, list[tuple[int, bytes, bool]]] = {}
        # By leading folder, and those without one by the first three bytes of their piece.
        self._waiting: dict[bytes, list[_Waiting]] = {}
        self._anywhere: dict[bytes, list[_Waiting]] = {}
        for number, pattern in enumerate(patterns):
            self._add(number, pattern)
        for suffixes in self._suffix.values():
            suffixes.reverse()
        for matchers in (*self._waiting.values(), *self._anywhere.values()):
            matchers.reverse()

    def last(self, path: bytes) -> int:
        """The number of the last pattern that matches, -1 for none."""
        folders, segments = _folders(path), path.split(b"/")
        best = max(self._exact.get(path, -1), self._name.get(segments[-1], -1))
        for folder in folders:
            best = max(best, self._below.get(folder, -1))
        for segment in segments[:-1] if self._part else ():
            best = max(best, self._part.get(segment, -1))
        for place, segment in enumerate(segments if self._suffix else ()):
            best = self._last_suffix(segment, place == len(segments) - 1, best)
        for key in (b"", *folders) if self._waiting else ():
            best = _last_waiting(self._waiting.get(key, ()), path, best)
        for at in range(len(path) - 2) if self._anywhere else ():
            best = _last_waiting(self._anywhere.get(path[at : at + 3], ()), path, best)
        return best

    # Private

    def _add(self, number: int, pattern: Pattern) -> None:
        for table, key in (
            (self._exact, pattern.exact),
            (self._below, pattern.below),
            (self._name, pattern.name),
            (self._part, pattern.part),
        ):
            if key is not None:
                table[key] = number
        if pattern.suffix is not None:
            entry = (number, pattern.suffix, pattern.suffix_of_folders)
            self._suffix.setdefault(_extension(pattern.suffix), []).append(entry)
        if pattern.regex:
            starts = pattern.piece[:3] if not pattern.folder else b""
            bucket = self._anywhere if len(starts) == 3 else self._waiting
            bucket.setdefault(starts if len(starts) == 3 else pattern.folder, []).append(_Waiting(number, pattern))

    def _last_suffix(self, segment: bytes, is_name: bool, best: int) -> int:
        for number, suffix, of_folders in self._suffix.get(_extension(segment), ()):
            if number <= best:
                break
            if (is_name or of_folders) and segment.endswith(suffix):
                return number
        return best


# Private


class _Waiting:
    """A pattern that only RE2 can answer. It is compiled when a path first holds its piece: most never are."""

    __slots__ = ("_matches", "number", "piece", "regex")

    def __init__(self, number: int, pattern: Pattern) -> None:
        self.number = number
        self.piece = pattern.piece
        self.regex = pattern.regex
        self._matches: Callable[[bytes], object] | None = None

    def matches(self, path: bytes) -> bool:
        if self._matches is None:
            self._matches = re2.compile(self.regex.encode("ascii"), _options()).fullmatch
        return self._matches(path) is not None


def _last_waiting(entries: Iterable[_Waiting], path: bytes, best: int) -> int:
    for entry in entries:
        if entry.number <= best:
            break
        if entry.piece in path and entry.matches(path):
            return entry.number
    return best


def _folders(path: bytes) -> list[bytes]:
    """`a/b/c` has the folders `a` and `a/b`."""
    found, at = [], path.find(b"/")
    while at >= 0:
        found.append(path[:at])
        at = path.find(b"/", at + 1)
    return found


def _extension(segment: bytes) -> bytes:
    return segment[segment.rfind(b".") + 1 :]


def _github(pattern: str) -> Pattern:
    if pattern.startswith("!"):
        raise PatternError("GitHub has no patterns that take files out (`!`)")
    if pattern.startswith("\\#"):
        raise PatternError("GitHub has no escape for a leading #")
    if not pattern.strip("/"):
        raise PatternError("it names no file")
    if _ends_in_escape(pattern):
        raise PatternError("it ends in a backslash that escapes nothing")
    anchored = "/" in pattern.rstrip("/")
    of_folder = pattern.endswith("/")
    segments = [s for s in pattern.split("/") if s]
    if not anchored and not of_folder and segments == ["**"]:
        segments = ["*"]
    literal = [_literal(s) for s in segments]
    if all(part is not None for part in literal):
        key = b"/".join(part for part in literal if part is not None)
        if anchored:
            return Pattern(below=key) if of_folder else Pattern(exact=key, below=key)
        return Pattern(part=key) if of_folder else Pattern(name=key, part=key)
    if not anchored and not of_folder and (suffix := _suffix(segments[0])) is not None:
        return Pattern(suffix=suffix, suffix_of_folders=True)
    parts = segments if anchored else ["**", *segments]
    return Pattern(
        folder=_leading(parts), piece=_piece(parts), regex=_github_regex([*parts, "**"] if of_folder else parts)
    )


def _github_regex(segments: list[str]) -> str:
    out, slash, last = "", False, len(segments) - 1
    for place, segment in enumerate(segments):
        if segment == "**":
            if place == last:
                out += "/.+" if slash else ".+"
            elif place == 0:
                out += "(?:.+/)?"
            else:
                out += "(?:/.+)?"
            continue
        out += ("/" if slash else "") + _segment_regex(segment, brackets=False)
        # `docs/*` stops at one level; every other last segment also stands for what is below a folder of that name.
        out += "(?:/.*)?" if place == last and segment != "*" else ""
        slash = True
    return out


def _gitlab(pattern: str) -> Pattern:
    if _ends_in_escape(pattern):
        raise PatternError("it ends in a backslash that escapes nothing")
    if not pattern:
        raise PatternError("it names no file")
    if pattern == "*":
        return Pattern(regex="[^/]+(?:/.*)?")
    anchored, of_folder = pattern.startswith("/"), pattern.endswith("/")
    body = pattern.removeprefix("/")
    segments = body.removesuffix("/").split("/") if body else [""]
    literal = [_literal(s, brackets=True) for s in segments]
    if all(literal):
        key = b"/".join(part for part in literal if part is not None)
        if anchored:
            return Pattern(below=key) if of_folder else Pattern(exact=key)
        if len(segments) == 1:
            return Pattern(part=key) if of_folder else Pattern(name=key)
    if not anchored and not of_folder and len(segments) == 1 and (suffix := _suffix(body, True)) is not None:
        return Pattern(suffix=suffix)
    parts = ([] if anchored else ["**"]) + body.split("/")
    if of_folder:
        parts[-1:] = ["**", "*"]
    return Pattern(folder=_leading(parts, brackets=True), piece=_piece(parts), regex=_gitlab_regex(parts))


def _gitlab_regex(segments: list[str]) -> str:
    """`**/` stands for any number of folders; elsewhere `**` is `*` (Ruby's File.fnmatch)."""
    out, last = "", len(segments) - 1
    for place, segment in enumerate(segments):
        if segment == "**" and place != last:
            out += "(?:[^/]+/)*"
            continue
        out += _segment_regex(segment, brackets=True) + ("" if place == last else "/")
    return out


def _segment_regex(segment: str, *, brackets: bool) -> str:
    out, at = "", 0
    while at < len(segment):
        character = segment[at]
        if character == "\\" and at + 1 < len(segment):
            at += 1
            out += _quoted(segment[at])
        elif character == "*":
            out += "" if out.endswith("[^/]*") else "[^/]*"
        elif character == "?":
            out += _ONE
        elif character == "[" and brackets:
            group, at = _bracket(segment, at)
            out += group
        else:
            out += _quoted(character)
        at += 1
    # A segment is never empty: `a/*` does not match `a/`, which is no path anyway.
    return "[^/]+" if out == "[^/]*" else out


def _bracket(segment: str, start: int) -> tuple[str, int]:
    """A group such as `[a-z]` or `[^abc]` as RE2, and the place of its last character."""
    end = segment.find("]", start + 2 if segment[start + 1 : start + 2] in ("!", "^") else start + 1)
    body = segment[start + 1 : end] if end > 0 else ""
    negated = body[:1] in ("!", "^")
    body = body[1:] if negated else body
    if not body or not body.isascii() or "\\" in body:
        raise PatternError("a group in square brackets is not closed, or is empty, or holds more than plain ASCII")
    ranges = []
    at = 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            low, high = body[at], body[at + 2]
            if low > high:
                raise PatternError(f"the range {low}-{high} runs backwards")
            ranges.append(f"{_quoted(low)}-{_quoted(high)}")
            at += 3
        else:
            ranges.append(_quoted(body[at]))
            at += 1
    joined = "".join(ranges)
    return (f"[^/{joined}]" if negated else f"[{joined}]"), end


def _literal(segment: str, brackets: bool = False) -> bytes | None:
    """The bytes that a segment without wildcards stands for, None where it has one."""
    out, at = "", 0
    while at < len(segment):
        character = segment[at]
        if character in "*?" or (brackets and character == "["):
            return None
        if character == "\\":
            at += 1
        out += segment[at]
        at += 1
    return out.encode("utf-8", "surrogateescape")


def _suffix(segment: str, brackets: bool = False) -> bytes | None:
    """What follows the star in `*.py`, None for a segment of another form."""
    rest = segment[1:] if segment.startswith("*") else ""
    literal = _literal(rest, brackets) if rest else None
    return literal if literal and b"." in literal else None


def _leading(segments: list[str], brackets: bool = False) -> bytes:
    """The folders that come before the first wildcard."""
    found = []
    for segment in segments[:-1]:
        literal = _literal(segment, brackets)
        if literal is None:
            break
        found.append(literal)
    return b"/".join(found)


def _piece(segments: list[str]) -> bytes:
    """The longest text without wildcards, escapes or slashes."""
    runs = (run for segment in segments for run in re.findall(r"[^*?\[\]\\]+", _ESCAPED.sub("*", segment)))
    return max((run.encode("utf-8", "surrogateescape") for run in runs), key=len, default=b"")


def _ends_in_escape(pattern: str) -> bool:
    return any((len(segment) - len(segment.rstrip("\\"))) % 2 for segment in pattern.split("/"))


def _quoted(character: str) -> str:
    """One character as Latin-1 text that RE2 matches byte by byte."""
    encoded = character.encode("utf-8", "surrogateescape")
    return "".join(f"\\x{{{byte:02x}}}" for byte in encoded)


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 8 << 20
    return options


_ESCAPED = re.compile(r"\\.|\[[^\]]*\]?", re.DOTALL)
_ONE = r"(?:[^/\x80-\xff]|[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf])"
