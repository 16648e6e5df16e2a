"""A drill with two browsers: one leads, one takes part. What is hidden never reaches the other one's browser."""

from __future__ import annotations

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from tests.server.console.conftest import Opened
from tests.server.console.house import House
from tests.server.drills import HIDDEN, Played, ready, short
from tidegate.server.api.endpoint import Who
from tidegate.server.auth.session import COOKIE
from tidegate.server.console import live
from tidegate.server.drill import acts
from tidegate.server.drill.making import attend
from tidegate.store import accounts, repositories
from tidegate.store.clock import later, now


@pytest.fixture
def drill(house: House, played: Played, monkeypatch: pytest.MonkeyPatch) -> int:
    """Ready to be started, led by rita."""
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.1)
    with house.service.database.read() as connection:
        rita = accounts.person_named(connection, "rita")
    assert rita is not None
    return ready(house.service, short(played.scenario), rita.id)


def all_that_came(page: Page) -> list[str]:
    """Every text that this browser is sent from now on."""
    told: list[str] = []
    page.on("response", lambda answer: told.append(answer.url))
    page.on("requestfinished", lambda asked: told.append(_text(asked)))
    return told


def test_one_leads_and_one_takes_part_live(as_person: Opened, house: House, drill: int) -> None:
    leader, other = as_person("rita"), as_person("vic")
    told = all_that_came(other)
    other.goto("/drills")
    other.get_by_role("link", name=f"Drill {drill}").click()
    other.get_by_label("on-call").check()
    other.get_by_role("button", name="Take part").click()
    expect(other.get_by_text("you are the on-call")).to_be_visible()
    leader.goto(f"/drills/{drill}")
    expect(leader.get_by_role("heading", name="SECRET-TITLE")).to_be_visible()
    expect(leader.locator("#drill-people")).to_contain_text("Vic on-call")
    leader.get_by_role("button", name="Start").click()
    expect(other.get_by_text("inject-on-call-0")).to_be_visible()  # nobody loaded the page again
    for words in ("inject-support", "inject-on-call-2", "question-", *HIDDEN):
        assert words not in "".join(told)
    leader.get_by_role("button", name="Next now").click()
    expect(other.get_by_role("heading", name="question-on-call-1")).to_be_visible()
    expect(other.locator(".tick[data-left]")).to_be_visible()
    other.get_by_role("button", name="choice a of the call").click()
    expect(other.get_by_text("leads-a")).to_be_visible()
    expect(leader.get_by_text("decided by Vic")).to_be_visible()
    other.reload()
    expect(other.get_by_text("inject-on-call-0")).to_be_visible()
    expect(other.get_by_text("leads-a")).to_be_visible()
    leader.get_by_role("button", name="Pause").click()
    expect(other.get_by_text("paused")).to_have_count(2)
    leader.get_by_role("button", name="Next now").click()
    leader.get_by_role("button", name="Go on").click()
    leader.get_by_role("button", name="choice b of the call").click()
    expect(leader.get_by_text("decided by Rita")).to_be_visible()
    leader.once("dialog", lambda dialog: dialog.accept())
    leader.get_by_role("button", name="End it").click()
    expect(other.get_by_text("It is over. The repository is being asked")).to_be_visible()
    for words in ("inject-support", "leads-b", *HIDDEN):
        assert words not in "".join(told)
    assert len(told) > 10
    assert any("inject-on-call-0" in each for each in told)
    attend(house.service)
    expect(other.get_by_role("link", name="Read the after-action report")).to_be_visible()
    other.get_by_role("link", name="Read the after-action report").click()
    expect(other.get_by_role("heading", name="After-action report")).to_be_visible()
    expect(other.get_by_role("heading", name="What really happened")).to_be_visible()
    expect(other.get_by_role("link", name="Open the editor")).to_have_count(0)  # a viewer tries no rules


