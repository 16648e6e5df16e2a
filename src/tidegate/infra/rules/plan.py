"""What a plan says as a whole: state that is missing, a stack that goes away, what is forgotten or left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tidegate.facts import Severity, Unjudged
from tidegate.infra.environment import Environment, named, of_values
from tidegate.infra.kinds import is_utility, stateful
from tidegate.infra.rules.renames import name_of
from tidegate.infra.same import field, flag, number, same
from tidegate.infra.severity import ORDER
from tidegate.infra.terraform.sensitive import secretive
from tidegate.infra.values import Draft, Hidden, Resource, ResourceChange, Value, World

MANY = 10
"""So many resources make a stack: fewer are created or destroyed every day."""
LARGE = 30
SWEEPING = 0.8
MOST_NAMED = 6
_PLACES = (
    *"vpc_id network namespace zone_id region location project resource_group_name cluster user_pool_id".split(),
    *"rest_api_id api_id subscription_id account_id managed_zone metadata.namespace".split(),
)


def state_lost(world: World) -> Iterator[Draft]:
    """A plan that creates what exists already: Terraform has lost sight of its state."""
    if world.source != "terraform plan":
        return
    yield from _exists(world)
    doing = [one for one in world.changes if one.action not in ("no-op", "read")]
    if len(doing) < MANY or _managed(world) or any(one.action != "create" for one in doing):
        return
    where = _environment(doing) or named(world.environment)
    severity = _missing(len(doing), where, _signs(doing))
    holding = [one.address for one in _holding(doing)]
    among = f" ({_listed(holding, 3)} hold data)" if holding else ""
    yield Draft(
        code="STATE_LOSS",
        severity=severity,
        address=world.name,
        reason=f"All {len(doing)} changes are creates{among}, and there is no prior state. If this stack exists"
        " already, the state file is missing, and applying creates everything a second time or stops half-way at names"
        " that are taken: check the backend and the workspace first. If the stack is new, say so in the change.",
        reversible=severity == "low",
        back="find the state before anything is applied; never remove duplicates by destroying",
        environment=where,
    )


def stack_destroyed(world: World) -> Iterator[Draft]:
    """A plan that takes most of a stack away."""
    existing = _managed(world)
    gone = [one for one in world.changes if one.action == "delete"]
    if len(gone) < MANY or len(gone) < SWEEPING * len(existing):
        return
    holding = _holding(gone)
    grave: Severity = "critical" if holding else "high"
    named_first = [one.address for one in holding]
    what = f", {len(holding)} of them hold data: {_listed(named_first, MOST_NAMED)}" if holding else ""
    yield Draft(
        code="DESTROY",
        severity=grave,
        address=world.name,
        reason=f"{len(gone)} of {len(existing)} resources are destroyed{what}. Make sure that this is the stack which"
        " is meant, that nobody uses it any more, and that what it holds is saved first.",
        reversible=not holding,
        back="create it again from the code; data only from backups that outlive it",
        environment=_environment(gone),
    )


def forgotten(world: World) -> Iterator[Draft]:
    """What Terraform lets go of, and leaves in the world."""
    for change in world.changes:
        if change.action == "forget":
            beside = " A new one is created beside it." if change.after is not None else ""
            yield Draft(
                code="UNMANAGED",
                severity="low",
                address=change.address,
                reason=f"{change.address} is no longer managed by Terraform; it stays as it is.{beside} From now on no"
                " plan shows when somebody changes it, and no rule guards it.",
                reversible=True,
                back="import it again",
            )


def left_out(world: World) -> Iterator[Draft]:
    """A plan that shows only a part of its stack."""
    if world.partial and world.source == "terraform plan":
        yield Draft(
            code="PARTIAL_PLAN",
            severity="low",
            address=world.name,
            reason=f"This plan is partial: {world.partial}. What it leaves out is not judged, and may come with the"
            " next apply; plan the whole stack before relying on this verdict.",
            reversible=True,
            back="run a full plan",
        )


def kept_from_sight(world: World) -> Iterator[Unjudged]:
    """What decides who gets in or what survives, and is marked as a secret: nobody can judge it then."""
    for change in world.changes:
        if change.action not in ("create", "update", "replace"):
            continue
        before, after = change.before or {}, change.after or {}
        names = [
            name
            for name in sorted({*before, *after})
            if _DECIDES.search(name)
            and not secretive(name)
            and (_hides(before.get(name)) or _hides(after.get(name)))
            and not same(before.get(name), after.get(name))
        ]
        if names:
            what = f"{', '.join(names[:3])} of {change.address} {'is' if len(names) == 1 else 'are'}"
            reason = f"{what} marked as sensitive, so nobody can say whom that lets in or what it lets go."
            yield Unjudged(change.address, reason, "take `sensitive` away from what is no secret", change.place)


# Private

_DECIDES = re.compile(
    r"polic(y|ies)|ingress|egress|cidr|^acl$|principals?$|members?$|^roles?$|_roles?$|source_(address|range|ip|sec)"
    r"|address_prefix|ip_ranges?$|_ports?$|^protocol$|security_groups|retention|^(min|max)_size$|desired_c|^replicas$"
)


def _hides(value: Value) -> bool:
    """Whether a value is a secret or has one among its leaves. A document is read without those in it."""
    if isinstance(value, Hidden):
        return True
    if isinstance(value, dict):
        return any(_DECIDES.search(name) and _hides(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_hides, value))


def _exists(world: World) -> Iterator[Draft]:
    """Creates of what the plan's own data sources have found."""
    found: dict[tuple[str, str], Resource] = {}
    for address, one in world.before.items():
        if _is_data(address):
            found[one.type, name_of(one.values)] = one
    for change in world.changes if found else ():
        name = name_of(change.after)
        data = found.get((change.type, name)) if change.action == "create" and name else None
        if data is not None and not _elsewhere(data, change):
            yield Draft(
                code="STATE_LOSS",
                severity="high",
                address=change.address,
                reason=f"{change.address} is created as {name}, which exists already: {data.address} reads it."
                " Either the state has lost it, or two configurations own one name: import it, or use another name.",
                reversible=False,
                back="import what exists into the state",
            )


