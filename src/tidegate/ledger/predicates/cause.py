"""A person said what caused an incident: a commit, or a word for what is no change.

Nobody signed it with a key of their own: the service says that this person said it, by their session or their token.
"""

from __future__ import annotations

from typing import Literal

from tidegate.ledger.fields import (
    EntryRef,
    Name,
    OptionalCommitment,
    Person,
    Predicate,
    StatementError,
    Time,
    check_times,
)
from tidegate.ledger.predicates.gate import OptionalOid

TYPE = "urn:tidegate:predicate:cause:1"


class Cause(Predicate, frozen=True, kw_only=True):
    """Of several about one `incident` the last one stands.

    `word` is a commitment to what a person wrote, `opened` the entry that says that the incident was opened.
    """

    incident: Name
    person: Person
    through: Literal["session", "token"]
    at: Time
    commit: OptionalOid = ""
    word: OptionalCommitment = ""
    opened: EntryRef | None = None

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at)
        if bool(self.commit) == bool(self.word):
            raise StatementError("a cause is a commit or a word, and one of them")
