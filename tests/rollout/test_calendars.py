"""Calendars of iCalendar as freezes: what RFC 5545 says, else frozen, with the reason."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.repos import Repo
from tests.rollout.helpers import HOUR, NOW, forward, question, rollout_of, situation
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.rollout.calendars.read import read_events
from tidegate.rollout.document import Rollout
from tidegate.rollout.gate import Obligation, gate
from tidegate.rollout.read import Fetch, Loaded, nowhere, read_rollout

BERLIN = "Europe/Berlin"
DOCUMENT = """time_zone = "Europe/Berlin"
[environments.production]
tier = "low"
[calendars.company]
file = "company.ics"
[[freeze]]
name = "company"
calendar = "company"
"""


def ics(*events: str, head: str = "") -> bytes:
    """A calendar of events, each written as `NAME:VALUE|NAME:VALUE`."""
    bodies = [f"BEGIN:VEVENT\r\nUID:u\r\n{body}\r\nEND:VEVENT\r\n".replace("|", "\r\n") for body in events]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{''.join(bodies)}END:VCALENDAR\r\n".encode()


def holds(content: bytes, moment: str, zone: str = "") -> bool:
    at = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()
    return any(one.holds(at, at) is not None for one in read_events(content, zone, BERLIN))


CLOCKS = [f"{hour:02}{minute:02}00" for hour in range(24) for minute in (0, 30)]
WEEKEND = f"DTSTART;TZID={BERLIN}:20260102T160000|DTEND;TZID={BERLIN}:20260105T080000|RRULE:FREQ=WEEKLY;BYDAY=FR"


@pytest.mark.parametrize(
    ("event", "moment", "frozen"),
    [
        (WEEKEND, "2026-03-27T15:59", False),
        (WEEKEND, "2026-03-27T16:00", True),
        (WEEKEND, "2026-03-30T07:59", True),  # the clock went forward that night
        (WEEKEND, "2026-03-30T09:01", False),
        (f"{WEEKEND};UNTIL=20260320T000000Z", "2026-03-21T12:00", False),
        (f"{WEEKEND};UNTIL=20260327T150000Z", "2026-03-28T12:00", True),  # at 16:00 in Berlin: that one still comes
        (f"{WEEKEND};COUNT=2", "2026-01-10T12:00", True),
        (f"{WEEKEND};COUNT=2", "2026-01-17T12:00", False),
        (f"{WEEKEND};INTERVAL=2", "2026-01-10T12:00", False),
        (f"{WEEKEND};INTERVAL=2", "2026-01-17T12:00", True),
        (f"{WEEKEND}|EXDATE;TZID={BERLIN}:20260109T160000,20260116T160000", "2026-01-17T12:00", False),
        (f"{WEEKEND}|EXDATE:20260109T150000Z", "2026-01-10T12:00", False),
        (f"{WEEKEND}|EXDATE:20260109T160000Z", "2026-01-10T12:00", True),  # of no occurrence
        (f"{WEEKEND}|RDATE;TZID={BERLIN}:20260107T100000", "2026-01-08T12:00", True),
        (f"{WEEKEND}|RDATE;VALUE=PERIOD:20260107T100000Z/PT1H", "2026-01-07T11:30", True),
        (f"{WEEKEND}|RDATE;VALUE=PERIOD:20260107T100000Z/PT1H", "2026-01-07T12:30", False),
        (f"{WEEKEND}|STATUS:CANCELLED", "2026-01-03T12:00", False),
        (f"{WEEKEND}|TRANSP:TRANSPARENT", "2026-01-03T12:00", True),
        (f"{WEEKEND}|BEGIN:VALARM|TRIGGER:-PT15M|DURATION:P9W|END:VALARM", "2026-01-07T12:00", False),
        ("DTSTART;VALUE=DATE:20261224|DTEND;VALUE=DATE:20261227|RRULE:FREQ=YEARLY", "2031-12-26T23:59", True),
        ("DTSTART;VALUE=DATE:20261224|DTEND;VALUE=DATE:20261227|RRULE:FREQ=YEARLY", "2031-12-27T00:00", False),
        ("DTSTART;VALUE=DATE:20261224", "2026-12-24T23:59", True),
        ("DTSTART;VALUE=DATE:20261224", "2026-12-25T00:00", False),
        ("DTSTART:20260130|RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-02-27T12:00", True),
        ("DTSTART:20260130|RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-02-26T12:00", False),
        ("DTSTART:20261126|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2027-11-25T12:00", True),
        ("DTSTART:20260301T120000|DURATION:PT2H", "2026-03-01T13:59", True),
        ("DTSTART:20260301T120000Z|DURATION:PT2H", "2026-03-01T13:59", True),
        ("DTSTART:20260301T120000Z|DURATION:PT2H", "2026-03-01T12:59", False),
        ("DTSTART;TZID=W. Europe Standard Time:20260301T120000|DURATION:PT2H", "2026-03-01T12:00", True),
        ("DTSTART;TZID=/example.org/America/New_York:20260301T120000|DURATION:PT2H", "2026-03-01T18:30", True),
        ("DTSTART:20261025T023000|DTEND:20261025T120000", "2026-10-25T02:30", True),
    ],
)
def test_an_event_holds_as_the_standard_says(event: str, moment: str, frozen: bool) -> None:
    assert holds(ics(event), moment) is frozen


def test_one_occurrence_is_moved_or_cancelled() -> None:
    moved = f"RECURRENCE-ID;TZID={BERLIN}:20260109T160000|DTSTART;TZID={BERLIN}:20260107T100000|DURATION:PT1H"
    assert not holds(ics(WEEKEND, moved), "2026-01-10T12:00")
    assert holds(ics(moved, WEEKEND), "2026-01-07T10:30")
    assert not holds(ics(WEEKEND, f"{moved}|STATUS:CANCELLED"), "2026-01-07T10:30")
    assert not holds(ics(WEEKEND, f"{moved}|STATUS:CANCELLED"), "2026-01-10T12:00")
    assert holds(ics(WEEKEND, moved), "2026-01-17T12:00")


def test_a_time_without_a_zone_is_of_the_zone_that_is_asked_then_of_the_calendar() -> None:
    noon = "DTSTART:20260301T120000|DURATION:PT1H"
    assert holds(ics(noon), "2026-03-01T12:30")
    assert holds(ics(noon, head="X-WR-TIMEZONE:America/New_York\r\n"), "2026-03-01T18:30")
    assert holds(ics(noon, head="X-WR-TIMEZONE:America/New_York\r\n"), "2026-03-01T13:30", "UTC")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no calendar"),
        (b"<html>sign in</html>", "cannot be read"),
        (b"\xff\xfe", "not UTF-8"),
        (b"A" * ((1 << 20) + 1), "larger than 1 MiB"),
        (ics(WEEKEND)[:-15], "ends in the middle"),
        (b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "did not begin"),
        (ics("SUMMARY:x"), "when it begins"),
        (ics("DTSTART:2026"), "is no time"),
        (ics("DTSTART:20260101T100000|DTEND:20260101T090000"), "ends before"),
        (ics("DTSTART:20260101T100000|DURATION:-PT1H"), "ends before"),
        (ics("DTSTART:20260101|DURATION:P9999999999D"), "no duration"),
        (ics("DTSTART;TZID=Customized Time Zone:20260101T100000"), "no time zone"),
        (ics("DTSTART;TZID=../../etc/passwd:20260101T100000"), "no time zone"),
        (ics("DTSTART:20260101T100000|RRULE:FREQ=SECONDLY"), "cannot be followed"),
        (ics("DTSTART:20260101T100000|RRULE:FREQ=DAILY;BYHOUR=3"), "cannot be followed"),
        (ics("DTSTART:20260101|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "does not fit"),
        (ics("DTSTART:20260101|RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "does not fit"),
        (ics("DTSTART:20260101|RRULE:FREQ=WEEKLY;INTERVAL=0"), "is no rule"),
        (ics("DTSTART:20260101|RRULE:FREQ=WEEKLY;BYDAY=XX"), "is no rule"),
        (ics("DTSTART:20260101|RRULE"), "cannot be read"),
        (ics("DTSTART:20260101|RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY"), "two of RRULE"),
        (ics("DTSTART:20260101|EXRULE:FREQ=DAILY"), "EXRULE"),
        (ics("DTSTART:20260101|RECURRENCE-ID;RANGE=THISANDFUTURE:20260101"), "more than one"),
        (ics(*["DTSTART:20260101"] * 5001), "more than 5000 events"),
        (ics(*["DTSTART:20260101|RRULE:FREQ=DAILY"] * 201), "200 that come again"),
        (
            ics(
                "DTSTART:20260101|EXDATE:"
                + ",".join(f"{year}0101T{clock}" for year in range(1800, 2300) for clock in CLOCKS)
            ),
            "20000 dates",
        ),
    ],
)
def test_what_is_not_understood_to_the_letter_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(InputError) as error:
        read_events(content, "", BERLIN)
    assert why in error.value.what


_DAYS = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), unique=True, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    freq=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    interval=st.integers(1, 5),
    days=_DAYS,
    months=st.lists(st.integers(1, 12), unique=True, max_size=3),
    count=st.none() | st.integers(1, 40),
    start=st.integers(0, 3000),
    ahead=st.integers(0, 2500),
)
def test_its_occurrences_are_those_of_the_whole_rule(
    freq: str, interval: int, days: list[str], months: list[int], count: int | None, start: int, ahead: int
) -> None:
    begins = datetime.fromisoformat("2010-01-01") + timedelta(days=start)
    rule = f"FREQ={freq};INTERVAL={interval}"
    rule += f";BYDAY={','.join(days)}" if days else ""
    rule += f";BYMONTH={','.join(map(str, months))}" if months else ""
    rule += f";COUNT={count}" if count is not None else ""
    content = ics(f"DTSTART:{begins:%Y%m%dT%H%M%SZ}|DURATION:PT1H|RRULE:{rule}")
    whole = rrulestr(rule, dtstart=begins)
    if next(iter(whole), None) != begins:
        with pytest.raises(InputError, match="does not fit"):
            read_events(content, "", "UTC")
        return
    (event,) = read_events(content, "", "UTC")
    at = begins + timedelta(days=ahead)
    zone = ZoneInfo("UTC")
    for day in (at, *whole.between(at, at + timedelta(days=800))[:2]):
        comes = bool(whole.between(day, day, inc=True))
        moment = day.replace(tzinfo=zone).timestamp()
        assert (event.holds(moment, moment) is not None) is comes


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789TZPDWH:;=,-+FREQUNTILBYDAMOCIV\r\n ", max_size=80))
def test_whatever_stands_in_an_event_is_read_or_refused(text: str) -> None:
    with suppress(InputError):
        for event in read_events(ics(f"DTSTART:20260101T100000|{text}"), "", BERLIN):
            assert event.holds(NOW, NOW) is None or event.rule or event.lasts or event.also


def obligations(
    tmp_path: Path, content: bytes | None, fetch: Fetch = nowhere, text: str = DOCUMENT
) -> list[Obligation]:
    repo = Repo.init(tmp_path / "r")
    files = {".tidegate/rollout.toml": text}
    tip = repo.commit("Write it", files if content is None else {**files, ".tidegate/company.ics": content.decode()})
    with open_repository(repo.path) as repository:
        document = read_rollout(repository, tip, fetch)
    assert isinstance(document, Rollout)
    decision = gate(question(), forward(), document, NOW, situation())
    return [one for one in decision.obligations if one.kind == "freeze"]


def test_a_calendar_beside_the_document_freezes_by_its_events(tmp_path: Path) -> None:
    (found,) = obligations(tmp_path, ics("DTSTART:20260304|SUMMARY:Quarter end"))
    assert found.state == "unmet"
    assert found.why == "the freeze company, Quarter end, holds until 2026-03-04 23:00 UTC"
    assert not obligations(tmp_path / "2", ics("DTSTART:20260305|SUMMARY:Quarter end"))


def test_a_calendar_that_cannot_be_read_freezes_and_says_why(tmp_path: Path) -> None:
    (absent,) = obligations(tmp_path, None)
    assert absent.state == "unknown"
    assert "there is no .tidegate/company.ics" in absent.why
    (broken,) = obligations(tmp_path / "2", ics("DTSTART:20260101|RRULE:FREQ=HOURLY"))
    assert broken.state == "unknown"
    assert broken.why.startswith("the calendar of the freeze company cannot be read: event 'u': the rule 'FREQ=HOURLY'")


def test_two_people_set_the_freeze_of_a_broken_calendar_aside(tmp_path: Path) -> None:
    leave = """
