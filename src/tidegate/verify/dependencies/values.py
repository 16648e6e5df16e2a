"""What manifests and locks say, in one form for every ecosystem."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

Ecosystem: TypeAlias = Literal["pypi", "npm", "golang", "cargo", "maven", "gem", "composer"]
"""The types of package URLs (purl)."""

MOST_NAMES = 200_000
"""A lock of 20 MB has fewer."""


class Requirement(Struct, frozen=True):
    """A package that a manifest asks for.

    `name` is as the ecosystem compares it, `written` as it stands there, `spec` the versions that will do ("" for
    any). `source` is empty for the registry, else an address or a path, `workspace` for a part of the same repository,
    `alias` for another name of a package that is asked for beside it. `hashed` says that it names its content,
    `builds` that only the building of the project needs it, `optional` that its user chooses it.
    """

    name: str
    spec: str = ""
    line: int = 0
    development: bool = False
    source: str = ""
    hashed: bool = False
    written: str = ""
    builds: bool = False
    optional: bool = False


class Package(Struct, frozen=True):
    """A package that a lock holds. `source` is where it is fetched from, as the lock writes it; "" for the registry.

    `hashed`: the lock holds a digest of its content. `script`: it runs a program when it is installed. `digest` is that
    of the one archive there is, where the form has one; `fetched` is the package whose archive of the public registry
    it is.
    """

    name: str
    version: str
    hashed: bool = False
    source: str = ""
    licence: str = ""
    script: bool = False
    needs: tuple[str, ...] = ()
    own: bool = False
    digest: str = ""
    fetched: str = ""


class Listing(Struct, frozen=True):
    """What one file says. `names` are those that the project calls itself; `indexes` other registries with lines.

    `scripts` are programs that run when the project is installed; `options` are names that are there without being
    asked for (tools, plug-ins, engines). `manager` is the tool that the project says it is installed by.
    """

    ecosystem: Ecosystem
    asked: tuple[Requirement, ...] = ()
    held: tuple[Package, ...] = ()
    names: tuple[str, ...] = ()
    indexes: tuple[tuple[str, int], ...] = ()
    scripts: tuple[tuple[str, int], ...] = ()
    options: tuple[str, ...] = ()
    manager: str = ""


class UnreadableError(ValueError):
    """A manifest that cannot be read. The text says why and stands alone."""


Reader: TypeAlias = Callable[[str], Listing]
"""A text as a listing. Raises UnreadableError."""


def normal_name(ecosystem: Ecosystem, name: str) -> str:
    """A name as its ecosystem compares it (PEP 503 for PyPI)."""
    name = name.strip()
    if ecosystem == "pypi":
        return re.sub(r"[-_.]+", "-", name).lower()
    if ecosystem == "cargo":
        return name.replace("_", "-").lower()
    return name.lower() if ecosystem in ("composer", "npm") else name


class Lines:
    """Where the words of a text stand; made once for a text, asked for each name."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")

    def of(self, *words: str) -> int:
        """The first line that holds one of these words as a whole word, the first word that is found; 0: none."""
        for word in filter(None, words):
            for number, line in enumerate(self._lines, 1):
                at = line.find(word)
                if at >= 0 and _stands_alone(line, at, at + len(word)) and not line.lstrip().startswith(("#", "//")):
                    return number
        return 0


# Private

_INSIDE = re.compile(r"[\w.@/-]")


def _stands_alone(line: str, start: int, end: int) -> bool:
    before = line[start - 1] if start else ""
    after = line[end] if end < len(line) else ""
    return not ((_INSIDE.match(before) and before not in "-/@") or (after and re.match(r"[\w-]", after)))