def _is_data(address: str) -> bool:
    return address.startswith("data.") or ".data." in address


def _elsewhere(data: Resource, change: ResourceChange) -> bool:
    """Whether one name may be used by both, because they are in different places."""
    for name in _PLACES:
        one, other = field(data.values, name), field(change.after, name)
        if one is not None and other is not None and not same(one, other):
            return True
    return change.type == "aws_route53_zone"  # a public and a private zone may share a name


def _missing(creates: int, where: Environment, signs: int) -> Severity:
    """How surely a missing state is the reason. A new stack looks the same, so names and guards must say production."""
    if where == "production":
        return "critical" if creates >= LARGE else "high"
    if where:
        return "low"
    if signs < 2:
        return "low"
    return "high" if creates >= LARGE else "medium"


def _signs(changes: Sequence[ResourceChange]) -> int:
    """How many of the guards that people give to production are in these resources."""
    signs = set()
    for change in changes:
        for name in ("deletion_protection", "deletion_protection_enabled", "multi_az", "enable_deletion_protection"):
            if flag(field(change.after, name)):
                signs.add(name)
        if (number(field(change.after, "backup_retention_period")) or 0) >= 7:
            signs.add("backups")
        if change.type in ("aws_cloudtrail", "aws_backup_plan", "aws_wafv2_web_acl", "aws_route53_zone"):
            signs.add(change.type)
    return len(signs)


def _managed(world: World) -> list[Resource]:
    return [one for address, one in world.before.items() if not _is_data(address)]


def _environment(changes: Sequence[ResourceChange]) -> Environment:
    """The environment that these resources say. One word of production outweighs, for nothing is graver."""
    counted: Counter[Environment] = Counter(
        of_values(change.before or change.after or {}) or named(change.address) for change in changes
    )
    if counted["production"] and counted["production"] >= max(counted["staging"], counted["development"]):
        return "production"
    return "staging" if counted["staging"] > counted["development"] else "development" if counted["development"] else ""


def _holding(changes: Sequence[ResourceChange]) -> list[ResourceChange]:
    """Those that hold data, the gravest first."""
    known = [(held, one) for one in changes if (held := stateful(one.type)) is not None and not is_utility(one.type)]
    return [one for _, one in sorted(known, key=lambda pair: (-ORDER.index(pair[0].severity), pair[1].address))]


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
