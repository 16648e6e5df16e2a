"""Disruption budgets, quotas and jobs: guards that go, room that shrinks, work that is no longer done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.facts import Severity, Unjudged
from tidegate.infra.kubernetes.objects import WORKLOADS, containers, mapping, pod_spec
from tidegate.infra.kubernetes.rules.common import (
    created,
    deleted,
    labels,
    name_of,
    quantity,
    space_in,
    space_of,
    spec,
    updated,
    whole,
)
from tidegate.infra.kubernetes.rules.workloads import pods_of
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import field, flag, same, show
from tidegate.infra.values import Draft, ResourceChange, Value, World

BUDGET = "policy/PodDisruptionBudget"
QUOTAS = ("v1/ResourceQuota", "quota.openshift.io/ClusterResourceQuota")
_BACKUP = re.compile(
    r"backup|back-up|snapshot|pg_?dump|mysqldump|mongodump|restic|velero|wal-g|barman|borg", re.IGNORECASE
)


def disruption(world: World) -> Iterator[Draft | Unjudged]:
    """Budgets that are removed, fall, or forbid what a drained node needs."""
    for change in deleted(world, BUDGET):
        pods = pods_of(world, spec(change.before).get("selector"), space_of(change))
        if pods or not _goes_with_pods(world, change):
            whom = listed(pods) if pods else "its pods"
            reason = f"{change.address} is deleted: draining nodes may stop all pods of {whom} at once."
            yield Draft("GUARD_REMOVED", "medium", change.address, reason, True, "apply it again")
    for change in world.changes:
        if change.type != BUDGET or change.after is None:
            continue
        old, new = spec(change.before), spec(change.after)
        if change.before is not None and same(old, new):
            continue
        if blocked := _blocks(world, change):
            reason = f"{blocked}: no pod may be evicted, so draining a node and upgrading the cluster hang."
            yield Draft(
                "APPLY_FAIL",
                "medium" if change.before is not None else "low",
                change.address,
                reason,
                True,
                "leave room for one",
            )
        elif change.before is not None and _weaker(old, new):
            said = listed(
                [
                    f"{key} {show(old.get(key))} -> {show(new.get(key))}"
                    for key in ("minAvailable", "maxUnavailable")
                    if old.get(key) != new.get(key)
                ]
            )
            reason = f"{said}: {change.address} lets more pods be stopped at once."
            yield Draft("GUARD_REMOVED", "low", change.address, reason, True, "set it back")


def quotas(world: World) -> Iterator[Draft | Unjudged]:
    """Room that is taken from a namespace, and the limits that go."""
    for change in deleted(world, *QUOTAS, "v1/LimitRange"):
        if any(one.type == change.type and space_in(one.values) == space_of(change) for one in world.after.values()):
            continue
        what = (
            "limit for what one container takes"
            if change.type.endswith("LimitRange")
            else "limit for what the namespace takes"
        )
        reason = f"{change.address} is deleted: there is no {what} any more, and its pods may starve others."
        yield Draft("GUARD_REMOVED", "medium", change.address, reason, True, "apply it again")
    for change in (*updated(world, *QUOTAS), *created(world, "v1/ResourceQuota")):
        old, new = (_hard(side) for side in (change.before or _replaced(world, change), change.after))
        used = _used(world, space_of(change))
        for key in sorted(new):
            before, after = quantity(old.get(key)), quantity(new[key])
            if before is None or after is None or after >= before:
                continue
            said = f"hard.{key} {show(old[key])} -> {show(new[key])}"
            if used.get(key, 0) > after:
                reason = (
                    f"{said} is less than the pods of the set ask for ({used[key]:g}): "
                    "new pods are refused, and a rollout hangs."
                )
                yield Draft("OUTAGE_PARTIAL", "high", change.address, reason, True, "keep the quota above what runs")
            else:
                grave: Severity = (
                    "medium" if after == 0 or (after * 4 <= before and key in ("pods", "count/pods")) else "low"
                )
                reason = f"{said}: pods beyond it are refused when they are next started."
                yield Draft(
                    "CAPACITY_DOWN",
                    grave,
                    change.address,
                    reason,
                    True,
                    "look at what is used first",
                    certainty="possible",
                )


def jobs(world: World) -> Iterator[Draft | Unjudged]:
    """Jobs that no longer run, backups above all."""
    for change in updated(world, "batch/CronJob"):
        if flag(spec(change.after).get("suspend")) and not flag(spec(change.before).get("suspend")):
            yield _stopped(change, "spec.suspend -> true")
        old, new = spec(change.before).get("schedule"), spec(change.after).get("schedule")
        if isinstance(new, str) and old != new and _never(new):
            yield _stopped(change, f"spec.schedule {show(old)} -> {show(new)} names a day that no month has")
        elif is_backup(change) and isinstance(new, str) and isinstance(old, str) and runs(new) * 2 <= runs(old):
            reason = (
                f"spec.schedule {show(old)} -> {show(new)}: {change.address} makes "
                "backups less often, and more is lost between two."
            )
            yield Draft("BACKUP_REDUCED", "medium", change.address, reason, True, "set it back")
    for change in deleted(world, "batch/CronJob"):
        yield _stopped(change, "it is deleted")
    for change in deleted(world, "batch/Job"):
        reason = f"{change.address} is deleted; if it still runs, its pods are stopped."
        yield Draft("DESTROY", "low", change.address, reason, True, "apply it again", certainty="possible")


def is_backup(change: ResourceChange) -> bool:
    """Whether a job makes backups, from its name and its commands."""
    values = change.before or change.after or {}
    if _BACKUP.search(name_of(change)) or _BACKUP.search(" ".join(map(str, labels(values).values()))):
        return True
    for one in containers(pod_spec(change.type, values)).values():
        words = " ".join(map(str, [one.get("image"), *(one.get("command") or ()), *(one.get("args") or ())]))[:5000]
        if _BACKUP.search(words):
            return True
    return False


def runs(schedule: str) -> float:
    """About how often in a day a schedule runs."""
    named = {"@hourly": 24.0, "@daily": 1.0, "@midnight": 1.0, "@weekly": 1 / 7, "@monthly": 1 / 30, "@yearly": 1 / 365}
    if schedule.strip() in named:
        return named[schedule.strip()]
    parts = schedule.split()
    if len(parts) != 5:
        return 1.0
    minutes, hours = _count(parts[0], 60), _count(parts[1], 24)
    days = min(_count(parts[2], 31) / 31, _count(parts[4], 7) / 7)
    return minutes * hours * days * _count(parts[3], 12) / 12


# Private


def _hard(values: Mapping[str, Value] | None) -> Mapping[str, Value]:
    return mapping(spec(values).get("hard") or field(values, "spec.quota.hard"))


def _replaced(world: World, change: ResourceChange) -> Mapping[str, Value] | None:
    """The quota of the same namespace that goes while this one comes, None where there is none or more than one."""
    gone = [one.before for one in deleted(world, change.type) if space_of(one) == space_of(change)]
    return gone[0] if len(gone) == 1 else None


def _count(part: str, most: int) -> float:
    total = 0.0
    for one in part.split(","):
        span, _, step = one.partition("/")
        size = float(most) if span == "*" else 1.0
        if "-" in span:
            low, _, high = span.partition("-")
            size = float(int(high) - int(low) + 1) if low.isdigit() and high.isdigit() else 1.0
        elif step and span.isdigit():
            size = float(most - int(span))
        total += max(1.0, size / int(step)) if step.isdigit() and int(step) else size
    return min(total, float(most))


def _never(schedule: str) -> bool:
    parts = schedule.split()
    if len(parts) != 5 or not parts[2].isdigit() or not parts[3].isdigit() or parts[4] != "*":
        return False
    return int(parts[2]) > {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}.get(int(parts[3]), 31)


def _stopped(change: ResourceChange, how: str) -> Draft:
    if is_backup(change):
        reason = (
            f"{change.address}: {how}. No backups are made from then on, and what is lost later cannot be restored."
        )
        return Draft("BACKUP_REDUCED", "high", change.address, reason, True, "set it back before the next run")
    reason = (
        f"{change.address}: {how}. What it did on {show(spec(change.before).get('schedule'))} is not done any more."
    )
    return Draft("OUTAGE_PARTIAL", "medium", change.address, reason, True, "apply it again")


def _goes_with_pods(world: World, change: ResourceChange) -> bool:
    return bool(pods_of(world, spec(change.before).get("selector"), space_of(change), after=False))


def _blocks(world: World, change: ResourceChange) -> str:
    """Why no pod may be evicted, "" where one may."""
    budget, before = spec(change.after), spec(change.before)
    if str(budget.get("maxUnavailable")) in ("0", "0%") and str(before.get("maxUnavailable")) not in ("0", "0%"):
        return "maxUnavailable 0"
    least = budget.get("minAvailable")
    if least is None or same(least, before.get("minAvailable")):
        return ""
    if str(least) == "100%":
        return "minAvailable 100%"
    for address in pods_of(world, budget.get("selector"), space_of(change)):
        count = whole(spec(world.after[address].values).get("replicas"), 1)
        if not str(least).endswith("%") and whole(least) >= count > 0 and not _scaled(world, address):
            return f"minAvailable {least} with {count} replicas of {address}"
    return ""


def _scaled(world: World, address: str) -> bool:
    return any("scaleTargetRef" in use.through for use in world.uses_after.users(address))


def _weaker(old: Mapping[str, Value], new: Mapping[str, Value]) -> bool:
    least, most = (whole(str(side.get("minAvailable")).rstrip("%"), -1) for side in (old, new))
    if least > most >= 0:
        return True
    least, most = (whole(str(side.get("maxUnavailable")).rstrip("%"), -1) for side in (old, new))
    return most > least >= 0


def _used(world: World, space: str) -> dict[str, float]:
    """What the workloads of a namespace ask for, as a quota counts it."""
    found: dict[str, float] = {}
    for one in world.after.values():
        if one.type not in WORKLOADS or space_in(one.values) != space:
            continue
        count = whole(spec(one.values).get("replicas"), 1)
        found["pods"] = found.get("pods", 0) + count
        for container in containers(pod_spec(one.type, one.values), init=False).values():
            for side in ("requests", "limits"):
                for name, value in mapping(mapping(container.get("resources")).get(side)).items():
                    amount = (quantity(value) or 0) * count
                    for key in (f"{side}.{name}", *([name] if side == "requests" else [])):
                        found[key] = found.get(key, 0) + amount
    return found
