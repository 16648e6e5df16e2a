"""Two versions of a template as one world: what an update of the stack that exists creates, changes and takes away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Certainty, Place
from tidegate.infra.cloudformation.compare import Compared, Scopes, compared
from tidegate.infra.cloudformation.evaluate import Scope, Secrets, evaluate, holds, names_in, parameters_of
from tidegate.infra.cloudformation.names import terraform_property
from tidegate.infra.cloudformation.shaped import Shaped, shaped
from tidegate.infra.cloudformation.template import Part, Template
from tidegate.infra.forcing import replaced_by
from tidegate.infra.graph import Use, Uses, uses_of
from tidegate.infra.kinds import is_stateless, stateful
from tidegate.infra.same import field, items, same
from tidegate.infra.values import Later, Resource, ResourceChange, Value, World

SOURCE = "CloudFormation template"
_SNAPSHOT_BY_DEFAULT = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
POLICY_OF_ONE: Mapping[str, str] = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueuePolicy": "Queues",
}
"""Types of which a thing has at most one, and the property that says which thing."""
_RENAMED: Mapping[str, str] = {"KeySchema": "hash_key"}
"""Properties whose value stands under another name once it has Terraform's shape."""


class Both(Struct, frozen=True):
    """A resource that both versions have, compared."""

    old: Part
    new: Part
    compared: Compared


class Diff(Struct, frozen=True):
    """The world, and what of both versions lies behind it."""

    world: World
    scopes: Scopes
    both: Mapping[str, Both]
    removed: Mapping[str, Part]
    added: Mapping[str, Part]


def diff_of(before: Template, after: Template) -> Diff:
    """Two versions of one stack's template."""
    scopes = _scopes(before, after)
    both = {
        name: Both(before.resources[name], new, _one(before.resources[name], new, scopes))
        for name, new in after.resources.items()
        if name in before.resources
    }
    removed = {name: part for name, part in before.resources.items() if name not in after.resources}
    added = {name: part for name, part in after.resources.items() if name not in before.resources}
    changes = {change.address: change for change in _changes(after.path, scopes, both, removed, added)}
    _cascade(changes, both, after.path)
    _join_policies(changes, removed, added)
    world = World(
        source=SOURCE,
        name=after.path or before.path,
        changes=tuple(changes[name] for name in sorted(changes)),
        before=dict(_resources(before, scopes.before)),
        after=dict(_resources(after, scopes.after)),
        uses_before=_uses(before),
        uses_after=_uses(after),
    )
    return Diff(world, scopes, both, removed, added)


def left_alone(before: Template) -> World:
    """A template whose file is deleted: the stack stays, and nothing describes it any more."""
    scope = Scope(before, parameters_of(before, secrets := Secrets()), secrets)
    resources = dict(_resources(before, scope))
    changes = tuple(
        ResourceChange(
            one.address,
            one.type,
            "forget",
            one.values,
            None,
            why="its template is deleted; the stack is not, until somebody deletes it",
            certainty="possible",
            place=Place(before.path),
        )
        for one in resources.values()
        if "." not in one.address and "[" not in one.address
    )
    return World(SOURCE, before.path, changes, resources, {}, _uses(before))


def policy_of(part: Part, name: str) -> str:
    """DeletionPolicy or UpdateReplacePolicy as it works, with CloudFormation's defaults."""
    found = part.body.get(name)
    if isinstance(found, str):
        return found
    member = part.properties.get("DBClusterIdentifier") is not None
    if name == "DeletionPolicy" and part.type in _SNAPSHOT_BY_DEFAULT and not member:
        return "Snapshot"
    return "Delete"


def exists(part: Part, scope: Scope) -> bool | None:
    """Whether the stack has this resource, None where a deployment decides it."""
    condition = part.body.get("Condition")
    return True if condition is None else holds(condition, scope)


def doomed(own: Shaped, deletion: str, replacement: str) -> dict[str, Value]:
    """A resource that goes away, with what CloudFormation does for it then under the names that rules ask for."""
    values = dict(own.values)
    values["deletion_policy"] = deletion
    values["update_replace_policy"] = replacement
    for suffix, _, found in own.companions:
        if suffix == ".VersioningConfiguration":
            status = found.get("versioning_configuration")
            values["versioning"] = {"enabled": isinstance(status, Mapping) and status.get("status") == "Enabled"}
    return values


def target_of(type_: str, name: str) -> str:
    """What Terraform calls a property of one of its types, the property by CloudFormation's name or dotted path."""
    return _RENAMED.get(name) or ".".join(terraform_property(type_, part) for part in name.split("."))


# Private


