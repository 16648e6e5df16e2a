"""The files that providers ask for, read once, and what could not be read of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from posixpath import normpath
from typing import TYPE_CHECKING

from tidegate.reach.services.texts import LARGEST_BYTES, TextError, Value, parse_json, parse_toml, parse_yaml

if TYPE_CHECKING:
    from tidegate.reach.languages.interface import ReadTexts  # its package loads the readers

MOST_FILES = 4000


class Tree:
    """Paths of a tree and the contents of those that were wanted."""

    def __init__(self, paths: Iterable[str], wanted: Iterable[str], read: ReadTexts) -> None:
        self.paths = frozenset(paths)
        self.unread: dict[str, str] = {}
        chosen = sorted(set(wanted), key=lambda path: (path.count("/"), path))
        for path in chosen[MOST_FILES:]:
            self.unread[path] = f"more than {MOST_FILES} files say something of services"
        self._contents: Mapping[str, bytes] = read(chosen[:MOST_FILES]) if chosen else {}
        for path in chosen[:MOST_FILES]:
            if path not in self._contents:
                self.unread[path] = "missing or too large"
        self._parsed: dict[str, list[Value]] = {}

    def exists(self, path: str) -> bool:
        """Whether a file or a folder is called this; "" is the whole tree."""
        return path in self.paths or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        return path == "" or path in self._folders

    def below(self, folder: str) -> Iterator[str]:
        """The files of a folder and of those in it, in order."""
        prefix = f"{folder}/" if folder else ""
        for place in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[place].startswith(prefix):
                return
            yield self._sorted[place]

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.paths)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return _folders(self.paths)

    def content(self, path: str) -> bytes:
        """A wanted file's bytes; b"" where there is none, or where it is too large and said to be."""
        found = self._contents.get(path, b"")
        if len(found) > LARGEST_BYTES:
            self.fail(path, f"larger than {LARGEST_BYTES >> 20} MB")
            return b""
        return found

    def text(self, path: str) -> str:
        return self.content(path).decode("utf-8", "replace")

    def documents(self, path: str) -> list[Value]:
        """The documents of a YAML, JSON or TOML file; none where it cannot be read, which is said."""
        if path not in self._parsed:
            try:
                self._parsed[path] = _parse(path, self.content(path))
            except TextError as error:
                self.fail(path, str(error))
                self._parsed[path] = []
        return self._parsed[path]

    def fail(self, path: str, reason: str) -> None:
        """Remembers that a file, or part of it, could not be read."""
        self.unread.setdefault(path, reason)


def join_path(folder: str, path: str) -> str | None:
    """A path of the tree from one written in a file of `folder`; None where it leaves the tree. "" is its top."""
    found = normpath("/".join(part for part in (folder, path.strip()) if part) or ".")
    if path.startswith("/") or found == ".." or found.startswith("../"):
        return None
    return "" if found == "." else found


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    return path.rpartition("/")[2]


# Private


def _parse(path: str, content: bytes) -> list[Value]:
    if path.endswith(".json"):
        return [parse_json(content)]
    return [parse_toml(content, path)] if path.endswith(".toml") else parse_yaml(content)


def _folders(paths: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for path in paths:
        folder = folder_of(path)
        while folder and folder not in found:
            found.add(folder)
            folder = folder_of(folder)
    return frozenset(found)
