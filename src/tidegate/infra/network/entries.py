"""The rules of security groups, network ACLs and firewalls, in every form that they are written in, as blocks.

Amazon: inline `ingress` blocks, `aws_security_group_rule`, `aws_vpc_security_group_*_rule`, network ACLs. Google:
`google_compute_firewall`. Azure: network security groups and their rules. Names as CloudFormation writes them
(`cidr_ip`) are read too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.infra.network.names import Names
from tidegate.infra.network.ports import is_web
from tidegate.infra.network.ranges import EVERY_PORT, EVERYWHERE, Block, Span, addresses, protocols
from tidegate.infra.same import flag, items, number, show
from tidegate.infra.values import Later, Resource, Value

Direction: TypeAlias = Literal["in", "out"]


class Entry(Struct, frozen=True):
    """One rule as it is written. `group` is the key of what it belongs to, `owner` the resource that holds it.

    Entries of one group are asked in their `order`; a refusal before an allowance of the same. `texts` are the sources
    as written, `unclear` what of the rule cannot be read now.
    """

    group: str
    owner: str
    direction: Direction
    blocks: tuple[Block, ...]
    texts: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    allows: bool = True
    order: float = 0


def entries_of(resource: Resource, names: Names) -> Iterator[Entry]:
    """The rules that this resource holds; none of one that holds no rules."""
    reader = _READERS.get(resource.type)
    if reader is not None:
        yield from reader(resource, names)


def holds_rules(type_: str) -> bool:
    """Whether resources of this type hold rules of a group, a network ACL or a firewall."""
    return type_ in _READERS


# Private

_SOURCES = (
    *("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6", "cidr_ip", "cidr_block", "ipv6_cidr_block"),
    *("security_groups", "source_security_group_id", "referenced_security_group_id", "source_security_group_name"),
    *("destination_security_group_id", "prefix_list_ids", "prefix_list_id", "source_prefix_list_id"),
    "destination_prefix_list_id",
)
_GROUPS = "security_group"


def _inline(resource: Resource, names: Names) -> Iterator[Entry]:
    yield from _module(resource, names)
    group = names.current(resource.address)
    for direction, keys in (
        ("in", ("ingress", "security_group_ingress")),
        ("out", ("egress", "security_group_egress")),
    ):
        for key in keys:
            value = resource.values.get(key)
            if isinstance(value, Later):
                yield Entry(group, group, _direction(direction), (), unclear=(f"{key} = {show(value)}",))
            for one in items(value):
                yield _amazon(group, resource, _direction(direction), one, names)


def _module(resource: Resource, names: Names) -> Iterator[Entry]:
    """The rules that a module of security groups is given: `ingress_with_cidr_blocks`, `ingress_rules` by name."""
    group = names.current(resource.address)
    for direction in ("ingress", "egress"):
        side: Direction = "in" if direction == "ingress" else "out"
        shared = resource.values.get(f"{direction}_cidr_blocks")
        for name in items(resource.values.get(f"{direction}_rules")):
            yield _amazon(group, resource, side, {**_named_rule(name), "cidr_blocks": shared}, names)
        for kind in ("cidr_blocks", "ipv6_cidr_blocks", "source_security_group_id", "self"):
            for one in items(resource.values.get(f"{direction}_with_{kind}")):
                if isinstance(one, Mapping):
                    given = one.get(kind, shared)
                    texts = [text.strip() for text in given.split(",")] if isinstance(given, str) else given
                    rule = {**one, **(_named_rule(one["rule"]) if one.get("rule") else {}), kind: texts}
                    yield _amazon(group, resource, side, rule, names)


def _named_rule(name: Value) -> Mapping[str, Value]:
    """The ports of `postgresql-tcp`, `https-443-tcp`, `all-all`: every port where the name is not known."""
    parts = str(name).split("-")
    port = next((int(part) for part in parts if part.isdigit()), _NAMED_PORTS.get(parts[0]))
    if port is None:
        return {"protocol": "-1" if parts[-1] not in ("tcp", "udp") else parts[-1]}
    return {"protocol": parts[-1], "from_port": port, "to_port": port}


_NAMED_PORTS = {
    "ssh": 22,
    "rdp": 3389,
    "postgresql": 5432,
    "mysql": 3306,
    "mssql": 1433,
    "redis": 6379,
    "http": 80,
    "https": 443,
    "mongodb": 27017,
    "memcached": 11211,
    "nfs": 2049,
    "oracle": 1521,
    "elasticsearch": 9200,
    "kafka": 9092,
    "docker": 2375,
    "etcd": 2379,
    "zookeeper": 2181,
    "redshift": 5439,
    "ldap": 389,
    "ntp": 123,
    "dns": 53,
}


def _separate(resource: Resource, names: Names) -> Iterator[Entry]:
    values = resource.values
    key = next((key for key in ("security_group_id", "group_id", "group_name") if values.get(key) is not None), "")
    group = names.address(resource.address, key, values.get(key), _GROUPS)
    outward = "egress" in resource.type or values.get("type") == "egress" or "destination_security_group_id" in values
    yield _amazon(group or resource.address, resource, "out" if outward else "in", values, names)


def _acl(resource: Resource, names: Names) -> Iterator[Entry]:
    group = names.current(resource.address)
    for direction, key in (("in", "ingress"), ("out", "egress")):
        for one in items(resource.values.get(key)):
            yield _amazon(group, resource, _direction(direction), one, names)


def _acl_rule(resource: Resource, names: Names) -> Iterator[Entry]:
    values = resource.values
    group = names.address(resource.address, "network_acl_id", values.get("network_acl_id"), "network_acl")
    yield _amazon(group, resource, "out" if flag(values.get("egress")) else "in", values, names)


def _amazon(group: str, resource: Resource, direction: Direction, rule: Value, names: Names) -> Entry:
    owner = names.current(resource.address)
    if not isinstance(rule, Mapping):
        return Entry(group, owner, direction, (), unclear=(show(rule),) if isinstance(rule, Later) else ())
    sources = [(key, one) for key in _SOURCES for one in _each(rule.get(key)) if one not in (None, "")]
    read = [_source(owner, key, one, names) for key, one in sources]
    if flag(rule.get("self")):
        read.append(_Source("itself", f"itself ({group})", None))
    protocol = _first(rule, "protocol", "ip_protocol")
    ports, unclear = _ports(protocol, rule.get("from_port"), rule.get("to_port"))
    return _entry(
        Entry(
            group,
            owner,
            direction,
            (),
            allows=str(_first(rule, "action", "rule_action") or "allow").lower() != "deny",
            order=number(_first(rule, "rule_no", "rule_number")) or 0,
        ),
        read,
        [(_protocol(protocol), ports)],
        unclear,
    )


class _Source(Struct, frozen=True):
    text: str
    named: str
    span: Span | None
    unclear: bool = False


def _source(user: str, key: str, value: Value, names: Names) -> _Source:
    text = show(value)
    if "security_group" in key:
        found = names.address(user, key, value, _GROUPS)
        return _Source(found or text, found or text, None)
    if "prefix_list" in key:
        return _Source(f"prefix list {text}", f"prefix list {text}", None)
    span = None if isinstance(value, Later) else addresses(str(value))
    if span is not None:
        return _Source(text, "", span)
    return _Source(text, text, None, unclear=not _is_own_network(value.words if isinstance(value, Later) else text))


def _is_own_network(words: str) -> bool:
    """Whether a reference is to the range of a network of one's own: `aws_vpc.main.cidr_block`, `10.${x}.0.0/16`."""
    text = words.lower()
    if _PRIVATE.match(text):
        return True
    return "cidr" in text and any(word in text for word in ("vpc", "subnet", "network"))


