"""What `tidegate reach` says on a terminal."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from msgspec.structs import replace

from tests.report import reach_samples as samples
from tests.report.hostile import hostile_text
from tests.report.test_text import SGR, _width
from tidegate.facts import Unknown
from tidegate.reach.answer import Completeness, Hop, ReachAnswer, ReachedSymbol, ReachedTest, SymbolId
from tidegate.reach.rules import RULES as LINK_RULES
from tidegate.report.reach_brief import render_reach_brief
from tidegate.report.reach_run import pytest_command
from tidegate.report.reach_text import render_reach_text, render_why_text
from tidegate.report.reach_tree import Branch, grow_tree
from tidegate.report.reach_words import RULES, View, pair_words, percent, rule_words
from tidegate.report.style import Style

ALL = (
    samples.small,
    samples.rich,
    samples.nothing,
    samples.unknown,
    samples.asked,
    samples.hostile,
    samples.answer,
    lambda: samples.graph(300),
)


def test_a_small_change() -> None:
    assert render_reach_text(samples.small(), Style()) == snapshot("""\
1 symbol -> 2 symbols, 1 route, 1 team, 1 test; 9 % of calls unresolved

What changed
  shop/pay.py  charge: body changed

What can feel it
  charge  shop/pay.py:12
  └─  99 %  Cart.checkout  calls it  shop/cart.py:88
     └─  97 %  post_order  calls it  shop/api.py:31

Entry points
   97 %  POST /orders  post_order in shop/api.py:28

Owners  @shop/payments

Tests to run first
   95 %  TestCart.test_checkout  tests/test_cart.py
  pytest tests/test_cart.py::TestCart::test_checkout

Rests on   120 files read, no recorded run (tidegate reach record -- pytest)
Not known  81 of 900 calls unresolved (9 %)
Asked      main..HEAD (1a1a1a1a1a1a..2b2b2b2b2b2b)
""")


def test_a_rich_answer_fits_a_screen() -> None:
    assert render_reach_text(samples.rich(), Style()) == snapshot("""\
4 symbols and 1 file -> 42 symbols, 2 services, 2 routes, 1 command, 1 job, 2
  teams, 9 tests; 9 % of calls unresolved
note: the recorded map is of the commit 1a1a1a1

What changed
  shop/pay.py  charge: signature changed; refund: deleted, stood at line 41; and
      1 more
  shop/money.py  round_up: moved from shop/util.py:round_up
  shop/rates.sql  changed
  2 symbols in documentation or formatting only: nothing can feel it

What can feel it
  refund  shop/pay.py:41
  └─  98 %  Cart.refund  calls it  shop/cart.py:95
     ├─  60 %  run  may call it by its name  jobs/job_0.py:12
     ├─  59 %  run  may call it by its name  jobs/job_1.py:12
     └─  58 %  run  may call it by its name  jobs/job_2.py:12
  charge  shop/pay.py:12
  └─  99 %  Cart.checkout  calls it, seen  shop/cart.py:88
     └─  90 %  handler_0 and 8 more  calls it  shop/api/orders.py
  and 28 more in 28 files: --limit 44

Entry points  2 of 4
  100 %  GET /orders/{id}  handler_1 in shop/api/orders.py:40
   90 %  POST /orders      handler_0 in shop/api/orders.py:28, 3.5 requests/s
Services  tier of 1 unknown, taken as critical
   99 %  shop  critical, 120 requests/s, built from shop/pay.py
   70 %  mail  calls shop at http://shop
Owners  @shop/payments, @shop/platform
Ask     Bob Jones
        @shop/payments
Knows   Alice Smith: wrote 62 % of these lines, last on 2026-04-01
Tests to run first  2 of 9
   95 %  test_0  tests/test_cart.py, seen in a run
   93 %  test_1  tests/test_cart.py, seen in a run
  pytest tests/test_cart.py::test_0 tests/test_cart.py::test_1
