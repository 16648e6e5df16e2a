"""Workloads: how many pods there are, how they are replaced, checked and limited, and whether they run at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity, Unjudged
from tidegate.infra.kubernetes.labels import chooses
from tidegate.infra.kubernetes.objects import WORKLOADS, containers, mapping, pod_labels, pod_spec
from tidegate.infra.kubernetes.rules.common import (
    AWAY,
    callers,
    deleted,
    labels,
    quantity,
    space_in,
    spec,
    still_naming,
    updated,
    whole,
)
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import field, same, show
from tidegate.infra.values import Draft, ResourceChange, Value, World

_STAYS_ON = ("apps/DaemonSet",)
TIMES = 10
"""How many times as many pods at most are worth a line."""
SCALERS = ("autoscaling/HorizontalPodAutoscaler", "keda.sh/ScaledObject")


def scale(world: World) -> Iterator[Draft | Unjudged]:
    """Fewer pods, down to none."""
    for change in updated(world, *WORKLOADS):
        before, after = spec(change.before).get("replicas"), spec(change.after).get("replicas")
        scaled = _scaled(world, change.address)
        old, new = whole(before, 1), whole(after, 1)
        if same(before, after) or (scaled and after is None) or new >= old or change.type in _STAYS_ON:
            continue
        said = f"spec.replicas {show(before)} -> {show(after)}{'' if after is not None else ' (the default is 1)'}"
        served = callers(world, change.address, AWAY)
        if new == 0:
            yield Draft(
                "OUTAGE_FULL",
                "critical" if served else "high",
                change.address,
                f"{said} scales {change.address} to zero: no pod is left"
                + (f", and {listed(served)} get no answer." if served else ", and what it does is not done any more."),
                True,
                back="set replicas back",
                dependents=tuple(callers(world, change.address)[:12]),
            )
        elif change.type == "apps/StatefulSet":
            reason = (
                f"{said} takes members of {change.address} away; their volumes "
                "stay, but a quorum or a shard may be lost."
            )
            yield Draft("CAPACITY_DOWN", "medium", change.address, reason, True, "scale up again")
        elif new == 1:
            reason = (
                f"{said}: {change.address} has no second pod any more, so every restart or drained node is downtime."
            )
            yield Draft("CAPACITY_DOWN", "medium", change.address, reason, True, "scale up again")
        else:
            grave: Severity = "medium" if new * 2 <= old else "low"
            reason = f"{said} takes {old - new} of {old} pods of {change.address} away."
            yield Draft("CAPACITY_DOWN", grave, change.address, reason, True, "scale up again")


def gone(world: World) -> Iterator[Draft | Unjudged]:
    """Workloads that are deleted while something still sends them requests, or at all."""
    for change in deleted(world, *WORKLOADS, "v1/Pod", "serving.knative.dev/Service"):
        served = callers(world, change.address, AWAY)
        left = [one for one in served if one in world.after and not _still_answered(world, one)]
        if served and not left and any(one in world.after for one in served):
            reason = f"{change.address} is deleted; other pods answer for {listed(served)}."
            yield Draft("RESTART", "low", change.address, reason, True, "apply it again")
            continue
        if left:
            reason = (
                f"{change.address} is deleted while {listed(left)} still send it requests, which nothing answers then."
            )
            yield Draft("OUTAGE_FULL", "critical", change.address, reason, True, "keep it, or delete both")
            continue
        calling = still_naming(world, change.address)
        if calling:
            reason = f"{change.address} is deleted, and {listed(calling)} still name it: requests to it fail."
            yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "apply it again")
        else:
            reason = f"{change.address} is deleted{', with ' + listed(served) if served else ''}: what it served ends."
            yield Draft(
                "OUTAGE_FULL" if served else "DESTROY", "medium", change.address, reason, True, "apply it again"
            )


def autoscaling(world: World) -> Iterator[Draft | Unjudged]:
    """Autoscalers whose bounds fall."""
    for change in updated(world, *SCALERS):
        keys = ("minReplicas", "maxReplicas") if change.type == SCALERS[0] else ("minReplicaCount", "maxReplicaCount")
        target = mapping(spec(change.after).get("scaleTargetRef")).get("name")
        for key, default in zip(keys, (1, 100 if change.type == SCALERS[1] else 1), strict=True):
            old, new = whole(spec(change.before).get(key), default), whole(spec(change.after).get(key), default)
            if key == keys[1] and old and new >= old * TIMES:
                reason = (
                    f"{key} {old} -> {new}: {new / old:g} times as many pods of {target} may run, and what they call "
                    "gets that many more connections."
                )
                yield Draft("COST_UP", "medium", change.address, reason, True, "set it back")
            if new >= old:
                continue
            if key == keys[1] and new == 0:
                reason = f"{key} {old} -> 0 keeps {target} at zero pods: nothing is served."
                yield Draft("OUTAGE_FULL", "critical", change.address, reason, True, "set it back")
            elif key == keys[1]:
                grave: Severity = "medium" if new * 2 <= old else "low"
                reason = f"{key} {old} -> {new}: {target} cannot grow beyond {new} pods under load any more."
                yield Draft("CAPACITY_DOWN", grave, change.address, reason, True, "set it back")
            else:
                reason = f"{key} {old} -> {new}: {target} may shrink to {new} pods when little is asked of it."
                yield Draft(
                    "CAPACITY_DOWN", "medium" if new == 0 else "low", change.address, reason, True, "set it back"
                )
        paused = "autoscaling.keda.sh/paused-replicas"
        if paused in labels(change.after, "annotations") and paused not in labels(change.before, "annotations"):
            count = show(labels(change.after, "annotations")[paused])
            grave = "high" if count == "0" else "medium"
            reason = f"{paused} holds {target} at {count} pods whatever is asked of it."
            yield Draft(
                "OUTAGE_FULL" if count == "0" else "CAPACITY_DOWN", grave, change.address, reason, True, "remove it"
            )
    for change in deleted(world, *SCALERS):
        target = mapping(spec(change.before).get("scaleTargetRef")).get("name")
        if any(f"{target}" == one.address.rpartition("/")[2].split(" ")[-1] for one in deleted(world)):
            continue
        reason = (
            f"{change.address} is deleted: {target} stays at the number of pods it has and does not grow under load."
        )
        yield Draft("CAPACITY_DOWN", "medium", change.address, reason, True, "apply it again")


def rollout(world: World) -> Iterator[Draft | Unjudged]:
    """How pods are replaced: a strategy that stops all of them first."""
    for change in updated(world, *WORKLOADS):
        old, new = field(change.before, "spec.strategy.type"), field(change.after, "spec.strategy.type")
        if new == "Recreate" and old != "Recreate" and whole(spec(change.after).get("replicas"), 1):
            reason = (
                f"spec.strategy.type {show(old or 'RollingUpdate')} -> Recreate stops all pods of {change.address} "
                "before new ones start: every rollout is downtime."
            )
            yield Draft("OUTAGE_PARTIAL", "medium", change.address, reason, True, "keep RollingUpdate")
        path = "spec.strategy.rollingUpdate.maxUnavailable"
        old, new = field(change.before, path), field(change.after, path)
        if str(new) == "100%" and str(old) != "100%":
            reason = f"{path} {show(old)} -> 100%: a rollout may stop all pods of {change.address} at once."
            yield Draft("OUTAGE_PARTIAL", "medium", change.address, reason, True, "set it back")
        if field(change.after, "spec.paused") is True and field(change.before, "spec.paused") is not True:
            reason = f"spec.paused -> true: later changes of {change.address} are not rolled out."
            yield Draft("OBSERV_DOWN", "low", change.address, reason, True, "remove it")


def probes(world: World) -> Iterator[Draft | Unjudged]:
    """Health checks that may now fail on healthy pods, or that go."""
    for change in updated(world, *WORKLOADS):
        old, new = (containers(pod_spec(change.type, side), init=False) for side in (change.before, change.after))
        for name in sorted({*old} & {*new}):
            for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
                yield from _probe(world, change, name, probe, old[name], new[name])


def limits(world: World) -> Iterator[Draft | Unjudged]:
    """Memory and CPU taken from containers."""
    for change in updated(world, *WORKLOADS):
        old, new = (containers(pod_spec(change.type, side)) for side in (change.before, change.after))
        for name in sorted({*old} & {*new}):
            yield from _limits(change, name, mapping(old[name].get("resources")), mapping(new[name].get("resources")))


def pods_of(world: World, selector: Value, space: str, after: bool = True) -> list[str]:
    """The workloads of a namespace that a label selector means."""
    side = world.after if after else world.before
    return [
        address
        for address, one in side.items()
        if (one.type in WORKLOADS or one.type == "v1/Pod")
        and space_in(one.values) == space
        and chooses(selector, pod_labels(one.type, one.values))
    ]


# Private


def _scaled(world: World, address: str) -> bool:
    """Whether an autoscaler decides how many pods there are."""
    return any(use.through == "scaleTargetRef" for use in world.uses_after.users(address))


def _still_answered(world: World, address: str) -> bool:
    """Whether a service or what stands before it still leads to pods afterwards."""
    return any(
        (found := world.after.get(one)) is not None and (found.type in WORKLOADS or found.type == "v1/Pod")
        for one in world.uses_after.needs(address)
    )


def _probe(
    world: World, change: ResourceChange, name: str, probe: str, old: Mapping[str, Value], new: Mapping[str, Value]
) -> Iterator[Draft]:
    before, after = mapping(old.get(probe)), mapping(new.get(probe))
    if same(before, after) or (not before and not after):
        return
    where = f"{probe} of container {name}"
    if before and not after:
        grave: Severity = "low" if probe != "readinessProbe" else "medium"
        reason = f"{where} is removed: pods of {change.address} get requests before they can answer, or hang unseen."
        yield Draft(
            "GUARD_REMOVED", grave if callers(world, change.address, AWAY) else "low", change.address, reason, True
        )
        return
    moved = _moved(before, after, new)
    if moved:
        back = "see that the new image answers there before this is applied"
        reason = f"{where}: {moved}. Where the image does not answer there, no pod of {change.address} becomes ready."
        grave = "high" if "no port of the container" in moved else "medium"
        yield Draft("OUTAGE_PARTIAL", grave, change.address, reason, True, back, certainty="possible")
        return
    for key, default in (
        ("timeoutSeconds", 1),
        ("failureThreshold", 3),
        ("initialDelaySeconds", 0),
        ("periodSeconds", 10),
    ):
        one, other = whole(before.get(key), default), whole(after.get(key), default)
        if before and other * 2 <= one and one > 1 and probe != "readinessProbe" and key != "periodSeconds":
            reason = f"{where}: {key} {one} -> {other}: slow pods of {change.address} may be restarted over and over."
            yield Draft("RESTART", "low", change.address, reason, True, "set it back", certainty="possible")


def _moved(before: Mapping[str, Value], after: Mapping[str, Value], new: Mapping[str, Value]) -> str:
    """How a probe asks elsewhere than before, and whether nothing listens there; "" where it asks the same."""
    ports = {
        str(value)
        for one in new.get("ports") or ()
        if isinstance(one, Mapping)
        for value in (one.get("containerPort"), one.get("name"))
    }
    for kind in ("httpGet", "tcpSocket", "grpc"):
        asked = mapping(after.get(kind))
        port = asked.get("port")
        if (
            asked
            and ports
            and port is not None
            and str(port) not in ports
            and str(port) != str(mapping(before.get(kind)).get("port"))
        ):
            return (
                f"it asks port {show(port)}, which is no port of the container ({', '.join(sorted(ports - {'None'}))})"
            )
    if not before:
        return ""
    parts = []
    for key in ("path", "port", "scheme"):
        old, new_one = _asked(before).get(key), _asked(after).get(key)
        if old is not None and new_one is not None and not same(old, new_one):
            parts.append(f"{key} {show(old)} -> {show(new_one)}")
    renamed = _same_port(before, after, new)
    return ", ".join(part for part in parts if not (renamed and part.startswith("port ")))


def _asked(probe: Mapping[str, Value]) -> Mapping[str, Value]:
    return next((mapping(probe[kind]) for kind in ("httpGet", "tcpSocket", "grpc") if probe.get(kind)), {})


def _same_port(before: Mapping[str, Value], after: Mapping[str, Value], new: Mapping[str, Value]) -> bool:
    """Whether the port is only called by its name instead of its number, or the other way round."""
    asked = {str(_asked(one).get("port")) for one in (before, after)}
    return any(
        asked <= {str(one.get("containerPort")), str(one.get("name"))}
        for one in new.get("ports") or ()
        if isinstance(one, Mapping)
    )


def _limits(change: ResourceChange, name: str, old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[Draft]:
    before, after = mapping(old.get("limits")).get("memory"), mapping(new.get("limits")).get("memory")
    one, other = quantity(before), quantity(after)
    if one and after is None:
        reason = (
            f"limits.memory of container {name} {show(before)} -> none: if it leaks, it takes the memory of its node, "
            "and its neighbours are killed."
        )
        yield Draft("GUARD_REMOVED", "medium", change.address, reason, True, "set it back", certainty="likely")
    if one and other is not None and other <= one * 0.67:
        reason = (
            f"limits.memory of container {name} {show(before)} -> {show(after)}: if it uses more than that, "
            f"it is killed (OOM) and restarts."
        )
        yield Draft(
            "RESTART", "medium", change.address, reason, True, "look at its use of memory first", certainty="possible"
        )
    before, after = mapping(old.get("limits")).get("cpu"), mapping(new.get("limits")).get("cpu")
    one, other = quantity(before), quantity(after)
    if one and other is not None and other <= one * 0.5:
        reason = f"limits.cpu of container {name} {show(before)} -> {show(after)}: it may be throttled."
        yield Draft("CAPACITY_DOWN", "low", change.address, reason, True, "set it back", certainty="possible")