_PRIVATE = re.compile(r"^\W*(10\.[^,;]*/([89]|[12]\d|3[0-2])|192\.168\.[^,;]*/(1[6-9]|2\d|3[0-2]))\W*$")
"""A private range of which only the middle is put in later."""


def _entry(
    plain: Entry, sources: Sequence[_Source], reach: Sequence[tuple[Span, Span]], unclear: Sequence[str] = ()
) -> Entry:
    blocks = tuple(
        Block(one.named, one.span or EVERYWHERE, protocol, ports)
        for one, (protocol, ports) in product(sources, reach)
        if not one.unclear and not unclear
    )
    words = tuple(f"{one.text} on {_numbers(reach)}" for one in sources if one.unclear)
    if unclear:
        words = (", ".join((*unclear, *(f"from {one.text}" for one in sources))),)
    elif is_web(Block("", EVERYWHERE, protocol, ports) for protocol, ports in reach):
        words = ()
    return Entry(
        plain.group,
        plain.owner,
        plain.direction,
        blocks,
        texts=tuple(one.text for one in sources if not one.unclear),
        unclear=words,
        allows=plain.allows,
        order=plain.order,
    )


def _numbers(reach: Sequence[tuple[Span, Span]]) -> str:
    texts = (
        "every port"
        if ports == EVERY_PORT
        else f"{ports.low}"
        if ports.low == ports.high
        else f"{ports.low}-{ports.high}"
        for _, ports in reach
    )
    return "port " + ", ".join(dict.fromkeys(texts))


def _protocol(value: Value) -> Span:
    """An unknown protocol is every one: nothing that is let in is left out."""
    return protocols("" if value is None or isinstance(value, Later) else str(value)) or Span(0, 255)


def _ports(protocol: Value, low: Value, high: Value) -> tuple[Span, tuple[str, ...]]:
    """The ports of a rule. Protocols without ports, -1 and nothing are all of them."""
    numbers = _protocol(protocol)
    if numbers.low != numbers.high or numbers.low not in (6, 17, 132):
        return EVERY_PORT, ()
    later = tuple(f"port {show(one)}" for one in (low, high) if isinstance(one, Later))[:1]
    first, last = _port(low), _port(high if high is not None else low)
    if later or first is None or last is None:
        return EVERY_PORT, later
    return Span(first, max(first, last)), ()


