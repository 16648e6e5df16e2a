"""The services before and after a change. What a change says of a service can only make it matter more.

A change must not appoint the owner of what it reaches, nor call it unimportant: that counts once it is merged.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from tidegate.change.codeowners import NO_OWNERS, Owners
from tidegate.reach.answer import Service
from tidegate.reach.services import PROVIDERS, read_services

if TYPE_CHECKING:
    from tidegate.reach.languages.interface import ReadTexts


class Side(NamedTuple):
    """All files of one tree, and how they are read."""

    paths: Collection[str]
    read: ReadTexts


def read_services_of_change(
    before: Side,
    after: Side,
    changed: Collection[str],
    owners: Owners = NO_OWNERS,
    unread: list[tuple[str, str]] | None = None,
) -> tuple[Service, ...]:
    """The services of both trees, by name; one that the change takes away is there still.

    One that both have keeps the owner and the kind that the base says, and the more critical tier of the two. Where
    they are built from other files it is there twice, so that the files of both build it. `changed` are the paths of
    the change, of both sides; `unread` is told of the files of the head.
    """
    services = read_services(after.paths, after.read, owners, unread)
    if not any(provider.wants(path) for path in changed for provider in PROVIDERS):
        return services
    earlier = {service.name: service for service in read_services(before.paths, before.read, owners)}
    found: list[Service] = []
    for service in services:
        was = earlier.pop(service.name, None)
        if was is None:
            found.append(service)
            continue
        strict = _stricter(service, was)
        found.append(strict)
        if was.paths != service.paths:
            found.append(replace(strict, paths=was.paths))
    return tuple(sorted((*found, *earlier.values()), key=lambda service: service.name))


# Private

_TIERS = ("critical", "high", "medium", "low")
_RUNNING = ("service", "job", "function")


def _stricter(service: Service, was: Service) -> Service:
    more = min(was, service, key=lambda one: _TIERS.index(one.tier))
    kind = was.kind if was.kind in _RUNNING else service.kind
    return replace(service, owner=was.owner, kind=kind, tier=more.tier, tier_known=more.tier_known)
