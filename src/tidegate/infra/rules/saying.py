"""Words that several rules share: lists of names, who uses a thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from tidegate.infra.kinds import runs_code
from tidegate.infra.rules.renames import name_of
from tidegate.infra.same import Pair, pair
from tidegate.infra.values import ResourceChange, World

_FARTHEST = 200


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a, b and c`, or `a, b, c and 4 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def users(world: World, address: str, most: int = 3) -> list[str]:
    """The nearest resources that run code and need this one, directly or through others."""
    near = islice(world.uses_before.dependents(address), _FARTHEST)
    found = (name for name in near if (known := world.before.get(name)) is not None and runs_code(known.type))
    return list(islice(found, most))


def by_cloudformation(world: World) -> bool:
    """Whether CloudFormation applies it: it knows no moved blocks, and does not wait for maintenance windows."""
    return world.source in ("CloudFormation template", "change set")


def keeping(world: World, old: str, new: str) -> str:
    """How a resource keeps its object under a new name, as an order that the sentence goes on from."""
    if by_cloudformation(world):
        return f"Keep the logical id {old}"
    return f"Add a moved block (from = {old}, to = {new})"


def updates(world: World) -> Iterator[ResourceChange]:
    """What is changed in place. Objects of Kubernetes have rules of their own."""
    return (one for one in world.changes if one.action == "update" and "/" not in one.type)


def by_module(change: ResourceChange) -> bool:
    """Whether this is a call of a module, whose defaults nobody can see."""
    return change.type not in change.address and change.address.startswith("module.")


def label(change: ResourceChange) -> str:
    """A resource as a sentence names it: its address, and its own name where the address does not say it."""
    name = name_of(change.before or change.after)
    return f"{change.address} ({name})" if name and name not in change.address else change.address


def heads(*paths: str) -> frozenset[str]:
    """The top-level attributes that these paths begin with, and the paths themselves, which some readers give flat."""
    return frozenset(paths) | frozenset(path.partition(".")[0] for path in paths)


def edits(world: World, asked: frozenset[str]) -> Iterator[tuple[ResourceChange, frozenset[str]]]:
    """What is changed in place in one of these top-level attributes, and in which. Written differently is enough;
    whether they mean the same is asked of these alone."""
    for change in updates(world):
        before, after = change.before or {}, change.after or {}
        names = frozenset(name for name in asked if before.get(name) != after.get(name))
        if names:
            yield change, names


def turned(change: ResourceChange, names: frozenset[str], *paths: str) -> Pair | None:
    """The first of these attributes of which the meaning changes, None where none does. `names` are from `edits`."""
    mine = [path for path in paths if path in names or path.partition(".")[0] in names]
    for path in mine:
        found = pair(change, path)
        if found.changed:
            return found
    return None
