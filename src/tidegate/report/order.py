"""Where a reviewer with little time looks first."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import ChangeFacts, Facts, FileFact, FileProvenance, Place, ProvenanceFacts, is_known

MOST = 5


class Look(Struct, frozen=True):
    """One place to look at, and why. `weight` only orders: it is no probability."""

    place: Place
    reasons: tuple[str, ...]
    weight: float


def reading_order(facts: Facts, most: int = MOST) -> tuple[Look, ...]:
    """The files that deserve eyes first, riskiest first, each with its reasons; none for a change without any.

    weight = what it touches x how much of it nobody has vouched for. A critical domain counts 4, a file that policy or
    owners are read from 4, any other domain 1 (at most 3), an executable bit 1. Lines by AI or without attribution
    count 1 each, lines of people and deleted lines a quarter, on a logarithmic scale: the hundredth line adds little.
    Tests, docs and data count a quarter; generated and vendored files are left out unless they are critical, and so is
    what weighs next to nothing.
    """
    if not is_known(facts.change, "files"):
        return ()
    lines = _lines_by_path(facts.provenance)
    conflicts = _conflicts(facts.provenance)
    looks = [_look(file, lines, conflicts, facts) for file in facts.change.files]
    worth = [look for look in looks if look.reasons and look.weight >= _LEAST]
    worth.sort(key=lambda look: (-look.weight, look.place.path))
    return tuple(_placed(look, facts.provenance) for look in worth[:most])


# Private

_LEAST = 1.0
_NO_LINES = 20
"""Stands for the lines of a binary, a link or a submodule, which nobody can read in a diff."""


def _look(
    file: FileFact, lines: Mapping[str, FileProvenance] | None, conflicts: Mapping[str, int], facts: Facts
) -> Look:
    own = lines.get(file.path) if lines is not None else _all_unknown(file)
    reasons = [*_writer_reasons(own, conflicts.get(file.path, 0)), *_touch_reasons(file, facts.change)]
    return Look(Place(file.path), tuple(reasons), _weight(file, own, conflicts.get(file.path, 0), facts.change))


def _weight(file: FileFact, own: FileProvenance | None, conflicts: int, change: ChangeFacts) -> float:
    if (file.generated or file.vendored) and not file.critical:
        return 0.0
    judges = file.path in change.policy_files or file.path in change.owners_files
    touches = 1 + 4 * file.critical + 4 * judges + min(len(file.domains), 3) + file.executable_changed
    unvouched = own.ai + own.mixed + own.unknown if own else 0
    read = own.human if own else file.added
    effort = unvouched + (read + file.deleted) / 4
    if file.kind in ("binary", "symlink", "submodule"):
        effort = max(effort, _NO_LINES)
    scale = 0.25 if file.kind in ("test", "docs", "data") else 1.0
    return touches * math.log2(1 + effort) * scale * (1.5 if conflicts else 1.0)


def _writer_reasons(own: FileProvenance | None, conflicts: int) -> list[str]:
    reasons = []
    if own and own.ai + own.mixed:
        reasons.append(f"{_lines(own.ai + own.mixed)} by AI")
    if own and own.unknown:
        reasons.append(f"{_lines(own.unknown)} without attribution")
    if conflicts:
        reasons.append("sources contradict each other")
    return reasons


def _touch_reasons(file: FileFact, change: ChangeFacts) -> list[str]:
    reasons = []
    if file.domains:
        reasons.append(f"{'critical: ' if file.critical else ''}{', '.join(file.domains)}")
    if file.path in change.policy_files:
        reasons.append("policy is read from it")
    if file.path in change.owners_files:
        reasons.append("owners are read from it")
    if file.executable_changed:
        reasons.append("its executable bit changed")
    if file.kind in ("binary", "symlink", "submodule"):
        reasons.append(f"a {file.kind}: the diff does not show what is in it")
    return reasons


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def _lines_by_path(provenance: ProvenanceFacts) -> Mapping[str, FileProvenance] | None:
    return {own.path: own for own in provenance.files} if is_known(provenance, "files") else None


def _all_unknown(file: FileFact) -> FileProvenance:
    return FileProvenance(file.path, file.added, 0, 0, 0, file.added)


def _conflicts(provenance: ProvenanceFacts) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for conflict in provenance.conflicts if is_known(provenance, "conflicts") else ():
        found[conflict.path] = found.get(conflict.path, 0) + 1
    return found


def _placed(look: Look, provenance: ProvenanceFacts) -> Look:
    """The same at the longest run that a person did not write, where that is known."""
    if not is_known(provenance, "spans"):
        return look
    path = look.place.path
    runs = [span for span in provenance.spans if span.path == path and span.writer != "human"]
    if not runs:
        return look
    longest = max(runs, key=lambda run: (run.end_line - run.line, -run.line))
    return replace(look, place=Place(path, longest.line))
