"""Capacity that shrinks or grows out of proportion, and copies of data that become fewer."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import Severity
from tidegate.infra.kinds import stateful
from tidegate.infra.rules.renames import renames
from tidegate.infra.rules.saying import by_module, edits, heads, label, turned
from tidegate.infra.rules.sizes import ratio, size
from tidegate.infra.rules.upgrades import CLASSES, now, sized
from tidegate.infra.same import Pair, field, flag, items, number
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World

_COUNTS = (
    *"desired_count desired_capacity desired_size scaling_config.desired_size scaling_config.max_size".split(),
    *"max_size max_capacity max_instance_count scaling.max_instance_count autoscaling.max_node_count".split(),
    *"node_count default_node_pool.node_count num_nodes number_of_nodes num_cache_nodes num_node_groups".split(),
    *"shard_count read_capacity write_capacity provisioned_throughput capacity throughput iops".split(),
    *"cluster_config.instance_count number_of_broker_nodes instance_count instances target_size replicas".split(),
    *"provisioned_concurrent_executions processing_units memory_size memory_size_gb provisioned_iops".split(),
    *"scaling_configuration.max_capacity serverlessv2_scaling_configuration.max_capacity desired_instances".split(),
)
_STORAGE = ("allocated_storage", "db_allocated_storage", "storage_mb", "settings.disk_size", "ebs_options.volume_size")
_SWITCHES = (
    *"multi_az multi_az_enabled automatic_failover_enabled zone_redundant zone_redundancy_enabled".split(),
    *"cluster_config.zone_awareness_enabled transit_encryption_replicas high_availability_enabled".split(),
)
_COPIES = (
    *"num_cache_clusters number_cache_clusters replicas_per_node_group replica_count replication_factor".split(),
    *"config.min.insync.replicas topic_config.min_insync_replicas num_replicas_per_shard".split(),
)
_PLACES = ("settings.availability_type", "availability_type", "high_availability.mode", "account_replication_type")
_FOLLOWS = ("replicate_source_db", "replication_source_identifier")
_REGIONS = ("replica", "geo_location", "replica_set")
_FLAGS = ("parameter", "parameters", "db_parameter", "settings.database_flags")
_SERVING = heads(*CLASSES, *_COUNTS, *_STORAGE, "storage_type")
_KEEPING = heads(*_SWITCHES, *_COPIES, *_PLACES, *_FLAGS, *_FOLLOWS, *_REGIONS)
_RANKS = {
    **dict.fromkeys(("ragzrs", "gzrs"), 4),
    **dict.fromkeys(("ragrs", "grs", "regional"), 3),
    **dict.fromkeys(("zrs", "zoneredundant"), 2),
    **dict.fromkeys(("samezone",), 1),
    **dict.fromkeys(("lrs", "zonal", "disabled", "none", ""), 0),
}
_MEMBERS = ("aws_rds_cluster_instance", "aws_docdb_cluster_instance", "aws_neptune_cluster_instance")
_SAFE_WRITES = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "innodb_flush_log_at_trx_commit": "1",
    "sync_binlog": "1",
}
_MUCH = 4.0
_FAR = 8.0
_SMALL = 8.0
"""On the scale of AWS: an xlarge. What stays below it costs little, however many times it grew."""


def capacity_changed(world: World) -> Iterator[Draft]:
    """What serves with less than before, and what costs a multiple."""
    planned = world.source in ("terraform plan", "change set")
    for change, names in edits(world, _SERVING):
        yield from _class(change, names, now(world, change))
        for name in _COUNTS:
            if found := turned(change, names, name):
                yield from _count(change, found)
        yield from _storage(change, names, planned=planned)


def durability_reduced(world: World) -> Iterator[Draft]:
    """Copies, zones and acknowledged writes that become fewer."""
    for change, names in edits(world, _KEEPING):
        yield from _switches(change, names)
        yield from _copies(change, names)
        yield from _places(change, names)
        yield from _writes(change, names)
        yield from _followers(change, names)
    yield from _members(world)


# Private


def _class(change: ResourceChange, names: frozenset[str], at_once: str) -> Iterator[Draft]:
    found = sized(change, names)
    times = ratio(found.before, found.after) if found else None
    if found is None or times is None:
        return
    kind = stateful(change.type)
    if times < 1:
        when = "at once, with a restart" if at_once or kind is None else "with a restart in its maintenance window"
        reason = (
            f"{found}: {label(change)} gets {_share(times)} of its size {when}. Look at its load at the peak first: "
            "too small is an outage that looks like slowness."
        )
        severity: Severity = "high" if times <= 1 / _FAR and kind is not None else "medium"
        yield _down(change, reason, severity)
    elif times >= _MUCH and _costly(found.after):
        yield _cost(change, f"{found}: {label(change)} becomes {times:g} times as large, and so does its price.")


def _costly(value: Value) -> bool:
    found = size(value)
    return found is not None and (found[0] != "aws" or found[1] >= _SMALL)


def _count(change: ResourceChange, found: Pair) -> Iterator[Draft]:
    before, after = number(found.before), number(found.after)
    if not before or not after or before < 0 or after < 0:
        return
    if after < before:
        severity: Severity = "medium" if after * 2 <= before else "low"
        reason = f"{found} on {label(change)}: {_share(after / before)} of the capacity is left."
        yield _down(change, reason, severity)
    elif after >= before * _MUCH and after - before >= _MUCH and stateful(change.type) is not None:
        yield _cost(change, f"{found} on {label(change)}: {after / before:g} times as many are paid for.")


def _storage(change: ResourceChange, names: frozenset[str], *, planned: bool) -> Iterator[Draft]:
    found = turned(change, names, *_STORAGE)
    before, after = (number(found.before), number(found.after)) if found else (None, None)
    if found and before and after and after < before:
        reason = f"{found} on {label(change)}: storage cannot shrink in place; the provider refuses this or ignores it."
        severity: Severity = "medium" if planned else "low"
        yield Draft("APPLY_FAIL", severity, change.address, reason, reversible=True, back=f"set {found.shown} back")
    kind = turned(change, names, "storage_type")
    if kind and str(kind.before).startswith("io") and not str(kind.after).startswith("io") and kind.known:
        reason = f"{kind} on {label(change)}: its storage has fewer assured operations a second from then on."
        yield _down(change, reason, "medium")


def _switches(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    for name in _SWITCHES:
        found = turned(change, names, name)
        if found and flag(found.before) and found.known and not flag(found.after):
            if found.after is None and by_module(change):
                continue
            then = "there is no copy in a second zone to fail over to; the loss of its zone is an outage"
            yield _fewer(change, f"{found} on {label(change)}: {then}.", "high")


def _copies(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    for name in _COPIES:
        found = _of_map(change, names, name)
        before, after = (number(found.before), number(found.after)) if found else (None, None)
        if found and before is not None and after is not None and after < before:
            alone = after <= (0 if "replica" in name and "factor" not in name and "insync" not in name else 1)
            then = "no copy is left if one fails" if alone else "fewer copies are left if one fails"
            if "insync" in name:
                then = "writes are acknowledged by fewer brokers, and the loss of one can lose acknowledged records"
            severity: Severity = "high" if alone or "insync" in name or "factor" in name else "medium"
            yield _fewer(change, f"{found} on {label(change)}: {then}.", severity)


def _of_map(change: ResourceChange, names: frozenset[str], name: str) -> Pair | None:
    head, _, rest = name.partition(".")
    before, after = field(change.before, head), field(change.after, head)
    if rest and head in names and isinstance(before, dict) and isinstance(after, dict) and rest in before:
        return Pair(name, name, before.get(rest), after.get(rest))
    return turned(change, names, name)


def _places(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    found = turned(change, names, *_PLACES)
    if found is None or not found.known:
        return
    before, after = _rank(found.before), _rank(found.after)
    if before is not None and after is not None and after < before:
        severity: Severity = "high" if found.name != "account_replication_type" else "medium"
        yield _fewer(change, f"{found} on {label(change)}: its data are kept in fewer places.", severity)


def _rank(value: Value) -> int | None:
    text = "" if value is None else str(value).lower().replace("-", "").replace("_", "")
    return _RANKS.get(text)


def _writes(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    for name in _FLAGS:
        if name.partition(".")[0] not in names:
            continue
        old, new = _named(field(change.before, name)), _named(field(change.after, name))
        for key, safe in _SAFE_WRITES.items():
            value = new.get(key)
            if value is not None and value != safe and value != old.get(key) and old.get(key, safe) == safe:
                reason = f"{key} {old.get(key, 'default')} -> {value} in {label(change)}: a crash can lose writes "
                yield _fewer(change, f"{reason}that were acknowledged.", "high")


def _followers(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    source = turned(change, names, *_FOLLOWS)
    if source and source.before and not source.after:
        then = "it is promoted, no longer follows its source, and cannot be made to follow again"
        yield _fewer(change, f"{source} on {label(change)}: {then}.", "medium")
    for name in _REGIONS:
        before, after = items(field(change.before, name)), items(field(change.after, name))
        if name in names and not isinstance(field(change.after, name), Later) and len(after) < len(before):
            reason = (
                f"{label(change)} keeps {len(after)} copies in {name} instead of {len(before)}: those regions lose it."
            )
            yield _fewer(change, reason, "medium")


def _named(value: Value) -> dict[str, str]:
    found = {}
    for one in items(value):
        if isinstance(one, dict) and isinstance(one.get("name"), str) and not isinstance(one.get("value"), Later):
            found[one["name"]] = str(one.get("value")).lower()
    return found


def _members(world: World) -> Iterator[Draft]:
    gone = [one for one in world.changes if one.type in _MEMBERS and one.action == "delete"]
    if not gone:
        return
    destroyed = {one.address for one in world.changes if one.destroyed}
    moved = renames(world.changes).moved
    for change in gone:
        clusters = [use.used for use in world.uses_before.used(change.address) if "cluster." in use.used]
        if change.address in moved or any(cluster in destroyed for cluster in clusters):
            continue
        reason = f"The instance {label(change)} of a cluster that stays is deleted: its data stay, one reader is gone."
        yield _fewer(change, reason, "medium")


def _share(times: float) -> str:
    return f"1/{round(1 / times)}" if times <= 0.5 else f"{times * 100:.0f} %"


def _down(change: ResourceChange, reason: str, severity: Severity) -> Draft:
    return Draft("CAPACITY_DOWN", severity, change.address, reason, reversible=True, back="scale it up again")


def _fewer(change: ResourceChange, reason: str, severity: Severity) -> Draft:
    return Draft("DATA_DURABILITY", severity, change.address, reason, reversible=True, back="set it back")


def _cost(change: ResourceChange, reason: str) -> Draft:
    return Draft("COST_UP", "low", change.address, reason, reversible=True, back="scale it down again")
