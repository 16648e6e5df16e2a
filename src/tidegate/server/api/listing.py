"""Every endpoint of the API. What is not in this list does not exist."""

from __future__ import annotations

from tidegate.server.api import (
    approvals,
    attaching,
    changes,
    costs,
    deploying,
    drills,
    environments,
    evidence,
    gates,
    incidents,
    insight,
    intake,
    ledger,
    mine,
    outcomes,
    people,
    reading,
    reviewing,
    settings,
)
from tidegate.server.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *mine.ENDPOINTS,
    *changes.ENDPOINTS,
    *reading.ENDPOINTS,
    *reviewing.ENDPOINTS,
    *attaching.ENDPOINTS,
    *approvals.ENDPOINTS,
    *ledger.ENDPOINTS,
    *evidence.ENDPOINTS,
    *intake.ENDPOINTS,
    *gates.ENDPOINTS,
    *deploying.ENDPOINTS,
    *environments.ENDPOINTS,
    *outcomes.ENDPOINTS,
    *incidents.ENDPOINTS,  # after outcomes: a number is no name of theirs
    *drills.ENDPOINTS,
    *insight.ENDPOINTS,
    *costs.ENDPOINTS,
    *settings.ENDPOINTS,
    *people.ENDPOINTS,
)
