"""Everything that comes from a repository, a forge or a person is hostile: it is shown, and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Dialog, Page
from sqlalchemy import update

from tests.server.console.house import House, Shop, furnish, make_shop, open_house
from tidegate.facts import Effect, Finding, Place
from tidegate.ledger.log import NewEntry
from tidegate.report.document import render_json
from tidegate.report.style import PLAIN
from tidegate.store import accounts, assessments, emergencies, keys, questions
from tidegate.store.clock import later, now
from tidegate.store.keys import NewKey
from tidegate.store.questions import NewQuestion
from tidegate.store.tables import assessments as assessments_table
from tidegate.store.tables import changes as changes_table
from tidegate.store.tables import repositories as repositories_table

BAD = (
    "<script>window.hacked=1</script>"
    "\"'><img src='http://evil.test/a.png' onerror=window.hacked=2>"
    "</title></textarea></pre><svg onload=window.hacked=3>"
    "{{7*7}}{% raw %}javascript:window.hacked=4"
    "\u202e\u2066\u200b\U000e0041\x1b]0;x\x07"
)
NAME = "<img src=x onerror=window.hacked=5>"
SCRIPT = f"""
commit Open
  file a.py
    . x = 1
  file tidegate.toml
    . [people.mallory]
    . name = "Mallory"
    . emails = ["mallory@example.com"]
branch feature
commit {NAME}{BAD.replace(chr(7), "")}
  by {NAME.replace("<", "(").replace(">", ")")}<script>window.hacked=6 <mallory@example.com>
  trailer Co-authored-by: <script>window.hacked=7</script> <noreply@anthropic.com>
  body Why: {BAD.replace(chr(7), "")}
  file {NAME}/login{NAME.replace("/", "")}.py
    a {BAD.replace(chr(7), "")}
    . {BAD.replace(chr(7), "")}
    h eval('{BAD.replace(chr(7), "")}')
  file a.py
    a y = "{BAD.replace(chr(7), "")}"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("hostile") / "shop", SCRIPT)


@pytest.fixture
def house(tmp_path: Path, shop: Shop) -> Iterator[House]:
    """Payloads also where the analysis of today would not let them through."""
    shop.repo.git("branch", "-f", "tidy", "main")
    with open_house(tmp_path, furnish(tmp_path / "made", shop)) as opened:
        _poison(opened, shop)
        yield opened


def test_nothing_of_it_acts_on_any_page(as_person: Callable[..., Page], house: House) -> None:
    page = as_person("root")
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    for path in _paths(house):
        page.goto(path)
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("main script, main img, main svg, main iframe, [onerror], [onload]").count() == 0, path
        hrefs = page.locator("a").evaluate_all("all => all.map((each) => each.href)")
        assert all(each.startswith(house.url) for each in hrefs), path
    assert dialogs == []


def test_it_is_shown_to_the_letter_and_what_is_invisible_is_marked(
    as_person: Callable[..., Page], house: House
) -> None:
    page = as_person("root")
    page.goto(f"/changes/{house.change}")
    text = page.locator("main").inner_text()
    for part in ("<script>window.hacked=1</script>", "{{7*7}}{% raw %}", "onerror=window.hacked=5", "login"):
        assert part in text, part
    for character in ("\u202e", "\u2066", "\u200b", "\U000e0041", "\x1b", "\x07"):
        assert character not in text
    assert page.locator(".hidden-character", has_text="U+202E").count() > 3


# Private


def _paths(house: House) -> tuple[str, ...]:
    change = f"/changes/{house.change}"
    settings = ("repositories", "policies", "people", "keys", "tokens", "witnesses")
    entries = [f"/ledger/entries/{index}" for index in range(house.service.log.size())]
    bad = "/?author=%22%3E%3Cscript%3Ewindow.hacked=9%3C/script%3E"
    return ("/", bad, change, f"{change}/approve", "/ledger", *entries, *(f"/settings/{name}" for name in settings))


def _poison(house: House, shop: Shop) -> None:
    service, at = house.service, now()
    facts, verdict = shop.assessment.facts, shop.assessment.verdict
    path = facts.change.files[0].path
    finding = Finding(BAD, "critical", BAD, Place(path, 1), BAD)
    effect = Effect("DATA_DESTROY", "critical", BAD, BAD, False, BAD, environment=BAD, place=Place(path, 1))
    infra = replace(
        facts.infra, status="complete", unknowns=(), effects=(effect,), effects_total=1, findings=(finding,)
    )
    rules = tuple(replace(rule, title=BAD, reason=BAD, id=BAD) for rule in verdict.rules)
    spans = tuple(
        replace(span, tool=BAD, model=BAD, session=BAD, human=BAD, source=BAD) for span in facts.provenance.spans
    )
    facts = replace(facts, infra=infra, provenance=replace(facts.provenance, spans=spans))
    document = render_json(facts, replace(verdict, rules=rules, policy=BAD, findings=(finding,)), PLAIN).encode()
    with service.database.write() as connection:
        root = accounts.person_named(connection, "root")
        assert root is not None
        connection.execute(update(changes_table).values(title=BAD, author=BAD, target=BAD))
        connection.execute(update(repositories_table).values(clone_url="javascript:window.hacked=8", main=BAD))
        last = assessments.latest(connection, house.change)
        assert last is not None
        new = assessments.NewAssessment(
            **{name: getattr(last, name) for name in assessments.NewAssessment.__struct_fields__ if hasattr(last, name)}
            | {"key": "poisoned", "document": document}
        )
        assessments.put(connection, new, at)
        connection.execute(update(assessments_table).values(policy=BAD))
        accounts.change_person(connection, root.id, shown=BAD)
        accounts.add_identity(connection, root.id, "forge", BAD, BAD, at)
        keys.add(connection, NewKey(root.id, "ssh", f"SHA256:{BAD}", b"x", BAD), at)
        accounts.add_token(connection, accounts.NewToken(root.id, "d", BAD, ("changes:read",), later(at, 9999)), at)
        asked = questions.ask(connection, NewQuestion(house.change, root.id, BAD, BAD, BAD), at)
        questions.answer(connection, asked.id, BAD, root.id, at)
        emergencies.ask(connection, house.change, BAD, root.id, at, later(at, 9999))
    service.log.append(NewEntry("bad", BAD, BAD, f'{{"payload":"{BAD.encode().hex()}"}}'.encode()))