def test_what_comes_by_the_clock_alone_is_seen_without_anybody_doing_anything(
    as_person: Opened, house: House, drill: int
) -> None:
    """It began 58 seconds ago, on a clock that was set back for that."""
    service = house.service
    with service.database.read() as connection:
        rita, vic = accounts.person_named(connection, "rita"), accounts.person_named(connection, "vic")
    assert rita is not None
    assert vic is not None
    acts.join(service, Who(vic.id, "vic", "viewer", None, "s"), drill, ("on-call",))
    before = replace(service, now=lambda: later(now(), -58))
    acts.turn(before, Who(rita.id, "rita", "reviewer", None, "s"), drill, "start")
    page = as_person("vic")
    told = all_that_came(page)
    page.goto(f"/drills/{drill}")
    expect(page.get_by_text("inject-on-call-0")).to_be_visible()
    assert "question-on-call-1" not in "".join(told)
    expect(page.get_by_role("heading", name="question-on-call-1")).to_be_visible(timeout=15_000)


def test_the_stream_says_that_something_came_and_not_what(house: House, drill: int) -> None:
    with house.service.database.read() as connection:
        rita = accounts.person_named(connection, "rita")
    assert rita is not None
    connection_ = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=10)
    headers = {"cookie": f"{COOKIE}={house.sign_in('vic')}"}
    connection_.request("GET", f"/events?since={now()}", headers=headers)
    answer = connection_.getresponse()
    leader = Who(rita.id, "rita", "reviewer", None, "s")
    acts.turn(house.service, leader, drill, "start")
    acts.turn(house.service, leader, drill, "skip")
    read = b""
    while b'"drill"' not in read:
        read += answer.readline()
    said = [json.loads(line[6:]) for line in read.decode().splitlines() if line.startswith("data: ")]
    connection_.close()
    assert {"kind": "drill", "id": drill} in said
    assert all(set(one) == {"kind", "id"} for one in said)


def test_its_report_opens_the_editor_with_the_rule(as_person: Opened, house: House, drill: int) -> None:
    page = as_person("rita")
    page.goto(f"/drills/{drill}")
    page.get_by_role("button", name="Start").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="End it").click()
    attend(house.service)
    page.goto(f"/drills/{drill}/report")
    for name, begins in (("Markdown", b"# After-action report"), ("JSON", b'{"schema":"tidegate.drill-report/1"')):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.path().read_bytes().startswith(begins)
    page.get_by_role("link", name="Open the editor to try this rule").first.click()
    field = page.get_by_label("Rules, as in a file of")
    expect(field).to_have_value(re.compile(r"\[\[rule\]\]"))
    page.get_by_role("button", name="Try them").click()
    expect(page.get_by_role("heading", name="past change would be judged otherwise")).to_be_visible()


def test_one_is_made_on_the_page_and_a_wrong_file_is_said(as_person: Opened, house: House) -> None:
    page = as_person("erin")
    page.goto("/drills")
    page.get_by_text("Or a scenario from a file").click()
    page.get_by_label("Its content").fill("{}")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("this is no scenario of a drill")).to_be_visible()
    page.goto("/drills")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("It is being made")).to_be_visible()
    attend(house.service)
    expect(page.get_by_role("button", name="Start")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("you lead it")).to_be_visible()


def test_without_javascript_everything_works(as_person: Opened, house: House, drill: int) -> None:
    leader, other = as_person("rita", java_script_enabled=False), as_person("dave", java_script_enabled=False)
    leader.goto(f"/drills/{drill}")
    leader.get_by_role("button", name="Start").click()
    other.goto(f"/drills/{drill}")
    other.get_by_label("on-call").check()
    other.get_by_role("button", name="Take part").click()
    leader.get_by_role("button", name="Next now").click()
    other.reload()
    other.get_by_role("button", name="choice b of the call").click()
    expect(other.get_by_text("leads-b")).to_be_visible()
    assert leader.get_by_role("button", name="End it").count() == 1


