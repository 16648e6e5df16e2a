"""Arithmetic on sets of (source, protocol, port), without counting one address.

A source is a range of addresses or something named: a group, a prefix list, a service tag. IPv4 and IPv6 lie on one
line of numbers, IPv4 first, so that one range can be both. A mask is believed, not the digits in front of it:
`192.168.1.0/0` is every address there is.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

V6 = 2**32
END = V6 + 2**128


class Span(NamedTuple):
    """Whole numbers from `low` to `high`, both among them."""

    low: int
    high: int


EVERYWHERE = Span(0, END - 1)
EVERY_PROTOCOL = Span(0, 255)
EVERY_PORT = Span(0, 65535)
NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "ipv6-icmp": 58, "esp": 50, "ah": 51, "sctp": 132, "gre": 47}


class Block(NamedTuple):
    """These sources on these protocols and ports. `named` is a source that is no address; its `addresses` say nothing.

    Protocols that have no ports have all of them.
    """

    named: str
    addresses: Span
    protocols: Span
    ports: Span


def addresses(text: str) -> Span | None:
    """The addresses of `10.0.0.0/8`, `::/0`, `10.0.0.1-10.0.0.9`, one address or `*`; None where it is none."""
    text = text.strip().strip("[]")
    if text.lower() in ("*", "any", "internet", "all"):
        return EVERYWHERE
    first, dash, last = text.partition("-")
    try:
        if dash:
            low, high = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            return Span(_place(low), _place(high)) if low.version == high.version and int(low) <= int(high) else None
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return Span(_place(network.network_address), _place(network.broadcast_address))


def protocols(text: str) -> Span | None:
    """The protocols of a name or a number; `-1`, `all`, `*` and nothing are every one. None for a name of none."""
    name = text.strip().lower()
    if name in ("-1", "all", "*", "any", ""):
        return EVERY_PROTOCOL
    number = NUMBERS.get(name, int(name) if name.isdigit() else -1)
    return Span(number, number) if 0 <= number <= 255 else None


def difference(some: Iterable[Block], less: Iterable[Block] = ()) -> tuple[Block, ...]:
    """What is in `some` and not in `less`, in one way of writing it whatever the order and the cuts of the two.

    Who is everywhere is every named source too: where `less` has all private addresses it has the groups.
    """
    by_name: dict[str, list[Block]] = defaultdict(list)
    for block in some:
        by_name[block.named].append(block)
    taken = tuple(less)
    return tuple(
        block
        for name in sorted(by_name)
        for block in _difference(name, by_name[name], [one for one in taken if one.named in (name, "")])
    )


def covers(whole: Iterable[Block], part: Iterable[Block]) -> bool:
    """Whether all of `part` is in `whole`."""
    return not difference(part, whole)


def overlap(one: Iterable[Block], other: Iterable[Block]) -> tuple[Block, ...]:
    """What is in both."""
    kept = tuple(one)
    return difference(kept, difference(kept, other))


def spans_of(blocks: Iterable[Block]) -> tuple[Span, ...]:
    """The addresses of blocks; named sources have none."""
    return merged(block.addresses for block in blocks if not block.named)


def internet_share(spans: Iterable[Span]) -> float:
    """Which share of the addresses of the internet these are, of IPv4 or of IPv6, whichever is more: 0 to 1."""
    kept = merged(spans)
    return max(_size(_both(kept, public)) / _size(public) for public in (_public(4), _public(6)))


def private_size(spans: Iterable[Span]) -> int:
    """How many private IPv4 addresses these are, each once."""
    return _size(_both(merged(spans), merged(_private()[:4])))


def difference_of(some: Iterable[Span], less: Iterable[Span]) -> tuple[Span, ...]:
    """The addresses of `some` that are not in `less`."""
    return _less(merged(some), merged(less))


def cidrs(spans: Iterable[Span]) -> tuple[str, ...]:
    """Ranges of addresses as people write them, in order."""
    found: list[str] = []
    for span in merged(spans):
        for low, high, version in ((0, V6 - 1, 4), (V6, END - 1, 6)):
            part = Span(max(span.low, low), min(span.high, high))
            if part.low <= part.high:
                address = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
                ends = address(part.low - low), address(part.high - low)
                found += [str(one) for one in ipaddress.summarize_address_range(*ends)]
    return tuple(found)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same numbers in as few spans as there can be, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.low <= found[-1].high + 1:
            found[-1] = Span(found[-1].low, max(found[-1].high, span.high))
        else:
            found.append(span)
    return tuple(found)


# Private


def _place(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    return int(address) + (V6 if address.version == 6 else 0)


@cache
def _private() -> tuple[Span, ...]:
    texts = (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "224.0.0.0/3", "fc00::/7", "fe80::/10", "::/8", "ff00::/8"),
    )
    return tuple(span for text in texts if (span := addresses(text)) is not None)


@cache
def _public(version: int) -> tuple[Span, ...]:
    """What the internet routes: IPv4 but for what is reserved, and the third of IPv6 that is in use."""
    if version == 4:
        return _less((Span(0, V6 - 1),), merged(_private()))
    return (Span(V6 + (1 << 125), V6 + (1 << 126) - 1),)


def _size(spans: Iterable[Span]) -> int:
    return sum(span.high - span.low + 1 for span in spans)


def _less(some: Sequence[Span], less: Sequence[Span]) -> tuple[Span, ...]:
    """`some` without `less`; both merged."""
    found: list[Span] = []
    place = 0
    for span in some:
        low = span.low
        while place < len(less) and less[place].high < low:
            place += 1
        at = place
        while at < len(less) and less[at].low <= span.high:
            if less[at].low > low:
                found.append(Span(low, less[at].low - 1))
            low = less[at].high + 1
            at += 1
        if low <= span.high:
            found.append(Span(low, span.high))
    return tuple(found)


def _both(one: Sequence[Span], other: Sequence[Span]) -> tuple[Span, ...]:
    return _less(one, _less(one, other))


def _difference(name: str, some: Sequence[Block], less: Sequence[Block]) -> Iterator[Block]:
    """Cuts the protocols and the ports where anything begins or ends, and the addresses of each piece by arithmetic."""
    layers: list[tuple[Span, tuple[tuple[Span, tuple[Span, ...]], ...]]] = []
    for protocol in _pieces([*(one.protocols for one in some), *(one.protocols for one in less)]):
        mine = [one for one in some if one.protocols.low <= protocol.low <= one.protocols.high]
        theirs = [one for one in less if one.protocols.low <= protocol.low <= one.protocols.high]
        layer = _ports(mine, theirs)
        if layers and layers[-1][1] == layer and layers[-1][0].high + 1 == protocol.low:
            layers[-1] = (Span(layers[-1][0].low, protocol.high), layer)
        else:
            layers.append((protocol, layer))
    for protocol, layer in layers:
        for ports, spans in layer:
            for span in spans:
                yield Block(name, span, protocol, ports)


def _ports(some: Sequence[Block], less: Sequence[Block]) -> tuple[tuple[Span, tuple[Span, ...]], ...]:
    found: list[tuple[Span, tuple[Span, ...]]] = []
    for piece, mine, theirs in _swept(some, less):
        spans = _less(merged(one.addresses for one in mine), _taken(theirs, named=bool(mine[0].named)))
        if not spans:
            continue
        if found and found[-1][1] == spans and found[-1][0].high + 1 == piece.low:
            found[-1] = (Span(found[-1][0].low, piece.high), spans)
        else:
            found.append((piece, spans))
    return tuple(found)


def _taken(blocks: Sequence[Block], named: bool) -> tuple[Span, ...]:
    """The addresses of these. For a named source it is all or nothing: its own name, or every private address."""
    spans = merged(block.addresses for block in blocks if not (named and block.named))
    if not named:
        return spans
    is_named = any(block.named for block in blocks)
    return (EVERYWHERE,) if is_named or not _less(merged(_private()[:3]), spans) else ()


def _swept(some: Sequence[Block], less: Sequence[Block]) -> Iterator[tuple[Span, list[Block], list[Block]]]:
    """Each piece of the ports with the blocks that are open in it, from the lowest."""
    starts: dict[int, list[tuple[bool, Block]]] = defaultdict(list)
    for mine, blocks in ((True, some), (False, less)):
        for block in blocks:
            starts[block.ports.low].append((mine, block))
    open_now: list[tuple[bool, Block]] = []
    for piece in _pieces([block.ports for block in (*some, *less)]):
        open_now = [one for one in open_now if one[1].ports.high >= piece.low] + starts[piece.low]
        ours = [block for mine, block in open_now if mine]
        if ours:
            yield piece, ours, [block for mine, block in open_now if not mine]


def _pieces(spans: Sequence[Span]) -> Iterator[Span]:
    cuts = sorted({span.low for span in spans} | {span.high + 1 for span in spans})
    for low, after in pairwise(cuts):
        yield Span(low, after - 1)
