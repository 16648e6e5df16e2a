"""Where the packages of Java and Kotlin lie in a tree: one package holds files of both, in any number of source roots.

A reader knows the packages that its own language's files declare. Those of the other language follow from their folder:
from a file beside them, from the source roots that the known files show (a folder without its package), from the
customary roots (`src/main/java`), and where none of these tells, from one file of the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tidegate.reach.languages.interface import ReadTexts

_SUFFIXES = (".java", ".kt", ".kts")
_ROOT = re.compile(r"^(?:.*/)?src/[^/]+/(?:java|kotlin)(?:/|$)")
_PACKAGE = re.compile(rb"^[ \t]*package[ \t]+([\w.`]+)", re.MULTILINE)


class JvmLayout:
    """The files of each package. What a test source set declares is seen by tests only."""

    def __init__(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> None:
        self._package: dict[str, str] = {path: name for path, name in packages.items() if not path.endswith(".kts")}
        self._derive([path for path in paths if path.endswith(_SUFFIXES[:2]) and path not in packages], read)
        self._files: dict[str, list[str]] = {}
        for path, name in sorted(self._package.items()):
            self._files.setdefault(name, []).append(path)
        self._tests: dict[str, bool] = {}

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        """The files of a package; a name that ends with a type written small means the file of that type."""
        files = self._files.get(spec)
        if files is not None:
            return tuple(self._seen(files, path))
        package, _, name = spec.rpartition(".")
        files = [file for file in self._files.get(package, ()) if _stem(file) == name]
        return tuple(self._seen(files, path))

    def visible(self, path: str) -> tuple[str, ...]:
        """The other files of the package; of the nameless package, those of the same folder."""
        name = self._package.get(path)
        if name is None:
            return ()
        files = self._files[name]
        if not name:
            folder = path.rpartition("/")[0]
            files = [file for file in files if file.rpartition("/")[0] == folder]
        return tuple(file for file in self._seen(files, path) if file != path)

    def _seen(self, files: list[str], path: str) -> list[str]:
        if self._is_test(path):
            return files
        return [file for file in files if not self._is_test(file)]

    def _is_test(self, path: str) -> bool:
        folder = path.rpartition("/")[0]
        known = self._tests.get(folder)
        if known is None:
            known = self._tests[folder] = _is_test_folder(folder)
        return known

    def _derive(self, others: list[str], read: ReadTexts) -> None:
        """The packages of the other language's files, by their folders."""
        if not others:
            return
        beside: dict[str, str] = {}
        roots: set[str] = set()
        for path, name in self._package.items():
            folder = path.rpartition("/")[0]
            if folder in beside:
                continue
            beside[folder] = name
            inner = name.replace(".", "/")
            if folder == inner or (inner and folder.endswith("/" + inner)):
                roots.add(folder[: len(folder) - len(inner)].rstrip("/"))
        known = set(self._package.values())
        unclear: dict[str, list[str]] = {}
        folders: dict[str, str | None] = {}
        for path in others:
            folder = path.rpartition("/")[0]
            if folder not in folders:
                folders[folder] = beside.get(folder, _by_root(folder, roots, known))
            package = folders[folder]
            if package is None:
                unclear.setdefault(folder, []).append(path)
            else:
                self._package[path] = package
        self._read_packages(unclear, read)

    def _read_packages(self, unclear: Mapping[str, list[str]], read: ReadTexts) -> None:
        if not unclear:
            return
        contents = read([min(paths) for paths in unclear.values()])
        for paths in unclear.values():
            match = _PACKAGE.search(contents.get(min(paths), b"")[:20_000])
            name = match[1].decode("utf-8", "replace").replace("`", "") if match else ""
            for path in paths:
                self._package[path] = name


def _by_root(folder: str, roots: set[str], known: set[str]) -> str | None:
    """The package of a folder below a source root; None where a root is unknown, or may leave out a prefix (Kotlin)."""
    at = folder
    while at not in roots and at:
        at = at.rpartition("/")[0]
    if at in roots:
        inner = folder[len(at) :].strip("/")
    else:
        match = _ROOT.match(folder + "/")
        if match is None:
            return None
        inner = folder[match.end() :].strip("/")
    name = inner.replace("/", ".")
    return name if name in known or not _leaves_out(folder, name) else None


def _leaves_out(folder: str, name: str) -> bool:
    """Whether a Kotlin root may leave out what all its packages begin with."""
    return "/kotlin" in "/" + folder or not name


def _is_test_folder(folder: str) -> bool:
    parts = folder.split("/")
    if "src" in parts[:-1]:
        return "test" in parts[parts.index("src") + 1].lower()
    return parts[0] in ("test", "tests")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
