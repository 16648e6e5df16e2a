"""What two policies differ in: which (principal, action, resource, condition) become allowed and which stop to be.

A document is a union of boxes that allow less a union of boxes that deny. What is allowed after and was not before is
found box by box: patterns first, and the table of actions only where patterns cannot settle it (`s3:Get*` against
every Get by name). In doubt something counts as new: a policy is never taken for narrower than it may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tidegate.infra.iam.actions import action, expand
from tidegate.infra.iam.conditions import Condition, implies
from tidegate.infra.iam.documents import BEFORE, EVERYBODY, UNREADABLE, Document, Statement, account_of, read_document
from tidegate.infra.iam.globs import covered, covers, is_wild, meets
from tidegate.infra.values import Value

MOST_PAIRS = 200_000
FEW = 4
"""So few new actions of a pattern are said by name, more by the pattern."""


class Grant(Struct, frozen=True):
    """One box. `actions` are as written; `reach` are those of them that are new, in lower case and without lists.

    With `all_but` the actions are the exceptions (NotAction), and likewise `other_resources` and `other_principals`.
    """

    principal: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    reach: frozenset[str] = frozenset()
    all_but: bool = False
    other_resources: bool = False
    other_principals: tuple[str, ...] = ()


class Difference(Struct, frozen=True):
    """`gained` and `lost` are allowed; `undenied` was denied and is not any more. `unread` could not be compared."""

    gained: tuple[Grant, ...] = ()
    lost: tuple[Grant, ...] = ()
    undenied: tuple[Grant, ...] = ()
    unread: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.undenied or self.unread)

    @property
    def widens(self) -> bool:
        return bool(self.gained or self.undenied)


def compare(before: Value, after: Value) -> Difference:
    """The difference of two documents in any form that `read_document` reads."""
    if isinstance(before, str) and before == after:
        return Difference()
    return difference(read_document(before, BEFORE), read_document(after))


def widened(before: Value, after: Value) -> bool:
    """Whether the document after allows anything that the one before does not, or may do so."""
    found = compare(before, after)
    return found.widens or bool(found.unread)


def difference(before: Document, after: Document) -> Difference:
    """The difference of two documents that were read."""
    known = {one for one in before.unread if not one.startswith(UNREADABLE)}
    unread = tuple(dict.fromkeys(one for one in after.unread if one not in known))
    if _size(before) * _size(after) > MOST_PAIRS:
        return Difference(unread=(*unread, "the policies are too large to be compared"))
    return Difference(_new(before, after), _new(after, before), _undenied(before, after), unread)


def allowed(document: Document) -> tuple[Grant, ...]:
    """All that a document allows, as boxes."""
    return _new(Document(), document)


# Private

_Acts: TypeAlias = tuple[bool, tuple[str, ...]]
"""The actions of a statement, and whether they are its exceptions."""


class _Box(Struct, frozen=True):
    """A statement with one principal and one resource: `("*", "b")` for what is none of these."""

    statement: Statement
    principal: tuple[str, ...]
    resource: tuple[str, ...]


def _size(document: Document) -> int:
    return sum(len(one.principals) * len(one.resources) * max(1, len(one.actions)) for one in document.statements)


def _boxes(statements: Iterable[Statement]) -> Iterator[_Box]:
    for one in statements:
        principals = [("not", *one.principals)] if one.not_principals else [(name,) for name in one.principals]
        resources = [("not", *one.resources)] if one.not_resources else [(name,) for name in one.resources]
        for who in principals:
            for what in resources:
                yield _Box(one, who, what)


def _of(document: Document, *, allows: bool) -> list[Statement]:
    return [one for one in document.statements if one.allows is allows]


def _new(before: Document, after: Document) -> tuple[Grant, ...]:
    known, denied = _of(before, allows=True), _of(after, allows=False)
    found: list[Grant] = []
    for box in _boxes(_of(after, allows=True)):
        covering = [one for one in known if _holds(one, box, box.statement.conditions)]
        denying = [one for one in denied if _holds(one, box, box.statement.conditions)]
        found += _left(box, [*covering, *denying])
    return _joined(found)


def _undenied(before: Document, after: Document) -> tuple[Grant, ...]:
    still, was, now = (_of(after, allows=False), _of(before, allows=True), _of(after, allows=True))
    found: list[Grant] = []
    for box in _boxes(_of(before, allows=False)):
        left = _left(box, [one for one in still if _holds(one, box, box.statement.conditions)])
        if not left:
            continue
        carved = any(_touches(one, box) for one in was)
        if not carved or any(_touches(one, box) for one in now):
            found += left
    return _joined(found)


def _holds(statement: Statement, box: _Box, conditions: tuple[Condition, ...]) -> bool:
    """Whether a statement speaks for all principals, resources and requests of a box, whatever the actions."""
    return (
        _who_in(box.principal, statement)
        and _what_in(box.resource, statement)
        and implies(conditions, statement.conditions)
    )


def _who_in(who: tuple[str, ...], statement: Statement) -> bool:
    if statement.not_principals:
        if who[0] == "not":
            return set(statement.principals) <= set(who[1:])
        return who[0] != EVERYBODY and not any(
            _is_in(who[0], one) or _is_in(one, who[0]) for one in statement.principals
        )
    if who[0] == "not":
        return EVERYBODY in statement.principals
    return any(_is_in(who[0], one) for one in statement.principals)


def _is_in(one: str, wide: str) -> bool:
    return wide in (one, EVERYBODY) or (wide.isdigit() and account_of(one) == wide)


def _what_in(what: tuple[str, ...], statement: Statement) -> bool:
    if statement.not_resources:
        if what[0] == "not":
            return all(covered(one, what[1:]) for one in statement.resources)
        return not any(meets(what[0], one) for one in statement.resources)
    if what[0] == "not":
        return "*" in statement.resources
    return covered(what[0], statement.resources)


def _touches(statement: Statement, box: _Box) -> bool:
    """Whether a statement and a box may speak of the same request."""
    mine = box.statement
    if not (statement.not_actions or mine.not_actions):
        if not any(meets(one, other) for one in statement.actions for other in mine.actions):
            return False
    elif statement.not_actions != mine.not_actions:
        plain, excepted = (mine, statement) if statement.not_actions else (statement, mine)
        if all(covered(one, excepted.actions) for one in plain.actions):
            return False
    if box.resource[0] == "not":
        return statement.not_resources or not all(covered(one, box.resource[1:]) for one in statement.resources)
    if statement.not_resources:
        return not covered(box.resource[0], statement.resources)
    return any(meets(box.resource[0], one) for one in statement.resources)


def _left(box: _Box, against: list[Statement]) -> list[Grant]:
    """What of a box is in none of these statements, which all hold its principal, resource and requests."""
    statement = box.statement
    others = tuple(dict.fromkeys((one.not_actions, one.actions) for one in against))
    if statement.not_actions:
        return _left_of_rest(box, others)
    spelled = {one.lower(): one for one in statement.named}
    found: list[Grant] = []
    for pattern in statement.actions:
        if any(_acts(one, pattern) for one in others):
            continue
        whole, left = _new_actions(pattern, others)
        if whole and not left:
            continue
        few = len(left) < len(whole) and len(left) <= FEW
        actions = tuple(sorted(action(one).name for one in left)) if few else (spelled.get(pattern, pattern),)
        found.append(_grant(box, actions, left))
    return found


def _left_of_rest(box: _Box, others: tuple[_Acts, ...]) -> list[Grant]:
    excepted = box.statement.actions
    for not_actions, actions in others:
        if "*" in actions if not not_actions else all(covered(name, excepted) for name in actions):
            return []
    whole, left = _rest(excepted), _new_rest(excepted, others)
    if not left:
        return []
    if len(left) < len(whole) // 2:
        return [_grant(box, tuple(sorted(left)), left)]
    return [_grant(box, box.statement.named, left, all_but=True)]


@lru_cache(maxsize=2048)
def _new_actions(pattern: str, others: tuple[_Acts, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The actions of a pattern, and those of them that none of the others has."""
    whole = frozenset({pattern})
    if is_wild(pattern):
        whole = expand(pattern) | {one for one in _unlisted(others) if covers(pattern, one)}
    return whole, frozenset(one for one in whole if not any(_acts(other, one) for other in others))