def test_who_may_not_is_refused_and_nobody_sends_for_another(house: House, drill: int) -> None:
    def send(path: str, name: str, csrf: str, **fields: str) -> int:
        form = "&".join(f"{key}={value}" for key, value in {"csrf": csrf, **fields}.items())
        connection = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=10)
        headers = {"cookie": f"{COOKIE}={house.sign_in(name)}", "content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, form, {**headers, "origin": house.url})
        status = connection.getresponse().status
        connection.close()
        return status

    path = f"/drills/{drill}"
    assert send(f"{path}/clock", "vic", "csrf-of-vic", turn="start") == 403
    assert send(f"{path}/lead", "vic", "csrf-of-vic") == 403
    assert send("/drills", "vic", "csrf-of-vic", repository="1") == 403
    assert send(f"{path}/clock", "erin", "csrf-of-erin", turn="start") == 403  # may lead, and leads another
    assert send(f"{path}/clock", "rita", "csrf-of-vic", turn="start") == 403
    assert send(f"{path}/clock", "rita", "csrf-of-rita", turn="backwards") == 422
    assert send(f"{path}/join", "vic", "csrf-of-vic") == 422
    assert send(f"{path}/decide", "vic", "csrf-of-vic", decision="first", given="a") == 404
    assert send(f"{path}/clock", "rita", "csrf-of-rita", turn="start") == 303
    for odd in ("0", "x", "9" * 30, "-1"):
        assert send(f"/drills/{odd}/clock", "rita", "csrf-of-rita", turn="start") == 404


def test_what_somebody_elses_scenario_says_is_text(as_person: Opened, house: House, played: Played) -> None:
    """The fixture fails where a page says an error, asks another host, or runs what stands in the text."""
    odd = "<script>throw 1</script><img src=https://x.invalid onerror=throw>\u202e{{ 7*7 }}"
    made = short(played.scenario)
    injects = tuple(replace(one, text=odd) for one in made.injects)
    options = tuple(replace(one, text=odd + one.id, leads=odd) for one in made.decisions[0].options)
    decisions = (replace(made.decisions[0], question=odd, options=options), *made.decisions[1:])
    actions = tuple(replace(one, title=odd, rule=odd) for one in made.actions)
    hostile = replace(made, title=odd, story=odd, why=odd, injects=injects, decisions=decisions, actions=actions)
    with house.service.database.read() as connection:
        rita = accounts.person_named(connection, "rita")
    assert rita is not None
    number = ready(house.service, hostile, rita.id)
    page = as_person("rita")
    page.goto(f"/drills/{number}")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Next now").click()
    page.get_by_role("button", name="7*7").first.click()
    expect(page.get_by_text("decided by Rita")).to_be_visible()
    expect(page.locator("main script, main img")).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="End it").click()
    attend(house.service)
    page.goto(f"/drills/{number}/report")
    expect(page.get_by_role("heading", name="{{ 7*7 }}").first).to_be_visible()
    expect(page.locator("main script, main img")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_is_wider_than_the_page(
    as_person: Opened, house: House, played: Played, width: int, colours: str
) -> None:
    with house.service.database.read() as connection:
        rita = accounts.person_named(connection, "rita")
        assert repositories.find(connection, "github", "acme/shop") is not None
    assert rita is not None
    number = ready(house.service, played.scenario, rita.id)
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": colours}
    page = as_person("rita", **options)
    page.goto(f"/drills/{number}")
    page.get_by_role("button", name="Start").click()
    for _ in range(6):
        page.get_by_role("button", name="Next now").click()
    page.get_by_text("What is hidden: tell nobody").click()
    for path in (f"/drills/{number}", "/drills"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# Private


def _text(asked: object) -> str:
    """The body of an answer, where the browser has it still."""
    from playwright.sync_api import Error, Request

    assert isinstance(asked, Request)
    try:
        answer = asked.response()
        return answer.text() if answer is not None else ""
    except Error:
        return ""
