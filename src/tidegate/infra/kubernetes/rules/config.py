"""Settings that pods start with: ConfigMaps, Secrets and accounts that go, change, or lose a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Unjudged
from tidegate.infra.kubernetes.objects import containers, mapping, mappings, pod_spec, pod_template
from tidegate.infra.kubernetes.rules.common import callers, deleted, name_in, name_of, space_in, space_of, updated
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import same
from tidegate.infra.values import Draft, ResourceChange, Value, World

_HELD: Mapping[str, tuple[str, ...]] = {
    "v1/ConfigMap": ("ConfigMap",),
    "v1/Secret": ("Secret",),
    "bitnami.com/SealedSecret": ("Secret",),
    "external-secrets.io/ExternalSecret": ("Secret",),
    "kubernetes-client.io/ExternalSecret": ("Secret",),
}


def objects_gone(world: World) -> Iterator[Draft | Unjudged]:
    """ConfigMaps, Secrets, accounts that are deleted while pods that stay name them."""
    for change in deleted(world, *_HELD, "v1/ServiceAccount", "v1/PersistentVolumeClaim"):
        pods = _naming(world, change)
        if change.type == "v1/PersistentVolumeClaim":
            continue
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
    for change in updated(world, "v1/ConfigMap", "v1/Secret"):
        old, new = _keys(change.before), _keys(change.after)
        kind = change.type.rpartition("/")[2]
        lost = sorted({*old} - {*new})
        needed = {key: who for key in lost if (who := _asking(world, change, key))}
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
        yield from _missing_keys(world, change)
        yield from _variables(change)


# Private


def _keys(values: Mapping[str, Value] | None) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key in ("data", "stringData", "binaryData"):
        found.update(mapping((values or {}).get(key)))
    return found


def _naming(world: World, change: ResourceChange) -> list[str]:
    """The workloads that stay as they were and name an object that goes."""
    kinds = _HELD.get(change.type) or (change.type.rpartition("/")[2],)
    name, space = _made(change), space_of(change)
    if _stays(world, kinds[0], name, space):
        return []
    return [address for address, kind, named, _ in _references(world, space) if kind in kinds and named == name]


def _used_before(world: World, change: ResourceChange) -> bool:
    """Whether pods that go too were the ones that named it."""
    return any(use.user not in world.after for use in world.uses_before.users(change.address))


def _made(change: ResourceChange) -> str:
    """The name of the secret that an object makes."""
    target = mapping(mapping((change.before or {}).get("spec")).get("target"))
    return str(target.get("name") or name_of(change))


def _stays(world: World, kind: str, name: str, space: str) -> bool:
    for one in world.after.values():
        held = _HELD.get(one.type) or (one.type.rpartition("/")[2],)
        metadata = mapping(one.values.get("metadata"))
        target = mapping(mapping(one.values.get("spec")).get("target")).get("name")
        if kind in held and name in (metadata.get("name"), target) and str(metadata.get("namespace") or "") == space:
            return True
    return False


def _references(world: World, space: str) -> Iterator[tuple[str, str, str, str]]:
    """Address, kind, name and key of everything that pods of a namespace cannot start without."""
    for address, one in world.after.items():
        if pod_template(one.type, one.values) is None:
            continue
        if space_in(one.values) == space:
            for kind, name, key in _needs(pod_spec(one.type, one.values)):
                yield address, kind, name, key


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


def _asking(world: World, change: ResourceChange, key: str) -> list[str]:
    kind, name = change.type.rpartition("/")[2], name_of(change)
    found = [who for who, k, n, asked in _references(world, space_of(change)) if (k, n, asked) == (kind, name, key)]
    return list(dict.fromkeys(found))


def _missing_keys(world: World, change: ResourceChange) -> Iterator[Draft]:
    """Keys that a pod newly asks for and that the object, which is at hand, does not have."""
    if pod_template(change.type, change.after) is None:
        return
    old = set(_needs(pod_spec(change.type, change.before)))
    for kind, name, key in sorted(set(_needs(pod_spec(change.type, change.after))) - old):
        for one in world.after.values():
            if one.type != f"v1/{kind}" or name_in(one.values) != name:
                continue
            if space_in(one.values) == space_of(change) and key and key not in _keys(one.values):
                reason = (
                    f"{change.address} now needs key {key} of {kind} {name}, which "
                    "has no such key: its pods do not start."
                )
                yield Draft(
                    "OUTAGE_PARTIAL",
                    "medium",
                    change.address,
                    reason,
                    True,
                    "add the key first",
                    certainty="possible",
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
