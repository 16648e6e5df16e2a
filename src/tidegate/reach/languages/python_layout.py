"""Where Python modules live: source roots are guessed from packages, as `sys.path` is only known when it runs.

A module name means the files whose path ends in it. A name that the importing file's own folder or an ancestor of it
answers (tests folders on `sys.path`) wins over one that is farther away; a package wins over a module of its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property


class PythonLayout:
    """Files of one tree by every dotted ending of their path."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._files = dict.fromkeys(paths)
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        folder = path.rpartition("/")[0]
        key = (spec, folder)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = (
                self._relative(spec, folder) if spec.startswith(".") else self._absolute(spec, folder)
            )
        return found

    def visible(self, path: str) -> tuple[str, ...]:  # noqa: ARG002 every language has one signature
        return ()

    @cached_property
    def _named(self) -> dict[str, list[str]]:
        """The paths by the last part of their stem. Most changes ask for nothing but what is near them."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._files:
            name = path[path.rfind("/") + 1 : path.rfind(".")]
            found[name if name != "__init__" else _stem(path).rpartition("/")[2]].append(path)
        return found

    def _relative(self, spec: str, folder: str) -> tuple[str, ...]:
        name = spec.lstrip(".")
        for _ in range(len(spec) - len(name) - 1):
            if not folder:
                return ()
            folder = folder.rpartition("/")[0]
        return self._file("/".join(part for part in (folder, name.replace(".", "/")) if part))

    def _absolute(self, spec: str, folder: str) -> tuple[str, ...]:
        wanted = spec.replace(".", "/")
        last = wanted.rpartition("/")[2]
        ending = "/" + wanted
        named = map(_stem, self._named.get(last, ()))
        stems = [s for s in named if s == wanted or s.endswith(ending)]
        stems = [s for s in stems if s == wanted or self._is_root(s[: -len(ending)])]
        if not stems:
            return ()
        return self._file(min(stems, key=lambda stem: _distance(stem[: -len(wanted)].rstrip("/"), folder)))

    def _is_root(self, folder: str) -> bool:
        """A source root is no package: with an `__init__` its modules are imported by a longer name."""
        return f"{folder}/__init__.py" not in self._files

    def _file(self, stem: str) -> tuple[str, ...]:
        for name in (f"{stem}/__init__.py", f"{stem}.py", f"{stem}.pyi", f"{stem}/__init__.pyi"):
            if name in self._files:
                return (name,)
        return ()


def _stem(path: str) -> str:
    """The path without suffix; of a package, its folder."""
    return path.rpartition(".")[0].removesuffix("/__init__")


def _distance(root: str, folder: str) -> tuple[int, int, str]:
    """How far a source root is from the file that imports: ancestors of it first, the nearest first."""
    if not root or folder == root or folder.startswith(root + "/"):
        return (0, -len(root), root)
    shared = 0
    for left, right in zip(root.split("/"), folder.split("/"), strict=False):
        if left != right:
            break
        shared += 1
    return (1, -shared, root)
