"""`{ split = 3 }`: the change touches at most so many domains at once."""

from __future__ import annotations

from msgspec import Struct

from tidegate.policy.case import Case, count, listing, need
from tidegate.policy.obligations.kind import Judged, Kind, met, unmet

DEFAULT_BREADTH = 3


class Split(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of the kind `split`: the greatest number of domains; `true` stands for 3."""

    split: bool | int

    @property
    def most(self) -> int:
        return DEFAULT_BREADTH if self.split is True else int(self.split)


def _check(terms: Split) -> None:
    if terms.most < 1:
        raise ValueError("split is the greatest number of domains that one change may touch: 1 or more")


def _text(terms: Split) -> str:
    return f"The change touches at most {count(terms.most, 'domain')}"


def _judge(terms: Split, case: Case) -> Judged:
    breadth = need(case.document, "change.breadth", int)
    domains = need(case.document, "change.domains", list[str])
    if breadth <= terms.most and len(domains) <= terms.most:
        return met(f"it touches {count(breadth, 'domain')}")
    return unmet(f"it touches {max(breadth, len(domains))} at once: {listing(domains, 12)}")


def _next_step(_: Case) -> str:
    return "propose it in parts, one domain after the other: git reset --soft to the base, then commit each part"


KIND = Kind("split", "commit", Split, _check, _text, _judge, _next_step)
