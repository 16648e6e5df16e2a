"""Who may become a role of AWS: what its trust policy takes on, and what it asks less than before."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tidegate.facts import Severity, Unjudged
from tidegate.infra.iam.conditions import Condition
from tidegate.infra.iam.documents import AFTER, BEFORE, UNREADABLE, Document, read_document
from tidegate.infra.iam.names import words_of
from tidegate.infra.iam.openness import (
    audience,
    is_login,
    loose_subject,
    named,
    openness,
    own_accounts,
    subject,
)
from tidegate.infra.iam.policy import Grant, difference
from tidegate.infra.iam.say import listed
from tidegate.infra.same import same
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Draft, ResourceChange, World

BACK = "apply the trust policy as it was before; end the sessions that were begun meanwhile"
TRUST = "assume_role_policy"


def trusted(world: World) -> Iterator[Draft | Unjudged]:
    """What changes in who may assume each role."""
    own: frozenset[str] | None = None
    words = (BEFORE, AFTER)
    for change in world.changes:
        if change.type != "aws_iam_role" or change.action in ("no-op", "read") or change.after is None:
            continue
        before, after = (change.before or {}).get(TRUST), change.after.get(TRUST)
        if change.before is not None and same(before, after):
            continue
        if own is None:
            own, words = own_accounts(world), words_of(world)
        yield from _of_role(change, read_document(before, words[0]), read_document(after, words[1]), own)


# Private


def _of_role(
    change: ResourceChange, before: Document, after: Document, own: frozenset[str]
) -> Iterator[Draft | Unjudged]:
    found = difference(before, after)
    if found.unread:
        first = found.unread[0]
        when = f"is {first}" if first == AFTER.unknown else f"cannot be read: {first}"
        when = when if first == AFTER.unknown or first.startswith(UNREADABLE) else f"depends on {first}"
        yield Unjudged(
            change.address,
            f"The trust policy of {change.address} {when}; who may assume the role cannot be judged.",
            "show the HCL beside the plan",
            change.place,
        )
        return
    new = change.before is None
    said: list[tuple[Severity, str]] = []
    for grant in found.gained:
        severity, reason = _weigh(grant, before, own, new=new)
        if severity is not None:
            said.append((severity, reason))
    said += [
        ("high", f"the Deny for {named(grant.principal)} is gone{_terms(grant.conditions)}") for grant in found.undenied
    ]
    if said:
        said.sort(key=lambda row: -ORDER.index(row[0]))
        reason = f"{change.address} can be assumed by more than before: {'; '.join(text for _, text in said[:4])}."
        if new:
            reason = f"{change.address} is new, and {'; '.join(text for _, text in said[:4])}."
        yield Draft("IAM_TRUST", said[0][0], change.address, reason, True, BACK)
    if found.lost and not new and not found.gained:
        gone = listed((named(one.principal) for one in found.lost), 3)
        still = {one for statement in after.statements for one in statement.principals}
        terms = [one for statement in after.statements for one in statement.conditions]
        less = all(one.principal in still for one in found.lost)
        how = f"only{_terms(tuple(terms)).removeprefix(', only')}" if less and terms else "no longer"
        service = any(one.principal.startswith("Service:") and one.principal not in still for one in found.lost)
        yield Draft(
            "IAM_CUT",
            "medium" if service else "low",
            change.address,
            f"{gone} can assume {change.address} {how}; what relies on it gets AccessDenied.",
            True,
            "apply the trust policy as it was before",
        )


def _weigh(grant: Grant, before: Document, own: frozenset[str], *, new: bool) -> tuple[Severity | None, str]:
    who = named(grant.principal)
    known = _known(grant, before)
    terms = _terms(grant.conditions)
    if known is not None and not new:
        dropped = _dropped(known, grant.conditions)
        how = openness(grant, own)
        if how == "federated" and (more := _more(grant, known)):
            return "high" if loose_subject(more) else "medium", (
                f"{who} may vouch for more: `sub` {listed(more, 3)} is taken{_all(more)}; before it needed {dropped}"
            )
        severity: Severity = "critical" if how == "everybody" else "low" if how == "service" else "high"
        return severity, f"{who} may assume it{terms or ' without any condition'}; before it needed {dropped}"
    match openness(grant, own):
        case "everybody":
            if grant.conditions and not new:
                return "high", f"everybody (*) may assume it{terms}"
            return "critical", f"everybody (*), any AWS account at all, may assume it{terms}"
        case "foreign":
            asks = any(one.key == "sts:externalid" for one in grant.conditions)
            plain = f"{who}, an account other than this one, may assume it{terms}"
            if not asks and not grant.conditions:
                plain += " and needs no ExternalId"
            return ("low" if asks else "medium") if new else "high", plain
        case "federated":
            return _federated(grant, new=new)
        case "own":
            wide = grant.principal.isdigit() or grant.principal == "*"
            return None if new else "medium" if wide else "low", f"{who}, of this account, may assume it{terms}"
        case "service":
            return None if new else "low", f"{who} may assume it{terms}"
        case _:
            wide = grant.principal.isdigit()
            if wide:
                return "medium" if new else "high", f"{who} may assume it{terms}"
            return None if new else "medium", f"{who} may assume it{terms}"


def _federated(grant: Grant, *, new: bool) -> tuple[Severity | None, str]:
    who, terms = named(grant.principal), _terms(grant.conditions)
    said = f"{who} may vouch for who assumes it{terms}"
    if "saml-provider" in grant.principal or grant.actions == ("sts:AssumeRoleWithSAML",):
        return None if new else "medium", said
    values = subject(grant.conditions)
    if values is None:
        if is_login(grant.principal) and audience(grant.conditions):
            return None if new else "medium", said
        return "high", f"{said}, without a condition on `sub`: every token of that provider is taken"
    if loose := loose_subject(values):
        return "medium" if new and loose.startswith("repo:") and len(loose) > 8 else "high", (
            f"{said}: `sub` {loose} takes more than one repository, branch or account"
        )
    return None if new else "medium", said


def _known(grant: Grant, before: Document) -> list[tuple[Condition, ...]] | None:
    found = [
        one.conditions
        for one in before.statements
        if one.allows and grant.principal in one.principals and set(map(str.lower, grant.actions)) <= set(one.actions)
    ]
    return found if found and all(found) else None


def _more(grant: Grant, known: list[tuple[Condition, ...]]) -> list[str]:
    """The subjects that a trust takes and did not take before; none where it does not ask for one any more."""
    before = {value for conditions in known for value in subject(conditions) or ()}
    return [one for one in subject(grant.conditions) or () if one not in before]


def _all(values: list[str]) -> str:
    return ", which is more than one repository, branch or account" if loose_subject(values) else ""


def _dropped(known: list[tuple[Condition, ...]], now: tuple[Condition, ...]) -> str:
    keep = {replace(one, shown="") for one in now}
    gone = [one for conditions in known for one in conditions if replace(one, shown="") not in keep]
    return listed((str(one) for one in gone), 3) or "more than one of several conditions"


def _terms(conditions: tuple[Condition, ...]) -> str:
    return f", only if {' and '.join(str(one) for one in conditions[:3])}" if conditions else ""
