"""Switches that let the internet in: public addresses, public buckets and snapshots, calls without a signature.

Only what turns from closed to open speaks. What a thing is when nothing is written is its default: leaving out
`public_network_access_enabled` on Azure opens it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from msgspec import Struct

from tidegate.facts import Severity, Unjudged
from tidegate.infra.network.behind import attachments, privacy
from tidegate.infra.network.groups import Side, effective, sides
from tidegate.infra.network.ranges import cidrs, internet_share, spans_of
from tidegate.infra.network.switches import BUCKET_BLOCKS, STORES, Switch, by_type
from tidegate.infra.rules.network import WIDE
from tidegate.infra.same import Pair, flag, items, pair
from tidegate.infra.values import Draft, Later, Mitigation, Resource, ResourceChange, Value, World


def switches(world: World) -> Iterator[Draft | Unjudged]:
    """Every switch of a changed resource that turns from closed to open; those that do the same are said together."""
    table = by_type()
    around = _Around(cache(lambda: _grouped(world)), cache(lambda: _buckets(world)))
    for change in world.changes:
        if change.after is None or change.action in ("no-op", "read", "forget"):
            continue
        turned: dict[str, list[tuple[Switch, Pair]]] = {}
        for switch in table.get(change.type, ()):
            found = pair(change, *switch.paths)
            if _turned(change, switch, found):
                turned.setdefault(switch.words, []).append((switch, found))
            elif _may_turn(change, switch, found):
                yield Unjudged(
                    change.address,
                    f"{found}: whether this opens it to the internet cannot be read from here.",
                    "Give the plan: there the value is known.",
                    change.place,
                )
        for together in turned.values():
            yield _draft(world, around, change, together[0][0], ", ".join(str(found) for _, found in together))


def removed_blocks(world: World) -> Iterator[Draft]:
    """A resource whose only work is to keep a bucket closed goes away while the bucket stays."""
    going = {one.address for one in world.changes if one.action == "delete"}
    for change in world.changes:
        if change.action == "delete" and change.type in _KEEPERS:
            kept = [use.used for use in world.uses_before.used(change.address) if use.used not in going]
            if not kept and (world.uses_before.used(change.address)):
                continue
            name = kept[0] if kept else str((change.before or {}).get("bucket") or "its bucket")
            yield Draft(
                "NET_EXPOSE",
                "high",
                change.address,
                f"{change.address} is removed: nothing keeps {name} from becoming public any more; an ACL or a policy"
                " that says so takes effect at once, and one that was held back does too.",
                reversible=True,
                back="Add the block again; objects that were read meanwhile stay read.",
            )


# Private

_Groups: TypeAlias = tuple[Side, Mapping[str, Sequence[str]]]

_KEEPERS = (
    *("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"),
    "aws_ebs_snapshot_block_public_access",
)


def _turned(change: ResourceChange, switch: Switch, found: Pair) -> bool:
    if change.before is None:
        return switch.new is not None and found.after is not None and bool(switch.opened(found.after))
    return found.changed and _was(switch, found) is False and bool(_is(switch, found.after, switch.default))


def _may_turn(change: ResourceChange, switch: Switch, found: Pair) -> bool:
    """Whether code leaves open what a plan would settle. A plan's own blanks are computed values, not choices."""
    unread = isinstance(found.after, Later) and bool(found.after.words)
    return unread and change.before is not None and found.changed and _was(switch, found) is False


def _was(switch: Switch, found: Pair) -> bool | None:
    return _is(switch, found.before, switch.default if switch.default_before is None else switch.default_before)


def _is(switch: Switch, value: Value, default: bool) -> bool | None:
    if isinstance(value, Later):
        return None
    return default if value in (None, "", [], {}) else switch.opened(value)


class _Around(Struct, frozen=True):
    """What stands around a resource, worked out once and only when it is asked for."""

    grouped: Callable[[], _Groups]
    buckets: Callable[[], Mapping[Value, Sequence[Resource]]]


