"""What keeps data that is about to be destroyed, and what makes its loss worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.infra.kinds import Stateful
from tidegate.infra.same import field, flag, number, pair, spelled
from tidegate.infra.values import Later, Mitigation, ResourceChange, Value

PROTECTIONS = (
    *"deletion_protection deletion_protection_enabled settings.deletion_protection_enabled".split(),
    *"termination_protection_enabled termination_protection delete_protection disable_api_termination".split(),
    "deletion_protection_policy",
)


def saves(change: ResourceChange, kind: Stateful) -> tuple[Mitigation, ...]:
    """What stands between this resource and the loss of its data, as the world is before the change."""
    return tuple(_saves(change, kind))


def worse(change: ResourceChange) -> str:
    """A sentence on the settings that take the last way back, "" where there is none."""
    before = change.before
    if flag(field(before, "force_destroy")) or flag(field(before, "force_delete")):
        name = "force_destroy" if field(before, "force_destroy") is not None else "force_delete"
        return f" {spelled(change, name)} is true, so it is deleted although it is not empty."
    if flag(field(before, "skip_final_snapshot")):
        return f" {spelled(change, 'skip_final_snapshot')} is true: no last snapshot is taken."
    return ""


def protected(values: Mapping[str, Value] | None) -> str:
    """The attribute that makes the provider refuse to delete it, "" where there is none."""
    for name in PROTECTIONS:
        value = field(values, name)
        if value is not None and (flag(value) or str(value).upper() in ("ACTIVE", "DELETE_PROTECTION_ENABLED")):
            return name
    return ""


# Private


def _saves(change: ResourceChange, kind: Stateful) -> Iterator[Mitigation]:
    before = change.before
    yield from _unsettled(change)
    yield from _policies(change)
    if name := protected(before):
        yield Mitigation(
            f"{spelled(change, name)} is on: the delete is refused until it is switched off, and the apply stops there"
        )
    if flag(field(before, "lifecycle.prevent_destroy")):
        yield Mitigation("lifecycle.prevent_destroy is true: Terraform refuses to plan this", 1)
    if flag(field(before, "skip_final_snapshot")) is False:
        named = field(before, "final_snapshot_identifier")
        yield Mitigation(
            f"a final snapshot is taken ({named})" if isinstance(named, str) else "a final snapshot is taken"
        )
    if flag(field(before, "final_snapshot")) or (field(before, "final_snapshot_identifier") and kind.word == "cache"):
        yield Mitigation("a final snapshot is taken")
    yield from _backups(before, kind)
    yield from _emptiness(change, kind)


def _unsettled(change: ResourceChange) -> Iterator[Mitigation]:
    """A replacement that only values force which nobody can read yet happens only where they come out different."""
    forced = [pair(change, name) for name in change.forced_by]
    if change.action != "replace" or change.certainty == "certain" or not forced:
        return
    unread = [isinstance(one.before, Later) + isinstance(one.after, Later) for one in forced]
    if min(unread):
        steps = 2 if min(unread) == 2 else 1
        yield Mitigation("it is replaced only if these values differ; code alone does not settle them", steps)


def _emptiness(change: ResourceChange, kind: Stateful) -> Iterator[Mitigation]:
    for name in ("force_destroy", "force_delete"):
        if flag(field(change.before, name)) is False:
            what = "the delete fails while there is something in it"
            steps = 1 if kind.word in ("bucket", "image registry") else 0
            yield Mitigation(f"{spelled(change, name)} is false: {what}", steps)
            return
    unset = (change.before or {}).get("force_destroy") is None
    if change.type in ("aws_s3_bucket", "google_storage_bucket") and unset and change.type in change.address:
        yield Mitigation("force_destroy is not set: the delete fails while there is something in it", 1)


def _policies(change: ResourceChange) -> Iterator[Mitigation]:
    policy = field(change.before, "deletion_policy")
    if change.action == "replace":
        policy = field(change.before, "update_replace_policy") or policy
    if not isinstance(policy, str):
        return
    if policy.lower() in ("retain", "retainexceptoncreate", "abandon"):
        yield Mitigation(f"its policy is {policy}: the object itself stays, no longer managed", 2)
    elif policy.lower() == "snapshot":
        yield Mitigation("its policy is Snapshot: a last snapshot is taken", 0)


def _backups(before: Mapping[str, Value] | None, kind: Stateful) -> Iterator[Mitigation]:
    if any(flag(field(before, name)) for name in ("point_in_time_recovery.enabled", "point_in_time_recovery_enabled")):
        yield Mitigation("point-in-time recovery is on: a backup of the deleted table is kept for 35 days")
    if flag(field(before, "versioning.enabled")) and kind.word == "bucket":
        yield Mitigation("its versions must be deleted before it can be")
    if (number(field(before, "snapshot_retention_limit")) or 0) > 0:
        yield Mitigation("daily snapshots are kept")
    elif kind.word == "cache" and field(before, "snapshot_retention_limit") is not None:
        return
    if (number(field(before, "soft_delete_policy.retention_duration_seconds")) or 0) > 0:
        yield Mitigation("soft delete keeps its objects for some days")
    if flag(field(before, "delete_automated_backups")) is False:
        yield Mitigation("automated backups are kept")
