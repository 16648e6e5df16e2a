"""Charts without helm: what changed values mean by their names, and which kinds a template no longer makes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from tidegate.change.trees import Pair
from tidegate.facts import Place, Unjudged
from tidegate.infra.kubernetes.objects import mapping, sequence
from tidegate.infra.kubernetes.sides import Side
from tidegate.infra.same import flag, number, same, show
from tidegate.infra.values import Draft, Found, Value

_COUNTS = ("replicaCount", "replicas", "minReplicas", "instances", "numberOfInstances")
_ALONE = " (likely, from values alone)"
_STORES = re.compile(
    r"^(postgres|mysql|maria|mongo|redis|kafka|elastic|opensearch|rabbit|minio|cassandra|etcd|clickhouse)",
    re.IGNORECASE,
)
_KIND = re.compile(r"^kind:[ \t]*[\"']?([A-Za-z]+)", re.MULTILINE)
_GRAVE_KINDS = frozenset(
    "PersistentVolumeClaim StatefulSet Namespace CustomResourceDefinition "
    "NetworkPolicy PodDisruptionBudget Ingress Deployment".split()
)


def read_charts(before: Side, after: Side, pairs: Sequence[Pair]) -> tuple[Found, list[Pair]]:
    """What changed values and templates of charts come to, and the files that are no part of a chart."""
    rest: list[Pair] = []
    files: list[str] = []
    drafts: list[Draft] = []
    old: dict[str, bytes] = {}
    new: dict[str, bytes] = {}
    for pair in pairs:
        if is_values(pair.path):
            files.append(pair.path)
            drafts += _values(before, after, pair)
        elif "/templates/" in f"/{pair.path}" and (
            is_template(before.content(pair.before)) or is_template(after.content(pair.after))
        ):
            files.append(pair.path)
            chart = f"/{pair.path}".partition("/templates/")[0].lstrip("/")
            old[chart] = old.get(chart, b"") + b"\n" + (before.content(pair.before) or b"")
            new[chart] = new.get(chart, b"") + b"\n" + (after.content(pair.after) or b"")
        elif posixpath.basename(pair.path) != "Chart.yaml":
            rest.append(pair)
    unjudged = tuple(one for chart in old for one in lost_kinds(chart, old[chart], new[chart]))
    return Found(drafts=tuple(drafts), unjudged=unjudged, files=tuple(files)), rest


def is_values(path: str) -> bool:
    """Whether a file gives values to a chart, from its name."""
    name = posixpath.basename(path)
    return (name.startswith("values") and name.endswith((".yaml", ".yml"))) or name.endswith(
        ("-values.yaml", ".values.yaml")
    )


def judge_values(
    before: Mapping[str, Value], after: Mapping[str, Value], address: str, prefix: str = "", place: Place | None = None
) -> Iterator[Draft]:
    """What changed values of a chart mean by their names. Charts differ, so most of it is only possible.

    What nearly all charts mean alike (no pods, far more pods, no limits) is likely, and says what it rests on.
    """
    for path, old, new in _changed(before, after, ()):
        name = f"{prefix}{'.'.join(path)}"
        drafts = list(_means(path, old, new, address, name))
        if new in (None, ""):
            drafts += _unlimited(path, old, address, name)
        if path and path[-1] in ("maxReplicas", "maxReplicaCount"):
            drafts += _most(f"{name} {show(old)} -> {show(new)}", number(old), number(new), address)
        for draft in drafts:
            likely = draft.reason.endswith(_ALONE)
            yield Draft(
                draft.code, draft.severity, address, draft.reason, draft.reversible, draft.back or "set it back",
                certainty="likely" if likely else "possible", place=place or Place(""),
            )  # fmt: skip


def is_template(data: bytes | None) -> bool:
    """Whether a file is filled in before it means anything."""
    return b"{{" in (data or b"")


def lost_kinds(name: str, before: bytes | None, after: bytes | None) -> Iterator[Unjudged]:
    """What cannot be judged of templates: fewer objects of a kind whose loss could be grave."""
    left = _kinds(before)
    for kind in _kinds(after):
        if kind in left:
            left.remove(kind)
    lost = sorted({*left} & _GRAVE_KINDS)
    if lost:
        reason = f"templates no longer make {', '.join(lost)}; which objects that deletes is not known here"
        mend = "render them before and after, and compare what comes out"
        yield Unjudged(name or "chart", reason, mend, Place(name))


# Private


def _values(before: Side, after: Side, pair: Pair) -> Iterator[Draft]:
    if not pair.before or not pair.after:
        return
    old, new = (side.parsed(path).documents for side, path in ((before, pair.before), (after, pair.after)))
    if old and new:
        yield from judge_values(mapping(old[0].value), mapping(new[0].value), pair.path, place=Place(pair.path))


def _changed(before: Value, after: Value, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value, Value]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _changed(before.get(key), after.get(key), (*path, key))
    elif not same(before, after):
        yield path, before, after


def _means(path: tuple[str, ...], old: Value, new: Value, address: str, name: str) -> Iterator[Draft]:
    from tidegate.infra.kubernetes.rules.images import judge_image

    leaf, above = path[-1], path[-2] if len(path) > 1 else ""
    said = f"{name} {show(old)} -> {show(new)}"
    if leaf in _COUNTS and number(old) is not None and number(new) is not None:
        yield from _count(said, number(old) or 0, number(new) or 0, address)
    elif leaf == "enabled" and flag(old) and flag(new) is False:
        yield from _disabled(said, above, path, address)
    elif leaf == "type" and above == "service" and new == "LoadBalancer":
        yield Draft(
            "NET_EXPOSE", "high", address, f"{said}: the service gets an address that the internet may reach.", True
        )
    elif (leaf in ("hosts", "host", "hostname") and above in ("ingress", "route", "hosts", "")) or (
        leaf == "hosts" and "ingress" in path
    ):
        lost = sorted(_hosts(old) - _hosts(new))
        if lost:
            reason = f"{name}: the host {', '.join(lost)} is no longer served."
            yield Draft("OUTAGE_PARTIAL", "high", address, reason, True)
    elif leaf == "repository" and isinstance(old, str) and isinstance(new, str):
        yield from judge_image(address, name, old, new)
    elif leaf == "tag" and new in ("latest", "") and old not in ("latest", ""):
        yield Draft("SUPPLY_CHAIN", "medium", address, f"{said}: the tag no longer means one image.", True)
    elif leaf in ("privileged", "hostNetwork", "hostPID") and flag(new) and not flag(old):
        yield Draft("PRIV_ESC", "high", address, f"{said}: its pods can escalate to their node.", True)
    elif leaf == "runAsNonRoot" and flag(old) and flag(new) is False:
        yield Draft("PRIV_ESC", "medium", address, f"{said}: its pods may run as root.", True)
    elif leaf == "memory" and above == "limits":
        yield from _memory(said, old, new, address)
    elif leaf in ("retention", "retentionDays", "retentionPeriod", "retentionPolicy"):
        yield from _retention(said, old, new, address)


def _count(said: str, old: float, new: float, address: str) -> Iterator[Draft]:
    if new == 0 < old:
        yield Draft("OUTAGE_FULL", "high", address, f"{said} scales to zero: no pod is left{_ALONE}", True)
    elif new == 1 < old:
        yield Draft("CAPACITY_DOWN", "medium", address, f"{said}: there is no second pod any more.", True)
    elif new < old:
        yield Draft("CAPACITY_DOWN", "low", address, f"{said}: fewer pods.", True)


def _most(said: str, old: float | None, new: float | None, address: str) -> Iterator[Draft]:
    from tidegate.infra.kubernetes.rules.workloads import TIMES

    if not old or new is None:
        return
    if new == 0:
        yield Draft("OUTAGE_FULL", "high", address, f"{said}: no pod may run{_ALONE}", True)
    elif new >= old * TIMES:
        more = f"{said}: {new / old:g} times as many pods may run, and what they call gets that many more connections"
        yield Draft("COST_UP", "medium", address, f"{more}{_ALONE}", True)
    elif new * 2 <= old:
        yield Draft("CAPACITY_DOWN", "medium", address, f"{said}: it cannot grow as far under load{_ALONE}", True)


def _unlimited(path: tuple[str, ...], old: Value, address: str, name: str) -> Iterator[Draft]:
    """Limits of memory that go: with their value, with all limits, or with all resources."""
    inner = mapping(old)
    limits = mapping(inner.get("limits")) if path[-1] == "resources" else inner
    where = path[-1] in ("resources", "limits") and isinstance(old, Mapping) and limits.get("memory") is not None
    named = path[-2:] == ("limits", "memory") and old is not None
    if where or named:
        then = "a pod that leaks takes the memory of its node, and its neighbours are killed"
        yield Draft("GUARD_REMOVED", "medium", address, f"{name} is emptied: {then}{_ALONE}", True)


def _disabled(said: str, above: str, path: tuple[str, ...], address: str) -> Iterator[Draft]:
    lower = above.lower()
    if lower in ("ingress", "route", "httproute", "gateway"):
        yield Draft("OUTAGE_FULL", "high", address, f"{said}: nothing is served to the outside any more.", True)
    elif lower in ("persistence", "storage", "persistentvolume"):
        reason = f"{said}: data is kept in the pod only and goes with it; the claim of before may be deleted."
        yield Draft("DATA_DESTROY", "critical", address, reason, False, "take a copy first")
    elif lower == "networkpolicy":
        yield Draft("NET_EXPOSE", "medium", address, f"{said}: every pod of the cluster may reach it.", True)
    elif lower in ("poddisruptionbudget", "pdb"):
        yield Draft("GUARD_REMOVED", "medium", address, f"{said}: draining nodes may stop all pods at once.", True)
    elif "backup" in lower:
        yield Draft("BACKUP_REDUCED", "high", address, f"{said}: no backups are made from then on.", True)
    elif lower in ("auth", "authentication", "rbac", "oauth2proxy"):
        yield Draft("NET_EXPOSE", "high", address, f"{said}: nobody is asked who they are.", True)
    elif lower in ("tls", "mtls", "ssl"):
        yield Draft("TLS_OFF", "high", address, f"{said}: requests go in clear.", True)
    elif lower in ("autoscaling", "hpa"):
        yield Draft("CAPACITY_DOWN", "low", address, f"{said}: the number of pods no longer follows the load.", True)
    elif lower in ("servicemonitor", "metrics", "alerts", "prometheusrule"):
        yield Draft("OBSERV_DOWN", "medium", address, f"{said}: nothing measures it any more.", True)
    elif len(path) == 2 and _STORES.match(above):
        reason = f"{said}: the {above} that the chart runs is taken down, and its data may go with it."
        yield Draft("DATA_DESTROY", "critical", address, reason, False, "take a backup first")
    elif len(path) == 2:
        yield Draft("DESTROY", "low", address, f"{said}: {above} is no longer deployed.", True)


def _hosts(value: Value) -> set[str]:
    if isinstance(value, str):
        return {value}
    return {
        str(mapping(one).get("host") or mapping(one).get("name")) if isinstance(one, Mapping) else str(one)
        for one in sequence(value)
    }


def _memory(said: str, old: Value, new: Value, address: str) -> Iterator[Draft]:
    from tidegate.infra.kubernetes.rules.common import quantity

    one, other = quantity(old), quantity(new)
    if one and other is not None and other <= one * 0.67:
        yield Draft(
            "RESTART", "medium", address, f"{said}: if it uses more than that, it is killed (OOM) and restarts.", True
        )


def _retention(said: str, old: Value, new: Value, address: str) -> Iterator[Draft]:
    from tidegate.infra.kubernetes.rules.custom import amount

    one, other = amount(old), amount(new)
    if one is not None and other is not None and other < one:
        yield Draft("DATA_DESTROY_DELAYED", "medium", address, f"{said}: what is older is deleted for good.", False)


def _kinds(data: bytes | None) -> list[str]:
    return _KIND.findall((data or b"").decode("utf-8", "replace"))