def _port(value: Value) -> int | None:
    """A port; None for what is none, which lets every one in."""
    found = number(value)
    if found is None or not math.isfinite(found) or found < 0:
        return None
    return min(int(found), 65535)


def _google(resource: Resource, names: Names) -> Iterator[Entry]:
    values = resource.values
    if flag(values.get("disabled")):
        return
    network = names.address(resource.address, "network", values.get("network"), "google_compute_network")
    targets = [show(one) for key in ("target_tags", "target_service_accounts") for one in items(values.get(key))]
    group = f"{network} {', '.join(sorted(targets))}".strip() or resource.address
    outward = str(values.get("direction") or "INGRESS").upper() == "EGRESS"
    ranges = items(values.get("destination_ranges" if outward else "source_ranges"))
    named = [one for key in ("source_tags", "source_service_accounts") for one in items(values.get(key))]
    sources = [_source(resource.address, "cidr", one, names) for one in ranges]
    sources += [_Source(show(one), show(one), None) for one in named]
    for key in ("source_ranges", "destination_ranges"):
        if isinstance(values.get(key), Later):
            sources.append(_source(resource.address, "cidr", values[key], names))
    order = number(values.get("priority"))
    for key in ("allow", "deny"):
        reach = [pair for one in items(values.get(key)) if isinstance(one, Mapping) for pair in _google_ports(one)]
        if reach:
            plain = Entry(group, names.current(resource.address), "out" if outward else "in", ())
            whole = Entry(
                plain.group,
                plain.owner,
                plain.direction,
                (),
                allows=key == "allow",
                order=1000 if order is None else order,
            )
            yield _entry(whole, sources or [_Source("0.0.0.0/0", "", addresses("0.0.0.0/0"))], reach)


def _google_ports(rule: Mapping[str, Value]) -> Iterator[tuple[Span, Span]]:
    protocol = _protocol(rule.get("protocol"))
    ports = items(rule.get("ports"))
    if not ports:
        yield protocol, EVERY_PORT
    for one in ports:
        yield protocol, _range(one)


def _range(value: Value) -> Span:
    """`22`, `8000-9000`, `*`. What is none of these is every port: nothing that is let in is left out."""
    low, _, high = str(value).partition("-")
    first, last = _port(low), _port(high or low)
    return EVERY_PORT if first is None or last is None or last < first else Span(first, last)


def _azure_group(resource: Resource, names: Names) -> Iterator[Entry]:
    for one in items(resource.values.get("security_rule")):
        if isinstance(one, Mapping):
            yield from _azure(names.current(resource.address), resource, one, names)


def _azure_rule(resource: Resource, names: Names) -> Iterator[Entry]:
    value = resource.values.get("network_security_group_name")
    group = names.address(resource.address, "network_security_group_name", value, "network_security_group")
    yield from _azure(group, resource, resource.values, names)


def _azure(group: str, resource: Resource, rule: Mapping[str, Value], names: Names) -> Iterator[Entry]:
    outward = str(rule.get("direction") or "Inbound").lower() == "outbound"
    side = "destination" if outward else "source"
    keys = (f"{side}_address_prefix", f"{side}_address_prefixes", f"{side}_application_security_group_ids")
    sources = [_azure_source(resource.address, one, names) for key in keys for one in _each(rule.get(key)) if one]
    values = [
        one for key in ("destination_port_range", "destination_port_ranges") for one in _each(rule.get(key)) if one
    ]
    protocol = _protocol(rule.get("protocol"))
    later = tuple(f"port {show(one)}" for one in values if isinstance(one, Later))
    plain = Entry(
        group,
        names.current(resource.address),
        "out" if outward else "in",
        (),
        allows=str(rule.get("access") or "Allow").lower() != "deny",
        order=number(rule.get("priority")) or 0,
    )
    yield _entry(plain, sources, [(protocol, _range(one)) for one in values] or [(protocol, EVERY_PORT)], later)


def _azure_source(user: str, value: Value, names: Names) -> _Source:
    """Service tags are named sources, but for `Internet` and `*`, which are everyone."""
    read = _source(user, "prefix", value, names)
    if not isinstance(value, Later) and read.span is None:
        return _Source(read.text, read.text, None)
    return read


def _each(value: Value) -> tuple[Value, ...]:
    return (value,) if isinstance(value, Later) else items(value)


def _first(rule: Mapping[str, Value], *keys: str) -> Value:
    return next((rule[key] for key in keys if rule.get(key) is not None), None)


def _direction(text: str) -> Direction:
    return "in" if text == "in" else "out"


_READERS: Mapping[str, Callable[[Resource, Names], Iterator[Entry]]] = {
    "aws_security_group": _inline,
    "aws_default_security_group": _inline,
    "aws_security_group_rule": _separate,
    "aws_vpc_security_group_ingress_rule": _separate,
    "aws_vpc_security_group_egress_rule": _separate,
    "aws_network_acl": _acl,
    "aws_default_network_acl": _acl,
    "aws_network_acl_rule": _acl_rule,
    "google_compute_firewall": _google,
    "azurerm_network_security_group": _azure_group,
    "azurerm_network_security_rule": _azure_rule,
}
