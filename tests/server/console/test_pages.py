"""Each page does what a person does with it, in a real browser."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.approvals.keys import FileKey
from tests.server.console.house import PASSWORD, House, grow
from tidegate.ledger import sshsig
from tidegate.store import accounts, keys, looks, questions

Opened = Callable[..., Page]


def test_a_person_signs_in_and_out(as_person: Opened, house: House) -> None:
    page = as_person()
    page.goto("/ledger?kind=")
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.get_by_label("Name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{house.url}/ledger?kind=")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_queue_says_what_each_change_needs_from_me(as_person: Opened) -> None:
    page = as_person("erin")
    page.goto("/")
    mine = page.get_by_role("region", name="Your approval")
    expect(mine.get_by_role("link", name="Take payments twice as fast")).to_be_visible()
    expect(mine).to_contain_text("held")
    expect(page.get_by_role("region", name="Not assessed yet")).to_contain_text("Name things after what they hold")
    maker = as_person("alice")
    maker.goto("/")
    expect(maker.get_by_role("region", name="Yours to mend")).to_contain_text("Take payments twice as fast")


def test_filters_stand_in_the_address_and_survive_reload(as_person: Opened) -> None:
    page = as_person("erin")
    page.goto("/")
    page.get_by_label("Verdict").select_option("held")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url(re.compile("verdict=hold"))
    page.reload()
    expect(page).to_have_url(re.compile("verdict=hold"))
    expect(page.get_by_label("Verdict")).to_have_value("hold")
    expect(page.get_by_role("link", name="Name things after what they hold")).to_have_count(0)
    page.get_by_label("Author").fill("nobody-of-this-name")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="Nothing matches these filters")).to_be_visible()
    page.get_by_role("link", name="Show all open changes").click()
    expect(page.get_by_role("link", name="Name things after what they hold")).to_be_visible()


def test_hunks_come_riskiest_first_with_who_wrote_them(as_person: Opened, house: House) -> None:
    page = as_person("vic")
    page.goto(f"/changes/{house.change}")
    titles = page.locator(".hunk h3").all_inner_texts()
    assert titles[0] == "1. shop/auth/token.py", titles
    assert titles[-1] == "5. shop/cart.py", "written by a person, of no critical domain"
    charge = page.get_by_role("article", name="shop/payments/charge.py")
    expect(charge).to_contain_text("claude claude-opus-4-6")
    expect(charge).to_contain_text("audited note or trace (E4, note ai)")
    expect(page.get_by_role("button", name="I have read and understand this")).to_have_count(0)
    expect(page.locator("#verdict + .verdict")).to_contain_text("Two people approve AI lines in critical domains")


def test_the_keyboard_reaches_everything(as_person: Opened, house: House) -> None:
    page = as_person("rita")
    page.goto(f"/changes/{house.change}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#hunk-1")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("#hunk-2")).to_be_focused()
    outline = page.locator("#hunk-2").evaluate("each => getComputedStyle(each).outlineStyle")
    assert outline != "none"
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_time_before_the_eyes_is_measured_and_a_hunk_understood(as_person: Opened, house: House) -> None:
    page = as_person("erin", viewport={"width": 1280, "height": 700})
    with page.expect_response(lambda said: said.request.method == "PUT" and said.url.endswith("/looks")):
        page.goto(f"/changes/{house.change}")
    first = page.locator("#hunk-1")
    understand = first.get_by_role("button", name="I have read and understand this")
    expect(understand).to_be_disabled()
    page.keyboard.press("j")
    expect(understand).to_be_enabled(timeout=15_000)
    understand.click()
    expect(first).to_contain_text("You have read and understand this.")
    page.reload()
    expect(first.get_by_role("button", name="I have read and understand this")).to_have_count(0)
    with house.service.database.read() as connection:
        seen = {look.hunk: look for look in looks.of_change(connection, house.change) if look.hunk}
    look = seen["shop/auth/token.py:1-5"]
    assert look.understood_at
    assert 0 < look.seconds < 30
    assert "shop/cart.py:4-5" not in seen, "it was never on the screen"


HIDDEN = "Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })"
BEHIND = "Document.prototype.hasFocus = () => false"


@pytest.mark.parametrize(("script", "least", "most"), [("", 25, 32), (HIDDEN, 0, 0), (BEHIND, 0, 0)])
def test_only_whoever_is_there_is_reading(
    as_person: Opened, house: House, script: str, least: float, most: float
) -> None:
    """Two minutes pass: 30 seconds after the last key nobody is taken to be there, nor in a window behind others."""
    page = as_person("erin")
    page.add_init_script(script)
    reported: list[float] = []

    def keep(asked: Request) -> None:
        if asked.method == "POST" and asked.post_data_json:
            reported.append(sum(asked.post_data_json["seconds"].values()))

    page.on("request", keep)
    page.clock.install()
    with page.expect_response(lambda said: said.request.method == "PUT"):
        page.goto(f"/changes/{house.change}")
    expect(page.locator("#reading-state")).to_contain_text("You have read 0 of 5 hunks")
    page.keyboard.press("j")
    page.wait_for_timeout(300)
    for _ in range(12):
        page.clock.run_for(10_000)
    page.wait_for_timeout(100)
    assert least <= sum(reported) <= most


def test_a_question_and_its_answer(as_person: Opened, house: House) -> None:
    page = as_person("rita")
    page.goto(f"/changes/{house.change}")
    second = page.locator("#hunk-2")
    second.get_by_text("Ask the author").click()
    second.get_by_label("Your question").fill("Why is the card kept?\nFor how long?")
    second.get_by_role("button", name="Ask", exact=True).click()
    expect(page).to_have_url(re.compile("#hunk-2$"))
    expect(second).to_contain_text("Why is the card kept?")
    author = as_person("alice")
    author.goto("/")
    expect(author.get_by_role("region", name="A question to you")).to_be_visible()
    author.goto(f"/changes/{house.change}")
    author.locator("#hunk-2").get_by_label("Answer").fill("It should not be.")
    author.locator("#hunk-2").get_by_role("button", name="Answer").click()
    expect(author.locator("#hunk-2")).to_contain_text("It should not be.")
    with house.service.database.read() as connection:
        kept = questions.of_change(connection, house.change)
    assert [(each.text, each.answer) for each in kept] == [
        ("Why is the card kept?\nFor how long?", "It should not be.")
    ]


def test_without_javascript_everything_can_be_read(as_person: Opened, house: House) -> None:
    page = as_person("erin", java_script_enabled=False)
    page.goto(f"/changes/{house.change}")
    expect(page.locator("#hunk-1")).to_contain_text("jwt.decode(token, key")
    expect(page.locator("#hunk-1")).to_contain_text("github-copilot")
    page.goto("/ledger")
    expect(page.get_by_text("To verify here takes JavaScript.")).to_be_visible()
    expect(page.get_by_role("button", name="Verify in this browser")).to_be_hidden()


def test_a_change_that_was_not_assessed_says_so_and_can_be_asked_for(as_person: Opened, house: House) -> None:
    page = as_person("rita")
    page.goto(f"/changes/{house.waiting}")
    expect(page.get_by_text("Nothing is known of this change")).to_be_visible()
    page.get_by_role("button", name="Assess it now").click()
    with house.service.database.read() as connection:
        states = connection.exec_driver_sql("SELECT event FROM deliveries").scalars().all()
    assert states == ["again"]


def test_an_approval_is_signed_by_an_authenticator(as_person: Opened, house: House) -> None:
    page = as_person("erin")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})
    page.goto(f"/changes/{house.change}/approve")
    page.get_by_role("link", name="Register one").click()
    form = page.get_by_role("form", name="Register an authenticator")
    form.get_by_label("Call it").fill("the key on my desk")
    form.get_by_role("button", name="Register it").click()
    expect(page.get_by_role("cell", name="the key on my desk")).to_be_visible()
    page.goto(f"/changes/{house.change}/approve")
    head = house.repo.head("feature")
    expect(page.locator("#statement")).to_contain_text(f"head: {head}")
    page.get_by_role("button", name="Sign it with your authenticator").click()
    expect(page).to_have_url(re.compile("#given$"))
    given = page.get_by_role("region", name="Approvals so far")
    expect(given).to_contain_text("signed by an authenticator")
    expect(given).to_contain_text("stands")
    page.on("dialog", lambda dialog: dialog.accept())
    given.get_by_role("button", name="Take back").click()
    expect(given).to_contain_text("taken back")


def test_who_made_the_change_cannot_approve_it(as_person: Opened, house: House) -> None:
    page = as_person("alice")
    page.goto(f"/changes/{house.change}/approve")
    expect(page.get_by_text("You made part of this change")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Sign it"))).to_have_count(0)


def test_an_ssh_key_is_shown_the_command(as_person: Opened, house: House, tmp_path: Path) -> None:
    page, key = as_person("erin"), FileKey.make(tmp_path / "key")
    page.goto("/settings/keys")
    form = page.get_by_role("form", name="Register an SSH key")
    command = page.locator("#ssh-command").inner_text().replace("~/.ssh/id_ed25519", str(key.path))
    printed = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True, text=True).stdout
    form.get_by_label("What it printed").fill(printed.replace("SIGNATURE", "THING"))
    form.get_by_label("Call it").fill("the key on my desk")
    form.get_by_role("button", name="Register it").click()
    expect(form.get_by_role("alert")).to_be_visible()
    expect(form.get_by_label("Call it")).to_have_value("the key on my desk")  # and nothing that was typed is lost
    expect(form.get_by_label("What it printed")).to_have_value(re.compile("^-----BEGIN SSH THING"))
    form.get_by_label("What it printed").fill(printed)
    form.get_by_role("button", name="Register it").click()
    row = page.get_by_role("cell", name=re.compile("SHA256:"))
    expect(row).to_contain_text(sshsig.parse_key(key.line).fingerprint)
    expect(row).to_contain_text("the key on my desk")
    page.goto(f"/changes/{house.change}/approve")
    expect(page.locator("#statement")).to_contain_text("refs/heads/main")
    expect(page.locator("#command")).to_contain_text(f"--server {house.url}")
    page.goto("/settings/keys")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("revoked")).to_be_visible()
    with house.service.database.read() as connection:
        person = accounts.person_named(connection, "erin")
        assert person
        assert all(key.revoked_at for key in keys.of_person(connection, person.id))


def test_an_emergency_takes_two_people(as_person: Opened, house: House) -> None:
    asker = as_person("erin")
    asker.goto(f"/changes/{house.change}/approve")
    asker.get_by_text("Let it pass without what the policy asks").click()
    asker.get_by_label("Why it cannot wait").fill("The shop is down and this brings it back")
    asker.get_by_role("button", name="Ask for it").click()
    expect(asker.get_by_text("not confirmed")).to_be_visible()
    expect(asker.get_by_role("button", name="Confirm as the second person")).to_have_count(0)
    page = as_person("dave")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/")
    waiting = page.get_by_role("region", name="An emergency waits for a second person")
    waiting.get_by_role("link", name="Take payments twice as fast").click()
    page.get_by_role("link", name="Approve or not").click()
    expect(page.get_by_text("The shop is down")).to_be_visible()
    page.get_by_role("button", name="Confirm as the second person").click()
    expect(page.get_by_text("in force")).to_be_visible()
    page.get_by_role("region", name="In an emergency").get_by_role("link", name="entry 5").click()
    expect(page.get_by_role("heading", name="Entry 5: break glass")).to_be_visible()


def test_the_browser_verifies_the_ledger_and_remembers_it(as_person: Opened, house: House) -> None:
    page = as_person("vic")
    page.goto("/ledger")
    page.get_by_role("button", name="Verify in this browser").click()
    result = page.locator("#verified")
    expect(result).to_contain_text("The checkpoint of 5 entries is signed by the key of the log.")
    expect(result).to_contain_text("Entry 4 is in the log, exactly as it is shown")
    expect(result).to_contain_text("This browser had not seen the log before.")
    expect(result).to_contain_text("No witness cosigned this checkpoint")
    grow(house, 70)
    page.goto("/ledger/entries/2")
    page.get_by_role("button", name="Verify in this browser").click()
    expect(result).to_contain_text("Entry 2 is in the log")
    expect(result).to_contain_text("since this browser saw the log last, with 5 entries")


@pytest.mark.parametrize(
    "damage",
    [
        'UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE "index" = 3) WHERE "index" = 1',
        "UPDATE tiles SET hashes = zeroblob(length(hashes))",
    ],
)
def test_the_browser_notices_a_ledger_that_was_changed(as_person: Opened, house: House, damage: str) -> None:
    page = as_person("vic")
    page.goto("/ledger/entries/1")
    with house.service.database.write() as connection:
        connection.exec_driver_sql(damage)
    page.get_by_role("button", name="Verify in this browser").click()
    expect(page.locator("#verified .state.block")).to_be_visible()
    expect(page.locator("#verified")).to_contain_text("Tell whoever audits this service.")


def test_a_log_that_shrank_since_is_noticed(as_person: Opened, house: House) -> None:
    page = as_person("vic")
    page.goto("/ledger")
    page.get_by_role("button", name="Verify in this browser").click()
    expect(page.locator("#verified")).to_contain_text("remembers it")
    page.evaluate(
        "() => { const [name] = Object.keys(localStorage); const kept = JSON.parse(localStorage[name]);"
        " localStorage[name] = JSON.stringify({ ...kept, size: 9 }); }"
    )
    page.get_by_role("button", name="Verify in this browser").click()
    expect(page.locator("#verified")).to_contain_text("The log is shorter than when this browser saw it last")


def test_an_admin_looks_after_repositories_and_people(as_person: Opened, house: House) -> None:
    page = as_person("root")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/settings")
    page.get_by_label("Owner and name").fill("acme/till")
    page.get_by_label("Clone URL").fill("https://github.com/acme/till.git")
    page.get_by_role("button", name="Add").click()
    row = page.get_by_role("row", name="acme/till")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    page.get_by_role("link", name="People").click()
    form = page.get_by_role("form", name="Add a person")
    form.get_by_label("Name", exact=True).fill("frida")
    form.get_by_label("Shown as").fill("Frida K")
    form.get_by_role("button", name="Add").click()
    frida = page.get_by_role("region", name=re.compile("Frida K"))
    frida.get_by_text("Change", exact=True).click()
    frida.get_by_label("Host").fill("github.com")
    frida.get_by_label("Name there").fill("frida-k")
    frida.get_by_role("button", name="Add the account").click()
    expect(frida.get_by_role("cell", name="frida-k")).to_be_visible()
    frida.get_by_text("Change", exact=True).click()
    frida.get_by_role("button", name="Make a new password").click()
    password = page.locator("#password").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Name").fill("frida")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("frida, viewer")).to_be_visible()


def test_a_token_is_shown_once(as_person: Opened, house: House) -> None:
    page = as_person("rita")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/settings/tokens")
    expect(page.get_by_role("heading", name="You have no token")).to_be_visible()
    page.get_by_label("What is it for?").fill("nightly report")
    page.get_by_role("button", name="Make it").click()
    token = page.locator("#token").inner_text()
    assert token.startswith("tg_")
    answer = page.request.get("/api/v1/changes", headers={"authorization": f"Bearer {token}"})
    assert answer.status == 200
    page.goto("/settings/tokens")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("revoked")).to_be_visible()
    assert page.request.get("/api/v1/changes", headers={"authorization": f"Bearer {token}"}).status == 401


def test_policies_show_what_they_did_and_witnesses_what_they_saw(as_person: Opened) -> None:
    page = as_person("root")
    page.goto("/settings/policies")
    card = page.get_by_role("region", name="acme/shop")
    expect(card).to_contain_text("Of the last 1 change")
    expect(card.get_by_role("row", name=re.compile("Two people approve AI lines"))).to_contain_text("1 of 1")
    page.get_by_role("link", name="Witnesses").click()
    expect(page.get_by_role("heading", name="No witness is set up")).to_be_visible()
