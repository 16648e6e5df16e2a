"""What is computed once for many views, and when it is computed anew."""

from __future__ import annotations

import re
import shutil
import threading
import zlib

from playwright.sync_api import expect
from sqlalchemy import text

from tests.server.console.conftest import Opened
from tests.server.console.house import House
from tidegate.server.cache import Cache
from tidegate.server.console.kept import brief, open_change, read_hunks
from tidegate.store import accounts
from tidegate.store.clock import now

ANOTHER = """
    INSERT INTO assessments (change, key, base, head, merge_tree, policy, facts, verdict, document, made_at)
    SELECT change, 'another', base, head, merge_tree, policy, facts, verdict, document, made_at FROM assessments
"""


def test_it_is_bounded_and_the_one_that_waited_longest_goes() -> None:
    cache, made = Cache(100), []

    def get(key: str, size: int) -> str:
        def make() -> str:
            made.append(key)
            return key * 2

        return cache.get(key, make, lambda _: size)

    assert [get(key, 25) for key in ("a", "b", "c", "d")] == ["aa", "bb", "cc", "dd"]
    assert get("a", 25) == "aa"
    assert made == ["a", "b", "c", "d"]
    assert get("e", 25) == "ee"
    assert cache.size == 100
    assert (get("a", 25), get("b", 25)) == ("aa", "bb")
    assert made == ["a", "b", "c", "d", "e", "b"]
    for size in (26, -1):  # too large, and never to be kept
        assert get("x", size) == get("x", size) == "xx"
    assert made[6:] == ["x"] * 4
    assert cache.size == 100


def test_many_threads_leave_it_whole() -> None:
    cache = Cache(1000)
    wrong: list[int] = []

    def work() -> None:
        got = {number: cache.get(number % 97, lambda n=number: n % 97, lambda _: 30) for number in range(3000)}
        wrong.extend(number for number, value in got.items() if value != number % 97)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert 0 < cache.size <= 1000


def test_a_change_is_read_once_for_many_views_and_anew_after_another_assessment(house: House) -> None:
    service = house.service
    with service.database.read() as connection:
        first, again = (open_change(service.cache, connection, house.change) for _ in range(2))
        assert first.assessment is not None
        seen = [brief(service.cache, connection, first.assessment.id) for _ in range(2)]
    assert first.document is again.document is not None
    assert seen[0] is seen[1] is not None
    hunks = read_hunks(service, first)
    assert hunks[0].stretches
    assert read_hunks(service, again) is hunks
    with service.database.write() as connection:
        connection.execute(text(ANOTHER))
        later = open_change(service.cache, connection, house.change)
    assert later.document is not first.document
    assert read_hunks(service, later) is not hunks


def test_lines_that_are_not_at_hand_are_looked_for_again(house: House) -> None:
    service = house.service
    mirror = service.config.data / "mirrors" / "github" / "acme" / "shop.git"
    away = mirror.with_suffix(".away")
    shutil.move(mirror, away)
    with service.database.read() as connection:
        opened = open_change(service.cache, connection, house.change)
    assert all(hunk.missing for hunk in read_hunks(service, opened))
    shutil.move(away, mirror)
    assert any(hunk.stretches for hunk in read_hunks(service, opened))


def test_what_is_damaged_is_not_kept(house: House) -> None:
    service = house.service
    with service.database.write() as connection:
        kept = connection.execute(text("SELECT document FROM assessments")).scalar_one()
        connection.execute(text("UPDATE assessments SET document = :x"), {"x": zlib.compress(b"{")})
        assert open_change(service.cache, connection, house.change).problem
        connection.execute(text("UPDATE assessments SET document = :x"), {"x": kept})
        assert open_change(service.cache, connection, house.change).document


def test_people_come_in_pages_and_a_new_one_is_seen_at_once(as_person: Opened, house: House) -> None:
    with house.service.database.write() as connection:
        for number in range(60):
            person = accounts.add_person(connection, f"p{number}", f"Person {number}", "viewer", now())
            accounts.add_identity(connection, person.id, "forge", "github.com", f"p{number}", now())
    page = as_person("root")
    page.goto("/settings/people")
    expect(page.locator("main section.card")).to_have_count(50)
    page.get_by_role("link", name="More people").click()
    expect(page.get_by_role("region", name=re.compile("Person 59"))).to_contain_text("github.com")
    expect(page.get_by_role("link", name="More people")).to_have_count(0)
    page.get_by_role("link", name="From the beginning").click()
    form = page.get_by_role("form", name="Add a person")
    form.get_by_label("Name", exact=True).fill("zoe")
    form.get_by_label("Shown as").fill("Zoe Z")
    form.get_by_role("button", name="Add").click()
    expect(page.get_by_role("region", name=re.compile("Zoe Z"))).to_be_visible()
