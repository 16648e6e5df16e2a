"""Network policies as sets of allowed edges: who can no longer reach whom, and what is no longer held apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import EffectCode, Severity, Unjudged
from tidegate.infra.kubernetes.labels import chooses
from tidegate.infra.kubernetes.objects import WORKLOADS, mapping, mappings, pod_labels, sequence
from tidegate.infra.kubernetes.rules.common import name_of, space_in, space_of, spec
from tidegate.infra.kubernetes.rules.workloads import pods_of
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import canonical, show
from tidegate.infra.values import Draft, Resource, ResourceChange, Value, World

TYPE = "networking.k8s.io/NetworkPolicy"
SIDES = ("Ingress", "Egress")


def network_policies(world: World) -> Iterator[Draft | Unjudged]:
    """What the policies of each namespace let through before and after, for each choice of pods."""
    changes = [one for one in world.changes if one.type == TYPE]
    fresh = {name_of(one) for one in world.changes if one.type == "v1/Namespace" and one.action == "create"}
    dying = {name_of(one) for one in world.changes if one.type == "v1/Namespace" and one.action == "delete"}
    groups: dict[tuple[str, object], list[ResourceChange]] = {}
    for change in changes:
        for values in (change.before, change.after):
            if values is not None and space_of(change) not in (dying | fresh):
                group = groups.setdefault((space_of(change), canonical(spec(values).get("podSelector"))), [])
                if change not in group:
                    group.append(change)
    for (space, pods), group in groups.items():
        for side in SIDES:
            yield from _judge(world, space, pods, group, side)


# Private


def _judge(world: World, space: str, pods: object, group: list[ResourceChange], side: str) -> Iterator[Draft]:
    before = _edges(world, space, pods, side, False)
    after = _edges(world, space, pods, side, True)
    if before == after:
        return
    lead = next((one for one in group if one.action != "delete"), group[0])
    if side == "Ingress" and after:
        yield from _callers_cut(world, lead)
    gone = [one for one in group if one.action == "delete"]
    whom = _whom(world, lead, space)
    if after is None:
        names = listed([name_of(one) for one in group])
        reason = f"NetworkPolicy {names} no longer restricts {side} for {whom}: every pod may {_verb(side)} them."
        yield Draft(
            "NET_EXPOSE", "high" if side == "Ingress" else "medium", lead.address, reason, True, "keep the policy"
        )
        return
    if before is None:
        if after == frozenset():
            yield from _denied(world, lead, gone, side, ())
        elif lead.action == "create" or lead.action == "update":
            yield from _narrowed_from_all(lead, side, whom, after)
        return
    lost, won = sorted(before - after, key=repr), sorted(after - before, key=repr)
    if any(edge == ANYONE for edge in after):
        lost = []
    if lost and not after:
        yield from _denied(world, lead, gone, side, tuple(lost))
    elif lost:
        names = _names(gone)
        reason = f"{side} of {whom} is no longer allowed {_way(side)} {listed([_said(one) for one in lost])}{names}."
        vital = any("ingress" in edge[0].lower() or "53/" in edge[1] for edge in lost)
        grave: Severity = "high" if vital and not won else "medium"
        yield Draft("NET_CUT", grave, lead.address, reason, True, "keep the rule", path=_path(lost, whom))
    if any(edge == ANYONE for edge in won):
        reason = (
            f"{side} of {whom} is now allowed {_way(side)} anyone, where only "
            f"{listed([_said(one) for one in sorted(before, key=repr)] or ['nothing'])} was."
        )
        yield Draft("NET_EXPOSE", "high" if side == "Ingress" else "medium", lead.address, reason, True, "name who may")
    elif any(_is_world(edge) for edge in won):
        reason = f"{side} of {whom} is now allowed {_way(side)} the internet (0.0.0.0/0)."
        yield Draft(
            "NET_EXPOSE", "high" if side == "Ingress" else "medium", lead.address, reason, True, "name the range"
        )


ANYONE = ("anyone", "every port")


def _edges(world: World, space: str, pods: object, side: str, after: bool) -> frozenset[tuple[str, str]] | None:
    """What may pass: pairs of who and which port; None where no policy restricts this side at all."""
    found: set[tuple[str, str]] = set()
    restricted = False
    for one in (world.after if after else world.before).values():
        if one.type != TYPE or space_in(one.values) != space:
            continue
        policy = spec(one.values)
        chosen = canonical(policy.get("podSelector"))
        if chosen is not None and chosen != pods:
            continue
        types = [str(kind) for kind in sequence(policy.get("policyTypes"))] or [
            "Ingress",
            *(["Egress"] if "egress" in policy else []),
        ]
        if side not in types:
            continue
        restricted = True
        for rule in sequence(policy.get(side.lower())):
            found |= set(_rule_edges(mapping(rule), side))
    return frozenset(found) if restricted else None


def _rule_edges(rule: Mapping[str, Value], side: str) -> Iterator[tuple[str, str]]:
    peers = mappings(rule.get("from" if side == "Ingress" else "to"))
    ports = [f"{one.get('port')}/{one.get('protocol') or 'TCP'}" for one in mappings(rule.get("ports"))] or [ANYONE[1]]
    for peer in [_peer(one) for one in peers] or [ANYONE[0]]:
        for port in ports:
            yield (peer, port)


def _peer(peer: Mapping[str, Value]) -> str:
    if isinstance(peer.get("ipBlock"), Mapping):
        block = peer["ipBlock"]
        without = f" except {show(sorted(map(str, sequence(block.get('except')))))}" if block.get("except") else ""
        return f"{block.get('cidr')}{without}"
    parts = []
    if "namespaceSelector" in peer:
        parts.append(f"namespaces {_selector(peer['namespaceSelector'])}")
    if "podSelector" in peer:
        chosen = _selector(peer["podSelector"])
        parts.append(
            f"pods {chosen}" if chosen != "of any label" else "pods of the same namespace" if not parts else "any pod"
        )
    return " / ".join(parts) or ANYONE[0]


def _selector(selector: Value) -> str:
    plain = mapping(mapping(selector).get("matchLabels"))
    parts = [f"{key}={value}" for key, value in sorted(plain.items(), key=str)]
    for one in mappings(mapping(selector).get("matchExpressions")):
        values = ",".join(sorted(map(str, sequence(one.get("values")))))
        parts.append(f"{one.get('key')} {one.get('operator')} {values}".strip())
    return " ".join(parts) or "of any label"


def _said(edge: tuple[str, str]) -> str:
    return edge[0] if edge[1] == ANYONE[1] else f"{edge[0]} on {edge[1]}"


def _is_world(edge: tuple[str, str]) -> bool:
    return edge[0].split(" ")[0] in ("0.0.0.0/0", "::/0") and " except " not in edge[0]


def _way(side: str) -> str:
    return "from" if side == "Ingress" else "to"


def _verb(side: str) -> str:
    return "reach" if side == "Ingress" else "be reached by"


def _names(gone: list[ResourceChange]) -> str:
    return (
        f" (NetworkPolicy {listed([name_of(one) for one in gone])} {'is' if len(gone) == 1 else 'are'} deleted)"
        if gone
        else ""
    )


def _path(lost: list[tuple[str, str]] | tuple[tuple[str, str], ...], whom: str) -> tuple[str, ...]:
    return (_said(lost[0]), whom) if lost else ()


def _whom(world: World, change: ResourceChange, space: str) -> str:
    values = change.after if change.after is not None else change.before
    selector = spec(values).get("podSelector")
    if not canonical(selector):
        return f"all pods of {space or 'the namespace'}"
    found = pods_of(world, selector, space)
    return listed(found) if found else f"pods {_selector(selector)}"


def _denied(
    world: World, lead: ResourceChange, gone: list[ResourceChange], side: str, lost: tuple[tuple[str, str], ...]
) -> Iterator[Draft]:
    """A side that is restricted and lets nothing through, for the pods that no other policy of the set lets it."""
    space = space_of(lead)
    pods = pods_of(world, spec(lead.after or lead.before).get("podSelector"), space)
    bare = [one for one in pods if not _allowed(world, one, space, side) and _matters(world, one, side)]
    others = any(_rule_lists(one.values, side) for one in _policies(world, space))
    if (pods and not bare) or (not pods and others):
        return
    whom = listed(bare) if len(bare) < len(pods) else _whom(world, lead, space)
    if side == "Ingress":
        cut = "ingress controllers and every other pod cannot reach them, so nothing is served"
    else:
        cut = "they cannot reach DNS (port 53), their database or anything else"
    was = f" Allowed before: {listed([_said(one) for one in lost])}." if lost else ""
    reason = (
        f"NetworkPolicy {name_of(lead)} denies all {side} of {whom} and no policy allows any (default"
        f" deny): {cut}{_names(gone)}.{was}"
    )
    back = "add policies that allow what is needed, DNS and the ingress controllers first, before this one"
    code: EffectCode = "OUTAGE_FULL" if side == "Ingress" else "NET_CUT"
    yield Draft(code, "high", lead.address, reason, True, back, path=_path(lost, whom))


def _policies(world: World, space: str, after: bool = True) -> Iterator[Resource]:
    side = world.after if after else world.before
    return (one for one in side.values() if one.type == TYPE and space_in(one.values) == space)


def _callers_cut(world: World, lead: ResourceChange) -> Iterator[Draft]:
    """Workloads of the set that call pods which the policies no longer let them reach."""
    space = space_of(lead)
    for address in pods_of(world, spec(lead.after or lead.before).get("podSelector"), space):
        services = [use.user for use in world.uses_after.users(address) if use.through == "spec.selector"]
        users = {use.user for one in services for use in world.uses_after.users(one)}
        cut = [
            one
            for one in sorted(users)
            if one != address
            and one in world.before
            and world.after[one].type in WORKLOADS
            and _lets_in(world, address, one, False)
            and not _lets_in(world, address, one, True)
        ]
        if cut:
            reason = f"NetworkPolicy {name_of(lead)} no longer lets {listed(cut)} reach {address}, which they call."
            yield Draft(
                "NET_CUT", "high", lead.address, reason, True, "allow them by their labels", path=(cut[0], address)
            )


def _lets_in(world: World, workload: str, caller: str, after: bool) -> bool:
    """Whether a workload is reached by a caller of the set; by everyone where no policy restricts it."""
    side = world.after if after else world.before
    if workload not in side or caller not in side:
        return False
    found, asking = side[workload], side[caller]
    labels = pod_labels(found.type, found.values)
    restricted = False
    for one in _policies(world, space_in(found.values), after):
        if not chooses(spec(one.values).get("podSelector"), labels):
            continue
        if "Ingress" not in (sequence(spec(one.values).get("policyTypes")) or ["Ingress"]):
            continue
        restricted = True
        for rule in mappings(spec(one.values).get("ingress")):
            peers = mappings(rule.get("from"))
            if not peers or any(_is_peer(peer, asking, space_in(found.values)) for peer in peers):
                return True
    return not restricted


def _is_peer(peer: Mapping[str, Value], asking: Resource, space: str) -> bool:
    """Whether a caller may be meant: its labels have to fit, its namespace only where it is the policy's own."""
    if "namespaceSelector" not in peer and ("podSelector" not in peer or space_in(asking.values) != space):
        return "ipBlock" in peer
    return "podSelector" not in peer or chooses(peer["podSelector"], pod_labels(asking.type, asking.values))


