"""How closely somebody read a change: what of it they had before their eyes, for how long, and how fast that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.scrutiny import GLANCE_SECONDS, LookedAt, Looker, LooksDocument
from tidegate.facts import to_json
from tidegate.server.hunks import ReadHunk
from tidegate.store import accounts, looks
from tidegate.store.looks import PAGE, Look


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


def scrutinise(hunks: Sequence[ReadHunk], seen: Iterable[Look]) -> Scrutiny:
    """The reading of these hunks by these looks, which are of one person at one head."""
    found: Mapping[str, Look] = {look.hunk: look for look in seen if look.hunk != PAGE}
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


def looks_document(connection: Connection, change: int, head: str) -> bytes | None:
    """What an assessment of this head is handed, `tidegate.looks/1`; None where nobody looked at it here.

    Whole seconds, so that it is another document only where somebody read on.
    """
    by_person: dict[int, list[LookedAt]] = {}
    for look in looks.of_change(connection, change, head=head):
        if look.hunk != PAGE and look.seconds >= 1:
            by_person.setdefault(look.person, []).append(_looked_at(look))
    lookers = tuple(_looker(connection, person, hunks) for person, hunks in sorted(by_person.items()))
    return to_json(LooksDocument(head=head, lookers=lookers)) if lookers else None


# Private


def _looked_at(look: Look) -> LookedAt:
    path, _, lines = look.hunk.rpartition(":")
    first, _, last = lines.partition("-")
    return LookedAt(path, int(first), int(last), float(int(look.seconds)), look.understood_at is not None)


def _looker(connection: Connection, person: int, hunks: Sequence[LookedAt]) -> Looker:
    known = accounts.identities_of(connection, person)
    return Looker(
        tuple(hunks),
        tuple(each.subject for each in known if each.kind == "forge"),
        tuple(each.subject for each in known if each.kind == "email"),
    )