Usually changes along, and did not
   82 %  shop/tax.py:vat  in 14 of 17 commits with shop/pay.py:charge
   53 %  docs/pay.md  in 9 of 17 commits with shop/pay.py
Rests on   431 files read and a recorded run
Not known  1 file could not be read; 13 files in languages that are not read
           (PHP 12, Perl 1); 810 of 9,000 calls unresolved (9 %); 7 places where
           code is chosen at run time; the recorded map is 41 commits old
           shop/broken.py: syntax
Asked      main..HEAD (1a1a1a1a1a1a..2b2b2b2b2b2b)
""")


def test_nothing_is_said_only_with_proof() -> None:
    assert render_reach_text(samples.nothing(), Style()) == snapshot("""\
only documentation and formatting -> nothing
Nothing is affected: nothing but documentation and formatting differs.

What changed
  2 symbols in documentation or formatting only: nothing can feel it

Rests on   120 files read and a recorded run of this commit
Asked      main..HEAD (1a1a1a1a1a1a..2b2b2b2b2b2b)
""")


def test_unknown_says_why() -> None:
    assert render_reach_text(samples.unknown(), Style()) == snapshot("""\
1 file -> unknown
Unknown, which does not mean nothing: 12 files in languages that are not read
(PHP 12); which tests cover this is not known; the search stopped early: more
than 60 s of work.

What changed
  shop/pay.php  changed

Rests on   120 files read, no recorded run (tidegate reach record -- pytest)
Asked      main..HEAD (1a1a1a1a1a1a..2b2b2b2b2b2b)
""")


def test_a_question_about_a_symbol() -> None:
    assert render_reach_text(samples.asked(), Style()) == snapshot("""\
1 symbol -> 1 symbol

What changed
  shop/pay.py  charge: asked about

What can feel it
  charge  shop/pay.py:12
  └─  99 %  Cart.checkout  calls it  shop/cart.py:88

Rests on   120 files read, no recorded run (tidegate reach record -- pytest)
Asked      shop/pay.py:charge (2b2b2b2b2b2b)
""")


def test_paths() -> None:
    assert render_why_text(samples.paths(), Style()) == snapshot("""\
1. 72 % in 3 hops
    90 %  test_order  calls, seen in a run  tests/test_api.py:14
   100 %  post_order  calls  shop/api.py:31
    80 %  Cart.checkout  calls  shop/cart.py:88
          charge  shop/pay.py

2. 20 % in 1 hop
    20 %  test_order  may call, by its name  tests/test_api.py:15
          charge  shop/pay.py
