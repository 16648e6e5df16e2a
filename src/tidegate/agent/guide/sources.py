"""The files of one revision that guidance is made of, each read once and with a limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.listing import list_tree
from tidegate.errors import InputError

LARGEST_BYTES = 1 << 20
MOST_WORKFLOWS = 60
MANIFESTS = (
    *("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile", "package.json", "pyproject.toml"),
    *("tox.ini", "setup.cfg", "noxfile.py", ".pre-commit-config.yaml", "Cargo.toml", "go.mod", "rustfmt.toml"),
    *(".rustfmt.toml", "ruff.toml", ".ruff.toml", ".editorconfig", ".prettierrc", ".prettierrc.json", ".flake8"),
    *("mypy.ini", "pytest.ini", "setup.py", ".nvmrc", ".node-version", ".python-version", "Taskfile.yml"),
)


class Found(Struct, frozen=True):
    """Where something stands: a file, and a line where one is known."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Sources:
    """The tree of a revision. Texts that are too large, or are not there, read as ""; `unread` names the former."""

    def __init__(self, repository: Repository, revision: str) -> None:
        self.repository = repository
        self.revision = revision
        self.unread: dict[str, str] = {}
        self._texts: dict[str, str] = {}

    @cached_property
    def paths(self) -> Mapping[str, str]:
        """Every regular file of the tree, with its blob."""
        return list_tree(self.repository, self.revision).files if self.revision else {}

    @cached_property
    def links(self) -> frozenset[str]:
        """Symbolic links; what they lead to is not read."""
        return frozenset(list_tree(self.repository, self.revision).links) if self.revision else frozenset()

    @cached_property
    def submodules(self) -> tuple[str, ...]:
        """Folders whose content is that of another repository."""
        return list_tree(self.repository, self.revision).submodules if self.revision else ()

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder of the tree, submodules too."""
        found: set[str] = set(self.submodules)
        for path in (*self.paths, *self.links):
            folder = path.rpartition("/")[0]
            while folder and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    def preload(self, paths: tuple[str, ...]) -> None:
        """Reads these together, by one question."""
        wanted = [path for path in dict.fromkeys(paths) if path in self.paths and path not in self._texts]
        blobs = self.repository.read_blobs([self.paths[path] for path in wanted], LARGEST_BYTES)
        for path, blob in zip(wanted, blobs, strict=True):
            if blob.kind == "too-large":
                self.unread[path] = "larger than 1 MiB"
            self._texts[path] = blob.content.decode("utf-8-sig", "replace") if blob.kind == "blob" else ""

    def text(self, path: str) -> str:
        """The text of a file, "" where it is not there."""
        if path not in self._texts and path in self.paths:
            self.preload((path,))
        return self._texts.get(path, "")

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML file as a table, an empty one where it cannot be read."""
        from tidegate.settings import read_toml

        try:
            return read_toml(self.text(path).encode(), path)
        except InputError as error:
            self.unread[path] = str(error.what)
            return {}

    def json(self, path: str) -> dict[str, Any]:
        """A JSON file as a table, an empty one where it cannot be read."""
        import msgspec

        try:
            value = msgspec.json.decode(self.text(path) or "{}")
        except (msgspec.DecodeError, RecursionError):
            self.unread[path] = "not valid JSON"
            return {}
        return value if isinstance(value, dict) else {}

    def place(self, path: str, pattern: str) -> Found:
        """The first line of a file that a pattern finds, else the file."""
        found = re.search(pattern, self.text(path), re.MULTILINE)
        return Found(path, self.text(path)[: found.start()].count("\n") + 1 if found else 0)

    @cached_property
    def workflows(self) -> tuple[str, ...]:
        """The pipelines' files that are read: GitHub's workflows, GitLab's pipeline."""
        folders = (".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/")
        found = [path for path in self.paths if path.startswith(folders) and path.endswith((".yml", ".yaml"))]
        for path in found[MOST_WORKFLOWS:]:
            self.unread[path] = f"more than {MOST_WORKFLOWS} workflows"
        return (*found[:MOST_WORKFLOWS], *(path for path in (".gitlab-ci.yml",) if path in self.paths))

    def manifests(self, folder: str) -> tuple[str, ...]:
        """The files of this folder that name commands or tools."""
        begins = f"{folder}/" if folder else ""
        return tuple(begins + name for name in MANIFESTS if begins + name in self.paths)


def above(path: str) -> Iterator[str]:
    """The folders around a path, the nearest first, the top ("") last."""
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""
