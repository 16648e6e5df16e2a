"""Outages: a path from an entry to what answers that exists before the change and not after."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.infra.flows.view import View, view_of
from tidegate.infra.rules.cuts import cuts
from tidegate.infra.rules.exits import lost_exits
from tidegate.infra.rules.handlers import handlers
from tidegate.infra.rules.paths import lost_paths
from tidegate.infra.rules.roll import rolls
from tidegate.infra.values import Draft, World


def outages(world: World) -> Iterator[Draft]:
    """Who can no longer be served, reached or called, with the path that is cut."""
    if not any(change.action in ("update", "delete", "replace") for change in world.changes):
        return
    view = view_of(world)
    said: set[str] = set()
    for draft in _all(view, said):
        if draft.code in ("OUTAGE_FULL", "OUTAGE_PARTIAL"):
            said.update((draft.address, *draft.path))
        yield draft


# Private


def _all(view: View, said: set[str]) -> Iterator[Draft]:
    yield from lost_paths(view)
    yield from cuts(view)
    yield from lost_exits(view)
    yield from handlers(view, said)
    yield from rolls(view, said)
