"""Values that many messages say, each with the time at which it was said: the last word counts, whenever it comes.

Joining is associative, commutative and idempotent, so that duplicates and disorder change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

Stamp: TypeAlias = tuple[float, str, Any]
"""When it was said, in which message, and what."""
Stamps: TypeAlias = dict[str, Stamp]


def stamped(values: Mapping[str, Any], at: float, key: str) -> Stamps:
    """Of what one message says; what it leaves empty it does not say."""
    return {name: (at, key, value) for name, value in values.items() if value not in ("", None)}


def later(one: Mapping[str, Stamp], other: Mapping[str, Stamp]) -> Stamps:
    """The last word of both on everything."""
    found = dict(one)
    for name, stamp in other.items():
        known = found.get(name)
        if known is None or _order(stamp) > _order(known):
            found[name] = stamp
    return found


def said(stamps: Mapping[str, Stamp], name: str, otherwise: Any = "") -> Any:
    """What was said last of it."""
    stamp = stamps.get(name)
    return otherwise if stamp is None else stamp[2]


# Private


def _order(stamp: Stamp) -> tuple[float, str, str]:
    at, key, value = stamp
    return (at, key, value if isinstance(value, str) else json.dumps(value, sort_keys=True))
