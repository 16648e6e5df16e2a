"""What the kinds that ask for a share of the changed lines have in common: all lines, or those of critical domains."""

from __future__ import annotations

from typing import Literal, TypeAlias

from tidegate.policy.case import Case, need
from tidegate.policy.obligations.kind import Judged, met, unmet

Lines: TypeAlias = Literal["all", "critical"]


def check_share(key: str, least: float) -> None:
    """Raises ValueError for a share that cannot be asked for."""
    if not 0 < least <= 1:
        raise ValueError(f"{key} = {least:g}: ask for more than 0 and at most 1")


def where(lines: Lines) -> str:
    """Which lines are meant, as a part of a sentence."""
    return " in critical domains" if lines == "critical" else ""


def judge_share(case: Case, group: str, field: str, least: float) -> Judged:
    """Whether the share `verification.GROUP.FIELD` is at least this. Never rounded up to what is asked."""
    share = need(case.document, f"verification.{group}.{field}", float)
    said = f"{int(share * 100)} % are"
    return met(said) if share >= least else unmet(said)
