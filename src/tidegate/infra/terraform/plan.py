"""A Terraform or OpenTofu plan as a world before and after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tidegate.errors import InputError
from tidegate.facts import Unjudged
from tidegate.infra.environment import named
from tidegate.infra.terraform.configured import KEY, constants
from tidegate.infra.terraform.contradictions import contradictions, is_data
from tidegate.infra.terraform.document import (
    Change,
    Configuration,
    Entry,
    Mask,
    Plan,
    StateResource,
    Values,
    resources_of,
)
from tidegate.infra.terraform.drift import Drifted, drafts, settle, unmanaged
from tidegate.infra.terraform.given import given_to, read_given, with_unknown
from tidegate.infra.terraform.partial import left_out
from tidegate.infra.terraform.redact import Redactor
from tidegate.infra.terraform.references import Sides, read_uses
from tidegate.infra.terraform.references import is_data as says_data
from tidegate.infra.terraform.runs import actions, commands
from tidegate.infra.terraform.sensitive import secretive
from tidegate.infra.values import Action, Found, Resource, ResourceChange, World

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
    unjudged = list(_unjudged(plan, name, redactor))
    unjudged += contradictions(plan, name, redactor)
    unjudged += actions(plan, redactor)
    changes = tuple(_changes(plan, redactor, unjudged))
    world = _world(plan, name, changes, redactor)
    if world.partial:
        unjudged.append(Unjudged(name, f"The plan is not all of its stack: {world.partial}.", "plan the whole stack"))
    settled = settle(_drifted(plan, redactor), changes)
    return Found(
        worlds=(world,),
        drafts=(*drafts(settled, world.environment), *commands(plan, redactor)),
        unjudged=tuple(unjudged),
        drift=(*(one.fact for one in settled), *unmanaged(changes)),
    )


# Private


def _check_version(plan: Plan, name: str) -> None:
    major = str(plan.format_version or "1").split(".")[0]
    if major not in ("0", "1"):
        raise InputError(
            f"the plan has format {plan.format_version}, and formats up to 1 are known",
            where=name,
            mend="make it with a tool that writes format 1, or use a newer Tidegate",
        )


def _state(plan: Plan) -> Values | None:
    return plan.prior_state.values if plan.prior_state is not None else None


def _learn(plan: Plan, resources: Iterable[StateResource], redactor: Redactor) -> None:
    known: dict[str, list[tuple[Any, Mask]]] = {}
    for address, type_, values, mask in _sides(plan, resources):
        learnt = known.setdefault(address, [])
        if (values, mask) not in learnt:  # most resources stand in a plan four times, and are the same
            learnt.append((values, mask))
            redactor.learn(values, mask, type_)
    for text in _names(plan, resources):
        redactor.learn([text])
    _learn_inputs(plan, redactor)


def _sides(plan: Plan, resources: Iterable[StateResource]) -> Iterator[tuple[str, str, Any, Mask]]:
    for one in resources:
        yield one.address, one.type, one.values, one.sensitive_values
    for entry in (*(plan.resource_changes or ()), *(plan.resource_drift or ())):
        change = entry.change
        yield entry.address, entry.type, change.before, change.before_sensitive
        yield entry.address, entry.type, change.after, change.after_sensitive


def _names(plan: Plan, resources: Iterable[StateResource]) -> Iterator[str]:
    """Every address, and every word that is shown of a change."""
    for one in resources:
        yield one.address
        yield from one.depends_on or ()
    for entry in (*(plan.resource_changes or ()), *(plan.resource_drift or ())):
        yield entry.full_address
        yield entry.previous_address or ""
        yield ", ".join(entry.change.actions)
        yield entry.action_reason or ""
        yield from forced_by(entry)
    for deferred in plan.deferred_changes or ():
        if deferred.resource_change is not None:
            yield deferred.resource_change.full_address


def _learn_inputs(plan: Plan, redactor: Redactor) -> None:
    """Variables, outputs and settings of providers are not kept, but the secrets among them are known elsewhere."""
    root = plan.configuration.root_module if plan.configuration is not None else None
    declared = (root.variables if root is not None else None) or {}
    for name, variable in (plan.variables or {}).items():
        declaration = declared.get(name)
        marked = isinstance(declaration, dict) and declaration.get("sensitive") is True
        if marked or secretive(name):
            redactor.note(variable.value)
        else:
            redactor.learn({name: variable.value})
    for values in (plan.planned_values, _state(plan)):
        for name, output in ((values.outputs if values is not None else None) or {}).items():
            redactor.learn({name: output.value}, {name: output.sensitive})
    for name, change in (plan.output_changes or {}).items():
        redactor.learn({name: change.before}, {name: change.before_sensitive})
        redactor.learn({name: change.after}, {name: change.after_sensitive})
    for key, constant in _constants(plan.configuration):
        redactor.learn({key: constant})


def _constants(configuration: Configuration | None) -> Iterator[tuple[str, Any]]:
    """Every constant in the code, with the name of the attribute that it is of."""
    if configuration is None:
        return
    yield from constants(configuration.provider_config)
    waiting = [configuration.root_module] if configuration.root_module is not None else []
    while waiting:
        module = waiting.pop()
        for block in module.resources or ():
            yield from constants(block.expressions)
        for call in (module.module_calls or {}).values():
            yield from constants(call.expressions)
            if call.module is not None:
                waiting.append(call.module)


def forced_by(entry: Entry) -> tuple[str, ...]:
    """The attributes that force a replacement, with dots."""
    return tuple(".".join(map(str, path)) for path in entry.change.replace_paths or ())


def _changes(plan: Plan, redactor: Redactor, unjudged: list[Unjudged]) -> Iterator[ResourceChange]:
    blocks = read_given(plan.configuration.root_module if plan.configuration is not None else None)
    for entry in (one for one in plan.resource_changes or () if not is_data(one)):
        change = entry.change
        given = given_to(entry.full_address, blocks)
        action = _ACTIONS.get(tuple(change.actions))
        address = redactor.text(entry.full_address)
        if action is None:
            deed = redactor.text(", ".join(change.actions) or "nothing")
            unjudged.append(Unjudged(address, f"The plan does something that is not known here: {deed}.", _AGAIN))
            continue
        if missing := _missing(action, change):
            words = f"The plan does not show what this resource {missing}, so nobody can say what is lost."
            unjudged.append(Unjudged(address, words, _AGAIN))
        before = redactor.clean(change.before, change.before_sensitive, entry.type)
        alike = change.before == change.after and change.before_sensitive == change.after_sensitive
        after = before if alike else redactor.clean(change.after, change.after_sensitive, entry.type)
        yield ResourceChange(
            address=address,
            type=entry.type,
            action="import" if action == "no-op" and change.importing is not None else action,
            before=before,
            after=None
            if action in ("delete", "forget")
            else with_unknown(after or {}, change.after_unknown, before, given),
            forced_by=tuple(map(redactor.text, forced_by(entry))),
            create_first=change.actions[0] == "create" and action == "replace",
            why=redactor.text(entry.action_reason or ""),
            moved_from=redactor.text(entry.previous_address or ""),
        )


def _missing(action: Action, change: Change) -> str:
    """What a change ought to show of a resource and does not."""
    if change.before is None and action in ("update", "delete", "replace", "forget"):
        return "is now"
    unknown = change.after is None or change.after_unknown is True
    return "becomes" if unknown and action in ("create", "update", "replace") else ""


def _unjudged(plan: Plan, name: str, redactor: Redactor) -> Iterator[Unjudged]:
    planned, prior = _wanted(plan.planned_values), _wanted(_state(plan))
    if plan.errored:
        yield Unjudged(name, "The plan ended with an error, so it does not show everything that would happen.", _AGAIN)
    if plan.applyable is False and any(one.change.actions != ["no-op"] for one in plan.resource_changes or ()):
        yield Unjudged(name, "The plan says itself that it cannot be applied.", _AGAIN)
    if plan.resource_changes is None and planned and planned != prior:
        yield Unjudged(name, "The plan shows what is wanted but not what changes.", _AGAIN)
    for deferred in plan.deferred_changes or ():
        entry = deferred.resource_change
        address = entry.full_address if entry is not None else name
        yield Unjudged(redactor.text(address), "This change is put off to a later plan.", "judge that plan too")


def _wanted(values: Values | None) -> dict[str, Any]:
    return {one.address: one.values for one in resources_of(values) if one.mode != "data"}


def _drifted(plan: Plan, redactor: Redactor) -> Iterator[Drifted]:
    for entry in plan.resource_drift or ():
        change = entry.change
        if entry.mode != "data" and change.before is not None:
            before = redactor.clean(change.before, change.before_sensitive, entry.type)
            after = redactor.clean(change.after, change.after_sensitive, entry.type)
            yield Drifted(redactor.text(entry.full_address), entry.type, before, after)


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
            before[address] = after[address] = Resource(address, one.type, values)  # nothing is done to it
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
        partial="" if plan.errored else left_out(plan, managed.before, redactor),
        environment=_environment(plan, redactor),
    )


def _managed(resources: Mapping[str, Resource]) -> Mapping[str, Resource]:
    return {address: one for address, one in resources.items() if not says_data(address)}


def _environment(plan: Plan, redactor: Redactor) -> str:
    """The environment that a variable says in one plain word; a value that may be a secret is never one."""
    for key in _STACK_NAMES:
        variable = (plan.variables or {}).get(key)
        value = variable.value if variable is not None else None
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,30}", value) and named(value):
            return redactor.text(value)
    return ""
