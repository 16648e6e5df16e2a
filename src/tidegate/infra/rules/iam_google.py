"""Who may do more, or less, than before in Google Cloud: members of roles, keys of service accounts, workload pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tidegate.facts import Severity, Unjudged
from tidegate.infra.iam.google import GRANT, Held, grade_role, held, is_public
from tidegate.infra.iam.say import listed
from tidegate.infra.same import field, items, pair, show
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Draft, Later, ResourceChange, World

BACK = "take the role away again; what was done with it meanwhile stays done"
_TARGETS = (
    "project", "folder", "org_id", "bucket", "topic", "subscription", "dataset_id", "table_id", "secret_id",
    "crypto_key_id", "key_ring_id", "service_account_id", "service", "cloud_function", "name", "instance",
    "repository", "database", "queue",
)  # fmt: skip
_DATA = (
    "storage_bucket", "bigquery_dataset", "bigquery_table", "secret_manager_secret", "kms_crypto_key",
    "spanner_database", "artifact_registry_repository", "pubsub_subscription", "healthcare_dataset",
    "sourcerepo_repository",
)  # fmt: skip


def google(world: World) -> Iterator[Draft | Unjudged]:
    """What members gain and lose, over all resources that speak of the same thing."""
    by_target: dict[tuple[str, str], list[ResourceChange]] = {}
    for change in world.changes:
        if change.action in ("no-op", "read") or not change.type.startswith("google_"):
            continue
        found = GRANT.fullmatch(change.type)
        if found is None:
            yield from _other(change)
            continue
        by_target.setdefault((found["on"], _target(change)), []).append(change)
    for (on, target), changes in by_target.items():
        yield from _granted(on, target, changes)


# Private


def _target(change: ResourceChange) -> str:
    values = change.after or change.before or {}
    return " ".join(show(values[key]) for key in _TARGETS if values.get(key) not in (None, ""))


def _how(change: ResourceChange) -> str:
    found = GRANT.fullmatch(change.type)
    return found["how"] if found else ""


def _granted(on: str, target: str, changes: list[ResourceChange]) -> Iterator[Draft | Unjudged]:
    before = frozenset(one for change in changes for one in held(change.before, _how(change)))
    loose = {(one.role, one.member): one for one in before if not one.condition}
    kept = frozenset(one for change in changes for one in held(change.after, _how(change)))
    for change in changes:
        if change.after is not None and isinstance(change.after.get("policy_data"), Later):
            thing = f"{on.replace('_', ' ')} {target}"
            reason = f"The whole policy of {thing} is known only after apply; who gets what role cannot be judged."
            yield Unjudged(change.address, reason, "show the HCL beside the plan", change.place)
            continue
        mine, old = held(change.after, _how(change)), held(change.before, _how(change))
        gained = [one for one in sorted(mine - before, key=repr) if (one.role, one.member) not in loose]
        yield from _gained(change, on, target, gained)
        lost = [one for one in sorted(old - kept, key=repr) if not any(_same_grant(one, other) for other in kept)]
        if lost and change.after is not None:
            said = listed((f"{one.member} ({one.role})" for one in lost), 3)
            reason = f"{said} may no longer use {on.replace('_', ' ')} {target} so."
            if _how(change) != "member":
                reason += f" A {_how(change)} is authoritative: only those whom it names have the role."
            yield Draft("IAM_CUT", "medium" if _how(change) == "policy" else "low", change.address, reason, True)
        if change.before is None and _how(change) in ("policy", "binding"):
            yield from _authoritative(change, on, target)


def _same_grant(one: Held, other: Held) -> bool:
    return (one.role, one.member) == (other.role, other.member) and not other.condition


def _authoritative(change: ResourceChange, on: str, target: str) -> Iterator[Draft]:
    wide = on in ("project", "folder", "organization")
    thing = f"{on.replace('_', ' ')} {target}"
    if _how(change) == "policy" and wide:
        reason = f"The policy of {thing} is set as a whole: everybody whom it does not name loses every role there, "
        reason += "service agents of Google among them. Use google_project_iam_member instead."
        yield Draft("IAM_CUT", "high", change.address, reason, True, "give the roles again, one by one")
    elif wide:
        role = show((change.after or {}).get("role"))
        reason = f"The binding of {role} on {thing} is authoritative: members who have the role now and are not named "
        reason += "lose it."
        yield Draft("IAM_CUT", "low", change.address, reason, True, "give the role again")


def _gained(change: ResourceChange, on: str, target: str, gained: Iterable[Held]) -> Iterator[Draft]:
    thing = f"{on.replace('_', ' ')} {target}".strip()
    for one in gained:
        term = f", only if {one.condition}" if one.condition else ""
        if is_public(one.member):
            yield _public(change, on, thing, one)
            continue
        severity, escalates = grade_role(one.role, on)
        if one.condition and severity == "high":
            severity = "medium"
        member = one.member
        if on == "service_account" and one.role == "roles/iam.workloadIdentityUser":
            severity, escalates = _workload(member)
        reason = f"{member} gets {one.role} on {thing}{term}"
        if escalates and severity in ("high", "medium"):
            yield Draft("PRIV_ESC", severity, change.address, f"{reason}: {escalates}, so it can escalate.", True, BACK)
        else:
            yield Draft("IAM_WIDEN", severity, change.address, f"{reason}.", True, BACK)


def _workload(member: str) -> tuple[Severity, str]:
    if member.startswith("principalSet:") and member.rstrip("/").endswith("/*"):
        return "high", "every identity of that pool can become the service account"
    return "low", ""


def _public(change: ResourceChange, on: str, thing: str, one: Held) -> Draft:
    signed = one.member.lower() == "allauthenticatedusers"
    who = "anybody with a Google account" if signed else "everybody on the internet, without any account"
    severity: Severity = "critical" if on.startswith(_DATA) else "high"
    if "invoker" in one.role.lower():
        severity = "medium"
    reason = f"{one.member} gets {one.role} on {thing}: {who}, may use it; it is public."
    return Draft(
        "NET_EXPOSE", severity, change.address, reason, False, "take the member away; what was read stays read"
    )


def _other(change: ResourceChange) -> Iterator[Draft]:
    if change.type == "google_service_account_key" and change.before is None and change.after is not None:
        account = show(change.after.get("service_account_id"))
        reason = f"A long-lived key is made for the service account {account}; it stays in the state file. "
        reason += "Use workload identity instead."
        yield Draft("IAM_WIDEN", "medium", change.address, reason, True, "delete the key")
    elif change.type.endswith("_iam_custom_role"):
        yield from _custom(change)
    elif change.type == "google_iam_workload_identity_pool_provider" and change.after is not None:
        yield from _pool(change)


def _custom(change: ResourceChange) -> Iterator[Draft]:
    if change.before is None or change.after is None:
        return
    old = {str(one) for one in items(change.before.get("permissions"))}
    new = sorted({str(one) for one in items(change.after.get("permissions"))} - old)
    if not new:
        return
    severity: Severity = "low"
    for one in new:
        last = one.rsplit(".", 1)[-1].lower()
        grave: Mapping[str, Severity] = {
            "setiampolicy": "high",
            "actas": "high",
            "getaccesstoken": "high",
            "delete": "medium",
        }
        severity = max(severity, grave.get(last, "low"), key=ORDER.index)
    reason = f"The role {show(change.after.get('role_id'))} gets {listed(new)}; everybody who has it may do that."
    yield Draft("IAM_WIDEN", severity, change.address, reason, True, BACK)


def _pool(change: ResourceChange) -> Iterator[Draft]:
    term = pair(change, "attribute_condition")
    issuer = show(field(change.after, "oidc.issuer_uri"))
    if change.before is None:
        if not term.after and "github" in issuer:
            reason = f"The provider takes every token of {issuer}: attribute_condition does not name the organisation."
            yield Draft("IAM_TRUST", "high", change.address, reason, True, "set attribute_condition")
    elif term.changed and term.before:
        severity: Severity = "medium" if term.after else "high"
        reason = f"{term}: other tokens of {issuer} are taken than before."
        yield Draft("IAM_TRUST", severity, change.address, reason, True, "set attribute_condition as it was")
