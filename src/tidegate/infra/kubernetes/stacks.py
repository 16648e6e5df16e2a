"""Which objects are deployed together, and what becomes of each: sets compared, wherever their files went."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from tidegate.facts import Place
from tidegate.infra.environment import of_path
from tidegate.infra.kubernetes.objects import Item
from tidegate.infra.kubernetes.uses import uses_of_items
from tidegate.infra.values import Resource, ResourceChange, World

SOURCE = "kubernetes"


class Stack(Struct):
    """What one folder or one kustomization deploys. `lasting` is False where the stack itself comes or goes."""

    name: str
    rendered: bool
    before: list[Item]
    after: list[Item]
    beside: list[Item]
    partial: frozenset[tuple[str, str, str]] = frozenset()
    lasting: bool = True
    changed: frozenset[str] = frozenset()


class Step(Struct, frozen=True):
    """One object before and after, None where it is not there."""

    before: Item | None
    after: Item | None
    moved_from: str = ""

    @property
    def item(self) -> Item:
        found = self.after if self.after is not None else self.before
        if found is None:
            raise ValueError("a step has one side at least")
        return found


def worlds_of(stacks: Sequence[Stack], unreadable: frozenset[str]) -> Iterator[World]:
    """The worlds of these stacks; only those in which something changes. Objects that moved between them did not go.

    What stood in a file that cannot be read any more is not said to be deleted.
    """
    steps = [list(_steps(stack)) for stack in stacks]
    _join(stacks, steps)
    for stack, found in zip(stacks, steps, strict=True):
        kept = [step for step in found if not _gone_unread(step, unreadable)]
        if kept:
            yield _world(stack, kept)


# Private


def _steps(stack: Stack) -> Iterator[Step]:
    """The objects of a stack that change, paired by who they are."""
    befores, afters = _by_key(stack.before), _by_key(stack.after)
    elsewhere = {item.key for item in stack.beside if _near(item.place.path, stack.name)}
    gone, new = [], []
    for key in dict.fromkeys((*befores, *afters)):
        left, right = list(befores.get(key, ())), list(afters.get(key, ()))
        for item in list(left):
            twin = next((one for one in right if one.values == item.values), None)
            if twin is None and len(left) + len(right) > 2:
                twin = next((one for one in right if one.place.path == item.place.path), None)
            if twin is None and len(left) == 1 == len(right):
                twin = right[0]
            if twin is not None:
                left.remove(item)
                right.remove(twin)
                if twin.values != item.values:
                    yield Step(item, twin)
        still = bool(afters.get(key)) or key in elsewhere
        gone += [] if still or key in stack.partial else left[:1]
        new += [] if befores.get(key) or key in elsewhere or key in stack.partial else right[:1]
    yield from _named_spaces(gone, new)


def _named_spaces(gone: list[Item], new: list[Item]) -> Iterator[Step]:
    """A namespace that is now written where it was left to whoever applied it, and the other way round."""
    for item in gone:
        twin = next((one for one in new if _named_alike(one, item)), None)
        if twin is None:
            yield Step(item, None)
        else:
            new.remove(twin)
            yield Step(item, twin)
    for item in new:
        yield Step(None, item)


def _named_alike(one: Item, other: Item) -> bool:
    return (one.type, one.name) == (other.type, other.name) and not (one.namespace and other.namespace)


def _join(stacks: Sequence[Stack], steps: list[list[Step]]) -> None:
    """Makes moves of what leaves one stack and enters another that is the same deployment under another folder."""
    entering: dict[tuple[str, str], list[tuple[int, Step]]] = {}
    for place, found in enumerate(steps):
        for step in found:
            if step.before is None:
                entering.setdefault((step.item.type, step.item.name), []).append((place, step))
    for place, found in enumerate(steps):
        for index, step in enumerate(list(found)):
            if step.after is not None:
                continue
            candidates = entering.get((step.item.type, step.item.name), [])
            for one in candidates:
                other, twin = one
                if (
                    other != place
                    and twin.after
                    and _one_deployment(stacks[place], stacks[other], step.item, twin.after)
                ):
                    candidates.remove(one)
                    steps[other][steps[other].index(twin)] = Step(step.before, twin.after, stacks[place].name or ".")
                    found[index] = Step(None, None)
                    break
    for place, found in enumerate(steps):
        steps[place] = [
            step
            for step in found
            if (step.before or step.after)
            and not (step.before and step.after and step.before.values == step.after.values)
        ]


def _one_deployment(one: Stack, other: Stack, before: Item, after: Item) -> bool:
    if before.namespace and after.namespace and before.namespace != after.namespace:
        return False
    if of_path(f"{one.name}/x") != of_path(f"{other.name}/x"):
        return False
    return not (one.rendered and other.rendered and one.lasting and other.lasting)


def _gone_unread(step: Step, unreadable: frozenset[str]) -> bool:
    if step.after is None and step.before is not None:
        return step.before.place.path in unreadable
    return step.before is None and step.after is not None and step.after.place.path in unreadable


def _near(path: str, folder: str) -> bool:
    """Whether a file lies in a folder, below it, or beside one of the folders above it."""
    other = posixpath.dirname(path)
    return other == folder or other.startswith(f"{folder}/") or folder.startswith(f"{other}/")


def _by_key(items: Iterable[Item]) -> dict[tuple[str, str, str], list[Item]]:
    found: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        found.setdefault(item.key, []).append(item)
    return found


def _world(stack: Stack, steps: list[Step]) -> World:
    known = {item.key for item in (*stack.before, *stack.after)}
    beside = [item for item in stack.beside if item.key not in known]
    moved = [step.before for step in steps if step.moved_from and step.before]
    before, after = [*stack.before, *moved, *beside], [*stack.after, *beside]
    address = _addresses([*before, *after])
    changes = tuple(_change(step, address[step.item.key], stack.changed) for step in steps)
    return World(
        source=SOURCE,
        name=stack.name or ".",
        changes=tuple(sorted(changes, key=lambda one: (one.address, one.place.path, one.place.line))),
        before={address[item.key]: _resource(item, address[item.key]) for item in before},
        after={address[item.key]: _resource(item, address[item.key]) for item in after},
        uses_before=uses_of_items(before, address),
        uses_after=uses_of_items(after, address),
    )


def _addresses(items: Iterable[Item]) -> dict[tuple[str, str, str], str]:
    taken: dict[str, tuple[str, str, str]] = {}
    clashes = set()
    for item in items:
        short = item.address()
        if taken.setdefault(short, item.key) != item.key:
            clashes.add(short)
    return {item.key: item.address(item.address() in clashes) for item in items}


def _change(step: Step, address: str, changed: frozenset[str]) -> ResourceChange:
    item = step.item
    return ResourceChange(
        address=address,
        type=item.type,
        action="delete" if step.after is None else "create" if step.before is None else "update",
        before=step.before.values if step.before else None,
        after=step.after.values if step.after else None,
        moved_from=step.moved_from,
        certainty="likely",
        place=_place(item, changed),
    )


def _place(item: Item, changed: frozenset[str]) -> Place:
    """Where the change of an object stands: its own file, or the patch or kustomization that changed."""
    if item.place.path in changed:
        return item.place
    return next((place for place in reversed(item.patched) if place.path in changed), item.place)


def _resource(item: Item, address: str) -> Resource:
    return Resource(address, item.type, item.values, item.place or Place(""))
