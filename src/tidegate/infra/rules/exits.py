"""Ways out that a change takes: routes, gateways, peerings and lines to other networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.flows.exits import Exits, Route, exits_of
from tidegate.infra.flows.view import View
from tidegate.infra.rules.words import named, replaced_why
from tidegate.infra.same import field
from tidegate.infra.values import Draft, ResourceChange


def lost_exits(view: View) -> Iterator[Draft]:
    """What can no longer call out, and which networks no longer reach each other."""
    yield from _routes(view)
    yield from _connections(view)


# Private


def _routes(view: View) -> Iterator[Draft]:
    if not any("route" in change.type or _exit(change) for change in view.changes.values()):
        return
    before, after = exits_of(view.before), exits_of(view.after)
    said: set[str] = set()
    for table in sorted(before.routes):
        kept = {(route.destination): route for route in after.routes.get(table, ())}
        for route in before.routes[table]:
            now = kept.get(route.destination)
            gap = now is not None and _gone_for_a_while(view, now.via)
            if now is not None and not gap and now.via not in view.changes:
                continue
            if now is not None and not gap and now.via in view.after.resources:
                continue
            culprit = next((one for one in (route.via, route.by, table) if _breaks(view, one)), "")
            if culprit and culprit not in said:
                said.add(culprit)
                yield _route(view, before, route, culprit, gap)


def _breaks(view: View, address: str) -> bool:
    change = view.changes.get(address)
    return change is not None and (change.destroyed or change.type.startswith("aws_route"))


def _gone_for_a_while(view: View, address: str) -> bool:
    change = view.changes.get(address)
    return change is not None and change.action == "replace" and not change.create_first


def _route(view: View, exits: Exits, route: Route, culprit: str, gap: bool) -> Draft:
    users = list(exits.users(route.table))
    subnets = sorted(subnet for subnet, tables in exits.tables.items() if route.table in tables)
    change = view.changes[culprit]
    first = users[0] if users else None
    path = (*(first or subnets[:1]), route.table, *dict.fromkeys((route.by, route.via)))
    path = tuple(one for place, one in enumerate(path) if one not in path[:place])
    who = named([user for user, _ in users]) if users else named(subnets)
    out = "the internet" if route.destination.endswith("/0") else route.destination
    gone = [one for one in (route.via, route.by) if one in view.changes and view.changes[one].action == "delete"]
    if gap:
        subject = f"Replacing {change.address} ({replaced_why(change) or 'destroy, then create again'})"
        tail = "until the new one is there; it has another address, which allow-lists of others do not know"
    else:
        subject = f"Deleting {named(gone)}" if gone else f"{route.by} loses its route"
        tail = "outbound calls, image pulls and updates fail"
    return Draft(
        code="NET_CUT",
        severity="high" if users or subnets else "medium",
        address=culprit,
        reason=f"{subject} takes the way out (egress) to {out}, {route.destination} via {route.via}, of {route.table} "
        f"from {who}: {tail}.",
        reversible=True,
        back="put the gateway and its route back",
        path=path,
        dependents=tuple(dict.fromkeys(user for user, _ in users)),
    )


_CONNECTIONS: Mapping[str, tuple[str, Severity]] = {
    "aws_vpc_peering_connection": ("the networks that it joins can no longer reach each other", "high"),
    "aws_ec2_transit_gateway_vpc_attachment": ("this network loses every other behind the transit gateway", "high"),
    "aws_ec2_transit_gateway": ("every network that is attached to it is cut from the others", "high"),
    "aws_vpn_connection": ("the other side of the VPN is cut", "high"),
    "aws_dx_connection": ("the private line to the data centre is cut", "high"),
    "aws_vpc_endpoint": ("private calls to this service leave by another way or fail", "medium"),
    "google_compute_router_nat": ("instances without an external address cannot reach the internet", "high"),
    "google_compute_network_peering": ("the networks that it joins can no longer reach each other", "high"),
    "google_compute_vpn_tunnel": ("the other side of the VPN is cut", "high"),
    "azurerm_nat_gateway": ("its subnets lose their way out to the internet", "high"),
    "azurerm_subnet_nat_gateway_association": ("the subnet loses its way out to the internet", "high"),
    "azurerm_virtual_network_peering": ("the networks that it joins can no longer reach each other", "high"),
    "azurerm_virtual_network_gateway_connection": ("the other side of the connection is cut", "high"),
    "azurerm_route": ("traffic to this destination takes another way or none", "medium"),
    "google_compute_route": ("traffic to this destination takes another way or none", "medium"),
}


def _exit(change: ResourceChange) -> bool:
    return change.type.startswith(("aws_nat_gateway", "aws_internet_gateway", "aws_egress_only")) or (
        change.type in _CONNECTIONS
    )


def _connections(view: View) -> Iterator[Draft]:
    for address in sorted(view.changes):
        change = view.changes[address]
        known = _CONNECTIONS.get(change.type)
        if known is None or not change.destroyed or change.create_first:
            continue
        if change.action == "delete" and _twin(view, change):
            continue
        what, severity = known
        gone = "Deleting" if change.action == "delete" else "Replacing"
        why = f" ({replaced_why(change)})" if change.action == "replace" and change.forced_by else ""
        until = "" if change.action == "delete" else " until the new one is there"
        yield Draft(
            code="NET_CUT",
            severity=severity,
            address=address,
            reason=f"{gone} {address}{why}: {what}{until}.",
            reversible=True,
            back="put it back and apply again",
        )


def _twin(view: View, change: ResourceChange) -> bool:
    """Whether the same connection is created under another address in this change."""
    keys = ("service_name", "vpc_id", "peer_vpc_id", "network", "peer_network", "subnet_id", "dest_range", "router")
    mine = [field(change.before, key) for key in keys]
    return any(
        other.address != change.address
        and other.address not in view.before.resources
        and [field(other.values, key) for key in keys] == mine
        for other in view.after.of((change.type,))
    )
