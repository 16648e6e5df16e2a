"""Where a request comes from, as far as it can be believed."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

from starlette.requests import Request

from tidegate.server.config import Config


def address_of(config: Config, request: Request) -> str:
    """The client's address. Behind a trusted proxy the last one of X-Forwarded-For, which that proxy itself wrote."""
    if config.trusted_proxy and (given := request.headers.getlist("x-forwarded-for")):
        return given[-1].rpartition(",")[2].strip()[:64]
    return request.client.host if request.client else ""


def network_of(address: str) -> str:
    """What one person has of addresses: of IPv6 a whole /64, so that its 2^64 addresses count as one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
