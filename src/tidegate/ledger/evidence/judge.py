"""What is exceptional about one commit: each rule looks at one thing, and says one kind of exception."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct

from tidegate.ledger.evidence.join import Joined
from tidegate.ledger.evidence.kinds import Kind
from tidegate.ledger.evidence.record import Noted, Record
from tidegate.ledger.evidence.values import DAY, Click, Emergency, Expect, Found
from tidegate.ledger.fields import parse_time
from tidegate.ledger.predicates.approval import Approval
from tidegate.ledger.predicates.assessment import Assessment
from tidegate.ledger.predicates.break_glass import BreakGlass
from tidegate.ledger.predicates.deployment import Deployment
from tidegate.ledger.predicates.gate import Gate
from tidegate.ledger.predicates.outcome import Outcome
from tidegate.ledger.predicates.provenance import AgentProvenance
from tidegate.ledger.predicates.test_result import TestResult
from tidegate.ledger.predicates.vsa import VerificationSummary

PASS = "pass"  # noqa: S105  a verdict


class Case(Struct, frozen=True, kw_only=True):
    """One commit with what the ledger holds about it. `decision` is the one that was in force when it was merged.

    `known_to_forge` None: the forge was not asked.
    """

    joined: Joined
    ref: str
    known_to_forge: bool | None
    decision: Noted[Assessment] | None
    late_decision: Noted[Assessment] | None
    summaries: Sequence[Noted[VerificationSummary]]
    approvals: Sequence[Noted[Approval]]
    tests: Sequence[Noted[TestResult]]
    provenance: Sequence[Noted[AgentProvenance]]
    emergencies: Sequence[Noted[BreakGlass]]
    deployments: Sequence[Noted[Deployment]]
    gates: Sequence[Noted[Gate]]
    outcomes: Sequence[Noted[Outcome]]
    policy: str
    """What the branch's policy was; "" where nobody knows."""
    makers: frozenset[str]
    bots: frozenset[str]
    declared: Sequence[Emergency]

    @property
    def tree(self) -> str:
        return self.joined.commit.tree

    @property
    def at(self) -> float:
        return self.joined.at

    @property
    def glass(self) -> Noted[BreakGlass] | None:
        """The emergency that was in force for this very tree."""
        for noted in self.emergencies:
            if self._of_this(noted) and noted.at <= self.at <= seconds(noted.says.expires):
                return noted
        return None

    @property
    def over(self) -> Noted[BreakGlass] | None:
        """One for this tree that had ended, or had not begun."""
        return next((noted for noted in self.emergencies if self._of_this(noted)), None) if not self.glass else None

    def _of_this(self, noted: Noted[BreakGlass]) -> bool:
        return noted.says.merge_tree == self.tree and noted.says.target == self.ref


def judge(case: Case, record: Record, expect: Expect, now: float) -> tuple[Found, ...]:
    """Every exception of the commit. A commit that no change brought has one: there is nothing else to hold it to."""
    if case.joined.part_of:
        return ()
    if _is_direct(case):
        return (Found("direct-push"),)
    rules: tuple[Callable[[Case], list[Found]], ...] = (_decided, _emergency, _provenance, _tests, _deployed)
    found = [each for rule in rules for each in rule(case)]
    if not expect.tests:
        found = [each for each in found if each.kind not in ("no-tests", "failed-tests")]
    if not expect.provenance:
        found = [each for each in found if each.kind != "unknown-provenance"]
    return (*found, *_approved(case, record, expect, now))


def clicked(case: Case) -> frozenset[str]:
    """Who approved this very head at the forge before it was merged, and neither made it nor is a machine."""
    return frozenset(click.person for click in _clicks(case) if click.person and _click_fault(case, click) is None)


def seconds(time: str) -> float:
    return parse_time(time).timestamp()


# Private

_APPROVE = re.compile(r"approve[a-z-]*:([0-9]{1,3})\Z")


def _is_direct(case: Case) -> bool:
    joined = case.joined
    if joined.merge is not None or joined.decisions:
        return False
    # A merge of something that neither ledger nor forge knows is a push too; where the forge was not asked, it may be
    # a change that was never assessed.
    return case.known_to_forge is not None or not joined.head


def _decided(case: Case) -> list[Found]:
    found = [Found("merge-outside-forge")] if case.known_to_forge is False else []
    decision = case.decision
    if decision is None:
        others = tuple(noted.index for noted in case.joined.decisions)
        if case.late_decision is not None:
            return [*found, Found("assessed-late", "", (case.late_decision.index,))]
        return [*found, Found("other-tree", "", others) if others else Found("not-assessed")]
    if decision.says.verdict != PASS and case.glass is None:
        found.append(Found("merged-while-held", f"the verdict was {decision.says.verdict}", (decision.index,)))
    said = [noted for noted in case.summaries if noted.at <= case.at]
    failed = [noted.index for noted in said if noted.says.verification_result == "FAILED"]
    last = max((noted.index for noted in said), default=-1)
    if decision.says.verdict == PASS and last in failed and last > decision.index and case.glass is None:
        found.append(Found("merged-while-held", "the last summary of the gate says FAILED", (last,)))
    if case.policy and decision.says.policy != case.policy:
        found.append(Found("other-policy", "", (decision.index,)))
    return found


