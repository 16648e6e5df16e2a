"""Keys and secrets: what can no longer be read when they go, and values that change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.kinds import Stateful, stateful
from tidegate.infra.rules.renames import Renames, renames
from tidegate.infra.rules.saying import keeping, label, listed, updates, users
from tidegate.infra.same import field, flag, number, pair
from tidegate.infra.values import Draft, Hidden, Mitigation, ResourceChange, Value, World

_WORDS = ("key", "key vault", "secret")
_PARAMETERS = ("aws_ssm_parameter", "google_parameter_manager_parameter", "azurerm_app_configuration_key")
_ALIASES = ("aws_kms_alias",)
_VERSIONS = (
    *"aws_secretsmanager_secret_version google_secret_manager_secret_version".split(),
    *"google_secret_manager_regional_secret_version aws_ssm_parameter_version".split(),
)
_CREDENTIALS = (
    *"aws_iam_access_key google_service_account_key azuread_application_password tls_private_key".split(),
    *"azuread_service_principal_password random_password cloudflare_api_token aws_iam_user_login_profile".split(),
)
_BORN_OF_OTHERS = ("random_password", "tls_private_key")
"""Credentials that live in the state alone: their end is said by what used them."""


def keys_lost(world: World) -> Iterator[Draft]:
    """Keys and secrets that are deleted or switched off, and what was encrypted with them."""
    gone = [one for one in world.changes if one.destroyed and _kept_secret(one.type)]
    moves = renames(world.changes) if gone else None
    deleted = {one.address for one in gone}
    for change in gone:
        kind = stateful(change.type)
        if moves is not None and kind is not None:
            yield _lost(world, change, kind, moves)
        elif change.type in _PARAMETERS:
            yield _parameter(world, change)
        elif change.action == "delete" and not deleted & {use.used for use in world.uses_before.used(change.address)}:
            yield _name_or_version(change)
    for change in updates(world):
        yield from _disabled(world, change)
        if _kept_secret(change.type):
            yield from _window(change)


def secrets_changed(world: World) -> Iterator[Draft]:
    """Secrets whose value changes. The value itself is never said."""
    for change in world.changes:
        if "/" in change.type:
            continue
        if change.action == "update":
            names = _changed(change)
            if names:
                yield _rotated(world, change, names)
        elif change.destroyed and change.type in (*_CREDENTIALS, *_VERSIONS):
            yield from _credential(world, change)


# Private


def _kept_secret(type_: str) -> bool:
    kind = stateful(type_)
    return type_ in (*_PARAMETERS, *_ALIASES, *_VERSIONS) or (kind is not None and kind.word in _WORDS)


def _lost(world: World, change: ResourceChange, kind: Stateful, moves: Renames) -> Draft:
    staying = _staying(world, change)
    reason = f"The {kind.word} {label(change)} is deleted, and with it {kind.holds}"
    if change.forced_by:
        reason += f" ({pair(change, change.forced_by[0])} cannot be changed in place)"
    if kind.word == "key":
        reason += "; from the first day on nothing can be decrypted with it"
    reason += "."
    if staying:
        reason += f" {listed(staying)} still {'uses' if len(staying) == 1 else 'use'} it."
    if target := moves.moved.get(change.address):
        reason += f" {keeping(world, change.address, target)} and it stays."
    return Draft(
        code="KEY_LOSS",
        severity=kind.severity,
        address=change.address,
        reason=reason,
        reversible=False,
        back="cancel its deletion before the window ends; after that nothing brings it back",
        mitigations=tuple(_windows(change, bool(staying) and kind.word != "secret")),
    )


def _staying(world: World, change: ResourceChange) -> list[str]:
    going = {one.address for one in world.changes if one.action == "delete"}
    near = [use.user for use in world.uses_before.users(change.address) if use.user not in going]
    holding = [one for one in near if (known := world.before.get(one)) and stateful(known.type)]
    return holding or users(world, change.address)


def _windows(change: ResourceChange, used: bool) -> Iterator[Mitigation]:
    before = change.before
    steps = 0 if used else 1
    if change.type.startswith("aws_kms_"):
        days = number(field(before, "deletion_window_in_days")) or 30
        yield Mitigation(
            f"it waits {days:g} days before it is deleted, unusable but recoverable", steps if days >= 7 else 0
        )
    elif change.type == "aws_secretsmanager_secret":
        window = number(field(before, "recovery_window_in_days"))
        if window is None or window > 0:
            yield Mitigation(f"it can be restored for {window or 30:g} days", 1)
    elif change.type.startswith("google_kms_"):
        yield Mitigation("versions wait until their scheduled destruction, unusable but recoverable", steps)
    elif change.type.startswith("azurerm_key_vault"):
        yield Mitigation("soft delete keeps it for some days", steps)
    if flag(field(before, "lifecycle.prevent_destroy")):
        yield Mitigation("lifecycle.prevent_destroy is true: Terraform refuses to plan this", 1)


def _parameter(world: World, change: ResourceChange) -> Draft:
    secret = str(field(change.before, "type")) == "SecureString" or isinstance(field(change.before, "value"), Hidden)
    reading = users(world, change.address)
    reason = (
        f"The parameter {label(change)} is deleted with its value and its history; who reads it fails from then on."
    )
    if reading:
        reason += f" {listed(reading)} {'uses' if len(reading) == 1 else 'use'} it."
    severity: Severity = "high" if secret else "medium"
    if change.action == "replace":
        severity = "medium"
    return Draft("KEY_LOSS", severity, change.address, reason, reversible=False, back="only from a copy of the value")


def _name_or_version(change: ResourceChange) -> Draft:
    if change.type in _ALIASES:
        reason = f"The alias {label(change)} is deleted: callers that name the key by it are refused. The key stays."
        return Draft("KEY_LOSS", "medium", change.address, reason, reversible=True, back="create the alias again")
    reason = f"{change.address} is deleted: the secret stays, and this value of it is no longer its current one."
    return Draft("KEY_LOSS", "medium", change.address, reason, reversible=False, back="only from a copy of the value")


def _disabled(world: World, change: ResourceChange) -> Iterator[Draft]:
    kind = stateful(change.type)
    if kind is None or kind.word not in _WORDS:
        return
    switch = pair(change, "is_enabled", "enabled", "state")
    if flag(switch.before) and flag(switch.after) is False:
        staying = _staying(world, change)
        reason = f"{switch} on {label(change)}: until it is enabled again nothing that it encrypted can be read."
        if staying:
            reason += f" {listed(staying)} {'uses' if len(staying) == 1 else 'use'} it."
        severity: Severity = "critical" if staying else "high"
        yield Draft("KEY_LOSS", severity, change.address, reason, reversible=True, back="enable it again")


def _window(change: ResourceChange) -> Iterator[Draft]:
    for name in ("deletion_window_in_days", "recovery_window_in_days"):
        found = pair(change, name)
        before, after = number(found.before), number(found.after)
        if before is not None and after is not None and after < before:
            severity: Severity = "medium" if after == 0 else "low"
            reason = f"{found} on {label(change)}: a deletion can be called back for {after:g} days only."
            yield Draft(
                "GUARD_REMOVED", severity, change.address, reason, reversible=True, back=f"set {found.shown} back"
            )


def _changed(change: ResourceChange) -> list[str]:
    before, after = change.before or {}, change.after or {}
    names = []
    for name, old in before.items():
        new = after.get(name)
        if name != "user_data" and (_differ(old, new) or _differ_inside(old, new)):
            names.append(change.spelled.get(name, name))
    return sorted(names)


def _differ(old: Value, new: Value) -> bool:
    return isinstance(old, Hidden) and new is not None and old != new


def _differ_inside(old: Value, new: Value) -> bool:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return False
    return any(_differ(value, new.get(key)) for key, value in old.items())


def _rotated(world: World, change: ResourceChange, names: list[str]) -> Draft:
    reading = users(world, change.address)
    reason = f"The secret in {listed(names)} of {label(change)} changes; who holds the old value must get the new one."
    if reading:
        reason += f" {listed(reading)} {'uses' if len(reading) == 1 else 'use'} it."
    return Draft("SECRET_CHANGE", "low", change.address, reason, reversible=True, back="put the old value back")


def _credential(world: World, change: ResourceChange) -> Iterator[Draft]:
    if change.action == "replace":
        reason = f"{label(change)} is replaced: there is a new secret, and the old one stops working."
        yield Draft("SECRET_CHANGE", "low", change.address, reason, reversible=False, back="hand out the new secret")
    elif change.type in _CREDENTIALS and change.type not in _BORN_OF_OTHERS:
        reason = f"The credential {label(change)} is deleted: who still uses it is refused at once."
        if reading := users(world, change.address):
            reason += f" {listed(reading)} {'uses' if len(reading) == 1 else 'use'} it."
        yield Draft("SECRET_CHANGE", "medium", change.address, reason, reversible=False, back="a new credential")
