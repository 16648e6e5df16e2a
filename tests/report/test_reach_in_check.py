"""What a check says about reach: three lines at most, one where it is unknown, none where nothing was asked."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from tests.report import samples
from tests.report.hostile import hostile_text
from tidegate.facts import Facts, Reach, ServiceOwner, Unknown
from tidegate.report.formats import FORMATS
from tidegate.report.layout import columns
from tidegate.report.reach_brief import render_reach
from tidegate.report.style import Style

WIDE = Reach(
    status="partial",
    unknowns=(Unknown("reach.reached", "2 source files were not read (a.py: syntax error in line 3)"),),
    symbols=4,
    reached=212,
    tests=41,
    entry_points=("POST /orders", "shop sync"),
    services=("mail", "search", "shop"),
    critical_services=("shop",),
    service_owners=(ServiceOwner("shop", "@acme/shop"),),
    owners=("@acme/shop",),
    unresolved_share=0.09,
    unread_files=2,
)


UNREAD = Reach(unknowns=(Unknown("reach", "there is no repository to read the symbols from"),))


def with_reach(reach: Reach) -> Facts:
    return msgspec.structs.replace(samples.held()[0], reach=reach)


def shown(reach: Reach) -> str:
    return "\n".join(render_reach(with_reach(reach), Style()))


def test_a_reach_that_is_known() -> None:
    assert shown(WIDE) == snapshot("""\
Reach  4 symbols -> 212 symbols, 3 services, 2 entry points, 1 owner, 41 tests
  shop (critical), mail, search, POST /orders and 1 more
  not known: 9 % of calls unresolved; 2 source files were not read (a.py: synta…\
""")


def test_a_reach_of_documentation_alone() -> None:
    assert shown(Reach(status="complete", silent=3)) == snapshot(
        "Reach  nothing: 3 symbols changed in documentation or format alone"
    )


def test_an_unknown_reach_says_so_in_one_line() -> None:
    assert shown(UNREAD) == snapshot("Reach  unknown: there is no repository to read the symbols from")


def test_nothing_is_said_where_nothing_was_asked_or_changed() -> None:
    assert render_reach(samples.held()[0], Style()) == []
    assert shown(Reach(status="complete")) == ""


def test_the_text_says_who_wrote_it_and_then_how_far_it_reaches() -> None:
    text = FORMATS["text"](with_reach(WIDE), samples.held()[1], Style())
    assert text.index("Who wrote it") < text.index("\nReach  4 symbols") < text.index("Where to look first")


def test_the_page_says_it_as_well() -> None:
    page = FORMATS["markdown"](with_reach(WIDE), samples.held()[1], Style())
    assert page.partition("**Reach**")[2].partition("\n<details>")[0] == snapshot("""\
 4 symbols -\\> 212 symbols, 3 services, 2 entry points, 1 owner, 41 tests
- shop (critical), mail, search, POST /orders and 1 more
- not known: 9 % of calls unresolved; 2 source files were not read (a.py: syntax error in line 3)
""")
    assert "**Reach** unknown: there is no repository" in FORMATS["markdown"](
        with_reach(UNREAD), samples.held()[1], Style()
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_every_reach(name: str) -> None:
    for reach in (WIDE, UNREAD, Reach(status="complete", silent=1)):
        assert FORMATS[name](with_reach(reach), samples.held()[1], Style()).endswith("\n")


def test_the_document_has_the_whole_section() -> None:
    document = json.loads(FORMATS["json"](with_reach(WIDE), samples.held()[1], Style()))
    section = document["facts"]["reach"]
    assert section["critical_services"] == ["shop"]
    assert section["service_owners"] == [{"service": "shop", "owner": "@acme/shop"}]
    assert section["unread_files"] == 2


@given(hostile_text, st.booleans(), st.integers(60, 100))
def test_no_text_makes_it_longer(text: str, unicode: bool, width: int) -> None:
    services = {"services": (text,), "critical_services": (text,), "entry_points": (text,)}
    unknown = (Unknown("reach.reached", text),)
    for reach in (
        Reach(status="partial", symbols=1, unknowns=unknown, **services),
        Reach(unknowns=unknown),
    ):
        lines = render_reach(with_reach(reach), Style(width, False, unicode))
        assert 1 <= len(lines) <= 3
        assert all(columns(line) <= width and line.isprintable() for line in lines)
