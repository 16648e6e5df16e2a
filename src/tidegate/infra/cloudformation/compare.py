"""One resource on both sides: which properties change, which of them replace it, and what decides that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Certainty
from tidegate.infra.cloudformation.evaluate import Scope, conditions_in, evaluate, holds, names_in
from tidegate.infra.cloudformation.template import Part
from tidegate.infra.forcing import caseless, nested, replaced_by
from tidegate.infra.same import field, same
from tidegate.infra.values import Later, Value

MOST_CONDITIONS = 8
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")


class Forced(Struct, frozen=True):
    """A property that replaces the resource. `open_` where it does so only if two values that nobody can read here
    differ; `sometimes` where the schema says that it depends."""

    name: str
    open_: bool = False
    sometimes: bool = False


class Compared(Struct, frozen=True):
    """A resource on both sides as properties. `only` says in which stacks it changes so, "" in all of them."""

    before: Mapping[str, Value]
    after: Mapping[str, Value]
    changed: tuple[str, ...] = ()
    forced: tuple[Forced, ...] = ()
    only: str = ""

    @property
    def certainty(self) -> Certainty:
        if self.only or (self.forced and all(one.open_ or one.sometimes for one in self.forced)):
            return "possible"
        return "likely"


class Scopes(Struct, frozen=True):
    """How both sides are read: with what the stack has already, and after with the new defaults where they differ.

    `defaults` are the parameters whose default changes."""

    before: Scope
    after: Scope
    fresh: Scope
    defaults: frozenset[str] = frozenset()


def compared(old: Part, new: Part, scopes: Scopes) -> Compared:
    """What changes in a resource of one type. The stacks that exist count: a parameter keeps its value. What changes
    only with a new default or behind a condition is found too, and said to be that."""
    first = _compared(old, new, scopes.before, scopes.after)
    if first.forced and not all(one.open_ for one in first.forced):
        return first
    best = first
    for only, before, after in _variants(old, new, scopes):
        found = replace(_compared(old, new, before, after), only=only)
        if found.forced and not best.forced:
            return found
        if found.changed and not best.changed:
            best = found
    return best


def undecided(one: Value, other: Value) -> bool:
    """Whether two values that are written differently may be the same in a deployment."""
    if isinstance(one, Later) or isinstance(other, Later):
        return True
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [pair for pair in zip(one, other, strict=True) if not same(*pair)]
        return bool(pairs) and all(undecided(*pair) for pair in pairs)
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    one, other = _inside(one), _inside(other)
    if "${" in one and "${" in other:
        return _open_places(one, other)
    return _may_match(one, other) or _may_match(other, one)


# Private


def _variants(old: Part, new: Part, scopes: Scopes) -> Iterator[tuple[str, Scope, Scope]]:
    if scopes.defaults:
        named = sorted(scopes.defaults & _reached(new, scopes.after))
        if named:
            words = f"where the parameter {' or '.join(named)} is left to its new default"
            yield words, scopes.before, scopes.fresh
    if old.properties == new.properties:
        return
    asked = sorted({*conditions_in(old.properties), *conditions_in(new.properties)})
    for name in asked[:MOST_CONDITIONS]:
        for chosen in (True, False):
            side = scopes.after if name in scopes.after.template.conditions else scopes.before
            if (holds(name, side) is not False) is chosen:
                continue
            words = f"where the condition {name} is {'true' if chosen else 'false'}"
            yield words, scopes.before.choosing(name, chosen), scopes.after.choosing(name, chosen)


def _reached(part: Part, scope: Scope) -> set[str]:
    """The parameters that a resource names, itself or through conditions."""
    found = set(names_in(part.properties))
    waiting, seen = list(conditions_in(part.properties)), set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            expression = scope.template.conditions.get(name)
            found |= set(names_in(expression))
            waiting += list(_conditions_named(expression))
    return found


def _conditions_named(expression: Any) -> Iterator[str]:
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if isinstance(named := one.get("Condition"), str):
                yield named
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _compared(old: Part, new: Part, before: Scope, after: Scope) -> Compared:
    one, other = _properties(old, before), _properties(new, after)
    changed = tuple(
        name for name in sorted({*one, *other}) if not _same(new.type, name, one.get(name), other.get(name))
    )
    forced = tuple(found for name in changed for found in _forced(new.type, name, one, other))
    return Compared(one, other, changed, forced)


def _properties(part: Part, scope: Scope) -> Mapping[str, Value]:
    found = evaluate(part.properties, scope)
    return found if isinstance(found, Mapping) else {}


def _same(type_: str, name: str, one: Value, other: Value) -> bool:
    if same(one, other):
        return True
    return isinstance(one, str) and isinstance(other, str) and caseless(type_, name) and one.lower() == other.lower()


def _forced(type_: str, name: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[Forced]:
    how = replaced_by(type_, name)
    one, other = before.get(name), after.get(name)
    if how in ("always", "conditionally"):
        sometimes = how == "conditionally" and name != "KeySchema"
        yield Forced(name, undecided(one, other), sometimes or (one is None and other is False))
        return
    for path in nested(type_):
        if path.startswith(f"{name}/") and "*" not in path:
            dotted = path.replace("/", ".")
            inner, outer = field(before, dotted), field(after, dotted)
            if not same(inner, outer):
                yield Forced(dotted, undecided(inner, outer), replaced_by(type_, path) == "conditionally")


def _inside(text: str) -> str:
    return f"${{{text[4:]}}}" if text.startswith("Ref:") else text


def _open_places(one: str, other: str) -> bool:
    """Whether two texts differ only where one of them has what a deployment decides: `${the parameter Name}`. What
    stands for a resource has no space in it."""
    if _PLACEHOLDER.split(one) != _PLACEHOLDER.split(other):
        return False
    pairs = zip(_PLACEHOLDER.findall(one), _PLACEHOLDER.findall(other), strict=True)
    return all(first == second or " " in first or " " in second for first, second in pairs)


def _may_match(pattern: str, text: str) -> bool:
    """Whether a text may be what a text with placeholders comes to."""
    if "${" not in pattern:
        return False
    pieces = _PLACEHOLDER.split(pattern)
    if not text.startswith(pieces[0]) or not text.endswith(pieces[-1]):
        return False
    place = 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True
