"""What, why, roll-back plan and ticket: found where the author wrote them, missing where not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from tidegate.change.intent import HEADINGS, read_intent

FULL = """\
Add rate limits (#7)

<!-- thanks for contributing -->
## What changed?
Requests are counted.

**Motivation**
Abuse in May.

### Rollback plan
Set `limit = 0`.
Then redeploy.

## Checklist
- [x] tests

Ticket: OPS-12
"""


def test_a_full_description() -> None:
    intent = read_intent(FULL)
    assert intent.what == "Requests are counted."
    assert intent.why == "Abuse in May."
    assert intent.rollback == "Set `limit = 0`.\nThen redeploy."
    assert intent.ticket == "OPS-12"
    assert intent.missing == ()


def test_a_bare_commit_message_has_only_a_what() -> None:
    intent = read_intent("Speed up the parser\n\nIt was slow on long lines.\n")
    assert intent.what == "Speed up the parser"
    assert intent.missing == ("why", "rollback", "ticket")


def test_words_with_a_colon_and_trailers() -> None:
    intent = read_intent(
        "Fix it\n\nWhy: users lost data\nand complained\n\nRoll-back: revert this commit\nFixes: #12\n"
    )
    assert intent.why == "users lost data\nand complained"
    assert intent.rollback == "revert this commit"
    assert intent.ticket == "#12"


@pytest.mark.parametrize(
    "filler",
    [
        "",
        "n/a",
        "N/A.",
        "TBD",
        "todo",
        "-",
        "—",
        "...",
        "None",
        "<!-- why? -->",
        "[describe why]",
        "<why>",
        "_TBD_",
        "- [ ] ",
    ],
)
def test_a_template_that_nobody_filled_in_says_nothing(filler: str) -> None:
    intent = read_intent(f"Title\n\n## Why\n{filler}\n\n## Rollback\n{filler}\n")
    assert (intent.why, intent.rollback) == ("", "")
    assert {"why", "rollback"} <= set(intent.missing)


def test_an_empty_description_misses_everything() -> None:
    for text in ("", "\n\n", "<!-- all a comment", "WIP"):
        assert read_intent(text).missing == ("what", "why", "rollback", "ticket")


def test_a_heading_in_a_code_block_is_no_heading() -> None:
    intent = read_intent("T\n\n```\n## Why\nbecause\n```\n")
    assert intent.why == ""


def test_an_unknown_heading_ends_a_section() -> None:
    assert read_intent("T\n## Why\nspeed\n**Note** this\n## Screenshots\ny\n").why == "speed\n**Note** this"


def test_a_colon_in_running_text_does_not_end_a_section() -> None:
    assert read_intent("T\n## Why\nWe saw this: it broke\nNote: badly\n").why == "We saw this: it broke\nNote: badly"


@pytest.mark.parametrize(
    ("text", "ticket"),
    [
        ("x\n\nCloses #4", "#4"),
        ("x\n\nfixes acme/web#40", "acme/web#40"),
        ("x\n\nRefs: ABC-123", "ABC-123"),
        ("x\n\nJira: https://jira.example/browse/ABC-1", "https://jira.example/browse/ABC-1"),
        ("x\n\n## Related issue\nSee GH-9 please", "GH-9"),
        ("x\n\npart of ENG-77", "ENG-77"),
        ("x\n\nUTF-8 is fine and so is SHA-256", ""),
        ("x\n\nthis fixes the parser", ""),
        ("Merge #4", ""),
        ("x\n\nTicket: none", ""),
    ],
)
def test_tickets(text: str, ticket: str) -> None:
    assert read_intent(text).ticket == ticket


def test_windows_line_ends() -> None:
    assert read_intent("T\r\n\r\n## Why\r\nbecause\r\n").why == "because"


@given(st.text(alphabet=st.sampled_from("#*_:-\n `~<!->WhyaTicket[]() 12"), max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    intent = read_intent(text)
    for part in ("what", "why", "rollback", "ticket"):
        assert (getattr(intent, part) == "") == (part in intent.missing)


def test_hostile_length_is_read_in_linear_time() -> None:
    start = time.process_time()
    for piece in ("<!--", "#", "**a", "fix ", "a: ", "https://", "[", "- ", "\n## why\n", "A-1", "`" * 3 + "\n"):
        read_intent(piece * (200_000 // len(piece)))
    assert time.process_time() - start < 5


def test_every_heading_is_documented() -> None:
    page = (ROOT / "docs" / "intent.md").read_text(encoding="utf-8").lower()
    for titles in HEADINGS.values():
        for title in titles:
            assert f"`{title}`" in page, title
