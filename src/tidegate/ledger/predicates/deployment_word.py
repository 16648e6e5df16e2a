"""A person's word for a deployment: yes to a commit before an environment, or that one of its demands is set aside.

Nobody signed it with a key of their own: the service says that this person said it, by their session or their token.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tidegate.ledger.fields import EntryRef, Name, Person, Predicate, Reason, StatementError, Time, Uri, check_times
from tidegate.ledger.predicates.gate import OptionalLabel, OptionalOid

TYPE = "urn:tidegate:predicate:deployment-word:1"


class DeploymentWord(Predicate, frozen=True, kw_only=True):
    """`covers` "" is an approval of `commit`; else the demand set aside, of `freeze` or any, for `commit` or any.

    `joins` is the word of another person that this one is the second to.
    """

    repository: Uri
    environment: Name
    person: Person
    through: Literal["session", "token"]
    at: Time
    begins: Time
    expires: Time
    reason: Reason
    covers: Annotated[str, Meta(pattern=r"\A[a-z-]{0,32}\Z")] = ""
    commit: OptionalOid = ""
    service: OptionalLabel = ""
    freeze: OptionalLabel = ""
    joins: EntryRef | None = None

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        check_times(self.begins, self.expires)
        if not self.covers and not self.commit:
            raise StatementError("an approval names its commit")
