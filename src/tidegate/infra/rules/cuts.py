"""Traffic that security groups, routes and gateways let through before a change and not after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.flows.doors import GROUP_NAMES, Door, groups_of
from tidegate.infra.flows.links import leaves, linked, strings
from tidegate.infra.flows.tables import BALANCERS, GROUPS, LISTENERS
from tidegate.infra.flows.view import Gate, View
from tidegate.infra.rules.words import named
from tidegate.infra.same import field, items, number, pair, same, show
from tidegate.infra.values import Draft, Later, ResourceChange


def cuts(view: View) -> Iterator[Draft]:
    """What can no longer be reached or called over the network."""
    shutting: dict[tuple[str, str], list[Gate]] = {}
    for gate in view.gates:
        shutting.setdefault((gate.culprit, gate.server), []).append(gate)
    for gates in shutting.values():
        yield _gate(gates)
    yield from _fronts(view)
    shut = {group for gate in view.gates for group in gate.groups}
    fronted = {group for one in view.before.of(sorted(BALANCERS)) for group in groups_of(view.before, one.address)[0]}
    shut |= {group for group in fronted if view.doors_before.by_group.get(group)}
    yield from _rules(view, shut)
    yield from _detached(view)


# Private

_ADMIN = (22, 3389, 5985, 5986)


def _gate(gates: list[Gate]) -> Draft:
    gate, clients = gates[0], [one.client for one in gates]
    rules = " and ".join(dict.fromkeys(door.ports for door in gate.lost))
    return Draft(
        code="NET_CUT" if gate.serves else "OUTAGE_FULL",
        severity="critical",
        address=gate.culprit,
        reason=f"No ingress rule of {named(gate.groups)} lets {named(clients)} reach {gate.server} on port {gate.port} "
        f"any more; before, {rules} from {_sources(gate.lost)} did.",
        reversible=True,
        back="put the rule back and apply again",
        path=(gate.client, gate.server),
        dependents=tuple(clients),
    )


def _fronts(view: View) -> Iterator[Draft]:
    """Load balancers whose own groups let clients in before and not after."""
    for balancer in view.before.of(sorted(BALANCERS)):
        address = balancer.address
        if address not in view.after.resources or not view.earlier.alive(address):
            continue
        groups, whole = groups_of(view.before, address)
        groups_after, whole_after = groups_of(view.after, address)
        if not groups or not whole or not whole_after:
            continue
        after = tuple(view.doors_after.of(groups_after))
        for port in _listened(view, address):
            opened = [door for door in view.doors_before.of(groups) if door.settled and door.fits(port)]
            now = [door for door in after if door.fits(port) or not door.settled]
            public = any(one.endswith("/0") for door in opened for one in door.ranges)
            narrowed = public and all(door.settled for door in now) and not _anyone(now)
            culprit = next((c for c in (*(d.by for d in opened), *groups, address) if c in view.changes), "")
            if culprit and opened and (not now or narrowed):
                yield _front(view, address, port, culprit, opened, now)


def _front(view: View, address: str, port: int, culprit: str, opened: list[Door], now: list[Door]) -> Draft:
    left = f"; only {_sources(now)} may" if now else ""
    return Draft(
        code="OUTAGE_PARTIAL" if now else "OUTAGE_FULL",
        severity="medium" if now else "critical",
        address=culprit,
        reason=f"{culprit} no longer lets {_sources(opened)} reach {address} on port {port}{left}: clients from there "
        "are cut.",
        reversible=True,
        back="put the rule back and apply again",
        path=(*_sources_list(opened[0])[:1], *view.earlier.path(address)),
    )


def _anyone(doors: list[Door]) -> bool:
    """Whether these rules together let everyone in: a range of all, or halves and quarters of it."""
    return any(one.endswith(("/0", "/1", "/2")) for door in doors for one in door.ranges)


def _listened(view: View, address: str) -> tuple[int, ...]:
    ports = {
        int(port)
        for flow in view.flows_before.sent.get(address, ())
        if (port := number(view.before.resources[flow.target].values.get("port")))
        and view.before.resources[flow.target].type in LISTENERS
    }
    own = leaves(view.before.resources[address].values, "lb_port")
    ports |= {int(found) for leaf in own if (found := number(leaf))}
    return tuple(sorted(ports))


def _rules(view: View, shut: set[str]) -> Iterator[Draft]:
    """Rules whose port nobody is let in at any more, with nobody known behind them."""
    changed = {group for group in view.doors_before.by_group if _touched(view, group)}
    members = _members(view) if changed else {}
    for group in sorted(changed):
        inside = members.get(group, ())
        if group not in view.after.resources and group in view.before.resources:
            continue
        after = tuple(view.doors_after.of((group,)))
        if not all(door.settled for door in after):
            continue
        for door in view.doors_before.of((group,)):
            if door.settled and group not in shut and door.by in {*view.changes, group}:
                yield from _closed_door(view, door, after, inside)
        yield from _egress(view, group, inside)
    yield from _loose_rules(view)


def _touched(view: View, group: str) -> bool:
    return (
        group in view.changes
        or any(door.by in view.changes for door in view.doors_before.by_group.get(group, ()))
        or any(door.by in view.changes for door in view.doors_after.by_group.get(group, ()))
    )


def _closed_door(view: View, door: Door, after: tuple[Door, ...], inside: tuple[str, ...]) -> Iterator[Draft]:
    if any(door.low >= one.low and door.high <= one.high and one.protocol in ("all", door.protocol) for one in after):
        return
    if any(one.protocol == "all" for one in after):
        return
    moved = next((one for one in after if one.by == door.by and one.by != door.group), None)
    public = any(one.endswith("/0") for one in door.ranges)
    admin = door.low in _ADMIN and door.low == door.high
    if moved is None and ((public and (admin or door.ports == "all ports")) or not inside):
        return
    culprit = door.by if door.by in view.changes else door.group
    if culprit not in view.changes or (view.changes[culprit].action == "replace" and moved is None):
        return
    severity: Severity = "medium" if moved is not None or not admin else "low"
    yield _door_draft(door, moved, culprit, severity, inside)


def _door_draft(door: Door, moved: Door | None, culprit: str, severity: Severity, inside: tuple[str, ...]) -> Draft:
    now = f"; it is {moved.protocol} {moved.ports} now" if moved is not None else ""
    users = named(inside)
    behind = f" of {users}" if users != "nothing" else ""
    return Draft(
        code="NET_CUT",
        severity=severity,
        address=culprit,
        reason=f"{door.group} no longer lets {_sources((door,))} in on {door.protocol} {door.ports}{now}: clients"
        f"{behind} on {door.protocol} {door.ports} are cut.",
        reversible=True,
        back="put the rule back and apply again",
        path=(*_sources_list(door), door.group),
    )


def _egress(view: View, group: str, users: tuple[str, ...]) -> Iterator[Draft]:
    before = [door for door in view.doors_before.of((group,), "out") if door.settled]
    after = tuple(view.doors_after.of((group,), "out"))
    if not before or not users or group not in view.after.resources or any(not door.settled for door in after):
        return
    if after:
        return
    culprit = next((door.by for door in before if door.by in view.changes), group)
    if culprit in view.changes:
        yield Draft(
            code="NET_CUT",
            severity="high",
            address=culprit,
            reason=f"{group} loses its last egress rule ({before[0].ports} to {_sources(before[:1])}): {named(users)} "
            "cannot open connections to anything, databases and APIs among it.",
            reversible=True,
            back="put the egress rule back",
            path=(users[0], group),
        )


def _loose_rules(view: View) -> Iterator[Draft]:
    """Rules of groups that lie elsewhere, and firewall rules of other clouds."""
    for address in sorted(view.changes):
        change = view.changes[address]
        if change.type not in _LOOSE or change.before is None or _way(change) == "out":
            continue
        if linked(view.before, address, ("security_group_id",), GROUPS).addresses:
            continue
        ports = [pair(change, *names) for names in (("from_port",), ("to_port",), ("protocol", "ip_protocol"))]
        ports += [pair(change, "destination_port_range"), pair(change, "allow"), pair(change, "source_port_range")]
        moved = [one for one in ports if one.changed and one.known and one.before is not None]
        if change.action in ("update", "replace") and moved and not _widened(change):
            old = _old_ports(change)
            yield Draft(
                code="NET_CUT",
                severity="medium",
                address=address,
                reason=f"{', '.join(map(str, moved))} on {address}: clients on {old} are cut, and only the new one is "
                "let in. Add the new rule first, move the clients, then remove the old one.",
                reversible=True,
                back="put the old rule back",
            )
        elif change.action == "delete" and _allows(change) and not _public(change) and not _let_in_anew(view, change):
            yield Draft(
                code="NET_CUT",
                severity="medium",
                address=address,
                reason=f"Deleting {address} cuts every client that comes in by it ({_old_ports(change)}).",
                reversible=True,
                back="put the rule back",
            )


_LOOSE = frozenset(
    {
        "aws_security_group_rule",
        "aws_vpc_security_group_ingress_rule",
        "google_compute_firewall",
        "azurerm_network_security_rule",
    }
)


def _let_in_anew(view: View, change: ResourceChange) -> bool:
    """Whether another rule for the same port of the same group is made in this change."""
    keys = ("to_port", "security_group_id", "network", "network_security_group_name", "destination_port_range")
    mine = [field(change.before, key) for key in keys]
    for other in view.changes.values():
        if other.action == "create" and other.type in _LOOSE:
            theirs = [field(other.after, key) for key in keys]
            if all(
                isinstance(b, Later) or isinstance(a, Later) or same(a, b) for a, b in zip(mine, theirs, strict=True)
            ):
                return True
    return False


def _way(change: ResourceChange) -> str:
    values = change.before or {}
    text = str(values.get("type") or values.get("direction") or "ingress").lower()
    return "out" if text in ("egress", "outbound") else "in"


def _allows(change: ResourceChange) -> bool:
    values = change.before or {}
    if change.type == "google_compute_firewall":
        return bool(items(values.get("allow")))
    return str(values.get("access", "allow")).lower() == "allow"


def _public(change: ResourceChange) -> bool:
    values = change.before or {}
    found = [leaf for name in _RANGES for leaf in leaves(values, name)]
    return any(str(leaf).endswith("/0") or leaf in ("*", "Internet") for leaf in found)


_RANGES = ("cidr_blocks", "cidr_ipv4", "cidr_ipv6", "source_ranges", "source_address_prefix", "ipv6_cidr_blocks")


def _widened(change: ResourceChange) -> bool:
    low, high = pair(change, "from_port"), pair(change, "to_port")
    protocol = pair(change, "protocol", "ip_protocol")
    try:
        wider = int(low.after) <= int(low.before) and int(high.after) >= int(high.before)
    except (TypeError, ValueError):
        return False
    return wider and (not protocol.changed or str(protocol.after) in ("-1", "all"))


def _old_ports(change: ResourceChange) -> str:
    values = change.before or {}
    if "from_port" in values:
        low, high = show(values.get("from_port")), show(values.get("to_port"))
        protocol = show(values.get("protocol", values.get("ip_protocol")))
        return f"{protocol} {high if low in (high, '-1', 'nothing') else f'{low} to {high}'}"
    return show(values.get("destination_port_range", values.get("allow")))


def _detached(view: View) -> Iterator[Draft]:
    for address in sorted(view.changes):
        change = view.changes[address]
        if change.action != "update" or change.type in GROUPS:
            continue
        for name in GROUP_NAMES[:3]:
            for path in (name, f"vpc_config.{name}", f"network_configuration.{name}"):
                found = pair(change, path)
                if items(found.before) and not isinstance(found.after, Later) and not items(found.after):
                    yield Draft(
                        code="NET_CUT",
                        severity="high",
                        address=address,
                        reason=f"{found} on {address}: it loses its only security group and falls back to the default "
                        "one of the network, so the clients that this group let in are cut.",
                        reversible=True,
                        back=f"put {found.shown} back",
                    )


def _members(view: View) -> Mapping[str, tuple[str, ...]]:
    """What is in each security group."""
    groups: dict[str, str] = {}
    for one in view.before.of(sorted(GROUPS)):
        groups.update({str(one.values[name]): one.address for name in ("id", "name") if one.values.get(name)})
    found: dict[str, set[str]] = {}
    for address, one in view.before.resources.items():
        if one.type in GROUPS or one.type.endswith("_rule"):
            continue
        for key, text in strings(one.values):
            if key in GROUP_NAMES and text in groups:
                found.setdefault(groups[text], set()).add(address)
        for use in view.before.uses.used(address):
            if any(part in GROUP_NAMES for part in use.through.split(".")):
                found.setdefault(use.used, set()).add(address)
    return {group: tuple(sorted(inside)) for group, inside in found.items()}


def _sources(doors: tuple[Door, ...] | list[Door]) -> str:
    return named([one for door in doors for one in _sources_list(door)]) if doors else "nobody"


def _sources_list(door: Door) -> tuple[str, ...]:
    return (*door.groups, *door.ranges)