[[exception]]
covers = "freeze"
freeze = "company"
environment = "production"
people = ["alice", "bob"]
reason = "the calendar is broken"
from = "2026-03-04"
until = "2026-03-05"
"""
    (found,) = obligations(tmp_path, b"broken", text=DOCUMENT + leave)
    assert found.state == "set aside"


def test_a_calendar_at_an_address_is_brought_by_the_service_alone(tmp_path: Path) -> None:
    text = DOCUMENT.replace('file = "company.ics"', 'url = "https://calendar.example.com/c.ics"')
    (local,) = obligations(tmp_path, None, text=text)
    assert local.state == "unknown"
    assert "--server" in local.next_step
    (told,) = obligations(tmp_path / "2", None, lambda url: Loaded(ics(), f"as of noon: {url}"), text)
    assert (told.state, told.why) == ("met", "as of noon: https://calendar.example.com/c.ics")


@pytest.mark.parametrize(
    "line",
    [
        'file = "../secret.ics"',
        'file = "/etc/passwd"',
        'url = "http://calendar.example.com/"',
        'url = "file:///etc/passwd"',
        'file = "a.ics"\nurl = "https://a/"',
        "",
    ],
)
def test_a_calendar_is_beside_the_document_or_at_https(line: str) -> None:
    with pytest.raises(InputError, match="calendars"):
        rollout_of(DOCUMENT.replace('file = "company.ics"', line))


def test_the_digest_of_a_document_changes_with_its_calendars(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    first = repo.commit("a", {".tidegate/rollout.toml": DOCUMENT, ".tidegate/company.ics": ics().decode()})
    second = repo.commit("b", {".tidegate/company.ics": ics("DTSTART:20260304").decode()})
    with open_repository(repo.path) as repository:
        one, other = read_rollout(repository, first), read_rollout(repository, second)
    assert isinstance(one, Rollout)
    assert isinstance(other, Rollout)
    assert one.digest != other.digest


def test_without_a_calendar_nothing_of_calendars_is_imported() -> None:
    code = (
        "import sys; from tidegate.rollout.read import parse_rollout; import tidegate.rollout.ask;"
        'parse_rollout(b\'[environments.a]\\n[[freeze]]\\nname="f"\\nevery="day"\\nfrom="10:00"\\nuntil="11:00"\');'
        "print([name for name in ('icalendar', 'dateutil') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_rule_of_many_years_costs_little() -> None:
    many = ics(*["DTSTART:19700101T100000Z|DURATION:PT1H|RRULE:FREQ=DAILY"] * 200)
    events = read_events(many, "", "UTC")
    assert all(one.holds(NOW - 2 * HOUR, NOW - 2 * HOUR) is not None for one in events)


OLD = "DTSTART:16000101T100000|DTEND:16000101T120000"
EVERY_DAY = "BYDAY=MO,TU,WE,TH,FR,SA,SU"


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;COUNT=1000000000", f"FREQ=MONTHLY;{EVERY_DAY}", f"FREQ=MONTHLY;INTERVAL=1000;{EVERY_DAY}"]
)
def test_rules_that_a_gate_would_walk_through_for_long_are_refused(rule: str) -> None:
    with pytest.raises(InputError, match="began too long ago"):
        read_events(ics(*([f"{OLD}|RRULE:{rule}"] * 200)), "", BERLIN)


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY;COUNT=52", "FREQ=YEARLY"])
def test_many_plain_rules_are_read(rule: str) -> None:
    assert len(read_events(ics(*([f"{OLD}|RRULE:{rule}"] * 200)), "", BERLIN)) == 200