def _scopes(before: Template, after: Template) -> Scopes:
    secrets = Secrets()
    old = parameters_of(before, secrets)
    fresh = parameters_of(after, secrets)
    return Scopes(
        before=Scope(before, old, secrets),
        after=Scope(after, parameters_of(after, secrets, kept=old), secrets),
        fresh=Scope(after, fresh, secrets),
        defaults=frozenset(name for name, value in fresh.items() if name in old and not same(old[name], value)),
    )


def _one(old: Part, new: Part, scopes: Scopes) -> Compared:
    if old.type == new.type:
        return compared(old, new, scopes)
    one, other = evaluate(old.properties, scopes.before), evaluate(new.properties, scopes.after)
    return Compared(one or {}, other or {}, ("Type",))


def _changes(
    path: str, scopes: Scopes, both: Mapping[str, Both], removed: Mapping[str, Part], added: Mapping[str, Part]
) -> Iterator[ResourceChange]:
    for part in removed.values():
        yield from _removed(part, path, scopes.before)
    for name, part in added.items():
        own = shaped(part.type, name, evaluate(part.properties, scopes.after) or {})
        certainty: Certainty = "likely" if exists(part, scopes.after) else "possible"
        yield _change(own, name, "create", None, own.values, certainty, _place(path, part))
        for suffix, type_, values in own.companions:
            yield ResourceChange(f"{name}{suffix}", type_, "create", None, values, place=_place(path, part))
    for one in both.values():
        yield from _both(one, path, scopes)


def _removed(part: Part, path: str, scope: Scope, why: str = "") -> Iterator[ResourceChange]:
    own = shaped(part.type, part.name, evaluate(part.properties, scope) or {})
    certainty: Certainty = "likely" if exists(part, scope) and not why else "possible"
    kept = policy_of(part, "DeletionPolicy").startswith("Retain")
    before = doomed(own, policy_of(part, "DeletionPolicy"), policy_of(part, "UpdateReplacePolicy"))
    change = ResourceChange(
        part.name,
        own.type,
        "forget" if kept else "delete",
        before,
        None,
        why=why or ("DeletionPolicy is Retain" if kept else ""),
        certainty=certainty,
        place=Place(path),
        spelled=own.spelled,
    )
    yield change
    if part.type == "AWS::Route53::RecordSetGroup":
        for suffix, type_, values in own.companions:
            yield ResourceChange(f"{part.name}{suffix}", type_, "delete", values, None, place=Place(path))


def _both(one: Both, path: str, scopes: Scopes) -> Iterator[ResourceChange]:
    had, has = exists(one.old, scopes.before), exists(one.new, scopes.after)
    condition = one.new.body.get("Condition")
    if had is not False and has is not True and condition != one.old.body.get("Condition"):
        yield from _removed(one.old, path, scopes.before, f"it goes where the condition {condition} is false")
        return
    found = one.compared
    if not found.changed:
        return
    name, place = one.new.name, _place(path, one.new)
    before, after = shaped(one.old.type, name, found.before), shaped(one.new.type, name, found.after)
    certainty: Certainty = "possible" if had is False or has is False else found.certainty
    if one.old.type != one.new.type:
        if stateful(before.type) or is_stateless(before.type):
            yield _retyped(one, before, after, place)
        return
    forced = tuple(target_of(before.type, entry.name) for entry in found.forced)
    open_ = bool(found.forced) and all(entry.open_ for entry in found.forced)
    if forced and not (open_ and stateful(before.type) is None):
        values = doomed(before, policy_of(one.old, "DeletionPolicy"), policy_of(one.new, "UpdateReplacePolicy"))
        change = _change(after, name, "replace", values, after.values, certainty, place)
        spelled = {**before.spelled, **after.spelled}
        why = found.only or _open(found)
        yield replace(change, forced_by=forced, create_first=True, why=why, spelled=spelled)
        return
    change = _change(after, name, "update", before.values, after.values, certainty, place)
    yield replace(change, why=found.only, spelled={**before.spelled, **after.spelled})
    yield from _companions(name, before, after, certainty, place)


def _retyped(one: Both, before: Shaped, after: Shaped, place: Place) -> ResourceChange:
    values = doomed(before, policy_of(one.old, "DeletionPolicy"), policy_of(one.new, "UpdateReplacePolicy"))
    return ResourceChange(
        one.new.name,
        before.type,
        "replace",
        {**values, "resource_type": one.old.type},
        {**after.values, "resource_type": one.new.type},
        ("resource_type",),
        create_first=True,
        why=f"its Type becomes {one.new.type}",
        certainty="likely",
        place=place,
        spelled={**after.spelled, **before.spelled, "resource_type": "Type"},
    )


def _open(found: Compared) -> str:
    names = [one.name for one in found.forced if one.open_]
    return f"where the new {' and '.join(names)} is another value than now" if names else ""


