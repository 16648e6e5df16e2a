"""Every figure has an interval that holds as often as it says, on changes whose truth is known."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.insight.compare import compare
from tidegate.insight.delivery import deliver
from tidegate.insight.intervals import median, rate, risk_ratio, share
from tidegate.insight.survival import Lines, gone_by
from tidegate.insight.values import Figure, Ran, Shipped

DAY = 86400.0


def _holds(draw: Callable[[random.Random], Figure], truth: float, runs: int = 400) -> float:
    """In which part of the runs the interval holds the truth."""
    chance = random.Random(7)
    figures = [draw(chance) for _ in range(runs)]
    return sum(f.low is not None and f.high is not None and f.low <= truth <= f.high for f in figures) / runs


@pytest.mark.parametrize(("p", "n"), [(0.02, 50), (0.15, 20), (0.5, 200), (0.97, 80)])
def test_a_share(p: float, n: int) -> None:
    assert _holds(lambda c: share("x", sum(c.random() < p for _ in range(n)), n), p) >= 0.93


@pytest.mark.parametrize("mean", [0.5, 4.0, 60.0])
def test_a_rate(mean: float) -> None:
    def draw(chance: random.Random) -> Figure:
        count, at = 0, chance.expovariate(1.0)
        while at < mean:
            count, at = count + 1, at + chance.expovariate(1.0)
        return rate("x", count, 10.0)

    assert _holds(draw, mean / 10) >= 0.93


@pytest.mark.parametrize("n", [6, 25, 400, 3000])
def test_a_median_of_a_skewed_distribution(n: int) -> None:
    runs = 60 if n == 3000 else 300
    held = _holds(lambda c: median("x", [c.lognormvariate(3, 1.5) for _ in range(n)], "s"), 20.0855, runs)
    assert held >= 0.92


def test_a_risk_ratio_within_strata() -> None:
    """The second group does harder work: a bare comparison would clear it, or convict the first."""

    def draw(chance: random.Random) -> Figure:
        strata = []
        for base, m, k in ((0.05, 300, 60), (0.3, 60, 300)):
            a = sum(chance.random() < base * 1.5 for _ in range(m))
            b = sum(chance.random() < base for _ in range(k))
            strata.append((a, m, b, k))
        return risk_ratio("x", strata)

    assert _holds(draw, 1.5) >= 0.92


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_share_lies_in_its_interval(hits: int, more: int) -> None:
    found = share("x", hits, hits + more)

    if found.value is None:
        assert hits + more < 5
    else:
        assert 0 <= found.low <= found.value <= found.high <= 1  # type: ignore[operator]


def test_too_few_say_nothing() -> None:
    assert share("x", 1, 2).value is None
    assert median("x", [1.0, 2.0], "s").says == "only 2: too few to say"
    assert risk_ratio("x", [(1, 5, 0, 0)]).says == "no stratum has both groups"
    assert rate("x", 0, 10).high is not None  # nothing in ten days says something


def _change(n: int, **more: object) -> Shipped:
    values = {"commit": str(n), "landed": 0.0, "writer": "human", "size": 10, "fate": "clean", **more}
    return Shipped(**values)  # type: ignore[arg-type]


def test_delivery_counts_what_is_not_known() -> None:
    shipped = [_change(n, began=0.0, deployed=3600.0 * n if n else None) for n in range(12)]
    shipped += [_change(20 + n, fate="pending", writer="ai") for n in range(3)]
    ran = [Ran(at=0, writer="human", failed=n < 2, recovered=600.0, rework=None) for n in range(10)]
    ran += [Ran(at=0, writer="ai", failed=None, rework=False)]

    table = deliver(shipped, ran, 10)

    frequency, lead, failures, recovery, rework, repaired, *_ = table.whole.figures
    assert (frequency.value, frequency.n) == (1.1, 11)
    assert (lead.value, lead.n, lead.left_out) == (6 * 3600.0, 11, 4)
    assert (failures.value, failures.n, failures.left_out) == (0.2, 10, 1)
    assert (recovery.value, recovery.says) == (None, "only 2: too few to say")
    assert (rework.value, rework.left_out) == (None, 10)
    assert (repaired.value, repaired.n, repaired.left_out) == (0.0, 12, 3)
    assert [row.group for row in table.rows] == ["ai", "human"]


def test_groups_without_a_name_come_last() -> None:
    table = deliver([_change(1), _change(2, tool="cursor"), _change(3, tool="claude")], [], 1, "tool")

    assert [row.group for row in table.rows] == ["claude", "cursor", "none"]
    with pytest.raises(ValueError, match="is none of"):
        deliver([_change(1)], [], 1, "moon")


def test_size_is_no_excuse_and_no_charge() -> None:
    """Agents make larger changes here, and large changes fail more often; of one size both fail alike."""
    chance = random.Random(3)
    shipped = []
    for n in range(6000):
        ai = n % 2 == 0
        size = int(chance.lognormvariate(5 if ai else 3, 1))
        fails = chance.random() < min(0.02 + size / 2000, 0.6)
        shipped.append(
            _change(n, writer="ai" if ai else "human", size=size, fate="fixed" if fails else "clean", repository="r")
        )
    bare = sum(s.fate != "clean" for s in shipped if s.writer == "ai") / sum(
        s.fate != "clean" for s in shipped if s.writer == "human"
    )
    found = compare(shipped)

    assert bare > 2.5
    assert found.value is not None
    assert found.value < 1.6  # what is left differs within a fifth
    assert found.n <= 6000


def test_lines_that_are_repaired_and_lines_that_are_replaced() -> None:
    """Both ends are exponential: by day t the share repaired is a/(a+b) (1 - exp(-(a+b) t)), censored or not."""
    import math

    def draw(chance: random.Random) -> Figure:
        lines = []
        for change in range(150):
            lasts, end = min((chance.expovariate(0.002), "repaired"), (chance.expovariate(0.004), "replaced"))
            seen = chance.uniform(50, 400)
            lines.append(
                Lines(
                    change=str(change),
                    writer="ai",
                    days=min(lasts, seen),
                    end=end if lasts <= seen else "alive",  # type: ignore[arg-type]
                    count=chance.randint(1, 30),
                )
            )
        return gone_by(lines, "ai", 90.0, seed=chance.randint(0, 9))[0]

    truth = 0.002 / 0.006 * (1 - math.exp(-0.006 * 90))
    assert _holds(draw, truth, 60) >= 0.87


def test_of_few_changes_no_survival_is_told() -> None:
    lines = [Lines(change="1", writer="ai", days=3, end="alive", count=1000)]

    assert gone_by(lines, "ai", 90)[0].says == "only 1 change: too few to say"
