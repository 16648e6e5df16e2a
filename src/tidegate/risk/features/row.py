"""One row of features: everything that is known of a change, in the order of the definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tidegate.risk.features.definitions import NAMES
from tidegate.risk.features.kamei import KAMEI, kamei
from tidegate.risk.features.past import Landed, Past
from tidegate.risk.features.people import PEOPLE, people
from tidegate.risk.features.surface import SURFACE, Place, surface
from tidegate.risk.features.text import NO_TEXT, TEXT, Content

MESSAGE = ("message_length", "message_words")
MESSAGE_LIMIT = 4_000


class Row(NamedTuple):
    """The features of one change: raw values in the order of `definitions.FEATURES`, NaN where one is not known."""

    names: tuple[str, ...]
    values: tuple[float, ...]

    def of(self, name: str) -> float:
        """The value of one feature."""
        return self.values[self.names.index(name)]


class Told(NamedTuple):
    """What a change tells of itself beside its files: the counts of its lines (None: unknown), the share of agents."""

    content: Content | None
    ai: float


def row_of(past: Past, change: Landed, told: Told, places: Mapping[str, Place]) -> tuple[float, ...]:
    """The features of one change, from the past before it. A pure function: the same for all of history and for one."""
    files = past.files_of(change.touches)
    found = (
        *kamei(past, change, files),
        *people(past, change, files),
        *surface(change, places),
        *(told.content.features() if told.content else NO_TEXT),
        *_message(change.message),
        told.ai,
    )
    return tuple([found[place] for place in _PLACES])


# Private

_FOUND = (*KAMEI, *PEOPLE, *SURFACE, *TEXT, *MESSAGE, "ai")
_PLACES = tuple(_FOUND.index(name) for name in NAMES)


def _message(message: str) -> tuple[float, float]:
    text = message[:MESSAGE_LIMIT].strip()
    return float(len(text)), float(len(text.split()))
