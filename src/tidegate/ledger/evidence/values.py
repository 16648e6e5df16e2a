"""What a population is made from, and what it is: plain values. Times are seconds since 1970 where they are numbers."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tidegate.ledger.evidence.kinds import Kind

DAY = 86_400.0


class Commit(Struct, frozen=True):
    """One commit of the first-parent history. `at` is the committer's own word.

    `policy` is the digest of the policy at its first parent, "" where nobody read it.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    at: float
    policy: str = ""


class Branch(Struct, frozen=True):
    """A protected branch: its whole first-parent history, the oldest first.

    `absent` are those of the commits that were asked for (`named_commits`) that cannot be reached from it.
    """

    ref: str
    commits: tuple[Commit, ...]
    absent: frozenset[str] = frozenset()


class Click(Struct, frozen=True):
    """An approval that stands at the forge alone: no key signed it and no entry holds it, so it is weaker.

    `person` is who it was, in the same words as `Merge.makers`; "" where nobody knows whose account it is.
    """

    person: str
    head: str
    at: float
    bot: bool = False


class Merge(Struct, frozen=True, kw_only=True):
    """What the forge says of a merged change. `makers` are the pseudonyms of everybody who wrote or asked for it.

    `commit` is what it became on the branch, "" where the forge does not say: then its head tells.
    `landed` are the commits that it brought to the branch beside `commit` (a rebase). `unknown_lines` is how many added
    lines nobody speaks for; None: nobody counted.
    """

    number: int
    target: str
    head: str
    commit: str
    at: float
    makers: tuple[str, ...] = ()
    landed: tuple[str, ...] = ()
    unknown_lines: int | None = None
    title: str = ""
    clicks: tuple[Click, ...] = ()


class Emergency(Struct, frozen=True):
    """An emergency that one person declared; the ledger has it once a second one confirmed."""

    head: str
    asked_at: float
    confirmed: bool


class World(Struct, frozen=True, kw_only=True):
    """What stands beside the ledger. None: not collected, which is said and never taken for "none"."""

    repository: str
    branches: tuple[Branch, ...]
    merges: tuple[Merge, ...] | None = None
    emergencies: tuple[Emergency, ...] | None = None
    bots: frozenset[str] = frozenset()
    unrecorded: tuple[str, ...] = ()
    """Heads whose assessment was made, and never reached the ledger."""


class Expect(Struct, frozen=True, kw_only=True):
    """What the control of the organisation asks of each change. `review_days` are after an emergency."""

    approvals: int = 1
    tests: bool = True
    provenance: bool = True
    review_days: float = 5.0


class Period(Struct, frozen=True):
    """From `begin` until just before `end`; `now` is when the question was asked."""

    begin: float
    end: float
    now: float


class Found(Struct, frozen=True):
    """An exception: its kind, where it differs from case to case what exactly, and the entries that show it."""

    kind: Kind
    what: str = ""
    entries: tuple[int, ...] = ()


class Item(Struct, frozen=True, kw_only=True):
    """One commit of the population with everything that is known of it.

    `evidence` holds entries by what they show: decision, approval, tests, provenance, deployment, emergency, outcome.
    `at_from` says whose word the time is: the forge's, the commit's, or the commit's brought between its neighbours.
    """

    ref: str
    commit: str
    tree: str
    at: float
    at_from: str
    number: int | None
    title: str
    head: str
    verdict: str
    policy: str
    facts: str
    evidence: Mapping[str, tuple[int, ...]]
    exceptions: tuple[Found, ...]
    clicks: int = 0
    """How many people approved it at the forge alone, and count."""
    part_of: str = ""
    """The commit that stands for it, where its change landed as several."""

    @property
    def entries(self) -> tuple[int, ...]:
        """Every entry that speaks of it, once."""
        shown = (index for found in self.exceptions for index in found.entries)
        return tuple(sorted({*shown, *(index for indexes in self.evidence.values() for index in indexes)}))


class Leg(Struct, frozen=True):
    """One side of the reconciliation: how many there are, how many the other sides know. None: not collected."""

    name: str
    total: int | None
    matched: int | None


class Population(Struct, frozen=True, kw_only=True):
    """Every commit of the protected branches in the period, and what belongs to none of them (`loose`).

    `digest` is the SHA-256 of the listing: whoever collects the same commits gets the same.
    """

    repository: str
    period: Period
    refs: tuple[str, ...]
    items: tuple[Item, ...]
    loose: tuple[Found, ...]
    legs: tuple[Leg, ...]
    size: int
    digest: str

    @property
    def count(self) -> int:
        """How many exceptions there are in all."""
        return len(self.loose) + sum(len(item.exceptions) for item in self.items)
