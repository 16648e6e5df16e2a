"""What the gate demands of people: enough of those who may approved this very revision, for this very place."""

from __future__ import annotations

from tidegate.policy.case import count, listing, one_line
from tidegate.rollout.bench import OID, Bench, obligation
from tidegate.rollout.gate import Approval, Obligation, State
from tidegate.rollout.people import apart, is_a_machine, members, person_of

LONGEST_APPROVAL_SECONDS = 7 * 86400.0


def approvals(bench: Bench) -> Obligation:
    asked = bench.environment.approvals_asked
    allowed = members(bench.identities, bench.environment.approvers) if bench.environment.approvers else None
    from_whom = f" from {listing(bench.environment.approvers, joint='or')}" if bench.environment.approvers else ""
    text = f"{count(asked, 'person')} approve{'s' if asked == 1 else ''} this deployment{from_whom}"
    text = text.replace(" persons ", " people ")
    actor = person_of(bench.identities, bench.question.actor)
    if not actor and not is_a_machine(bench.identities, bench.question.actor):
        who = f"nobody is known as {one_line(bench.question.actor)}" if bench.question.actor else "nobody says who asks"
        mend = "write who that is into [people] of tidegate.toml" if bench.question.actor else "say who asks: --actor"
        return obligation("approvals", text, "unknown", f"{who}, and whoever asks does not count", mend)
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
    return obligation("approvals", text, state, why, f"ask {asked - have} more{from_whom}")


# Private


def _refused(bench: Bench, approval: Approval, person: str, actor: str, allowed: frozenset[str] | None) -> str:
    """Why this approval does not count, "" where it does."""
    question = bench.question
    if not person:
        return "is nobody who is known"
    if person == actor:
        return "asks for it"
    if allowed is not None and person not in allowed:
        return "is not among those who may"
    if approval.revision != question.revision or not OID.fullmatch(approval.revision):
        return "approved another revision"
    if approval.environment != question.environment or approval.service != question.service:
        return "approved another place"
    if not approval.at <= bench.now:
        return "approved later than now"
    if not min(approval.expires, approval.at + LONGEST_APPROVAL_SECONDS) > bench.late:
        return "approved too long ago"
    return ""
