"""`{ clean = ["note-replayed"] }`: no check found any of these."""

from __future__ import annotations

import re

from msgspec import Struct

from tidegate.facts import SECTIONS, Finding, Unknown
from tidegate.policy.case import Case, UnknownFactError, count, listing, need, one_line
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet


class Clean(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `clean`: ids of findings, and sections of the facts whose checks must have run."""

    clean: tuple[str, ...]
    of: tuple[str, ...] = ("change", "provenance")


def _check(terms: Clean) -> None:
    if not terms.clean:
        raise ValueError("clean = [] asks nothing: name a finding such as note-replayed")
    wrong = [id_ for id_ in terms.clean if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id_)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no id of a finding: tidegate explain lists them")
    strange = [name for name in terms.of if name not in SECTIONS]
    if strange or not terms.of:
        raise ValueError(f"of names sections of the facts ({listing(SECTIONS, 20)})")


def _text(terms: Clean) -> str:
    return f"No check finds {listing(terms.clean, joint='or')}"


def _judge(terms: Clean, case: Case) -> Judged:
    found = [f for name in terms.of for f in need(case.document, f"{name}.findings", list[Finding])]
    if isinstance(case.owners, Unknown):
        if any(id_.startswith("codeowners-") for id_ in terms.clean):
            raise UnknownFactError(case.owners)
    else:
        found += case.owners.findings
    wrong = [finding for finding in found if finding.rule in terms.clean]
    if not wrong:
        return met("none was found")
    first = wrong[0]
    more = f" ({count(len(wrong) - 1, 'more finding')} like it)" if len(wrong) > 1 else ""
    why = f"{first.rule} at {one_line(str(first.place))}: {one_line(first.message, 160)}{more}"
    return unmet(why, one_line(first.mend, 200) or f"tidegate explain {first.rule}")


def _next_step(_: Case) -> str:
    return "mend what the reason names, then run the check again"


KIND = Kind("clean", "push", Clean, _check, _text, _judge, _next_step)
