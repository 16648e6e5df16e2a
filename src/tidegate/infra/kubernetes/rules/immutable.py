"""Attributes that a cluster refuses to change: the apply is rejected, half of the change may be in.

https://github.com/kubernetes/kubernetes/tree/master/pkg/apis (the validation of each kind's updates).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity, Unjudged
from tidegate.infra.kubernetes.objects import mapping, mappings
from tidegate.infra.kubernetes.rules.common import spec, updated
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import field, flag, same, show
from tidegate.infra.values import Draft, ResourceChange, Value, World

_FIXED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("apps/Deployment", "apps/DaemonSet", "apps/ReplicaSet"), ("spec.selector",)),
    "batch/Job": ("spec.selector", "spec.template", "spec.completionMode"),
    "v1/PersistentVolumeClaim": tuple(
        f"spec.{key}" for key in "accessModes storageClassName volumeName volumeMode selector dataSource".split()
    ),
    "rbac.authorization.k8s.io/RoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io/ClusterRoleBinding": ("roleRef",),
    "storage.k8s.io/StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "scheduling.k8s.io/PriorityClass": ("value", "preemptionPolicy"),
    "networking.k8s.io/IngressClass": ("spec.controller",),
    "v1/Service": ("spec.clusterIP",),
    "apiextensions.k8s.io/CustomResourceDefinition": ("spec.scope", "spec.group"),
}
_SET_MAY_CHANGE = frozenset(
    "replicas ordinals template updateStrategy revisionHistoryLimit "
    "persistentVolumeClaimRetentionPolicy minReadySeconds".split()
)
_DEFAULTS: Mapping[str, Value] = {"podManagementPolicy": "OrderedReady", "volumeBindingMode": "Immediate"}


def immutable(world: World) -> Iterator[Draft | Unjudged]:
    """Changes that the cluster rejects, with what has to be done instead."""
    for change in updated(world):
        for path in _paths(change):
            old, new = _seen(change.before, path), _seen(change.after, path)
            if old is None or same(old, new) or (new is None and path != "spec.selector"):
                continue
            if path == "spec.template" and _job_is_named_anew(change):
                continue
            reason = (
                f"{path} {_shown(old)} -> {_shown(new)} cannot be changed: the apply of {change.address} is rejected."
            )
            if change.type.startswith("apps/"):
                reason += " It has to be deleted and made again, which stops its pods unless they are orphaned."
            back = "give the object a new name, move over, and delete the old one"
            if change.type == "batch/Job":
                back = "delete the finished Job first, or give it a new name"
            grave: Severity = "low" if change.type == "batch/Job" else "medium"
            yield Draft("IMMUTABLE_REJECT", grave, change.address, reason, True, back)
        if change.type in ("v1/ConfigMap", "v1/Secret") and flag((change.before or {}).get("immutable")):
            keys = [
                key
                for key in ("data", "stringData", "binaryData")
                if not same(field(change.before, key), field(change.after, key))
            ]
            if keys:
                reason = f"{change.address} is immutable, and {listed(keys)} changes: the apply is rejected."
                yield Draft("IMMUTABLE_REJECT", "medium", change.address, reason, True, "give it a new name")


def mismatch(world: World) -> Iterator[Draft | Unjudged]:
    """A selector that does not mean the workload's own pods, which the cluster refuses."""
    for change in updated(world, "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet"):
        wanted = mapping(field(change.after, "spec.selector.matchLabels"))
        carried = mapping(field(change.after, "spec.template.metadata.labels"))
        before = mapping(field(change.before, "spec.template.metadata.labels"))
        wrong = [key for key, value in wanted.items() if str(carried.get(key)) != str(value)]
        if (
            wrong
            and not same(before, carried)
            and same(wanted, mapping(field(change.before, "spec.selector.matchLabels")))
        ):
            reason = (
                f"spec.selector of {change.address} asks for {wrong[0]}={wanted[wrong[0]]}, and its pods now carry "
                f"{show(carried.get(wrong[0]))}: the apply is rejected."
            )
            yield Draft("IMMUTABLE_REJECT", "medium", change.address, reason, True, "keep the label")


# Private


def _paths(change: ResourceChange) -> tuple[str, ...]:
    if change.type == "apps/StatefulSet":
        keys = {*spec(change.before), *spec(change.after)} - _SET_MAY_CHANGE
        return tuple(f"spec.{key}" for key in sorted(keys))
    return _FIXED.get(change.type, ())


def _seen(values: Mapping[str, Value] | None, path: str) -> Value:
    """An attribute as the cluster compares it: claims of a set without what it fills in by itself."""
    found = field(values, path)
    if path == "spec.selector" and found is None:
        return None
    if path == "spec.volumeClaimTemplates":
        return [
            {
                "name": mapping(one.get("metadata")).get("name"),
                **{key: value for key, value in spec(one).items() if key != "volumeMode"},
            }
            for one in mappings(found)
        ]
    if path == "roleRef":
        return {"kind": mapping(found).get("kind"), "name": mapping(found).get("name")} if found else None
    return _DEFAULTS.get(path.rpartition(".")[2]) if found is None else found


def _shown(value: Value) -> str:
    """A value as people read it; claims by what differs between them."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping) and "name" in value[0]:
        return show([f"{one['name']} {show(field(one, 'resources.requests.storage'))}" for one in mappings(value)])
    return show(value)


def _job_is_named_anew(change: ResourceChange) -> bool:
    metadata = mapping((change.after or {}).get("metadata"))
    notes = mapping(metadata.get("annotations"))
    return "generateName" in metadata or any("hook" in key or "sync-options" in key for key in notes)
