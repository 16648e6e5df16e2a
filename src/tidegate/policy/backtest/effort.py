"""Hours of reviewers that a rule asks for when it holds a change: an assumption, written out so that it can be argued.

Reading takes `lines / lines_per_hour` hours for lines written by hand (added and deleted, generated and vendored files
and binaries left out), at least `least` and at most `most`: nobody reads for longer with care. An approval is one
reading, and N approvals are N. A rule that holds and asks for no approval costs one look (`least`) at what the author
then brings. Source of the pace: SmartBear's study of review at Cisco, 300 to 500 lines an hour; 400 here.
"""

from __future__ import annotations

from msgspec import Struct

from tidegate.facts import ChangeFacts, is_known
from tidegate.policy.obligations.approvals import Approvals
from tidegate.policy.rules import Rule


class Effort(Struct, frozen=True):
    """What reading costs. All in hours but the pace."""

    lines_per_hour: float = 400.0
    least: float = 0.1
    most: float = 4.0


def reading_hours(change: ChangeFacts, effort: Effort) -> float:
    """Hours of one reading of a change; the most where its size is not known."""
    if not is_known(change, "files"):
        return effort.most
    lines = sum(f.added + f.deleted for f in change.files if not (f.generated or f.vendored or f.kind == "binary"))
    return min(effort.most, max(effort.least, lines / effort.lines_per_hour))


def readings(rule: Rule) -> int:
    """How many readings a rule asks for; 0 stands for one look."""
    asked = sum(r.terms.approvals for r in rule.requirements if isinstance(r.terms, Approvals))
    return asked or int(not rule.requirements)
