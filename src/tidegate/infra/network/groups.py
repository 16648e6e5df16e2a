"""What is let into every group, before and after: all rules of a group taken together, wherever they are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.infra.graph import Uses
from tidegate.infra.network.entries import Direction, Entry, entries_of, holds_rules
from tidegate.infra.network.names import Names, names_of
from tidegate.infra.network.ranges import Block, difference, overlap
from tidegate.infra.values import Resource, World


class Side(Struct, frozen=True):
    """One side of a world: what there is, what it is called, and every rule by its group and direction."""

    names: Names
    rules: Mapping[tuple[str, Direction], tuple[Entry, ...]]


class Opened(Struct, frozen=True):
    """What a group lets in after the change and did not before: `by` says which resource's rules bring it.

    `was` is all that was let in before, `before` that of it on these ports, `closed` what is not any more. `unclear`
    are rules that come with the change and cannot be read.
    """

    group: str
    by: str
    direction: Direction
    blocks: tuple[Block, ...]
    texts: tuple[str, ...]
    was: tuple[Block, ...]
    before: tuple[Block, ...]
    closed: tuple[Block, ...]
    unclear: tuple[str, ...] = ()
    is_new: bool = False


def sides(world: World) -> tuple[Side, Side]:
    """The rules of both sides of a world."""
    moved = {one.moved_from: one.address for one in world.changes if one.moved_from}
    before = {one.address: Resource(one.address, one.type, one.before) for one in world.changes if one.before}
    after = {one.address: Resource(one.address, one.type, one.after) for one in world.changes if one.after}
    for change in world.changes:
        if change.moved_from:
            before.pop(change.address, None)
            if change.before:
                before[change.moved_from] = Resource(change.moved_from, change.type, change.before)
    gone = {one.address for one in world.changes if one.action in ("delete", "forget")}
    first = _side({**before, **world.before}, world.uses_before, moved)
    kept = {address: one for address, one in world.after.items() if address not in gone}
    return first, _side({**after, **kept}, world.uses_after, moved)


def opened(before: Side, after: Side, changed: Iterable[str]) -> Iterator[Opened]:
    """What each group lets in or out that it did not before, by the changed resources that bring it, in order."""
    asked = set(changed)
    for key in sorted(after.rules):
        rules = after.rules[key]
        bringing = [one for one in rules if one.owner in asked] + _refusing(before.rules.get(key, ()), asked)
        if bringing:
            yield from _opened(key, before, after, list(dict.fromkeys(one.owner for one in bringing)))


def effective(entries: Sequence[Entry]) -> tuple[Block, ...]:
    """What these rules together let pass: the first that says anything of a source decides, refusals before others."""
    if all(one.allows for one in entries):
        return difference(block for one in entries for block in one.blocks)
    passed: tuple[Block, ...] = ()
    decided: tuple[Block, ...] = ()
    for entry in sorted(entries, key=lambda one: (one.order, one.allows)):
        if entry.allows:
            passed = (*passed, *difference(entry.blocks, decided))
        decided = (*decided, *entry.blocks)
    return difference(passed)


# Private


def _side(resources: Mapping[str, Resource], uses: Uses, moved: Mapping[str, str]) -> Side:
    names = names_of(resources, uses, moved)
    rules: dict[tuple[str, Direction], list[Entry]] = defaultdict(list)
    for address in sorted(resources):
        if holds_rules(resources[address].type):
            for entry in entries_of(resources[address], names):
                rules[entry.group, entry.direction].append(entry)
    return Side(names, {key: tuple(found) for key, found in _with_shared(rules).items()})


def _with_shared(rules: Mapping[tuple[str, Direction], list[Entry]]) -> Mapping[tuple[str, Direction], list[Entry]]:
    """Google's refusals without targets hold for all machines of their network, so every group of it has them."""
    shared = {key: [one for one in found if not one.allows] for key, found in rules.items() if " " not in key[0]}
    joined = {}
    for (group, direction), found in rules.items():
        network = group.partition(" ")[0]
        joined[group, direction] = found + (shared.get((network, direction), []) if network != group else [])
    return joined


def _refusing(entries: Sequence[Entry], asked: set[str]) -> list[Entry]:
    """Refusals of before that the change may have taken away: what they held back is let in by other rules."""
    return [one for one in entries if not one.allows and one.owner in asked]


def _opened(key: tuple[str, Direction], before: Side, after: Side, owners: Sequence[str]) -> Iterator[Opened]:
    group, direction = key
    old, new = before.rules.get(key, ()), after.rules[key]
    was, now = effective(old), effective(new)
    added = difference(now, was)
    closed = difference(was, now)
    known = {words for one in old for words in one.unclear}
    for owner in owners:
        mine = [one for one in new if one.owner == owner]
        brought = overlap(added, (block for one in mine for block in one.blocks)) if mine else added
        unclear = tuple(dict.fromkeys(words for one in mine for words in one.unclear if words not in known))
        if not brought and not unclear:
            continue
        added = difference(added, brought)
        yield Opened(
            group,
            owner,
            direction,
            brought,
            tuple(dict.fromkeys(text for one in mine for text in one.texts)),
            was,
            _on_ports(was, brought),
            closed,
            unclear,
            is_new=_is_new(group, before, after),
        )


def _is_new(group: str, before: Side, after: Side) -> bool:
    """Whether the group itself comes with the change. One that only its id names was there before."""
    if group not in after.names.resources:
        return False
    return group not in before.names.resources and group not in before.names.moved.values()


def _on_ports(blocks: Iterable[Block], ports: Iterable[Block]) -> tuple[Block, ...]:
    asked = tuple(ports)
    return tuple(
        one
        for one in blocks
        if any(
            one.ports.low <= other.ports.high
            and other.ports.low <= one.ports.high
            and one.protocols.low <= other.protocols.high
            and other.protocols.low <= one.protocols.high
            for other in asked
        )
    )
