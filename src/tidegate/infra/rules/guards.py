"""Guards that are taken away: what refuses or survives a delete today and will not tomorrow."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import Certainty, Severity
from tidegate.infra.kinds import stateful
from tidegate.infra.rules.renames import renames
from tidegate.infra.rules.saves import PROTECTIONS
from tidegate.infra.rules.saying import by_module, edits, heads, label, listed, turned
from tidegate.infra.same import Pair, flag, number
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World

_STRONG = (*PROTECTIONS, "enable_deletion_protection", "purge_protection_enabled", "lifecycle.prevent_destroy")
"""Guards when on: the provider or Terraform refuses to delete."""
_MERCIES = ("skip_final_snapshot", "force_destroy", "force_delete", "delete_automated_backups", "force_destroy_bucket")
"""Guards when off: what a delete leaves behind."""
_LOCKED_FOR = ("rule.default_retention.days", "retention_policy.retention_period", "min_retention_days")
_ASKED = heads(*_STRONG, *_MERCIES, *_LOCKED_FOR, "versioning_configuration", "versioning", "mfa_delete") | heads(
    "rule", "default_retention", "deletion_policy"
)
_LOCKS = {
    "aws_s3_bucket_object_lock_configuration": "new objects can be deleted and overwritten at once",
    "aws_backup_vault_lock_configuration": "recovery points can be deleted before their time",
    "azurerm_management_lock": "what it locked can be deleted or changed by one call",
    "google_resource_manager_lien": "the project can be deleted by one call",
    "google_storage_bucket_retention_policy": "objects can be deleted before their time",
}


def guards_removed(world: World) -> Iterator[Draft]:
    """Which resources lose what stood between them and a delete. Two guards of one resource weigh more than one."""
    for change, names in edits(world, _ASKED):
        lost = [*_protections(change, names), *_mercies(change, names)]
        if lost:
            yield _guards(change, lost)
        yield from _locks_loosened(change, names)


def locks_removed(world: World) -> Iterator[Draft]:
    """Resources that are locks themselves and go away."""
    gone = [change for change in world.changes if change.action == "delete" and change.type in _LOCKS]
    moved = renames(world.changes).moved if gone else {}
    for change in gone:
        if change.address not in moved:
            reason = f"The lock {label(change)} is removed: {_LOCKS[change.type]}. Nothing is lost now."
            yield Draft("GUARD_REMOVED", "high", change.address, reason, reversible=True, back="create it again")


# Private


def _protections(change: ResourceChange, names: frozenset[str]) -> Iterator[Pair]:
    for name in _STRONG:
        found = _literal(change, name) if name in names else turned(change, names, name)
        if found is None:
            continue
        was, stays = _on(found.before), _on(found.after)
        given_off = found.before is None and stays is False and by_module(change)
        if (was or given_off) and not stays:
            yield found


def _mercies(change: ResourceChange, names: frozenset[str]) -> Iterator[Pair]:
    for name in _MERCIES:
        found = turned(change, names, name)
        if found and not _on(found.before) and (_on(found.after) or isinstance(found.after, Later)):
            yield found


def _literal(change: ResourceChange, name: str) -> Pair:
    return Pair(name, change.spelled.get(name, name), (change.before or {}).get(name), (change.after or {}).get(name))


def _on(value: Value) -> bool | None:
    if isinstance(value, str) and value.upper() in ("ACTIVE", "DELETE_PROTECTION_ENABLED"):
        return True
    if isinstance(value, str) and value.upper() in ("INACTIVE", "DELETE_PROTECTION_DISABLED"):
        return False
    return flag(value)


def _guards(change: ResourceChange, lost: list[Pair]) -> Draft:
    kind = stateful(change.type)
    word = kind.word if kind else "resource"
    strong = [one for one in lost if one.name in _STRONG]
    severity: Severity = "medium"
    if len(lost) > 1 or (strong and kind is not None and kind.severity == "critical"):
        severity = "high"
    what = f"the {word} {label(change)}"
    said = listed([str(one) for one in lost], 4)
    if len(lost) > 1:
        after = f"nothing is lost now, but two guards of {what} go in one change: the next delete or replace "
        after += "is not refused and leaves nothing to restore from"
    elif strong:
        after = f"nothing is lost now, but from then on one apply or one call can delete {what}"
    else:
        after = f"nothing is lost now, but {_mercy(lost[0].name)} when {what} is next deleted or replaced"
    sure: Certainty | None = "possible" if any(_unsettled(change, one) for one in lost) else None
    return Draft(
        code="GUARD_REMOVED",
        severity=severity,
        address=change.address,
        reason=f"{said}: {after}.",
        reversible=True,
        back="set it back before the next delete",
        certainty=sure,
        code_only=all(one.name.startswith("lifecycle.") for one in lost),
    )


def _unsettled(change: ResourceChange, one: Pair) -> bool:
    return isinstance(one.after, Later) or (by_module(change) and (one.before is None or one.after is None))


def _mercy(name: str) -> str:
    return {
        "skip_final_snapshot": "no last snapshot is taken",
        "delete_automated_backups": "its automated backups go with it",
    }.get(name, "everything in it is deleted with it instead of the delete being refused")


def _locks_loosened(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    mfa = turned(change, names, "versioning_configuration.mfa_delete", "versioning.mfa_delete", "mfa_delete")
    if mfa and _on(mfa.before) and not _on(mfa.after):
        yield _loosened(change, mfa, "versions can be deleted without a second factor", "medium")
    mode = turned(change, names, "rule.default_retention.mode", "default_retention.mode")
    if mode and str(mode.before).upper() == "COMPLIANCE":
        yield _loosened(change, mode, "privileged users can delete locked objects", "high")
    for name in _LOCKED_FOR:
        kept = turned(change, names, name)
        before, after = (number(kept.before), number(kept.after)) if kept else (None, None)
        if kept and before and kept.known and (after or 0) < before:
            yield _loosened(change, kept, "what it locked can be deleted earlier", "high" if not after else "medium")
    policy = turned(change, names, "deletion_policy")
    if policy and str(policy.before).upper() in ("ABANDON", "PREVENT") and str(policy.after).upper() == "DELETE":
        yield _loosened(change, policy, "a delete in the code now deletes the object itself", "medium")


def _loosened(change: ResourceChange, found: Pair, words: str, severity: Severity) -> Draft:
    reason = f"{found} on {change.address}: {words}. Nothing is lost now."
    return Draft("GUARD_REMOVED", severity, change.address, reason, reversible=True, back=f"set {found.shown} back")