def _grouped(world: World) -> _Groups:
    """The rules after the change, and the groups that each resource stands in."""
    _, after = sides(world)
    groups: dict[str, list[str]] = defaultdict(list)
    for key, held in attachments(after).items():
        for one in held:
            groups[one.address].append(key)
    return after, groups


def _buckets(world: World) -> Mapping[Value, Sequence[Resource]]:
    """What belongs to each bucket, by the bucket's name and by its address."""
    found: dict[Value, list[Resource]] = defaultdict(list)
    new = {one.address: Resource(one.address, one.type, one.after) for one in world.changes if one.after is not None}
    for resource in {**new, **world.after}.values():
        if resource.type.startswith("aws_s3_bucket_"):
            for key in _bucket_keys(world, resource):
                found[key].append(resource)
    return found


def _bucket_keys(world: World, resource: Resource) -> Sequence[Value]:
    name = resource.values.get("bucket")
    used = [use.used for use in world.uses_after.used(resource.address) if ".aws_s3_bucket." in f".{use.used}"]
    settled = isinstance(name, str) or (isinstance(name, Later) and bool(name.words))
    return [*([name] if settled else []), *used, resource.address]


def _draft(world: World, around: _Around, change: ResourceChange, switch: Switch, turned: str) -> Draft:
    severity = switch.severity if change.before is not None or switch.new is None else switch.new
    mitigations: tuple[Mitigation, ...] = ()
    extra = ""
    if change.type in STORES:
        severity, extra, mitigations = _store(around.grouped(), change, severity)
    elif change.type.startswith("aws_s3_bucket"):
        severity, extra, mitigations = _bucket(world, around, change, severity)
    return Draft(
        switch.code,
        severity,
        change.address,
        f"{change.address}: {turned}: {switch.words}{extra}",
        reversible=True,
        back="Set it back and apply again; what was read meanwhile stays read.",
        mitigations=mitigations,
    )


def _store(
    grouped: _Groups, change: ResourceChange, severity: Severity
) -> tuple[Severity, str, tuple[Mitigation, ...]]:
    """With a public address the groups decide alone: open groups make data public, narrow ones are named."""
    after, attached = grouped
    groups = attached.get(change.address, ())
    rules = [rule for key in groups for rule in after.rules.get((key, "in"), ())]
    spans = spans_of(block for key in groups for block in effective(after.rules.get((key, "in"), ())))
    if internet_share(spans) >= WIDE:
        return "critical", f" Its group {groups[0]} lets the internet in: data are public.", ()
    named = [f"the security group lets in only {', '.join(cidrs(spans)[:3])}"] if rules and spans else []
    resource = Resource(change.address, change.type, {**(change.after or {}), "publicly_accessible": None})
    return severity, "", tuple(Mitigation(words) for words in (*named, *privacy(resource, after)))


def _bucket(
    world: World, around: _Around, change: ResourceChange, severity: Severity
) -> tuple[Severity, str, tuple[Mitigation, ...]]:
    """A block that goes while a policy for everyone is there makes data public; one that stays holds an ACL back."""
    whole = Resource(change.address, change.type, change.after or {})
    beside = [one for key in _bucket_keys(world, whole) for one in around.buckets().get(key, ())]
    if change.type in BUCKET_BLOCKS:
        for one in beside:
            if one.type == "aws_s3_bucket_policy" and _lets_everyone(one.values.get("policy")):
                return "critical", f" {one.address} lets everyone in: data are public.", ()
        return severity, "", ()
    held = any(one.type in BUCKET_BLOCKS and flag(one.values.get("ignore_public_acls")) for one in beside)
    return severity, "", (Mitigation("ignore_public_acls=true holds public ACLs back", 2),) if held else ()


def _lets_everyone(policy: Value) -> bool:
    """Whether a policy allows every principal without a condition. Whole policies are IAM's to judge."""
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return False
    if not isinstance(policy, Mapping):
        return False
    for one in items(policy.get("Statement")):
        if isinstance(one, Mapping) and one.get("Effect") == "Allow" and not one.get("Condition"):
            principal = one.get("Principal")
            if "*" in items(principal.get("AWS") if isinstance(principal, Mapping) else principal):
                return True
    return False
