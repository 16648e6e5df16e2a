"""What controls of known frameworks ask to see, and whether it was found. It is never said that anybody complies.

The words are ours and short; the frameworks' own texts count. What is listed is evidence that this record can hold; a
control may ask for more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.ledger.evidence.kinds import Kind
from tidegate.ledger.evidence.values import Item, Leg, Population

Want: TypeAlias = Literal[
    "population",
    "identity",
    "authorship",
    "impact",
    "decision",
    "tests",
    "approval",
    "separation",
    "emergency",
    "deployment",
    "fall-back",
    "integrity",
]
State: TypeAlias = Literal["found", "missing", "not collected", "does not apply"]

WANTS: dict[Want, str] = {
    "population": "every commit of the protected branches is listed, joined to a change or named as an exception",
    "identity": "exactly what was changed: head, merged tree and commit",
    "authorship": "who or what wrote it, and who answers for that",
    "impact": "an assessment of what the change touches, security included, before it was merged",
    "decision": "a decision of the gate under a named policy",
    "tests": "results of tests of this very change",
    "approval": "an approval of what was merged, before it was merged",
    "separation": "the approval is by somebody who neither wrote nor asked for the change",
    "emergency": "emergencies were declared by two people, and reviewed afterwards",
    "deployment": "what was brought to which environment, when, and on which decision",
    "fall-back": "what became of the change, and whether it was taken back",
    "integrity": "receipts by which each entry is proved without the keeper of the record",
}


class Control(Struct, frozen=True):
    """A control: its framework, its number there, what it is about, and what it wants to see."""

    framework: str
    number: str
    about: str
    wants: tuple[Want, ...]


class Answer(Struct, frozen=True):
    want: Want
    state: State
    detail: str


class Answered(Struct, frozen=True):
    control: Control
    answers: tuple[Answer, ...]


CONTROLS: tuple[Control, ...] = (
    Control(
        "SOC 2",
        "CC8.1",
        "changes are authorised, designed, documented, tested, approved and implemented",
        ("population", "identity", "decision", "tests", "approval", "separation", "emergency", "deployment"),
    ),
    Control(
        "PCI DSS 4.0.1",
        "6.5.1",
        "changes follow procedures: reason, security impact, approval, tests, a way back",
        ("identity", "impact", "approval", "tests", "fall-back"),
    ),
    Control(
        "PCI DSS 4.0.1",
        "6.5.4",
        "roles are separated, so that only reviewed and approved changes are deployed",
        ("approval", "separation", "deployment"),
    ),
    Control(
        "DORA RTS 2024/1774",
        "Art. 17",
        "approval is independent of request and implementation; fall-back and emergency procedures",
        ("decision", "impact", "approval", "separation", "tests", "emergency", "fall-back"),
    ),
    Control(
        "SOX ITGC",
        "change management (PCAOB AS 2201)",
        "a complete population, then a sample: request, approval, test, separation, deployment",
        ("population", "approval", "tests", "separation", "deployment", "integrity"),
    ),
    Control(
        "ISO/IEC 27001:2022",
        "A.8.32",
        "changes are subject to change management procedures",
        ("population", "impact", "decision", "tests", "approval", "emergency", "fall-back"),
    ),
    Control("NIST SP 800-218", "PS.1", "code is protected from unauthorised change", ("population", "integrity")),
    Control("NIST SP 800-218", "PS.3.2", "provenance of each release is kept and shared", ("authorship", "integrity")),
    Control("NIST SP 800-218", "PW.7", "code is reviewed", ("approval", "separation")),
    Control("NIST SP 800-218", "PW.8", "executable code is tested", ("tests",)),
)


def answers_for_item(item: Item, legs: Sequence[Leg]) -> tuple[Answer, ...]:
    """What was found of one change, for each thing that any control wants."""
    kinds = {found.kind for found in item.exceptions}
    return tuple(Answer(want, *_state(want, item, kinds, legs)) for want in WANTS)


def answers_for_all(population: Population, items: Sequence[Item]) -> tuple[Answer, ...]:
    """The same for a period or a sample: found only where it was found of every change."""
    answered = [answers_for_item(item, population.legs) for item in items]
    summed = (_summed(want, [answers[at] for answers in answered]) for at, want in enumerate(WANTS))
    loose = {found.kind for found in population.loose}
    return tuple(_with_loose(answer, loose) for answer in summed)


def map_controls(answers: Iterable[Answer]) -> tuple[Answered, ...]:
    """The answers, control by control."""
    by_want = {answer.want: answer for answer in answers}
    return tuple(Answered(control, tuple(by_want[want] for want in control.wants)) for control in CONTROLS)


# Private

_APPROVAL: frozenset[Kind] = frozenset(
    (
        "direct-push",
        "no-approval",
        "too-few-approvals",
        "stale-approval",
        "expired-approval",
        "withdrawn-approval",
        "revoked-key",
        "approval-after-merge",
        "late-review",
    )
)
_SEPARATION: frozenset[Kind] = frozenset(("self-approval", "bot-approval"))
_DECISION: frozenset[Kind] = frozenset(
    ("direct-push", "not-assessed", "assessed-late", "other-tree", "other-policy", "merged-while-held")
)
_EMERGENCY: frozenset[Kind] = frozenset(("break-glass-unconfirmed", "break-glass-expired", "late-review"))
_TESTS: frozenset[Kind] = frozenset(("direct-push", "no-tests", "failed-tests"))
_DEPLOYED: frozenset[Kind] = frozenset(("deployed-early", "deployed-without-decision"))
_AGAINST: dict[Want, frozenset[Kind]] = {
    "decision": _DECISION,
    "impact": _DECISION - {"merged-while-held", "other-policy"},
    "tests": _TESTS,
    "approval": _APPROVAL | _SEPARATION,
    "separation": _APPROVAL | _SEPARATION,
    "authorship": frozenset(("direct-push", "unknown-provenance")),
}
_LOOSE: dict[Want, frozenset[Kind]] = {
    "population": frozenset(("ledger-gap", "history-rewritten")),
    "integrity": frozenset(("ledger-gap",)),
    "deployment": frozenset(("deployed-unknown",)),
    "emergency": frozenset(("break-glass-unconfirmed",)),
}
_NEEDS: dict[Want, str] = {
    "decision": "decision",
    "impact": "decision",
    "tests": "tests",
    "approval": "approval",
    "separation": "approval",
}


def _state(want: Want, item: Item, kinds: set[Kind], legs: Sequence[Leg]) -> tuple[State, str]:
    if want == "integrity" and not item.entries:
        return "does not apply", "no entry speaks of it"
    if want in ("population", "identity", "integrity"):
        return "found", WANTS[want]
    if item.part_of:
        return "does not apply", f"it is part of the change that {item.part_of[:12]} stands for"
    if want == "emergency":
        if not item.evidence.get("emergency") and not kinds & _EMERGENCY:
            return "does not apply", "there was none"
        return ("missing", _named(kinds & _EMERGENCY)) if kinds & _EMERGENCY else ("found", "confirmed by two people")
    if want == "deployment":
        return _deployment(item, kinds, legs)
    if want == "fall-back":
        known = item.evidence.get("outcome")
        return ("found", "its outcome is on record") if known else ("not collected", "no outcome is on record")
    against = kinds & _AGAINST.get(want, frozenset())
    if against:
        return "missing", _named(against)
    if want in ("approval", "separation") and item.clicks and not item.evidence.get("approval"):
        return "found", "at the forge alone, which no key signed: weaker"
    if want in _NEEDS and not item.evidence.get(_NEEDS[want]):
        return "missing", f"no {_NEEDS[want]} is on record"
    return "found", WANTS[want]


def _deployment(item: Item, kinds: set[Kind], legs: Sequence[Leg]) -> tuple[State, str]:
    if kinds & _DEPLOYED:
        return "missing", _named(kinds & _DEPLOYED)
    if item.evidence.get("deployment"):
        return "found", WANTS["deployment"]
    if next(leg for leg in legs if leg.name == "deployments").total is None:
        return "not collected", "no deployments are on record"
    return "does not apply", "it was not deployed"


def _with_loose(answer: Answer, loose: set[Kind]) -> Answer:
    """What belongs to no commit counts against the whole."""
    against = loose & _LOOSE.get(answer.want, frozenset())
    return Answer(answer.want, "missing", f"{answer.detail}; {_named(against)}") if against else answer


def _summed(want: Want, answers: Sequence[Answer]) -> Answer:
    counts = {state: sum(answer.state == state for answer in answers) for state in _ORDER}
    total = sum(counts.values())
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    for state in _ORDER:
        if counts[state]:
            return Answer(want, state, f"of {total}: {said}")
    return Answer(want, "does not apply", "there were no changes")


_ORDER: tuple[State, ...] = ("missing", "not collected", "found", "does not apply")
"""The worst first: one that is missing makes the whole missing."""


def _named(kinds: Iterable[Kind]) -> str:
    return ", ".join(sorted(kinds))
