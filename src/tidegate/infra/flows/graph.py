"""The graph of flows: who hands requests or work on to whom, what is reached from an entry, and by which path."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from tidegate.infra.flows.asleep import switch
from tidegate.infra.flows.links import Side, linked
from tidegate.infra.flows.tables import BALANCERS, LINKS, RECORDS, WORKLOADS, Kind


class Flow(Struct, frozen=True):
    """`source` hands on to `target`; `by` is whose attribute says so."""

    source: str
    target: str
    kind: Kind
    by: str


class Flows(Struct, frozen=True):
    """The flows of one side. `asleep` maps what does not serve to the attribute that says so; of `unsettled` resources
    not all neighbours can be read."""

    sent: Mapping[str, tuple[Flow, ...]]
    got: Mapping[str, tuple[Flow, ...]]
    asleep: Mapping[str, str]
    unsettled: frozenset[str]


class Reach(Struct, frozen=True):
    """What is reached from the entries and leads to something that answers. `came` says by which flow each node was
    reached first, `goes` by which flow it answers soonest; None at an entry and at what answers."""

    came: Mapping[str, Flow | None]
    goes: Mapping[str, Flow | None]

    def alive(self, address: str) -> bool:
        """Whether requests come through here."""
        return address in self.came and address in self.goes

    def path(self, address: str) -> tuple[str, ...]:
        """A path through an address: from an entry to what answers."""
        before, after = [], []
        flow = self.came.get(address)
        while flow is not None:
            before.append(flow.source)
            flow = self.came.get(flow.source)
        flow = self.goes.get(address)
        while flow is not None:
            after.append(flow.target)
            flow = self.goes.get(flow.target)
        return (*reversed(before), address, *after)


def flows_of(side: Side) -> Flows:
    """Every flow that one side shows. Linear in its resources and their links."""
    flows: dict[Flow, None] = {}
    unsettled: set[str] = set()
    asleep: dict[str, str] = {}
    for type_ in sorted(side.by_type):
        for one in side.by_type[type_]:
            if off := switch(type_, one.values):
                asleep[one.address] = off
            for link in LINKS.get(type_, ()):
                found = linked(side, one.address, link.attributes)
                if not found.settled:
                    unsettled.add(one.address)
                for other in found.addresses:
                    ends = (one.address, other) if link.sends else (other, one.address)
                    flows[Flow(*ends, link.kind, one.address)] = None
    for scaled in side.of(("aws_appautoscaling_target",)):
        if scaled.address in asleep:
            for service in side.of(("aws_ecs_service",)):
                if str(scaled.values.get("resource_id", "")).endswith(f"/{service.values.get('name')}"):
                    asleep.setdefault(service.address, "max_capacity")
    return _indexed(flows, asleep, frozenset(unsettled))


def reach(
    side: Side,
    flows: Flows,
    missing: frozenset[str] = frozenset(),
    closed: frozenset[Flow] = frozenset(),
    inner: frozenset[str] = frozenset(),
) -> Reach:
    """What answers requests from outside, without these nodes and these flows. Nobody comes in at an `inner` node."""

    def passes(flow: Flow) -> bool:
        return flow.kind == "in" and flow not in closed

    def there(address: str) -> bool:
        return address not in missing and address not in flows.asleep and address in side.resources

    starts = [address for address in entries(side, flows) if there(address) and address not in inner]
    came = _walked(
        starts, lambda one: ((f.target, f) for f in flows.sent.get(one, ()) if passes(f) and there(f.target))
    )
    ends = [address for address in came if side.resources[address].type in WORKLOADS]
    goes = _walked(ends, lambda one: ((f.source, f) for f in flows.got.get(one, ()) if passes(f) and f.source in came))
    return Reach(came, goes)


def carried(side: Side, flows: Flows, earlier: Flows) -> Flows:
    """The flows after a change, with the earlier ones of every resource of which a link is known only after apply."""
    kept = (
        flow
        for found in earlier.sent.values()
        for flow in found
        if flow.by in flows.unsettled and flow.source in side.resources and flow.target in side.resources
    )
    now = (flow for found in flows.sent.values() for flow in found)
    return _indexed({**dict.fromkeys(now), **dict.fromkeys(kept)}, flows.asleep, flows.unsettled)


def entries(side: Side, flows: Flows) -> Iterator[str]:
    """Where requests come in: what hands on and gets from nobody. Names first, then what has an address of its own."""
    starts = [
        address
        for address in sorted(flows.sent)
        if any(flow.kind == "in" for flow in flows.sent[address])
        and not any(flow.kind == "in" for flow in flows.got.get(address, ()))
    ]
    named = [one for one in starts if side.resources[one].type in RECORDS]
    yield from named
    yield from (one for one in starts if side.resources[one].type not in RECORDS)


def balancers_of(side: Side, flows: Flows, address: str) -> tuple[str, ...]:
    """The load balancers whose requests come to this, nearest first."""

    def step(one: str) -> Iterator[tuple[str, Flow]]:
        if side.resources[one].type not in BALANCERS:
            yield from ((flow.source, flow) for flow in flows.got.get(one, ()) if flow.kind == "in")

    return tuple(one for one in _walked([address], step) if side.resources[one].type in BALANCERS)


# Private


def _indexed(flows: Iterable[Flow], asleep: Mapping[str, str], unsettled: frozenset[str]) -> Flows:
    sent: dict[str, list[Flow]] = {}
    got: dict[str, list[Flow]] = {}
    for flow in sorted(flows, key=lambda one: (one.source, one.target, one.kind, one.by)):
        if flow.source != flow.target:
            sent.setdefault(flow.source, []).append(flow)
            got.setdefault(flow.target, []).append(flow)
    return Flows({k: tuple(v) for k, v in sent.items()}, {k: tuple(v) for k, v in got.items()}, asleep, unsettled)


def _walked(starts: Iterable[str], step: Callable[[str], Iterable[tuple[str, Flow]]]) -> dict[str, Flow | None]:
    seen: dict[str, Flow | None] = dict.fromkeys(starts)
    waiting = deque(seen)
    while waiting:
        for other, flow in step(waiting.popleft()):
            if other not in seen:
                seen[other] = flow
                waiting.append(other)
    return seen
