"""What security groups let through: every rule of them, wherever it is written, and whether it lets a client in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.infra.flows.links import Side, leaves, linked
from tidegate.infra.flows.tables import GROUPS
from tidegate.infra.same import field, flag, items, number
from tidegate.infra.values import Later, Resource, Value

Way: TypeAlias = Literal["in", "out"]
GROUP_NAMES = ("vpc_security_group_ids", "security_groups", "security_group_ids", "security_group_id")
SUBNET_NAMES = ("subnets", "subnet_ids", "subnet_id", "vpc_zone_identifier", "subnet_mapping.subnet_id")


class Door(Struct, frozen=True):
    """One rule of a group: `low` to `high` of `protocol` from or to these ranges and groups. `by` is who declares it.

    Not `settled` where something of it is known only after apply.
    """

    group: str
    way: Way
    protocol: str
    low: int
    high: int
    ranges: tuple[str, ...]
    groups: tuple[str, ...]
    by: str
    settled: bool = True

    def fits(self, port: int, protocol: str = "tcp") -> bool:
        """Whether the rule is about this port."""
        return self.protocol in ("all", protocol) and (self.protocol == "all" or self.low <= port <= self.high)

    @property
    def ports(self) -> str:
        """The ports as people write them: `5432`, `8000 to 8100`, `all ports`."""
        if self.protocol == "all" or (self.low, self.high) in ((0, 65535), (-1, -1)):
            return "all ports"
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


class Doors(Struct, frozen=True):
    """The rules of all groups of one side, by group."""

    by_group: Mapping[str, tuple[Door, ...]]

    def of(self, groups: Iterable[str], way: Way = "in") -> Iterator[Door]:
        for group in groups:
            yield from (door for door in self.by_group.get(group, ()) if door.way == way)


class Client(Struct, frozen=True):
    """Who wants in: the groups that it is in, and the ranges of its subnets where they are known."""

    groups: tuple[str, ...]
    ranges: tuple[str, ...]


def doors_of(side: Side) -> Doors:
    """Every rule of every security group of one side."""
    found: dict[str, list[Door]] = {}
    for group in side.of(sorted(GROUPS)):
        found.setdefault(group.address, [])
        for way, name in (("in", "ingress"), ("out", "egress")):
            for block in _blocks(group.values.get(name)):
                found[group.address].append(_door(side, group.address, way, block, group))
    for rule in side.of(("aws_security_group_rule",)):
        way = "out" if rule.values.get("type") == "egress" else "in"
        for owner in linked(side, rule.address, ("security_group_id",), GROUPS).addresses:
            found.setdefault(owner, []).append(_door(side, owner, way, rule.values, rule))
    for type_, way in (("aws_vpc_security_group_ingress_rule", "in"), ("aws_vpc_security_group_egress_rule", "out")):
        for rule in side.of((type_,)):
            for owner in linked(side, rule.address, ("security_group_id",), GROUPS).addresses:
                found.setdefault(owner, []).append(_door(side, owner, way, rule.values, rule))
    return Doors({group: tuple(doors) for group, doors in found.items()})


def groups_of(side: Side, address: str) -> tuple[tuple[str, ...], bool]:
    """The security groups of a resource, and whether these are all of them: known, and in this world."""
    found = linked(side, address, GROUP_NAMES, GROUPS)
    values = side.resources[address].values
    given = [leaf for name in GROUP_NAMES for leaf in leaves(values, name)]
    templates = linked(
        side, address, ("launch_template.id", "launch_template.name", "launch_configuration"), _TEMPLATES
    )
    addresses, whole = list(found.addresses), found.settled and len(given) <= len(found.addresses)
    for template in templates.addresses:
        more, all_ = groups_of(side, template)
        addresses += more
        whole = whole and all_
    return tuple(dict.fromkeys(addresses)), whole


def client_of(side: Side, address: str) -> Client:
    """A resource as the client of others."""
    subnets = linked(side, address, SUBNET_NAMES, frozenset({"aws_subnet"})).addresses
    ranges = (side.resources[subnet].values.get("cidr_block") for subnet in subnets)
    return Client(groups_of(side, address)[0], tuple(one for one in ranges if isinstance(one, str)))


def lets_in(doors: Iterable[Door], port: int, client: Client) -> bool | None:
    """Whether one of these rules lets a client reach a port; None where that cannot be told."""
    answer: bool | None = False
    for door in doors:
        if not door.settled:
            answer = None
        elif door.fits(port):
            if any(group in client.groups for group in door.groups) or any(_everyone(one) for one in door.ranges):
                return True
            if door.ranges and client.ranges:
                if any(_within(inner, outer) for inner in client.ranges for outer in door.ranges):
                    return True
            elif door.ranges or any(group not in client.groups and "." not in group for group in door.groups):
                answer = None
    return answer


# Private

_TEMPLATES = frozenset({"aws_launch_template", "aws_launch_configuration"})


def _blocks(value: Value) -> Iterator[Mapping[str, Value]]:
    for one in items(value):
        if isinstance(one, Mapping):
            yield one
        elif isinstance(one, Later):
            yield {"": one}
    if isinstance(value, Later):
        yield {"": value}


def _door(side: Side, owner: str, way: str, block: Mapping[str, Value], by: Resource) -> Door:
    ranges = [
        one
        for name in ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
        for one in items(block.get(name))
        if isinstance(one, str)
    ]
    named = [
        one
        for name in ("security_groups", "source_security_group_id", "referenced_security_group_id")
        for one in items(block.get(name))
        if isinstance(one, str)
    ]
    groups = [address for one in named for address in side.named.get(one.lower(), (one,))]
    later = any(isinstance(one, Later) for value in block.values() for one in _each(value))
    if later and by.address != owner:
        used = linked(side, by.address, ("source_security_group_id", "referenced_security_group_id"), GROUPS)
        groups += [address for address in used.addresses if address != owner]
    if flag(block.get("self")):
        groups.append(owner)
    low, high = number(block.get("from_port")), number(block.get("to_port"))
    protocol = _PROTOCOLS.get(str(block.get("protocol", block.get("ip_protocol", "all"))).lower())
    return Door(
        group=owner,
        way="out" if way == "out" else "in",
        protocol=protocol or str(block.get("protocol", block.get("ip_protocol"))).lower(),
        low=int(low) if low is not None else 0,
        high=int(high) if high is not None else 65535,
        ranges=tuple(sorted(ranges)),
        groups=tuple(sorted(set(groups))),
        by=by.address,
        settled=not later and not items(block.get("prefix_list_ids")) and field(block, "prefix_list_id") is None,
    )


_PROTOCOLS: Mapping[str, str] = {"-1": "all", "all": "all", "6": "tcp", "17": "udp", "1": "icmp"}


def _each(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _everyone(text: str) -> bool:
    return text.endswith("/0")


def _within(inner: str, outer: str) -> bool:
    import ipaddress

    try:
        small, large = ipaddress.ip_network(inner, strict=False), ipaddress.ip_network(outer, strict=False)
    except ValueError:
        return False
    if isinstance(small, ipaddress.IPv4Network) and isinstance(large, ipaddress.IPv4Network):
        return small.subnet_of(large)
    if isinstance(small, ipaddress.IPv6Network) and isinstance(large, ipaddress.IPv6Network):
        return small.subnet_of(large)
    return False
