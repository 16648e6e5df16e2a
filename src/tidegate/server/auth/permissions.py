"""The one table of who may do what. What is not in it is denied."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal["viewer", "reviewer", "approver", "admin", "agent"]
Permission: TypeAlias = Literal[
    "changes:read",  # changes, verdicts, facts, the queue
    "changes:assess",  # ask for a new assessment, simulate a policy
    "gates:ask",  # ask a gate whether something may be deployed, and have a canary judged
    "reviews:write",  # time on hunks, questions, "I have read and understand this"
    "approvals:write",  # sign an approval or take one's own back
    "emergencies:write",  # ask for a break-glass or confirm somebody else's
    "ledger:read",  # entries, proofs, checkpoints
    "evidence:read",  # evidence packs, populations, samples
    "evidence:write",  # attach evidence: tests, sessions
    "incidents:write",  # say what caused an incident, or that it is over
    "drills:join",  # take a role in a drill, and decide in it
    "drills:write",  # make a drill and lead it: see what is hidden, turn its clock
    "events:write",  # tell what production says: deployments, alerts, errors, spans, metrics
    "costs:write",  # say what AI cost, and take back what a source said
    "settings:read",  # repositories, policies, identities without their secrets
    "settings:write",  # repositories, people, identities, witnesses
    "tokens:write",  # make and revoke one's own tokens
    "people:erase",  # erase a person's bodies
]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_READ: tuple[Permission, ...] = ("changes:read", "ledger:read", "tokens:write", "drills:join")
_REVIEW: tuple[Permission, ...] = (
    *_READ,
    "changes:assess",
    "gates:ask",
    "reviews:write",
    "incidents:write",
    "drills:write",
    "evidence:read",
    "settings:read",
)

ALLOWED: Mapping[Role, frozenset[Permission]] = {
    "viewer": frozenset(_READ),
    "reviewer": frozenset(_REVIEW),
    "approver": frozenset((*_REVIEW, "approvals:write", "emergencies:write")),
    "admin": frozenset(PERMISSIONS),
    # An agent never approves, never reviews, never changes who may: whatever token it carries.
    "agent": frozenset(("changes:read", "changes:assess", "gates:ask", "ledger:read", "evidence:write")),
}


def granted(role: str) -> frozenset[Permission]:
    """All that somebody of this role may do at a browser; nothing for a role that is not in the table."""
    return next((found for known, found in ALLOWED.items() if known == role), frozenset())


def allows(role: str, scopes: Collection[str] | None, needed: Permission) -> bool:
    """Whether somebody of this role may do it. `scopes` are those of a token, None in a browser's session.

    A role that is not in the table may do nothing; a token may never do more than its person.
    """
    return needed in granted(role) and (scopes is None or needed in scopes)
