"""Services and routes: which requests no longer arrive, and which now come from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import EffectCode, Severity, Unjudged
from tidegate.infra.kubernetes.labels import carries
from tidegate.infra.kubernetes.objects import (
    containers,
    mapping,
    mappings,
    pod_spec,
    sequence,
)
from tidegate.infra.kubernetes.rules.common import (
    callers,
    deleted,
    labels,
    name_in,
    name_of,
    space_in,
    space_of,
    spec,
    still_naming,
    updated,
)
from tidegate.infra.kubernetes.uses import backends
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import field, same, show
from tidegate.infra.values import Draft, ResourceChange, Value, World

_INTERNAL = (
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
    "networking.gke.io/load-balancer-type",
    "cloud.google.com/load-balancer-type",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "alb.ingress.kubernetes.io/scheme",
)


def selectors(world: World) -> Iterator[Draft | Unjudged]:
    """Services that lead to no pod any more: their selector changed, or the labels of the pods did."""
    touched = {one.address for one in world.changes if one.action == "update"}
    for address, service in world.after.items():
        if service.type != "v1/Service" or address not in world.before:
            continue
        had = _targets(world, address, False)
        if not had or _targets(world, address, True):
            continue
        if address not in touched and not any(one in touched for one in had):
            continue
        change = next((one for one in world.changes if one.address == address), None)
        chosen = show(mapping(spec(service.values).get("selector")))
        what = f"the labels of the pods of {listed(had)} change"
        if change and address in touched:
            what = f"spec.selector {show(spec(change.before).get('selector'))} -> {chosen}"
        if all(one not in world.after for one in had):
            continue
        reason = (
            f"{what}: {address} (selector {chosen}) matches no pod of the set any more, so requests to it fail at once."
        )
        yield Draft(
            "OUTAGE_FULL",
            "critical" if callers(world, address) else "high",
            address,
            reason,
            True,
            back="change labels and selector together",
            certainty="likely",
            place=service.place,
        )
    yield from _unseen_selectors(world)


def ports(world: World) -> Iterator[Draft | Unjudged]:
    """Ports that services no longer offer, or that lead to none of the pods' ports."""
    for change in updated(world, "v1/Service"):
        old, new = mappings(spec(change.before).get("ports")), mappings(spec(change.after).get("ports"))
        offered = {str(one.get("port")) for one in new}
        lost = [str(one.get("port")) for one in old if str(one.get("port")) not in offered]
        users = still_naming(world, change.address, lost[0]) if lost else []
        others = still_naming(world, change.address)
        if lost and new:
            fresh = sorted(offered - {str(one.get("port")) for one in old})
            now = f"; it now offers {listed(fresh)}" if fresh else ""
            reason = (
                f"spec.ports: port {listed(lost)} of {change.address} is taken away{now}. "
                f"Clients that call port {lost[0]} are refused{_who(users)}."
            )
            every = len(lost) == len(old)
            outside = str(spec(change.after).get("type")) in ("LoadBalancer", "NodePort")
            grave: Severity = "high" if users or not others or outside else "medium"
            code: EffectCode = "OUTAGE_FULL" if every else "OUTAGE_PARTIAL"
            back = "offer both ports until every client has changed"
            yield Draft(code, grave, change.address, reason, True, back, dependents=tuple(users[:12]))
        yield from _target_ports(world, change, old, new)
        yield from _renamed_ports(world, change, old, new)


