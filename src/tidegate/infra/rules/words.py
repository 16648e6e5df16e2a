"""Words that several rules share: lists of names, who uses a thing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from tidegate.infra.kinds import runs_code
from tidegate.infra.values import World

_FARTHEST = 200


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a, b and c`, or `a, b, c and 4 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def users(world: World, address: str, most: int = 3) -> list[str]:
    """The nearest resources that run code and need this one, directly or through others."""
    near = islice(world.uses_before.dependents(address), _FARTHEST)
    found = (name for name in near if (known := world.before.get(name)) is not None and runs_code(known.type))
    return list(islice(found, most))
