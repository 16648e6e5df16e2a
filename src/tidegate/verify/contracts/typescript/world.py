"""One side of a change as an npm package sees it: its entry files, and the names that they give."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from tidegate.change.trees import Tree
from tidegate.verify.contracts.typescript.model import Export, Module, read_module
from tidegate.verify.contracts.values import Unreadable, shown

MOST_MODULES = 500
DEEPEST = 40
SOURCES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs")


class Names(Struct):
    """The names that an entry gives. `open` if others may come from where none can see; `read` are the files asked."""

    exports: dict[str, Export]
    open: bool
    read: frozenset[str]


class World:
    """Reads the modules of a tree, each once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.paths = frozenset(tree.paths())
        self._modules: dict[str, Module] = {}

    def package(self, folder: str) -> dict[str, Any] | None:
        """The package.json of a folder, if it is published."""
        path = f"{folder}/package.json" if folder else "package.json"
        content = self._tree.read([path]).get(path, b"") if path in self.paths else b""
        try:
            found = json.loads(content) if 0 < len(content) < 1_000_000 else None
        except (ValueError, RecursionError):
            return None
        published = isinstance(found, dict) and found.get("name") and not found.get("private")
        return found if published else None

    def entries(self, folder: str, package: dict[str, Any]) -> dict[str, str]:
        """The source file of each entry (`.`, `./sub`), where it can be found."""
        found: dict[str, str] = {}
        for name, target in _targets(package):
            if "*" not in target and name not in found:
                path = self._source(folder, target)
                if path:
                    found[name] = path
        return found

    def names(self, path: str) -> Names:
        """What a module gives, what it passes on among it."""
        read: set[str] = set()
        exports, is_open = self._names(path, read, 0)
        return Names(exports, is_open, frozenset(read))

    # Private

    def _names(self, path: str, read: set[str], depth: int) -> tuple[dict[str, Export], bool]:
        if path in read and depth:
            return {}, False
        read.add(path)
        module = self._module(path)
        if module is None or depth > DEEPEST or len(read) > MOST_MODULES:
            return {}, True
        exports: dict[str, Export] = {}
        is_open = module.open
        for star in module.stars:
            target = self._resolve(path, star)
            if not target:
                is_open = True
                continue
            inner, hidden = self._names(target, read, depth + 1)
            exports = {**{name: one for name, one in inner.items() if name != "default"}, **exports}
            is_open |= hidden
        for name, export in module.exports.items():
            exports[name] = self._follow(path, export, read, 0)
        return exports, is_open

    def _follow(self, path: str, export: Export, read: set[str], depth: int) -> Export:
        """The declaration behind a name that is passed on; the name itself where it leads out of the package."""
        if not export.source or export.name == "*" or depth > DEEPEST:
            return export
        target = self._resolve(path, export.source)
        if not target:
            return export
        read.add(target)
        module = self._module(target)
        if module is None:
            return export
        found = module.exports.get(export.name)
        if found is not None:
            return self._follow(target, found, read, depth + 1)
        for star in module.stars:
            further = self._resolve(target, star)
            if further and depth < DEEPEST:
                answer = self._given(further, export.name, read, depth + 1)
                if answer is not None:
                    return answer
        return export

    def _given(self, path: str, name: str, read: set[str], depth: int) -> Export | None:
        read.add(path)
        module = self._module(path)
        found = module.exports.get(name) if module is not None else None
        return self._follow(path, found, read, depth + 1) if found is not None else None

    def _module(self, path: str) -> Module | None:
        if path not in self._modules:
            content = self._tree.read([path]).get(path)
            try:
                self._modules[path] = read_module(shown(path), content) if content is not None else Module(open=True)
            except Unreadable:
                self._modules[path] = Module(open=True)
        return self._modules[path]

    def _resolve(self, path: str, source: str) -> str:
        """The file that a relative import means; "" for another package, or where there is none."""
        if not source.startswith("."):
            return ""
        parts = path.split("/")[:-1]
        for part in source.split("/"):
            if part == ".." and parts:
                parts.pop()
            elif part not in (".", "..", ""):
                parts.append(part)
        return self._file("/".join(parts))

    def _file(self, base: str) -> str:
        bare = re.sub(r"(\.d)?\.([mc]?[jt]sx?)$", "", base)
        tried = [base, *(f"{bare}{ending}" for ending in SOURCES), f"{bare}.d.ts", f"{bare}.d.mts"]
        tried += [f"{base}{ending}" for ending in SOURCES] + [f"{base}/index{ending}" for ending in SOURCES]
        return next((path for path in tried if path in self.paths and path.endswith(SOURCES)), "")

    def _source(self, folder: str, target: str) -> str:
        """The source that an entry is built from: beside it, or below `src` instead of the folder of what is built."""
        begin = f"{folder}/" if folder else ""
        inner = re.sub(r"^(\./)+", "", target)
        _, _, below = inner.partition("/")
        _, _, deeper = below.partition("/")
        tried = [inner, *(f"src/{rest}" for rest in (below, deeper, inner) if rest)]
        if inner.rpartition("/")[2].partition(".")[0] in ("index", "main", "mod"):
            tried += ["src/index", "src/main", "index", "lib/index"]
        return next((path for path in (self._file(begin + one) for one in tried) if path), "")


# Private


def _targets(package: dict[str, Any]) -> Iterator[tuple[str, str]]:
    exports = package.get("exports")
    named = isinstance(exports, dict) and any(str(key).startswith(".") for key in exports)
    entries = exports.items() if named and isinstance(exports, dict) else [(".", exports)]
    for name, value in entries:
        yield from ((str(name), leaf) for leaf in _leaves(value, 0))
    if not exports:
        for key in ("types", "typings", "module", "main"):
            if isinstance(package.get(key), str):
                yield ".", package[key]


def _leaves(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if value.endswith((*SOURCES, ".cjs")):
            yield value
    elif isinstance(value, dict | list) and depth < DEEPEST:
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one, depth + 1)
