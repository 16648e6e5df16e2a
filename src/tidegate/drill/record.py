"""An exercise as a statement for the ledger, or as plain JSON where there is no ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from tidegate.drill.score import option_of
from tidegate.drill.values import Given, Report, Scenario
from tidegate.facts import to_json
from tidegate.ledger.fields import Subject
from tidegate.ledger.keys import Signer
from tidegate.ledger.log_rows import NewEntry
from tidegate.ledger.predicates.drill import TYPE, Decided, Drill
from tidegate.ledger.statements import Statement, sign_statement


def drill_of(scenario: Scenario, report: Report, answers: Mapping[str, Given], at: str, *, checked: bool) -> Drill:
    """What the record says. No text that people wrote is in it: letters, points, seconds, digests."""
    marked = {one.decision: one for one in report.marked}
    decided = []
    for decision in scenario.decisions:
        given = answers.get(decision.id)
        option = option_of(decision, given.given) if given is not None else None
        named = option.id if option is not None else "free" if given is not None and given.given.strip() else "none"
        half = round(2 * marked[decision.id].points)
        seconds = int(given.seconds) if given is not None else 0
        decided.append(Decided(decision=decision.id, option=named, half_points=half, seconds=seconds))
    saw = report.gate.saw if report.gate.outcome != "pass" else ()
    return Drill(
        commit=report.revision,
        pattern=report.pattern,
        seed=scenario.seed,
        scenario=hashlib.sha256(to_json(scenario)).hexdigest(),
        report=hashlib.sha256(to_json(report)).hexdigest(),
        half_points=round(2 * report.points),
        most=report.most,
        outcome=report.gate.outcome,
        at=at,
        checked=checked,
        rules=tuple(rule.id for rule in saw[:64]),
        decisions=tuple(decided),
    )


def statement_of(drill: Drill, name: str) -> Statement:
    return Statement((Subject(digest={"gitCommit": drill.commit}, name=name[:200]),), drill)


def entry_of(signer: Signer, drill: Drill, name: str) -> NewEntry:
    """The entry; the same exercise recorded twice is the one that is there."""
    envelope = sign_statement(statement_of(drill, name), [signer])
    return NewEntry(f"drill:{drill.report}:{drill.at}", TYPE, f"commit:{drill.commit}", envelope)
