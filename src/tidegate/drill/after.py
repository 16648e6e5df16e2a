"""The after-action report: what was decided, what the repository says, what it found, what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tidegate.drill.actions import Where, try_actions
from tidegate.drill.field import Field
from tidegate.drill.score import mark_all
from tidegate.drill.values import Given, Marked, Report, Scenario, Tested

UNCHECKED = "No repository was at hand: what stands here of owners, revisions and the gate is what the file says."


def report_of(
    scenario: Scenario,
    answers: Mapping[str, Given],
    group: str,
    field: Field | None,
    tested: Sequence[Tested] = (),
) -> Report:
    """What came of an exercise. With a `field` the repository has answered; without, the file is believed, and that is
    said."""
    marked = mark_all(scenario.decisions, answers, field.ask if field is not None else _nobody)
    checked = UNCHECKED
    if field is not None:
        checked = f"Owners, revisions and the gate were asked of the repository at {scenario.revision[:12]}."
    return Report(
        schema="tidegate.drill-report/1",
        scenario=scenario.title,
        title=f"After-action report: {scenario.title}"[:400],
        pattern=scenario.pattern,
        repository=scenario.repository,
        revision=scenario.revision,
        group=group,
        points=sum(one.points for one in marked),
        most=sum(one.most for one in marked),
        marked=marked,
        gate=scenario.gate,
        criteria=scenario.criteria,
        findings=findings_of(scenario, marked),
        truth=scenario.truth,
        source=scenario.source,
        actions=scenario.actions,
        tested=tuple(tested),
        checked=checked,
    )


def findings_of(scenario: Scenario, marked: Sequence[Marked]) -> tuple[str, ...]:
    """What the exercise has shown of the repository, then of the group, in sentences."""
    found = []
    gate = scenario.gate
    if gate.outcome == "pass":
        found.append("Nothing here would have held it: the gate lets the hidden change pass.")
    elif not gate.saw and not gate.place:
        ids = ", ".join(rule.id for rule in gate.held[:4])
        found.append(
            f"Nothing here would have held it for what it is: only {ids} stopped it, which every change meets with"
            f" one approval."
        )
    elif not gate.saw:
        ids = ", ".join(rule.id for rule in gate.place[:4])
        found.append(f"The gate did not see the fault: {ids} look at where it is, who wrote it or how far it reaches.")
    else:
        found.append(f"The gate saw it: {', '.join(f'{rule.id} ({rule.title})' for rule in gate.saw[:4])}.")
    open_ = [one for one in scenario.criteria if one.answer != "yes" and one.id not in ("gate-held", "gate-saw")]
    found += [f"{one.question} {one.answer.capitalize()}: {one.evidence}." for one in open_]
    late = [one.decision for one in marked if one.late]
    if late:
        found.append(f"Decided too late: {', '.join(late)}.")
    missed = [one.decision for one in marked if one.points == 0]
    if missed:
        found.append(f"To be practised again: {', '.join(missed)}.")
    return tuple(found)


def backtested(
    field: Field, scenario: Scenario, progress: Callable[[int, int], None] | None = None
) -> tuple[Tested, ...]:
    """The actions of a scenario that are rules, over the last year of its repository and on the hidden change."""
    where = Where(field.clone, scenario.revision, field.policy, field.facts)
    return try_actions(scenario.actions, where, progress)


# Private


def _nobody(*_: object) -> None:
    return None
