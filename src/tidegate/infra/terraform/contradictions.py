"""Where a plan says two things of one resource. No tool writes that; somebody may have edited it to look harmless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.facts import Unjudged
from tidegate.infra.same import same
from tidegate.infra.terraform.configured import KEY
from tidegate.infra.terraform.document import Entry, Plan, StateResource, Values, resources_of
from tidegate.infra.terraform.given import COMPUTED, given_to, is_any, read_given
from tidegate.infra.terraform.redact import Redactor

MOST_NAMED = 5
_AGAIN = "make the plan again and give it as the tool wrote it"
_TAGS = ("tags", "tags_all")


def is_data(entry: Entry) -> bool:
    """Whether an entry is of a data source: its mode says so, and so does its address."""
    return entry.mode == "data" and (not entry.address or _says_data(entry))


def contradictions(plan: Plan, name: str, redactor: Redactor) -> Iterator[Unjudged]:
    """What nobody can judge because the plan disagrees with itself, the first few by name."""
    found = list(_found(plan))
    for address, words in found[:MOST_NAMED]:
        yield Unjudged(redactor.text(address), f"The plan contradicts itself: {words}.", _AGAIN)
    if len(found) > MOST_NAMED:
        yield Unjudged(name, f"The plan contradicts itself in {len(found) - MOST_NAMED} more places.", _AGAIN)


# Private


def _found(plan: Plan) -> Iterator[tuple[str, str]]:
    planned = {one.address: one for one in resources_of(plan.planned_values) if one.mode != "data"}
    prior = {one.address: one for one in resources_of(_before(plan)) if one.mode != "data"}
    blocks = read_given(plan.configuration.root_module if plan.configuration is not None else None)
    seen: set[str] = set()
    for entry in plan.resource_changes or ():
        words = _odd(entry, planned) or _uncoded(entry, blocks) or _lacking(entry, prior, planned)
        if not words and entry.full_address in seen:
            words = "it changes this resource twice"
        seen.add(entry.full_address)
        if words:
            yield entry.full_address, words


def _odd(entry: Entry, planned: Mapping[str, StateResource]) -> str:
    if words := _misnamed(entry):
        return words
    if is_data(entry):
        return "" if set(entry.change.actions) <= {"read", "no-op", "delete"} else "it changes a data source"
    return _done(entry) or _undone(entry, planned)


def _misnamed(entry: Entry) -> str:
    if not entry.address:
        return ""
    if entry.mode == "data" and not _says_data(entry):
        return "it calls this a data source, and its address is that of a resource"
    parts = KEY.sub("", entry.address).split(".")
    if len(parts) < 2 or parts[-2] != entry.type:
        return f"it says that this is a {entry.type or 'thing without a type'}, and its address says otherwise"
    return ""


def _done(entry: Entry) -> str:
    """What an entry says of the deed and does not show, or shows and does not say."""
    change, why = entry.change, entry.action_reason or ""
    replaces = {"delete", "create"} <= set(change.actions)
    if change.actions == ["read"]:
        return "it only reads this, which is no data source"
    if change.actions == ["create"] and change.before:
        return "it creates this, and shows what it is now"
    if (change.replace_paths or why.startswith("replace_")) and not replaces:
        return "it says why this is replaced, and does not replace it"
    if why.startswith("delete_") and not {"delete", "forget"} & set(change.actions):
        return "it says why this is deleted, and does not delete it"
    return ""


def _undone(entry: Entry, planned: Mapping[str, StateResource]) -> str:
    """Something else than nothing, where an entry says that it does nothing."""
    change = entry.change
    if change.actions != ["no-op"]:
        return ""
    if change.before != change.after and not same(change.before, change.after):
        return "it does nothing to this, and shows another value after than before"
    if is_any(change.after_unknown):
        return "it does nothing to this, and does not know what it will be"
    after = planned.get(entry.address)
    if planned and after is None and change.after is not None and not entry.deposed:
        return "it does nothing to this, and does not plan for it to be there"
    if after is not None and _differs(after.values or {}, change.after or {}):
        return "it does nothing to this, and plans other values for it"
    return ""


def _uncoded(entry: Entry, blocks: Mapping[str, Any]) -> str:
    """What nobody can call a blank or a choice, because the code is cut out of the plan."""
    change = entry.change
    if is_data(entry) or not {"create", "update"} & set(change.actions) or given_to(entry.full_address, blocks):
        return ""
    if blocks:
        return "it makes this, and its code does not have it"
    masks = change.after_unknown if isinstance(change.after_unknown, dict) else {}
    names = [name for name in masks if name in COMPUTED and is_any(masks[name])]
    return f"it does not know {', '.join(names[:3])}, and does not show the code that says why" if names else ""


def _before(plan: Plan) -> Values | None:
    return plan.prior_state.values if plan.prior_state is not None else None


def _lacking(entry: Entry, prior: Mapping[str, StateResource], planned: Mapping[str, StateResource]) -> str:
    """What the state or the planned values hold, and an entry does not."""
    change = entry.change
    if is_data(entry) or entry.deposed:
        return ""
    was, will = prior.get(entry.previous_address or entry.address), planned.get(entry.address)
    if was is not None and change.before is not None and (name := _cut(was.values or {}, change.before, _DEEP)):
        return f"{name} is in its state, and not in what the plan says that it is now"
    if will is not None and change.after is not None and (name := _cut(will.values or {}, change.after, 1)):
        return f"{name} is among the planned values, and not in what the plan says that it becomes"
    return ""


_DEEP = 12
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _cut(one: Mapping[str, Any], other: Mapping[str, Any], deepest: int) -> str:
    """The first attribute that one side has and the other does not, or has as something of another kind."""
    return next(
        (name for name, value in one.items() if name not in _TAGS and _less(value, other.get(name), deepest)), ""
    )


def _less(one: Any, other: Any, deepest: int) -> bool:
    if one in _NOTHING:
        return False
    if other in _NOTHING:
        return one not in (False, 0)
    if isinstance(one, dict) and isinstance(other, dict):
        return deepest > 1 and bool(_cut(one, other, deepest - 1))
    if isinstance(one, list) and isinstance(other, list):
        inner = any(_less(a, b, deepest - 1) for a, b in zip(one, other, strict=False)) if deepest else False
        return len(other) < len(one) or inner
    return type(one) is not type(other) and not same(one, other)


def _differs(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    names = (name for name in one if name in other and name not in _TAGS)
    return any(
        one[name] is not None and other[name] is not None and one[name] != other[name]
        for name in names
        if not same(one[name], other[name])
    )


def _says_data(entry: Entry) -> bool:
    return ".data." in f".{KEY.sub('', entry.address)}"
