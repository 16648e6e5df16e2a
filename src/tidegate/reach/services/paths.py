"""Which files build which service.

The `paths` of a service are read in order and the last that fits decides. An entry is a file or a folder ("" is the
whole repository), a pattern (`*` and `?` within a name, `**` for any folders), or either after "!", which takes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from tidegate.reach.answer import Service

BROAD = 0.5
"""A context that is the whole repository, or holds other services, holds much that the service never runs."""

TAKEN = 0.15
"""The same where the file lies in what another service is built from more closely."""

SHARED = 0.5
"""A file that sets up several services says in which lines, and only some of them change."""


class ServiceHit(NamedTuple):
    """A path builds or sets up a service, how likely a change of it reaches the service, and why."""

    service: Service
    path: str
    probability: float
    reason: str


def paths_of_service(service: Service, path: str) -> bool:
    """Whether a path of the tree is part of what builds the service or sets it up."""
    return _entry(service, path) is not None


def services_of(paths: Iterable[str], services: Sequence[Service]) -> tuple[ServiceHit, ...]:
    """For each path the services that it builds, the most likely first; packages only where no service is built."""
    found: list[ServiceHit] = []
    for path in sorted(set(paths)):
        entries = [(service, entry) for service in services if (entry := _entry(service, path)) is not None]
        if any(service.kind != "package" for service, _ in entries):
            entries = [(service, entry) for service, entry in entries if service.kind != "package"]
        depth = max((_depth(entry) for _, entry in entries), default=0)
        exact = sum(entry == path for _, entry in entries)
        hits = [_hit(service, path, entry, depth, exact, services) for service, entry in entries]
        found += sorted(hits, key=lambda hit: (-hit.probability, hit.service.name))
    return tuple(found)


def fits(entry: str, path: str) -> bool:
    """Whether a path is what an entry names, or lies in it."""
    if not any(mark in entry for mark in "*?["):
        return not entry or path == entry or path.startswith(entry + "/")
    pattern = _compile(entry)
    return pattern is not None and pattern.fullmatch(path) is not None


# Private


def _entry(service: Service, path: str) -> str | None:
    """The entry that takes the path in, None where none does or a later one takes it out."""
    found: str | None = None
    for entry in service.paths:
        if entry.startswith("!"):
            found = None if found is not None and fits(entry[1:], path) else found
        elif fits(entry, path) and (found is None or _depth(entry) >= _depth(found)):
            found = entry
    return found


def _hit(service: Service, path: str, entry: str, depth: int, exact: int, services: Sequence[Service]) -> ServiceHit:
    where = f"{entry or 'the whole repository'} builds {service.name}"
    if entry == path:
        probability = SHARED if exact > 1 else 1.0
        return ServiceHit(service, path, probability, f"{path} sets up or builds {service.name}")
    if _depth(entry) < depth:
        return ServiceHit(service, path, TAKEN, f"{where}, but others are built from closer")
    if not entry or _holds_others(service, entry, services):
        return ServiceHit(service, path, BROAD, f"{where}, a wide context")
    return ServiceHit(service, path, 1.0, where)


def _holds_others(service: Service, entry: str, services: Sequence[Service]) -> bool:
    return any(
        other.name != service.name and other.kind != "package" and any(p.startswith(entry + "/") for p in other.paths)
        for other in services
    )


def _depth(entry: str) -> int:
    return 0 if not entry else entry.count("/") + 1


@lru_cache(maxsize=4096)
def _compile(entry: str) -> Any:
    """The pattern as RE2, which no pattern makes slow; None for one that it refuses."""
    import re2

    parts = []
    for segment in entry.split("/"):
        if segment == "**":
            parts.append("(?:[^/]+/)*")
        else:
            parts.append("".join({"*": "[^/]*", "?": "[^/]"}.get(c, re2.escape(c)) for c in segment) + "/")
    text = "".join(parts)
    text = text.removesuffix("/") + "(?:/.*)?" if text.endswith("/") else text + ".*"
    try:
        return re2.compile(text)
    except re2.error:
        return None
