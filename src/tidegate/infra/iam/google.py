"""Roles of Google Cloud and Azure: what people call them, and how grave it is to be given one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.infra.same import field, items, show
from tidegate.infra.values import Hidden, Later, Value

EVERYBODY = ("allusers", "allauthenticatedusers")
GRANT = re.compile(r"google_(?P<on>\w+?)_iam_(?P<how>member|binding|policy)")
_HIGH = {
    "roles/owner", "roles/editor", "roles/iam.securityadmin", "roles/iam.serviceaccountadmin",
    "roles/iam.serviceaccountkeyadmin", "roles/iam.serviceaccounttokencreator", "roles/iam.serviceaccountuser",
    "roles/iam.organizationroleadmin", "roles/iam.roleadmin", "roles/iam.workloadidentitypooladmin",
    "roles/resourcemanager.projectiamadmin", "roles/resourcemanager.organizationadmin",
    "roles/resourcemanager.folderadmin", "roles/cloudbuild.builds.editor", "roles/deploymentmanager.editor",
    "roles/cloudfunctions.admin", "roles/cloudfunctions.developer", "roles/run.admin", "roles/compute.admin",
    "roles/compute.instanceadmin.v1", "roles/container.admin", "roles/orgpolicy.policyadmin",
}  # fmt: skip
_ESCALATES = {
    "roles/iam.serviceaccounttokencreator": "it can make tokens of any service account there",
    "roles/iam.serviceaccountuser": "it can run things as any service account there",
    "roles/iam.serviceaccountkeyadmin": "it can make keys of any service account there",
    "roles/iam.serviceaccountadmin": "it can let itself use any service account there",
    "roles/iam.securityadmin": "it can give itself any role",
    "roles/iam.roleadmin": "it can add permissions to roles that it has",
    "roles/iam.organizationroleadmin": "it can add permissions to roles that it has",
    "roles/resourcemanager.projectiamadmin": "it can give itself any role",
    "roles/resourcemanager.folderadmin": "it can give itself any role",
    "roles/resourcemanager.organizationadmin": "it can give itself any role",
    "roles/deploymentmanager.editor": "it can deploy as a service account that is editor",
}
_WIDE = ("project", "folder", "organization")


class Held(Struct, frozen=True):
    """One member with one role, and the condition on it."""

    role: str
    member: str
    condition: str = ""


def held(values: Mapping[str, Value] | None, how: str) -> frozenset[Held]:
    """Who has which role by one resource: a member, a binding or a whole policy."""
    if values is None:
        return frozenset()
    if how == "policy":
        return frozenset(_of_policy(values.get("policy_data")))
    members = items(values.get("members")) if how == "binding" else (values.get("member"),)
    if how == "binding" and isinstance(values.get("members"), Later):
        members = (values["members"],)
    terms = _terms(values.get("condition"))
    return frozenset(Held(_word(values.get("role")), _word(one), terms) for one in members if one is not None)


def grade_role(role: str, on: str) -> tuple[Severity, str]:
    """How grave it is to be given this role on a thing of this kind, and how it escalates, if it does."""
    lower, wide = role.lower(), on in _WIDE
    escalates = _ESCALATES.get(lower, "")
    if lower == "roles/owner":
        return ("high", "it can do everything and give itself any role") if wide else ("medium", "")
    if lower in _HIGH:
        return ("high", escalates) if wide else ("medium", escalates)
    if lower.endswith("admin") or ".admin" in lower:
        return ("high" if wide else "medium"), ""
    if any(word in lower for word in ("secretaccessor", "decrypter", "cryptokey")):
        return ("medium" if wide else "low"), ""
    if any(word in lower for word in ("editor", "writer", "creator", "user", "developer", "client", "publisher")):
        return ("medium" if wide and "editor" in lower else "low"), ""
    return ("low", "") if lower.startswith("roles/") else ("medium" if wide else "low", "")


def is_public(member: str) -> bool:
    return member.lower() in EVERYBODY


# Private


def _of_policy(value: Value) -> Iterator[Held]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    for binding in items(field(value, "bindings")) if isinstance(value, Mapping) else ():
        if isinstance(binding, Mapping):
            for member in items(binding.get("members")):
                yield Held(_word(binding.get("role")), _word(member), _terms(binding.get("condition")))


def _terms(value: Value) -> str:
    found = field({"condition": value}, "condition.expression")
    return "" if found in (None, "") else show(found)


def _word(value: Value) -> str:
    if isinstance(value, Later):
        return value.words or "a member that is known only after apply"
    return "(sensitive)" if isinstance(value, Hidden) else str(value)
