"""Settings that pods start with: ConfigMaps, Secrets and accounts that go, change, or lose a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Unjudged
from tidegate.infra.kubernetes.objects import containers, mapping, mappings, pod_spec, pod_template
from tidegate.infra.kubernetes.rules.common import callers, deleted, name_in, name_of, space_in, space_of, updated
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import same
from tidegate.infra.values import Draft, Resource, ResourceChange, Value, World

_HELD: Mapping[str, str] = {
    "v1/ConfigMap": "ConfigMap",
    "v1/Secret": "Secret",
    "bitnami.com/SealedSecret": "Secret",
    "external-secrets.io/ExternalSecret": "Secret",
    "kubernetes-client.io/ExternalSecret": "Secret",
}


def objects_gone(world: World) -> Iterator[Draft | Unjudged]:
    """ConfigMaps, Secrets, accounts that are deleted while pods that stay name them."""
    gone = [*deleted(world, *_HELD, "v1/ServiceAccount")]
    index = _Index(world) if gone else None
    for change in gone:
        pods = _naming(index, change) if index else []
        kind = change.type.rpartition("/")[2]
        if pods:
            reason = f"{change.address} is deleted, and {listed(pods)} still need it: their next pods do not start."
            yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "apply it again", dependents=tuple(pods))
        elif change.type == "v1/Secret" and _keys(change.before) and not _used_before(world, change):
            reason = f"{change.address} is deleted with its values. Nothing in the set names it."
            back = "needs the values from elsewhere"
            yield Draft("SECRET_CHANGE", "medium", change.address, reason, False, back, certainty="possible")
        elif "Secret" in kind:
            reason = f"{change.address} is deleted, and nothing that stays in the set names it."
            yield Draft("SECRET_CHANGE", "low", change.address, reason, True, "apply it again", certainty="possible")
        elif kind == "ServiceAccount" and callers(world, change.address, ("RoleBinding", "ClusterRoleBinding")):
            reason = f"{change.address} is deleted: whoever uses its token loses its rights."
            yield Draft("IAM_CUT", "medium", change.address, reason, True, "apply it again", certainty="possible")


def keys_gone(world: World) -> Iterator[Draft | Unjudged]:
    """Keys that pods still ask for, and secrets that change."""
    index = _Index(world)
    for change in updated(world, "v1/ConfigMap", "v1/Secret"):
        asked = index.askers.get((space_of(change), _kind(change.type), name_of(change)), ())
        old, new = _keys(change.before), _keys(change.after)
        kind = change.type.rpartition("/")[2]
        lost = sorted({*old} - {*new})
        needed = {key: who for key in lost if (who := list(dict.fromkeys(user for user, one in asked if one == key)))}
        for key, who in needed.items():
            reason = (
                f"key {key} is removed from {change.address}, and {listed(who)} need it: their next pods do not start."
            )
            yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "keep the key until nobody asks for it")
        if kind == "Secret":
            turned = sorted(key for key in {*old} & {*new} if not same(old[key], new[key]))
            rest = [key for key in lost if key not in needed]
            if turned or rest:
                what = [*(f"{key} changes" for key in turned), *(f"{key} is removed" for key in rest)]
                reason = (
                    f"{change.address}: {listed(what)}; pods see it after they "
                    "restart, and the other side has to agree."
                )
                yield Draft("SECRET_CHANGE", "low", change.address, reason, False, "needs the old value from elsewhere")
    for change in updated(world):
        yield from _missing_keys(index, change)
        yield from _variables(change)


# Private


def _keys(values: Mapping[str, Value] | None) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key in ("data", "stringData", "binaryData"):
        found.update(mapping((values or {}).get(key)))
    return found


def _naming(index: _Index, change: ResourceChange) -> list[str]:
    """The workloads that stay as they were and name an object that goes."""
    kind, name, space = _kind(change.type), _made(change), space_of(change)
    if any((type_, space, name) in index.objects for type_, held in _HELD.items() if held == kind):
        return []
    return list(dict.fromkeys(address for address, _ in index.askers.get((space, kind, name), ())))


def _kind(type_: str) -> str:
    """What pods name an object of a type by: a SealedSecret is a Secret to them."""
    return _HELD.get(type_) or type_.rpartition("/")[2]


def _used_before(world: World, change: ResourceChange) -> bool:
    """Whether pods that go too were the ones that named it."""
    return any(use.user not in world.after for use in world.uses_before.users(change.address))


def _made(change: ResourceChange) -> str:
    """The name of the secret that an object makes."""
    target = mapping(mapping((change.before or {}).get("spec")).get("target"))
    return str(target.get("name") or name_of(change))


class _Index:
    """What pods of the set cannot start without, and the objects that there are, by namespace and name."""

    def __init__(self, world: World) -> None:
        self.askers: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        self.objects: dict[tuple[str, str, str], Resource] = {}
        for address, one in world.after.items():
            space = space_in(one.values)
            if one.type in _HELD:
                target = mapping(mapping(one.values.get("spec")).get("target")).get("name")
                self.objects[(one.type, space, str(target or name_in(one.values)))] = one
            if pod_template(one.type, one.values) is not None:
                for kind, name, key in _needs(pod_spec(one.type, one.values)):
                    self.askers.setdefault((space, kind, name), []).append((address, key))


def _needs(pod: Mapping[str, Value]) -> Iterator[tuple[str, str, str]]:
    from tidegate.infra.kubernetes.uses import pod_references

    for kind, name, _ in pod_references(pod):
        yield kind, name, ""
    for one in containers(pod).values():
        for variable in mappings(one.get("env")):
            source = mapping(variable.get("valueFrom"))
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                found = mapping(source.get(key))
                if found.get("key") and found.get("optional") is not True:
                    yield kind, str(found.get("name")), str(found["key"])
    for volume in mappings(pod.get("volumes")):
        for key, kind, named in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            held = mapping(volume.get(key))
            for item in mappings(held.get("items")):
                if held.get("optional") is not True:
                    yield kind, str(held.get(named)), str(item.get("key"))


def _missing_keys(index: _Index, change: ResourceChange) -> Iterator[Draft]:
    """Keys that a pod newly asks for and that the object, which is at hand, does not have."""
    if pod_template(change.type, change.after) is None:
        return
    old = set(_needs(pod_spec(change.type, change.before)))
    for kind, name, key in sorted(set(_needs(pod_spec(change.type, change.after))) - old):
        found = index.objects.get((f"v1/{kind}", space_of(change), name))
        if found is not None and key and key not in _keys(found.values):
            reason = (
                f"{change.address} now needs key {key} of {kind} {name}, which has no such key: its pods do not start."
            )
            yield Draft(
                "OUTAGE_PARTIAL", "medium", change.address, reason, True, "add the key first", certainty="possible"
            )


def _variables(change: ResourceChange) -> Iterator[Draft]:
    if pod_template(change.type, change.after) is None:
        return
    old, new = (containers(pod_spec(change.type, side), init=False) for side in (change.before, change.after))
    lost: list[str] = []
    for name in sorted({*old} & {*new}):
        kept = {str(one.get("name")) for one in mappings(new[name].get("env"))}
        lost += [str(one.get("name")) for one in mappings(old[name].get("env")) if str(one.get("name")) not in kept]
    if lost:
        reason = (
            f"{change.address} is no longer given {listed(sorted(set(lost)))}; where "
            "its code still reads that, it fails at start."
        )
        yield Draft(
            "RESTART",
            "low",
            change.address,
            reason,
            True,
            "see that the image no longer reads it",
            certainty="possible",
        )
