"""A canary was judged: promote, hold or roll back, by which document, over which time.

Nothing was done because of it; whoever acts says so in statements of their own.
"""

from __future__ import annotations

from typing import Literal

from tidegate.ledger.fields import GitOid, Name, Predicate, Sha256, Time, Uri, check_times
from tidegate.ledger.predicates.gate import OptionalLabel, OptionalOid

TYPE = "urn:tidegate:predicate:canary:1"


class Canary(Predicate, frozen=True, kw_only=True):
    """`rules` is the commit that the document `name` was read from, `judgement` the SHA-256 of the whole judgement.

    `begins` and `ends` bound what was measured. `commit` is the canary's, "" where nobody said.
    """

    repository: Uri
    name: Name
    environment: Name
    verdict: Literal["promote", "hold", "roll-back"]
    judgement: Sha256
    rules: GitOid
    tool: Name
    at: Time
    begins: Time
    ends: Time
    service: OptionalLabel = ""
    commit: OptionalOid = ""

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        check_times(self.begins, self.ends)
