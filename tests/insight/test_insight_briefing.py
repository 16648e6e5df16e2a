"""Figures in words, the four answers on top, and the week on one page."""

from __future__ import annotations

import io
import random
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.cli.main import tidegate
from tidegate.cli.options import at_work
from tidegate.insight.answer import Insight, look
from tidegate.insight.briefing import THINGS, Briefing, brief, weeks_of
from tidegate.insight.briefing_text import render_html, render_markdown
from tidegate.insight.headlines import headlines, side_of
from tidegate.insight.local import Question, brief_here
from tidegate.insight.values import Figure, Ran, Shipped, Writer
from tidegate.insight.words import money_of, moved, said
from tidegate.settings import Settings

DAY = 86400.0
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC).timestamp()
WEEKS = weeks_of(NOW)
WRITTEN_BY: tuple[Writer, ...] = ("ai", "human", "unknown")


def figure(unit: str, value: float | None, low: float | None = None, high: float | None = None) -> Figure:
    return Figure(name="x", unit=unit, value=value, low=low, high=high, n=1104, says="" if value else "only 3: too few")


@pytest.mark.parametrize(
    ("given", "words", "difference"),
    [
        (figure("share", 0.048, 0.016, 0.109), "4.8 % (1.6 to 10.9), n 1,104", "+4.8 points (+1.6 to +10.9)"),
        (figure("share", -0.031, -0.2, 0.0), "", "−3.1 points (−20.0 to 0.0)"),
        (figure("seconds", 122400, 99000, 165960), "34.0 h (27.5 to 46.1), n 1,104", "+34.0 h (+27.5 to +46.1)"),
        (figure("seconds", -90, -7200, 3600), "", "0.0 h (−2.0 to +1.0)"),
        (figure("seconds", 3204, 276, 359952), "53.4 min (4.6 min to 4.2 d), n 1,104", ""),
        (figure("times", 2.26, 0.41, 12.44), "2.26 x (0.41 to 12.44), n 1,104", ""),
        (figure("a day", 0.31, 0.2, 0.45), "0.31 a day (0.20 to 0.45), n 1,104", "+0.31 a day (+0.20 to +0.45)"),
        (figure("lines a day", 1787, 1691, 1895), "1,787 lines a day (1,691 to 1,895), n 1,104", ""),
        (figure("index", 0.43, 0.39, 0.47), "0.43 (0.39 to 0.47), n 1,104", ""),
        (figure("share", None), "only 3: too few", "only 3: too few"),
    ],
)
def test_a_number_stands_with_its_interval_and_its_n(given: Figure, words: str, difference: str) -> None:
    if words:
        assert said(given) == words
    if difference:
        assert moved(given) == difference


def made(count: int, *, seed: int = 3, worse: bool = True, told: bool = True) -> tuple[list[Shipped], list[Ran]]:
    """Changes of thirteen weeks. `worse`: in the last week before NOW's nothing was reviewed any more."""
    draw = random.Random(seed)
    shipped, ran = [], []
    for number in range(count):
        at = WEEKS.until - 91 * DAY * (count - number) / count
        writer = draw.choices(WRITTEN_BY, (5, 4, 1))[0]
        size = draw.randrange(5, 300)
        late = worse and at >= WEEKS.since
        known: dict[str, object] = {
            "reviewed": 0 if late else size,
            "seconds": 0.0 if late else size * draw.random(),
            "reviewers": () if late or draw.random() < 0.1 else ("a",),
            "effort": size,
            "test_lines": size // 4,
        }
        shipped.append(
            Shipped(
                commit=f"{number:040x}",
                landed=at,
                writer=writer,
                size=size,
                fate="fixed" if draw.random() < (0.3 if writer == "ai" else 0.1) else "clean",
                author="b",
                began=at - DAY * draw.random(),
                deployed=at + DAY * draw.random(),
                lines={writer: size},
                **(known if told else {}),  # type: ignore[arg-type]
            )
        )
        if told and number % 4 == 0:
            ran.append(Ran(at=at, writer=writer, failed=draw.random() < 0.1))
    return shipped, ran


