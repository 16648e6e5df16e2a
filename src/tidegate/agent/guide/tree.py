"""What the tree of a repository has to answer an instruction with: scripts, targets, files, and what is ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tidegate.agent.guide.commands import LOCKS, targets_of
from tidegate.agent.guide.sources import Found, Sources
from tidegate.agent.guide.tools import Use

if TYPE_CHECKING:
    from tidegate.change.patterns import Patterns

MOST_MANIFESTS = 300


class Tree:
    """Each answer is read once. What cannot be read in full is never a reason to call something missing."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    @cached_property
    def managers_anywhere(self) -> frozenset[str]:
        return frozenset(LOCKS[name] for path in self.sources.paths if (name := path.rpartition("/")[2]) in LOCKS)

    @cached_property
    def scripts(self) -> Mapping[str, Found]:
        """Every script of every package.json; empty where there are too many to be sure, or one cannot be read."""
        if len(self._manifests) > MOST_MANIFESTS:
            return {}
        found: dict[str, Found] = {}
        for path in self._manifests:
            scripts = self.sources.json(path).get("scripts")
            if path in self.sources.unread:
                return {}
            for name in scripts if isinstance(scripts, dict) else ():
                found.setdefault(name, Found(path))
        return found

    @property
    def counted(self) -> int:
        return len(self._manifests)

    @cached_property
    def makefiles(self) -> Mapping[str, Mapping[str, int]]:
        named = [path for path in self.sources.paths if re.search(r"(?:^|/)(?:GNUm|M|m)akefile$|\.mk$", path)][:100]
        self.sources.preload(tuple(named))
        return {path: targets_of(self.sources.text(path), "make") for path in named}

    @cached_property
    def justfiles(self) -> Mapping[str, Mapping[str, int]]:
        named = [path for path in self.sources.paths if re.search(r"(?i)(?:^|/)\.?justfile$|\.just$", path)][:100]
        self.sources.preload(tuple(named))
        return {path: targets_of(self.sources.text(path), "just") for path in named}

    def opaque(self, files: Mapping[str, object]) -> bool:
        """Whether targets may come from what is not read: includes, patterns, variables."""
        hidden = re.compile(
            r"(?m)^(?:-|s)?include\b|^import\b|^mod\b|^[^\t#=\n]*(?:%|\$[({])[^=\n]*:(?!=)|^\.DEFAULT\b|\$\(eval"
        )
        return any(path in self.sources.unread or hidden.search(self.sources.text(path)) for path in files)

    def defined(self, use: Use) -> Found | None:
        tool, _, name = use.key.partition(" ")
        if tool in ("script", "bare"):
            return self.scripts.get(name)
        files = self.makefiles if tool == "make" else self.justfiles if tool == "just" else {}
        return next((Found(path, targets[name]) for path, targets in files.items() if name in targets), None)

    def says_manager(self, manager: str) -> bool:
        said = self.sources.json("package.json").get("packageManager") if "package.json" in self.sources.paths else ""
        return isinstance(said, str) and said.startswith(f"{manager}@")

    def is_missing(self, path: str) -> bool:
        sources = self.sources
        if path in sources.paths or path in sources.links or path in sources.folders:
            return False
        path = path.rstrip("/")
        if path in sources.folders:
            return False
        folder = path.rpartition("/")[0]
        foreign = (*sources.links, *sources.submodules)
        if folder not in sources.folders or any(f"{folder}/".startswith(f"{one}/") for one in foreign):
            return False
        ending = f"/{path}"
        if any(one.endswith(ending) or f"{ending}/" in f"/{one}" for one in sources.paths):
            return False
        return not (self._ignored.matches(path.encode()) or self._ignored.matches(f"{path}/x".encode()))

    # Private

    @cached_property
    def _manifests(self) -> tuple[str, ...]:
        found = [path for path in self.sources.paths if path.rpartition("/")[2] == "package.json"]
        self.sources.preload(tuple(found[:MOST_MANIFESTS]))
        return tuple(found)

    @cached_property
    def _ignored(self) -> Patterns:
        from tidegate.change.patterns import compile_patterns
        from tidegate.errors import InputError

        lines: list[str] = []
        for file in (path for path in self.sources.paths if path.rpartition("/")[2] == ".gitignore"):
            folder = file.rpartition("/")[0]
            rows = [row.strip() for row in self.sources.text(file).split("\n")]
            own = [row for row in rows if row and not row.startswith(("#", "!"))]
            lines += own if not folder else [f"{folder}/**/{row.lstrip('/')}" for row in own]
            lines += [f"{folder}/{row.lstrip('/')}" for row in own if folder]
        try:
            return compile_patterns(lines[:2000])
        except InputError:
            return compile_patterns(["*"])  # in doubt everything is ignored, and nothing is called missing
