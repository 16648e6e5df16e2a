"""Packages of a repository, which may be services or parts of one: npm, pnpm and yarn workspaces, Cargo, Go commands,
Python projects, Maven and Gradle modules. They are candidates of kind "package"; nothing says that they are deployed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.reach.services.interface import Claim, Provider
from tidegate.reach.services.texts import as_text, dig
from tidegate.reach.services.tree import Tree, folder_of, name_of

# Private

_NAMES = frozenset(("package.json", "Cargo.toml", "pyproject.toml", "go.mod", "pom.xml"))
_GRADLE = frozenset(("build.gradle", "build.gradle.kts"))
_MAIN = re.compile(rb"(?m)^package[ \t]+main\b")
_MODULE = re.compile(r"(?m)^module[ \t]+(\S+)")
_ARTIFACT = re.compile(r"<artifactId>\s*([\w.-]+)\s*</artifactId>")
_PARENT = re.compile(r"<parent>.{0,2000}?</parent>", re.DOTALL)


def _wants(path: str) -> bool:
    name = name_of(path)
    return name in _NAMES or name in _GRADLE or (name == "main.go" and "/cmd/" in f"/{path}")


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    name, folder = name_of(path), folder_of(path)
    found = ""
    if name == "main.go":
        found = name_of(folder) if _MAIN.search(tree.content(path)) else ""
    elif name == "go.mod":
        match = _MODULE.search(tree.text(path))
        found = name_of(match[1]) if match else ""
    elif name == "pom.xml":
        match = _ARTIFACT.search(_PARENT.sub("", tree.text(path), count=1))
        found = match[1] if match else ""
    elif name in _GRADLE:
        found = name_of(folder)
    else:
        for document in tree.documents(path):
            keys = {"package.json": ("name",), "Cargo.toml": ("package", "name")}.get(name, ("project", "name"))
            found = as_text(dig(document, *keys)) or as_text(dig(document, "tool", "poetry", "name"))
    if found:
        yield Claim(
            provider="workspaces",
            role="package",
            source=path,
            name=found.rpartition("/")[2] if found.startswith("@") else found,
            kind="package",
            folder=folder,
            paths=(folder,),
            built=True,
        )


WORKSPACES = Provider("workspaces", _wants, _read)