def written(shipped: list[Shipped], ran: list[Ran], scope: str = "acme/shop") -> Briefing:
    spans = ((WEEKS.since, WEEKS.until), (WEEKS.before, WEEKS.since), (WEEKS.until - 91 * DAY, WEEKS.until))
    week, before, period = (look(shipped, ran, *span, every="week") for span in spans)
    return brief(scope, WEEKS, week, before, period)


def whole(shipped: list[Shipped], ran: list[Ran]) -> Insight:
    return look(shipped, ran, WEEKS.until - 91 * DAY, WEEKS.until, every="week")


def test_the_week_is_the_last_whole_one_from_monday_to_monday() -> None:
    assert [datetime.fromtimestamp(at, UTC).isoformat()[:16] for at in (WEEKS.before, WEEKS.since, WEEKS.until)] == [
        "2026-11-02T00:00",
        "2026-11-09T00:00",
        "2026-11-16T00:00",
    ]
    assert WEEKS.label == "2026-W46"
    monday = datetime(2026, 11, 16, tzinfo=UTC).timestamp()
    assert weeks_of(monday) == WEEKS
    assert weeks_of(monday - 1).until == WEEKS.since
    assert weeks_of(datetime(2027, 1, 6, tzinfo=UTC).timestamp()).label == "2026-W53"


def test_a_side_is_taken_only_by_the_whole_interval() -> None:
    assert side_of("change failure rate", figure("share", 0.1, 0.01, 0.2)) == "worse"
    assert side_of("change failure rate", figure("share", -0.1, -0.2, -0.01)) == "better"
    assert side_of("lines reviewed", figure("share", -0.1, -0.2, -0.01)) == "worse"
    assert side_of("change failure rate", figure("share", 0.1, -0.01, 0.2)) == "open"
    assert side_of("change failure rate", figure("share", 0.1, 0.0, 0.2)) == "open"
    assert side_of("change failure rate", figure("share", None)) == "open"
    assert side_of("lines merged", figure("lines a day", 9, 1, 20)) == "told"


def test_the_four_answers_of_changes_that_are_worse() -> None:
    ai, hold, scrutiny, writers = headlines(whole(*made(700)))
    assert (ai.answer, ai.side) == ("AI changes are repaired more often", "worse")
    assert re.search(r"[0-9.]+ x \([0-9.]+ to [0-9.]+\), n \d+", ai.said)
    assert hold.said.startswith("change failure rate: ")
    assert "in the first half of the time" in scrutiny.said
    assert re.fullmatch(r"agents [0-9]+ % of the lines", writers.answer)
    assert "no record" in writers.said


def test_nobody_is_said_to_have_written_what_nobody_recorded() -> None:
    shipped, ran = made(100)
    dark = [replace(one, writer="unknown", lines={"unknown": one.size}) for one in shipped[1:]]
    writers = headlines(whole([replace(shipped[0], lines={"ai": 1}), *dark], ran))[3]
    assert (writers.answer, writers.side) == ("nobody knows of over 99 %", "open")


def test_the_four_answers_of_nothing_take_no_side() -> None:
    for found in (whole([], []), whole(*made(8, told=False))):
        told = headlines(found)
        assert [each.side for each in told] == ["open", "open", "open", "told"]
        assert all(each.said for each in told)
        assert [each.answer for each in told[:3]] == ["nobody can tell yet"] * 3


def test_what_got_worse_this_week_comes_first_and_of_each_topic_once() -> None:
    found = written(*made(700))
    assert len(found.things) <= THINGS
    first = found.things[0]
    assert first.what in (
        "lines reviewed: worse than the week before",
        "landed without a review: worse than the week before",
        "review per 100 lines: worse than the week before",
    )
    assert "difference" in first.said
    assert sum("review" in thing.what for thing in found.things) == 1
    assert any(thing.what.startswith("repairs of ai against human: more often") for thing in found.things)
    assert all(re.search(r"\d", thing.said) for thing in found.things), "no word without a number"
    assert found.looked > 10


def test_where_nothing_is_worse_that_is_said() -> None:
    shipped, ran = made(700, worse=False)
    calm = [replace(one, writer="human", fate="clean", lines={"human": one.size}) for one in shipped]
    found = written(calm, [replace(one, failed=False) for one in ran])
    assert found.things == ()
    assert "Nothing: of " in render_markdown(found)
    assert "none lies on the worse side with all of its interval" in render_html(found)


