"""The same question on what landed: whole landings of the default branch, undone by a later landing or not.

In the set of reverted commits and controls the two differ by how they were picked. Here both are landings of one
branch, as many a time as they were undone, and controls are drawn from the days around. A landing counts as undone
where one of the next 30 days is titled `Revert "its title"`. Nothing later than the older half of the set is read, so
its sealed part stays so.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from bench.infra.past import DAY, Commit, Past, plain, read_past, unquoted
from bench.infra.reverted import Row, mirrors, repositories, row_of
from tidegate.change.git import open_repository

UNDONE_WITHIN = 30 * DAY
CONTROLS = 2
NEAR = 3 * DAY
ENDS = (".tf", ".tfvars", ".hcl", ".yaml", ".yml", ".json")


class Undone(NamedTuple):
    """A landing and the one that took it back."""

    landing: Commit
    by: Commit


def read_landed() -> Iterator[Row]:
    """Every landing that was undone, with its controls: those of the days around whose digests come first."""
    for name, until in sorted(repositories().items()):
        repository = open_repository(mirrors() / name.replace("/", "+") / "repo", bare=True)
        past = read_past(repository)
        for undone, controls in picked(past, until):
            for landing, by in ((undone.landing, undone.by), *((one, None) for one in controls)):
                item: dict[str, Any] = {
                    "oid": landing.oid,
                    "repo": name,
                    "written": _written(landing),
                    "subject": landing.subject,
                    "files": list(landing.paths),
                    "matched_to": undone.landing.oid,
                }
                if by is not None:
                    item |= {"revert": by.oid, "revert_date": _written(by), "hours": (by.at - landing.at) / 3600.0}
                yield row_of(item, landing, repository, past)


def picked(past: Past, until: float) -> list[tuple[Undone, list[Commit]]]:
    """The undone landings on infrastructure up to a moment, each with its controls; none is picked twice."""
    undone = list(_undone(past, until))
    taken = {one.landing.oid for one in undone}
    found = []
    for one in undone:
        start = bisect_left(past.times, one.landing.at - NEAR)
        near = past.commits[start : bisect_right(past.times, min(until, one.landing.at + NEAR))]
        free = [other for other in near if other.oid not in taken and _is_infrastructure(other)]
        controls = sorted(free, key=lambda other: hashlib.sha256(other.oid.encode()).digest())[:CONTROLS]
        taken |= {other.oid for other in controls}
        found.append((one, controls))
    return found


# Private


def _undone(past: Past, until: float) -> Iterator[Undone]:
    titled: dict[str, Commit] = {}
    seen: set[str] = set()
    for one in past.commits[: bisect_right(past.times, until)]:
        target = titled.get(plain(unquoted(one.subject))) if one.undoes else None
        if target is not None and target.oid not in seen and one.at - target.at <= UNDONE_WITHIN:
            seen.add(target.oid)
            if _is_infrastructure(target):
                yield Undone(target, one)
        titled[plain(one.subject)] = one


def _is_infrastructure(landing: Commit) -> bool:
    return 0 < len(landing.paths) <= 300 and any(path.endswith(ENDS) for path in landing.paths)


def _written(landing: Commit) -> str:
    return datetime.fromtimestamp(landing.at, landing.zone.tzinfo).isoformat()
