"""`{ approvals = 2, from = "owners" }`: enough people who did not make the change have approved exactly this tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Literal

from msgspec import Struct, field

from tidegate.policy.approvals import (
    EVIDENCE,
    SIGNED,
    STRANGER,
    Makers,
    Refused,
    evidence_words,
    read_approvals,
    read_makers,
)
from tidegate.policy.approvals import Approvals as Given
from tidegate.policy.case import Case, UnknownFactError, change_range, count, listing, look_text, one_line
from tidegate.policy.coverage import (
    Coverage,
    Share,
    missing,
    read_file_coverage,
    read_role_coverage,
    read_service_coverage,
)
from tidegate.policy.identities import Identities
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet
from tidegate.policy.owners import find_owner

MOST = 20


class Approvals(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `approvals`.

    `evidence` says which approvals count: "any" (a click at the forge too), "signed", or a list of kinds.
    `from` is "owners", "service-owners", "infrastructure", "security", "anyone", or people and teams.
    """

    approvals: int
    kind: Literal["human"] = "human"
    from_: Literal["owners", "service-owners", "infrastructure", "security", "anyone"] | tuple[str, ...] = field(
        name="from", default="anyone"
    )
    not_: tuple[Literal["author", "prompter", "committer"], ...] = field(
        name="not", default=("author", "prompter", "committer")
    )
    evidence: Literal["any", "signed"] | tuple[Literal["forge-click", "ssh", "sk-ssh", "webauthn"], ...] = "any"


def _check(terms: Approvals) -> None:
    if not 1 <= terms.approvals <= MOST:
        raise ValueError(f"approvals = {terms.approvals}: ask for 1 to {MOST}")
    if not terms.evidence:
        raise ValueError('evidence = [] is nothing: write "any", "signed" or kinds such as ["sk-ssh", "webauthn"]')
    if isinstance(terms.from_, str):
        return
    if not terms.from_:
        raise ValueError('from = [] is nobody: name people or teams, or write "owners", "infrastructure" or "anyone"')
    if any(not name.strip() for name in terms.from_):
        raise ValueError('from names nobody: "" is not a person or a team')


def _text(terms: Approvals) -> str:
    if terms.from_ == "owners":
        whom = "owners of the touched files"
    elif terms.from_ == "service-owners":
        whom = "owners of the critical services in its reach"
    elif terms.from_ in ("infrastructure", "security"):
        whom = f"whoever answers for {terms.from_}"
    elif terms.from_ == "anyone":
        whom = "a person" if terms.approvals == 1 else "people"
    else:
        whom = listing(terms.from_, joint="or")
    deeds = [deed for role, deed in _DEEDS.items() if role in terms.not_]
    if len(deeds) == len(_DEEDS):
        makers = " who did not make the change"
    else:
        makers = f", not by whoever {listing(deeds, joint='or')} it" if deeds else ""
    accepted = _accepted(terms)
    if frozenset(accepted) == frozenset(EVIDENCE):
        how = ""
    elif "forge-click" in accepted:
        how = f", by {evidence_words(accepted)}"
    else:
        how = f", signed with {evidence_words(accepted)} (a click at the forge is not enough)"
    return f"{count(terms.approvals, 'approval')} by {whom}{makers}{how}"


def _judge(terms: Approvals, case: Case) -> Judged:
    identities = Identities(case.settings)
    try:
        makers = read_makers(case, terms.not_, identities)
    except UnknownFactError as error:
        return Judged("unknown", str(error.unknown), _who_made_it(error.unknown.path, case))
    try:
        coverage = _read_coverage(terms, case, identities)
    except UnknownFactError as error:
        mend = "" if error.unknown.path.startswith("reach") else _MEND_OWNERS
        return Judged("unknown", str(error.unknown), mend)
    shares, pool = coverage.shares, _pool(terms, coverage, identities)
    try:
        given = read_approvals(case, makers, identities, _accepted(terms))
    except UnknownFactError as error:
        return Judged(
            "unknown",
            str(error.unknown),
            f"{_ask_all(terms, shares, pool, makers, case)}; then check again with {_handed_in(terms)}",
        )
    return _answer(_Weighing(terms, case, makers, shares, given, pool))


def _next_step(_: Case) -> str:
    return "mend what the reason names, then run the check again"


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
        names = listing(given.objections)
        return unmet(f"{names} asked for changes", f"answer {names}, and ask for another review")
    if len(counted) - spare >= terms.approvals and not missing(weighing.shares, counted, spare):
        return met(f"{listing(counted)} approved")
    if spare and len(counted) >= terms.approvals and not missing(weighing.shares, counted, 0):
        return _strangers(makers, counted)
    return _short(weighing, counted)


def _strangers(makers: Makers, counted: Sequence[str]) -> Judged:
    names = listing(makers.strangers)
    be = "is" if len(makers.strangers) == 1 else "are"
    why = f"{listing(counted)} approved, but {names} {be} in no entry of [people] and may be among them"
    entries = [entry for entry in map(_entry, makers.strangers) if entry][:2] or ["them to [people]"]
    more = count(len(makers.strangers), "more approval")
    return Judged("unknown", why, f"add {listing(entries)} to tidegate.toml on the target branch, or get {more}")


