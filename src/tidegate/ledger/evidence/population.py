"""The complete population: ledger, git, forge and deployments held against each other, and what does not fit named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from tidegate.ledger.evidence.join import Joined, join_branch
from tidegate.ledger.evidence.judge import Case, clicked, judge
from tidegate.ledger.evidence.record import Noted, Record
from tidegate.ledger.evidence.values import Expect, Found, Item, Leg, Period, Population, World
from tidegate.ledger.fields import Predicate
from tidegate.ledger.predicates.approval import Approval
from tidegate.ledger.predicates.assessment import Assessment
from tidegate.ledger.predicates.deployment import Deployment

P = TypeVar("P", bound=Predicate)


def named_commits(record: Record, world: World) -> frozenset[str]:
    """The commits that ledger and forge say were on a branch, or were deployed: git is asked which are there."""
    bases = {noted.says.base for found in record.decisions.values() for noted in found}
    merged = {merge.commit for merge in world.merges or () if merge.commit}
    return frozenset(bases | merged | {noted.says.commit for noted in record.deployments})


def reconcile(record: Record, world: World, period: Period, expect: Expect | None = None) -> Population:
    """The population of the period. Time grows with the history of the branches and with the ledger."""
    return _Reconciling(record, world, period, expect or Expect()).population()


# Private


class _Reconciling:
    def __init__(self, record: Record, world: World, period: Period, expect: Expect) -> None:
        self._record = record
        self._world = world
        self._period = period
        self._expect = expect
        self._deployments: dict[str, list[Noted[Deployment]]] = {}
        for noted in record.deployments:
            self._deployments.setdefault(noted.says.commit, []).append(noted)
        self._merged = {oid for merge in world.merges or () for oid in (merge.commit, *merge.landed)}
        self._decided: set[int] = set()

    def population(self) -> Population:
        items = [item for branch in self._world.branches for item in self._items(branch.ref)]
        refs = tuple(branch.ref for branch in self._world.branches)
        listing = "".join(f"{item.ref} {item.commit}\n" for item in items)
        return Population(
            repository=self._world.repository,
            period=self._period,
            refs=refs,
            items=tuple(items),
            loose=tuple(self._loose()),
            legs=self._legs(items),
            size=self._record.size,
            digest=hashlib.sha256(listing.encode()).hexdigest(),
        )

    def _items(self, ref: str) -> Iterable[Item]:
        branch = next(branch for branch in self._world.branches if branch.ref == ref)
        for joined in join_branch(branch, self._record, self._world.merges, self._period.now):
            self._decided.update(noted.index for noted in joined.decisions)
            if self._period.begin <= joined.at < self._period.end:
                case = self._case(joined, ref)
                yield _item(case, judge(case, self._record, self._expect, self._period.now))

    def _case(self, joined: Joined, ref: str) -> Case:
        record, tree, head, oid = self._record, joined.commit.tree, joined.head, joined.commit.oid
        of_tree = [noted for noted in joined.decisions if noted.says.merge_tree == tree]
        before = [noted for noted in of_tree if noted.at <= joined.at]
        merge = joined.merge
        provenance = _noted(record.provenance, head, oid)
        asked_for = {noted.says.build_definition.external_parameters.requester for noted in provenance}
        return Case(
            joined=joined,
            ref=ref,
            known_to_forge=None if self._world.merges is None else merge is not None or oid in self._merged,
            decision=max(before, key=_order, default=None),
            late_decision=min(of_tree, key=_order, default=None) if not before else None,
            summaries=[noted for noted in _noted(record.summaries, head) if tree in noted.digests],
            approvals=self._approvals(head, tree, ref),
            tests=_noted(record.tests, head, tree, oid),
            provenance=provenance,
            emergencies=_noted(record.emergencies, head, tree),
            deployments=self._deployments.get(oid, ()),
            gates=_noted(record.gates, oid),
            outcomes=_noted(record.outcomes, oid),
            policy=joined.commit.policy or self._policy_at(joined.at),
            makers=frozenset((*(merge.makers if merge is not None else ()), *asked_for)),
            bots=self._world.bots,
            declared=[each for each in self._world.emergencies or () if head and each.head == head],
        )

    def _approvals(self, head: str, tree: str, ref: str) -> list[Noted[Approval]]:
        """Those of this head; where the head is not known, those of this tree on this branch."""
        found = _noted(self._record.approvals, head) if head else _noted(self._record.approvals, tree)
        return [noted for noted in found if head or noted.says.target == ref]

    def _policy_at(self, at: float) -> str:
        """What the ledger says the policy was; before its first word of it, the one that this replaced."""
        policies = self._record.policies
        before = [noted for noted in policies if noted.at <= at]
        if before:
            return before[-1].says.after
        return (policies[0].says.before or "") if policies else ""

    def _loose(self) -> Iterable[Found]:
        yield from self._gaps()
        absent = frozenset().union(*(branch.absent for branch in self._world.branches))
        everywhere = (branch.absent for branch in self._world.branches)
        nowhere = frozenset.intersection(*everywhere) if self._world.branches else frozenset()
        yield from self._rewritten(absent)
        for noted in self._record.deployments:
            if noted.says.commit in nowhere and self._is_in(noted.at):
                what = f"{noted.says.commit[:12]} in {noted.says.environment}"
                yield Found("deployed-unknown", what, (noted.index,))
        heads = {merge.head for merge in self._world.merges or ()}
        for emergency in self._world.emergencies or ():
            if not emergency.confirmed and emergency.head not in heads and self._is_in(emergency.asked_at):
                yield Found("break-glass-unconfirmed", f"for {emergency.head[:12]}, which was not merged")

    def _gaps(self) -> Iterable[Found]:
        for unread in self._record.unread:
            yield Found("ledger-gap", unread.why, (unread.index,))
        for noted in self._record.recoveries:
            lost = noted.says.known_size - noted.says.restored_size
            if lost:
                yield Found("ledger-gap", f"{lost} entries were lost with a backup", (noted.index,))
        for head in self._world.unrecorded:
            yield Found("ledger-gap", f"the assessment of {head[:12]} is not in the ledger")

    def _rewritten(self, absent: frozenset[str]) -> Iterable[Found]:
        by_ref = {branch.ref: branch.absent for branch in self._world.branches}
        seen: set[str] = set()
        for merge in self._world.merges or ():
            if merge.commit in by_ref.get(merge.target, ()) and self._is_in(merge.at):
                seen.add(merge.commit)
                yield Found("history-rewritten", f"{merge.commit[:12]}, which change {merge.number} was merged as")
        for found in self._record.decisions.values() if absent else ():
            for noted in found:
                base = noted.says.base
                if base in by_ref.get(noted.says.target, ()) and base not in seen and self._is_in(noted.at):
                    seen.add(base)
                    yield Found("history-rewritten", f"{base[:12]}, which was the base of a change", (noted.index,))

    def _is_in(self, at: float) -> bool:
        return self._period.begin <= at < self._period.end

    def _legs(self, items: Sequence[Item]) -> tuple[Leg, ...]:
        decisions = {
            noted.index for found in self._record.decisions.values() for noted in found if self._is_in(noted.at)
        }
        deployments = [noted for noted in self._record.deployments if self._is_in(noted.at)]
        on_branch = {commit.oid for branch in self._world.branches for commit in branch.commits}
        merges = [merge for merge in self._world.merges or () if self._is_in(merge.at)]
        joined = [item for item in items if item.head]
        heads = {item.head for item in joined}
        asked = self._world.merges is not None
        collected = bool(self._record.deployments)
        return (
            Leg("git: commits of the protected branches", len(items), len(joined)),
            Leg("ledger: decisions of the gate", len(decisions), len(decisions & self._decided)),
            Leg(
                "forge: merged changes",
                len(merges) if asked else None,
                sum(merge.commit in on_branch or merge.head in heads for merge in merges) if asked else None,
            ),
            Leg(
                "deployments",
                len(deployments) if collected else None,
                sum(noted.says.commit in on_branch for noted in deployments) if collected else None,
            ),
        )


def _noted(index: Mapping[str, Sequence[Noted[P]]], *names: str) -> list[Noted[P]]:
    found = {noted.index: noted for name in names if name for noted in index.get(name, ())}
    return [found[index_] for index_ in sorted(found)]


def _order(noted: Noted[Assessment]) -> tuple[float, int]:
    return noted.at, noted.index


def _item(case: Case, exceptions: tuple[Found, ...]) -> Item:
    joined, decision = case.joined, case.decision or case.late_decision
    merge = joined.merge
    evidence = {
        "decision": (*_indexes(joined.decisions), *_indexes(case.summaries)),
        "approval": _indexes(case.approvals),
        "tests": _indexes(case.tests),
        "provenance": _indexes(case.provenance),
        "deployment": _indexes(case.deployments),
        "emergency": _indexes(case.emergencies),
        "outcome": _indexes(case.outcomes),
    }
    return Item(
        ref=case.ref,
        commit=joined.commit.oid,
        tree=case.tree,
        at=joined.at,
        at_from=joined.at_from,
        number=merge.number if merge is not None else None,
        title=merge.title if merge is not None else "",
        head=joined.head,
        verdict=decision.says.verdict if decision is not None else "",
        policy=decision.says.policy if decision is not None else "",
        facts=decision.says.facts if decision is not None else "",
        evidence={name: found for name, found in evidence.items() if found},
        exceptions=exceptions,
        clicks=len(clicked(case)),
        part_of=joined.part_of,
    )


def _indexes(found: Sequence[Noted[P]]) -> tuple[int, ...]:
    return tuple(noted.index for noted in found)
