"""What changed attributes of custom resources mean, by the tables of `tables.py`, and what no table can say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.facts import Unjudged
from tidegate.infra.kubernetes.objects import WORKLOADS, mapping, mappings, sequence
from tidegate.infra.kubernetes.rules.common import callers, deleted, quantity, spec, updated, whole
from tidegate.infra.kubernetes.rules.tables import ENDS, MACHINES, TABLE, means_of
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import flag, number, same, show
from tidegate.infra.values import Draft, Value, World


def meanings(world: World) -> Iterator[Draft | Unjudged]:
    """What a changed attribute of a known kind means, and a count of nothing in any other."""
    for change in updated(world):
        for one in means_of(change.type):
            for name, before, after in _pairs(change.before, change.after, one.path.split("/")):
                if _counts(one.when, before, after):
                    yield Draft(
                        one.code, one.severity, change.address,
                        f"{name} {show(before)} -> {show(after)}: {one.words} ({change.address}).",
                        one.reversible, back="set it back" if one.reversible else "needs a restore",
                    )  # fmt: skip
        if change.type not in TABLE and "." in change.type and change.type not in (*WORKLOADS, *MACHINES):
            for key in ("replicas", "instances", "size"):
                before, after = spec(change.before).get(key), spec(change.after).get(key)
                if after == 0 and before is not None and whole(before) > 0:
                    reason = f"spec.{key} {show(before)} -> 0: {change.address} runs nothing any more."
                    yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "set it back")


def endings(world: World) -> Iterator[Draft | Unjudged]:
    """Known kinds that are deleted."""
    for change in deleted(world):
        ends = ENDS.get(change.type)
        if ends is None:
            continue
        users = [one for one in callers(world, change.address) if one in world.after]
        needed = f" {listed(users)} need it." if users else ""
        alone = ends.code == "OUTAGE_PARTIAL" and ends.severity == "medium" and not users
        reason = f"{change.address} is deleted: {ends.words}.{needed}"
        yield Draft(
            ends.code, "low" if alone else ends.severity, change.address, reason, ends.reversible, "apply it again"
        )


def alerts(world: World) -> Iterator[Draft | Unjudged]:
    """Alerts that are taken out of a set of rules, or made deaf."""
    kept = {
        name for one in world.after.values() if one.type.endswith("/PrometheusRule") for name in _alerts(one.values)
    }
    for change in updated(world, "monitoring.coreos.com/PrometheusRule"):
        lost = sorted({*_alerts(change.before)} - kept)
        if lost:
            reason = f"{change.address} no longer holds the alert {listed(lost)}: nobody is called when that happens."
            yield Draft("OBSERV_DOWN", "medium", change.address, reason, True, "keep the alert")
        before, after = _alerts(change.before), _alerts(change.after)
        for name in sorted({*before} & {*after}):
            one, other = (mapping(side[name].get("labels")).get("severity") for side in (before, after))
            if one in ("critical", "page") and other not in ("critical", "page"):
                reason = f"severity of the alert {name} {show(one)} -> {show(other)}: it no longer wakes anybody."
                yield Draft("OBSERV_DOWN", "low", change.address, reason, True, "set it back")
            first, second = _threshold(before[name].get("expr")), _threshold(after[name].get("expr"))
            if first and second and first[0] == second[0] and first[1] and _deaf(first[0], first[1], second[1]):
                reason = (
                    f"threshold of the alert {name} {first[0]} {first[1]:g} -> {second[1]:g}: it hardly fires any more."
                )
                far = _deaf(first[0], first[1] * (10 if first[0][0] == ">" else 0.1), second[1])
                yield Draft("OBSERV_DOWN", "medium" if far else "low", change.address, reason, True, "set it back")


def meshes(world: World) -> Iterator[Draft | Unjudged]:
    """Istio and the Gateway API: weights that fall to nothing, policies that let more in."""
    for change in updated(world, "networking.istio.io/VirtualService", "gateway.networking.k8s.io/HTTPRoute"):
        had, has = (dict(_weights(spec(side))) for side in (change.before, change.after))
        for name in sorted({*had} & {*has}):
            if had[name] > 0 and has[name] == 0:
                others = sorted(one for one in has if has[one] > 0)
                reason = f"weight of {name} {had[name]:g} -> 0: all its requests go to {listed(others) or 'nothing'}."
                yield Draft(
                    "OUTAGE_PARTIAL",
                    "medium" if others else "high",
                    change.address,
                    reason,
                    True,
                    "move the weight in steps",
                )
    for change in updated(world, "security.istio.io/AuthorizationPolicy"):
        old, new = spec(change.before), spec(change.after)
        if str(old.get("action", "ALLOW")) == "DENY" and str(new.get("action", "ALLOW")) != "DENY":
            reason = (
                f"spec.action DENY -> {show(new.get('action', 'ALLOW'))}: {change.address} no longer refuses anything."
            )
            yield Draft("NET_EXPOSE", "high", change.address, reason, True, "keep DENY")
        elif (
            str(new.get("action", "ALLOW")) == "ALLOW"
            and {} in sequence(new.get("rules"))
            and {} not in sequence(old.get("rules"))
        ):
            reason = f"an empty rule of {change.address} allows every request."
            yield Draft("NET_EXPOSE", "high", change.address, reason, True, "name who may")
    for change in updated(world, "cert-manager.io/Certificate"):
        lost = [
            str(one)
            for one in sequence(spec(change.before).get("dnsNames"))
            if one not in sequence(spec(change.after).get("dnsNames"))
        ]
        if lost:
            reason = (
                f"spec.dnsNames of {change.address} loses {listed(lost)}: clients "
                "that ask by this name refuse the certificate."
            )
            yield Draft("OUTAGE_PARTIAL", "medium", change.address, reason, True, "keep the name until nobody asks it")


def amount(value: Value) -> float | None:
    """A number, a size or a time."""
    plain = number(value)
    if plain is not None:
        return plain
    text = str(value)
    if len(text) < 40 and _TIME.sub("", text) == "" and text:
        return sum(int(match[1]) * _SECONDS[match[2]] for match in _TIME.finditer(text))
    return quantity(value)


# Private

_TIME = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


def _pairs(before: Value, after: Value, path: list[str], name: str = "") -> Iterator[tuple[str, Value, Value]]:
    """The values at a path on both sides, entries of lists by their name."""
    if not path:
        yield name, before, after
        return
    head, rest = path[0], path[1:]
    if head == "*":
        olds, news = (
            {str(one.get("name", place)): one for place, one in enumerate(mappings(side))} for side in (before, after)
        )
        for key in sorted({*olds}):
            yield from _pairs(olds[key], news.get(key), rest, f"{name}.{key}")
        return
    old, new = mapping(before).get(head), mapping(after).get(head)
    yield from _pairs(old, new, rest, f"{name}.{head}" if name else head)


def _counts(when: str, before: Value, after: Value) -> bool:
    if before is None and when != "on" and not when.startswith("="):
        return False
    if when == "gone":
        return bool(before) and not after
    if when == "less":
        one, other = amount(before), amount(after)
        return one is not None and other is not None and other < one
    if when == "on":
        return bool(flag(after)) and not flag(before)
    if when == "off":
        return bool(flag(before)) and flag(after) is False
    if when == "moved":
        return after is not None and not same(before, after)
    return show(after) == when[1:] and show(before) != when[1:]


def _alerts(values: Mapping[str, Value] | None) -> dict[str, Mapping[str, Value]]:
    groups = mappings(spec(values).get("groups"))
    return {str(one["alert"]): one for group in groups for one in mappings(group.get("rules")) if one.get("alert")}


_THRESHOLD = re.compile(r"(>=?|<=?)\s*(\d+(?:\.\d+)?)\s*$")


def _threshold(expression: Value) -> tuple[str, float] | None:
    match = _THRESHOLD.search(str(expression).strip()[-60:])
    return (match[1], float(match[2])) if match else None


def _deaf(sign: str, before: float, after: float) -> bool:
    """Whether a threshold moves ten times away from where it fires."""
    return after >= before * 10 if sign.startswith(">") else after * 10 <= before


def _weights(found: Mapping[str, Value]) -> Iterator[tuple[str, float]]:
    for place, route in enumerate((*mappings(found.get("http")), *mappings(found.get("rules")))):
        for one in (*mappings(route.get("route")), *mappings(route.get("backendRefs"))):
            target = mapping(one.get("destination"))
            name = (
                f"{target.get('host') or one.get('name')}{'/' + str(target['subset']) if target.get('subset') else ''}"
            )
            if one.get("weight") is not None:
                yield f"{name} (route {place + 1})", number(one["weight"]) or 0.0
