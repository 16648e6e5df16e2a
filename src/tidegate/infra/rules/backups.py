"""Backups that become fewer, shorter or none: retention, versioning, recovery points, plans and their copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Certainty, Severity
from tidegate.infra.kinds import stateful
from tidegate.infra.rules.renames import renames
from tidegate.infra.rules.saying import by_module, edits, heads, label, turned
from tidegate.infra.same import Pair, field, flag, items, number
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World

_KEPT = (
    ("backup_retention_period", "db_backup_retention_period"),
    ("snapshot_retention_limit",),
    ("automated_snapshot_retention_period",),
    ("automatic_backup_retention_days",),
    ("backup_retention_days",),
    ("settings.backup_configuration.backup_retention_settings.retained_backups",),
    ("settings.backup_configuration.transaction_log_retention_days",),
    ("automated_backup_policy.time_based_retention.retention_period",),
    ("short_term_retention_policy.retention_days",),
    ("blob_properties.delete_retention_policy.days",),
    ("blob_properties.container_delete_retention_policy.days",),
    ("soft_delete_policy.retention_duration_seconds",),
    ("soft_delete_retention_days",),
    ("backup.retention_in_hours",),
    ("delete_after_days",),
    ("retention_daily.count",),
    ("policy_details.schedule.retain_rule.count",),
    ("backup_config.backup_retention_period",),
)
"""For how long, or how many, backups are kept; the first name that is there counts."""
_SWITCHES = (
    ("point_in_time_recovery.enabled", "point_in_time_recovery_enabled"),
    ("settings.backup_configuration.enabled",),
    ("settings.backup_configuration.point_in_time_recovery_enabled",),
    ("settings.backup_configuration.binary_log_enabled",),
    ("continuous_backup_config.enabled",),
    ("blob_properties.versioning_enabled",),
    ("geo_redundant_backup_enabled",),
    ("pit_enabled",),
    ("backup_enabled",),
    ("cloud_backup",),
    ("enable_backup", "backups_enabled"),
)
_VERSIONING = ("versioning_configuration.status", "versioning.enabled", "versioning_enabled")
_ASKED = heads(*(path for paths in (*_KEPT, *_SWITCHES) for path in paths), *_VERSIONING) | heads(
    "versioning", "status", "state", "backup_policy", "rule"
)
_VERSIONS = heads(*_VERSIONING, "versioning", "status")
_DELETED: dict[str, tuple[Severity, str]] = {
    **dict.fromkeys(
        ("aws_backup_plan", "aws_backup_selection", "google_backup_dr_backup_plan", "google_gke_backup_backup_plan"),
        ("high", "no new backups are made by it; those that exist still expire"),
    ),
    **dict.fromkeys(
        (
            "aws_dlm_lifecycle_policy",
            "google_compute_resource_policy",
            "google_compute_disk_resource_policy_attachment",
        ),
        ("high", "no new snapshots are made by it"),
    ),
    **dict.fromkeys(
        ("aws_s3_bucket_versioning",),
        ("high", "versioning is suspended: what is overwritten or deleted from then on is gone"),
    ),
    **dict.fromkeys(
        (
            *"aws_s3_bucket_replication_configuration aws_efs_replication_configuration".split(),
            *"aws_db_instance_automated_backups_replication azurerm_site_recovery_replicated_vm".split(),
        ),
        ("high", "there is no copy in another place any more"),
    ),
    **dict.fromkeys(
        (
            *"aws_efs_backup_policy aws_redshift_snapshot_schedule aws_redshift_snapshot_schedule_association".split(),
            *"mongodbatlas_cloud_backup_schedule google_backup_dr_backup_plan_association".split(),
            *"aws_fsx_backup_policy aws_rds_export_task digitalocean_database_backup".split(),
        ),
        ("high", "no new backups are made by it"),
    ),
}
_DELETED_PREFIXES = ("azurerm_backup_p", "azurerm_data_protection_backup_policy", "azurerm_data_protection_backup_inst")


def backups_reduced(world: World) -> Iterator[Draft]:
    """Which backups are kept shorter, switched off or no longer made."""
    for change, names in edits(world, _ASKED):
        yield from _kept(change, names)
        yield from _switched(change, names)
        yield from _versioning(change, names)
        yield from _schedules(change, names)
    yield from _removed(world)


def versions_suspended(world: World) -> Iterator[tuple[ResourceChange, Pair]]:
    """Every change that suspends the versions of a bucket, and the attribute that does."""
    for change, names in edits(world, _VERSIONS):
        if found := _suspended(change, names):
            yield change, found


# Private


def _suspended(change: ResourceChange, names: frozenset[str]) -> Pair | None:
    paths = (*_VERSIONING, "status") if change.type == "aws_s3_bucket_versioning" else (*_VERSIONING, "versioning")
    found = turned(change, names, *paths)
    if found and flag(found.before) and found.known and not flag(found.after):
        return found
    return None


def _kept(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    for paths in _KEPT:
        found = turned(change, names, *paths)
        if found is None or not found.known:
            continue
        before, after = number(found.before), number(found.after)
        by_default = found.before is None and after == 0 and by_module(change)
        if found.after is None and before and not by_module(change):
            after = 0
        if by_default or (before is not None and after is not None and after < before):
            yield _shorter(change, found, after or 0, before)


def _shorter(change: ResourceChange, found: Pair, after: float, before: float | None) -> Draft:
    kind = stateful(change.type)
    cache = kind is not None and kind.word == "cache"
    severity: Severity = "medium"
    if after == 0:
        then = "automatic backups stop and those that exist are deleted, and with them point-in-time recovery"
        if cache or "soft_delete" in found.name or "delete_retention" in found.name:
            then = "nothing is kept to restore from any more"
        severity = "medium" if cache else "high"
    else:
        then = "older backups are deleted, and nothing from before can be restored"
        severity = "high" if before and after * 4 <= before and not cache else "medium"
    sure: Certainty | None = "possible" if found.before is None else None
    return _draft(change, f"{found} on {label(change)}: {then}.", severity, lasting=True, sure=sure)


def _switched(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    for paths in _SWITCHES:
        found = turned(change, names, *paths)
        if found and flag(found.before) and found.known and not flag(found.after):
            then = "it can no longer be restored to a moment before a mistake; what was kept until now goes too"
            yield _draft(change, f"{found} on {label(change)}: {then}.", "high", lasting=True)


def _versioning(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    if found := _suspended(change, names):
        then = "versioning is suspended, and what is overwritten or deleted from then on is gone"
        yield _draft(change, f"{found} on {label(change)}: {then}.", "high", lasting=False)
    if change.type == "aws_efs_backup_policy":
        found = turned(change, names, "backup_policy.status", "status")
        if found and flag(found.before) and flag(found.after) is False:
            yield _draft(change, f"{found} on {label(change)}: no new backups are made.", "high", lasting=False)


def _schedules(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    if change.type == "aws_s3_bucket_replication_configuration" and "rule" in names:
        on = [
            sum(flag(field(one, "status")) is True for one in items(field(side, "rule")) if isinstance(one, Mapping))
            for side in (change.before, change.after)
        ]
        if on[1] < on[0] and not isinstance(field(change.after, "rule"), Later):
            reason = (
                f"{label(change)}: {on[1]} of {on[0]} replication rules stay on; what they copied has no second copy."
            )
            yield _draft(change, reason, "medium", lasting=False)
    if change.type == "aws_dlm_lifecycle_policy":
        found = turned(change, names, "state")
        if found and flag(found.before) and flag(found.after) is False:
            yield _draft(change, f"{found} on {label(change)}: no new snapshots are made.", "high", lasting=False)
    if change.type == "aws_backup_plan":
        before, after = field(change.before, "rule"), field(change.after, "rule")
        fewer = len(items(before)) - len(items(after))
        if "rule" in names:
            yield from _expiring(change, items(before), items(after))
        if "rule" in names and not isinstance(after, Later) and fewer > 0:
            reason = f"{label(change)} loses {fewer} of its {len(items(before))} rules: these backups stop."
            yield _draft(change, reason, "medium", lasting=False)


def _expiring(change: ResourceChange, before: tuple[Value, ...], after: tuple[Value, ...]) -> Iterator[Draft]:
    kept = {field(one, "rule_name"): number(field(one, "lifecycle.delete_after")) for one in before if _block(one)}
    for one in after:
        if _block(one):
            name, days = field(one, "rule_name"), number(field(one, "lifecycle.delete_after"))
            was = kept.get(name if isinstance(name, str) else None)
            if name in kept and days and (was is None or days < was):
                shown = Pair(f"rule.{name}.delete_after", f"delete_after of rule {name}", was, days)
                yield _shorter(change, shown, days, was)


def _block(value: Value) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("rule_name"), str)


def _removed(world: World) -> Iterator[Draft]:
    gone = [one for one in world.changes if one.action == "delete" and _makes_backups(one.type)]
    if not gone:
        return
    moved = renames(world.changes).moved
    destroyed = {one.address for one in world.changes if one.destroyed}
    for change in gone:
        needs = [use.used for use in world.uses_before.used(change.address)]
        if change.address in moved or (needs and change.type in _OF_ONE and set(needs) <= destroyed):
            continue
        severity, then = _DELETED.get(change.type, ("high", "no new backups are made by it"))
        yield _draft(change, f"{label(change)} is deleted: {then}.", severity, lasting=False)


_OF_ONE = (
    *"aws_s3_bucket_versioning aws_s3_bucket_replication_configuration aws_efs_backup_policy".split(),
    *"google_compute_disk_resource_policy_attachment aws_efs_replication_configuration".split(),
    *"aws_db_instance_automated_backups_replication mongodbatlas_cloud_backup_schedule".split(),
)
"""Types that speak of one other resource: where that goes away, so may they."""


def _makes_backups(type_: str) -> bool:
    return type_ in _DELETED or type_.startswith(_DELETED_PREFIXES)


def _draft(
    change: ResourceChange, reason: str, severity: Severity, *, lasting: bool, sure: Certainty | None = None
) -> Draft:
    back = "backups that were deleted do not come back" if lasting else "switch it on again; the gap stays"
    return Draft("BACKUP_REDUCED", severity, change.address, reason, reversible=not lasting, back=back, certainty=sure)
