"""Who I am here, my keys and my tokens: each person's own, nobody else's."""

from __future__ import annotations

from msgspec import Struct

from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.auth.permissions import PERMISSIONS, allows


class Me(Struct, frozen=True):
    """`permissions` are those of this very request: of the role, and of the token where one was sent."""

    id: int
    name: str
    role: str
    permissions: tuple[str, ...]


def me(ask: Ask[Nothing, Nothing]) -> Me:
    """Whoever asks."""
    who = ask.who
    return Me(who.person, who.name, who.role, tuple(each for each in PERMISSIONS if allows(who.role, who.scopes, each)))


ENDPOINTS = (Endpoint(method="GET", path="/me", needs=None, summary="Who I am here", handler=me, answer=Me),)
