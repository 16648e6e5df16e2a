"""What must be true before a change may pass, as data of a rule's `require`, and whether it is.

One file for each kind of obligation; `KINDS` lists them all. A kind reads the facts document, the owners and the
settings of the base and nothing else: no clock, no repository, no network. A fact that it needs and that is unknown
makes the obligation unknown, which counts as unmet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.policy.case import Case, UnknownFactError, look_text
from tidegate.policy.obligations import (
    accountable,
    annotation,
    approvals,
    clean,
    covered,
    facts,
    fail_before,
    intent,
    killed,
    reason,
    rollback,
    split,
    tests,
    ticket,
    trailers,
)
from tidegate.policy.obligations.kind import Judged, Kind
from tidegate.policy.verdict import Obligation, ObligationKind
from tidegate.settings import convert, nearest

__all__ = ["KINDS", "Case", "Kind", "Requirement", "judge", "parse_requirement"]

KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        annotation.KIND,
        accountable.KIND,
        tests.KIND,
        fail_before.KIND,
        covered.KIND,
        killed.KIND,
        reason.KIND,
        split.KIND,
        intent.KIND,
        ticket.KIND,
        rollback.KIND,
        trailers.KIND,
        approvals.KIND,
        facts.KIND,
        clean.KIND,
    )
}


class Requirement(Struct, frozen=True):
    """One table of a rule's `require`: its kind and its terms. `text` says in words what it asks."""

    kind: ObligationKind
    terms: Struct
    text: str


def parse_requirement(table: Mapping[str, Any], where: str) -> Requirement:
    """A table such as `{ approvals = 2, from = "owners" }`. Raises InputError for one that asks nothing."""
    if not isinstance(table, Mapping):
        raise InputError("a requirement is a table such as { tests = true }", where=where, mend=_all_kinds())
    keys = [key for key in table if key in KINDS]
    if not keys:
        named = ", ".join(str(key) for key in table) or "nothing"
        guess = nearest(str(next(iter(table))), list(KINDS)) if table else _all_kinds()
        raise InputError(f"no obligation is called {named}", where=where, mend=guess)
    if len(keys) > 1:
        raise InputError(
            f"{' and '.join(keys)} are two obligations in one table",
            where=where,
            mend=f"write {', '.join(f'{{ {key} = ... }}' for key in keys)}",
        )
    kind = KINDS[keys[0]]
    terms = convert(dict(table), kind.terms, where)
    try:
        kind.check(terms)
    except ValueError as error:
        raise InputError(str(error), where=where) from error
    return Requirement(kind.key, terms, kind.text(terms))


def judge(requirement: Requirement, case: Case) -> Obligation:
    """Whether the requirement holds for this change, why, and what to do next."""
    kind = KINDS[requirement.kind]
    try:
        answer = kind.judge(requirement.terms, case)
    except UnknownFactError as error:
        answer = Judged("unknown", str(error.unknown))
    next_step = (
        ""
        if answer.state == "met"
        else answer.next_step or _without_commits(kind, answer, case) or kind.next_step(case)
    )
    return Obligation(requirement.kind, requirement.text, answer.state, answer.why, next_step, kind.due)


# Private

_OF_COMMITS = ("annotation", "accountable", "trailers", "facts")


def _without_commits(kind: Kind, answer: Judged, case: Case) -> str:
    """What to do first where commits would answer and there are none: in a staged tree, and in a bare diff."""
    if answer.state != "unknown" and kind.key not in _OF_COMMITS:
        return ""
    change = look_text(case.document, "change.kind")
    if change == "staged":
        return "commit it, then run the check again"
    return "check it in its repository: tidegate check BASE..HEAD" if change == "diff" else ""


def _all_kinds() -> str:
    return f"known: {', '.join(sorted(KINDS))}"
