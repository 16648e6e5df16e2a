"""Charts: what is drawn of any numbers, where it stands, and that no word stands on another."""

from __future__ import annotations

import math
import re
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.report.charts import Part, Point, Stack, bar_chart, forest_chart, line_chart, stacked_chart
from tidegate.report.charts.scale import WIDTH, make_axis, text_width
from tidegate.report.charts.values import KINDS
from tidegate.server.console.render import HERE

SVG = "{http://www.w3.org/2000/svg}"
NAMES = (("ai", "agents"), ("mixed", "both"), ("human", "people"), ("unknown", "nobody knows"))
UNITS = ("share", "seconds", "a day", "times", "")
TINY = st.floats(0, 1e-6)
NUMBERS = st.one_of(
    st.none(), st.floats(), st.floats(0, 1), st.floats(0, 1e7), TINY, TINY.map(lambda number: number * 1e20)
)
TEXT = st.text(max_size=60)
POINTS = st.lists(st.builds(Point, label=TEXT, value=NUMBERS, low=NUMBERS, high=NUMBERS, said=TEXT), max_size=70)
STACKS = st.lists(
    st.builds(
        Stack,
        label=TEXT,
        parts=st.lists(st.builds(Part, st.sampled_from(KINDS), st.floats()), max_size=4).map(tuple),
        said=TEXT,
    ),
    max_size=24,
)


def drawn(svg: str) -> ET.Element:
    """The picture, after what holds for every one of them."""
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert all((child.text or "").strip() for child in list(root)[:2])
    assert {child.tag for child in root} <= {
        f"{SVG}{name}" for name in ("title", "desc", "text", "path", "rect", "circle", "polygon")
    }
    _, _, wide, tall = map(float, (root.get("viewBox") or "").split())
    assert wide == WIDTH
    boxes = [box(element) for element in root.iter(f"{SVG}text")]
    for left, top, right, bottom in boxes:
        assert -0.1 <= left <= right <= wide + 0.1
        assert 0 <= top <= bottom <= tall
    for one, other in combinations(boxes, 2):
        assert not touches(one, other), (one, other, svg)
    for element in root:
        for name in ("x", "y", "cx", "cy", "width", "height", "d", "points"):
            numbers = [float(each) for each in re.findall(r"-?[0-9.]+", element.get(name, ""))]
            assert all(math.isfinite(each) and -WIDTH <= each <= max(wide, tall) for each in numbers)
            assert not re.search("nan|inf|e[+-]", element.get(name, ""))
    return root


def box(element: ET.Element) -> tuple[float, float, float, float]:
    x, y = float(element.get("x", "")), float(element.get("y", ""))
    width = text_width(element.text or "")
    names = (element.get("class") or "").split()
    left = x - width if "end" in names else x - width / 2 if "mid" in names else x
    return left, y - 8.5, left + width, y + 2.5


