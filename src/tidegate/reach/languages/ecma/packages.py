"""The packages of a tree by their package.json: names, entries, exports, imports and workspaces."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.reach.languages.ecma.comments import decode_object
from tidegate.reach.languages.interface import ReadTexts

_MAINS = ("source", "module", "main", "browser", "types", "typings")
_DEPENDENCIES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
_WORKSPACE_FILES = ("pnpm-workspace.yaml", "lerna.json")
_LEAF_LIMIT = 32


class Package:
    """One package of the tree. Targets are paths in its folder, the likeliest first."""

    __slots__ = ("closed", "exports", "folder", "imports", "mains", "member", "name", "near")

    def __init__(self, folder: str, content: Mapping[str, Any]) -> None:
        name = content.get("name")
        self.folder = folder
        self.name = name if isinstance(name, str) else ""
        self.member = False
        self.exports = _table(content.get("exports"))
        self.imports = _table(content.get("imports"))
        own = [content[key] for key in _MAINS if isinstance(content.get(key), str)]
        self.mains = [*(_match(self.exports, ".")), *own]
        self.closed = False
        self.near: dict[str, str] = {}
        for key in _DEPENDENCIES:
            listed = content.get(key)
            for other, version in listed.items() if isinstance(listed, dict) else ():
                if isinstance(version, str) and version.startswith(("file:", "link:", "portal:")):
                    self.near[other] = posixpath.normpath(posixpath.join(folder, version.partition(":")[2]))

    def exported(self, rest: str) -> list[str]:
        """Where `name/rest` may be."""
        return _match(self.exports, "./" + rest) if rest else self.mains

    def internal(self, spec: str) -> list[str]:
        """Where `#name` may be."""
        return _match(self.imports, spec)


class Packages:
    """All packages of a tree."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self.by_folder = {package.folder: package for package in packages}
        self.by_name: dict[str, list[Package]] = {}
        for package in packages:
            if package.name:
                self.by_name.setdefault(package.name, []).append(package)
        for found in self.by_name.values():
            found.sort(key=lambda package: (not package.member, package.folder.count("/"), package.folder))

    def around(self, folder: str) -> Package | None:
        """The package that a folder belongs to."""
        while True:
            found = self.by_folder.get(folder)
            if found is not None or not folder:
                return found
            folder = posixpath.dirname(folder)

    def named(self, name: str, folder: str) -> Package | None:
        """The package of a name as a folder sees it: the own one, one that it depends on by path, then any."""
        own = self.around(folder)
        if own is not None:
            if own.name == name:
                return own
            near = own.near.get(name)
            if near is not None and near in self.by_folder:
                return self.by_folder[near]
        found = self.by_name.get(name)
        return found[0] if found else None


def read_packages(paths: Sequence[str], read: ReadTexts) -> Packages:
    """Reads every package.json of a tree. One that is broken is a package without a name."""
    wanted = [path for path in paths if path.endswith("package.json") and path.rpartition("/")[2] == "package.json"]
    listed = [path for path in paths if path.rpartition("/")[2] in _WORKSPACE_FILES]
    texts = read([*wanted, *listed]) if wanted else {}
    contents = {path: decode_object(texts[path]) for path in wanted if path in texts}
    packages = [Package(posixpath.dirname(path), content) for path, content in contents.items()]
    members = [
        pattern
        for path, content in contents.items()
        for pattern in _patterns(posixpath.dirname(path), content.get("workspaces"))
    ]
    for path in listed:
        if path in texts:
            members.extend(_patterns(posixpath.dirname(path), _listed_members(path, texts[path])))
    if members:
        import re2  # what a stranger writes must not take a power of time

        inside = re2.compile("|".join(f"(?:{_plain(pattern)})" for pattern in members[:200]))
        for package in packages:
            package.member = inside.fullmatch(_plain(package.folder)) is not None
    return Packages(packages)


def _listed_members(path: str, text: bytes) -> object:
    if path.endswith(".json"):
        return decode_object(text).get("packages")
    from tidegate.reach.services.texts import TextError, parse_yaml  # it reads events, so that nothing multiplies

    try:
        documents = parse_yaml(text)
    except TextError:
        return None
    content = documents[0] if documents else None
    return content.get("packages") if isinstance(content, dict) else None


def _plain(text: str) -> str:
    """The text without halves of surrogate pairs, which RE2 does not take."""
    return text.encode("utf-8", "replace").decode()


def _patterns(folder: str, members: object) -> list[str]:
    """Regular expressions of the folders of a workspace."""
    if isinstance(members, dict):
        members = members.get("packages")
    found: list[str] = []
    for member in members if isinstance(members, list) else ():
        if isinstance(member, str) and not member.startswith("!") and len(member) < 200:
            place = posixpath.normpath(posixpath.join(folder, member.rstrip("/")))
            text = re.escape(place).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
            found.append(re.sub(r"(?:\.\*/?)+", ".*", text))
    return found


def _table(written: object) -> dict[str, list[str]]:
    """`exports` or `imports` as a table from names to targets, whichever conditions lead there."""
    if isinstance(written, str | list):
        return {".": _targets(written)}
    if not isinstance(written, dict):
        return {}
    if any(isinstance(key, str) and key[:1] in (".", "#") for key in written):
        return {key: _targets(value) for key, value in written.items() if isinstance(key, str)}
    return {".": _targets(written)}


def _targets(written: object) -> list[str]:
    found: list[str] = []
    stack = [written]
    while stack and len(found) < _LEAF_LIMIT:
        one = stack.pop()
        if isinstance(one, str):
            if one not in found:
                found.append(one)
        elif isinstance(one, list):
            stack.extend(reversed(one))
        elif isinstance(one, dict):
            order = sorted(one.items(), key=lambda item: item[0] in ("types", "typings", "require", "default"))
            stack.extend(value for _, value in reversed(order))
    return found


def _match(table: Mapping[str, list[str]], name: str) -> list[str]:
    """The targets of a name: its own entry, or the longest pattern with a star that fits."""
    exact = table.get(name)
    if exact is not None:
        return exact
    for suffix in (".js", ".mjs", ".cjs", ".ts"):
        exact = table.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if exact is not None:
            return exact
    best, found = "", list[str]()
    for key, targets in table.items():
        before, star, after = key.partition("*")
        if star and len(before) >= len(best) and name.startswith(before) and name.endswith(after):
            if len(name) >= len(before) + len(after):
                middle = name[len(before) : len(name) - len(after)]
                best, found = before, [target.replace("*", middle) for target in targets]
        elif not star and key.endswith("/") and name.startswith(key) and len(key) > len(best):
            best, found = key, [target + name[len(key) :] for target in targets]
    return found
