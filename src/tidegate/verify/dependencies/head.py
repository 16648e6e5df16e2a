"""The tree at the head, asked lazily: most changes need little of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from tidegate.change.trees import Tree
from tidegate.verify.dependencies.compare import counts, folders_up, read_listings
from tidegate.verify.dependencies.imports import javascript_world, python_world
from tidegate.verify.dependencies.manifests.registry import LOCKS, is_lock
from tidegate.verify.dependencies.values import Ecosystem, Listing


class Head:
    """What manifests, locks and files of the head say, each read when it is first asked for."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    @cached_property
    def paths(self) -> tuple[str, ...]:
        return self.tree.paths()

    @cached_property
    def listings(self) -> Mapping[str, Listing]:
        wanted = [path for path in self.paths if counts(path) and not is_lock(path)]
        return read_listings(self.tree, wanted).listings

    @cached_property
    def python_declared(self) -> frozenset[str]:
        return frozenset(asked.name for one in self.listings.values() if one.ecosystem == "pypi" for asked in one.asked)

    @cached_property
    def javascript_asked(self) -> frozenset[str]:
        return frozenset(asked.name for one in self.listings.values() if one.ecosystem == "npm" for asked in one.asked)

    @cached_property
    def own(self) -> frozenset[tuple[Ecosystem, str]]:
        """What the projects of the repository call themselves."""
        return frozenset((one.ecosystem, name) for one in self.listings.values() for name in one.names)

    @cached_property
    def python_own(self) -> frozenset[str]:
        names = [name for one in self.listings.values() if one.ecosystem in ("pypi", "cargo") for name in one.names]
        return python_world.own_modules(self.paths, names)

    @cached_property
    def javascript(self) -> javascript_world.JavascriptWorld:
        return javascript_world.read_javascript_world(self.tree, self.listings, self.paths)

    @cached_property
    def mentions(self) -> bytes:
        """The files by which people install things, joined."""
        wanted = [
            path
            for path in self.paths
            if _MENTIONS.fullmatch(path.rpartition("/")[2]) or path.startswith((".github/workflows/", ".circleci/"))
        ]
        return b"\n".join(content[:300_000] for content in self.tree.read(wanted[:400]).values())

    @cached_property
    def locked(self) -> frozenset[tuple[Ecosystem, str]]:
        wanted = [path for path in self.paths if path.rpartition("/")[2] in LOCKS and counts(path)]
        read = read_listings(self.tree, wanted[:20]).listings
        return frozenset((one.ecosystem, held.name) for one in read.values() for held in one.held)

    @cached_property
    def places(self) -> frozenset[str]:
        return frozenset(self.paths) | {folder for path in self.paths for folder in folders_up(path)}

    def lies_beside(self, path: str, module: str) -> bool:
        """Whether a file, or a folder above it, has a module of this name beside it: it is found when run by itself."""
        return any(
            f"{folder}/{module}{end}".lstrip("/") in self.places for folder in folders_up(path) for end in (".py", "")
        )

    def mentioned(self, name: str) -> bool:
        """Whether such a file names a package as a word."""
        return bool(
            re.search(rb"(?<![\w./-])" + re.escape(name.encode()) + rb"(?![\w-])", self.mentions, re.IGNORECASE)
        )


# Private

_MENTIONS = re.compile(
    r"(?:tox\.ini|noxfile\.py|Makefile|[\w.-]*Dockerfile[\w.-]*|environment[\w.-]*\.ya?ml|meta\.ya?ml|setup\.py|"
    r"setup\.cfg|\.pre-commit-config\.yaml|[\w.-]+\.sh|justfile|tasks\.py|meson\.build|conda[\w.-]*\.ya?ml|"
    r"\.travis\.yml|appveyor\.yml|\.gitlab-ci\.yml|readthedocs\.ya?ml|build\.gradle|CMakeLists\.txt|pixi\.toml|"
    r"hatch\.toml|ruff\.toml|default\.nix|flake\.nix|deps[\w.-]*\.(?:txt|py|json)|dependencies[\w.-]*\.(?:txt|py|json))"
)
