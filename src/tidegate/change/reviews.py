"""Who reviewed the change, from the forge's own JSON and from signed approvals, and how fast.

docs/reviews.md says how to fetch it. Understood are what GitHub's REST "List reviews" answers, `gh pr view --json
reviews`, and what GitLab's approvals, approval state and notes answer. GitLab does not say which commit was approved;
its list of versions does, by time, and where it is not given the approval is bound to no commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from tidegate.change.commits import read_commit_objects
from tidegate.change.people import People, is_bot_account
from tidegate.change.review_json import Reported, Review, read_reviews
from tidegate.change.scrutiny import is_read, read_scrutiny
from tidegate.change.values import Change, Context
from tidegate.facts import ReaderFact, ReviewFact, ReviewFacts, Unknown

Kind: TypeAlias = Literal["human", "bot", "unknown"]

MEND = "name the forge's JSON with --reviews FILE"


def collect_reviews(change: Change, context: Context) -> ReviewFacts:
    """The review section of the facts. Without reviews or signed approvals it is unknown: nobody is known to have
    looked. Of a pull request it takes the forge's reviews: somebody may ask for changes there.
    """
    if context.reviews is None and (not context.approvals or change.pull_request is not None):
        beside = " beside the signed approvals" if context.approvals else ""
        reason = f"no reviews were given{beside}; {MEND}"
        return ReviewFacts(status="unknown", unknowns=(Unknown(path="review", reason=reason),))
    reported = Reported(()) if context.reviews is None else read_reviews(context.reviews)
    reviews, merged = _resolved(reported.reviews, context), ""
    if context.approvals:
        from tidegate.change.approvals import merge_tree, read_signed_approvals

        merged = merge_tree(change, context)
        both = [*reviews, *read_signed_approvals(change, context)]
        reviews = tuple(sorted(both, key=lambda review: _moment_or_first(review.at)))
    opened_at = change.pull_request.opened_at if change.pull_request else ""
    head_at = _head_at(change, reported, opened_at)
    readers = read_scrutiny(change, context)
    pace = _pace(change, reviews, head_at, readers)
    unknowns = (pace,) if isinstance(pace, Unknown) else ()
    return ReviewFacts(
        status="partial" if unknowns else "complete",
        unknowns=unknowns,
        reviews=reviews,
        reviews_total=len(reviews),
        opened_at=opened_at,
        head_at=head_at,
        merge_tree=merged,
        lines_per_hour=0.0 if isinstance(pace, Unknown) else pace,
        readers=readers,
    )


# Private


def _resolved(reviews: Sequence[Review], context: Context) -> tuple[ReviewFact, ...]:
    people = People(context.settings)
    oids = sorted({review.commit for review in reviews if review.commit})
    commits = read_commit_objects(context.repository, oids) if context.repository and oids else {}
    return tuple(
        ReviewFact(
            account=review.account,
            person=people.of_account(review.account),
            kind=_kind(review, people),
            state=review.state,
            commit=review.commit,
            tree=commits[review.commit].tree if review.commit in commits else "",
            target="",
            policy="",
            at=review.at,
        )
        for review in reviews
    )


def _kind(review: Review, people: People) -> Kind:
    if review.is_bot or is_bot_account(review.account):
        return "bot"
    return "human" if people.of_account(review.account) else "unknown"


def _head_at(change: Change, reported: Reported, opened_at: str) -> str:
    """When the head could first be read: when it was pushed, where the forge says so.

    Else not before it was committed and not before the request was opened; a commit's own date may lie, and then it is
    the earlier of the two that is too early.
    """
    pushed = [version.at for version in reported.versions if version.head == change.head]
    if pushed:
        return min(pushed)
    committed = [commit.committed_at for commit in change.commits if commit.oid == change.head]
    return max([opened_at, *committed])


def _pace(
    change: Change, reviews: Iterable[ReviewFact], head_at: str, readers: Sequence[ReaderFact]
) -> float | Unknown:
    """Lines an hour: what people read of the change, by the longest time that the latest approval can have taken.

    Where a console measured how long whoever gave it was reading, by that time: it cannot have been longer.
    """
    approvals = [
        r for r in reviews if r.state == "approved" and r.kind == "human" and not r.problem and _is_of_head(r, change)
    ]
    if not approvals:
        return 0.0
    unread = next((file for file in change.files if is_read(file) and not file.lines_known), None)
    if unread is not None:
        return _unknown("the number of changed lines is not known")
    latest = max(approvals, key=lambda review: review.at)
    if not head_at or not latest.at:
        return _unknown("it is not known when the head could first be read, or when it was approved")
    seconds = (_moment(latest.at) - _moment(head_at)).total_seconds()
    if seconds < 0:
        return _unknown("the head is dated later than its approval")
    lines = sum(file.added + file.deleted for file in change.files if is_read(file))
    measured = max((each.lines_per_hour for each in readers if each.person and each.person == latest.person), default=0)
    return max(measured, round(lines / (max(seconds, 1.0) / 3600), 1))


def _is_of_head(review: ReviewFact, change: Change) -> bool:
    return bool(review.tree and review.tree == change.head_tree) or bool(review.commit and review.commit == change.head)


def _unknown(reason: str) -> Unknown:
    return Unknown(path="review.lines_per_hour", reason=reason)


def _moment_or_first(text: str) -> datetime:
    return _moment(text) if text else datetime.min.replace(tzinfo=UTC)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
