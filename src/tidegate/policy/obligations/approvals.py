"""`{ approvals = 2, from = "owners" }`: enough people who did not make the change have approved exactly this tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, field

from tidegate.policy.approvals import Approvals as Given
from tidegate.policy.approvals import Makers, read_approvals, read_makers
from tidegate.policy.case import Case, UnknownFactError, count, listing, one_line
from tidegate.policy.coverage import Share, missing, read_shares
from tidegate.policy.identities import Identities
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet
from tidegate.policy.owners import find_owner

MOST = 20


class Approvals(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `approvals`. `from` is "owners", "anyone", or people and teams."""

    approvals: int
    kind: Literal["human"] = "human"
    from_: Literal["owners", "anyone"] | tuple[str, ...] = field(name="from", default="anyone")
    not_: tuple[Literal["author", "prompter", "committer"], ...] = field(
        name="not", default=("author", "prompter", "committer")
    )


def _check(terms: Approvals) -> None:
    if not 1 <= terms.approvals <= MOST:
        raise ValueError(f"approvals = {terms.approvals}: ask for 1 to {MOST}")
    if isinstance(terms.from_, str):
        return
    if not terms.from_:
        raise ValueError('from = [] is nobody: name people or teams, or write "owners" or "anyone"')
    if any(not name.strip() for name in terms.from_):
        raise ValueError('from names nobody: "" is not a person or a team')


def _text(terms: Approvals) -> str:
    whom = _WHOM[terms.from_] if isinstance(terms.from_, str) else f"by {listing(terms.from_, joint='or')}"
    deeds = listing([_DEEDS[role] for role in dict.fromkeys(terms.not_)], joint="or")
    return f"{count(terms.approvals, 'approval')} {whom}" + (f", not from whoever {deeds} it" if deeds else "")


def _judge(terms: Approvals, case: Case) -> Judged:
    identities = Identities(case.settings)
    makers = read_makers(case, terms.not_, identities)
    shares = read_shares(case, identities) if terms.from_ == "owners" else ()
    pool = _pool(terms, shares, identities)
    try:
        given = read_approvals(case, makers, identities)
    except UnknownFactError as error:
        return Judged("unknown", str(error.unknown), f"open a pull request; {_ask(pool, makers, case)}")
    return _answer(_Weighing(terms, case, makers, shares, given, pool))


def _next_step(_: Case) -> str:
    return "mend what the reason names, on the target branch where it is about CODEOWNERS, and run the check again"


# Private


class _Weighing(Struct, frozen=True):
    """Everything that one answer is made of. `pool` are the people whose approval counts; None for anybody."""

    terms: Approvals
    case: Case
    makers: Makers
    shares: tuple[Share, ...]
    given: Given
    pool: frozenset[str] | None


def _answer(weighing: _Weighing) -> Judged:
    terms, given, makers = weighing.terms, weighing.given, weighing.makers
    counted = [p for p in given.people if weighing.pool is None or p in weighing.pool]
    spare = len(makers.strangers)
    if given.objections:
        why = f"{listing(given.objections)} asked for changes"
        return unmet(why, f"answer {listing(given.objections)} and ask for another review")
    if len(counted) - spare >= terms.approvals and not missing(weighing.shares, counted, spare):
        return met(f"approved by {listing(counted)}")
    if spare and len(counted) >= terms.approvals and not missing(weighing.shares, counted, 0):
        return _strangers(makers, counted)
    return _short(weighing, counted)


def _strangers(makers: Makers, counted: Sequence[str]) -> Judged:
    names = listing(makers.strangers)
    verb = "is" if len(makers.strangers) == 1 else "are"
    reason = (
        f"approved by {listing(counted)}; {names} made part of it, {verb} nobody in [people], and may be one of them"
    )
    step = f"add {names} to [people] in tidegate.toml, or get {count(len(makers.strangers), 'more approval')}"
    return Judged("unknown", reason, step)


def _short(weighing: _Weighing, counted: Sequence[str]) -> Judged:
    terms, given, makers = weighing.terms, weighing.given, weighing.makers
    lacking = missing(weighing.shares, counted, 0)
    parts = [f"{len(counted)} of {terms.approvals}" + (f" ({listing(counted)})" if counted else "")]
    parts += [f"none by an owner of {listing(share.files, 3)} ({listing(share.owners)})" for share in lacking]
    parts += [f"{one_line(refused.who)} {one_line(refused.reason, 200)}" for refused in given.refused[:5]]
    problems = dict.fromkeys(problem for share in lacking for problem in share.problems)
    wanted = frozenset(person for share in lacking for person in share.people) if lacking else weighing.pool
    steps = [*problems, _ask(wanted, makers, weighing.case, frozenset(counted))]
    return unmet("; ".join(parts), "; ".join(steps))


def _pool(terms: Approvals, shares: Sequence[Share], identities: Identities) -> frozenset[str] | None:
    if terms.from_ == "owners":
        return frozenset(person for share in shares for person in share.people) if shares else None
    if terms.from_ == "anyone":
        return None
    return frozenset(person for name in terms.from_ for person in find_owner(name, identities).people)


def _ask(wanted: frozenset[str] | None, makers: Makers, case: Case, already: frozenset[str] = frozenset()) -> str:
    """Who can still approve: never one of those who made the change."""
    people = sorted((set(case.settings.people) if wanted is None else wanted) - makers.people.keys() - already)
    if people:
        return f"ask {listing(people, joint='or')} to approve"
    if not case.settings.people:
        return 'list in tidegate.toml who may approve: [people.NAME] with accounts = ["..."] and emails = ["..."]'
    return "nobody who may approve is left: name another owner, or another person in [people]"


_WHOM = {"anyone": "by a person in [people]", "owners": "by owners of the touched files"}
_DEEDS = {"author": "wrote", "prompter": "prompted", "committer": "committed"}

KIND = Kind("approvals", "merge", Approvals, _check, _text, _judge, _next_step)
