"""`{ facts = ["change"] }`: the named sections of the facts are complete."""

from __future__ import annotations

from msgspec import Struct

from tidegate.facts import SECTIONS, Unknown
from tidegate.policy.case import Case, listing, need, one_line
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet


class FactsKnown(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `facts`: names of sections."""

    facts: tuple[str, ...]


def _check(terms: FactsKnown) -> None:
    if not terms.facts:
        raise ValueError("facts = [] asks nothing: name a section such as change")
    wrong = [name for name in terms.facts if name not in SECTIONS]
    if wrong:
        raise ValueError(f"no section of the facts is called {wrong[0]} (there are {listing(SECTIONS, 20)})")


def _text(terms: FactsKnown) -> str:
    return f"All facts about the {listing(terms.facts)} are known"


def _judge(terms: FactsKnown, case: Case) -> Judged:
    reasons: list[str] = []
    for name in terms.facts:
        status = need(case.document, f"{name}.status", str)
        entries = need(case.document, f"{name}.unknowns", list[Unknown])
        reasons += [str(entry) for entry in entries]
        if status != "complete" and not entries:
            reasons.append(f"{name} is {status}")
    if not reasons:
        return met("nothing is missing")
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return unmet("; ".join(one_line(reason, 200) for reason in reasons[:3]) + more)


def _next_step(_: Case) -> str:
    return "mend what the reason names (a shallow clone: git fetch --unshallow), then run the check again"


KIND = Kind("facts", "push", FactsKnown, _check, _text, _judge, _next_step)
