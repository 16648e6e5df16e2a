"""Names that a front no longer answers to, and networks in which names are no longer answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.infra.rules.words import named
from tidegate.infra.same import flag, items, pair
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World


def answers(world: World) -> Iterator[Draft]:
    """Fronts that stay and refuse a name that they served, and networks that stop resolving names."""
    for change in world.changes:
        if change.action != "update":
            continue
        if change.type in _ALIASES:
            yield from _refused(world, change)
        elif change.type in _RESOLVERS:
            yield from _unresolved(world, change)


# Private

_ALIASES: Mapping[str, str] = {"aws_cloudfront_distribution": "aliases"}
_RESOLVERS: Mapping[str, str] = {"aws_vpc": "enable_dns_support"}


def _refused(world: World, change: ResourceChange) -> Iterator[Draft]:
    found = pair(change, _ALIASES[change.type])
    after = items(found.after)
    if isinstance(found.after, Later) or any(isinstance(one, Later) for one in after):
        return
    taken = [name for one in world.after.values() if one.type == change.type for name in _names(one.values)]
    gone = [name for name in map(str, items(found.before)) if not any(_covers(str(one), name) for one in taken)]
    if gone:
        yield Draft(
            "OUTAGE_PARTIAL",
            "high",
            change.address,
            f"{change.address} no longer answers to {named(gone)} ({found.shown}), and nothing else here does: "
            "requests for that name are refused (403). Take the name out only after nobody uses it.",
            reversible=True,
            back=f"put the name back into {found.shown}",
            path=(gone[0], change.address),
        )


def _names(values: Mapping[str, Value]) -> Iterator[Value]:
    for name in set(_ALIASES.values()):
        yield from items(values.get(name))


def _covers(alias: str, name: str) -> bool:
    alias, name = alias.lower(), name.lower()
    return alias == name or (alias.startswith("*.") and name.partition(".")[2] == alias[2:])


def _unresolved(world: World, change: ResourceChange) -> Iterator[Draft]:
    found = pair(change, _RESOLVERS[change.type])
    if flag(found.after) is False and flag(found.before) is True:
        within = [one for one in world.uses_before.dependents(change.address) if one in world.after]
        who = f" ({named(within)})" if within else ""
        yield Draft(
            "OUTAGE_FULL",
            "high",
            change.address,
            f"{found} on {change.address}: nothing in the network{who} can look up a name any more, so nothing that is "
            "called by its name is reached: databases, other services, the provider's own APIs.",
            reversible=True,
            back=f"set {found.shown} back to true",
            path=(change.address,),
        )
