"""Who may do more, or less, than before in Azure: assignments of roles, roles of one's own, secrets of applications."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.iam.globs import covered
from tidegate.infra.iam.say import listed
from tidegate.infra.same import field, items, pair, same, show
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Draft, ResourceChange, World

BACK = "delete the assignment; what was done with it meanwhile stays done"
_KNOWN_IDS = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
}
_GIVES = ("owner", "user access administrator", "role based access control administrator")
_SCOPE = re.compile(r"/subscriptions/[^/]+/?", re.IGNORECASE)
_DIRECTORY = ("global administrator", "privileged role administrator", "privileged authentication administrator",
              "application administrator", "cloud application administrator", "user administrator")  # fmt: skip


def azure(world: World) -> Iterator[Draft]:
    """What principals gain and lose in Azure."""
    for change in world.changes:
        if change.action not in ("no-op", "read") and (rule := _RULES.get(change.type)):
            yield from rule(change)


# Private


def _assignment(change: ResourceChange) -> Iterator[Draft]:
    if change.after is None:
        return
    role, scope, who = _role(change.after), show(change.after.get("scope")), show(change.after.get("principal_id"))
    if change.before is not None and all(
        same(change.before.get(one), change.after.get(one))
        for one in ("role_definition_name", "role_definition_id", "scope", "principal_id", "condition")
    ):
        return
    wide = bool(_SCOPE.fullmatch(scope)) or "managementGroups" in scope or "azurerm_subscription" in scope
    group = not wide and scope.lower().rstrip("/").count("/") <= 4
    lower = role.lower()
    severity: Severity = "low"
    if lower in _GIVES:
        severity = "high"
    elif lower == "contributor" or lower.endswith("administrator"):
        severity = "high" if wide else "medium" if group or lower != "contributor" else "low"
    elif any(word in lower for word in ("owner", "officer", "contributor")):
        severity = "medium" if wide or "owner" in lower else "low"
    conditional = change.after.get("condition")
    if conditional and severity == "high":
        severity = "medium"
    reason = f"{who} gets {role} on {scope}"
    if lower in _GIVES:
        reason += ": it can give itself and others any role there, so it can escalate"
        yield Draft("PRIV_ESC", severity, change.address, f"{reason}.", True, BACK)
        return
    yield Draft("IAM_WIDEN", severity, change.address, f"{reason}.", True, BACK)


def _role(values: Mapping[str, object]) -> str:
    if values.get("role_definition_name"):
        return show(values["role_definition_name"])
    found = show(values.get("role_definition_id"), 200).rsplit("/", 1)[-1]
    return _KNOWN_IDS.get(found.lower(), f"the role {found}")


def _definition(change: ResourceChange) -> Iterator[Draft]:
    if change.after is None:
        return
    for kind in ("actions", "data_actions"):
        old = [str(one).lower() for one in items(field(change.before, f"permissions.{kind}"))]
        new = [str(one) for one in items(field(change.after, f"permissions.{kind}"))]
        gained = [one for one in new if not covered(one.lower(), old)]
        spared = {str(one).lower() for one in items(field(change.before, f"permissions.not_{kind}"))}
        freed = spared - {str(one).lower() for one in items(field(change.after, f"permissions.not_{kind}"))}
        freed = {one for one in freed if change.before is not None}
        if not gained and not freed:
            continue
        severity: Severity = "low"
        for one in (*gained, *freed):
            severity = max(severity, _grade(one.lower(), new=change.before is None), key=ORDER.index)
        said = (
            f"gets {kind} {listed(gained)}" if gained else f"is no longer denied {listed(sorted(freed))} (not_{kind})"
        )
        reason = f"The role {show(change.after.get('name'))} {said}; everybody who has it may do that."
        if change.before is None and severity == "low":
            continue
        yield Draft("IAM_WIDEN", severity, change.address, reason, True, "set the role as it was before")


def _grade(action: str, *, new: bool) -> Severity:
    if action == "*" or action.startswith(
        ("microsoft.authorization/*", "microsoft.authorization/roleassignments/write")
    ):
        return "high"
    if action.startswith("microsoft.authorization/") and not action.endswith("read"):
        return "high"
    if action.endswith(("/read", "read/action")):
        return "low"
    return "low" if new else "medium" if "*" in action or action.endswith("delete") else "low"


def _secret(change: ResourceChange) -> Iterator[Draft]:
    if change.before is None and change.after is not None:
        reason = "A long-lived secret is made for an application of the directory; it stays in the state file. "
        reason += "Use a federated credential or a managed identity instead."
        yield Draft("IAM_WIDEN", "medium", change.address, reason, True, "delete the secret")


def _federated(change: ResourceChange) -> Iterator[Draft]:
    if change.before is None or change.after is None:
        return
    for name in ("subject", "issuer"):
        if (found := pair(change, name)).changed:
            reason = f"{found}: others can become this identity than before."
            yield Draft("IAM_TRUST", "medium", change.address, reason, True, "set it as it was before")


def _directory(change: ResourceChange) -> Iterator[Draft]:
    if change.after is None or change.before is not None:
        return
    role = show(change.after.get("role_id") or change.after.get("display_name"))
    grave = any(word in role.lower().replace("_", " ") for word in _DIRECTORY)
    who = show(change.after.get("principal_object_id"))
    reason = f"{who} gets the directory role {role}"
    reason += ": it can become administrator of the whole directory." if grave else "."
    yield Draft("IAM_WIDEN", "high" if grave else "medium", change.address, reason, True, BACK)


def _vault(change: ResourceChange) -> Iterator[Draft]:
    if change.after is None or change.before is None:
        return
    for name in ("secret_permissions", "key_permissions", "certificate_permissions", "storage_permissions"):
        old = {str(one).lower() for one in items(change.before.get(name))}
        new = sorted({str(one) for one in items(change.after.get(name)) if str(one).lower() not in old})
        if new:
            grave = any(one.lower() in ("all", "purge", "delete", "set", "import") for one in new)
            reason = f"{show(change.after.get('object_id'))} gets {name} {listed(new)} in the key vault."
            yield Draft("IAM_WIDEN", "medium" if grave else "low", change.address, reason, True, BACK)


_RULES: Mapping[str, Callable[[ResourceChange], Iterable[Draft]]] = {
    "azurerm_role_assignment": _assignment,
    "azurerm_role_definition": _definition,
    "azuread_application_password": _secret,
    "azuread_service_principal_password": _secret,
    "azurerm_federated_identity_credential": _federated,
    "azuread_application_federated_identity_credential": _federated,
    "azuread_directory_role_assignment": _directory,
    "azurerm_key_vault_access_policy": _vault,
}
