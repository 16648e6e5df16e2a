"""Which files a module's name means: relative names, packages of the tree, `imports`, and the paths of tsconfig."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from tidegate.reach.languages.ecma.packages import Package, Packages, read_packages
from tidegate.reach.languages.ecma.tsconfig import Config, read_configs
from tidegate.reach.languages.interface import ReadTexts

_TYPED = (".ts", ".tsx", ".mts", ".cts")
_PLAIN = (".js", ".jsx", ".mjs", ".cjs")
_OTHER = (".vue", ".svelte", ".json", ".d.ts", ".d.mts", ".d.cts")
_SWAPS = {
    ".js": (".ts", ".tsx", ".jsx", ".d.ts"),
    ".jsx": (".tsx", ".ts", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}
_SOURCES = {"dist", "lib", "build", "out", "esm", "cjs", "es", "es6", "umd", "types", "_esm", "_cjs", "_types"}
_CACHE_LIMIT = 100_000


class ScriptLayout:
    """The layout of a tree, for JavaScript and TypeScript alike. `find` remembers what it was asked."""

    def __init__(self, paths: Sequence[str], packages: Packages, configs: Mapping[str, Config]) -> None:
        self.paths = frozenset(paths)
        self.packages = packages
        self.configs = configs
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        """The file that a name means in a file of the tree; () for what is outside or not there."""
        folder = posixpath.dirname(path)
        key = (spec, folder)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > _CACHE_LIMIT:
                self._known.clear()
            known = self._known[key] = self._find(spec, folder)
        return known

    def visible(self, path: str) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: a file sees what it imports."""
        return ()

    def _find(self, spec: str, folder: str) -> tuple[str, ...]:
        spec = spec.partition("?")[0]
        if spec.startswith("."):
            return self.at(posixpath.normpath(posixpath.join(folder, spec)), spec.endswith(("/", ".")) and "." in spec)
        if not spec or ":" in spec.partition("/")[0]:
            return ()
        if spec.startswith("#"):
            package = self.packages.around(folder)
            found = self._first(package, package.internal(spec)) if package is not None else ()
            if found:
                return found
        if spec.startswith("/"):
            return self.at(spec.lstrip("/"))
        config = self._config(folder)
        if config is not None:
            for target in config.targets(spec):
                found = self.at(target)
                if found:
                    return found
        return self._of_package(spec, folder) or self._by_base(spec, config)

    def _by_base(self, spec: str, config: Config | None) -> tuple[str, ...]:
        if config is None or config.base is None:
            return ()
        return self.at(posixpath.normpath(posixpath.join(config.base, spec)))

    def _config(self, folder: str) -> Config | None:
        """The nearest configuration of the compiler above a folder."""
        while True:
            found = self.configs.get(folder)
            if found is not None or not folder:
                return found
            folder = posixpath.dirname(folder)

    # files

    def at(self, place: str, folder: bool = False) -> tuple[str, ...]:
        """The file at a place that is written with or without its suffix, or the index of the folder there."""
        if place.startswith(".."):
            return ()
        place = "" if place == "." else place
        paths = self.paths
        if not folder and place:
            stem, dot, suffix = place.rpartition(".")
            if place in paths:
                return (place,)
            if dot:
                for other in _SWAPS.get("." + suffix, ()):
                    if stem + other in paths:
                        return (stem + other,)
            for suffix in (*_TYPED, *_PLAIN, *_OTHER):
                if place + suffix in paths:
                    return (place + suffix,)
        return self._index(place)

    def _index(self, folder: str) -> tuple[str, ...]:
        package = self.packages.by_folder.get(folder)
        if package is not None:
            found = self._first(package, package.mains)
            if found:
                return found
        start = folder + "/index" if folder else "index"
        for suffix in (*_TYPED, *_PLAIN, *_OTHER):
            if start + suffix in self.paths:
                return (start + suffix,)
        return ()

    def _exact(self, place: str) -> tuple[str, ...]:
        """The file at a place without asking the package there for its entry."""
        stem, _, suffix = place.rpartition(".")
        for other in ("." + suffix, *_SWAPS.get("." + suffix, ())):
            if stem + other in self.paths:
                return (stem + other,)
        for end in ("", "/index"):
            for other in (*_TYPED, *_PLAIN):
                if place + end + other in self.paths:
                    return (place + end + other,)
        return ()

    # packages

    def _of_package(self, spec: str, folder: str) -> tuple[str, ...]:
        parts = spec.split("/")
        count = 2 if spec.startswith("@") else 1
        name, rest = "/".join(parts[:count]), "/".join(parts[count:])
        package = self.packages.named(name, folder)
        if package is None:
            return ()
        found = self._first(package, package.exported(rest))
        if found or package.closed:
            return found
        start = package.folder + "/" if package.folder else ""
        if rest:
            return (
                self._exact(f"{start}{rest}") or self._exact(f"{start}src/{rest}") or self._exact(f"{start}lib/{rest}")
            )
        for place in ("src/index", "index", "src/main", "lib/index", f"src/{parts[count - 1]}"):
            found = self._exact(start + place)
            if found:
                return found
        return ()

    def _first(self, package: Package, targets: Sequence[str]) -> tuple[str, ...]:
        """The first target that is in the tree; a built file means the source that it is built from."""
        for target in targets:
            place = posixpath.normpath(posixpath.join(package.folder, target))
            found = () if place.startswith("..") else self._exact(place)
            if found and not found[0].endswith((".d.ts", ".d.mts", ".d.cts")):
                return found
        for target in targets:
            for guess in _sources(posixpath.normpath(target)):
                found = self._exact(posixpath.normpath(posixpath.join(package.folder, guess)))
                if found:
                    return found
        return ()


def _sources(target: str) -> list[str]:
    """Where the source of a built file may be: `dist/esm/a.js` is `src/a`, `source/a` or `a`."""
    parts = target.split("/")
    kept = list(parts)
    while len(kept) > 1 and kept[0] in _SOURCES:
        kept.pop(0)
    name = kept[-1]
    for suffix in (".d.ts", ".d.mts", ".d.cts", ".min.js"):
        name = name.removesuffix(suffix)
    stem, dot, suffix = name.rpartition(".")
    kept[-1] = stem if dot and "." + suffix in (*_PLAIN, *_TYPED) else name
    rest = "/".join(kept)
    return [f"src/{rest}", f"source/{rest}", f"lib/{rest}", rest]


def read_script_layout(paths: Sequence[str], read: ReadTexts) -> ScriptLayout:
    """Reads what the tree says about its own packages and compilers, in two rounds of files at most."""
    kept = [path for path in paths if "node_modules/" not in path]
    return ScriptLayout(kept, read_packages(kept, read), read_configs(kept, read))
