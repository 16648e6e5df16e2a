"""What pods are given: volumes that keep their data, nodes that take them, accounts that they act as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity, Unjudged
from tidegate.infra.kubernetes.objects import WORKLOADS, containers, mapping, mappings, pod_spec, pod_template
from tidegate.infra.kubernetes.rules.common import space_of, updated
from tidegate.infra.kubernetes.rules.rbac import subjects_bound
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import flag, same, show
from tidegate.infra.values import Draft, ResourceChange, Value, World

_GRAVE: tuple[Severity, ...] = ("high", "critical")


def kept_data(world: World) -> Iterator[Draft | Unjudged]:
    """Volumes that lasted and no longer do, and lasting volumes that are mounted elsewhere."""
    for change in updated(world, *WORKLOADS):
        old, new = (_claims(change.type, side) for side in (change.before, change.after))
        names = {str(one.get("name")): one for one in mappings(pod_spec(change.type, change.after).get("volumes"))}
        lost = [name for name in sorted({*old} - {*new}) if "emptyDir" in names.get(name, {})]
        for name in lost:
            reason = (
                f"volume {name} of {change.address} was the claim {old[name]} and is an emptyDir now:"
                " what its pods write "
                "is lost with each of them, and they start without the data of before."
            )
            yield Draft("DATA_DURABILITY", "high", change.address, reason, True, "keep the claim")
        for name in sorted({*old} & {*new}):
            if old[name] != new[name]:
                reason = (
                    f"volume {name} of {change.address} is the claim {new[name]} instead of"
                    f" {old[name]}: its pods start "
                    "without the data of before."
                )
                yield Draft("OUTAGE_PARTIAL", "medium", change.address, reason, True, "copy the data first")
            else:
                yield from _mounted(change, name)


def placement(world: World) -> Iterator[Draft | Unjudged]:
    """Nodes that pods ask for: where none has these labels, no pod starts."""
    for change in updated(world, *WORKLOADS):
        old, new = (mapping(pod_spec(change.type, side).get("nodeSelector")) for side in (change.before, change.after))
        fresh = [f"{key}={show(value)}" for key, value in sorted(new.items()) if not same(old.get(key), value)]
        if fresh:
            reason = (
                f"nodeSelector of {change.address} now asks for {listed(fresh)}: where no node has that, no pod starts."
            )
            back = "see that such nodes exist"
            yield Draft("OUTAGE_PARTIAL", "low", change.address, reason, True, back, certainty="possible")


def accounts(world: World) -> Iterator[Draft | Unjudged]:
    """Service accounts that pods change to, where these hold strong rights, and tokens that are mounted again."""
    for change in updated(world):
        if pod_template(change.type, change.after) is None or pod_template(change.type, change.before) is None:
            continue
        old, new = pod_spec(change.type, change.before), pod_spec(change.type, change.after)
        was, now = (str(one.get("serviceAccountName") or "default") for one in (old, new))
        if was != now:
            grave, words = subjects_bound(world, now, space_of(change))
            if grave in _GRAVE and subjects_bound(world, was, space_of(change))[0] not in _GRAVE:
                reason = f"serviceAccountName {was} -> {now}: code in {change.address} can now escalate; {words}"
                yield Draft("PRIV_ESC", "high", change.address, reason, True, "give it an account of its own")
        if (
            flag(old.get("automountServiceAccountToken")) is False
            and flag(new.get("automountServiceAccountToken")) is not False
        ):
            reason = f"automountServiceAccountToken false is removed: code in {change.address} can act as {now} again."
            yield Draft("IAM_WIDEN", "low", change.address, reason, True, "keep it")


# Private


def _claims(type_: str, values: Mapping[str, Value] | None) -> dict[str, str]:
    """The volumes of a pod that are claims, with the claim's name."""
    found = {}
    for one in mappings(pod_spec(type_, values).get("volumes")):
        claim = mapping(one.get("persistentVolumeClaim")).get("claimName")
        if claim:
            found[str(one.get("name"))] = str(claim)
    for one in mappings(mapping((values or {}).get("spec")).get("volumeClaimTemplates")):
        name = str(mapping(one.get("metadata")).get("name"))
        found[name] = name
    return found


def _mounted(change: ResourceChange, volume: str) -> Iterator[Draft]:
    old, new = (_paths(change.type, side, volume) for side in (change.before, change.after))
    for name in sorted({*old} & {*new}):
        if old[name] != new[name]:
            reason = (
                f"volume {volume} of container {name} in {change.address} is mounted at"
                f" {listed(sorted(new[name]))} instead "
                f"of {listed(sorted(old[name]))}: if its code still writes to the old path, that data does not last."
            )
            back = "see where the image keeps its data"
            yield Draft("DATA_DURABILITY", "medium", change.address, reason, True, back, certainty="possible")


def _paths(type_: str, values: Mapping[str, Value] | None, volume: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, one in containers(pod_spec(type_, values), init=False).items():
        mounts = [mount for mount in mappings(one.get("volumeMounts")) if mount.get("name") == volume]
        if mounts:
            found[name] = {str(mount.get("mountPath")).rstrip("/") + _part(mount.get("subPath")) for mount in mounts}
    return found


def _part(path: Value) -> str:
    return f" (subPath {path})" if path else ""
