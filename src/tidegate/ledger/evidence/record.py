"""What the ledger says, by what it is said of: each entry opened once, with the keys that are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.ledger.fields import Predicate, parse_time
from tidegate.ledger.keys import PublicKey
from tidegate.ledger.merkle import leaf_hash
from tidegate.ledger.predicates.approval import Approval
from tidegate.ledger.predicates.assessment import Assessment
from tidegate.ledger.predicates.break_glass import BreakGlass
from tidegate.ledger.predicates.deployment import Deployment
from tidegate.ledger.predicates.gate import Gate
from tidegate.ledger.predicates.outcome import Outcome
from tidegate.ledger.predicates.policy_change import PolicyChange
from tidegate.ledger.predicates.provenance import AgentProvenance
from tidegate.ledger.predicates.recovery import Recovery
from tidegate.ledger.predicates.revocation import Revocation
from tidegate.ledger.predicates.sample_seed import SampleSeed
from tidegate.ledger.predicates.test_result import TestResult
from tidegate.ledger.predicates.vsa import VerificationSummary
from tidegate.ledger.statements import open_entry

P = TypeVar("P", bound=Predicate)


class Noted(Struct, Generic[P], frozen=True):
    """One entry: its place, its leaf in hex, its time, what it says, and its subjects' digests.

    The time is 0 where it has none; `_WHEN_SAID` tells which of its times counts.
    """

    index: int
    leaf: str
    at: float
    says: P
    digests: tuple[str, ...]


class Unread(Struct, frozen=True):
    """An entry that no trusted key signed, or that is no statement."""

    index: int
    why: str


Index = Mapping[str, Sequence[Noted[P]]]


class Record(Struct, frozen=True):
    """Of one repository, where statements name one. Lists are in the order of the ledger.

    `decisions` and `approvals` are found by head and by tree, tests and provenance by each digest that they name.
    """

    size: int
    decisions: Index[Assessment]
    summaries: Index[VerificationSummary]
    approvals: Index[Approval]
    tests: Index[TestResult]
    provenance: Index[AgentProvenance]
    emergencies: Index[BreakGlass]
    deployments: Sequence[Noted[Deployment]]
    gates: Index[Gate]
    outcomes: Index[Outcome]
    policies: Sequence[Noted[PolicyChange]]
    withdrawn: Mapping[tuple[int, str], float]
    """When an entry was taken back, by its index and its leaf."""
    distrusted: Mapping[str, float]
    """When a key lost its trust, by its fingerprint."""
    recoveries: Sequence[Noted[Recovery]]
    seeds: Mapping[int, Noted[SampleSeed]]
    unread: Sequence[Unread]


def read_record(entries: Iterable[tuple[int, bytes]], keys: Sequence[PublicKey], repository: str) -> Record:
    """Opens every entry (some 8,000 a second). One that cannot be opened is a gap, and believed in nothing."""
    reading = _Reading(list(keys), repository)
    for index, envelope in entries:
        reading.take(index, envelope)
    return reading.record()


# Private


class _Reading:
    def __init__(self, keys: list[PublicKey], repository: str) -> None:
        self._keys = keys
        self._repository = repository
        self._size = 0
        self._by: dict[type[Predicate], dict[str, list[Noted[Predicate]]]] = {kind: {} for kind in _NAMED}
        self._lists: dict[type[Predicate], list[Noted[Predicate]]] = {kind: [] for kind in _LISTED}
        self._withdrawn: dict[tuple[int, str], float] = {}
        self._distrusted: dict[str, float] = {}
        self._unread: list[Unread] = []

    def take(self, index: int, envelope: bytes) -> None:
        if index != self._size:
            self._unread.append(Unread(self._size, f"entries {self._size} to {index - 1} are missing"))
        self._size = index + 1
        try:
            statement, _ = open_entry(envelope, self._keys)
        except InputError as error:
            self._unread.append(Unread(index, f"entry {index} cannot be trusted: {error.what}"))
            return
        says = statement.predicate
        if getattr(says, "repository", self._repository) != self._repository:
            return
        digests = tuple({digest for subject in statement.subjects for digest in subject.digest.values()})
        time = says.said if isinstance(says, _WHEN_SAID) else says.time
        at = parse_time(time).timestamp() if time else 0.0
        self._sort(Noted(index, leaf_hash(envelope).hex(), at, says, digests))

    def _sort(self, noted: Noted[Predicate]) -> None:
        says = noted.says
        names = _NAMED.get(type(says))
        if names is not None:
            found = {getattr(says, name) for name in names} if names else set(noted.digests)
            for name in found:
                self._by[type(says)].setdefault(name, []).append(noted)
        elif type(says) in self._lists:
            self._lists[type(says)].append(noted)
        elif isinstance(says, Revocation):
            self._revoke(says, noted.at)

    def _revoke(self, says: Revocation, at: float) -> None:
        """The first time stands."""
        if says.key is not None:
            self._distrusted[says.key] = min(at, self._distrusted.get(says.key, at))
        elif says.entry is not None:
            entry = (says.entry.index, says.entry.leaf)
            self._withdrawn[entry] = min(at, self._withdrawn.get(entry, at))

    def record(self) -> Record:
        by, lists = self._by, self._lists
        return Record(  # mypy cannot follow that each list holds what its key says
            self._size,
            by[Assessment],  # type: ignore[arg-type]
            by[VerificationSummary],  # type: ignore[arg-type]
            by[Approval],  # type: ignore[arg-type]
            by[TestResult],  # type: ignore[arg-type]
            by[AgentProvenance],  # type: ignore[arg-type]
            by[BreakGlass],  # type: ignore[arg-type]
            lists[Deployment],  # type: ignore[arg-type]
            by[Gate],  # type: ignore[arg-type]
            by[Outcome],  # type: ignore[arg-type]
            sorted(lists[PolicyChange], key=lambda noted: noted.at),  # type: ignore[arg-type]
            self._withdrawn,
            self._distrusted,
            lists[Recovery],  # type: ignore[arg-type]
            {noted.index: noted for noted in lists[SampleSeed]},  # type: ignore[misc]
            self._unread,
        )


_NAMED: dict[type[Predicate], tuple[str, ...]] = {
    Assessment: ("head", "merge_tree"),
    Approval: ("head", "merge_tree"),
    BreakGlass: ("head", "merge_tree"),
    Outcome: ("commit",),
    Gate: ("commit",),
    VerificationSummary: (),
    TestResult: (),
    AgentProvenance: (),
}
"""The fields that a statement is found by; none: its subjects' digests."""

_WHEN_SAID = (Assessment, VerificationSummary, Approval, TestResult, AgentProvenance, BreakGlass, Gate)
"""What allows something counts from when it was written down: nobody says later that it was allowed before. The rest
counts from when it happened."""

_LISTED: tuple[type[Predicate], ...] = (Deployment, PolicyChange, Recovery, SampleSeed)