""")
    assert render_why_text((), Style()) == snapshot(
        "No path is known. That is no proof that there is none: calls that were not resolved are not in it.\n"
    )


def test_a_large_answer_is_folded_to_a_screen_and_says_what_is_left() -> None:
    for size in (60, 300, 5000):
        text = render_reach_text(samples.graph(size), Style())
        assert text.count("\n") <= 42
        left = re.search(r"and ([\d,]+) more in \d+ files?: --limit (\d+)", text)
        assert left is not None
        assert 0 < int(left[1].replace(",", "")) < size
        assert f"-> {size:,} symbols" in text
        assert int(left[2]) >= size


def test_the_limit_that_is_offered_shows_everything() -> None:
    answer = samples.graph(300)
    text = render_reach_text(answer, Style(), View(limit=302))
    assert "more in" not in text
    names = set(re.findall(r"method_\d+\b", text))
    folded = sum(int(number) for number in re.findall(r"and (\d+) more  ", text))
    assert len(names) + folded >= 300


def test_depth_and_probability_hide_and_say_so() -> None:
    answer = samples.graph(60)
    near = render_reach_text(answer, Style(), View(depth=1, limit=100))
    hidden = sum(symbol.distance > 1 for symbol in answer.reached)
    assert f"and {hidden} that --depth or --at-least hides" in near
    likely = render_reach_text(answer, Style(), View(at_least=0.9, limit=100))
    assert f"and {sum(s.probability < 0.9 for s in answer.reached)} that --depth or --at-least hides" in likely
    assert near.splitlines()[0] == likely.splitlines()[0], "totals are those of the whole answer"


def test_nothing_affected_stands_only_in_a_complete_answer() -> None:
    for sample in ALL:
        answer = sample()
        text = render_reach_text(answer, Style())
        assert ("Nothing is affected" in text) == (answer.verdict == "none")
        assert ("Unknown, which does not mean nothing" in text) == (answer.verdict == "unknown")


@pytest.mark.parametrize("sample", ALL, ids=range(len(ALL)))
@pytest.mark.parametrize("style", [Style(), Style(60), Style(100, True), Style(80, False, False)], ids=str)
def test_lines_fit_and_colour_adds_nothing_else(sample: object, style: Style) -> None:
    text = render_reach_text(sample(), style)  # type: ignore[operator]
    plain = SGR.sub("", text)
    for line in plain.splitlines():
        assert _width(line) <= style.width or line.startswith("  pytest ") or "http" in line, line
        assert not line.endswith(" ")
    assert plain == render_reach_text(sample(), replace(style, colour=False))  # type: ignore[operator]
    if not style.unicode:
        assert text.isascii()


@settings(max_examples=60, deadline=None)
@given(hostile_text, st.integers(60, 100), st.booleans())
def test_hostile_names_stay_text(text: str, width: int, unicode: bool) -> None:
    style = Style(width, True, unicode)
    written = render_reach_text(samples.hostile(text), style) + render_why_text(hops(text), style)
    for line in SGR.sub("", written).split("\n"):
        assert all(character.isprintable() for character in line)
        assert not line.lstrip().startswith("::"), "GitHub would take this line for a command"
        assert not re.search(r"##\w*\[", line)


def hops(text: str) -> tuple[tuple[Hop, ...], ...]:
    path = samples.paths()[0]
    return (tuple(replace(hop, source=SymbolId(text, text), target=SymbolId(text, text), rule=text) for hop in path),)


def test_a_deep_chain_and_a_ring_are_drawn() -> None:
    count = 3000
    chain = tuple(
        samples.reached(f"a{n}.py:f", f"a{n - 1}.py:f" if n else "x.py:x", 0.9, n + 1, origin=SymbolId("x.py", "x"))
        for n in range(count)
    )
    answer = samples.answer(changed=(samples.changed("x.py:x", "body"),), reached=chain)
    text = render_reach_text(answer, Style(), View(limit=count + 1))
    assert text.count("calls it") == count
    ring = (
        samples.reached("a.py:f", "b.py:f", 0.9, 2, origin=SymbolId("x.py", "x")),
        samples.reached("b.py:f", "a.py:f", 0.9, 2, origin=SymbolId("x.py", "x")),
    )
    text = render_reach_text(samples.answer(changed=answer.changed, reached=ring), Style())
    assert text.count("calls it") == 2


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 80), st.integers(1, 60), st.integers(1, 3))
def test_every_symbol_is_shown_once_or_counted(size: int, lines: int, roots: int) -> None:
    answer = samples.graph(size, roots=roots)
    tree = grow_tree(answer, View(), lines)
    shown: list[SymbolId] = []
    drawn = len(tree.roots)
    stack: list[Branch] = [branch for root in tree.roots for branch in root.branches]
    while stack:
        branch = stack.pop()
        drawn += 1
        shown += [symbol.symbol for symbol in branch.symbols]
        stack += branch.children
        assert all(child.symbols[0].toward == branch.symbols[0].symbol for child in branch.children)
    assert len(set(shown)) == len(shown)
    assert len(shown) + tree.left == size
    assert drawn <= max(lines, 1)


def test_a_symbol_that_changed_is_no_branch() -> None:
    changed = samples.changed("x.py:x", "body")
    both = samples.reached("x.py:x", "x.py:x", 1.0)
    tree = grow_tree(samples.answer(changed=(changed,), reached=(both,)), View(), 9)
    assert tree.roots == ()


def test_every_rule_has_words() -> None:
    for rule in LINK_RULES:
        assert rule_words(rule.name) == RULES.get(rule.name, f"{rule.words} it")
        assert pair_words(rule.name) == rule.words
    assert rule_words("getattr-prefix") == "getattr prefix"
    assert rule_words("") == "uses it"


@given(st.floats(0, 1))
def test_only_what_is_certain_is_a_hundred(probability: float) -> None:
    shown = percent(probability)
    assert (shown == "100 %") == (probability == 1)
    assert (shown.strip() == "0 %") == (probability == 0)


def test_the_command_for_pytest_is_safe_to_copy() -> None:
    def command(*places: tuple[str, str]) -> str:
        return pytest_command([ReachedTest(SymbolId(*place), 0.5, "static") for place in places])

    assert command(("tests/a.py", "T.test_x"), ("b.py", "")) == "pytest tests/a.py::T::test_x b.py"
    assert command(("tests/a b.py", "test_x[$(id)]")) == "pytest 'tests/a b.py::test_x[$(id)]'"
    assert command(("-x.py", "t"), ("a.js", "t"), ("a\n.py", "t"), ("a\u202e.py", "t")) == ""


def test_a_large_answer_is_written_quickly() -> None:
    answer = samples.graph(5000, files=400)
    start = time.process_time()
    render_reach_text(answer, Style())
    assert time.process_time() - start < 0.5


class Facts:
    """What the section of the facts will hold."""

    symbols = 4
    reached = 212
    entry_points = ("POST /orders", "GET /orders/{id}")
    services = ("mail", "shop", "search")
    critical_services = ("shop",)
    owners = ("@shop/payments",)
    tests = 41
    unresolved_share = 0.09
    unknowns: tuple[Unknown, ...] = ()


class NoFacts(Facts):
    reached = 0
    entry_points = services = critical_services = owners = ()
    tests = 0
    unresolved_share = 0.0
    unknowns = tuple(Unknown("reach", f"reason {number}") for number in range(4))


def test_three_lines_for_the_check() -> None:
    assert "\n".join(render_reach_brief(Facts(), Style())) == snapshot("""\
