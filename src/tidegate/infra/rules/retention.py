"""Data that a shorter life deletes some time after the change: lifecycle rules, retention, time to live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.infra.rules.backups import versions_suspended
from tidegate.infra.rules.lifecycles import Life, lives
from tidegate.infra.rules.renames import name_of
from tidegate.infra.rules.saying import edits, heads, label
from tidegate.infra.same import Pair, canonical, field, flag, number, pair, same
from tidegate.infra.values import Draft, Later, Mitigation, Resource, ResourceChange, Value, World


class _Term(Struct, frozen=True):
    """One attribute that says how long data live. `forever` are the values that mean without end."""

    names: tuple[str, ...]
    unit: str
    what: str
    severity: Severity
    forever: tuple[float, ...] = ()
    absent_is_forever: bool = False


_TERMS = (
    _Term(("retention_in_days", "retention_days", "log_retention_in_days"), "days", "logs", "medium", (0,)),
    _Term(("retention_period", "retention_period_hours"), "hours", "records", "high"),
    _Term(("data_retention_in_hours",), "hours", "records", "high"),
    _Term(("message_retention_seconds",), "seconds", "messages", "medium"),
    _Term(("message_retention_duration",), "seconds", "messages", "medium"),
    _Term(("message_retention",), "days", "events", "medium"),
    _Term(("config.retention.ms", "topic_config.retention_ms"), "milliseconds", "records", "high", (-1,)),
    _Term(("default_table_expiration_ms",), "milliseconds", "tables", "high", (), True),
    _Term(("default_partition_expiration_ms",), "milliseconds", "partitions", "high", (), True),
    _Term(("time_partitioning.expiration_ms",), "milliseconds", "partitions", "high", (), True),
    _Term(("default_ttl", "default_ttl_seconds"), "seconds", "items", "high", (-1,), True),
    _Term(("retention_properties.magnetic_store_retention_period_in_days",), "days", "records", "high"),
)
_ONLY_ON = {
    "retention_period": ("aws_kinesis_stream", "aws_cloudtrail_event_data_store"),
    "message_retention": ("azurerm_eventhub",),
    "default_ttl": ("azurerm_cosmosdb_sql_container", "azurerm_cosmosdb_mongo_collection", "azurerm_cosmosdb_table"),
}
_ASKED = heads(*(name for term in _TERMS for name in term.names)) | heads(
    "ttl", "ttl_enabled", "ttl_attribute", "expiration_time"
)
_EVIDENCE = ("audit", "cloudtrail", "security", "compliance", "flow-log", "flowlog")


def terms_cut(world: World) -> Iterator[Draft]:
    """Logs, messages and records that live shorter from now on."""
    for change, names in edits(world, _ASKED):
        for term in _TERMS:
            if names & heads(*term.names):
                yield from _cut(change, term)
        yield from _time_to_live(change)


def lifecycles_cut(world: World) -> Iterator[Draft]:
    """Objects that a lifecycle rule will delete, and did not before or only later."""
    cut = []
    for change in world.changes:
        if change.action == "update" or (change.action == "create" and _on_existing(world, change)):
            before = lives(change.type, change.before)
            after = lives(change.type, change.after)
            cut += [(change, life, was, narrower) for life, was, narrower in _shorter(before, after)]
    if cut:
        versions = _versions(world)
        for change, life, was, narrower in cut:
            yield _expiring(change, life, _Past(was, narrower), versions)


# Private


def _cut(change: ResourceChange, term: _Term) -> Iterator[Draft]:
    found = _read(change, term.names)
    only = _ONLY_ON.get(found.name)
    if (only and change.type not in only) or not found.changed or isinstance(found.after, Later):
        return
    before, after = _length(found.before), _length(found.after)
    if after is None or after in term.forever:
        return
    endless = before in term.forever or (before is None and term.absent_is_forever and found.before is None)
    if not endless and (before is None or after >= before):
        return
    unit = "days" if found.name == "retention_period" and change.type != "aws_kinesis_stream" else term.unit
    severity = term.severity
    if term.what == "logs" and any(word in label(change).lower() for word in _EVIDENCE):
        severity = "high"
    reason = (
        f"{found} on {label(change)}: {term.what} older than {_span(after, unit)} are deleted soon after the apply, "
        f"and new ones after that time. Export what must be kept first."
    )
    if term.what == "messages":
        reason = (
            f"{found} on {label(change)}: messages that wait longer than {_span(after, unit)} are lost, those that "
            "wait now among them."
        )
    yield _delayed(change, reason, severity)


def _read(change: ResourceChange, names: tuple[str, ...]) -> Pair:
    for name in names:
        head, _, rest = name.partition(".")
        before, after = field(change.before, head), field(change.after, head)
        if rest and isinstance(before or after, dict) and (rest in (before or {}) or rest in (after or {})):
            return Pair(name, name, (before or {}).get(rest), (after or {}).get(rest))
    return pair(change, *names)


def _length(value: Value) -> float | None:
    if isinstance(value, str) and value.endswith("s"):
        value = value[:-1]
    return number(value)


def _span(amount: float, unit: str) -> str:
    for small, size, large in (("milliseconds", 1000, "seconds"), ("seconds", 3600, "hours"), ("hours", 24, "days")):
        if unit == small and amount >= size and amount % size == 0:
            amount, unit = amount / size, large
    number_ = f"{amount:g}"
    return f"{number_} {unit[:-1] if number_ == '1' else unit}"


def _time_to_live(change: ResourceChange) -> Iterator[Draft]:
    if change.type != "aws_dynamodb_table":
        return
    switch, name = pair(change, "ttl.enabled", "ttl_enabled"), pair(change, "ttl.attribute_name", "ttl_attribute")
    if flag(switch.after) and (not flag(switch.before) or (name.changed and name.after)):
        said = switch if not flag(switch.before) else name
        reason = (
            f"{said} on {label(change)}: items whose time in that attribute has passed are deleted within a few days."
        )
        yield _delayed(change, reason, "medium")
    expires = pair(change, "expiration_time")
    if expires.changed and expires.after and not expires.before:
        yield _delayed(change, f"{expires} on {label(change)}: the table is deleted at that time.", "high")


def _shorter(before: tuple[Life, ...], after: tuple[Life, ...]) -> Iterator[tuple[Life, float | None, str]]:
    """Each shorter life with the days before, and with the part that the same rule was about where it was less."""
    for life in after:
        kind = [one for one in before if one.noncurrent == life.noncurrent]
        was = min((one.days for one in kind if _covers(one.where, life.where)), default=None)
        narrower = next((one.where for one in kind if one.key == life.key and one.where != life.where), "")
        if was is None or was > life.days:
            yield life, was, narrower


def _covers(wider: str, where: str) -> bool:
    """Whether a rule for one part of a bucket is also about another."""
    return wider == "" or where == wider or (where.startswith(wider) and ", " not in wider + where)


class _Past(Struct, frozen=True):
    """What a rule was before: its days over the same objects, None for none, and the part that it was about."""

    days: float | None
    where: str


class _Versions(Struct, frozen=True):
    """By bucket: what suspends its versions in this change, and which keep them."""

    suspended: Mapping[Value, str]
    kept: frozenset[Value]


def _versions(world: World) -> _Versions:
    suspended = {
        _bucket(change, change.after): f"{change.address} {found}" for change, found in versions_suspended(world)
    }
    kept = {
        _bucket(one, one.values)
        for one in world.after.values()
        if one.type == "aws_s3_bucket_versioning"
        and (flag(field(one.values, "versioning_configuration.status")) or flag(field(one.values, "status")))
    }
    return _Versions(suspended, frozenset(kept))


def _bucket(one: ResourceChange | Resource, values: Mapping[str, Value] | None) -> Value:
    """What tells buckets apart: the name, or the reference that stands for it, else the resource itself."""
    return canonical((values or {}).get("bucket")) or one.address


def _expiring(change: ResourceChange, life: Life, past: _Past, versions: _Versions) -> Draft:
    was = past.days
    said = f"{life.name} {f'{was:g}' if was is not None else 'nothing'} -> {life.days:g}"
    if was is None and past.where:
        said = f"The rule {life.key} with {life.name} {life.days:g} is for {life.where or 'the whole bucket'} now, and "
        said += f"was for {past.where}"
    what = "noncurrent versions" if life.noncurrent else "objects"
    where = f" under {life.where}" if life.where else ""
    days = _span(life.days, "days")
    reason = f"{said} on {label(change)}: {what}{where} older than {days} are deleted within about a day of the apply."
    severity: Severity = "high" if was is not None or (life.days <= 7 and not life.where) else "medium"
    mitigations: tuple[Mitigation, ...] = ()
    bucket = _bucket(change, change.after)
    own = pair(change, "versioning.enabled", "versioning", "blob_properties.versioning_enabled")
    if life.noncurrent:
        severity = "medium"
    elif suspended := versions.suspended.get(bucket):
        reason += f" With {suspended} in the same change (versioning), no older version is left to go back to."
        severity = "critical"
    elif flag(own.after) or bucket in versions.kept:
        mitigations = (Mitigation("versioning is on: expired objects stay as noncurrent versions for a while", 1),)
    return _delayed(change, reason, severity, mitigations)


def _on_existing(world: World, change: ResourceChange) -> bool:
    if change.type not in ("aws_s3_bucket_lifecycle_configuration", "azurerm_storage_management_policy"):
        return False
    used = world.uses_after.used(change.address)
    return any((was := world.before.get(use.used)) is not None and _stays(world, use.used, was) for use in used)


def _stays(world: World, address: str, was: Resource) -> bool:
    now = world.after.get(address)
    return now is not None and same(name_of(was.values), name_of(now.values))


def _delayed(
    change: ResourceChange, reason: str, severity: Severity, mitigations: tuple[Mitigation, ...] = ()
) -> Draft:
    return Draft(
        code="DATA_DESTROY_DELAYED",
        severity=severity,
        address=change.address,
        reason=reason,
        reversible=False,
        back="set it back before the next sweep; what was deleted does not come back",
        mitigations=mitigations,
    )
