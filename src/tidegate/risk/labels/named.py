"""Commits that a message names: those it blames for what it repairs, and those it was picked from."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from tidegate.risk.late import Late

MOST_NAMED = 50


class Named(NamedTuple):
    """The beginning of an object id as a message writes it, and how likely it is meant as what was broken."""

    oid: str
    confidence: float


def blamed_commits(message: str) -> tuple[Named, ...]:
    """The commits that a message says were wrong, each once, in order.

    `Fixes: 54a4f0239f2e ("subject")` is how Linux writes it; `regression from`, `introduced in`, `broken by`,
    `caused by` and `a bug of commit 1a2b3c4` are how others do.
    """
    found: dict[str, Named] = {}
    for pattern, confidence in ((_TRAILER, 0.95), (_BLAME, 0.85)):
        for match in pattern.finditer(message):
            oid = match["oid"].lower()
            if len(found) < MOST_NAMED:
                found.setdefault(oid, Named(oid, confidence))
    return tuple(found.values())


def picked_from(message: str) -> tuple[str, ...]:
    """The commits that this one says it is a copy of: `(cherry picked from commit ...)`, `(backported from ...)`."""
    return tuple(dict.fromkeys(match["oid"].lower() for match in _PICK.finditer(message)))[:MOST_NAMED]


class Names:
    """Finds commits by the beginning of their object id, among those of one history in its order."""

    def __init__(self, oids: Sequence[str]) -> None:
        self.place = {oid: number for number, oid in enumerate(oids)}
        self._sorted = sorted(oids)

    def find(self, start: str, before: str) -> str:
        """The one commit that begins so and stands before another; "" where there is none, or several could be it."""
        found = start if start in self.place else self._by_start(start)
        return found if found and self.place[found] < self.place[before] else ""

    # Private

    def _by_start(self, start: str) -> str:
        at = bisect_left(self._sorted, start)
        near = [oid for oid in self._sorted[at : at + 2] if oid.startswith(start)]
        return near[0] if len(near) == 1 else ""


# Private

OID = r"(?P<oid>[0-9a-fA-F]{7,64})\b"
_SAID = r"(?:(?:the )?(?:commit|changeset|revision|change|rev)s?:? +)?[`'\"(\[<]?"
_TRAILER = Late(
    r"^[ \t]*(?:fixes|fixes-commit|regressed-by|broken-by|blames?|bug-introduced-by)[ \t]*:[ \t]*"
    rf"{_SAID}{OID}(?!-[0-9])",
    re.IGNORECASE | re.MULTILINE,
)
_BLAME = Late(
    r"(?:\b(?:regression|bug|issue|problem|mistake|error|crash|breakage|typo|fallout)s? +(?:\w+ +){0,3}?(?:from|of"
    r"|in|by|since|with)"
    r"|\b(?:introduced|caused|broken|broke|regressed|triggered|exposed|added wrongly)(?: +\w+){0,2}? +(?:by|in|with"
    r"|since|from|at)"
    r"|\b(?:fix(?:e[sd])?|follow-?up fix|amends?|corrects?|repairs?|fixup) +(?:for|of|to|up|after|on)?"
    rf"|\bsince)\s+{_SAID}{OID}",
    re.IGNORECASE,
)
_PICK = Late(
    rf"\((?:cherry[- ]?picked|back-?ported|picked|ported) +from +(?:commit +)?{OID}[^)\n]{{0,200}}\)", re.IGNORECASE
)