Reach  4 symbols -> 212 symbols, 3 services, 2 entry points, 1 owner, 41 tests
  shop (critical), mail, search, POST /orders and 1 more
  not known: 9 % of calls unresolved\
""")
    assert "\n".join(render_reach_brief(NoFacts(), Style())) == snapshot("""\
Reach  4 symbols -> unknown
  not known: reason 0; reason 1; 2 more unknown\
""")


@given(hostile_text, st.booleans())
def test_three_lines_stay_three(text: str, unicode: bool) -> None:
    class Hostile(Facts):
        entry_points = services = critical_services = (text,)
        unknowns = (Unknown(text, text),)

    lines = render_reach_brief(Hostile(), Style(60, False, unicode))
    assert len(lines) == 3
    for line in lines:
        assert all(character.isprintable() for character in line)
        assert _width(line) <= 60


def test_an_answer_without_anything_is_not_called_harmless() -> None:
    empty: ReachAnswer = samples.answer(verdict="unknown", completeness=Completeness())
    assert "unknown" in render_reach_text(empty, Style()).splitlines()[0]


def test_symbols_beside_each_other_are_folded() -> None:
    several: tuple[ReachedSymbol, ...] = tuple(samples.reached(f"a.py:f{n}", "x.py:x", 0.9) for n in range(5))
    text = render_reach_text(samples.answer(changed=(samples.changed("x.py:x", "body"),), reached=several), Style())
    assert "f0 and 4 more  calls it  a.py" in text