def _rule_lists(values: Mapping[str, Value], side: str) -> list[Value]:
    return sequence(spec(values).get(side.lower()))


def _allowed(world: World, workload: str, space: str, side: str) -> bool:
    """Whether any policy lets something through for the pods of a workload."""
    found = world.after[workload]
    labels = pod_labels(found.type, found.values)
    return any(
        _rule_lists(one.values, side) and chooses(spec(one.values).get("podSelector"), labels)
        for one in _policies(world, space)
    )


def _matters(world: World, workload: str, side: str) -> bool:
    """Whether a workload ran before and, for what comes in, whether a service leads to it where services are known."""
    if workload not in world.before:
        return False
    served = any(use.through == "spec.selector" for use in world.uses_after.users(workload))
    known = any(one.type == "v1/Service" for one in world.after.values())
    return side == "Egress" or served or not known


def _narrowed_from_all(
    lead: ResourceChange, side: str, whom: str, after: frozenset[tuple[str, str]]
) -> Iterator[Draft]:
    """The first policy for a side: what it does not name is cut off."""
    if ANYONE in after or any(_is_world(edge) and edge[1] == ANYONE[1] for edge in after):
        return
    dns = any("53/" in port or (port == ANYONE[1] and "pods " not in peer) for peer, port in after)
    missing = " DNS (port 53) is not among it, so no name resolves." if side == "Egress" and not dns else ""
    kept = listed([_said(edge) for edge in sorted(after)])
    reason = f"{side} of {whom} was not restricted and is now allowed only {_way(side)} {kept}.{missing}"
    if missing:
        yield Draft("NET_CUT", "high", lead.address, reason, True, "allow port 53 to kube-system")
    else:
        yield Draft("NET_CUT", "low", lead.address, reason, True, "see who else needs them", certainty="possible")
