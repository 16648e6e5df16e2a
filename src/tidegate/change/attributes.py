"""What `.gitattributes` of one tree says about files: generated, vendored, documentation.

Names and meaning: github-linguist, "Overrides"; syntax and order of precedence: git's documentation, gitattributes(5).
Only the `.gitattributes` of the folders above the asked paths are read, from the tree, never from the work tree or
from `info/attributes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.patterns import Patterns, compile_patterns
from tidegate.change.values import show_path
from tidegate.errors import InputError
from tidegate.facts import Unknown

MARKS = ("linguist-generated", "linguist-vendored", "linguist-documentation")
FILE_NAME = ".gitattributes"
LARGEST_BYTES = 1 << 20
MOST_LEVELS = 100
MOST_LINES = 2000

_FALSE = {"false", "no", "off", "0"}


class Marks(Struct, frozen=True):
    """What was said of one file. None: nothing was said; False: it was said that it is not."""

    generated: bool | None = None
    vendored: bool | None = None
    documentation: bool | None = None


class Attributes:
    """The attributes of one tree. `unknowns` names files that could not be read."""

    def __init__(self, files: Mapping[bytes, tuple[_Line, ...]], unknowns: tuple[Unknown, ...] = ()) -> None:
        self.unknowns = unknowns
        self._sets = {folder: _Set(lines) for folder, lines in files.items() if lines}

    def of(self, path: bytes) -> Marks:
        """What is said of a file: a nearer `.gitattributes` wins, in one file the later line."""
        if not self._sets:
            return NOTHING_SAID
        said: dict[str, bool | None] = {}
        for folder in _folders_above(path):
            rules = self._sets.get(folder)
            if rules is not None:
                said.update(rules.of(path[len(folder) :]))
        return Marks(*(said.get(mark) for mark in MARKS))


def read_attributes(repository: Repository, tree: str, paths: Iterable[bytes]) -> Attributes:
    """The attributes that a tree gives to files at these paths, by two processes."""
    folders = sorted({folder for path in paths for folder in _folders_above(path)})
    askable = [folder for folder in folders if b"\n" not in folder]
    names = [f"{tree}:{(folder + FILE_NAME.encode()).decode('utf-8', 'surrogateescape')}" for folder in askable]
    files: dict[bytes, tuple[_Line, ...]] = {}
    unknowns = []
    for folder, blob in zip(askable, repository.read_blobs(names, limit=LARGEST_BYTES), strict=True):
        if blob.kind == "too-large":
            reason = f"{show_path(folder)}{FILE_NAME} has {blob.size} bytes, more than {LARGEST_BYTES}"
            unknowns.append(Unknown(path="change.files", reason=reason))
        elif blob.kind == "blob":
            lines = parse_attributes(blob.content)
            files[folder] = lines[-MOST_LINES:]
            if len(lines) > MOST_LINES:
                reason = f"{show_path(folder)}{FILE_NAME} has more than {MOST_LINES} lines about generated files"
                unknowns.append(Unknown(path="change.files", reason=reason))
    return Attributes(files, tuple(unknowns))


class _Line(Struct, frozen=True):
    pattern: str
    marks: tuple[tuple[str, bool | None], ...]


def parse_attributes(text: bytes) -> tuple[_Line, ...]:
    """The lines that say something of the three marks. A line that git would not understand is left out."""
    macros: dict[str, tuple[tuple[str, bool | None], ...]] = {}
    found = []
    for line in text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n"):
        pattern, _, rest = _split(line.strip(" \t\r"))
        marks = tuple(mark for word in rest.split() for mark in _marks(word, macros))
        if pattern.startswith("[attr]"):
            macros[pattern.removeprefix("[attr]")] = marks
        elif marks and not pattern.startswith(("#", "!")):
            found.append(_Line(pattern, marks))
    return tuple(found)


NOTHING_SAID = Marks()
NO_ATTRIBUTES = Attributes({})


# Private


class _Set:
    """The lines of one file: per mark, the last matching line decides."""

    def __init__(self, lines: tuple[_Line, ...]) -> None:
        self._by_mark: dict[str, tuple[Patterns, tuple[bool | None, ...]]] = {}
        for mark in MARKS:
            own = [(line.pattern, dict(line.marks)[mark]) for line in lines if mark in dict(line.marks)]
            readable = [(pattern, value) for pattern, value in own if _is_readable(pattern)]
            if readable:
                patterns = compile_patterns([pattern for pattern, _ in readable], below=False)
                self._by_mark[mark] = (patterns, tuple(value for _, value in readable))

    def of(self, path: bytes) -> Iterator[tuple[str, bool | None]]:
        for mark, (patterns, values) in self._by_mark.items():
            last = patterns.last_index(path)
            if last >= 0:
                yield mark, values[last]


def _is_readable(pattern: str) -> bool:
    try:
        compile_patterns([pattern], below=False)
    except InputError:
        return False
    return True


def _split(line: str) -> tuple[str, str, str]:
    """Pattern and attributes of a line; a pattern in double quotes is C-quoted."""
    if line.startswith('"') and (quoted := re.match(r'"((?:[^"\\]|\\.)*)"[ \t]+', line)):
        return re.sub(r'\\(["\\])', r"\1", quoted[1]), " ", line[quoted.end() :]
    return line.partition(" ") if "\t" not in line else line.replace("\t", " ").partition(" ")


def _marks(word: str, macros: Mapping[str, tuple[tuple[str, bool | None], ...]]) -> Iterable[tuple[str, bool | None]]:
    name, equals, value = word.lstrip("-!").partition("=")
    if name in macros and not equals and word == name:
        return macros[name]
    if name not in MARKS:
        return ()
    if word.startswith("!"):
        return ((name, None),)
    return ((name, not word.startswith("-") and not (equals and value.lower() in _FALSE)),)


def _folders_above(path: bytes) -> Iterator[bytes]:
    """`a/b/c` has b"", b"a/" and b"a/b/", nearest last. Marks below MOST_LEVELS do not count: git walks down to each
    folder from the top, so that a path of thousands of levels would take minutes."""
    yield b""
    at = path.find(b"/")
    for _ in range(MOST_LEVELS):
        if at < 0:
            return
        yield path[: at + 1]
        at = path.find(b"/", at + 1)
