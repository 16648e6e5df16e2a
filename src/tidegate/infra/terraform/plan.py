"""A Terraform or OpenTofu plan as a world before and after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tidegate.errors import InputError
from tidegate.facts import Unjudged
from tidegate.infra.environment import named
from tidegate.infra.terraform.configured import KEY
from tidegate.infra.terraform.document import Entry, Mask, Plan, StateResource, resources_of
from tidegate.infra.terraform.redact import Redactor
from tidegate.infra.terraform.references import Sides, is_data, read_uses
from tidegate.infra.values import Action, Found, Later, Resource, ResourceChange, Value, World

_ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("no-op",): "no-op",
    ("create",): "create",
    ("read",): "read",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
    ("create", "forget"): "forget",
    ("forget", "create"): "forget",
}
_AGAIN = "make the plan again, of the whole stack and without errors"
_STACK_NAMES = ("environment", "env", "environment_name", "environment-name", "stage", "workspace", "namespace")


def read_terraform_plan(text: bytes, name: str) -> Found:
    """What a plan does, with its secrets taken away. Raises InputError for a plan of a format that is not known."""
    plan = msgspec.json.decode(text, type=Plan)
    _check_version(plan, name)
    redactor = Redactor()
    prior, planned = resources_of(_state(plan)), resources_of(plan.planned_values)
    _learn(plan, (*prior, *planned), redactor)
    unjudged = list(_unjudged(plan, planned, name))
    entries = [one for one in plan.resource_changes or () if one.mode != "data"]
    changes = tuple(_changes(entries, redactor, unjudged))
    world = _world(plan, name, changes, redactor)
    return Found(worlds=(world,), unjudged=tuple(unjudged))


# Private


def _check_version(plan: Plan, name: str) -> None:
    major = (plan.format_version or "1").split(".")[0]
    if major not in ("0", "1"):
        raise InputError(
            f"the plan has format {plan.format_version}, and formats up to 1 are known",
            where=name,
            mend="make it with a tool that writes format 1, or use a newer Tidegate",
        )


def _state(plan: Plan) -> Any:
    return plan.prior_state.values if plan.prior_state is not None else None


def _learn(plan: Plan, resources: Iterable[StateResource], redactor: Redactor) -> None:
    for one in resources:
        redactor.learn(one.values, one.sensitive_values, one.type)
    for entry in (*(plan.resource_changes or ()), *(plan.resource_drift or ())):
        redactor.learn(entry.change.before, entry.change.before_sensitive, entry.type)
        redactor.learn(entry.change.after, entry.change.after_sensitive, entry.type)


def _changes(entries: Iterable[Entry], redactor: Redactor, unjudged: list[Unjudged]) -> Iterator[ResourceChange]:
    for entry in entries:
        change = entry.change
        action = _ACTIONS.get(tuple(change.actions))
        address = redactor.text(entry.full_address)
        if action is None:
            actions = redactor.text(", ".join(change.actions) or "nothing")
            unjudged.append(Unjudged(address, f"The plan does something that is not known here: {actions}.", _AGAIN))
            continue
        before = redactor.clean(change.before, change.before_sensitive, entry.type)
        after = redactor.clean(change.after, change.after_sensitive, entry.type)
        yield ResourceChange(
            address=address,
            type=entry.type,
            action="import" if action == "no-op" and change.importing is not None else action,
            before=before,
            after=None if action in ("delete", "forget") else merged(after or {}, change.after_unknown),
            forced_by=tuple(".".join(map(str, path)) for path in change.replace_paths or ()),
            create_first=change.actions[0] == "create" and action == "replace",
            why=entry.action_reason or "",
            moved_from=redactor.text(entry.previous_address or ""),
        )


def merged(after: Value, unknown: Mask) -> Value:
    """A value with `Later` where it is known only after apply."""
    if unknown is True:
        return Later()
    if isinstance(unknown, dict) and (after is None or isinstance(after, dict)):
        later = {key: merged((after or {}).get(key), inner) for key, inner in unknown.items() if _any(inner)}
        return {**(after or {}), **later} if later else after
    if isinstance(unknown, list) and (after is None or isinstance(after, list)) and _any(unknown):
        known = list(after or ())
        known += [None] * (len(unknown) - len(known))
        return [merged(one, unknown[place] if place < len(unknown) else False) for place, one in enumerate(known)]
    return after


def _any(mask: Mask) -> bool:
    if isinstance(mask, dict):
        return any(map(_any, mask.values()))
    return any(map(_any, mask)) if isinstance(mask, list) else mask is True


def _unjudged(plan: Plan, planned: list[StateResource], name: str) -> Iterator[Unjudged]:
    if plan.errored:
        yield Unjudged(name, "The plan ended with an error, so it does not show everything that would happen.", _AGAIN)
    if plan.complete is False:
        yield Unjudged(name, "The plan is not complete: it was made with -target or puts changes off.", _AGAIN)
    if plan.resource_changes is None and planned:
        yield Unjudged(name, "The plan shows what is wanted but not what changes.", _AGAIN)
    for deferred in plan.deferred_changes or ():
        entry = deferred.resource_change
        address = entry.full_address if entry is not None else name
        yield Unjudged(address, "This change is put off to a later plan.", "judge that plan too")


def _world(plan: Plan, name: str, changes: tuple[ResourceChange, ...], redactor: Redactor) -> World:
    before: dict[str, Resource] = {}
    after: dict[str, Resource] = {}
    moved = {change.moved_from for change in changes}
    prior = resources_of(_state(plan))
    for change in changes:
        if change.before is not None:
            before[change.address] = Resource(change.address, change.type, change.before)
        if change.after is not None:
            after[change.address] = Resource(change.address, change.type, change.after)
        elif change.action == "forget" and change.before is not None:
            after[change.address] = before[change.address]
    for one in prior:
        address = redactor.text(one.address)
        if address not in before and address not in moved:
            values = redactor.clean(one.values or {}, one.sensitive_values, one.type)
            before[address] = Resource(address, one.type, values)
            if one.mode == "data":
                after[address] = before[address]
    changing = frozenset(KEY.sub("", one.address) for one in changes if one.action not in ("no-op", "import"))
    managed = Sides(_managed(before), _managed(after), changing)
    uses_before, uses_after = read_uses(plan, prior, managed, redactor.text)
    return World(
        source="terraform plan",
        name=name,
        changes=changes,
        before=before,
        after=after,
        uses_before=uses_before,
        uses_after=uses_after,
        partial="it was made with -target or puts changes off" if plan.complete is False else "",
        environment=_environment(plan),
    )


def _managed(resources: Mapping[str, Resource]) -> Mapping[str, Resource]:
    return {address: one for address, one in resources.items() if not is_data(address)}


def _environment(plan: Plan) -> str:
    """The environment that a variable says in one plain word; a value that may be a secret is never one."""
    for key in _STACK_NAMES:
        variable = (plan.variables or {}).get(key)
        value = variable.value if variable is not None else None
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,30}", value) and named(value):
            return value
    return ""
