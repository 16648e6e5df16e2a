"""What AI cost, as an admin tells it and everybody sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.console import insights
from tests.server.console.house import PEOPLE, House
from tests.server.console.test_hostile import BAD
from tests.server.console.test_insight_pages import TEXTS, opened
from tidegate.server.insight.spending import take_bill
from tidegate.store.clock import later, now

Opened = Callable[..., Page]
PATH = "/insight/spend"


def _bill(more: str = "") -> str:
    days = [later(now(), -86400.0 * back)[:10] for back in range(0, 91, 3)]
    rows = [f"{day},Claude Code,ada@acme.test,120.50,USD\n" for day in days]
    return f"day,tool,person,cost,currency\n{''.join(rows)}{days[0]},devin,,75,USD\n{more}"


@pytest.fixture
def told(house: House) -> None:
    insights.tell(house.service, 400)
    take_bill(house.service, _bill().encode(), "", "")


def test_an_admin_tells_a_bill_from_a_file_and_takes_it_back(as_person: Opened, house: House, tmp_path: Path) -> None:
    insights.tell(house.service, 400)
    (tmp_path / "bill.csv").write_text(_bill())
    page = as_person("root")
    opened(page, PATH)
    expect(page.get_by_role("heading", name="No cost is known yet")).to_be_visible()
    page.get_by_label("File").set_input_files(tmp_path / "bill.csv")
    expect(page.get_by_role("textbox", name="CSV", exact=True)).to_have_value(re.compile("devin"))
    page.get_by_label("Source, where").fill("team-a")
    page.get_by_role("button", name="Tell it").click()
    expect(page.get_by_role("status")).to_contain_text("32 rows of team-a: 32 new")
    opened(page, PATH)
    expect(page.get_by_role("region", name="A change that shipped")).to_contain_text("USD")
    expect(page.get_by_role("region", name="What cannot be attributed")).to_contain_text("devin 75.00")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("heading", name="No cost is known yet")).to_be_visible()


def test_what_does_not_fit_is_said_and_given_back(as_person: Opened, house: House) -> None:
    page = as_person("root")
    opened(page, PATH)
    page.get_by_role("textbox", name="CSV", exact=True).fill("day,tool,cost\n2026-13-01,claude,1\n")
    page.get_by_role("button", name="Tell it").click()
    expect(page.locator("#problem")).to_contain_text("is no day")
    expect(page.locator("#problem")).to_contain_text("line 2")
    expect(page.get_by_role("textbox", name="CSV", exact=True)).to_have_value(re.compile("2026-13-01"))
    expect(page.get_by_role("textbox", name="CSV", exact=True)).to_be_focused()


def test_costs_stand_with_their_intervals_and_what_they_leave_out(as_person: Opened, told: None) -> None:
    page = as_person("vic")
    opened(page, PATH)
    expect(page.locator(".stat")).to_have_count(4)
    repaired = page.get_by_role("region", name="A change that had to be repaired")
    expect(repaired).to_contain_text(re.compile(r"[0-9.,]+ to [0-9.,]+, n [0-9]+"))
    expect(page.get_by_role("region", name="A line that lasts")).to_contain_text("tidegate insight --spend")
    tools = page.get_by_role("region", name="By tool")
    expect(tools.get_by_role("img", name="cost a repaired change in USD, by tool")).to_be_visible()
    expect(tools.get_by_role("row", name=re.compile("^devin")).last).to_contain_text("none names it")
    expect(page.get_by_text(re.compile("As of 20.* UTC"))).to_be_visible()
    expect(page.get_by_role("button", name="Tell it")).to_have_count(0)
    found = page.request.get(page.get_by_role("link", name="JSON").get_attribute("href") or "")
    assert found.json()["spending"]["currency"] == "USD"


def test_who_may_see_it_and_who_may_tell(as_person: Opened, house: House, told: None) -> None:
    nobody = as_person()
    assert nobody.request.get(PATH, max_redirects=0).status == 303
    assert nobody.request.post(PATH, form={"bill": "x"}, max_redirects=0).status == 303
    for name, role in PEOPLE.items():
        person = as_person(name)
        assert person.request.get(PATH).status in (200, 202), name
        for path in (PATH, f"{PATH}/generic/remove"):
            origin = {"origin": house.url, "sec-fetch-site": "same-origin"}
            assert person.request.post(path, form={"bill": _bill()}, headers=origin).status == 403, (name, role, path)
    admin = as_person("root")
    opened(admin, PATH)
    expect(admin.get_by_role("table", name="Where costs are known from")).to_contain_text("generic")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_word_stands_on_another(as_person: Opened, told: None, width: int) -> None:
    page = as_person("root", viewport={"width": width, "height": 900})
    opened(page, PATH)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    for chart in page.evaluate(TEXTS):
        left, top, right, bottom = chart["svg"]
        for words, (x, y, to_x, to_y) in chart["texts"]:
            assert left - 1 <= x <= to_x <= right + 1, words
            assert top - 1 <= y <= to_y <= bottom + 1, words


def test_names_on_a_bill_are_only_text(as_person: Opened, house: House, told: None) -> None:
    bad = BAD.replace('"', '""').replace("\n", " ")[:190]
    bill = f'day,tool,person,cost,currency\n{now()[:10]},"{bad}","{bad}",3,USD\n'
    take_bill(house.service, bill.encode(), "", "")
    page = as_person("root")
    opened(page, PATH)
    assert page.evaluate("Object.keys(window).filter((name) => name.startsWith('hacked'))") == []
    assert page.locator("main script, main iframe, main img").count() == 0