def _companions(
    name: str, before: Shaped, after: Shaped, certainty: Certainty, place: Place
) -> Iterator[ResourceChange]:
    old = {suffix: (type_, values) for suffix, type_, values in before.companions}
    new = {suffix: (type_, values) for suffix, type_, values in after.companions}
    for suffix in sorted({*old, *new}):
        one, other = old.get(suffix), new.get(suffix)
        if one and other and same(one[1], other[1]):
            continue
        yield ResourceChange(
            f"{name}{suffix}",
            (one or other or ("", {}))[0],
            "update" if one and other else "delete" if one else "create",
            one[1] if one else None,
            other[1] if other else None,
            certainty=certainty,
            place=place,
        )


def _change(
    own: Shaped, name: str, action: Any, before: Any, after: Any, certainty: Certainty, place: Place
) -> ResourceChange:  # fmt: skip
    return ResourceChange(name, own.type, action, before, after, certainty=certainty, place=place, spelled=own.spelled)


def _cascade(changes: dict[str, ResourceChange], both: Mapping[str, Both], path: str) -> None:
    """What names a replaced resource in a property that cannot change in place is replaced with it."""
    users: dict[str, list[tuple[str, str]]] = {}
    for name, one in both.items():
        for key, expression in one.new.properties.items():
            if replaced_by(one.new.type, key) == "always":
                for used in set(names_in(expression)):
                    users.setdefault(used, []).append((name, key))
    waiting = [
        name for name, change in changes.items() if change.action == "replace" and "type" not in change.forced_by
    ]
    while waiting:
        gone = changes[waiting.pop(0)]
        for name, key in sorted(users.get(gone.address, ())):
            if name in changes and changes[name].action != "update":
                continue
            changes[name] = _dragged(both[name], key, gone, path)
            waiting.append(name)


def _join_policies(changes: dict[str, ResourceChange], removed: Mapping[str, Part], added: Mapping[str, Part]) -> None:
    """A policy under a new logical id on what has one already is an update of that policy, whatever the template says:
    the statements of all that go are what was."""
    gone: dict[tuple[str, str], list[str]] = {}
    for part in removed.values():
        if key := POLICY_OF_ONE.get(part.type):
            gone.setdefault((part.type, str(part.properties.get(key))), []).append(part.name)
    for part in added.values():
        key = POLICY_OF_ONE.get(part.type)
        names = gone.pop((part.type, str(part.properties.get(key))), []) if key else []
        if not names or any(changes[name].action != "delete" for name in names):
            continue
        befores = [changes.pop(name).before or {} for name in names]
        statements = [one for before in befores for one in items(field(before, "policy.Statement"))]
        new = changes[part.name]
        before = {**befores[0], "policy": {"Version": "2012-10-17", "Statement": statements}}
        changes[part.name] = replace(new, action="update", before=before, moved_from=names[0])


def _dragged(one: Both, key: str, gone: ResourceChange, path: str) -> ResourceChange:
    before, after = (
        shaped(part.type, part.name, values)
        for part, values in ((one.old, one.compared.before), (one.new, one.compared.after))
    )
    target = target_of(before.type, key)
    values = doomed(before, policy_of(one.old, "DeletionPolicy"), policy_of(one.new, "UpdateReplacePolicy"))
    change = _change(
        after, one.new.name, "replace", values, {**after.values, target: Later(f"the new {gone.address}")},
        gone.certainty, _place(path, one.new),
    )  # fmt: skip
    return replace(change, forced_by=(target,), create_first=True, why=f"{gone.address} is replaced")


def _place(path: str, part: Part) -> Place:
    return Place(path, *part.lines) if path else Place("")


def _resources(template: Template, scope: Scope) -> Iterator[tuple[str, Resource]]:
    for name, part in template.resources.items():
        own = shaped(part.type, name, evaluate(part.properties, scope) or {})
        place = _place(template.path, part)
        yield name, Resource(name, own.type, own.values, place)
        for suffix, type_, values in own.companions:
            yield f"{name}{suffix}", Resource(f"{name}{suffix}", type_, values, place)


def _uses(template: Template) -> Uses:
    return uses_of(_used(template))


def _used(template: Template) -> Iterator[Use]:
    for name, part in template.resources.items():
        type_ = shaped(part.type, name, {}).type
        for key, expression in part.properties.items():
            for used in set(names_in(expression)):
                if used in template.resources:
                    yield Use(name, used, terraform_property(type_, key))
        wanted = part.body.get("DependsOn")
        for named in wanted if isinstance(wanted, list) else [wanted]:
            if isinstance(named, str) and named in template.resources:
                yield Use(name, named)
