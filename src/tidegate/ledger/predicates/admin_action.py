"""Somebody changed who may do what, or how the service is set up. No secret stands in it, and no name of a person."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from tidegate.ledger.fields import (
    Count,
    Names,
    OptionalPerson,
    OptionalUri,
    Predicate,
    Sha256,
    StatementError,
    Time,
    check_times,
)
from tidegate.ledger.predicates.approval import Fingerprint

TYPE = "urn:tidegate:predicate:admin-action:1"

Action: TypeAlias = Literal[
    "person-added",
    "role-changed",
    "person-disabled",
    "person-enabled",
    "password-reset",
    "account-added",
    "account-removed",
    "token-made",
    "token-revoked",
    "key-added",
    "key-revoked",
    "repository-added",
    "repository-removed",
    "settings-changed",
]
Through: TypeAlias = Literal["session", "token", "sign-in", "command"]
OptionalRole: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z]{0,32}\Z")]


class AdminAction(Predicate, frozen=True, kw_only=True):
    """`person` did it, "" where it was a command on the service's own machine; `whom` it was done to.

    `before` and `role` are roles, `token` is the number of a token and `scopes` what it may, `settings` is the SHA-256
    of the service's settings without its secrets.
    """

    action: Action
    through: Through
    at: Time
    person: OptionalPerson = ""
    whom: OptionalPerson = ""
    before: OptionalRole = ""
    role: OptionalRole = ""
    key: Fingerprint = ""
    token: Count | None = None
    scopes: Names = ()
    repository: OptionalUri = ""
    settings: Sha256 | None = None

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        about, _, _ = self.action.partition("-")
        named = {
            "role": bool(self.role and self.before),
            "key": bool(self.key),
            "token": self.token is not None,
            "repository": bool(self.repository),
            "settings": self.settings is not None,
        }
        if not named.get(about, bool(self.whom)):
            raise StatementError(f"{self.action} does not say which one")
        if bool(self.person) == (self.through == "command"):
            raise StatementError("a person did it, or a command on the service's own machine")