def touches(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def course(count: int) -> list[Point]:
    return [
        Point(label=f"2026-W{number:02}", value=0.1 + number % 7 / 100, low=0.05, high=0.3, said=f"n {number}")
        for number in range(count)
    ]


@settings(max_examples=30, deadline=None)
@given(points=POINTS, unit=st.sampled_from(UNITS), title=TEXT)
def test_a_chart_of_any_numbers_is_a_picture_without_words_on_words(points: list[Point], unit: str, title: str) -> None:
    for svg in (
        line_chart(points, f"t{title}", unit),
        bar_chart(points, f"t{title}", unit),
        forest_chart(points, f"t{title}", "less", "more"),
    ):
        if svg:
            drawn(svg)
    assert bool(line_chart(points, "t", unit)) == any(point.known for point in points)


@settings(max_examples=40, deadline=None)
@given(stacks=STACKS)
def test_a_stack_of_any_numbers_is_a_picture(stacks: list[Stack]) -> None:
    svg = stacked_chart(stacks, "t", NAMES)
    if svg:
        drawn(svg)


def test_a_stack_fills_its_row_and_its_parts_lie_side_by_side() -> None:
    parts = tuple(Part(kind, count) for kind, count in zip(KINDS, (5, 2, 8, 5), strict=True))
    root = drawn(stacked_chart([Stack(label="shop", parts=parts, said="25 %")], "t", ()))
    found = [
        (each.get("class"), float(each.get("x", "")), float(each.get("width", ""))) for each in root.iter(f"{SVG}rect")
    ]
    assert [name for name, _, _ in found] == list(KINDS)
    assert sum(width for _, _, width in found) == pytest.approx(WIDTH - 4, abs=0.2)
    for (_, x, width), (_, after, _) in pairwise(found):
        assert x + width == pytest.approx(after, abs=0.15)
    assert found[0][2] / found[2][2] == pytest.approx(5 / 8, abs=0.01)
    with pytest.raises(ValueError, match="'robot' is none of"):
        stacked_chart([Stack(label="", parts=(Part("robot", 1),))], "t", ())


def test_what_cannot_be_drawn_is_not_drawn() -> None:
    nothing = [Point(label="x", value=value) for value in (None, math.nan, math.inf, -math.inf)]
    for points in ([], nothing):
        assert (line_chart(points, "t"), bar_chart(points, "t"), forest_chart(points, "t", "a", "b")) == ("", "", "")
    assert stacked_chart([], "t", NAMES) == ""
    assert stacked_chart([Stack(label="x", parts=(Part("ai", 0), Part("human", math.nan)))], "t", NAMES) == ""


def test_a_few_points_are_no_course() -> None:
    for count in (1, 2, 4):
        root = drawn(line_chart(course(count), "t", "share"))
        names = [each.get("class") for each in root]
        assert "course" not in names
        assert "band" not in names
        assert names.count("dot") == names.count("whisker") == count
    root = drawn(line_chart(course(5), "t", "share"))
    assert [each.get("class") for each in root].count("course") == 1


def test_a_gap_is_a_gap_and_never_a_zero() -> None:
    points = course(12)
    points[5] = Point(label="2026-W05", value=None)
    root = drawn(line_chart(points, "t", "share"))
    assert [each.get("class") for each in root].count("course") == 2
    assert len(list(root.iter(f"{SVG}circle"))) == 11


def test_a_thousand_points_are_one_course_with_as_many_labels_as_stand_apart() -> None:
    svg = line_chart(course(1000), "t", "share")
    root = drawn(svg)
    assert [each.get("class") for each in root].count("course") == 1
    assert not list(root.iter(f"{SVG}circle"))
    assert 3 <= sum((each.text or "").startswith("2026") for each in root.iter(f"{SVG}text")) <= 6
    assert len(svg) < 60_000


def test_bars_are_as_long_as_their_numbers() -> None:
    values = (0.4, 0.2, 0.1)
    root = drawn(
        bar_chart([Point(label=str(each), value=each, low=each / 2, high=each * 2) for each in values], "t", "share")
    )
    widths = [float(each.get("width", "")) for each in root.iter(f"{SVG}rect")]
    assert widths[0] / widths[1] == pytest.approx(2, abs=0.01)
    assert widths[0] / widths[2] == pytest.approx(4, abs=0.02)
    assert (root[1].text or "").startswith("0.4: 0.4; 0.2: 0.2")


def test_a_group_without_a_number_keeps_its_row_and_says_why() -> None:
    root = drawn(
        bar_chart([Point(label="ai", value=0.2), Point(label="human", value=None, said="only 3: too few to say")], "t")
    )
    assert "only 3: too few to say" in [each.text for each in root.iter(f"{SVG}text")]
    assert len(list(root.iter(f"{SVG}rect"))) == 1


def test_groups_beyond_the_most_are_said() -> None:
    root = drawn(bar_chart([Point(label=f"g{number}", value=1.0) for number in range(33)], "t"))
    assert len(list(root.iter(f"{SVG}rect"))) == 20
    assert (root[1].text or "").endswith("13 more are in the table")


def test_a_ratio_lies_on_its_side_of_one() -> None:
    points = [Point(label="a", value=0.5, low=0.25, high=1.0), Point(label="b", value=2.0, low=1.0, high=4.0)]
    root = drawn(
        forest_chart([*points, Point(label="c", value=0.0), Point(label="d", value=-1.0)], "t", "less", "more")
    )
    left, right = (float(each.get("cx", "")) for each in root.iter(f"{SVG}circle"))
    assert left < WIDTH / 2 < right
    assert WIDTH / 2 - left == pytest.approx(right - WIDTH / 2, abs=0.2)


def test_a_whisker_beyond_the_axis_ends_in_an_arrow() -> None:
    svg = forest_chart([Point(label="a", value=1.0, low=0.0, high=1e9)], "t", "less", "more")
    data = next(each.get("d", "") for each in drawn(svg) if each.get("class") == "whisker")
    assert data.count("l") == 4
    assert "v6" not in data


def test_foreign_names_are_words_and_nothing_else() -> None:
    bad = '"><script>alert(1)</script>\x00\u202e]]>&amp;'
    svgs = [
        line_chart([Point(label=bad, value=1.0, said=bad)], bad, bad),
        bar_chart([Point(label=bad, value=1.0, said=bad)], bad, bad),
        forest_chart([Point(label=bad, value=1.0, said=bad)], bad, bad[:9], bad[:9]),
        stacked_chart([Stack(label=bad, parts=(Part("ai", 1),), said=bad)], bad, NAMES),
    ]
    for svg in svgs:
        assert "<script" not in svg
        assert "\u202e" not in svg
        assert "\x00" not in svg
        assert "script" in "".join(ET.fromstring(svg).itertext())


@pytest.mark.parametrize(
    ("values", "unit", "words"),
    [
        ((0.05, 0.31), "share", ("0 %", "10 %", "20 %", "30 %", "40 %")),
        ((0.99, 1.0), "share", ("0 %", "50 %", "100 %")),
        ((0.0005,), "share", ("0.00 %", "0.02 %", "0.04 %", "0.06 %")),
        ((9000.0, 40000.0), "seconds", ("0 h", "5 h", "10 h", "15 h")),
        ((300000.0,), "seconds", ("0 d", "1 d", "2 d", "3 d", "4 d")),
        ((0.0,), "a day", ("0.0", "0.5", "1.0")),
        ((-3.0, 4.0), "", ("-4", "-2", "0", "2", "4")),
        ((12345.0,), "", ("0", "5,000", "10,000", "15,000")),
        ((5e-324,), "seconds", ("0.0 s", "0.5 s", "1.0 s")),
        ((3e-9,), "", ("0", "1e-09", "2e-09", "3e-09")),
        ((4e12,), "", ("0", "1e+12", "2e+12", "3e+12", "4e+12")),
    ],
)
def test_ticks_are_round_numbers_that_hold_all(values: tuple[float, ...], unit: str, words: tuple[str, ...]) -> None:
    axis = make_axis(values, unit)
    assert axis.words == words
    assert axis.low <= min(values)
    assert max(values) <= axis.high


@given(st.lists(st.floats(-1e14, 1e14), min_size=1, max_size=5), st.sampled_from(UNITS))
def test_an_axis_holds_any_numbers_with_few_ticks(values: list[float], unit: str) -> None:
    axis = make_axis(values, unit)
    assert 2 <= len(axis.ticks) <= 8
    room = (axis.high - axis.low) * 1e-6
    assert all(axis.low - room <= value <= axis.high + room for value in (*values, 0.0))


def test_the_console_has_a_style_for_every_class() -> None:
    svgs = [
        line_chart(course(6), "t", "share"),
        line_chart(course(2), "t", "share"),
        bar_chart(course(3), "t", "share"),
        forest_chart(course(3), "t", "less", "more"),
        stacked_chart([Stack(label="x", parts=tuple(Part(kind, 9) for kind in KINDS))], "t", NAMES),
    ]
    used = {name for svg in svgs for names in re.findall(r'class="([^"]*)"', svg) for name in names.split()}
    lines = (HERE / "static" / "tidegate.css").read_text("utf-8").splitlines()
    style = "\n".join(line for line in lines if line.startswith(".chart"))
    assert {name for name in used if f".{name}" not in style} == set()
    assert not re.search("#[0-9a-f]{3,6}|rgb", style), "colours are those of the page"


def test_the_same_numbers_make_the_same_picture() -> None:
    assert line_chart(course(30), "t", "share") == line_chart(course(30), "t", "share")
