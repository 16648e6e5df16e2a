"""Where `#include` leads: beside the file, or any file of the tree whose path ends so.

A header answers with the source of the same name as well: what it only declares is defined there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

_SUFFIXES = (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".cu", ".inc", ".ipp", ".tpp", ".inl", ".def")
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".cu")
_SHADOWS = ("include", "src", "source", "lib")
_MOST = 4


class CLayout:
    """The files of a tree by their names."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(path for path in paths if path.endswith(_SUFFIXES))
        self._by_base: dict[str, list[str]] = {}
        for path in sorted(self._paths):
            self._by_base.setdefault(path.rpartition("/")[2], []).append(path)

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        wanted = spec.removeprefix("./")
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), wanted))
        found = [beside] if beside in self._paths else self._ending(wanted, path)
        sources = [source for header in found for source in self._sources(header, path)]
        return tuple(dict.fromkeys([*found, *sources]))

    def visible(self, path: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def _ending(self, wanted: str, path: str) -> list[str]:
        """Files whose path ends like the spec; those that share most folders with the file come first."""
        tail = "/" + posixpath.normpath(wanted).lstrip("./")
        named = self._by_base.get(tail.rpartition("/")[2], [])
        found = [other for other in named if f"/{other}".endswith(tail)]
        if len(found) > 1:
            folders = path.split("/")
            found.sort(key=lambda other: (-_shared(folders, other.split("/")), other))
            found = found[:1]
        return found

    def _sources(self, header: str, path: str) -> list[str]:
        stem, _, end = header.rpartition(".")
        if not end.startswith("h"):
            return []
        base = stem.rpartition("/")[2]
        folders = [part for part in header.split("/")[:-1] if part not in _SHADOWS]
        named = [other for suffix in _SOURCES for other in self._by_base.get(base + suffix, ())]
        beside = [other for other in named if other.rpartition("/")[0] == header.rpartition("/")[0]]
        near = [o for o in named if [part for part in o.split("/")[:-1] if part not in _SHADOWS] == folders]
        return [other for other in (beside or near or named[: 1 if len(named) == 1 else 0])[:_MOST] if other != path]


def _shared(first: list[str], second: list[str]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
