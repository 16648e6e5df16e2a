"""Which services the changed lines of a shared file speak of: compose has a block for each, manifests have a document.

Read by indentation alone: nothing is parsed, and where the lines stand outside all blocks every service is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tidegate.change.values import FileChange

_KEY = re.compile(r"^(\s*)([\"']?)([\w.-]+)\2\s*:(?:\s|$)")
_NAME = re.compile(r"^  name:\s*[\"']?([\w.-]+)")
_MOST_LINES = 50_000


def touched_services(file: FileChange, content: bytes) -> frozenset[str] | None:
    """The names of the services whose blocks the change touches in `content`, its new text.

    None where it touches something else too, or where the file has no blocks: then all that it sets up is meant. A
    template of Helm is taken to be of the service after which it is called.
    """
    if not file.lines_known or not file.hunks or not file.path.endswith((b".yml", b".yaml")):
        return None
    folders, _, name = file.path.decode("utf-8", "replace").rpartition("/")
    if folders.endswith("templates"):
        return frozenset((name.rpartition(".")[0],))
    lines = content.decode("utf-8", "replace").split("\n")
    if len(lines) > _MOST_LINES:
        return None
    owners = _compose(lines) if any(line.startswith("services:") for line in lines) else _documents(lines)
    touched = {owners[number] for number in _numbers(file, lines) if number < len(owners)}
    return None if not touched or "" in touched else frozenset(touched)


# Private


def _numbers(file: FileChange, lines: Sequence[str]) -> Iterable[int]:
    """The changed lines that say something, from 0; where lines were only taken away, the one before them."""
    for hunk in file.hunks:
        if not hunk.new_count:
            yield max(0, hunk.new_start - 1)
        for number in range(hunk.new_start - 1, hunk.new_start - 1 + hunk.new_count):
            if number < len(lines) and lines[number].strip() and not lines[number].lstrip().startswith("#"):
                yield number


def _compose(lines: Sequence[str]) -> list[str]:
    """For each line the service in whose block it stands, "" outside."""
    owners, inside, owner, depth = [], False, "", -1
    for line in lines:
        found = _KEY.match(line)
        if found and not found[1]:
            inside, owner, depth = found[3] == "services", "", -1
        elif found and inside and (depth < 0 or len(found[1]) == depth):
            owner, depth = found[3], len(found[1])
        owners.append(owner)
    return owners


def _documents(lines: Sequence[str]) -> list[str]:
    """For each line the name of the object in whose document it stands, "" where it has none."""
    owners: list[str] = []
    name, start, metadata = "", 0, False
    for number, line in enumerate([*lines, "---"]):
        if line.startswith("---"):
            owners += [name] * (number - start)
            name, start, metadata = "", number, False
        elif line[:1].strip():
            metadata = line.startswith("metadata:")
        elif metadata and not name and (found := _NAME.match(line)):
            name = found[1]
    return owners
