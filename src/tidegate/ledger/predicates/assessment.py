"""What the gate found in a change, and under which policy."""

from __future__ import annotations

from tidegate.ledger.fields import Count, GitOid, Name, Names, Predicate, Ref, Sha256, Time, Uri, check_times

TYPE = "urn:tidegate:predicate:assessment:1"


class Assessment(Predicate, frozen=True, kw_only=True):
    """`facts` and `policy` are the SHA-256 of the documents; `verdict` is the word of the policy's effect."""

    repository: Uri
    target: Ref
    base: GitOid
    head: GitOid
    merge_tree: GitOid
    policy: Sha256
    facts: Sha256
    verdict: Name
    tool: Name
    at: Time
    rules: Names = ()
    obligations: Names = ()
    unknowns: Count = 0

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
