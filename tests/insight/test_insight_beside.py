"""Scrutiny, upkeep, debt, load and series: what each counts, and what it leaves out."""

from __future__ import annotations

import csv
import io
import math
import random
from pathlib import Path

import pytest
from bench.insight.drawn import CODE, DAYS, draw, reviewed_at
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.insight.answer import look
from tidegate.insight.export import COLUMNS, csv_of, safe_cell
from tidegate.insight.intervals import difference
from tidegate.insight.load import load_of
from tidegate.insight.ratios import mean
from tidegate.insight.series import buckets_of
from tidegate.insight.suite import read_suite
from tidegate.insight.text import render_insight
from tidegate.insight.values import Figure, Shipped

DAY = 86400.0


def _change(n: int, **more: object) -> Shipped:
    values = {"commit": str(n), "landed": n * DAY, "writer": "human", "size": 10, "fate": "clean", **more}
    return Shipped(**values)  # type: ignore[arg-type]


def _figures(row: tuple[Figure, ...]) -> dict[str, Figure]:
    return {figure.name: figure for figure in row}


def test_a_mean_of_a_skewed_distribution() -> None:
    chance = random.Random(5)
    held = 0
    for _ in range(300):
        found = mean("x", [chance.lognormvariate(3, 1) for _ in range(60)], "s")
        held += found.low is not None and found.high is not None and found.low <= math.exp(3.5) <= found.high
    assert held / 300 >= 0.91  # sixty values of such a tail


@given(st.lists(st.integers(0, 50), min_size=5, max_size=30))
def test_a_mean_lies_in_its_interval(values: list[int]) -> None:
    found = mean("x", values, "x")

    assert found.value is not None
    assert 0 <= found.low <= found.value <= found.high  # type: ignore[operator]


def test_one_change_that_outweighs_all_makes_the_interval_wide() -> None:
    even = mean("x", [10.0 + n % 3 for n in range(50)], "x")
    heavy = mean("x", [*(10.0 + n % 3 for n in range(49)), 100_000.0], "x")

    assert even.high is not None
    assert even.high < 11.5
    assert heavy.low is not None
    assert heavy.low < 100


def test_what_nobody_reviewed_and_what_nobody_knows() -> None:
    shipped = [_change(n, reviewers=() if n % 4 == 0 else ("ben",), author="ada", effort=20) for n in range(40)]
    shipped += [_change(100 + n) for n in range(7)]  # nobody wrote down whether anybody reviewed them
    shipped += [_change(200, reviewers=("ada",), author="ada")]  # a review of one's own is none

    found = look(shipped, [], 0, 300 * DAY)

    assert found.scrutiny is not None
    alone = _figures(found.scrutiny.whole.figures)["landed without a review"]
    assert (alone.value, alone.n, alone.left_out) == (11 / 41, 41, 7)
    assert _figures(found.scrutiny.whole.figures)["lines reviewed"].says == "nothing to count"


def test_tests_are_counted_by_lines_and_never_beyond_all() -> None:
    shipped = [_change(n, effort=100, test_lines=500 if n == 0 else 25) for n in range(20)]

    upkeep = look(shipped, [], 0, 300 * DAY).upkeep

    assert upkeep is not None
    lines, touched = upkeep.whole.figures
    assert lines.value == (100 + 19 * 25) / 2000
    assert (touched.value, touched.n) == (1.0, 20)


def test_redeploys_are_of_repaired_changes_only() -> None:
    shipped = [_change(n, redeploys=9) for n in range(9)]
    shipped += [_change(20 + n, redeploys=n % 3, fate="fixed") for n in range(6)]
    shipped += [_change(40, fate="reverted")]

    figures = _figures(look(shipped, [], 0, 300 * DAY).tables[0].whole.figures)

    again = figures["redeploys a repaired change"]
    assert (again.value, again.n, again.left_out) == (1.0, 6, 1)


def test_how_reviews_are_spread() -> None:
    shipped = [_change(n, reviewers=("ada", "ben"), author="ben", seconds=60.0, reviewed=8) for n in range(30)]
    shipped += [_change(50 + n, reviewers=("cid", "dan"), author="ben") for n in range(10)]

    load = load_of(shipped)

    assert load is not None
    assert [(one.person, one.reviews, one.lines, one.seconds) for one in load.people] == [
        ("reviewer 1", 30, 240, 1800.0),
        ("reviewer 2", 10, 50, 0.0),
        ("reviewer 3", 10, 50, 0.0),
    ]
    assert load.top.value == 0.6
    assert load.gini.value == pytest.approx((-2 / 3 * 10 + 0 + 2 / 3 * 30) / 50)
    assert "ada" not in load.warning
    assert load_of([_change(1)]) is None


def test_weeks_and_months_have_no_gaps() -> None:
    weeks = buckets_of(1_767_225_600, 1_769_904_000, "week")  # January 2026, from a Thursday
    assert weeks.labels == ("2026-W01", "2026-W02", "2026-W03", "2026-W04", "2026-W05")
    assert list(weeks.days) == [4, 7, 7, 7, 6]
    months = buckets_of(1_767_225_600, 1_772_323_200, "month")
    assert (list(months.labels), list(months.days)) == (["2026-01", "2026-02"], [31, 28])
    with pytest.raises(InputError, match="more than"):
        buckets_of(0, 4e9, "week")
    for since, until in ((0, -1), (5, 1e12), (0, math.inf), (math.nan, 5)):
        with pytest.raises(InputError):
            buckets_of(since, until, "month")


