"""A backtest as JSON: every figure with what it was counted from, and the parts of the changes that it names."""

from __future__ import annotations

from typing import Any

import msgspec

from tidegate.facts import to_json
from tidegate.policy.backtest.values import Backtest, Comparison

SCHEMA = "tidegate.backtest/1"
COMPARISON_SCHEMA = "tidegate.backtest-comparison/1"


def render_backtest_json(result: Backtest) -> bytes:
    """Canonical JSON of one policy."""
    return to_json({"schema": SCHEMA, **_plain(result)})


def render_comparison_json(result: Comparison, names: tuple[str, str]) -> bytes:
    """Canonical JSON of two policies, with the names that they were asked for by."""
    return to_json({"schema": COMPARISON_SCHEMA, "names": names, **_plain(result)})


# Private


def _plain(value: object) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain
