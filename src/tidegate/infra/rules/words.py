"""Phrases that rules about outages share."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.infra.same import Pair, pair, spelled
from tidegate.infra.values import Mitigation, ResourceChange


def named(addresses: Iterable[str], most: int = 3) -> str:
    """Addresses as a list in a sentence, each once: `a, b and 4 more`."""
    found = list(dict.fromkeys(addresses))
    if len(found) > most:
        return f"{', '.join(found[:most])} and {len(found) - most} more"
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]])) or "nothing"


def replaced_why(change: ResourceChange) -> str:
    """Which attributes force a replacement, with both values: `name shop-a -> shop-b`."""
    if not change.forced_by:
        return "it was asked for" if "request" in change.why else ""
    return ", ".join(str(_pair(change, path)) for path in change.forced_by[:3])


def unsure(change: ResourceChange) -> tuple[Mitigation, ...]:
    """What lowers the effect of a replacement that code alone suggests: the value may turn out to be the same."""
    if change.certainty != "possible":
        return ()
    return (Mitigation("whether it is replaced hangs on a value that code does not show; a plan would tell", 1),)


# Private


def _pair(change: ResourceChange, path: str) -> Pair:
    found = pair(change, path)
    return Pair(path, spelled(change, path), found.before, found.after)
