"""Where a request comes from, as far as it can be believed."""

from __future__ import annotations

from starlette.requests import Request

from tidegate.server.config import Config


def address_of(config: Config, request: Request) -> str:
    """The client's address. Behind a trusted proxy the last one of X-Forwarded-For, which that proxy itself wrote."""
    if config.trusted_proxy and (given := request.headers.getlist("x-forwarded-for")):
        return given[-1].rpartition(",")[2].strip()[:64]
    return request.client.host if request.client else ""
