"""What runs where: the map of an environment, learned from what is there."""

from __future__ import annotations

from tidegate.operate.environment.values import Map
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.production.mapping import environment_map


def environment(ask: Ask[Nothing, Nothing]) -> Map:
    """Of this minute: services, owners, routes, calls, who watches them; each fact with who says so."""
    return environment_map(ask.service, str(ask.path["name"]))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/environments/{name}/map",
        needs="changes:read",
        summary="What runs in an environment, and who says so",
        handler=environment,
        answer=Map,
        problems=(404, 409),
    ),
)
