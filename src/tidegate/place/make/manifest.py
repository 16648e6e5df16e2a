"""What every manifest of a place shares: the reason on top of it, and the ports."""

from __future__ import annotations

from tidegate.place.values import Application

PROXY_PORT = 3128
WEB = (80, 443)


def port_of(app: Application) -> int:
    """The port that the application listens at; one above those that need rights."""
    return app.operated.port if app.operated.port >= 1024 else 8080


def head(why: str) -> str:
    """The reason of a manifest, as its comment."""
    return "".join(f"# {line}\n" for line in why.splitlines())
