"""Paths that requests take from an entry to what answers, and what of the change cuts them for good or for a while."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.facts import EffectCode, Severity
from tidegate.infra.flows.doors import GROUP_NAMES
from tidegate.infra.flows.graph import Flow
from tidegate.infra.flows.links import leaves, linked
from tidegate.infra.flows.tables import BALANCERS, LISTENERS, RECORDS, WORKLOADS
from tidegate.infra.flows.view import View
from tidegate.infra.rules.words import named, replaced_why, unsure
from tidegate.infra.same import field, flag, items, pair, show
from tidegate.infra.values import Draft, Mitigation, ResourceChange


class Cut(Struct, frozen=True):
    """Where a path breaks: the change that does it, the last place that is still there, and what lies behind."""

    culprit: str
    kept: str
    path: tuple[str, ...]


def lost_paths(view: View) -> Iterator[Draft]:
    """One draft for every change that takes a path away: services first, then entries, then single links."""
    said: set[str] = set()
    for draft in (*_services(view), *_entries(view), *_links(view), *_gaps(view), *_new_addresses(view)):
        if draft.address not in said:
            said.add(draft.address)
            yield draft


# Private

_ACTIONS = {
    **dict.fromkeys(sorted(LISTENERS), "default_action"),
    "aws_lb_listener_rule": "action",
    "aws_alb_listener_rule": "action",
}
_BEHIND_A_NAME = frozenset({"aws_lb_target_group_attachment", "aws_alb_target_group_attachment", "aws_instance"})


def _services(view: View) -> Iterator[Draft]:
    lost: dict[str, list[tuple[str, Cut]]] = {}
    for address in sorted(view.earlier.goes):
        served = view.before.resources[address].type in WORKLOADS and view.earlier.alive(address)
        cut = _cut(view, view.earlier.path(address)) if served and not view.final.alive(address) else None
        if cut is not None:
            lost.setdefault(cut.culprit, []).append((address, cut))
    for culprit in sorted(lost):
        services = [address for address, _ in lost[culprit]]
        cut = lost[culprit][0][1]
        successors = _handed_over(view, cut)
        if successors is None:
            yield _full(view, cut, services)
        elif successors:
            yield _handover(view, cut, successors)


def _full(view: View, cut: Cut, services: list[str]) -> Draft:
    entry = cut.path[0]
    retired = services == [cut.culprit] and view.changes[cut.culprit].action == "delete" and view.final.alive(entry)
    grave: Severity = "high" if retired else "critical"
    subject = _subject(view, cut)
    if view.final.alive(entry):
        whole = f"{entry} no longer reaches {named(services)}"
    else:
        whole = f"nothing answers behind {entry} any more ({named(services)} cannot be reached)"
    return Draft(
        code="OUTAGE_FULL",
        severity=grave,
        address=cut.culprit,
        reason=f"{subject}: {whole}. {_advice(view, cut)}".strip(),
        reversible=True,
        back="put it back and apply again; clients come back when it is there and names have expired",
        path=cut.path,
        mitigations=_protected(view.changes[cut.culprit]),
    )


def _handover(view: View, cut: Cut, successors: tuple[str, ...]) -> Draft:
    return Draft(
        code="OUTAGE_PARTIAL",
        severity="medium",
        address=cut.culprit,
        reason=f"{_subject(view, cut)}, while {named(successors)} takes over behind {cut.kept}. Nothing orders them: "
        "until the new one serves, requests fail. A moved block, or creating the new one in a change of its own first, "
        "avoids the gap.",
        reversible=True,
        back="apply the old configuration again",
        path=cut.path,
    )


def _entries(view: View) -> Iterator[Draft]:
    for flow_source in sorted(view.flows_before.sent):
        if view.earlier.came.get(flow_source, True) is None and view.earlier.alive(flow_source):
            if view.final.alive(flow_source):
                continue
            cut = _cut(view, view.earlier.path(flow_source))
            if cut is None or _handed_over(view, cut) is not None:
                continue
            yield Draft(
                code="OUTAGE_PARTIAL",
                severity="high",
                address=cut.culprit,
                reason=f"{_subject(view, cut)}: nothing answers at {_called(view, flow_source)} any more; "
                f"{cut.path[-1]} stays reachable by other names. {_advice(view, cut)}".strip(),
                reversible=True,
                back="put it back and apply again",
                path=cut.path,
            )


def _links(view: View) -> Iterator[Draft]:
    for address in sorted(view.changes):
        change = view.changes[address]
        if address not in view.before.resources:
            continue
        type_ = change.type
        if type_ in LISTENERS and change.action == "update":
            yield from _port(view, change)
        if not view.earlier.alive(address):
            yield from _answered(change)
            continue
        if view.final.alive(address) or change.action not in ("delete", "update"):
            continue
        cut = _cut(view, view.earlier.path(address))
        if cut is None or cut.culprit != address or _handed_over(view, cut) is not None:
            continue
        few = type_ in _BEHIND_A_NAME or type_ in WORKLOADS
        yield Draft(
            code="OUTAGE_PARTIAL",
            severity="medium" if few else "high",
            address=address,
            reason=f"{_subject(view, cut)}: this way to {cut.path[-1]} is gone, others remain. "
            "Clients that come this way are refused.",
            reversible=True,
            back="put it back and apply again",
            path=cut.path,
        )


def _port(view: View, change: ResourceChange) -> Iterator[Draft]:
    found = pair(change, "port")
    if not found.changed or not found.known or found.before is None:
        return
    balancer = linked(view.before, change.address, ("load_balancer_arn",), BALANCERS).addresses[:1]
    for other in view.after.of(sorted(LISTENERS)):
        same_port = other.address != change.address and str(other.values.get("port")) == str(found.before)
        if same_port and linked(view.after, other.address, ("load_balancer_arn",), BALANCERS).addresses[:1] == balancer:
            return
    yield Draft(
        code="OUTAGE_FULL",
        severity="critical" if str(found.before) in ("80", "443") else "high",
        address=change.address,
        reason=f"{found}: {balancer[0] if balancer else 'the load balancer'} stops listening on {show(found.before)}, "
        f"and every client that calls port {show(found.before)} is refused. Add a second listener and move them first.",
        reversible=True,
        back=f"set {found.shown} back to {show(found.before)}",
        path=view.earlier.path(change.address),
    )


def _answered(change: ResourceChange) -> Iterator[Draft]:
    """A listener or a rule that used to forward, to targets that lie elsewhere, and now answers by itself."""
    if change.type not in _ACTIONS or change.action != "update":
        return
    found = pair(change, _ACTIONS[change.type])
    before, after = ({str(field(one, "type")) for one in items(side)} for side in (found.before, found.after))
    if "forward" in before and "fixed-response" in after and "forward" not in after:
        code = next(leaves(found.after, "status_code"), None)
        answer = f" with {show(code)}" if code is not None else ""
        yield Draft(
            code="OUTAGE_FULL" if change.type in LISTENERS else "OUTAGE_PARTIAL",
            severity="high",
            address=change.address,
            reason=f"{found.shown} forward -> fixed-response on {change.address}: requests are answered by the load "
            f"balancer itself{answer} and no longer reach anything behind it.",
            reversible=True,
            back=f"let {found.shown} forward again",
            path=(change.address,),
        )


def _gaps(view: View) -> Iterator[Draft]:
    """What is destroyed before its successor is there, on the only path."""
    gaps: dict[str, list[str]] = {}
    for address in sorted(view.earlier.goes):
        if view.before.resources[address].type not in WORKLOADS or not view.earlier.alive(address):
            continue
        if view.final.alive(address) and not view.during.alive(address):
            path = view.earlier.path(address)
            culprit = next((one for one in path if _gap(view, one)), "")
            if culprit:
                gaps.setdefault(culprit, []).append(address)
    for culprit in sorted(gaps):
        change = view.changes[culprit]
        code, severity = _gap_grade(change)
        yield Draft(
            code=code,
            severity=severity,
            address=culprit,
            reason=_gap_words(change, gaps[culprit]),
            reversible=True,
            back="wait until the new one serves" + ("; its address is another one" if _moves(change) else ""),
            path=view.earlier.path(culprit),
            mitigations=(*_protected(change), *unsure(change)),
        )


def _new_addresses(view: View) -> Iterator[Draft]:
    """Load balancers that are replaced in good order and still get another name, which only records here follow."""
    for address in sorted(view.changes):
        change = view.changes[address]
        if change.action != "replace" or not _moves(change) or (_gap(view, address) and view.earlier.alive(address)):
            continue
        if any(flow.kind == "in" for flow in view.flows_after.got.get(address, ())):
            continue
        yield Draft(
            code="OUTAGE_PARTIAL" if change.create_first else "OUTAGE_FULL",
            severity="high",
            address=address,
            reason=f"{_replaces(change)}: the new one has another DNS name, and whatever points at the old one "
            "(records outside of this stack, clients, allow-lists) is cut when it goes.",
            reversible=True,
            back="point clients at the new name",
            path=view.earlier.path(address) if view.earlier.alive(address) else (address,),
            mitigations=(*_protected(change), *unsure(change)),
        )


def _cut(view: View, path: tuple[str, ...]) -> Cut | None:
    """Where a path of before breaks after: at a node that is gone or asleep, or between two nodes."""
    kept = path[0]
    for place, node in enumerate(path):
        if node not in view.after.resources:
            return Cut(node, kept, path) if node in view.changes else None
        if node in view.flows_after.asleep and node not in view.flows_before.asleep:
            culprit = node if node in view.changes else _scaler(view)
            return Cut(culprit, kept, path) if culprit else None
        if place + 1 < len(path) and (culprit := _between(view, node, path[place + 1])):
            return Cut(culprit, node, path) if culprit in view.changes else None
        kept = node
    return None


def _between(view: View, source: str, target: str) -> str:
    """Whose change takes the flow between two nodes that are both there; "" where it is still there."""
    if target not in view.after.resources:
        return ""
    now = [flow for flow in view.flows_after.sent.get(source, ()) if flow.target == target and flow.kind == "in"]
    if any(flow not in view.shut for flow in now):
        return ""
    if now:
        return next((gate.culprit for gate in view.gates if gate.server == target), source)
    for flow in view.flows_before.sent.get(source, ()):
        if flow.target == target:
            return next((one for one in (flow.by, source, target) if one in view.changes), flow.by)
    return source


def _scaler(view: View) -> str:
    for address in sorted(view.changes):
        if view.changes[address].type == "aws_appautoscaling_target" and address in view.flows_after.asleep:
            return address
    return ""


def _handed_over(view: View, cut: Cut) -> tuple[str, ...] | None:
    """What takes the place of what is lost: nothing in it for a path that only turned elsewhere, None where nobody."""
    if cut.culprit == cut.path[0]:
        return _same_name(view, cut.culprit) if view.changes[cut.culprit].action == "delete" else _elsewhere(view, cut)
    if not view.final.alive(cut.kept):
        return None
    before = set(view.flows_before.sent.get(cut.kept, ()))
    new = [flow for flow in view.flows_after.sent.get(cut.kept, ()) if _fresh(view, flow, before)]
    if not new:
        return None
    created = tuple(dict.fromkeys(flow.target for flow in new if flow.target not in view.before.resources))
    return created if view.changes[cut.culprit].action == "delete" else ()


def _fresh(view: View, flow: Flow, before: set[Flow]) -> bool:
    return flow.kind == "in" and flow not in before and flow not in view.shut and view.final.alive(flow.target)


def _elsewhere(view: View, cut: Cut) -> tuple[str, ...] | None:
    """Whether a name was only pointed at something that this world does not show; rules about names say that."""
    values, attributes = view.after.resources[cut.culprit].values, RECORDS.get(view.changes[cut.culprit].type, ())
    return () if any(leaf not in (None, "") for name in attributes for leaf in leaves(values, name)) else None


def _same_name(view: View, record: str) -> tuple[str, ...] | None:
    one = view.before.resources[record]
    if one.type not in RECORDS:
        return None
    key = (str(one.values.get("name")).rstrip("."), one.values.get("type"))
    for other in view.after.of((one.type,)):
        if other.address != record and (str(other.values.get("name")).rstrip("."), other.values.get("type")) == key:
            return ()
    return None


def _subject(view: View, cut: Cut) -> str:
    change = view.changes[cut.culprit]
    gate = next((one for one in view.gates if one.culprit == cut.culprit and one.server in cut.path), None)
    if change.action == "delete":
        called = _called(view, cut.culprit)
        return f"Deleting {called}"
    if gate is not None and gate.culprit == gate.server:
        names = (
            pair(change, name) for name in (*GROUP_NAMES, *(f"network_configuration.{one}" for one in GROUP_NAMES))
        )
        moved = next((found for found in names if found.changed), None)
        return f"{moved or 'The change'} on {change.address} shuts port {gate.port} for {gate.client}"
    if gate is not None:
        rules = " and ".join(dict.fromkeys(door.ports for door in gate.lost))
        sole = "the only ingress rule" if len(gate.lost) == 1 else "the last ingress rules"
        return (
            f"{change.address} loses {sole} that let{'s' if len(gate.lost) == 1 else ''} {gate.client} reach "
            f"{gate.server} on port {gate.port} ({rules} of {named(gate.groups)})"
        )
    off = view.flows_after.asleep.get(cut.culprit)
    if off:
        return f"{pair(change, off)} on {change.address}"
    for name in ("target_group_arn", "load_balancer", "default_action", "records", "alias", "target_group_arns"):
        found = pair(change, name)
        if found.changed and found.before is not None:
            return f"{found.shown} of {change.address} no longer names {_neighbour(cut)}"
    return f"The change of {change.address} cuts it off from {_neighbour(cut)}"


def _neighbour(cut: Cut) -> str:
    behind = cut.path[min(cut.path.index(cut.kept) + 1, len(cut.path) - 1)]
    return cut.kept if behind == cut.culprit else behind


def _called(view: View, address: str) -> str:
    one = view.before.resources[address]
    name = one.values.get("name")
    return f"{address} ({name})" if one.type in RECORDS and isinstance(name, str) else address


def _advice(view: View, cut: Cut) -> str:
    if view.changes[cut.culprit].type in RECORDS:
        ttl = field(view.changes[cut.culprit].before, "ttl")
        return f"Resolvers forget the name within {show(ttl)} s." if ttl is not None else ""
    return ""


def _gap(view: View, address: str) -> bool:
    change = view.changes.get(address)
    return change is not None and change.action == "replace" and not change.create_first


def _moves(change: ResourceChange) -> bool:
    """Whether a replacement gives another public name."""
    return change.type in BALANCERS or change.type in ("aws_cloudfront_distribution", "aws_apigatewayv2_api")


def _gap_grade(change: ResourceChange) -> tuple[EffectCode, Severity]:
    if _moves(change):
        return "OUTAGE_FULL", "critical"
    if change.type in WORKLOADS:
        return "OUTAGE_FULL", "high"
    if change.type in RECORDS or change.type in LISTENERS or change.type.endswith(("_rule", "_attachment")):
        return "OUTAGE_PARTIAL", "medium"
    return "OUTAGE_PARTIAL", "high"


def _gap_words(change: ResourceChange, services: list[str]) -> str:
    who = "" if services == [change.address] else f"{named(services)} "
    text = f"{_replaces(change)}: it is destroyed before the new one is there, and {who}cannot be reached "
    if _moves(change):
        return (
            text + "in between; the new one has another DNS name, and whatever holds the old one stays cut. "
            "create_before_destroy with a new name, then moving the records, avoids the downtime."
        )
    return text + "until then. create_before_destroy avoids the downtime where names allow it."


def _replaces(change: ResourceChange) -> str:
    why = replaced_why(change)
    return f"{why} replaces {change.address}" if change.forced_by else f"{change.address} is replaced"


def _protected(change: ResourceChange) -> tuple[Mitigation, ...]:
    for name in ("enable_deletion_protection", "deletion_protection"):
        if change.destroyed and flag(field(change.before, name)):
            return (Mitigation(f"{name} = true: the destroy is refused and the apply stops half-way", 1),)
    return ()
