"""What shipped, what ran, and the figures that follow, as values. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Writer = Literal["ai", "human", "mixed", "unknown"]
Fate = Literal["clean", "reverted", "fixed", "incident", "rolled-back", "pending"]
WRITERS: tuple[Writer, ...] = ("ai", "human", "mixed", "unknown")


class Shipped(Struct, frozen=True, kw_only=True):
    """A change that landed. `began` is its first commit, `deployed` its first deployment to production.

    `fate` is "pending" where it is too young to be judged: neither good nor bad. `size` is changed lines; `lines` of
    them by who wrote them. `reviewed` lines were looked at by people for `seconds`.
    """

    commit: str
    landed: float
    writer: Writer
    size: int
    fate: Fate
    repository: str = ""
    team: str = ""
    author: str = ""
    tool: str = ""
    model: str = ""
    began: float | None = None
    deployed: float | None = None
    lines: Mapping[str, int] = {}
    redeploys: int | None = None
    reviewed: int | None = None
    seconds: float | None = None
    reviewers: tuple[str, ...] = ()


class Ran(Struct, frozen=True, kw_only=True):
    """A deployment to production. `failed`: it needed a roll-back, a hot-fix or another immediate repair, None where
    that is not known yet; `recovered` seconds until it was mended; `rework`: nobody planned it, an incident made it.
    """

    at: float
    writer: Writer
    failed: bool | None
    service: str = ""
    repository: str = ""
    team: str = ""
    tool: str = ""
    model: str = ""
    recovered: float | None = None
    rework: bool | None = None


class Figure(Struct, frozen=True, kw_only=True):
    """A number with its 95 % interval and what it rests on. `value` is None where nothing can be said: `says` why.

    `n` counts what it was made of, `left_out` what could not be used.
    """

    name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    left_out: int = 0
    says: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """The figures of one group, in the order of the table's columns."""

    group: str
    figures: tuple[Figure, ...]


class Table(Struct, frozen=True, kw_only=True):
    """Figures by group; `whole` is all groups together."""

    by: str
    whole: Row
    rows: tuple[Row, ...]