def _emergency(case: Case) -> list[Found]:
    found: list[Found] = []
    if case.glass is not None:
        found.append(Found("break-glass", "", (case.glass.index,)))
    elif case.over is not None:
        found.append(Found("break-glass-expired", "", (case.over.index,)))
    if case.glass is None and any(not each.confirmed for each in case.declared):
        found.append(Found("break-glass-unconfirmed"))
    return found


def _provenance(case: Case) -> list[Found]:
    merge = case.joined.merge
    unknown = merge.unknown_lines if merge is not None else None
    if unknown == 0 or (unknown is None and case.provenance):
        return []
    return [Found("unknown-provenance", f"{unknown} lines" if unknown else "nothing speaks for it")]


def _tests(case: Case) -> list[Found]:
    if not case.tests:
        return [Found("no-tests")]
    last = max(case.tests, key=lambda noted: noted.index)
    return [Found("failed-tests", "", (last.index,))] if last.says.result == "FAILED" else []


def _deployed(case: Case) -> list[Found]:
    found: list[Found] = []
    for noted in case.deployments:
        if noted.at < case.at:
            found.append(Found("deployed-early", noted.says.environment, (noted.index,)))
        decision = noted.says.decision
        known = {(each.index, each.leaf) for each in case.joined.decisions}
        known |= {(each.index, each.leaf) for each in case.summaries}
        known |= {(each.index, each.leaf) for each in case.gates if _let(each, noted)}
        if decision is None or (decision.index, decision.leaf) not in known:
            found.append(Found("deployed-without-decision", noted.says.environment, (noted.index,)))
    return found


def _let(gate: Noted[Gate], deployed: Noted[Deployment]) -> bool:
    """Whether this gate let it go there, before it went."""
    same = gate.says.environment == deployed.says.environment
    return same and gate.says.outcome == "pass" and gate.at <= deployed.at


def _approved(case: Case, record: Record, expect: Expect, now: float) -> list[Found]:
    needed = max(expect.approvals, _asked(case.decision))
    faults = [(noted, _fault(case, noted, record, case.at)) for noted in _signed(case)]
    valid = {noted.says.person for noted, fault in faults if fault is None} | clicked(case)
    if len(valid) >= needed:
        return []
    if case.glass is not None:
        return _reviewed(case, record, expect, now, needed)
    found = [Found(fault, "", (noted.index,)) for noted, fault in faults if fault is not None]
    found += [Found(fault, "at the forge") for fault in map(partial(_click_fault, case), _clicks(case)) if fault]
    if found:
        return found
    if not valid:
        return [Found("no-approval")]
    return [Found("too-few-approvals", f"{len(valid)} of {needed}")]


def _asked(decision: Noted[Assessment] | None) -> int:
    """How many approvals the policy asked for, where its obligations say so: `approve:2`."""
    asked = (_APPROVE.match(name) for name in (decision.says.obligations if decision is not None else ()))
    return max((int(match[1]) for match in asked if match), default=0)


def _fault(case: Case, noted: Noted[Approval], record: Record, by: float) -> Kind | None:
    """Why an approval does not count for what was merged at `by`; None where it does."""
    says = noted.says
    policy = case.decision.says.policy if case.decision is not None else says.policy
    withdrawn = record.withdrawn.get((noted.index, noted.leaf))
    distrusted = record.distrusted.get(says.key) if says.key else None
    faults: tuple[tuple[Kind, bool], ...] = (
        ("stale-approval", (says.merge_tree, says.target, says.policy) != (case.tree, case.ref, policy)),
        ("approval-after-merge", noted.at > by),
        ("expired-approval", seconds(says.expires) < by),
        ("withdrawn-approval", withdrawn is not None and withdrawn <= by),
        ("revoked-key", distrusted is not None and distrusted <= by),
        ("bot-approval", says.person in case.bots),
        ("self-approval", says.person in case.makers),
    )
    return next((kind for kind, is_so in faults if is_so), None)


def _signed(case: Case) -> list[Noted[Approval]]:
    """What the gate noted of a click is the forge's word again, which `clicked` counts: nobody counts twice."""
    return [noted for noted in case.approvals if noted.says.evidence != "forge-click"]


def _clicks(case: Case) -> tuple[Click, ...]:
    return case.joined.merge.clicks if case.joined.merge is not None else ()


def _click_fault(case: Case, click: Click) -> Kind | None:
    faults: tuple[tuple[Kind, bool], ...] = (
        ("bot-approval", click.bot),
        ("stale-approval", click.head != case.joined.head),
        ("approval-after-merge", click.at > case.at),
        ("self-approval", click.person in case.makers),
    )
    return next((kind for kind, is_so in faults if is_so), None)


def _reviewed(case: Case, record: Record, expect: Expect, now: float, needed: int) -> list[Found]:
    """After an emergency the review may come later, but not for ever."""
    deadline = case.at + expect.review_days * DAY
    in_time = {
        noted.says.person
        for noted in _signed(case)
        if noted.at <= deadline and _fault(case, noted, record, max(case.at, noted.at)) is None
    }
    if len(in_time) >= needed or now <= deadline:
        return []
    late = tuple(noted.index for noted in case.approvals if noted.at > deadline)
    return [Found("late-review", "reviewed later" if late else "never reviewed", late)]