def kinds(world: World) -> Iterator[Draft | Unjudged]:
    """Services that become reachable from outside, or stop being."""
    for change in updated(world, "v1/Service"):
        old, new = (str(spec(side).get("type") or "ClusterIP") for side in (change.before, change.after))
        if new == "LoadBalancer" and old != new and not _is_internal(change.after):
            grave: Severity = "medium" if spec(change.after).get("loadBalancerSourceRanges") else "high"
            reason = (
                f"spec.type {old} -> LoadBalancer gives {change.address} an address "
                "of its own that the internet may reach."
            )
            yield Draft(
                "NET_EXPOSE", grave, change.address, reason, True, "keep ClusterIP, or add loadBalancerSourceRanges"
            )
        elif old == "LoadBalancer" and new != old:
            reason = (
                f"spec.type LoadBalancer -> {new}: the load balancer of {change.address} and its address are given up."
            )
            yield Draft("OUTAGE_FULL", "high", change.address, reason, False, "the address may not come back")
        elif new == "ExternalName" and old != new:
            host = show(spec(change.after).get("externalName"))
            reason = f"{change.address} becomes an ExternalName: requests go to {host} instead of its pods."
            yield Draft("OUTAGE_PARTIAL", "high", change.address, reason, True, "set it back")
        elif new == "ExternalName" and not same(
            field(change.before, "spec.externalName"), field(change.after, "spec.externalName")
        ):
            hosts = (
                f"{show(field(change.before, 'spec.externalName'))} -> {show(field(change.after, 'spec.externalName'))}"
            )
            reason = f"spec.externalName {hosts}: all that call {change.address} reach another host."
            yield Draft("DNS_CHANGE", "medium", change.address, reason, True, "set it back")
        if new == old == "LoadBalancer":
            yield from _balancer(change)


def services_gone(world: World) -> Iterator[Draft | Unjudged]:
    """Services that are deleted, and who still calls them."""
    for change in deleted(world, "v1/Service"):
        users = still_naming(world, change.address)
        moved = _twin(world, change)
        if users and not moved:
            reason = (
                f"{change.address} is deleted, and {listed(users)} still call it: its name does not resolve any more."
            )
            yield Draft("OUTAGE_FULL", "critical", change.address, reason, True, "keep it until nothing calls it")
        elif str(spec(change.before).get("type")) == "LoadBalancer":
            reason = (
                f"{change.address} is deleted, and its load balancer with the address goes: clients outside lose it."
            )
            yield Draft("OUTAGE_FULL", "high", change.address, reason, False, "the address may not come back")
        elif any(one in world.after for one in world.uses_before.needs(change.address)) and not moved:
            reason = f"{change.address} is deleted while its pods stay: whoever calls it by name gets no answer."
            yield Draft(
                "OUTAGE_PARTIAL", "medium", change.address, reason, True, "apply it again", certainty="possible"
            )


# Private


def _targets(world: World, address: str, after: bool) -> list[str]:
    uses = world.uses_after if after else world.uses_before
    return [one.used for one in uses.used(address) if one.through == "spec.selector"]


def _unseen_selectors(world: World) -> Iterator[Draft]:
    """Selectors that change where no pods of the namespace are at hand."""
    for change in updated(world, "v1/Service"):
        old, new = mapping(spec(change.before).get("selector")), mapping(spec(change.after).get("selector"))
        if not old or same(old, new) or _targets(world, change.address, False) or _targets(world, change.address, True):
            continue
        if new and carries(old, new):
            continue
        if not new:
            reason = (
                f"spec.selector of {change.address} is removed: it leads to no pods unless endpoints are made by hand."
            )
            yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "keep the selector")
            continue
        reason = (
            f"spec.selector {show(old)} -> {show(new)}: {change.address} leads "
            "to other pods at once; if none carry these "
            "labels, every request fails."
        )
        yield Draft(
            "OUTAGE_FULL",
            "high",
            change.address,
            reason,
            True,
            "see that pods with these labels run",
            certainty="possible",
        )


def _who(users: list[str]) -> str:
    return f": {listed(users)}" if users else ""


def _target_ports(
    world: World, change: ResourceChange, old: list[Mapping[str, Value]], new: list[Mapping[str, Value]]
) -> Iterator[Draft]:
    known = {str(one.get("port")): str(one.get("targetPort") or one.get("port")) for one in old}
    for one in new:
        port, target = str(one.get("port")), str(one.get("targetPort") or one.get("port"))
        if port not in known or known[port] == target:
            continue
        listening = _listening(world, change.address, True)
        if target in listening:
            continue
        if listening:
            reason = (
                f"targetPort of port {port} {known[port]} -> {target}: no container "
                f"behind {change.address} listens there "
                f"(they declare {', '.join(sorted(listening))}), so every request to it fails."
            )
            yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "set it back")
        elif known[port].isdigit() != target.isdigit():
            continue
        else:
            reason = (
                f"targetPort of port {port} {known[port]} -> {target}: if the pods do not listen there, requests fail."
            )
            yield Draft("OUTAGE_PARTIAL", "medium", change.address, reason, True, "set it back", certainty="possible")


