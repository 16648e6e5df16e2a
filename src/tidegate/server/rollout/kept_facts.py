"""What the service keeps of the changes of a deployment: the last assessment of each, as the ledger holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.rollout.cases import Kept, number_in, read_kept
from tidegate.rollout.gate import ChangeCase, Changes
from tidegate.rollout.joined import Landed
from tidegate.server.emergency import let_through
from tidegate.server.service import Service
from tidegate.store import assessments, changes
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change

MOST_CHANGES = 500
"""Of one deployment; of more nothing is looked up, and the gate holds."""


class Found(Struct, frozen=True):
    """A change of the deployment with the last assessment of its head."""

    change: Change
    assessment: Assessment
    kept: Kept


def kept_facts(connection: Connection, repository: int, landed: Sequence[Landed]) -> Mapping[str, Found]:
    """By the commit that landed. A decision that the ledger does not hold, or that cannot be read, is none."""
    if len(landed) > MOST_CHANGES:
        return {}
    heads = {head for one in landed for head in one.heads}
    numbers = {number for one in landed if (number := number_in(one.title))}
    by_head: dict[str, list[Change]] = {}
    for change in changes.with_heads(connection, repository, heads):
        by_head.setdefault(change.head, []).append(change)
    by_number = {change.number: change for change in changes.with_numbers(connection, repository, numbers)}
    found: dict[str, Found] = {}
    for one in landed:
        near = [change for head in one.heads for change in by_head.get(head, ())]
        named = by_number.get(number_in(one.title))
        for change in (*near, *((named,) if named is not None else ())):
            made = assessments.latest(connection, change.id, head=change.head)
            kept = _read(connection, made)
            if made is not None and kept is not None:
                found[one.commit] = Found(change, made, kept)
                break
    return found


def let_go(service: Service, known: Changes, found: Mapping[str, Found]) -> Changes:
    """The same with what two people let through: break-glass that is in force now, for this very state."""
    return replace(known, comes=tuple(_let(service, case, found.get(case.commit)) for case in known.comes))


# Private


def _read(connection: Connection, made: Assessment | None) -> Kept | None:
    text = assessments.document(connection, made.id) if made is not None and made.entry is not None else None
    if made is None or text is None:
        return None
    try:
        return read_kept(text, f"assessment {made.id}")
    except InputError:
        return None


def _let(service: Service, case: ChangeCase, found: Found | None) -> ChangeCase:
    if found is None or (case.recorded == "pass" and case.asked == "pass"):
        return case
    made = found.assessment
    glass = let_through(service, made.change, made.head, made.merge_tree)
    return case if glass is None else replace(case, waived=f"break-glass until {glass.expires}")
