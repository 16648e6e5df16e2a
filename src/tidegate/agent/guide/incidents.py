"""Incidents as a service answers them, made into values of ours; what does not fit is refused."""

from __future__ import annotations

from typing import Any

import msgspec

from tidegate.agent.guide.history import Incident
from tidegate.errors import InputError

MOST = 20


def read_incidents(answer: dict[str, Any] | None) -> tuple[Incident, ...]:
    """The incidents of an answer of `GET /incidents/recent`. Raises InputError for anything else."""
    try:
        return msgspec.convert((answer or {}).get("items", ()), tuple[Incident, ...])[:MOST]
    except msgspec.ValidationError as error:
        raise InputError("the service answered something else than incidents", mend="look at its version") from error
