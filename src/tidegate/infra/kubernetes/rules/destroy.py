"""What goes for good with an object: everything in a namespace, all objects of a kind, the volume behind a claim."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.facts import Severity, Unjudged
from tidegate.infra.kubernetes.objects import WORKLOADS, mapping, sequence
from tidegate.infra.kubernetes.rules.common import callers, deleted, name_in, name_of, quantity, space_in, spec, updated
from tidegate.infra.kubernetes.rules.tables import ENDS
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import field, show
from tidegate.infra.values import Draft, Mitigation, ResourceChange, World

SPACES = ("v1/Namespace", "project.openshift.io/Project")
_DATA = re.compile(
    r"(postgres|mysql|maria|mongo|redis|kafka|elastic|opensearch|cassandra|rabbit|minio|etcd|clickhouse|cockroach"
    r"|tidb|vitess|couch|scylla|influx|zookeeper|nats|pulsar|database|sqlinstance|bucket|rds|dynamodb|objectstore)",
    re.IGNORECASE,
)
_QUIET = frozenset(
    """
    v1/Endpoints v1/ConfigMap v1/Event v1/LimitRange v1/ResourceQuota v1/Secret v1/Service v1/ServiceAccount v1/Pod
    coordination.k8s.io/Lease discovery.k8s.io/EndpointSlice image.openshift.io/ImageStream
    build.openshift.io/BuildConfig
    """.split()
)
_LIGHT = (
    "Binding",
    "Dashboard",
    "Monitor",
    "Policy",
    "Profile",
    "Template",
    "Task",
    "Pipeline",
    "Link",
    "Notification",
    "Plan",
)
_OWN_RULES = re.compile(
    r"^(v1|apps|batch|policy|autoscaling|rbac\.authorization\.k8s\.io|networking\.k8s\.io|admissionregistration\.k8s\.io"
    r"|apiextensions\.k8s\.io|storage\.k8s\.io|snapshot\.storage\.k8s\.io|argoproj\.io|.*\.toolkit\.fluxcd\.io"
    r"|authorization\.openshift\.io|user\.openshift\.io|route\.openshift\.io|gateway\.networking\.k8s\.io"
    r"|monitoring\.coreos\.com|keda\.sh|constraints\.gatekeeper\.sh|kyverno\.io|bitnami\.com|external-secrets\.io"
    r"|kubernetes-client\.io|apps\.openshift\.io|console\.openshift\.io|template\.openshift\.io|security\.openshift\.io"
    r"|networking\.istio\.io|security\.istio\.io|cert-manager\.io|quota\.openshift\.io|serving\.knative\.dev)/"
)


def namespaces(world: World) -> Iterator[Draft | Unjudged]:
    """Namespaces that are deleted, with all that is in them."""
    for change in deleted_spaces(world):
        name = name_of(change)
        inside = [
            address
            for address, one in world.before.items()
            if space_in(one.values) == name and address != change.address
        ]
        held = [one for one in inside if _holds_data(world, one)]
        count = f"the {len(inside)} objects known in it" if inside else "all objects in it"
        data = (
            f", among them {listed(held)} with their data"
            if held
            else ", its PersistentVolumeClaims with their data among them"
        )
        elsewhere = [one for one in callers(world, change.address) if one not in inside and one in world.after]
        needed = f" {listed(elsewhere)} need it." if elsewhere else ""
        reason = (
            f"{change.address} is deleted, and with it go {count}{data}. Volumes "
            f"with reclaimPolicy Delete are lost.{needed}"
        )
        back = "none for the data: back it up, or set reclaimPolicy Retain, and delete what is inside first"
        yield Draft("DATA_DESTROY", "critical", change.address, reason, False, back, dependents=tuple(inside[:12]))


def definitions(world: World) -> Iterator[Draft | Unjudged]:
    """Definitions of kinds: with one, every object of that kind in the cluster goes."""
    for change in deleted(world, "apiextensions.k8s.io/CustomResourceDefinition"):
        kind = field(change.before, "spec.names.kind") or name_of(change)
        known = [address for address, one in world.before.items() if one.type.endswith(f"/{kind}")]
        shown = f" ({listed(known)})" if known else ""
        reason = (
            f"{change.address} is deleted: the cluster deletes every {kind} in every "
            f"namespace{shown}, with what their operator made."
        )
        yield Draft(
            "DATA_DESTROY",
            "critical",
            change.address,
            reason,
            False,
            "export the objects first, or keep the definition",
        )
    for change in updated(world, "apiextensions.k8s.io/CustomResourceDefinition"):
        old, new = (_versions(change, after) for after in (False, True))
        lost = sorted(old - new)
        if lost:
            reason = (
                f"version {listed(lost)} of {change.address} is no longer served: "
                "clients and objects that name it fail."
            )
            yield Draft("APPLY_FAIL", "medium", change.address, reason, True, "move stored objects first")


def volumes(world: World) -> Iterator[Draft | Unjudged]:
    """Claims, volumes, classes and snapshots."""
    for change in deleted(world, "v1/PersistentVolumeClaim"):
        users = [one for one in callers(world, change.address) if one in world.after]
        class_, kept = spec(change.before).get("storageClassName"), _kept(world, change)
        reason = (
            f"{change.address} is deleted: its volume{f' ({class_})' if class_ else ''} goes with its data, "
            f"unless its reclaimPolicy is Retain{'; ' + listed(users) + ' need it' if users else ''}."
        )
        mitigations = (Mitigation("reclaimPolicy Retain keeps the volume", 1),) if kept else ()
        yield Draft(
            "DATA_DESTROY", "critical", change.address, reason, False, "take a snapshot first", mitigations=mitigations
        )
    for change in deleted(world, "v1/PersistentVolume"):
        keep = spec(change.before).get("persistentVolumeReclaimPolicy")
        kept = str(keep) != "Delete"
        reason = (
            f"{change.address} is deleted (reclaimPolicy {show(keep)}): the pods that use it lose their data's place."
        )
        mitigations = (Mitigation("the storage behind it is kept", 1),) if kept else ()
        yield Draft(
            "DATA_DESTROY", "critical", change.address, reason, kept, "make the volume again", mitigations=mitigations
        )
    for change in updated(world, "v1/PersistentVolume", "storage.k8s.io/StorageClass"):
        path = "spec.persistentVolumeReclaimPolicy" if change.type.startswith("v1/") else "reclaimPolicy"
        old, new = field(change.before, path), field(change.after, path)
        if old == "Retain" and new != "Retain":
            reason = f"{path} Retain -> {show(new)}: a deleted claim now takes its volume and the data with it."
            yield Draft("GUARD_REMOVED", "high", change.address, reason, True, "keep Retain")
    for change in deleted(world, "storage.k8s.io/StorageClass"):
        users = [a for a, one in world.after.items() if spec(one.values).get("storageClassName") == name_of(change)]
        reason = (
            f"{change.address} is deleted: new claims of this class stay "
            f"pending{' (' + listed(users) + ')' if users else ''}."
        )
        yield Draft("APPLY_FAIL", "medium", change.address, reason, True, "apply it again")
    for change in deleted(
        world, "snapshot.storage.k8s.io/VolumeSnapshot", "snapshot.storage.k8s.io/VolumeSnapshotContent"
    ):
        reason = f"{change.address} is deleted: what it kept cannot be restored from it any more."
        yield Draft("BACKUP_REDUCED", "high", change.address, reason, False, "take another snapshot first")


def sets(world: World) -> Iterator[Draft | Unjudged]:
    """StatefulSets that go with their volumes, or are told to take them along."""
    path = "spec.persistentVolumeClaimRetentionPolicy"
    for change in (*deleted(world, "apps/StatefulSet"), *updated(world, "apps/StatefulSet")):
        claims = [
            str(mapping(one.get("metadata")).get("name"))
            for one in sequence(spec(change.before).get("volumeClaimTemplates"))
        ]
        whole = field(change.before, f"{path}.whenDeleted")
        if change.action == "delete" and claims:
            if whole == "Delete":
                reason = (
                    f"{change.address} is deleted, and {path}.whenDeleted Delete takes "
                    f"its volumes ({listed(claims)}) and data."
                )
                yield Draft("DATA_DESTROY", "critical", change.address, reason, False, "set whenDeleted Retain first")
            else:
                reason = f"{change.address} is deleted; its claims ({listed(claims)}) stay and hold the data."
                yield Draft("DESTROY", "high", change.address, reason, True, "apply it again under the same name")
        elif change.action == "update":
            for key in ("whenDeleted", "whenScaled"):
                old, new = field(change.before, f"{path}.{key}"), field(change.after, f"{path}.{key}")
                if new == "Delete" and old != "Delete":
                    reason = (
                        f"{path}.{key} {show(old)} -> Delete: volumes of {change.address} "
                        "and their data go with its pods."
                    )
                    yield Draft("GUARD_REMOVED", "high", change.address, reason, True, "keep Retain")


def others(world: World) -> Iterator[Draft | Unjudged]:
    """Custom resources that are deleted: what their operator made of them goes too."""
    for change in deleted(world):
        kind = change.type.rpartition("/")[2]
        if change.type in _QUIET or change.type in WORKLOADS or change.type in SPACES or _OWN_RULES.match(change.type):
            continue
        if change.type in ENDS:
            continue
        if _holds(change):
            reason = f"{change.address} is deleted: its operator takes the {kind} down, and its data may go with it."
            kept = str(spec(change.before).get("deletionPolicy")) in ("Orphan", "Retain") or _annotated(change, "keep")
            mitigations = (Mitigation("deletionPolicy keeps what is behind it", 1),) if kept else ()
            back = "take a backup first, and see what the operator keeps"
            yield Draft("DATA_DESTROY", "critical", change.address, reason, False, back, mitigations=mitigations)
        else:
            reason = f"{change.address} ({change.type}) is deleted, with what its operator made of it."
            grave: Severity = "low" if kind.endswith(_LIGHT) else "medium"
            yield Draft("DESTROY", grave, change.address, reason, True, "apply it again", certainty="possible")


def claims_resized(world: World) -> Iterator[Draft | Unjudged]:
    """Claims that ask for less, which no driver does."""
    for change in updated(world, "v1/PersistentVolumeClaim"):
        path = "spec.resources.requests.storage"
        old, new = field(change.before, path), field(change.after, path)
        one, other = quantity(old), quantity(new)
        if one is not None and other is not None and other < one:
            reason = f"{path} {show(old)} -> {show(new)}: a volume cannot shrink, so the apply is rejected."
            yield Draft(
                "IMMUTABLE_REJECT", "medium", change.address, reason, True, "make a new claim and copy the data"
            )


def deleted_spaces(world: World) -> list[ResourceChange]:
    """The namespaces that are deleted."""
    return [one for one in world.changes if one.type in SPACES and one.action == "delete"]


# Private


def _holds(change: ResourceChange) -> bool:
    kind, group = change.type.rpartition("/")[2], change.type.rpartition("/")[0]
    plain = kind in ("Cluster", "Instance", "Tenant", "Database")
    if kind.endswith(("User", "Policy", "Connector", "Class", "Rebalance", "Backup", "Bridge", "Role", "Monitor")):
        return False
    return bool(_DATA.search(kind)) or (plain and bool(_DATA.search(group) or "cnpg" in group))


def _holds_data(world: World, address: str) -> bool:
    one = world.before[address]
    if one.type == "v1/PersistentVolumeClaim":
        return True
    return (one.type == "apps/StatefulSet" and bool(spec(one.values).get("volumeClaimTemplates"))) or (
        not _OWN_RULES.match(one.type) and _holds(ResourceChange(address, one.type, "delete", one.values, None))
    )


def _annotated(change: ResourceChange, word: str) -> bool:
    notes = mapping(mapping((change.before or {}).get("metadata")).get("annotations"))
    return any(str(value).lower() == word for value in notes.values())


def _versions(change: ResourceChange, after: bool) -> set[str]:
    side = change.after if after else change.before
    return {str(one.get("name")) for one in sequence(spec(side).get("versions")) if mapping(one).get("served")}


def _kept(world: World, change: ResourceChange) -> bool:
    name = spec(change.before).get("storageClassName")
    return any(
        one.type == "storage.k8s.io/StorageClass"
        and name_in(one.values) == name
        and one.values.get("reclaimPolicy") == "Retain"
        for one in world.before.values()
    )
