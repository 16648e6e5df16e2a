"""Sign-in by an OpenID Connect provider."""

from __future__ import annotations

from starlette.routing import BaseRoute

from tidegate.server.service import Service


def routes(service: Service) -> list[BaseRoute]:
    del service
    return []
