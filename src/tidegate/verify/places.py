"""Finds the file of the repository that a path in a report means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

_DRIVE = re.compile(r"^/?[A-Za-z]:(?=/)")
_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "jar", ".venv", "venv", "vendor"})

How: TypeAlias = Literal["exact", "tail", "several", "none"]


class Found(Struct, frozen=True):
    """The file that was meant. `several` are those that fit as well as each other; then `path` is empty."""

    path: str
    how: How
    several: tuple[str, ...] = ()


class Places:
    """The files of the repository by their last names."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)
        self._named: dict[str, list[str]] = {}
        for path in sorted(self._paths):
            self._named.setdefault(path.rpartition("/")[2], []).append(path)

    def find(self, written: str, sources: Iterable[str] = ()) -> Found:
        """The file of a path that a report writes, seen from one of its `sources`.

        Exact where the report writes the path of the repository; else the longest tail that both have, where only one
        file has it and it is either whole path, or at least two names.
        """
        path = tidy(written)
        fits = []
        if not _absolute(path):
            fits = [self._fit(f"{tidy(source)}/{path}") for source in sources if _absolute(tidy(source))]
        fits = [fit for fit in fits if fit.how != "none"] or [self._fit(path)]
        if len({fit.path for fit in fits}) == 1 and fits[0].how != "several":
            return fits[0]
        several = sorted({path for fit in fits for path in (fit.several or (fit.path,))})
        return Found("", "several", tuple(several)) if several != [""] else Found("", "none")

    def _fit(self, path: str) -> Found:
        if path in self._paths:
            return Found(path, "exact")
        parts = [part for part in path.split("/") if part]
        named = self._named.get(parts[-1], []) if parts else []
        if _FOREIGN.intersection(parts):
            named = [name for name in named if _FOREIGN.intersection(name.split("/"))]
        scored = [(_common(parts, name.split("/")), name) for name in named]
        whole = [(score, name) for score, name in scored if score in (len(parts), name.count("/") + 1)]
        best = max((score for score, _ in whole or scored), default=0)
        found = [name for score, name in whole or scored if score == best]
        if not whole and best < 2 and (_absolute(path) or len(named) != 1):
            return Found("", "none")
        return Found(found[0], "tail") if len(found) == 1 else Found("", "several", tuple(found))


def tidy(path: str) -> str:
    """A path with `/` between its names, without drive, scheme, `.` and `..` at its beginning."""
    path = path.strip().replace("\\", "/")
    path = _DRIVE.sub("", path.removeprefix("file://"))
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and kept and kept[-1]:
            kept.pop()
        elif part not in (".", "..") and (part or not kept):
            kept.append(part)
    return "/".join(kept)


# Private


def _absolute(path: str) -> bool:
    return path.startswith("/")


def _common(one: list[str], other: list[str]) -> int:
    """How many names two paths have in common, counted from their ends."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
