"""`requirements*.txt` and `.in` of pip: continued lines, hashes, options, addresses, constraints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.verify.dependencies.manifests.requirement import read_requirement
from tidegate.verify.dependencies.values import Listing, Requirement

_INDEX = re.compile(r"(?:-i|--index-url|--extra-index-url|-f|--find-links)[\s=]+(\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[\s=]+(.*)")
_DEVELOPMENT = re.compile(r"dev|test|doc|lint|typing|ci\b|bench|build|tool", re.IGNORECASE)


def is_requirements(path: str) -> bool:
    """Whether pip reads a file of this path by convention."""
    folder, _, name = path.rpartition("/")
    if not name.endswith((".txt", ".in")):
        return False
    lower = name.lower()
    inside = bool({"requirements", "reqs", "deps"}.intersection(folder.lower().split("/")[-2:]))
    return "requirements" in lower or "constraints" in lower or (inside and "readme" not in lower) or lower == "dev.txt"


def is_for_development(path: str) -> bool:
    return bool(_DEVELOPMENT.search(path))


def read_requirements(text: str) -> Listing:
    """What pip would install, in order. References to other files are not followed: they are read by themselves."""
    asked: list[Requirement] = []
    indexes: list[tuple[str, int]] = []
    for number, line in _joined(text):
        if index := _INDEX.match(line):
            indexes.append((index[1], number))
            continue
        editable = _EDITABLE.match(line)
        if line.startswith("-") and not editable:
            continue
        body = editable[1] if editable else line
        hashed = "--hash" in body
        found = read_requirement(
            re.split(r"\s--(?:hash|config|global|install)", body, maxsplit=1)[0], number, hashed=hashed
        )
        if found is not None:
            asked.append(found)
    return Listing("pypi", tuple(asked), indexes=tuple(indexes))


# Private


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines that count, continued ones as one, each with the number of its first line."""
    parts: list[str] = []
    start = 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = re.sub(r"(^|\s)#(?!egg=).*", "", raw.rstrip("\r")).strip()
        if not parts:
            start = number
        parts.append(line.removesuffix("\\").strip())
        if line.endswith("\\"):
            continue
        joined = " ".join(parts).strip()
        parts = []
        if joined:
            yield start, joined
