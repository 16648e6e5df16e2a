"""Change sets: what CloudFormation itself says that an update will do (`aws cloudformation describe-change-set`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Certainty, DriftFact, Place, Unjudged
from tidegate.infra.cloudformation.compare import Compared, Forced
from tidegate.infra.cloudformation.diff import Both, doomed, target_of
from tidegate.infra.cloudformation.evaluate import Scope, Secrets, evaluate
from tidegate.infra.cloudformation.guards import drafts_of_one
from tidegate.infra.cloudformation.names import terraform_type
from tidegate.infra.cloudformation.shaped import shaped
from tidegate.infra.cloudformation.template import Part, Template
from tidegate.infra.graph import Use, uses_of
from tidegate.infra.kinds import stateful
from tidegate.infra.same import items
from tidegate.infra.values import Action, Draft, Found, Later, Resource, ResourceChange, Value, World

SOURCE = "change set"
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
_UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


def read_change_set(document: Mapping[str, Any], name: str) -> Found:
    """The world of one change set as JSON. What it leaves out is said: more pages, nested stacks, missing values."""
    secrets = Secrets()
    entries = [
        entry
        for one in items(document.get("Changes"))
        if isinstance(one, Mapping) and (entry := _entry(_mapping(one.get("ResourceChange")), secrets)) is not None
    ]
    partial = _partial(document)
    world = World(
        source=SOURCE,
        name=name,
        changes=tuple(sorted((one.change for one in entries), key=lambda change: change.address)),
        before={
            one.change.address: _resource(one.change, "before") for one in entries if one.change.before is not None
        },
        after={one.change.address: _resource(one.change, "after") for one in entries if one.change.after is not None},
        uses_before=uses_of(use for one in entries for use in one.uses),
        uses_after=uses_of(use for one in entries for use in one.uses),
        partial=partial,
        environment=str(document.get("StackName", "")),
    )
    said: list[Unjudged] = [one for entry in entries for one in entry.unjudged]
    if partial:
        said.insert(0, Unjudged(str(document.get("StackName", name)), partial, "Describe the whole change set."))
    return Found(
        worlds=(world,),
        drafts=tuple(draft for one in entries for draft in one.drafts),
        unjudged=tuple(said),
        drift=tuple(drift for one in entries for drift in one.drift),
    )


# Private


class _Entry(Struct, frozen=True):
    change: ResourceChange
    uses: tuple[Use, ...] = ()
    drafts: tuple[Draft, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    drift: tuple[DriftFact, ...] = ()


def _partial(document: Mapping[str, Any]) -> str:
    if document.get("NextToken"):
        return "the change set has more pages than this file (NextToken)"
    status, reason = document.get("Status"), str(document.get("StatusReason", ""))
    if status in (None, "CREATE_COMPLETE") or any(words in reason for words in _NOTHING_TO_DO):
        return ""
    return f"the change set is {status}{': ' + reason if reason else ''}"


def _entry(found: Mapping[str, Any], secrets: Secrets) -> _Entry | None:
    name, type_ = found.get("LogicalResourceId"), found.get("ResourceType")
    if not isinstance(name, str) or not isinstance(type_, str):
        return None
    name = ".".join([*_module(found), name])
    details = [one for one in items(found.get("Details")) if isinstance(one, Mapping)]
    before, after = _sides(found, details, secrets)
    both = Both(
        _part(name, type_, found, details, "BeforeValue", before),
        _part(name, type_, found, details, "AfterValue", after),
        Compared(before, after, _changed(details), _forced(details)),
    )
    change = _change(both, found)
    own = drafts_of_one(both, Place("")) if found.get("Action") == "Modify" else ()
    return _Entry(
        change=change,
        uses=tuple(_uses(name, type_, details)),
        drafts=tuple(replace(draft, code_only=True) for draft in own),
        unjudged=tuple(_unjudged(name, type_, found, details)),
        drift=tuple(_drift(name, type_, found, details)),
    )


def _module(found: Mapping[str, Any]) -> list[str]:
    hierarchy = _mapping(found.get("ModuleInfo")).get("LogicalIdHierarchy")
    return [hierarchy] if isinstance(hierarchy, str) and hierarchy else []


def _change(both: Both, found: Mapping[str, Any]) -> ResourceChange:
    action, certainty, why = _action(both, found)
    name, type_ = both.new.name, both.new.type
    old, new = shaped(type_, name, both.compared.before), shaped(type_, name, both.compared.after)
    before, after = old.values, new.values
    policy = str(found.get("PolicyAction", ""))
    if action in ("replace", "delete", "forget"):
        kept = policy.removeprefix("ReplaceAnd") or "Delete"
        before = doomed(old, kept, kept)
    return ResourceChange(
        address=name,
        type=old.type,
        action=action,
        before=None if action in ("create", "import") else before,
        after=None if action in ("delete", "forget") else after,
        forced_by=tuple(target_of(old.type, one.name) for one in both.compared.forced) if action == "replace" else (),
        create_first=action == "replace",
        why=why,
        certainty=certainty,
        spelled={**old.spelled, **new.spelled},
    )


def _action(both: Both, found: Mapping[str, Any]) -> tuple[Action, Certainty, str]:
    action, replacement = found.get("Action"), str(found.get("Replacement", "False"))
    if action == "Add":
        return "create", "certain", ""
    if action == "Remove":
        retained = str(found.get("PolicyAction", "")) == "Retain"
        return ("forget", "certain", "its PolicyAction is Retain") if retained else ("delete", "certain", "")
    if action == "Import":
        return "import", "certain", ""
    if action == "SyncWithActual":
        return "no-op", "certain", "the stack takes over what is there"
    open_ = bool(both.compared.forced) and all(one.open_ for one in both.compared.forced)
    if replacement == "True":
        why = "its new value is known only when the update runs" if open_ else ""
        return "replace", "possible" if open_ else "certain", why
    if replacement == "Conditional" and stateful(terraform_type(both.new.type)) is not None:
        return "replace", "possible", "CloudFormation decides it when the update runs (Replacement is Conditional)"
    return "update", "certain" if action == "Modify" else "possible", ""


def _sides(
    found: Mapping[str, Any], details: list[Mapping[str, Any]], secrets: Secrets
) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    sides = []
    for context, key, words in (
        ("BeforeContext", "BeforeValue", "what is there now"),
        ("AfterContext", "AfterValue", "another value"),
    ):
        values = dict(_mapping(_context(found.get(context)).get("Properties")))
        for detail in details:
            target = _mapping(detail.get("Target"))
            path = str(target.get("Path") or target.get("Name") or "").removeprefix("/Properties/").split("/")
            top = path[0]
            if target.get("Attribute") not in ("Properties", "Tags") or not top or top in values:
                continue
            given = target.get(key)
            missing = None if "BeforeValue" in target or "AfterValue" in target else Later(words)
            values[top] = missing if given is None else _value(given) if len(path) == 1 else Later(words)
        sides.append(_known(values, secrets))
    return sides[0], sides[1]


def _known(values: Mapping[str, Any], secrets: Secrets) -> Mapping[str, Value]:
    scope = Scope(Template("", {}, {}, {}, {}, {}), {}, secrets)
    found = evaluate(_later(values), scope)
    return found if isinstance(found, Mapping) else {}


def _later(value: Any) -> Value:
    if isinstance(value, Mapping):
        return {key: _later(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_later(inner) for inner in value]
    return Later() if isinstance(value, str) and _UNKNOWN in value else value


def _value(given: Any) -> Any:
    """Values of details are text; lists and mappings stand in it as JSON."""
    if isinstance(given, str) and given[:1] in ("{", "["):
        try:
            return json.loads(given)
        except (ValueError, RecursionError):
            return given
    return given


def _context(found: Any) -> Mapping[str, Any]:
    value = _value(found)
    return value if isinstance(value, Mapping) else {}


def _part(
    name: str,
    type_: str,
    found: Mapping[str, Any],
    details: list[Mapping[str, Any]],
    key: str,
    own: Mapping[str, Value],
) -> Part:
    body = dict(_context(found.get("BeforeContext" if key == "BeforeValue" else "AfterContext")))
    for detail in details:
        target = _mapping(detail.get("Target"))
        if target.get("Attribute") in _POLICIES and isinstance(target.get(key), str):
            body[str(target["Attribute"])] = target[key]
    return Part(name, type_, own, {key: value for key, value in body.items() if key in _POLICIES})


def _changed(details: list[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({_name(one) for one in details if _name(one)}))


def _forced(details: list[Mapping[str, Any]]) -> tuple[Forced, ...]:
    found: dict[str, Forced] = {}
    for one in details:
        how = _mapping(one.get("Target")).get("RequiresRecreation")
        if how in ("Always", "Conditionally") and (name := _name(one)):
            open_ = one.get("Evaluation") == "Dynamic"
            known = found.get(name)
            found[name] = Forced(name, open_ and (known is None or known.open_), how == "Conditionally")
    return tuple(found[name] for name in sorted(found))


def _name(detail: Mapping[str, Any]) -> str:
    target = _mapping(detail.get("Target"))
    if target.get("Attribute") == "Tags":
        return "Tags"
    return str(target.get("Name") or "") if target.get("Attribute") == "Properties" else ""


def _uses(name: str, type_: str, details: list[Mapping[str, Any]]) -> Iterator[Use]:
    for one in details:
        cause = one.get("CausingEntity")
        if one.get("ChangeSource") in ("ResourceReference", "ResourceAttribute") and isinstance(cause, str):
            yield Use(name, cause.split(".", 1)[0], target_of(terraform_type(type_), _name(one)))


def _unjudged(name: str, type_: str, found: Mapping[str, Any], details: list[Mapping[str, Any]]) -> Iterator[Unjudged]:
    if type_ == "AWS::CloudFormation::Stack" and found.get("Action") in ("Modify", "Dynamic"):
        own = found.get("ChangeSetId")
        mend = f"Describe {own} too." if own else "Make the change set with --include-nested-stacks."
        yield Unjudged(name, "what happens in the nested stack is in a change set of its own", mend)
    elif found.get("Action") == "Dynamic":
        yield Unjudged(name, "CloudFormation decides only when the update runs what happens to it")
    kind = stateful(terraform_type(type_))
    for one in details:
        target = _mapping(one.get("Target"))
        if (
            kind
            and target.get("Attribute") in _POLICIES
            and "BeforeValue" not in target
            and not found.get("BeforeContext")
        ):
            yield Unjudged(
                name,
                f"{target['Attribute']} of the {kind.word} changes, and the change set does not say to what",
                "Describe it with --include-property-values.",
            )


def _drift(name: str, type_: str, found: Mapping[str, Any], details: list[Mapping[str, Any]]) -> Iterator[DriftFact]:
    status = found.get("ResourceDriftStatus")
    if status == "DELETED":
        yield DriftFact("deleted-by-hand", name, f"{name} was deleted outside of CloudFormation.")
    elif status == "MODIFIED":
        moved = sorted({_name(one) for one in details if _mapping(one.get("Target")).get("Drift") and _name(one)})
        what = f" ({', '.join(moved)})" if moved else ""
        undone = found.get("Action") == "Modify" and bool(moved)
        reason = f"{name} was changed outside of CloudFormation{what}{'; this update undoes it' if undone else ''}."
        attributes = tuple(target_of(terraform_type(type_), one) for one in moved)
        yield DriftFact("changed-by-hand", name, reason, attributes, undone)


def _resource(change: ResourceChange, side: str) -> Resource:
    values = change.before if side == "before" else change.after
    return Resource(change.address, change.type, values or {})


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
