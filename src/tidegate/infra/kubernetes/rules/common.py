"""What the rules on Kubernetes objects share: which changes to look at, who needs a thing, how it is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tidegate.infra.kubernetes.objects import Item, mapping, mappings
from tidegate.infra.kubernetes.uses import backends, host_words
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.values import ResourceChange, Value, World

AWAY = ("Service", "Ingress", "Route", "HTTPRoute", "GRPCRoute", "VirtualService", "Gateway")
_SIZES: Mapping[str, float] = {
    "": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?|\.\d+)(?:e(\d{1,2}))?([mkMGTPE]|[KMGTPE]i)?$")


def updated(world: World, *types: str) -> Iterator[ResourceChange]:
    """The objects of these types (of all where none is named) that change and stay."""
    return (one for one in world.changes if one.action == "update" and (not types or one.type in types))


def created(world: World, *types: str) -> Iterator[ResourceChange]:
    """The objects of these types that are new."""
    return (one for one in world.changes if one.action == "create" and (not types or one.type in types))


def deleted(world: World, *types: str) -> Iterator[ResourceChange]:
    """The objects of these types that go by themselves, not because their whole namespace goes."""
    dying = {name_of(one) for one in world.changes if one.type == "v1/Namespace" and one.action == "delete"}
    for one in world.changes:
        if one.action == "delete" and (not types or one.type in types) and space_of(one) not in dying:
            yield one


def values_of(change: ResourceChange) -> Mapping[str, Value]:
    """The object as it will be, or as it was where it goes."""
    return change.after if change.after is not None else change.before or {}


def name_of(change: ResourceChange) -> str:
    """The name of the object."""
    return name_in(values_of(change))


def space_of(change: ResourceChange) -> str:
    """The namespace of the object, "" where its file leaves it open."""
    return space_in(values_of(change))


def name_in(values: Mapping[str, Value]) -> str:
    """The name that an object itself says."""
    return str(mapping(values.get("metadata")).get("name") or "")


def space_in(values: Mapping[str, Value]) -> str:
    """The namespace that an object itself says."""
    return str(mapping(values.get("metadata")).get("namespace") or "")


def spec(values: Mapping[str, Value] | None) -> Mapping[str, Value]:
    """The spec of an object, empty where it has none."""
    return mapping((values or {}).get("spec"))


def labels(values: Mapping[str, Value] | None, key: str = "labels") -> Mapping[str, Value]:
    """The labels of an object itself."""
    return mapping(mapping((values or {}).get("metadata")).get(key))


def callers(world: World, address: str, kinds: Iterable[str] = (), after: bool = False) -> list[str]:
    """Who needs an object, nearest first; only of these kinds where some are named."""
    chosen = tuple(kinds)
    uses = world.uses_after if after else world.uses_before
    return [one for one in uses.dependents(address) if not chosen or one.split(" ")[0].split(".")[0] in chosen]


def still_naming(world: World, address: str, port: str = "") -> list[str]:
    """Who needed an object before and names it afterwards too; with this port, or with none, where one is given."""
    found = []
    for use in world.uses_before.users(address):
        user = world.after.get(use.user)
        if user is None or use.used not in world.before:
            continue
        name = name_in(world.before[address].values)
        if use.through == "backend":
            named = name in backends(user.type, user.values)
        elif use.through.startswith(("env.", "args", "command", "data.")):
            item = Item(user.type, space_in(user.values), name_in(user.values), user.values)
            hosts = [one for one in host_words(item) if one.host.partition(".")[0] == name]
            named = any(not port or one.port in ("", port) for one in hosts)
        else:
            named = True
        if named:
            found.append(use.user)
    return list(dict.fromkeys(found))


def needed_by(names: Sequence[str], verb: str = "need") -> str:
    """`; Deployment a and Ingress b need it`, "" where nobody does."""
    if not names:
        return ""
    return f"; {listed(names)} {verb}{'s' if len(names) == 1 else ''} it"


def quantity(value: Value) -> float | None:
    """An amount as Kubernetes writes it (`500m`, `1Gi`), in units; None where it is none."""
    match = _QUANTITY.match(str(value).strip()) if value is not None and not isinstance(value, bool) else None
    if match is None:
        return None
    return float(match[1]) * 10.0 ** int(match[2] or 0) * _SIZES[match[3] or ""]


def whole(value: Value, default: int = 0) -> int:
    """A whole number, the default where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return default
    try:
        return int(value)
    except (ValueError, OverflowError):
        return default


def by_name(entries: Value, key: str = "name") -> dict[str, Mapping[str, Value]]:
    """The mappings of a list by their name."""
    return {str(one.get(key)): one for one in mappings(entries) if one.get(key) is not None}
