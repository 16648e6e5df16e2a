"""A backtest as JSON: every figure with what it was counted from, and the parts of the changes that it names."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import asdict

from tidegate.facts import to_json
from tidegate.policy.backtest.values import Backtest, Comparison


class BacktestDocument(Backtest, frozen=True, kw_only=True):
    """What one policy would have done."""

    schema: Literal["tidegate.backtest/1"] = "tidegate.backtest/1"


class ComparisonDocument(Comparison, frozen=True, kw_only=True):
    """Two policies beside each other, with the names that they were asked for by."""

    schema: Literal["tidegate.backtest-comparison/1"] = "tidegate.backtest-comparison/1"
    names: tuple[str, str]


def render_backtest_json(result: Backtest) -> bytes:
    """Canonical JSON of one policy."""
    return to_json(BacktestDocument(**asdict(result)))


def render_comparison_json(result: Comparison, names: tuple[str, str]) -> bytes:
    """Canonical JSON of two policies."""
    return to_json(ComparisonDocument(names=names, **asdict(result)))
