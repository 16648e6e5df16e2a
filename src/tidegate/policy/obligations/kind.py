"""The shape of one kind of obligation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from tidegate.policy.case import Case
from tidegate.policy.verdict import ObligationKind, Stage


class Judged(NamedTuple):
    """An answer without its text. Without a `next_step` of its own it has that of its kind."""

    state: Literal["met", "unmet", "unknown"]
    why: str
    next_step: str = ""


class Kind(NamedTuple):
    """One kind of obligation: the key that names it in a rule, its table, when it is due, and how it is judged.

    `check` raises ValueError with one sentence for terms that ask nothing or that nobody can meet. `judge` may raise
    UnknownFactError: the obligation is then unknown. `next_step` is what to do where it is not met.
    """

    key: ObligationKind
    due: Stage
    terms: type[Struct]
    check: Callable[[Any], None]
    text: Callable[[Any], str]
    judge: Callable[[Any, Case], Judged]
    next_step: Callable[[Case], str]


def met(why: str) -> Judged:
    return Judged("met", why)


def unmet(why: str, next_step: str = "") -> Judged:
    return Judged("unmet", why, next_step)


def refuse_false(key: str) -> Callable[[Any], None]:
    """A check for kinds whose table is `{ key = true }`."""

    def check(terms: Any) -> None:
        if getattr(terms, key) is not True:
            raise ValueError(f"{key} = false asks nothing: leave it out")

    return check
