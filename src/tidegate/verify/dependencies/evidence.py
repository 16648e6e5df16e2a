"""What vouches for a new name: a lock that holds its digest, an installation at hand, the organisation's list."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from tidegate.change.trees import Tree
from tidegate.facts import DependencyEvidence
from tidegate.settings import DependencySettings
from tidegate.verify.dependencies.compare import Delta, counts, folder_of, folders_up, read_listings
from tidegate.verify.dependencies.manifests.registry import ecosystem_of, is_lock
from tidegate.verify.dependencies.manifests.requirements_txt import is_requirements
from tidegate.verify.dependencies.values import Ecosystem, Listing, Package, normal_name

_TOOLS = {
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "yarn.lock": "yarn",
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}
"""Whose lock it is, where one folder may hold those of several."""


class Locks(Struct, frozen=True):
    """The locks at the head that stand for manifests, by path, and those that could not be read.

    `managers`: the tool that `packageManager` names, by the folder of its `package.json`.
    """

    listings: Mapping[str, Listing]
    unread: Mapping[str, str]
    managers: Mapping[str, str]

    def beside(self, path: str, ecosystem: Ecosystem) -> tuple[tuple[str, Listing], ...]:
        """The locks that hold what a manifest asks for: those of the nearest folder that has any.

        Of several tools' locks in one folder that of the tool which `packageManager` names; all where it names none.
        """
        for folder in folders_up(path):
            found = [
                (name, one)
                for name, one in self.listings.items()
                if one.ecosystem == ecosystem and folder_of(name) == folder and is_lock(name)
            ]
            if found:
                named = [each for each in found if tool_of(each[0]) == self.managers.get(folder)]
                return tuple(named or found)
        return ()

    def governs(self, lock: str, path: str, names: Iterable[str]) -> bool:
        """Whether a lock is made for this manifest: it lies beside it, or the lock names its project or its folder."""
        folder = folder_of(lock)
        if folder == folder_of(path):
            return True
        listing = self.listings[lock]
        inner = folder_of(path)[len(folder) :].strip("/")
        own = {one.name for one in listing.held if one.own}
        return inner in listing.names or any(name in own for name in names)

    def hashed(self, path: str, ecosystem: Ecosystem, name: str) -> bool:
        """Whether a lock for this manifest, or a file of requirements in its folder, holds the name with a digest.

        Where nothing says which tool's lock counts, each of them must.
        """
        held: dict[str, bool] = {}
        for where, lock in self.beside(path, ecosystem):
            holds = any(one.name == name and one.hashed for one in lock.held)
            held[tool_of(where)] = held.get(tool_of(where), False) or holds
        if held and all(held.values()):
            return True
        return any(
            one.name == name and one.hashed
            for other, listing in self.listings.items()
            if not is_lock(other) and listing.ecosystem == ecosystem and _near(other, path)
            for one in listing.asked
        )


def read_locks(tree: Tree, wanted: Iterable[tuple[str, Ecosystem]]) -> Locks:
    """The locks that stand for these manifests: in their folders and in those above."""
    places = {(folder, ecosystem) for path, ecosystem in wanted for folder in folders_up(path)}
    paths = [
        path
        for path in tree.paths()
        if counts(path) and (is_lock(path) or is_requirements(path)) and (_owner(path), ecosystem_of(path)) in places
    ]
    read = read_listings(tree, paths)
    unread = {path: why for path, why in read.unread.items() if is_lock(path)}
    return Locks(read.listings, unread, _managers(tree, paths))


def tool_of(lock: str) -> str:
    """The tool that writes a lock; "" where its ecosystem has one kind of lock, or any of them may count."""
    return _TOOLS.get(lock.rpartition("/")[2], "")


def evidence_for(delta: Delta, locks: Locks, settings: DependencySettings, root: Path | None) -> DependencyEvidence:
    """The best evidence for the name of a requirement at the head. Nothing is looked up outside this machine."""
    after = delta.after
    if after is None or after.source in ("workspace", "alias"):
        return "allowed"
    ecosystem = delta.file.ecosystem
    if after.hashed or locks.hashed(delta.file.path, ecosystem, after.name):
        return "locked"
    if is_allowed(ecosystem, after.name, settings):
        return "allowed"
    return "installed" if not after.source and _is_installed(ecosystem, after.name, root) else "unknown"


def is_allowed(ecosystem: Ecosystem, name: str, settings: DependencySettings) -> bool:
    return matches(ecosystem, name, settings.allow) and not matches(ecosystem, name, settings.deny)


def matches(ecosystem: Ecosystem, name: str, patterns: Iterable[str]) -> bool:
    """Whether one of these patterns names the package; `*` stands for anything."""
    return any(fnmatch.fnmatchcase(name, normal_name(ecosystem, pattern)) for pattern in patterns)


def versions_of(packages: Iterable[Package], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.version for one in packages if one.name == name and one.version))


# Private


def _managers(tree: Tree, paths: Iterable[str]) -> dict[str, str]:
    tools: dict[str, set[str]] = {}
    for path in paths:
        tools.setdefault(folder_of(path), set()).add(tool_of(path))
    several = [folder for folder, found in tools.items() if len(found - {""}) > 1]
    if not several:
        return {}
    wanted = {f"{folder}/package.json".lstrip("/") for folder in several}
    read = read_listings(tree, [path for path in tree.paths() if path in wanted])
    return {folder_of(path): listing.manager for path, listing in read.listings.items() if listing.manager}


def _owner(path: str) -> str:
    """The folder that a file of requirements stands for: `requirements/` stands for the one above it."""
    folder = folder_of(path)
    last = folder.rpartition("/")[2]
    return folder_of(folder) if not is_lock(path) and last in ("requirements", "reqs", "deps") else folder


def _near(requirements: str, manifest: str) -> bool:
    return _owner(requirements) == _owner(manifest)


def _is_installed(ecosystem: Ecosystem, name: str, root: Path | None) -> bool:
    if ecosystem == "pypi":
        import importlib.metadata

        try:
            importlib.metadata.distribution(name)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            return root is not None and _in_environment(root, name)
        return True
    if ecosystem == "npm" and root is not None and ".." not in name:
        return (root / "node_modules" / name / "package.json").is_file()
    return False


def _in_environment(root: Path, name: str) -> bool:
    for folder in (".venv", "venv"):
        for one in (root / folder).glob("lib/python3*/site-packages/*.dist-info"):
            if normal_name("pypi", one.name.rpartition("-")[0].removesuffix(".dist")) == name:
                return True
            if normal_name("pypi", one.name.removesuffix(".dist-info").partition("-")[0]) == name:
                return True
    return False
