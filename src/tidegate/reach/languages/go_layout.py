"""Where Go's imports lead: modules (go.mod, go.work, replace), folders as packages, `vendor` last."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tidegate.reach.languages.interface import ReadTexts

_MODULE = re.compile(r"^\s*module\s+\"?([^\s\"/][^\s\"]*)", re.MULTILINE)
_REPLACE = re.compile(r"^\s*(?:replace\s+)?([^\s(]+)(?:\s+v\S+)?\s*=>\s*(\.\.?(?:/\S*)?)\s*(?://.*)?$", re.MULTILINE)
_TESTS = "_test.go"


class GoLayout:
    """Packages of a tree. Several packages in one folder are told apart by what their files declare.

    A file of tests sees the files of tests beside it; nobody else does. `package main` beside another package is a
    program of its own (a generator) and no part of what is imported. A tree without go.mod is read as one below
    GOPATH: the longest end of an import path that is a folder.
    """

    def __init__(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> None:
        self._packages = packages
        self._folders: dict[str, list[str]] = defaultdict(list)
        for path in packages:
            self._folders[path.rpartition("/")[0]].append(path)
        for files in self._folders.values():
            files.sort()
        self._modules: dict[str, str] = {}
        self._roots: list[tuple[str, str]] = []
        self._replaced: dict[str, dict[str, str]] = {}
        self._read_modules(sorted(path for path in paths if path == "go.mod" or path.endswith("/go.mod")), read)
        self._vendors = sorted(
            {f"{path.partition('/vendor/')[0]}/vendor" for path in packages if "/vendor/" in path}
            | {"vendor" for path in packages if path.startswith("vendor/")}
        )
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}
        self._taken: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._module: dict[str, str | None] = {}

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        folder = path.rpartition("/")[0]
        inside = path.endswith(_TESTS)
        root = self._module_of(folder)
        key = spec, folder if root is None or self._vendors or spec[:1] == "." else root
        places = self._found.get(key)
        if places is None:
            places = self._found[key] = tuple(
                place for place in self._places(spec, folder, root) if place in self._folders
            )
        for place in places:
            files = self._package(place, beside=inside and place == folder)
            if files:
                return files
        return ()

    def visible(self, path: str) -> tuple[str, ...]:
        package = self._packages.get(path)
        tests = path.endswith(_TESTS)
        return tuple(
            other
            for other in self._folders.get(path.rpartition("/")[0], ())
            if other != path and self._packages[other] == package and (tests or not other.endswith(_TESTS))
        )

    def _read_modules(self, files: list[str], read: ReadTexts) -> None:
        for path, source in sorted(read(files).items()) if files else ():
            text = source.decode("utf-8", "replace")
            folder = path.rpartition("/")[0]
            named = _MODULE.search(text)
            if named:
                self._modules.setdefault(named[1], folder)
            self._replaced[folder] = {
                name: posixpath.normpath(posixpath.join(folder, target)).removeprefix(".").removeprefix("/")
                for name, target in _REPLACE.findall(text)
            }
        self._roots = sorted(self._modules.items(), key=lambda module: -len(module[0]))

    def _places(self, spec: str, folder: str, own: str | None) -> list[str]:
        """The folders that an import can mean, the likeliest first."""
        if spec.startswith("."):
            return [posixpath.normpath(posixpath.join(folder, spec))]
        places: list[str] = []
        for name, target in self._replaced.get(own, {}).items() if own is not None else ():
            if spec == name or spec.startswith(name + "/"):
                places.append((target + spec[len(name) :]).lstrip("/"))
        for name, root in self._roots:
            if spec == name or spec.startswith(name + "/"):
                places.append((root + spec[len(name) :]).lstrip("/"))
        if not self._modules and "." in spec.partition("/")[0]:
            parts = spec.split("/")
            places.extend("/".join(parts[start:]) for start in range(1, len(parts)))
            if any(self._packages[file] == parts[-1] for file in self._folders.get("", ())):
                places.append("")
        inside = [vendor for vendor in self._vendors if f"{folder}/".startswith(vendor.removesuffix("vendor"))]
        places.extend(f"{vendor}/{spec}" for vendor in reversed(inside))
        return places

    def _module_of(self, folder: str) -> str | None:
        """The folder of the go.mod that a folder stands below."""
        at, passed = folder, []
        while at not in self._module and at not in self._replaced and at:
            passed.append(at)
            at = at.rpartition("/")[0]
        found = self._module.get(at, at if at in self._replaced else None)
        self._module.update(dict.fromkeys(passed, found))
        return found

    def _package(self, place: str, *, beside: bool) -> tuple[str, ...]:
        """The files of the package of a folder, as a file imports it that stands `beside` them and is a test."""
        known = self._taken.get((place, beside))
        if known is not None:
            return known
        taken = [
            file
            for file in self._folders[place]
            if not file.endswith(_TESTS) or (beside and not self._packages[file].endswith("_test"))
        ]
        if len({self._packages[file] for file in taken}) > 1:
            taken = [file for file in taken if self._packages[file] not in ("main", "documentation", "ignore")]
        self._taken[place, beside] = tuple(taken)
        return tuple(taken)
