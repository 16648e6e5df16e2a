"""Changes drawn as the files before and after, for checks that read both."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from tidegate.change.kinds import Names
from tidegate.change.trees import Pair, Trees, given
from tidegate.change.values import Change, Commit, FileChange, Hunk, Person
from tidegate.facts import Intent
from tidegate.settings import Settings
from tidegate.verify.values import Subject

SOMEBODY = Person("Somebody", "somebody@example.com")


def subject_of(
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    renamed: Mapping[str, str] | None = None,
    critical: str = "",
    day: str = "2026-03-01",
    coverage: tuple[Path, ...] = (),
    junit: tuple[Path, ...] = (),
    sarif: tuple[Path, ...] = (),
) -> Subject:
    """The change between two trees. `renamed` says of a new path which old one it was; `critical` begins paths."""
    old_of = dict(renamed or {})
    sides = [{path: text.encode() for path, text in side.items()} for side in (before, after)]
    trees = given(sides[0], sides[1])
    gone = set(old_of.values())
    pairs = tuple(
        Pair(old_of.get(pair.after, pair.before), pair.after) for pair in trees.changed if pair.before not in gone
    )
    files = tuple(_file(pair, before, after, critical) for pair in pairs)
    commit = Commit("c", "t", (), SOMEBODY, SOMEBODY, f"{day}T12:00:00Z", f"{day}T12:00:00Z", "change")
    change = Change("commit", "", "", "", "b", "h", "", "", (commit,), files, Intent())
    whole = Trees(trees.before, trees.after, pairs)
    return Subject(change, whole, Settings(), coverage=coverage, junit=junit, sarif=sarif)


def _file(pair: Pair, before: Mapping[str, str], after: Mapping[str, str], critical: str) -> FileChange:
    old, new = (side.get(path, "").encode().splitlines() for side, path in ((before, pair.before), (after, pair.after)))
    hunks = tuple(
        Hunk(i1 + 1, i2 - i1, j1 + 1, j2 - j1, tuple(old[i1:i2]), tuple(new[j1:j2]))
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    )
    path = pair.path.encode()
    return FileChange(
        path=path,
        old_path=(pair.before or pair.after).encode(),
        status="added" if not pair.before else "modified" if pair.after else "deleted",
        old_mode=0o100644 if pair.before else 0,
        new_mode=0o100644 if pair.after else 0,
        old_oid="",
        new_oid="",
        similarity=0,
        added=sum(hunk.new_count for hunk in hunks),
        deleted=sum(hunk.old_count for hunk in hunks),
        binary=False,
        lines_known=True,
        hunks=hunks,
        kind="test" if pair.path.startswith("tests/") else "docs" if pair.path.endswith((".md", ".txt")) else "source",
        language=Names().language_of(path),
        critical=bool(critical) and pair.path.startswith(critical),
    )
