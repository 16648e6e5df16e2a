"""Every demand that the gate makes of a deployment, in order. What is not known is never met."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from tidegate.policy.case import count, listing, one_line
from tidegate.policy.identities import Identities
from tidegate.policy.verdict import STRICTNESS
from tidegate.rollout.bench import Bench, all_of, moment, name_of, names_of, obligation, short_of
from tidegate.rollout.demands_approvals import approvals
from tidegate.rollout.demands_back import going_back, reversal
from tidegate.rollout.demands_limits import blast, budget
from tidegate.rollout.demands_order import freezes, order
from tidegate.rollout.document import Environment, Rollout, Unreadable
from tidegate.rollout.gate import (
    EARLIEST,
    LATEST,
    MOST_SKEW_SECONDS,
    SKEW_SECONDS,
    ChangeCase,
    Changes,
    Obligation,
    Question,
    Situation,
    State,
    Sums,
)
from tidegate.rollout.joined import Unjoined
from tidegate.settings import nearest


def demands_of(
    question: Question,
    changes: Changes | Unjoined,
    document: Rollout | Unreadable,
    now: float,
    situation: Situation,
    sums: Sums,
) -> Iterator[Obligation]:
    """Every demand, in the order in which a person reads them."""
    clock = _clock(question, changes, now, situation)
    yield clock
    yield from _read(changes, document, situation)
    environment = _environment(question, document)
    if isinstance(document, Rollout) and environment is None:
        yield _unknown_environment(question, document)
    if isinstance(changes, Changes) and changes.direction != "backward":
        yield from _changes_passed(changes.comes)
    if environment is None or not isinstance(document, Rollout):
        return
    if clock.state != "met":
        return
    bench = Bench(
        question=question,
        environment=environment,
        document=document,
        now=now,
        skew=situation.skew,
        situation=situation,
        identities=Identities(situation.settings),
    )
    if isinstance(changes, Changes) and changes.direction == "backward":
        yield from going_back(bench, changes)
        return
    if isinstance(changes, Changes) and changes.goes:
        yield reversal(bench, changes.goes)
    yield from freezes(bench)
    yield from order(bench)
    if environment.approvals_asked:
        yield approvals(bench)
    if isinstance(changes, Changes):
        yield from blast(bench, sums)
    if environment.error_budget is not None:
        yield budget(bench)


# Private


def _read(changes: Changes | Unjoined, document: Rollout | Unreadable, situation: Situation) -> Iterator[Obligation]:
    """What could not be read, or is told by nobody who counts."""
    if isinstance(document, Unreadable):
        yield obligation("document", "the rollout document can be read", "unknown", document.reason, document.mend)
    if isinstance(changes, Unjoined):
        yield obligation("joined", "the changes of the deployment are known", "unknown", changes.why, changes.mend)
    if situation.hearsay:
        mend = "sign what is told, or deploy by a gate, or take anybody's word: docs/gates.md"
        yield obligation("running", "somebody who counts says what runs there", "unknown", situation.hearsay, mend)


def _clock(question: Question, changes: Changes | Unjoined, now: float, situation: Situation) -> Obligation:
    text = "the clock can be trusted"
    wrong = _clock_fault(question, changes, now, situation)
    if wrong:
        return obligation("clock", text, "unknown", wrong, "set the clock of this machine, or of the sender: NTP")
    return obligation("clock", text, "met", f"it is {moment(now)}, give or take {situation.skew:g} s")


def _clock_fault(question: Question, changes: Changes | Unjoined, now: float, situation: Situation) -> str:
    if not (math.isfinite(now) and EARLIEST <= now <= LATEST):
        return "the moment of the question is no moment of this century"
    if not (math.isfinite(situation.skew) and 0 <= situation.skew <= MOST_SKEW_SECONDS):
        return f"nobody knows to better than {MOST_SKEW_SECONDS / 3600:g} hour how late it is"
    asked = question.asked_at
    if asked is not None and not abs(asked - now) <= MOST_SKEW_SECONDS:
        return "the sender's clock and this one are more than an hour apart"
    for case in (*changes.comes, *changes.goes) if isinstance(changes, Changes) else ():
        known = case.facts.get("now") if case.facts is not None else None
        if isinstance(known, str) and _seconds(known) > now + SKEW_SECONDS:
            return f"the facts of {name_of(case)} are from later than now"
    if isinstance(changes, Changes) and changes.direction == "backward":
        return ""  # a message about tomorrow must not stop the way back
    for one in situation.deployments or ():
        if (one.environment, one.service) == (question.environment, question.service):
            times = (one.started, one.started if one.finished is None else one.finished)
            if not all(at <= now + MOST_SKEW_SECONDS for at in times):  # it would say for that long what runs there
                return f"the deployment {one_line(one.id)} is from more than an hour later than now"
    return ""


def _seconds(text: str) -> float:
    """A moment as Unix seconds; one that cannot be read is later than any."""
    try:
        given = datetime.fromisoformat(text)
        return given.timestamp() if given.tzinfo is not None else math.inf
    except (ValueError, OverflowError):
        return math.inf


def _environment(question: Question, document: Rollout | Unreadable) -> Environment | None:
    return document.environments.get(question.environment) if isinstance(document, Rollout) else None


def _unknown_environment(question: Question, document: Rollout) -> Obligation:
    name = one_line(question.environment) or "no environment"
    mend = nearest(question.environment, list(document.environments))
    return obligation("environment", "the environment is known", "unknown", f"{document.origin} has no {name}", mend)


def _changes_passed(cases: Sequence[ChangeCase]) -> Iterator[Obligation]:
    unknown = [case for case in cases if case.facts is None and not case.waived]
    text = f"the facts of {all_of(cases)} are known"
    if unknown:
        why = f"nothing is known of {count(len(unknown), 'change')}: {names_of(unknown)}"
        yield obligation("facts", text, "unknown", why, f"tidegate check {short_of(unknown[0])}")
    else:
        yield obligation("facts", text, "met", "each was assessed" if cases else "no change comes")
    yield _policy(cases)


def _policy(cases: Sequence[ChangeCase]) -> Obligation:
    text = f"policy lets {all_of(cases)} pass"
    waived = [case for case in cases if case.waived]
    rest = [case for case in cases if not case.waived]
    bad = [case for case in rest if _outcome(case) != "pass"]
    if not bad:
        why = f"{len(rest)} pass" if rest else "no change comes" if not cases else ""
        if waived:
            let = f"{names_of(waived)} let through by {one_line(waived[0].waived)}"
            why = f"{why}; {let}" if why else let
        return obligation("policy", text, "met", why)
    blocked = [case for case in bad if _outcome(case) == "block"]
    unasked = [case for case in bad if _outcome(case) == ""]
    shown = blocked or [case for case in bad if case not in unasked] or unasked
    word = "blocked" if blocked else "held" if shown is not unasked else "without a verdict"
    rules = tuple(dict.fromkeys(rule for case in shown for rule in case.rules))
    by = f" by {listing(rules)}" if rules else ""
    why = f"{count(len(shown), 'change')} of {len(cases)} {word}{by}"
    if any(case.facts is not None for case in shown) or shown is not unasked:
        why += f": {names_of(shown)}"  # of what nothing is known the names stand with its facts
    state: State = "unknown" if shown is unasked else "unmet"
    found = obligation("policy", text, state, why, f"tidegate check {short_of(shown[0])}")
    return replace(found, effect="block") if blocked else found


def _outcome(case: ChangeCase) -> str:
    """The stricter of what was said when it merged and what is said today; "" where today nobody could say."""
    if "block" in (case.asked, case.recorded):
        return "block"
    if case.facts is None or not case.asked:
        return ""
    return max((case.asked, case.recorded or "pass"), key=lambda outcome: STRICTNESS.get(outcome, 2))