def test_what_is_not_known_takes_the_places_that_are_left() -> None:
    found = written(*made(30, told=False))
    whats = [thing.what for thing in found.things]
    assert "nobody wrote down who reviewed what" in whats
    assert "no deployment is known" in whats
    assert "deployment frequency" in found.silent


def test_an_empty_service_has_a_page_too() -> None:
    found = written([], [])
    text = render_markdown(found)
    assert "0 changes landed; 0 changes the week before" in text.replace("\\", "")
    assert "There is too little of either week for any figure." in text
    assert "too little data for any figure" in text
    assert "<table" not in render_html(found)


def test_the_same_answers_make_the_same_page() -> None:
    assert render_html(written(*made(300))) == render_html(written(*made(300)))
    assert render_markdown(written(*made(300))) == render_markdown(written(*made(300)))


def test_both_forms_say_the_same() -> None:
    found = written(*made(400))
    text = re.sub(r"[*|\\#]|&#124;| {2,}", "", render_markdown(found))
    page = render_html(found)
    for words in (*(thing.said for thing in found.things), *(each.said for each in found.headlines)):
        assert words in page
        assert words in text
    for one in found.moved:
        assert said(one.after) in page
        assert said(one.after) in text
    assert page.count("<tr>") == len(found.moved) + 1


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_hostile_name_is_text_in_both() -> None:
    bad = '<script>alert(1)</script>\u202e"|`](http://evil.test) @all #1'
    shipped, ran = made(500)
    found = written([replace(one, model=bad) for one in shipped], ran, scope=bad)
    found = replace(found, things=(replace(found.things[0], what=bad), *found.things[1:]), notes=(bad,))
    page = render_html(found)
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "\u202e" not in page
    assert "src=" not in page
    assert "url(" not in page
    text = render_markdown(found)
    assert "<script>" not in text
    assert "\u202e" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert not re.search(r"(?<![\\\u200b])@all", text)


def test_the_command_writes_the_week(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    for number in range(8):
        repo.commit(f"Change {number}", {"a.py": f"x = {number}\n" * 3})
    given = ["insight", "--since", "10y", "--repo", str(repo.path), "--now", "2026-02-10T00:00:00Z"]

    text = CliRunner().invoke(tidegate, [*given, "--briefing", "markdown"])
    page = CliRunner().invoke(tidegate, [*given, "--briefing", "html"])

    assert text.exit_code == page.exit_code == 0, text.output + page.output
    assert text.output.startswith("# 2026-W06: shop\n\n2026\\-02-02 to 2026-02-08 (UTC). 8 changes landed")
    assert "lines without a record of who wrote them" in text.output
    assert page.output.startswith("<!doctype html>")
    assert page.output.endswith("</html>\n")


def test_a_clone_that_ends_months_ago_is_asked_of_the_time_that_it_knows(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    for number in range(8):
        repo.commit(f"Change {number}", {"a.py": f"x = {number}\n" * 3})
    with open_repository(repo.path) as repository:
        asked = Question(since="10y", branch="HEAD", now=int(datetime(2026, 6, 10, tzinfo=UTC).timestamp()))
        page = brief_here(repository, Settings(), asked)
    assert page.weeks.label == "2026-W23"
    assert page.notes[0] == "nothing here is younger than 2026-02-02: this clone may be out of date"


def test_words_while_it_works_are_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, written_there in ((Terminal(), "\r\x1b[Kreading ...\r\x1b[K"), (io.StringIO(), "")):
        monkeypatch.setattr("sys.stderr", stream)
        with at_work("reading"):
            pass
        assert stream.getvalue() == written_there


def test_amounts_beside_each_other_have_the_same_places() -> None:
    given = (0.0, 0.0031, 0.19, 0.2, 0.996, 1.0, 12.5, 1234.4)
    assert [money_of(each) for each in given] == ["0.00", "0.0031", "0.19", "0.20", "1.00", "1.00", "12.50", "1,234"]
