"""What a chart is made of. Numbers that are none (None, NaN, infinite) are gaps, never zeros."""

from __future__ import annotations

import math

from msgspec import Struct

LEAST_COURSE = 5
"""Fewer known points are drawn one by one: a line through three of them would look like a trend."""
KINDS = ("ai", "mixed", "human", "unknown")
"""Filled, striped, pale, dotted: told apart without colour."""


class Point(Struct, frozen=True, kw_only=True):
    """A number with its interval. `said` is what stands beside it: the caller knows its unit and its n."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    said: str = ""

    @property
    def known(self) -> bool:
        return is_number(self.value)

    @property
    def span(self) -> tuple[float, float] | None:
        """The ends of the interval, in order; None where one of them is not known."""
        if self.low is None or self.high is None or not (is_number(self.low) and is_number(self.high)):
            return None
        return min(self.low, self.high), max(self.low, self.high)


class Part(Struct, frozen=True):
    """A part of a whole. `kind` is one of KINDS and chooses its texture."""

    kind: str
    count: float


class Stack(Struct, frozen=True, kw_only=True):
    """A whole in parts, in the order in which they are drawn."""

    label: str
    parts: tuple[Part, ...]
    said: str = ""


def is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and abs(value) < 1e15
