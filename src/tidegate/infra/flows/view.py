"""A world as rules about outages see it: both sides' flows, doors and reach, made once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.infra.flows.doors import Client, Door, Doors, client_of, doors_of, groups_of, lets_in
from tidegate.infra.flows.graph import Flow, Flows, Reach, balancers_of, carried, entries, flows_of, reach
from tidegate.infra.flows.links import Side, leaves, linked, side_of
from tidegate.infra.flows.tables import ENGINES, STORES, TARGET_GROUPS, WORKLOADS
from tidegate.infra.same import number
from tidegate.infra.values import ResourceChange, World


class Gate(Struct, frozen=True):
    """A client that came in at a port of a server through its security groups, and after the change does not.

    `lost` are the rules that let it in; `culprit` is the change that shuts it. It `serves` where the client is a load
    balancer, and is needed where the client is a service and the server its database.
    """

    client: str
    server: str
    port: int
    lost: tuple[Door, ...]
    groups: tuple[str, ...]
    culprit: str
    serves: bool


class View(Struct, frozen=True):
    """Everything that is asked of a world's paths. `final` is when all is applied, `during` without what is destroyed
    before its successor is there. `changes` leaves out what changes nothing."""

    world: World
    changes: Mapping[str, ResourceChange]
    before: Side
    after: Side
    flows_before: Flows
    flows_after: Flows
    doors_before: Doors
    doors_after: Doors
    gates: tuple[Gate, ...]
    earlier: Reach
    final: Reach
    during: Reach
    shut: frozenset[Flow]


def view_of(world: World) -> View:
    """The view of a world. Linear in its resources and links."""
    changes = {one.address: one for one in world.changes if one.action not in ("no-op", "read", "import", "forget")}
    before = side_of(world.before, world.uses_before)
    after = side_of(world.after, world.uses_after, world.before)
    flows_before = flows_of(before)
    flows_after = carried(after, flows_of(after), flows_before)
    doors_before, doors_after = doors_of(before), doors_of(after)
    gates = tuple(_gates(before, after, flows_before, doors_before, doors_after, changes))
    shut = closed(after, flows_after, gates)
    starts = set(entries(before, flows_before))
    inner = frozenset(address for address in after.resources if address in before.resources and address not in starts)
    gone = frozenset(one.address for one in changes.values() if one.action == "replace" and not one.create_first)
    return View(
        world=world,
        changes=changes,
        before=before,
        after=after,
        flows_before=flows_before,
        flows_after=flows_after,
        doors_before=doors_before,
        doors_after=doors_after,
        gates=gates,
        earlier=reach(before, flows_before),
        final=reach(after, flows_after, closed=shut, inner=inner),
        during=reach(after, flows_after, missing=gone, closed=shut, inner=inner),
        shut=shut,
    )


def closed(side: Side, flows: Flows, gates: tuple[Gate, ...]) -> frozenset[Flow]:
    """The flows into servers that security groups shut for every load balancer that has them."""
    shut: dict[str, set[str]] = {}
    for gate in gates:
        if gate.serves:
            shut.setdefault(gate.server, set()).add(gate.client)
    return frozenset(
        flow
        for server in sorted(shut)
        if shut[server].issuperset(balancers_of(side, flows, server))
        for flow in flows.got.get(server, ())
        if flow.kind == "in"
    )


def stores_of(side: Side) -> Iterator[tuple[str, str, int]]:
    """Which workload calls which database or cache, and at which port."""
    for type_ in sorted(STORES):
        for store in side.of((type_,)):
            port = number(store.values.get("port")) or STORES[type_] or ENGINES.get(_engine(store.values), 0)
            for user in users_of(side, store.address):
                yield user, store.address, int(port)


def users_of(side: Side, address: str) -> tuple[str, ...]:
    """The workloads that use something themselves or by what they are started from."""
    found: dict[str, None] = {}
    for use in side.uses.users(address):
        one = side.resources.get(use.user)
        if one is None:
            continue
        if one.type in WORKLOADS:
            found[one.address] = None
        elif one.type in _STARTS:
            for further in side.uses.users(one.address):
                user = side.resources.get(further.user)
                if user is not None and user.type in WORKLOADS:
                    found[user.address] = None
    return tuple(found)


# Private

_STARTS = frozenset(
    {"aws_ecs_task_definition", "aws_launch_template", "aws_ssm_parameter", "aws_secretsmanager_secret_version"}
)


def _gates(
    before: Side,
    after: Side,
    flows: Flows,
    doors_before: Doors,
    doors_after: Doors,
    changes: Mapping[str, ResourceChange],
) -> Iterator[Gate]:
    if not changes:
        return
    asked = [(*one, True) for one in _served(before, flows)] + [(*one, False) for one in stores_of(before)]
    for client, server, port, serves in asked:
        if not port or server not in after.resources or client not in after.resources:
            continue
        groups, whole = groups_of(before, server)
        groups_after, whole_after = groups_of(after, server)
        if not groups or not whole or not whole_after:
            continue
        mine, mine_after = client_of(before, client), client_of(after, client)
        opened = tuple(door for door in doors_before.of(groups) if door.fits(port) and _lets(door, port, mine))
        if opened and lets_in(doors_after.of(groups_after), port, mine_after) is False:
            culprit = _culprit(opened, groups, server, client, changes)
            if culprit:
                yield Gate(client, server, port, opened, groups, culprit, serves)


def _lets(door: Door, port: int, client: Client) -> bool:
    return lets_in((door,), port, client) is not False


def _served(side: Side, flows: Flows) -> Iterator[tuple[str, str, int]]:
    for address in sorted(flows.got):
        if side.resources[address].type in WORKLOADS:
            port = _port(side, flows, address)
            for balancer in balancers_of(side, flows, address):
                yield balancer, address, port


def _port(side: Side, flows: Flows, address: str) -> int:
    for leaf in leaves(side.resources[address].values, "container_port"):
        if port := number(leaf):
            return int(port)
    for flow in flows.got[address]:
        for one in (flow.by, flow.source):
            values = side.resources[one].values
            if port := number(values.get("port") if side.resources[one].type in TARGET_GROUPS else None):
                return int(port)
            groups = linked(side, one, ("target_group_arn",), TARGET_GROUPS).addresses
            for group in groups:
                if port := number(side.resources[group].values.get("port")):
                    return int(port)
    return 0


def _culprit(
    opened: tuple[Door, ...], groups: tuple[str, ...], server: str, client: str, changes: Mapping[str, ResourceChange]
) -> str:
    for address in (*(door.by for door in opened), *groups, server, client):
        if address in changes:
            return address
    return ""


def _engine(values: Mapping[str, object]) -> str:
    engine = str(values.get("engine") or values.get("database_version") or "").lower()
    return next((name for name in ENGINES if engine.startswith(name)), engine)
