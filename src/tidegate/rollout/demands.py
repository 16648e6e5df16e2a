"""Every demand that the gate makes of a deployment, one function each. What is not known is never met."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Unknown
from tidegate.policy.case import count, listing, one_line, short
from tidegate.policy.identities import Identities
from tidegate.policy.verdict import STRICTNESS
from tidegate.rollout.document import Blast, Covers, Environment, Rollout, Unreadable
from tidegate.rollout.gate import (
    EARLIEST,
    LATEST,
    MOST_SKEW_SECONDS,
    SKEW_SECONDS,
    Approval,
    ChangeCase,
    Changes,
    DemandKind,
    Obligation,
    Question,
    Situation,
    State,
    Sums,
)
from tidegate.rollout.hits import SEVERITIES, irreversible
from tidegate.rollout.joined import Unjoined
from tidegate.rollout.leaves import why_not
from tidegate.rollout.people import apart, is_a_machine, members, person_of
from tidegate.rollout.values import Deployment
from tidegate.settings import nearest

STALE_BUDGET_SECONDS = 600.0
LONGEST_APPROVAL_SECONDS = 7 * 86400.0
STILL_GOING_SECONDS = 86400.0
"""A deployment whose end nobody reported may be still going on for so long."""
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


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
    if isinstance(document, Unreadable):
        yield _obligation("document", "the rollout document can be read", "unknown", document.reason, document.mend)
    if isinstance(changes, Unjoined):
        yield _obligation("joined", "the changes of the deployment are known", "unknown", changes.why, changes.mend)
    environment = _environment(question, document)
    if isinstance(document, Rollout) and environment is None:
        yield _unknown_environment(question, document)
    if isinstance(changes, Changes) and changes.direction != "backward":
        yield from _changes_passed(changes.comes)
    if environment is None or not isinstance(document, Rollout):
        return
    if clock.state != "met":
        return
    bench = _Bench(
        question=question,
        environment=environment,
        document=document,
        now=now,
        skew=situation.skew,
        situation=situation,
        identities=Identities(situation.settings),
    )
    if isinstance(changes, Changes) and changes.direction == "backward":
        yield from _going_back(bench, changes)
        return
    if isinstance(changes, Changes) and changes.goes:
        yield _reversal(bench, changes.goes)
    yield from _freezes(bench)
    yield from _order(bench)
    if environment.approvals_asked:
        yield _approvals(bench)
    if isinstance(changes, Changes):
        yield from _blast(bench, sums)
    if environment.error_budget is not None:
        yield _budget(bench)


# Private


class _Bench(Struct, frozen=True, kw_only=True):
    """What the demands of a known environment are judged on."""

    question: Question
    environment: Environment
    document: Rollout
    now: float
    skew: float
    situation: Situation
    identities: Identities

    @property
    def early(self) -> float:
        return self.now - self.skew

    @property
    def late(self) -> float:
        return self.now + self.skew


def _obligation(kind: DemandKind, text: str, state: State, why: str, next_step: str = "") -> Obligation:
    return Obligation(kind=kind, text=text, state=state, why=why, next_step="" if state == "met" else next_step)


def _clock(question: Question, changes: Changes | Unjoined, now: float, situation: Situation) -> Obligation:
    text = "the clock can be trusted"
    wrong = _clock_fault(question, changes, now, situation)
    if wrong:
        return _obligation("clock", text, "unknown", wrong, "set the clock of this machine, or of the sender: NTP")
    return _obligation("clock", text, "met", f"it is {moment(now)}, give or take {situation.skew:g} s")


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
            return f"the facts of {_name(case)} are from later than now"
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
    return _obligation("environment", "the environment is known", "unknown", f"{document.origin} has no {name}", mend)


def _changes_passed(cases: Sequence[ChangeCase]) -> Iterator[Obligation]:
    unknown = [case for case in cases if case.facts is None and not case.waived]
    text = f"the facts of {_all(cases)} are known"
    if unknown:
        why = f"nothing is known of {count(len(unknown), 'change')}: {_names(unknown)}"
        yield _obligation("facts", text, "unknown", why, f"tidegate check {_short(unknown[0])}")
    else:
        yield _obligation("facts", text, "met", "they were kept" if cases else "no change comes")
    yield _policy(cases)


def _policy(cases: Sequence[ChangeCase]) -> Obligation:
    text = f"policy lets {_all(cases)} pass"
    waived = [case for case in cases if case.waived]
    rest = [case for case in cases if not case.waived]
    bad = [case for case in rest if _outcome(case) != "pass"]
    if not bad:
        why = f"{len(rest)} pass" if rest else "no change comes" if not cases else ""
        if waived:
            let = f"{_names(waived)} let through by {one_line(waived[0].waived)}"
            why = f"{why}; {let}" if why else let
        return _obligation("policy", text, "met", why)
    blocked = [case for case in bad if _outcome(case) == "block"]
    unasked = [case for case in bad if _outcome(case) == ""]
    shown = blocked or [case for case in bad if case not in unasked] or unasked
    word = "blocked" if blocked else "held" if shown is not unasked else "without a verdict"
    rules = tuple(dict.fromkeys(rule for case in shown for rule in case.rules))
    by = f" by {listing(rules)}" if rules else ""
    why = f"{count(len(shown), 'change')} of {len(cases)} {word}{by}: {_names(shown)}"
    state: State = "unknown" if shown is unasked else "unmet"
    found = _obligation("policy", text, state, why, f"tidegate check {_short(shown[0])}")
    return replace(found, effect="block") if blocked else found


def _outcome(case: ChangeCase) -> str:
    """The stricter of what was said when it merged and what is said today; "" where today nobody could say."""
    if "block" in (case.asked, case.recorded):
        return "block"
    if case.facts is None or not case.asked:
        return ""
    return max((case.asked, case.recorded or "pass"), key=lambda outcome: STRICTNESS.get(outcome, 2))


def _freezes(bench: _Bench) -> Iterator[Obligation]:
    name = bench.question.environment
    for freeze in bench.document.freezes:
        ends = freeze.ends(name, bench.early, bench.late)
        if ends is None:
            continue
        words = one_line(freeze.name)
        found = Obligation(
            kind="freeze",
            text=f"no freeze holds for {name}",
            state="unmet",
            why=f"the freeze {words} holds until {moment(ends)}",
            next_step="wait, or have two people write an [[exception]] for it",
            until=ends + bench.skew,
        )
        yield _set_aside(bench, found, "freeze", freeze.name)


def _order(bench: _Bench) -> Iterator[Obligation]:
    for name in bench.environment.after:
        text = f"{name} runs {short(bench.question.revision) or 'it'} first"
        if bench.situation.deployments is None:
            found = _obligation(
                "order", text, "unknown", f"nobody knows what runs in {name}", "report deployments: docs/gates.md"
            )
            yield _set_aside(bench, found, "order")
            continue
        run = _longest_run(bench, name)
        if run is None:
            found = _obligation(
                "order", text, "unmet", f"it was not deployed to {name} so that it ran", f"deploy it to {name} first"
            )
            yield _set_aside(bench, found, "order")
            continue
        yield _obligation("order", text, "met", f"it ran there from {moment(run.since)}")
        if bench.environment.bake_minutes:
            yield _set_aside(bench, _bake(bench, name, run), "bake")


class _Run(Struct, frozen=True):
    """How long a revision ran. `goes_on` is whether it still does."""

    since: float
    seconds: float
    goes_on: bool


def _longest_run(bench: _Bench, environment: str) -> _Run | None:
    here = [
        one
        for one in bench.situation.deployments or ()
        if one.environment == environment and one.service == bench.question.service and one.status != "cancelled"
    ]
    runs = [run for one in here if (run := _run_of(bench, one, here)) is not None]
    return max(runs, key=lambda run: (run.seconds, run.goes_on, -run.since), default=None)


def _run_of(bench: _Bench, one: Deployment, here: Sequence[Deployment]) -> _Run | None:
    """How long it certainly ran alone: from its end to the beginning of the next, whatever became of that one."""
    if (
        one.status != "succeeded"
        or one.action == "remove"
        or one.revision != bench.question.revision
        or not _OID.fullmatch(one.revision)
    ):
        return None
    since = max(one.started, one.finished if one.finished is not None else one.started)
    if not (math.isfinite(since) and since <= bench.early):
        return None
    until = min((_replaced(one, since, other) for other in here if other.id != one.id), default=math.inf)
    if not until >= since:
        return None
    return _Run(since, min(bench.early, until) - since, until > bench.late)


def _replaced(one: Deployment, since: float, other: Deployment) -> float:
    """When another deployment may have put something else in the place of this one, which ran since then."""
    end = other.started if other.finished is None else max(other.started, other.finished)
    if not (math.isfinite(other.started) and math.isfinite(end)):
        return -math.inf
    if other.started >= one.started:
        return other.started
    if other.finished is None and other.status == "started" and one.started - other.started < STILL_GOING_SECONDS:
        return -math.inf
    return end if end > since else math.inf


def _bake(bench: _Bench, name: str, run: _Run) -> Obligation:
    minutes = bench.environment.bake_minutes
    text = f"it ran in {name} for {count(minutes, 'minute')}"
    ran = f"it ran there for {count(int(run.seconds // 60), 'minute')}"
    if run.seconds >= minutes * 60:
        return _obligation("bake", text, "met", ran)
    step = "wait" if run.goes_on else f"deploy it to {name} again, and let it run"
    found = _obligation("bake", text, "unmet", ran, step)
    return replace(found, until=run.since + minutes * 60 + bench.skew) if run.goes_on else found


def _approvals(bench: _Bench) -> Obligation:
    asked = bench.environment.approvals_asked
    allowed = members(bench.identities, bench.environment.approvers) if bench.environment.approvers else None
    from_whom = f" from {listing(bench.environment.approvers, joint='or')}" if bench.environment.approvers else ""
    text = f"{count(asked, 'person')} approve{'s' if asked == 1 else ''} this deployment{from_whom}"
    text = text.replace(" persons ", " people ")
    actor = person_of(bench.identities, bench.question.actor)
    if not actor and not is_a_machine(bench.identities, bench.question.actor):
        who = f"nobody is known as {one_line(bench.question.actor)}" if bench.question.actor else "nobody says who asks"
        return _obligation(
            "approvals", text, "unknown", f"{who}, and whoever asks does not count", "say who asks: --actor"
        )
    people: list[str] = []
    refused: list[str] = []
    for approval in bench.situation.approvals:
        person = person_of(bench.identities, approval.by)
        reason = _refused(bench, approval, person, actor, allowed)
        if reason:
            refused.append(f"{one_line(approval.by, 60)} {reason}")
        else:
            people.append(person)
    have = apart(bench.situation.settings, [*people, actor] if actor else people) - (1 if actor else 0)
    why = f"{listing(tuple(dict.fromkeys(people)))} approved" if people else "nobody approved"
    if refused:
        why = f"{why}; not counted: {listing(refused)}"
    state: State = "met" if have >= asked else "unmet"
    return _obligation("approvals", text, state, why, f"ask {asked - have} more{from_whom}")


def _refused(bench: _Bench, approval: Approval, person: str, actor: str, allowed: frozenset[str] | None) -> str:
    """Why this approval does not count, "" where it does."""
    question = bench.question
    if not person:
        return "is nobody who is known"
    if person == actor:
        return "asks for it"
    if allowed is not None and person not in allowed:
        return "is not among those who may"
    if approval.revision != question.revision or not _OID.fullmatch(approval.revision):
        return "approved another revision"
    if approval.environment != question.environment or approval.service != question.service:
        return "approved another place"
    if not approval.at <= bench.now:
        return "approved later than now"
    if not min(approval.expires, approval.at + LONGEST_APPROVAL_SECONDS) > bench.late:
        return "approved too long ago"
    return ""


def _blast(bench: _Bench, sums: Sums) -> Iterator[Obligation]:
    share = bench.question.share
    if share is not None and not 0 < share <= 1:
        share = None
    for limit in bench.environment.limits(share):
        step = "this deployment" if limit.share == 1 else f"a step to {limit.share * 100:g} % of the traffic"
        for words, value, most in _bounded(limit, sums):
            yield _set_aside(bench, _within(step, words, value, most), "blast")


def _bounded(limit: Blast, sums: Sums) -> Iterator[tuple[str, float | str | None, float | str]]:
    """What is bounded: its words, what there is, and the most that there may be."""
    services = None if sums.services is None else len(sums.services)
    critical = None if sums.critical_services is None else len(sums.critical_services)
    found: list[tuple[str, float | str | None, float | str | None]] = [
        ("changes", sums.changes, limit.changes),
        ("changed lines", sums.lines, limit.lines),
        ("services within reach", services, limit.services),
        ("critical services within reach", critical, limit.critical_services),
        ("entry points within reach", sums.entry_points, limit.entry_points),
        ("probability of repair", sums.risk, limit.risk),
        ("severity of effects on infrastructure", sums.infra, limit.infra),
    ]
    yield from ((words, value, most) for words, value, most in found if most is not None)


def _within(step: str, words: str, value: float | str | None, most: float | str) -> Obligation:
    text = f"{step} hits at most {_figure(most)} {words}" if not isinstance(most, str) else f"{words}: {most} at most"
    if value is None:
        return _obligation("blast", text, "unknown", f"a change does not say its {words}", "assess its changes again")
    fits = SEVERITIES.index(str(value)) <= SEVERITIES.index(most) if isinstance(most, str) else float(value) <= most
    why = f"it is {_figure(value)}"
    return _obligation("blast", text, "met" if fits else "unmet", why, "deploy fewer changes, or in smaller steps")


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _budget(bench: _Bench) -> Obligation:
    asked, said = bench.environment.error_budget, bench.situation.budget
    least = asked.at_least if asked is not None else 1.0
    text = f"at least {least * 100:g} % of the error budget is left"
    mend = "check the query of error_budget and its server"
    left = said.left if said is not None else None
    problem = "" if said is None else said.problem
    state: State = "unknown"
    if said is None or problem or left is None or not math.isfinite(left):
        why = f"it could not be asked: {one_line(problem)}" if problem else "nobody asked how much is left"
    elif left > 1.000001:
        why = f"the query says {left:.3g}, which is no share of 1"
    elif not bench.late - STALE_BUDGET_SECONDS <= said.at <= bench.now:
        why = "the answer is not of now"
    else:
        state, why = ("met" if left >= least else "unmet"), f"{left * 100:.3g} % is left"
        mend = "wait until it recovers, or mend what eats it"
    return _set_aside(bench, _obligation("budget", text, state, why, mend), "budget")


def _going_back(bench: _Bench, changes: Changes) -> Iterator[Obligation]:
    """What is asked of a roll-back: that it goes to what ran, and that everything can be taken back. No freeze holds
    it, and nobody has to be asked."""
    text = f"{short(bench.question.revision) or 'it'} ran in {bench.question.environment} before"
    ran = [
        one
        for one in bench.situation.deployments or ()
        if (one.environment, one.service) == (bench.question.environment, bench.question.service)
        and one.revision == bench.question.revision
        and one.status == "succeeded"
        and one.action != "remove"
        and one.started <= bench.early
    ]
    if bench.situation.deployments is None:
        why = "nobody knows what ran there"
        yield _obligation("ran-before", text, "unknown", why, "report deployments: docs/gates.md")
    elif not ran:
        why = "no deployment of it that succeeded there is known"
        yield _obligation("ran-before", text, "unmet", why, "roll back to a revision that ran there")
    else:
        since = max(one.started for one in ran)
        yield _obligation("ran-before", text, "met", f"it was deployed there at {moment(since)}")
    yield _reversal(bench, changes.goes)


def _reversal(bench: _Bench, goes: Sequence[ChangeCase]) -> Obligation:
    text = f"{_all(goes)} can be taken away"
    unknown = [case for case in goes if isinstance(irreversible(case.facts), Unknown)]
    stuck = [(case, said) for case in goes if (said := irreversible(case.facts)) and not isinstance(said, Unknown)]
    step = "look at it, and have two people write an [[exception]] that covers reversal"
    state: State = "met"
    why = "nothing in it is known to be irreversible"
    if stuck:
        case, said = stuck[0]
        state, why = "unmet", f"{_name(case)} did what cannot be undone: {listing(said, 3)}"
    elif unknown:
        state, why = "unknown", f"nobody knows what {_names(unknown)} did to the world"
    return _set_aside(bench, _obligation("reversal", text, state, why, step), "reversal")


def _set_aside(bench: _Bench, found: Obligation, covers: Covers, freeze: str = "") -> Obligation:
    """The obligation, set aside where two people did that; else with the reason why what they wrote does not."""
    if found.state == "met":
        return found
    given = [*bench.document.leaves, *bench.situation.leaves]
    about = [one for one in given if one.covers == covers and one.environment == bench.question.environment]
    reasons: list[str] = []
    for leave in about:
        if reason := why_not(leave, bench.question, bench.situation.settings, (bench.early, bench.late), freeze):
            reasons.append(reason)
        else:
            return replace(
                found,
                state="set aside",
                why=f"{found.why}; set aside by {listing(leave.people)}: {one_line(leave.reason)}",
                next_step="",
            )
    return replace(found, why=f"{found.why}; an exception does not hold: {reasons[0]}") if reasons else found


def moment(at: float) -> str:
    """A moment as a person writes it, in UTC to the minute."""
    if not math.isfinite(at) or not 0 <= at <= LATEST:
        return "an unknown time"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _name(case: ChangeCase) -> str:
    return f"{_short(case)} {one_line(case.title, 50)}".strip()


def _short(case: ChangeCase) -> str:
    return short(case.commit) or "HEAD"


def _names(cases: Sequence[ChangeCase]) -> str:
    return listing([_name(case) for case in cases], 3)


def _all(cases: Sequence[ChangeCase]) -> str:
    return "the one change" if len(cases) == 1 else f"all {len(cases)} changes" if cases else "every change"