def _short(weighing: _Weighing, counted: Sequence[str]) -> Judged:
    lacking = missing(weighing.shares, counted, 0)
    parts = [f"{len(counted)} of {weighing.terms.approvals}" + (f": {listing(counted)}" if counted else "")]
    parts += [f"no owner of {listing(share.covers, 3)} ({listing(share.owners, joint='or')})" for share in lacking]
    refused = list(weighing.given.refused)
    if weighing.pool is not None:
        outside = [person for person in weighing.given.people if person not in weighing.pool]
        refused += [Refused(person, "is not one of those who are asked") for person in outside]
    parts += [f"{one_line(who)} {one_line(reason)}" for who, reason in refused[:4]]
    wanted = frozenset(p for share in lacking for p in share.people) if lacking else weighing.pool
    problems = [problem for share in lacking for problem in share.problems][:2]
    strangers = [f"@{who}" for who, reason in refused if reason == STRANGER] + list(weighing.makers.strangers)
    entries = [entry for entry in map(_entry, strangers) if entry][:2]
    adding = [f"add {listing(entries)} to tidegate.toml on the target branch"]
    if not entries or not weighing.case.settings.people:
        adding = []
    ask = _ask(wanted, weighing.makers, weighing.case, counted)
    if "forge-click" not in _accepted(weighing.terms) and ask.startswith("ask "):
        ask = f"{ask}: tidegate approve"
    return unmet("; ".join(parts), "; ".join(dict.fromkeys([ask, *problems, *adding])))


def _accepted(terms: Approvals) -> tuple[str, ...]:
    if terms.evidence == "any":
        return EVIDENCE
    return SIGNED if terms.evidence == "signed" else terms.evidence


def _handed_in(terms: Approvals) -> str:
    return "--reviews FILE" if "forge-click" in _accepted(terms) else "--reviews FILE and --approvals FOLDER"


def _read_coverage(terms: Approvals, case: Case, identities: Identities) -> Coverage:
    if terms.from_ == "owners":
        return read_file_coverage(case, identities)
    if terms.from_ == "infrastructure" or terms.from_ == "security":
        return read_role_coverage(terms.from_, case, identities)
    return read_service_coverage(case, identities) if terms.from_ == "service-owners" else Coverage()


def _pool(terms: Approvals, coverage: Coverage, identities: Identities) -> frozenset[str] | None:
    if isinstance(terms.from_, tuple):
        return frozenset(person for name in terms.from_ for person in find_owner(name, identities).people)
    if coverage.anybody:
        return None
    return frozenset(person for share in coverage.shares for person in share.people)


def _ask(wanted: Collection[str] | None, makers: Makers, case: Case, already: Collection[str] = ()) -> str:
    """Who can still approve: never one of those who made the change."""
    everybody = set(case.settings.people) if wanted is None else set(wanted)
    people = sorted(everybody - makers.people.keys() - set(already))
    if people:
        return f"ask {listing(people, joint='or')} to approve"
    if not case.settings.people:
        return (
            "say in tidegate.toml on the target branch who may approve: "
            '[people.NAME] with accounts = ["..."] and emails = ["..."]'
        )
    if wanted is None:
        return "nobody else is in [people]: add somebody who may approve"
    return "everybody who may approve helped to make it, or is in no entry of [people]: name another owner"


def _ask_all(terms: Approvals, shares: Sequence[Share], pool: frozenset[str] | None, makers: Makers, case: Case) -> str:
    """Whom to ask while nobody has approved yet: everybody who is needed, where one of them is not enough."""
    everybody = set(case.settings.people) if pool is None else set(pool)
    people = sorted(everybody - makers.people.keys())
    each = [frozenset(share.people - makers.people.keys()) for share in missing(shares, (), 0)]
    alone = not each or bool(frozenset.intersection(*each))
    if len(people) < 2 or (terms.approvals == 1 and alone):
        return _ask(pool, makers, case)
    if len(people) == max(2, terms.approvals):
        return f"ask {listing(people)} to approve"
    if terms.approvals > 1 and alone:
        return f"ask {terms.approvals} of {listing(people)} to approve"
    what = "service" if terms.from_ == "service-owners" else "file"
    return f"ask an owner of each {what} to approve: {listing(people, joint='or')}"


def _who_made_it(path: str, case: Case) -> str:
    if path == "change.author" and look_text(case.document, "change.kind") in ("range", "commit"):
        return "name the forge's event, which says who opened it: --pr FILE; then check again with --reviews FILE"
    if "prompters" not in path:
        return ""
    return f"whoever asked the agent runs: tidegate annotate {change_range(case.document)} --tool TOOL --model MODEL"


def _entry(text: str) -> str:
    """The entry of the identity map that a stranger needs, for copying; "" for one that nobody should copy.

    An account in other letters than ASCII looks like somebody else's and belongs to nobody on a forge.
    """
    email = re.search(r"[!-~]+@[!-~]+", re.sub(r"[<>\"\\]", " ", text))
    if email and not text.startswith("@"):
        return f'[people.NAME] with emails = ["{email[0]}"]'
    if re.fullmatch(r"@[A-Za-z0-9_.\-]+", text):
        return f'[people.NAME] with accounts = ["{text[1:]}"]'
    return ""


_MEND_OWNERS = "mend CODEOWNERS on the target branch, then run the check again"
_DEEDS = {"author": "wrote", "prompter": "prompted", "committer": "committed"}

KIND = Kind("approvals", "merge", Approvals, _check, _text, _judge, _next_step)
