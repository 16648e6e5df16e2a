"""Which resource an attribute names: by an id, a name or an address that it holds, or by a recorded use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

from tidegate.infra.graph import Uses
from tidegate.infra.values import Later, Resource, Value

_NAMES = (
    "id", "arn", "name", "bucket", "identifier", "function_name", "cluster_identifier", "self_link", "url",
    "dns_name", "fqdn", "domain_name", "address", "endpoint", "reader_endpoint", "hostname", "invoke_arn", "ip_address",
    "primary_endpoint_address", "configuration_endpoint_address", "regional_domain_name", "bucket_regional_domain_name",
    "bucket_domain_name", "invoke_url", "api_endpoint", "public_ip", "private_ip", "qualified_arn", "website_endpoint",
    "allocation_id", "uri", "fully_qualified_domain_name", "default_hostname", "connection_name",
    "private_ip_address", "public_dns",
)  # fmt: skip
_DEEPEST = 12


class Side(Struct, frozen=True):
    """One side of a world with what finds its resources. `named` holds every value that stands for a resource."""

    resources: Mapping[str, Resource]
    uses: Uses
    named: Mapping[str, tuple[str, ...]]
    by_type: Mapping[str, tuple[Resource, ...]]

    def of(self, types: Iterable[str]) -> Iterator[Resource]:
        """The resources of these types, in order."""
        for type_ in types:
            yield from self.by_type.get(type_, ())


class Linked(NamedTuple):
    """What an attribute names. It is `settled` where every value in it can be read."""

    addresses: tuple[str, ...]
    settled: bool


def side_of(resources: Mapping[str, Resource], uses: Uses, earlier: Mapping[str, Resource] | None = None) -> Side:
    """The index over one side. `earlier` lends the ids that what exists already has."""
    named: dict[str, dict[str, None]] = {}
    for known in (resources, earlier or {}):
        for address, one in known.items():
            if address in resources:
                for name in _NAMES:
                    value = one.values.get(name)
                    if isinstance(value, str) and value:
                        named.setdefault(_plain(value), {})[address] = None
    by_type: dict[str, list[Resource]] = {}
    for address in sorted(resources):
        by_type.setdefault(resources[address].type, []).append(resources[address])
    return Side(
        resources, uses, {key: tuple(found) for key, found in named.items()}, {k: tuple(v) for k, v in by_type.items()}
    )


def linked(side: Side, address: str, attributes: Iterable[str], types: frozenset[str] = frozenset()) -> Linked:
    """The resources of these types (of any, if none is given) that attributes of a resource name, at any depth.

    What is known only later is looked for among the uses that the tool recorded.
    """
    values = side.resources[address].values
    found: dict[str, None] = {}
    settled = True
    for attribute in attributes:
        later = False
        for leaf in leaves(values, attribute):
            if isinstance(leaf, Later):
                later = True
            elif isinstance(leaf, str):
                found.update(dict.fromkeys(_of_types(side, resolved(side, leaf), types)))
        if later:
            joined = list(_recorded(side, address, attribute, types))
            found.update(dict.fromkeys(joined))
            settled = settled and bool(joined)
    found.pop(address, None)
    return Linked(tuple(found), settled)


def resolved(side: Side, text: str) -> tuple[str, ...]:
    """The resources that one value stands for."""
    plain = _plain(text)
    found = side.named.get(plain, ())
    if not found and plain.startswith("dualstack."):
        found = side.named.get(plain.removeprefix("dualstack."), ())
    if not found and plain.startswith("arn:") and plain.count(":") > 6:
        found = side.named.get(plain.rpartition(":")[0], ())
    if not found and "/" in plain:
        found = side.named.get(plain.partition("://")[2].partition("/")[0] or plain.rpartition("/")[2], ())
    return found


def leaves(value: Value, name: str) -> Iterator[Value]:
    """Every value that stands under this key, at any depth; lists are taken apart. `a.b` is a `b` within an `a`."""
    first, _, rest = name.partition(".")
    waiting: list[tuple[Value, int]] = [(value, 0)]
    while waiting:
        here, depth = waiting.pop()
        if depth > _DEEPEST:
            continue
        if isinstance(here, Mapping):
            for key, inner in here.items():
                if key == first:
                    yield from leaves(inner, rest) if rest else _flat(inner)
                elif isinstance(inner, (Mapping, list, tuple)):
                    waiting.append((inner, depth + 1))
        elif isinstance(here, (list, tuple)):
            waiting.extend((inner, depth + 1) for inner in here if isinstance(inner, (Mapping, list, tuple)))


def strings(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Every text in a resource with the key that it stands under, at any depth."""
    waiting: list[tuple[str, Value]] = list(values.items())
    while waiting:
        key, here = waiting.pop()
        if isinstance(here, str):
            yield key, here
        elif isinstance(here, Mapping):
            waiting.extend(here.items())
        elif isinstance(here, (list, tuple)):
            waiting.extend((key, inner) for inner in here if isinstance(inner, (str, Mapping, list, tuple)))


# Private


def _flat(value: Value) -> Iterator[Value]:
    if isinstance(value, (list, tuple)):
        for inner in value:
            yield from _flat(inner) if isinstance(inner, (list, tuple)) else (inner,)
    elif value is not None:
        yield value


def _recorded(side: Side, address: str, attribute: str, types: frozenset[str]) -> Iterator[str]:
    """What recorded uses say of an attribute; of uses without one, those that could be meant by it."""
    uses = side.uses.used(address)
    found = list(_of_types(side, (use.used for use in uses if _through(use.through, attribute)), types))
    if not found and types:
        found = list(_of_types(side, (use.used for use in uses if not use.through), types))
    yield from found


def _of_types(side: Side, addresses: Iterable[str], types: frozenset[str]) -> Iterator[str]:
    for address in addresses:
        one = side.resources.get(address)
        if one is not None and (not types or one.type in types):
            yield address


def _plain(text: str) -> str:
    return text.strip().rstrip(".").lower()


def _through(through: str, attribute: str) -> bool:
    wanted = attribute.replace("_", "").replace(".", "").lower()
    if not through:
        return False
    parts = [part.replace("_", "").lower() for part in through.split(".") if not part.isdigit()]
    return wanted in parts or "".join(parts).endswith(wanted)
