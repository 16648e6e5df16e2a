"""What each check of a change gives to the section `verification`, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.change.values import Change, FileChange
from tidegate.facts import Finding, Unknown
from tidegate.settings import Settings


class Subject(Struct, frozen=True):
    """A change as a check sees it: what changed, both trees, and the reports that its caller gave.


    `now` is RFC 3339 in UTC. `kept` is where things are kept that can be made again (`.git/tidegate/verify`), None
    where nothing may be.
    """

    change: Change
    trees: Trees
    settings: Settings
    now: str = ""
    coverage: tuple[Path, ...] = ()
    junit: tuple[Path, ...] = ()
    sarif: tuple[Path, ...] = ()
    mutation: tuple[Path, ...] = ()
    kept: Path | None = None

    def changed(self, *languages: str) -> tuple[tuple[FileChange, Pair], ...]:
        """The changed files of these languages (of any, if none is named) that people wrote, with both paths."""
        by_path = {pair.path: pair for pair in self.trees.changed}
        found = []
        for file in self.change.files:
            pair = by_path.get(file.path.decode("utf-8", "surrogateescape"))
            if pair is not None and file.by_hand and (not languages or file.language in languages):
                found.append((file, pair))
        return tuple(found)


class Part(Struct, frozen=True):
    """What one check found: fields of the section by name, findings, and what it could not tell.

    A field that it cannot tell is not in `fields`, and `unknowns` says why (`verification.coverage`).
    """

    fields: Mapping[str, Any] = {}
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()


Check: TypeAlias = Callable[[Subject], Part]
"""One question about a change. It reads and never runs what it reads."""


def added_lines(file: FileChange) -> frozenset[int]:
    """The numbers of the lines that the change adds to a file, at its head."""
    return frozenset(line for hunk in file.hunks for line in range(hunk.new_start, hunk.new_start + hunk.new_count))
