"""How closely somebody read a change: what of it they had before their eyes, for how long, and how fast that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tidegate.server.hunks import ReadHunk
from tidegate.store.looks import PAGE, Look

GLANCE_SECONDS = 2.0
"""What was before somebody's eyes for less was scrolled past, and counts as never opened."""


class Scrutiny(Struct, frozen=True):
    """One person's reading of one head. Hunks that nobody writes by hand do not count.

    `lines` are all changed lines, also those of hunks that were `never_opened`: what nobody looked at was read at an
    endless pace. `lines_per_hour` None: nothing was read. `unsettled` are the risky hunks of which the person has not
    said yet that they understand them.
    """

    lines: int
    seconds: float
    hunks: int
    opened: int
    never_opened: tuple[str, ...]
    unsettled: tuple[str, ...]

    @property
    def lines_per_hour(self) -> float | None:
        return round(self.lines / (self.seconds / 3600), 1) if self.seconds >= 1 else None


def scrutinise(hunks: Sequence[ReadHunk], looks: Iterable[Look]) -> Scrutiny:
    """The reading of these hunks by these looks, which are of one person at one head."""
    found: Mapping[str, Look] = {look.hunk: look for look in looks if look.hunk != PAGE}
    own = [hunk for hunk in hunks if hunk.by_hand]
    read = {hunk.id for hunk in own if hunk.id in found and found[hunk.id].seconds >= GLANCE_SECONDS}
    return Scrutiny(
        lines=sum(hunk.added + hunk.deleted for hunk in own),
        seconds=sum(found[hunk.id].seconds for hunk in own if hunk.id in found),
        hunks=len(own),
        opened=len(read),
        never_opened=tuple(hunk.id for hunk in own if hunk.id not in read),
        unsettled=tuple(
            hunk.id for hunk in own if hunk.risky and not (hunk.id in found and found[hunk.id].understood_at)
        ),
    )
