"""What was spent joined to what shipped; what cannot be joined is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.errors import InputError
from tidegate.insight.spend import join_spending, read_costs
from tidegate.insight.values import Shipped

DAY = 86400.0


def _write(path: Path, text: str) -> Path:
    (path / "spend.csv").write_text(text)
    return path / "spend.csv"


def _change(tool: str, fate: str = "clean", lines: int = 100, landed: float = DAY) -> Shipped:
    return Shipped(
        commit="a",
        landed=landed,
        writer="ai",
        size=lines,
        fate=fate,
        tool=tool,
        lines={"ai": lines},  # type: ignore[arg-type]
    )


def test_cost_per_change_line_and_failure(tmp_path: Path) -> None:
    rows = "day,tool,cost,currency\n1970-01-02,Claude Code,30,usd\n1970-01-03,claude,10,USD\n1970-01-03,devin,5,USD\n"
    shipped = [_change("claude"), _change("claude", "fixed"), _change("claude", "pending"), _change("cursor")]

    found = join_spending(read_costs(_write(tmp_path, rows)), shipped, 0, 10 * DAY)

    (claude,) = found.returns
    assert (claude.cost, claude.changes, claude.sound, claude.failures, claude.pending) == (40.0, 3, 1, 1, 1)
    assert (claude.per_change, claude.per_line, claude.per_failure) == (40 / 3, 40 / 300, 40.0)
    assert (found.cost, found.unjoined, found.currency, found.unpaid) == (45.0, 5.0, "USD", ("cursor",))


def test_only_what_lies_in_the_time_counts(tmp_path: Path) -> None:
    rows = "day,tool,cost\n1970-01-02,claude,30\n1971-01-01,claude,99\n"

    found = join_spending(read_costs(_write(tmp_path, rows)), [_change("claude", landed=400 * DAY)], 0, 10 * DAY)

    assert (found.cost, found.unjoined, found.returns) == (30.0, 30.0, ())


@pytest.mark.parametrize(
    ("rows", "says", "where"),
    [
        ("day,tool,price\n", "'price' is no column", "line 1"),
        ("day,cost\n", "no column tool", "line 1"),
        ("", "no column day", "line 1"),
        ("day,tool,cost\n2026-13-01,a,1\n", "is no day", "line 2"),
        ("day,tool,cost\n2026-01-01,a,-1\n", "is no cost", "line 2"),
        ("day,tool,cost\n2026-01-01,a,nan\n", "is no cost", "line 2"),
        ("day,tool,cost\n2026-01-01,,1\n", "a cost of no tool", "line 2"),
        ("day,tool,cost\n2026-01-01,a\n", "2 cells under 3 columns", "line 2"),
        ("day,tool,cost,cost\n", "a column twice", "line 1"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, rows: str, says: str, where: str) -> None:
    with pytest.raises(InputError) as caught:
        read_costs(_write(tmp_path, rows))

    assert says in caught.value.what
    assert where in caught.value.where


def test_currencies_are_not_added_up(tmp_path: Path) -> None:
    rows = "day,tool,cost,currency\n1970-01-02,a,1,USD\n1970-01-02,a,1,EUR\n"

    with pytest.raises(InputError, match="EUR and USD"):
        join_spending(read_costs(_write(tmp_path, rows)), [], 0, 10 * DAY)
