"""How traffic goes out: subnets, their route tables, the routes and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.infra.flows.doors import SUBNET_NAMES
from tidegate.infra.flows.links import Side, leaves, linked, resolved
from tidegate.infra.same import flag, items
from tidegate.infra.values import Later, Value

_TABLES = frozenset({"aws_route_table", "aws_default_route_table"})
_SUBNETS = frozenset({"aws_subnet"})
_GATEWAYS = (
    "nat_gateway_id", "gateway_id", "transit_gateway_id", "vpc_peering_connection_id", "egress_only_gateway_id",
    "network_interface_id", "instance_id", "vpc_endpoint_id", "core_network_arn",
)  # fmt: skip
_PLACED = (
    "aws_ecs_service", "aws_instance", "aws_autoscaling_group", "aws_lambda_function", "aws_eks_cluster",
    "aws_eks_node_group", "aws_db_subnet_group", "aws_elasticache_subnet_group", "aws_redshift_subnet_group",
    "aws_lb", "aws_alb", "aws_elb", "aws_efs_mount_target", "aws_eks_fargate_profile", "aws_msk_cluster",
    "aws_opensearch_domain", "aws_mq_broker", "aws_vpc_endpoint",
)  # fmt: skip


class Route(Struct, frozen=True):
    """One way out of a table: `via` is the gateway's address, or its id where it lies elsewhere."""

    table: str
    destination: str
    via: str
    by: str


class Exits(Struct, frozen=True):
    """Routes of each table, the tables of each subnet, and what stands in each subnet."""

    routes: Mapping[str, tuple[Route, ...]]
    tables: Mapping[str, tuple[str, ...]]
    inhabitants: Mapping[str, tuple[str, ...]]

    def users(self, table: str) -> Iterator[tuple[str, str]]:
        """What goes out by a table, with its subnet."""
        for subnet in sorted(self.tables):
            if table in self.tables[subnet]:
                for one in self.inhabitants.get(subnet, ()):
                    yield one, subnet


def exits_of(side: Side) -> Exits:
    """The ways out of one side. A subnet that names no table has those of its network that no subnet names."""
    routes: dict[str, list[Route]] = {}
    for route in _routes(side):
        routes.setdefault(route.table, []).append(route)
    inhabitants: dict[str, dict[str, None]] = {}
    for one in side.of(_PLACED):
        for subnet in linked(side, one.address, SUBNET_NAMES, _SUBNETS).addresses:
            inhabitants.setdefault(subnet, {})[one.address] = None
    return Exits(
        {table: tuple(found) for table, found in routes.items()},
        _tables(side),
        {subnet: tuple(found) for subnet, found in inhabitants.items()},
    )


# Private


def _routes(side: Side) -> Iterator[Route]:
    for one in side.of(("aws_route",)):
        for table in linked(side, one.address, ("route_table_id",), _TABLES).addresses:
            for via in _via(side, one.address, one.values):
                yield Route(table, _destination(one.values), via, one.address)
    for one in side.of(sorted(_TABLES)):
        for block in items(one.values.get("route")):
            if isinstance(block, Mapping):
                for via in _via(side, one.address, block):
                    yield Route(one.address, _destination(block), via, one.address)


def _via(side: Side, address: str, values: Mapping[str, Value]) -> Iterator[str]:
    for name in _GATEWAYS:
        value = values.get(name)
        if isinstance(value, str) and value and value != "local":
            yield from resolved(side, value)[:1] or (value,)
        elif isinstance(value, Later):
            used = [use.used for use in side.uses.used(address) if use.through.split(".")[-1] == name]
            used = used or [
                use.used
                for use in side.uses.used(address)
                if side.resources.get(use.used) is not None
                and side.resources[use.used].type.endswith(name.removesuffix("_id"))
            ]
            yield used[0] if used else name


def _destination(values: Mapping[str, Value]) -> str:
    for name in ("destination_cidr_block", "cidr_block", "destination_ipv6_cidr_block", "ipv6_cidr_block"):
        if isinstance(values.get(name), str) and values[name]:
            return str(values[name])
    found = values.get("destination_prefix_list_id")
    return found if isinstance(found, str) else "a destination known later"


def _tables(side: Side) -> Mapping[str, tuple[str, ...]]:
    named: dict[str, list[str]] = {}
    used: set[str] = set()
    for one in side.of(("aws_route_table_association",)):
        subnets = linked(side, one.address, ("subnet_id",), _SUBNETS).addresses
        tables = linked(side, one.address, ("route_table_id",), _TABLES).addresses
        used.update(tables)
        for address in subnets:
            named.setdefault(address, []).extend(tables)
    free: dict[str, list[str]] = {}
    for own in side.of(sorted(_TABLES)):
        if own.address not in used:
            free.setdefault(_network(side, own.address), []).append(own.address)
    for subnet in side.of(("aws_subnet",)):
        if subnet.address not in named and not flag(subnet.values.get("map_public_ip_on_launch")):
            named[subnet.address] = free.get(_network(side, subnet.address), [])
    return {subnet: tuple(dict.fromkeys(tables)) for subnet, tables in named.items()}


def _network(side: Side, address: str) -> str:
    found = linked(side, address, ("vpc_id",), frozenset({"aws_vpc", "aws_default_vpc"})).addresses
    if found:
        return found[0]
    return next((leaf for leaf in leaves(side.resources[address].values, "vpc_id") if isinstance(leaf, str)), "")
