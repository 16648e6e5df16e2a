"""Settings > Policies: rules that somebody writes are tried against past changes, and what is written is never lost."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from playwright.sync_api import expect
from sqlalchemy import text

from tests.server.console.conftest import Opened
from tests.server.console.house import House

RULE = '[[rule]]\nid = "{}"\ntitle = "t"\neffect = "{}"\nowner = "a"\nreason = "r"\nwhen.all = ["true"]\n'


def test_other_rules_are_tried_by_keyboard_and_nothing_written_is_lost(as_person: Opened, house: House) -> None:
    page = as_person("rita")
    page.goto("/settings/policies")
    page.get_by_role("link", name="Try other rules").focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("Rules, as in a file of")
    expect(field).to_have_value("")  # what stands in the repository, to begin with
    field.focus()
    page.keyboard.type('[[rule]]\nid = "')
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not valid TOML")
    expect(field).to_have_value('[[rule]]\nid = "')
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    written = RULE.format("nothing-passes", "block")
    field.fill(written)
    page.get_by_role("button", name="Try them").focus()
    page.keyboard.press("Enter")
    said = page.get_by_role("heading", name="1 of 1 past change would be judged otherwise")
    expect(said).to_be_focused()
    row = page.get_by_role("row", name=re.compile("Take payments twice as fast"))
    expect(row).to_contain_text("nothing-passes: block")
    expect(row.get_by_role("cell")).to_contain_text(["Take payments", "held", "held", "blocked", "Asked by these only"])
    expect(field).to_have_value(written)
    field.fill("")
    page.get_by_role("button", name="Try them").click()
    expect(page.get_by_role("heading", name="0 of 1 past change")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Take payments"))).to_contain_text("nothing")
    field.fill('[[rule]]\nid = "ai-critical-two-humans"\nmode = "shadow"\n')
    page.get_by_role("button", name="Try them").click()
    row = page.get_by_role("row", name=re.compile("Take payments twice as fast"))
    expect(row).to_contain_text("Asked today only: ai-critical-two-humans: hold")
    expect(row).to_contain_text("Asked by these only: ai-critical-two-humans: hold, on trial")


def test_what_was_written_is_taken_up_again_after_the_session_ended(as_person: Opened, house: House) -> None:
    page = as_person("rita")
    with house.service.database.read() as connection:
        number = connection.execute(text("SELECT id FROM repositories")).scalar_one()
    page.goto(f"/settings/policies/{number}/trial")
    field = page.get_by_label("Rules, as in a file of")
    field.fill("# a long thought")
    page.context.clear_cookies()
    page.get_by_role("button", name="Try them").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.add_cookies([{"name": "tidegate", "value": house.sign_in("rita"), "url": house.url}])
    page.goto(f"/settings/policies/{number}/trial")
    expect(field).not_to_have_value("# a long thought")
    page.get_by_role("button", name="Take it up again").click()
    expect(field).to_have_value("# a long thought")


def test_it_works_without_javascript_and_takes_hostile_rules(as_person: Opened, house: House) -> None:
    page = as_person("rita", java_script_enabled=False)
    page.goto("/settings/policies")
    page.get_by_role("link", name="Try other rules").click()
    hostile = '# </textarea><script>alert(1)</script>\n[[rule]]\nid = "<b>x</b>"\n'
    page.get_by_label("Rules, as in a file of").fill(hostile)
    page.get_by_role("button", name="Try them").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Rules, as in a file of")).to_have_value(hostile)


def test_a_stranger_sends_no_long_form(house: House) -> None:
    """The answer comes before anything of the body was sent."""
    address = urlsplit(house.url)
    head = (
        f"POST /settings/policies/1/trial HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 500000\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", address.port or 80), timeout=5) as stranger:
        stranger.sendall(head.encode())
        answer = stranger.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 303")
    assert "location: /sign-in" in answer.lower()