@lru_cache(maxsize=64)
def _rest(excepted: tuple[str, ...]) -> frozenset[str]:
    return frozenset(one for one in expand("*") if not covered(one, excepted))


@lru_cache(maxsize=256)
def _new_rest(excepted: tuple[str, ...], others: tuple[_Acts, ...]) -> frozenset[str]:
    whole = _rest(excepted) | {one for one in _unlisted(others) if not any(meets(one, two) for two in excepted)}
    return frozenset(one for one in whole if not any(_acts(other, one) for other in others))


def _unlisted(others: tuple[_Acts, ...]) -> set[str]:
    """What statements name and the table of actions does not hold: lists, new services, words filled in later."""
    return {one for _, actions in others for one in actions if not expand(one)}


def _acts(acts: _Acts, name: str) -> bool:
    not_actions, actions = acts
    if not_actions:
        return not any(meets(name, one) for one in actions)
    return any(covers(one, name) for one in actions)


def _grant(box: _Box, actions: tuple[str, ...], reach: frozenset[str], *, all_but: bool = False) -> Grant:
    others = box.principal[0] == "not"
    return Grant(
        principal=EVERYBODY if others else box.principal[0],
        actions=actions,
        resources=box.resource[1:] if box.resource[0] == "not" else box.resource,
        conditions=box.statement.conditions,
        reach=reach,
        all_but=all_but,
        other_resources=box.resource[0] == "not",
        other_principals=box.principal[1:] if others else (),
    )


def _joined(found: Iterable[Grant]) -> tuple[Grant, ...]:
    """Boxes that differ in one thing only as one: actions of a resource first, then resources of the same actions."""
    rows: dict[tuple[object, ...], list[Grant]] = {}
    for one in found:
        key = (one.principal, one.conditions, one.resources, one.all_but, one.other_resources, one.other_principals)
        rows.setdefault(key, []).append(one)
    by_actions: dict[tuple[object, ...], list[Grant]] = {}
    for group in rows.values():
        one = _with_actions(group)
        key = (one.principal, one.conditions, one.actions, one.all_but, one.other_resources, one.other_principals)
        by_actions.setdefault(key, []).append(one)
    joined = [_with_resources(group) for group in by_actions.values()]
    return tuple(sorted(joined, key=lambda one: (one.principal, one.actions, one.resources, repr(one.conditions))))


def _with_actions(group: list[Grant]) -> Grant:
    first = group[0]
    if len(group) == 1:
        return first
    actions = tuple(sorted({name for one in group for name in one.actions}))
    return _changed(first, {"actions": actions, "reach": frozenset().union(*(one.reach for one in group))})


def _with_resources(group: list[Grant]) -> Grant:
    first = group[0]
    if len(group) == 1 or first.other_resources:
        return first
    return _changed(first, {"resources": tuple(sorted({name for one in group for name in one.resources}))})


def _changed(grant: Grant, fields: Mapping[str, object]) -> Grant:
    return replace(grant, **fields)
