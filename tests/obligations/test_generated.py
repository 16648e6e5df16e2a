"""Made-up changes: whoever is accepted is a person who did not make the change and approved all of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.obligations.cases import CLAUDE, HEAD, PEOPLE, TREE, case, commit, facts, review, span
from tidegate.facts import AccountableFact, ReviewFact
from tidegate.policy.obligations import judge, parse_requirement

NAMES = sorted(PEOPLE)
STRANGERS = ("Zoe <zoe@example.net>", "bob <>", "Carol King <throwaway@evil.example>", "helper[bot] <h@evil.example>")


def in_git(person: str) -> st.SearchStrategy[str]:
    """How git may show a person of the identity map."""
    identity = PEOPLE[person]
    emails = [*identity.emails, *(f"7+{a}@users.noreply.github.com" for a in identity.accounts)]
    return st.sampled_from([f"{name} <{e}>" for e in (*emails, *map(str.upper, emails)) for name in ("", "N", person)])


def by_collectors(person: str) -> st.SearchStrategy[str]:
    """How the collectors may name them."""
    accounts = [f"@{account}" for account in PEOPLE[person].accounts]
    return st.one_of(st.just(person), st.sampled_from(accounts), in_git(person))


@st.composite
def reviews(draw: st.DrawFn) -> ReviewFact:
    person = draw(st.sampled_from(NAMES))
    account = draw(st.sampled_from([*PEOPLE[person].accounts, "mallory", "ci[bot]", "b\u043eb"]))
    changes = {
        "state": draw(st.sampled_from(["approved"] * 5 + ["changes-requested", "commented", "dismissed"])),
        "tree": draw(st.sampled_from([TREE] * 4 + ["", "e" * 40])),
        "commit": draw(st.sampled_from([HEAD, HEAD, "e" * 40])),
        "target": draw(st.sampled_from(["main", "main", "", "release"])),
        "at": draw(st.sampled_from([f"2026-03-01T1{hour}:00:00Z" for hour in range(5)] + ["", "2026-02-01T00:00:00Z"])),
    }
    if draw(st.booleans()) and draw(st.booleans()):
        changes |= {"person": person, "kind": draw(st.sampled_from(["human", "bot", "unknown"]))}
    return review(account, **changes)


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[list[ReviewFact], set[str], int, dict[str, object], dict[str, object]]:
    """Reviews, the people who made the change, how many makers nobody knows, and the facts of both sections."""
    prompter, author, committer, opener = (draw(st.sampled_from(NAMES)) for _ in range(4))
    stranger = draw(st.sampled_from([None, None, *STRANGERS]))
    wrote = stranger or draw(st.sampled_from([CLAUDE, draw(in_git(author))]))
    makers = {prompter, committer, opener} | ({author} if wrote not in (CLAUDE, stranger) else set())
    change = {
        "commits": (commit(wrote, draw(in_git(committer))),),
        "author": draw(st.sampled_from(PEOPLE[opener].accounts)),
    }
    provenance: dict[str, object] = {"prompters": (), "accountable": (), "spans": (), "authors": ()}
    place = draw(st.sampled_from(["prompters", "accountable", "spans"]))
    named = draw(by_collectors(prompter))
    values = {"prompters": named, "accountable": AccountableFact(named, 5, 5), "spans": span(named)}
    provenance[place] = (values[place],)
    return draw(st.lists(reviews(), max_size=6)), makers, int(stranger is not None), change, provenance


def is_sound(given: ReviewFact, person: str) -> bool:
    """A review that nobody could object to."""
    return (
        given.state == "approved"
        and given.account in PEOPLE[person].accounts
        and given.person == person
        and given.kind != "bot"
        and (given.tree == TREE or (not given.tree and given.commit == HEAD))
        and given.target in ("", "main")
        and given.at >= "2026-03-01T09"
    )


@given(scenarios(), st.integers(1, 2))
@settings(max_examples=200, deadline=None)
def test_nobody_is_accepted_who_should_not_be(
    scenario: tuple[list[ReviewFact], set[str], int, dict[str, object], dict[str, object]], needed: int
) -> None:
    given_reviews, makers, strangers, change, provenance = scenario
    ask = parse_requirement({"approvals": needed}, "a test")
    obligation = judge(ask, case(facts(reviews=given_reviews, change=change, provenance=provenance)))
    sound = {p for p in set(NAMES) - makers for r in given_reviews if is_sound(r, p)}
    if obligation.state == "met":
        assert len(sound) - strangers >= needed, (obligation.why, makers)
        for person in obligation.why.removesuffix(" approved").replace(" and ", ", ").split(", "):
            assert person in sound
    if len(sound) < needed:
        assert obligation.state != "met"
    opposed = any(r.state in ("changes-requested", "dismissed") for r in given_reviews)
    if len(sound) - strangers >= needed and not opposed and "Carol" not in str(change["commits"]) and not strangers:
        assert obligation.state == "met", obligation.why