def test_the_later_half_against_the_earlier() -> None:
    shipped, ran = draw(random.Random(1), 6000)

    found = look(shipped, ran, 0, DAYS * DAY)

    series = {one.name: one for one in found.series if one.group == "all"}
    change = series["landed without a review"].change
    assert change is not None
    truth = reviewed_at(DAYS / 4) - reviewed_at(3 * DAYS / 4)
    assert change.difference.low is not None
    assert 0 < change.difference.low <= truth <= (change.difference.high or 0)
    assert len(series["lines merged"].points) == 12
    assert sum(point.n for point in series["lines merged"].points) == 6000
    assert {one.group for one in found.series if one.name == "duplicated lines"} == {"all", *CODE["duplicated lines"]}
    words = render_insight(found)
    assert "may be chance: " in words
    assert "landed without a review" in words.partition("How the later half")[2].partition("may be chance")[0]


def test_a_month_before_the_first_deployment_says_nothing() -> None:
    from tidegate.insight.values import Ran

    ran = [Ran(at=100 * DAY + n, writer="ai", failed=False) for n in range(9)]
    found = look([_change(n) for n in range(9)], ran, 0, 150 * DAY)

    (often,) = [one for one in found.series if one.name == "deployment frequency"]
    assert [point.value for point in often.points] == [None, None, None, 9 / 30, 0.0]


def test_fast_changes_of_late_do_not_stand_alone() -> None:
    """Every second change takes forty days to go out, at all times; the last of them have not gone out yet."""
    end = 400 * DAY
    leads = [(n * DAY, DAY if n % 2 else 40.0 * DAY) for n in range(400)]
    shipped = [
        _change(n, began=at, deployed=at + lead if at + lead < end else None) for n, (at, lead) in enumerate(leads)
    ]

    found = look(shipped, [], 0, end)

    assert "lead times of the last 40 days are left out: slow changes of then still go out" in found.notes
    lead = _figures(found.tables[0].whole.figures)["lead time"]
    assert (lead.n, lead.left_out) == (360, 40)
    (trend,) = [one for one in found.series if one.name == "lead time"]
    assert trend.change is not None
    assert trend.change.before.value == trend.change.after.value


def test_nothing_at_all() -> None:
    found = look([], [], 0, DAY)

    assert (found.changes, found.series, found.load, found.scrutiny) == (0, (), None, None)
    assert "0 changes landed" in render_insight(found)
    assert csv_of(found).startswith("part,by,group")


def test_a_difference_of_what_says_nothing_is_none() -> None:
    nothing = mean("x", [], "x")

    assert difference(nothing, mean("x", [1.0] * 9, "x")) is None


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "|calc", "=cmd|' /C calc'!A0", "＝1"]
)
def test_no_spreadsheet_computes_a_cell(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"
    assert safe_cell("claude-code 4.5") == "claude-code 4.5"


def test_every_figure_is_a_row() -> None:
    shipped = [_change(n, writer="ai", tool="=HYPERLINK(1)", test_lines=1) for n in range(9)]

    rows = list(csv.DictReader(io.StringIO(csv_of(look(shipped, [], 0, 30 * DAY, by=("tool",))))))

    assert tuple(rows[0]) == COLUMNS
    assert {row["group"] for row in rows if row["part"] == "delivery"} == {"all", "'=HYPERLINK(1)"}
    repaired = next(row for row in rows if row["figure"] == "changes repaired")
    assert (float(repaired["value"]), repaired["n"]) == (0.0, "9")


def test_tests_that_cannot_be_trusted_and_tests_that_never_say_anything(tmp_path: Path) -> None:
    paths = []
    for run in range(22):
        failing = "<failure/>" if run == 3 else ""
        flaky = "<flakyFailure/>" if run in (5, 9) else ""
        path = tmp_path / f"{run}.xml"
        path.write_text(
            '<testsuite><testcase classname="a" name="quiet"/>'
            f'<testcase classname="a" name="honest">{failing}</testcase>'
            f'<testcase classname="a" name="moody">{flaky}</testcase>'
            '<testcase classname="a" name="off"><skipped/></testcase>'
            '<testcase classname="b" name="one"/><testcase classname="b" name="two"/></testsuite>'
        )
        paths.append(path)

    suite = read_suite(paths)

    assert suite is not None
    flaky_share, silent = suite.figures
    assert (suite.reports, suite.tests, flaky_share.value, flaky_share.n, flaky_share.left_out) == (22, 6, 0.2, 5, 1)
    assert (silent.value, silent.n) == (0.6, 5)
    (worst,) = suite.worst
    assert (worst.name, worst.runs, worst.failed) == ("a.moody", 22, 2)
    assert read_suite([]) is None


def test_lines_by_writer_stand_for_each_group() -> None:
    shipped = [
        Shipped(
            commit=str(number),
            landed=86400.0,
            writer="ai",
            size=10,
            fate="clean",
            tool="claude" if number % 2 else "",
            lines={"ai": 10 * (number % 2), "unknown": 5},
        )
        for number in range(8)
    ]

    found = look(shipped, [], 0, 10 * 86400.0, by=("writer", "tool"))

    assert [(one.by, one.group, dict(one.lines)) for one in found.written_by] == [
        ("tool", "claude", {"ai": 40, "human": 0, "mixed": 0, "unknown": 20}),
        ("tool", "none", {"ai": 0, "human": 0, "mixed": 0, "unknown": 20}),
    ]
    for number, (_, lines) in enumerate(found.written):
        assert sum(one.lines[number][1] for one in found.written_by) == lines
    assert "written,tool,claude,lines by ai,,lines,40.0" in csv_of(found)
    assert "tool: claude\n  lines  ai 67%   human 0%   mixed 0%   unknown 33%" in render_insight(found)