def _listening(world: World, address: str, after: bool) -> set[str]:
    side = world.after if after else world.before
    found: set[str] = set()
    for one in _targets(world, address, after):
        for container in containers(pod_spec(side[one].type, side[one].values)).values():
            for port in mappings(container.get("ports")):
                found |= {str(port.get(key)) for key in ("containerPort", "name") if port.get(key) is not None}
    return found


def _renamed_ports(
    world: World, change: ResourceChange, old: list[Mapping[str, Value]], new: list[Mapping[str, Value]]
) -> Iterator[Draft]:
    """Port names are what ingresses, monitors and meshes go by; the number stays."""
    now = {str(one.get("port")): str(one.get("name") or "") for one in new}
    for one in old:
        name, port = str(one.get("name") or ""), str(one.get("port"))
        if not name or port not in now or now[port] == name or name in now.values():
            continue
        named = _naming(world, change, name)
        if named:
            reason = (
                f"port {port} of {change.address} is renamed {name} -> {now[port] or 'nothing'}, "
                f"and {listed(named)} still go by the name."
            )
            yield Draft("OUTAGE_PARTIAL", "high", change.address, reason, True, "rename both")
        else:
            reason = f"port {port} of {change.address} is renamed {name} -> {now[port] or 'nothing'}; the number stays."
            yield Draft("RESTART", "low", change.address, reason, True, "set it back", certainty="possible")


def _naming(world: World, change: ResourceChange, port: str) -> list[str]:
    name, space = name_of(change), space_of(change)
    found = []
    for address, one in world.after.items():
        if space_in(one.values) != space:
            continue
        if one.type == "networking.k8s.io/Ingress" and name in backends(one.type, one.values):
            if _has_port(spec(one.values), name, port):
                found.append(address)
        elif one.type == "route.openshift.io/Route":
            if field(one.values, "spec.to.name") == name and field(one.values, "spec.port.targetPort") == port:
                found.append(address)
        elif one.type == "monitoring.coreos.com/ServiceMonitor":
            chosen = mapping(field(one.values, "spec.selector.matchLabels"))
            ends = mappings(spec(one.values).get("endpoints"))
            if carries(labels(change.after), chosen) and any(end.get("port") == port for end in ends):
                found.append(address)
    return found


def _has_port(value: Value, name: str, port: str) -> bool:
    if isinstance(value, list):
        return any(_has_port(one, name, port) for one in value)
    if not isinstance(value, Mapping):
        return False
    if value.get("name") == name and mapping(value.get("port")).get("name") == port:
        return True
    if value.get("serviceName") == name and value.get("servicePort") == port:
        return True
    return any(_has_port(one, name, port) for one in value.values())


def _is_internal(values: Mapping[str, Value] | None) -> bool:
    notes = labels(values, "annotations")
    return any(str(notes.get(key)).lower() in ("true", "internal", "0.0.0.0/0") for key in _INTERNAL)


def _balancer(change: ResourceChange) -> Iterator[Draft]:
    if _is_internal(change.before) and not _is_internal(change.after):
        reason = (
            f"{change.address} had an internal load balancer, and gets one that "
            "the internet reaches; its address changes."
        )
        yield Draft("NET_EXPOSE", "high", change.address, reason, True, "keep the annotation")
    old, new = (
        {str(one) for one in sequence(spec(side).get("loadBalancerSourceRanges"))}
        for side in (change.before, change.after)
    )
    if old and (not new or "0.0.0.0/0" in new - old):
        reason = (
            f"loadBalancerSourceRanges {show(sorted(old))} -> {show(sorted(new))}: "
            f"{change.address} is open to the internet."
        )
        yield Draft("NET_EXPOSE", "high", change.address, reason, True, "keep the ranges")
    elif (new and not old) or (old and old - new):
        cut = listed(sorted(old - new)) if old else "everyone else"
        reason = f"loadBalancerSourceRanges {show(sorted(old))} -> {show(sorted(new))}: {cut} is no longer let in."
        yield Draft("NET_CUT", "low", change.address, reason, True, "set it back")


def _twin(world: World, change: ResourceChange) -> bool:
    """Whether another service of the same name stands in the set afterwards."""
    return any(
        one.type in ("v1/Service", "serving.knative.dev/Service") and name_in(one.values) == name_of(change)
        for one in world.after.values()
    )
