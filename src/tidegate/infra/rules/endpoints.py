"""Doors that carry their own list of who may come: control planes, databases, IP sets, routes, origins behind a CDN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.facts import Severity, Unjudged
from tidegate.infra.network.ranges import EVERYWHERE, Span, addresses, cidrs, difference_of, internet_share, merged
from tidegate.infra.rules.network import WIDE, written
from tidegate.infra.same import field, flag, items, pair, same, show, spelled
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World


class Door(Struct, frozen=True):
    """A list of ranges that may reach something. `open_when_empty`: no list at all lets everyone in.

    `off` are names of an attribute that closes the door whatever the list says, `off_when` the value that does, and
    `off_unset` what it is where nothing is written.
    """

    paths: tuple[str, ...]
    keys: tuple[str, ...]
    what: str
    severity: Severity
    open_when_empty: bool = False
    off: tuple[str, ...] = ()
    off_when: bool = True
    off_unset: bool = False


def doors(world: World) -> Iterator[Draft | Unjudged]:
    """Lists that let in more of the internet than before."""
    for change in world.changes:
        for door in _DOORS.get(change.type, ()):
            if change.after is not None and change.action not in ("no-op", "read", "forget"):
                yield from _opened(change, door)


def routes(world: World) -> Iterator[Draft]:
    """A route to the internet for subnets that had none, and peerings that reach further."""
    born = {one.address for one in world.changes if one.before is None}
    for change in world.changes:
        if change.action in ("create", "update", "replace") and change.type in ("aws_route", "aws_route_table"):
            old = set(_ways(change.before, change.type))
            for way in sorted(set(_ways(change.after, change.type)) - old):
                yield from _way(world, change, way, born)


def origins(world: World) -> Iterator[Draft]:
    """A bucket behind a CDN to which the CDN has no key any more: people make such buckets public."""
    for change in world.changes:
        if change.type != "aws_cloudfront_distribution" or change.before is None or change.after is None:
            continue
        kept = {str(one.get("origin_id")): one for one in items(change.after.get("origin")) if isinstance(one, Mapping)}
        for one in items(change.before.get("origin")):
            if not isinstance(one, Mapping) or not _key(one):
                continue
            now = kept.get(str(one.get("origin_id")))
            if now is not None and not _key(now):
                yield Draft(
                    "NET_EXPOSE",
                    "medium",
                    change.address,
                    f"{change.address}: the origin {show(one.get('origin_id'))} loses its origin access"
                    f" ({show(_key(one))}): the bucket answers the CDN only if it is public. Keep the identity or move"
                    " to an origin access control.",
                    reversible=True,
                    back="Set it back and apply again.",
                )


# Private


def _opened(change: ResourceChange, door: Door) -> Iterator[Draft | Unjudged]:
    before, after = _let_in(change.before, door), _let_in(change.after, door)
    path = next((path for path in door.paths if field(change.after, path) is not None), door.paths[0])
    name, value = spelled(change, path), field(change.after, path)
    unread = [one for one in _texts(change.after, door) if isinstance(one, Later) and one.words]
    if unread and change.before is not None and not _unchanged(change, door):
        yield Unjudged(
            change.address,
            f"{name}: who may reach {door.what} cannot be read from here ({show(unread[0])}).",
            "Give the plan: there these values are known.",
            change.place,
        )
    added = difference_of(after, before)
    share = internet_share(added)
    if share <= 0 or (change.before is None and (share < WIDE or not _texts(change.after, door))):
        return
    severity: Severity = door.severity if share >= WIDE else "low"
    if change.before is None:
        severity = "medium"
    texts = [show(one) for one in _texts(change.after, door)] or list(cidrs(added))
    turned = [str(found) for one in door.off if (found := pair(change, one)).changed and change.before is not None]
    name = f"{turned[0]}, {name}" if turned else name
    lost = " is not limited" if value in (None, [], ()) else f" {_was(change, path)} -> {written(texts)}"
    who = "the internet" if share >= 0.5 else f"{share:.0%} of the internet" if share >= WIDE else "new addresses"
    yield Draft(
        "NET_EXPOSE",
        severity,
        change.address,
        f"{change.address}: {name}{lost}: {door.what} can be reached from {who}"
        f"{' (0.0.0.0/0)' if share >= 0.5 and '0.0.0.0/0' not in texts else ''}. Only logins and keys protect it then;"
        " name the ranges that need it.",
        reversible=True,
        back="Set the list back and apply again.",
    )


def _was(change: ResourceChange, path: str) -> str:
    value = field(change.before, path)
    return (
        show(value) if not isinstance(value, (list, tuple)) or all(isinstance(one, str) for one in value) else "[...]"
    )


def _unchanged(change: ResourceChange, door: Door) -> bool:
    return all(same(field(change.before, path), field(change.after, path)) for path in door.paths)


def _let_in(values: Mapping[str, Value] | None, door: Door) -> tuple[Span, ...]:
    if values is None:
        return ()
    states = [state for path in door.off if (state := flag(field(values, path))) is not None]
    if door.off and (states[0] if states else door.off_unset) is door.off_when:
        return ()
    texts = _texts(values, door)
    if not texts:
        unread = any(isinstance(field(values, one), Later) for one in door.paths)
        return (EVERYWHERE,) if door.open_when_empty and not unread else ()
    return merged(span for one in texts if not isinstance(one, Later) and (span := addresses(str(one))) is not None)


def _texts(values: Mapping[str, Value] | None, door: Door) -> list[Value]:
    """The ranges as written; a first and a last address become one range."""
    found: list[Value] = []
    for path in door.paths:
        value = field(values, path)
        if isinstance(value, Later):
            found.append(value)
        for one in items(value):
            if not isinstance(one, Mapping):
                found.append(one)
            elif len(door.keys) == 2 and all(isinstance(one.get(key), str) for key in door.keys):
                found.append("-".join(str(one[key]) for key in door.keys))
            else:
                found += [one[key] for key in door.keys if one.get(key)]
    if not door.paths[0] and isinstance(values, Mapping):
        found = ["-".join(str(values[key]) for key in door.keys if values.get(key))]
    return found


_EKS = Door(
    ("public_access_cidrs", "vpc_config.public_access_cidrs"),
    (),
    "the Kubernetes API of the EKS cluster",
    "high",
    open_when_empty=True,
    off=("endpoint_public_access", "vpc_config.endpoint_public_access"),
    off_when=False,
    off_unset=True,
)
_FIREWALL = Door(("",), ("start_ip_address", "end_ip_address"), "the database", "high")
_DOORS: Mapping[str, tuple[Door, ...]] = {
    "aws_eks_cluster": (_EKS,),
    "google_container_cluster": (
        Door(
            ("master_authorized_networks_config.cidr_blocks",),
            ("cidr_block",),
            "the Kubernetes API of the GKE cluster",
            "high",
            open_when_empty=True,
            off=("private_cluster_config.enable_private_endpoint",),
        ),
    ),
    "azurerm_kubernetes_cluster": (
        Door(
            ("api_server_access_profile.authorized_ip_ranges", "api_server_authorized_ip_ranges"),
            (),
            "the Kubernetes API of the AKS cluster",
            "high",
            open_when_empty=True,
            off=("private_cluster_enabled",),
        ),
    ),
    "google_sql_database_instance": (
        Door(("settings.ip_configuration.authorized_networks",), ("value",), "the database", "high"),
    ),
    **dict.fromkeys(
        (
            *("azurerm_mssql_firewall_rule", "azurerm_sql_firewall_rule", "azurerm_postgresql_firewall_rule"),
            *("azurerm_mysql_firewall_rule", "azurerm_mariadb_firewall_rule", "azurerm_redis_firewall_rule"),
            *("azurerm_postgresql_flexible_server_firewall_rule", "azurerm_mysql_flexible_server_firewall_rule"),
        ),
        (_FIREWALL,),
    ),
    "azurerm_storage_account": (Door(("network_rules.ip_rules",), (), "the storage account", "medium"),),
    "azurerm_key_vault": (Door(("network_acls.ip_rules",), (), "the key vault", "medium"),),
    "azurerm_cosmosdb_account": (Door(("ip_range_filter",), (), "the database", "high"),),
    "aws_wafv2_ip_set": (Door(("addresses",), (), "what this IP set guards, if it is an allow-list,", "high"),),
    "aws_ec2_managed_prefix_list": (Door(("entry",), ("cidr",), "every group that names this prefix list", "medium"),),
    "aws_workspaces_ip_group": (Door(("rules",), ("source",), "the desktops", "medium"),),
}


def _ways(values: Mapping[str, Value] | None, type_: str) -> Iterator[tuple[str, str, str]]:
    """Each route as (where to, through what kind, through which)."""
    if values is None:
        return
    for one in (values,) if type_ == "aws_route" else items(values.get("route")):
        if not isinstance(one, Mapping):
            continue
        keys = ("destination_cidr_block", "cidr_block", "destination_ipv6_cidr_block", "ipv6_cidr_block")
        target = next((str(one[key]) for key in keys if isinstance(one.get(key), str) and one[key]), "")
        for kind in ("gateway_id", "vpc_peering_connection_id", "transit_gateway_id"):
            if one.get(kind):
                yield target, kind, show(one[kind])


def _way(world: World, change: ResourceChange, way: tuple[str, str, str], born: set[str]) -> Iterator[Draft]:
    target, kind, through = way
    span = addresses(target)
    tables = [use.used for use in world.uses_after.used(change.address) if ".aws_route_table." in f".{use.used}"]
    table = change.address if change.type == "aws_route_table" else next(iter(tables), "")
    if table in born or span is None or (change.type == "aws_route" and not table and change.action == "create"):
        return
    gateway = kind == "gateway_id" and ("igw" in through or "internet_gateway" in through or _meets(world, change))
    if gateway and internet_share((span,)) >= 0.5:
        yield Draft(
            "NET_EXPOSE",
            "medium",
            change.address,
            f"{change.address}: a route for {target} to the internet gateway {through} makes public the subnets of"
            f" {table or 'its table'}: what has a public address there can be reached from the internet. A private"
            " subnet goes out through a NAT gateway.",
            reversible=True,
            back="Take the route out and apply again.",
        )
    elif kind != "gateway_id" and change.before is not None and span.high - span.low >= 2**20:
        yield Draft(
            "NET_EXPOSE",
            "low",
            change.address,
            f"{change.address}: {target} is routed through {through}: a wide range of the other network can be reached"
            " and, with a route back, reach this one.",
            reversible=True,
            back="Set the route back and apply again.",
        )


def _meets(world: World, change: ResourceChange) -> bool:
    return any(
        ".aws_internet_gateway." in f".{use.used}" and "gateway_id" in use.through
        for use in world.uses_after.used(change.address)
    )


def _key(origin: Mapping[str, Value]) -> Value:
    return field(origin, "s3_origin_config.origin_access_identity") or origin.get("origin_access_control_id")
