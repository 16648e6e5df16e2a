"""Which reviews count as approvals of exactly this change, by people who did not make it.

Counted is a human of the identity map whose latest word is an approval of the tree that the change ends with. Shut out
is whoever made the change; the person who prompted an agent is its author. What cannot be shown counts against the
approval, never for it. docs/approvals.md has the whole of it in words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.change.facts_digest import facts_digest
from tidegate.change.people import is_bot_account
from tidegate.facts import AccountableFact, CommitFact, Declaration, ReviewFact, SpanFact, Unknown
from tidegate.policy.case import Case, UnknownFactError, listing, look_text, need, need_list
from tidegate.policy.identities import Identities, Maker, is_machine, same_maker

_Named: TypeAlias = tuple[Maker, str]
STRANGER = "is in no entry of [people]"
SIGNED = ("ssh", "sk-ssh", "webauthn")
EVIDENCE = ("forge-click", *SIGNED)
WORDS: Mapping[str, str] = {
    "forge-click": "a click at the forge",
    "ssh": "an SSH key",
    "sk-ssh": "a hardware SSH key",
    "webauthn": "an authenticator in the console",
}


class Refused(NamedTuple):
    """An approval that does not count, and why not. `who` is a person, or an account that no person has."""

    who: str
    reason: str


class Makers(Struct, frozen=True):
    """Who made the change: people who are shut out with the reason, and makers who could be anybody.

    `strangers` are in nobody's entry of the identity map: each may be one of the people who approve.
    """

    people: Mapping[str, str]
    strangers: tuple[str, ...]


class Approvals(Struct, frozen=True):
    """The people whose approval counts, the reviews that do not count, and the people who ask for changes."""

    people: tuple[str, ...]
    refused: tuple[Refused, ...]
    objections: tuple[str, ...]


def read_makers(case: Case, roles: Sequence[str], identities: Identities) -> Makers:
    """Who made the change, in the given roles: author (which the prompter of an agent is too), prompter, committer.

    Raises UnknownFactError where that could not be told.
    """
    machines = _agents(case.document)
    people: dict[str, str] = {}
    strangers: dict[str, str] = {}
    named = [(maker, deed) for maker, deed in _named_makers(case.document, roles, identities) if maker.text.strip()]
    if roles and not named:
        raise UnknownFactError(Unknown(path="change.author", reason="nobody is named who made the change"))
    for maker, deed in named:
        for person in (maker.person, *sorted(maker.alike)):
            if person:
                people.setdefault(person, deed if person == maker.person else "has the name of somebody who made it")
        if not maker.person and not is_machine(maker.text) and maker.text.removeprefix("@") not in machines:
            strangers.setdefault(same_maker(maker.text), maker.text)
    if roles and not people and not strangers and look_text(case.document, "change.kind") != "pull-request":
        reason = "only apps are named who made it, and in git anybody can write that; --pr FILE says who opened it"
        raise UnknownFactError(Unknown(path="change.author", reason=reason))
    return Makers(people, tuple(strangers.values()))


def read_approvals(
    case: Case, makers: Makers, identities: Identities, accepted: Collection[str] = EVIDENCE
) -> Approvals:
    """Which reviews count, among those whose evidence is `accepted`.

    Raises UnknownFactError where the reviews, or what they are bound to, could not be told.
    """
    tree = need(case.document, "change.head_tree", str)
    if not tree:
        raise UnknownFactError(Unknown(path="change.head_tree", reason="approvals are bound to it, and it is empty"))
    reviews = need_list(case.document, "review.reviews", ReviewFact)
    now = _moment(need(case.document, "now", str))
    if now is None:
        raise UnknownFactError(Unknown(path="now", reason="it is not a moment"))
    opened = _moment(need(case.document, "review.opened_at", str))
    return _count(_Bench(case, makers, identities, tree, opened, now, frozenset(accepted)), reviews)


def evidence_words(accepted: Collection[str]) -> str:
    """The kinds of evidence in words, for a sentence about what is asked for."""
    return listing([WORDS[kind] for kind in EVIDENCE if kind in accepted], joint="or")


# Private


class _Bench(NamedTuple):
    """What reviews are held against. `opened` is None where the forge does not say when the change was opened."""

    case: Case
    makers: Makers
    identities: Identities
    tree: str
    opened: datetime | None
    now: datetime
    accepted: frozenset[str]


def _count(bench: _Bench, reviews: Sequence[ReviewFact]) -> Approvals:
    people: list[str] = []
    refused: list[Refused] = []
    objections: list[str] = []
    for number, review in enumerate(reviews):
        person = _person_of(bench, review)
        who = person or review.account or "somebody"
        if review.state == "changes-requested" and not _is_answered(bench, reviews, number):
            if not _not_a_judge(bench, review):
                objections.append(who)
            continue
        if review.state != "approved":
            continue
        reason = (
            review.problem
            or _not_a_judge(bench, review)
            or _not_of_this(bench, review)
            or _taken_back(bench, reviews, number)
            or _too_weak(bench, review)
        )
        if reason:
            refused.append(Refused(who, reason))
        else:
            people.append(person)
    counted = tuple(dict.fromkeys(people))
    return Approvals(
        counted,
        tuple(dict.fromkeys(entry for entry in refused if entry.who not in counted)),
        tuple(dict.fromkeys(objections)),
    )


def _not_a_judge(bench: _Bench, review: ReviewFact) -> str:
    """Why this account cannot approve anything here, "" where it can."""
    person = _person_of(bench, review)
    if review.kind != "human" and review.evidence in SIGNED:
        return "is not signed by anybody who is known"
    if review.evidence in SIGNED and bench.identities.is_machine(person):
        return "is an app or a bot"
    if review.kind == "bot" or is_bot_account(review.account):
        return "is an app or a bot"
    if not person:
        return STRANGER
    if review.person != person:
        return "does not have the account that the review names"
    deed = bench.makers.people.get(person)
    return deed or ""


def _not_of_this(bench: _Bench, review: ReviewFact) -> str:
    """Why this is no approval of exactly this change, "" where it is."""
    document = bench.case.document
    if review.evidence in SIGNED and (reason := _not_signed_for_this(bench, review)):
        return reason
    if review.evidence in SIGNED:
        return _not_in_time(bench, review)
    if review.tree and review.tree != bench.tree:
        return "approved an earlier state"
    head = look_text(document, "change.head")
    if not review.tree and (not review.commit or review.commit != head):
        return "approved another commit"
    if review.target and review.target != look_text(document, "change.target"):
        return f"approved it for {review.target}"
    if review.policy and review.policy != bench.case.policy_digest:
        return "approved it under another policy"
    return _not_in_time(bench, review)


def _not_signed_for_this(bench: _Bench, review: ReviewFact) -> str:
    """The same for what was signed: every binding must be there, and be that of the change as it stands now."""
    document = bench.case.document
    merged = look_text(document, "review.merge_tree")
    if not merged:
        return "signed it, and what merging it makes is not known: it may conflict with its target"
    if review.commit != look_text(document, "change.head") or review.tree != merged:
        return "signed another state of it, or the target has moved on"
    if not review.target or review.target != look_text(document, "change.target"):
        return f"signed it for {review.target}"
    if not review.policy or review.policy != bench.case.policy_digest:
        return "signed it under another policy"
    if review.facts != facts_digest(document):
        return "signed it when other facts were known of it"
    expires = _moment(review.expires)
    if expires is None or expires <= bench.now:
        return "signed it, and the approval has expired"
    return ""


def _too_weak(bench: _Bench, review: ReviewFact) -> str:
    if review.evidence in bench.accepted:
        return ""
    if review.evidence == "forge-click":
        return "only clicked at the forge, which is weaker than the signature that is asked for"
    return f"signed with {WORDS[review.evidence]}, and {evidence_words(bench.accepted)} is asked for"


def _person_of(bench: _Bench, review: ReviewFact) -> str:
    """The person who certainly gave this review: by the key that signed it, else by the account; "" for nobody."""
    if review.evidence in SIGNED:
        return review.person if bench.identities.is_person(review.person) else ""
    return bench.identities.of_account(review.account)


def _not_in_time(bench: _Bench, review: ReviewFact) -> str:
    at = _moment(review.at)
    if at is None:
        return "approved at an unknown time"
    if bench.opened is not None and at < bench.opened:
        return "approved before the change could be read"
    if at > bench.now:
        return "approved later than now"
    return ""


def _taken_back(bench: _Bench, reviews: Sequence[ReviewFact], number: int) -> str:
    """Whether the same person said something else later. In doubt about the order, they did."""
    approval = reviews[number]
    person = _person_of(bench, approval)
    for other, review in enumerate(reviews):
        if review.problem or _person_of(bench, review) != person or review.state in ("approved", "commented"):
            continue
        if not _is_before(reviews, other, number):
            if review.state == "dismissed":
                return "approved, and the approval was dismissed"
            return "asked for changes after approving"
    return ""


def _is_answered(bench: _Bench, reviews: Sequence[ReviewFact], number: int) -> bool:
    """Whether whoever asked for changes approved this very change later."""
    person = _person_of(bench, reviews[number])
    return any(
        review.state == "approved"
        and not review.problem
        and _person_of(bench, review) == person
        and _is_before(reviews, number, later)
        and not _not_of_this(bench, review)
        for later, review in enumerate(reviews)
    )


def _is_before(reviews: Sequence[ReviewFact], first: int, second: int) -> bool:
    """Whether one review is older than another for certain: by its place in the list and by its time."""
    one, two = _moment(reviews[first].at), _moment(reviews[second].at)
    return first < second and one is not None and two is not None and one <= two


def _named_makers(document: Mapping[str, Any], roles: Sequence[str], identities: Identities) -> list[_Named]:
    """Everybody who is named as a maker, with what they did."""
    found: list[_Named] = []
    if "author" in roles or "prompter" in roles:
        found += _prompters(document, identities)
    if "author" in roles:
        found += _authors(document, identities)
    if "committer" in roles:
        commits = need_list(document, "change.commits", CommitFact)
        found += [(identities.git_maker(commit.committer), "committed part of it") for commit in commits]
    return found


def _authors(document: Mapping[str, Any], identities: Identities) -> list[_Named]:
    commits = need_list(document, "change.commits", CommitFact)
    authors = need(document, "provenance.authors", list[str])
    spans = need(document, "provenance.spans", list[SpanFact])
    accountable = need(document, "provenance.accountable", list[AccountableFact])
    opener = need(document, "change.author", str)
    wrote = [identities.git_maker(commit.author) for commit in commits]
    wrote += [identities.maker(author) for author in dict.fromkeys([*authors, *(span.human for span in spans)])]
    answers = [identities.maker(fact.person) for fact in accountable]
    # A forge names an account, without the @ that tells it from a name in git.
    opened = identities.git_maker(opener) if "<" in opener or not opener else identities.maker(f"@{opener.lstrip('@')}")
    return [
        *((maker, "wrote part of it") for maker in wrote),
        *((maker, "answers for part of it") for maker in answers),
        (opened, "opened it"),
    ]


def _prompters(document: Mapping[str, Any], identities: Identities) -> list[_Named]:
    if need(document, "provenance.unaccountable_lines", int):
        reason = "nobody is known to answer for some AI lines, and whoever prompted them could approve them"
        raise UnknownFactError(Unknown(path="provenance.prompters", reason=reason))
    prompters = need(document, "provenance.prompters", list[str])
    accountable = need(document, "provenance.accountable", list[AccountableFact])
    spans = need(document, "provenance.spans", list[SpanFact])
    texts = [*prompters, *(fact.person for fact in accountable if fact.ai_lines)]
    texts += [span.human for span in spans if span.writer in ("ai", "mixed")]
    return [(identities.maker(text), "prompted the agent that wrote it") for text in dict.fromkeys(texts)]


def _agents(document: Mapping[str, Any]) -> frozenset[str]:
    """Identities that the table of signatures knows as an agent's own."""
    declarations = need(document, "provenance.declarations", list[Declaration])
    return frozenset(
        d.text.removeprefix("@") for d in declarations if d.where in ("author", "committer", "pull request author")
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
