"""A gate before an environment answered: this commit may go there, must wait, or may not.

A summary of verification (vsa.py) says what a change is; it has no room for where it goes, what runs there, and what
people set aside. The subject of the statement is the commit.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tidegate.ledger.fields import GitOid, Name, Names, Predicate, Sha256, StatementError, Time, Uri, check_times

TYPE = "urn:tidegate:predicate:gate:1"

OptionalOid = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})?\Z")]
OptionalLabel = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f\u2028\u2029]{0,512}\Z")]


class Gate(Predicate, frozen=True, kw_only=True):
    """`decision` is the SHA-256 of the whole decision, `rules` of the rollout document, None where none was readable.

    `unmet` are the demands in the way, `aside` those that two people set aside. What passes has nothing in the way.
    """

    repository: Uri
    commit: GitOid
    environment: Name
    outcome: Literal["pass", "hold", "block"]
    decision: Sha256
    tool: Name
    at: Time
    service: OptionalLabel = ""
    previous: OptionalOid = ""
    rules: Sha256 | None = None
    unmet: Names = ()
    aside: Names = ()

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        if self.outcome == "pass" and (self.unmet or self.rules is None):
            raise StatementError("a gate lets pass by its rules, and with nothing in the way")
        if self.outcome != "pass" and not self.unmet:
            raise StatementError("a gate that does not let pass says what is in the way")
