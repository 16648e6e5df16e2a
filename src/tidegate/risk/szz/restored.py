"""Lines that a revert of a revert brought back were written by the change that it restores, not by it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository
from tidegate.risk.labels.reverts import read_revert
from tidegate.risk.values import Suspect

_DEEPEST = 4
"""Reverts of reverts of reverts are followed so far."""


def follow_restored(repository: Repository, suspects: Sequence[Suspect], subjects: dict[str, str]) -> list[Suspect]:
    """The suspects, with the change that was restored in place of each commit that restores one.

    `subjects` spares reading the messages of commits whose subject speaks of no revert. One that names what it restores
    by subject alone, or names what this clone does not hold, stays.
    """
    found: dict[str, Suspect] = {}
    for suspect in suspects:
        now = suspect
        if subjects.get(suspect.commit, "").lower().startswith(("revert", "reapply", "reland")):
            origin = _origin(repository, suspect.commit)
            if origin != suspect.commit:
                reasons = (*suspect.reasons, f"restored by {suspect.commit[:12]}")
                now = msgspec.structs.replace(suspect, commit=origin, reasons=reasons)
        held = found.get(now.commit)
        if held is not None:
            both = round(held.confidence + now.confidence, 6)
            now = msgspec.structs.replace(held, confidence=both, lines=held.lines or now.lines)
        found[now.commit] = now
    return sorted(found.values(), key=lambda one: (-one.confidence, one.commit))


# Private


def _origin(repository: Repository, commit: str) -> str:
    """What the commit restores: the commit that was undone by the one that it undoes. Itself where it restores none."""
    undone = _undone(repository, commit)
    for _ in range(_DEEPEST):
        original = _undone(repository, undone) if undone else ""
        if not original:
            return commit
        commit, undone = original, _undone(repository, original)
        if not undone:
            return commit
    return commit


def _undone(repository: Repository, oid: str) -> str:
    """The one commit whose undoing this commit's message claims, "" where it claims none or several."""
    commit = read_commit_objects(repository, [oid]).get(oid)
    said = read_revert(commit.message) if commit else None
    if said is None or len(said.oids) != 1:
        return ""
    return repository.find(said.oids[0])
