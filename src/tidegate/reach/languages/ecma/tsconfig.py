"""`baseUrl` and `paths` of tsconfig.json and jsconfig.json, through `extends`."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.reach.languages.ecma.comments import decode_object
from tidegate.reach.languages.interface import ReadTexts

_ROUNDS = 3
_DEPTH = 8


class Config:
    """What one configuration says about names. `base` is a folder of the tree, None where none is written."""

    __slots__ = ("base", "paths")

    def __init__(self, base: str | None, paths: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        self.base = base
        self.paths = tuple(sorted(paths, key=lambda item: (-len(item[0].partition("*")[0]), "*" in item[0])))

    def targets(self, spec: str) -> list[str]:
        """The places of the tree that `paths` gives for a name: of the entry with the longest beginning."""
        for pattern, targets in self.paths:
            before, star, after = pattern.partition("*")
            if not star:
                if spec == pattern:
                    return list(targets)
            elif spec.startswith(before) and spec.endswith(after) and len(spec) >= len(before) + len(after):
                middle = spec[len(before) : len(spec) - len(after)]
                return [posixpath.normpath(target.replace("*", middle)) for target in targets]
        return []


def read_configs(paths: Sequence[str], read: ReadTexts) -> dict[str, Config]:
    """The configuration of every folder that has one: tsconfig.json before jsconfig.json before tsconfig.*.json."""
    wanted = [path for path in paths if _is_config(path.rpartition("/")[2])]
    if not wanted:
        return {}
    contents: dict[str, Mapping[str, Any]] = {}
    known = frozenset(paths)
    missing = wanted
    for _ in range(_ROUNDS):
        if not missing:
            break
        contents.update({path: decode_object(text) for path, text in read(missing).items()})
        above = [one for path in missing for one in _above(path, contents.get(path, {}), known)]
        missing = [path for path in dict.fromkeys(above) if path not in contents]
    found: dict[str, Config] = {}
    for path in sorted(wanted, key=_rank):
        folder = posixpath.dirname(path)
        base, entries = _resolve(path, contents, known, 0)
        if folder not in found or (not found[folder].paths and entries):
            found[folder] = Config(base, entries)
    return found


def _is_config(name: str) -> bool:
    return name.endswith(".json") and name.startswith(("tsconfig", "jsconfig"))


def _rank(path: str) -> tuple[int, str]:
    name = path.rpartition("/")[2]
    return (0 if name == "tsconfig.json" else 1 if name == "jsconfig.json" else 2, path)


def _above(path: str, content: Mapping[str, Any], known: frozenset[str]) -> list[str]:
    """The files of the tree that a configuration extends, the last one first: it has the last word."""
    written = content.get("extends")
    found: list[str] = []
    for one in reversed(written) if isinstance(written, list) else [written]:
        if not isinstance(one, str) or not one.startswith("."):
            continue
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), one))
        found.extend([end for end in (place, place + ".json", place + "/tsconfig.json") if end in known][:1])
    return found


def _resolve(
    path: str, contents: Mapping[str, Mapping[str, Any]], known: frozenset[str], depth: int
) -> tuple[str | None, list[tuple[str, tuple[str, ...]]]]:
    """The base and the entries of `paths`, each inherited where the configuration does not say it itself."""
    content = contents.get(path, {})
    options = content.get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    folder = posixpath.dirname(path)
    base, entries = None, list[tuple[str, tuple[str, ...]]]()
    if depth < _DEPTH:
        for other in _above(path, content, known):
            above, more = _resolve(other, contents, known, depth + 1)
            base, entries = (base if base is not None else above), entries or more
    written = options.get("baseUrl")
    if isinstance(written, str):
        base = posixpath.normpath(posixpath.join(folder, written))
        base = "" if base == "." else base
    listed = options.get("paths")
    if isinstance(listed, dict):
        start = base if base is not None else folder
        entries = [
            (pattern, tuple(posixpath.normpath(posixpath.join(start, one)) for one in targets if isinstance(one, str)))
            for pattern, targets in listed.items()
            if isinstance(targets, list)
        ]
    return base, entries
