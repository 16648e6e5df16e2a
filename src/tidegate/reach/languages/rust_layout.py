"""Where Rust's paths lead: crates by Cargo.toml, modules by the names of files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidegate.errors import InputError
from tidegate.reach.languages.interface import ReadTexts
from tidegate.settings import read_toml

_ROOTS = frozenset(["lib.rs", "main.rs"])
_OWN_CRATES = ("tests", "examples", "benches", "src/bin")


class RustLayout:
    """Packages are folders with a Cargo.toml that names one. `crate` is the library and the program of a package; each
    file of `tests`, `examples`, `benches` and `src/bin` is a crate of its own.
    """

    def __init__(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> None:
        self._files = packages
        self._libraries: dict[str, tuple[str, ...]] = {}
        self._renamed: dict[str, dict[str, str]] = {}
        self._folders: dict[str, tuple[str, ...]] = {}
        self._roots: set[str] = set()
        self._folder_of: dict[str, str] = {}
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}
        manifests = sorted(path for path in paths if path == "Cargo.toml" or path.endswith("/Cargo.toml"))
        for path, source in sorted(read(manifests).items()) if manifests else ():
            self._read_manifest(path.rpartition("/")[0], source)

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        key = spec, path
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._find(spec, path)
        return found

    def visible(self, path: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def _read_manifest(self, folder: str, source: bytes) -> None:
        try:
            manifest = read_toml(source.decode("utf-8", "replace").encode(), "Cargo.toml")
        except InputError:
            manifest = {}
        package = _table(manifest, "package")
        if not package and manifest:
            return
        library = _table(manifest, "lib")
        declared = [str(library["path"])] if isinstance(library.get("path"), str) else ["src/lib.rs"]
        programs = manifest.get("bin")
        listed = [program for program in programs if isinstance(program, dict)] if isinstance(programs, list) else []
        declared.extend(program["path"] for program in listed if isinstance(program.get("path"), str))
        roots = [_join(folder, part) for part in dict.fromkeys([*declared, "src/main.rs"])]
        self._folders[folder] = tuple(root for root in roots if root in self._files)
        self._roots.update(self._folders[folder])
        name = library.get("name") or package.get("name") or folder.rpartition("/")[2]
        crate = str(name).replace("-", "_")
        self._libraries.setdefault(crate, self._folders[folder][:1])
        self._renamed[folder] = dict(self._dependencies(folder, manifest))

    def _dependencies(self, folder: str, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Dependencies under a name that is not their package's, and those that a path leads to."""
        for table in ("dependencies", "dev-dependencies", "build-dependencies"):
            for name, value in _table(manifest, table).items():
                if isinstance(value, dict) and isinstance(value.get("path"), str):
                    yield name.replace("-", "_"), "/" + _join(folder, value["path"])
                elif isinstance(value, dict) and isinstance(value.get("package"), str):
                    yield name.replace("-", "_"), value["package"].replace("-", "_")

    def _find(self, spec: str, path: str) -> tuple[str, ...]:
        if spec.startswith("./"):
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), spec))
            return (place,) if place in self._files else ()
        names = spec.split("::")
        if names[0] == "crate":
            return self._crate(path)
        if names[0] == "self":
            return self._child(path, names[1:]) if len(names) > 1 else (path,)
        if names[0] == "super":
            return self._parent(path, len(names))
        return self._library(names[0], path)

    def _package(self, path: str) -> str | None:
        """The folder of the package that a file belongs to."""
        folder = path.rpartition("/")[0]
        known = self._folder_of.get(folder)
        if known is not None:
            return known
        at = folder
        while at not in self._folders:
            if not at:
                return None
            at = at.rpartition("/")[0]
        self._folder_of[folder] = at
        return at

    def _crate(self, path: str) -> tuple[str, ...]:
        package = self._package(path)
        inside = path.removeprefix(f"{package}/") if package else path
        for own in _OWN_CRATES:
            if inside.startswith(own + "/"):
                return self._own_crate(path, package or "", own)
        if inside == "build.rs":
            return (path,)
        if package is not None:
            return self._folders[package]
        return tuple(root for root in ("src/lib.rs", "src/main.rs", "lib.rs") if root in self._files)

    def _own_crate(self, path: str, package: str, own: str) -> tuple[str, ...]:
        """`tests/a.rs` and `tests/a/main.rs` are crates; what stands deeper is a module of the latter."""
        base = _join(package, own)
        rest = path.removeprefix(base + "/")
        if "/" not in rest:
            return (path,)
        main = f"{base}/{rest.partition('/')[0]}/main.rs"
        return (main,) if main in self._files else (path,)

    def _is_root(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return name in _ROOTS or name == "mod.rs" or path in self._roots or self._crate(path) == (path,)

    def _child(self, path: str, names: Sequence[str]) -> tuple[str, ...]:
        folder = path.rpartition("/")[0] if self._is_root(path) else path.removesuffix(".rs")
        place = _join(folder, "/".join(names))
        return tuple(file for file in (f"{place}.rs", f"{place}/mod.rs") if file in self._files)[:1]

    def _parent(self, path: str, steps: int) -> tuple[str, ...]:
        files: tuple[str, ...] = (path,)
        for _ in range(steps):
            files = tuple(dict.fromkeys(above for file in files for above in self._above(file)))
        return files

    def _above(self, path: str) -> tuple[str, ...]:
        folder, _, name = path.rpartition("/")
        if name == "mod.rs":
            folder = folder.rpartition("/")[0]
        beside = tuple(
            file
            for base in ("mod.rs", "lib.rs", "main.rs")
            if (file := _join(folder, base)) in self._files and file != path
        )
        if beside:
            return beside
        above = f"{folder}.rs"
        return (above,) if above in self._files else self._crate(path)

    def _library(self, crate: str, path: str) -> tuple[str, ...]:
        package = self._package(path)
        renamed = self._renamed.get(package, {}).get(crate) if package is not None else None
        if renamed is not None and renamed.startswith("/"):
            files = self._folders.get(renamed[1:])
            if files:
                return files[:1]
        return self._libraries.get(renamed or crate) or self._libraries.get(crate, ())


def _table(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = manifest.get(name)
    return value if isinstance(value, dict) else {}


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined
