"""What a tired reviewer reads at two in the morning."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from msgspec.structs import replace

from tests.report import samples
from tests.report.hostile import hostile_text
from tidegate.report.layout import columns, cut, shares, wrap
from tidegate.report.style import Style
from tidegate.report.text import render_text

SGR = re.compile(r"\x1b\[(?:0|[0-9]{1,2}(?:;[0-9]{1,2})*)m")
SAMPLES = (samples.held, samples.passing, samples.blocked, samples.bare_diff, samples.hostile)


def test_a_held_change() -> None:
    assert render_text(*samples.held(), Style()) == snapshot("""\
HELD  3 things must still happen before it may merge: approval, annotation,
      tests.
      met: breadth

What must still happen
  ai-critical-two-humans  Two humans approve AI changes in critical domains
    [?] 2 approvals by owners of the files that it touches
        review.reviews is unknown: no reviews were given (--reviews FILE)
        next: ask @shop/payments and @alice for a review of 2b2b2b2
  annotation-required  Added lines say who or what wrote them
    [ ] Every added source line says who or what wrote it
        90 added source lines without attribution
        next, for what an agent wrote:
          tidegate annotate 1a1a1a1a1a1a..2b2b2b2b2b2b --tool TOOL --model MODEL
        or, for what people typed:
          tidegate annotate 1a1a1a1a1a1a..2b2b2b2b2b2b --human
  ai-carries-tests  AI changes carry tests
    [ ] Tests change with the source
        no test file is part of the change and 73 lines were added by AI
        next: add or change a test that fails without this change
      met: The change touches at most 4 domains at once

Worth knowing
  warning  rollback-plan: Critical changes say how to undo them
           add a heading Rollback to the description

Who wrote it  167 added lines in 5 files
  █████████████████░░·····················
  █ AI 73 (44 %)  ░ human 4 (2 %)  · unknown 90 (54 %)
  tool     model            lines  sessions  evidence
  copilot  not named           42         -  declared
  claude   claude-opus-4-6     31         2  audited note or trace
  who answers: alice for 31 lines (31 by AI); bob for 4 lines; nobody for 42
    lines by AI
  sources disagree: shop/payments/charge.py:10-12: claude (note on 2b2b2b2)
    against human (trailer of 2b2b2b2)

Domains
  auth (critical)      shop/auth/token.py: the path matches **/auth/**
  payments (critical)  shop/payments/charge.py: the path matches **/payments/**
  network              shop/payments/charge.py:14: a changed line matches
                       \\brequests\\.(get|post)\\b

Where to look first
  1. shop/payments/charge.py:10  31 lines by AI; sources contradict each other;
     critical: payments, network
  2. shop/auth/token.py:1  42 lines by AI; critical: auth
  3. shop/page.py:1  90 lines without attribution

Not known
  provenance.declarations: the pull request was not given
  review: no reviews were given (--reviews FILE)
  not collected yet: reach, infra, verification, risk, history

Compared  main..HEAD: what HEAD adds to origin/main (1a1a1a1a1a1a..2b2b2b2b2b2b)
Policy    the default pack and tidegate.toml at 1a1a1a1
Why       tidegate explain ai-critical-two-humans
""")


def test_a_small_change_that_passes() -> None:
    text = render_text(*samples.passing(), Style())
    assert text == snapshot("""\
PASS  Nothing more must happen before it may merge.
      met: annotation-required

Who wrote it  9 added lines in 2 files
  ░ human 9 (100 %)
  who answers: bob for 9 lines

Not known  reach, infra, verification, risk, history (not collected yet)

Compared  main..HEAD: what HEAD adds to origin/main (1a1a1a1a1a1a..2b2b2b2b2b2b)
Policy    the default pack
Why       tidegate policy explain
""")
    assert text.count("\n") <= 12


def test_a_blocked_change() -> None:
    assert render_text(*samples.blocked(), Style()) == snapshot("""\
BLOCKED  1 rule stands in the way of this change.

What must still happen
  policy-change  A change of the policy stands by itself (blocks)
    found: change.policy_files is ["tidegate.toml"]
        next: tidegate policy explain policy-change

Worth knowing
  warning  big-change: Large changes hide mistakes
           found: change.lines_added is 9
  on trial shadow-rule would block; it is not obeyed yet

Findings
  high      shop/cart.py:3-9: the note claims lines 1-40 and the commit changed
            lines 3-9 (note-over-reach)
        next: tidegate provenance audit --commit 2b2b2b2
  low       CODEOWNERS:4: @ghost is nobody (codeowners-unknown-owner)
        next: name a person

Who wrote it  9 added lines in 2 files
  ░ human 9 (100 %)
  who answers: bob for 9 lines

Where to look first
  1. tidegate.toml  policy is read from it

Not known  reach, infra, verification, risk, history (not collected yet)

Compared  main..HEAD: what HEAD adds to origin/main (1a1a1a1a1a1a..2b2b2b2b2b2b)
Policy    the default pack
Why       tidegate policy explain policy-change
""")


def test_a_bare_diff() -> None:
    assert render_text(*samples.bare_diff(), Style()) == snapshot("""\
HELD  1 rule stands in the way, and 1 thing must still happen: annotation.

What must still happen
  annotation-required  Added lines say who or what wrote them
    [?] Every added source line says who or what wrote it
        provenance is unknown: a bare diff says nothing of who or what wrote it
        next: check the range in its repository: tidegate check BASE..HEAD
  critical-two-humans  Unreviewable
    found: provenance.source_lines.unknown is unknown: a bare diff says nothing
      of who or what wrote it
        next: tidegate policy explain critical-two-humans

Who wrote it
  unknown: a bare diff says nothing of who or what wrote it

Domains
  migrations (critical)  app/db/migrate.py: the path matches **/migrate*

Where to look first
  1. app/db/migrate.py  120 lines without attribution; critical: migrations
  2. README.md  2 lines without attribution

Not known
  repository: a bare diff has no repository
  change.commits, author, base, head: a bare diff has no commits
  provenance: a bare diff says nothing of who or what wrote it
  not collected yet: reach, infra, verification, risk, review, history

Compared  fix.patch
Policy    the default pack
Why       tidegate explain annotation-required
""")


def test_what_is_due_at_a_later_stage_is_kept_apart() -> None:
    facts, verdict = samples.held()
    later = replace(verdict.rules[0], state="later", outcome="pass")
    text = render_text(facts, replace(verdict, stage="push", rules=(later, *verdict.rules[1:])), Style())
    now, _, rest = text.partition("Due later")
    assert "ai-critical-two-humans" not in now
    assert "2 approvals by owners of the files that it touches (at merge)" in rest
    assert text.startswith("HELD  2 things must still happen before it may be pushed: annotation, tests.\n")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.__name__)
@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_terminal(sample: object, width: int, unicode: bool) -> None:
    for line in render_text(*sample(), Style(width, unicode=unicode)).splitlines():  # type: ignore[operator]
        if not re.search(r"(tidegate|git) \S|https?://", line):
            assert _width(line) <= width, line


def test_wide_characters_count_twice() -> None:
    facts, verdict = samples.held()
    facts = replace(facts, change=replace(facts.change, chosen="漢字" * 60))
    for line in render_text(facts, verdict, Style(60)).splitlines():
        assert _width(line) <= 60 or "tidegate" in line


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.__name__)
def test_colour_changes_nothing_but_colour(sample: object) -> None:
    facts, verdict = sample()  # type: ignore[operator]
    coloured = render_text(facts, verdict, Style(colour=True))
    assert "\x1b[" in coloured
    assert SGR.sub("", coloured) == render_text(facts, verdict, Style())


def test_without_unicode_all_is_ascii() -> None:
    for sample in SAMPLES:
        assert render_text(*sample(), Style(unicode=False)).isascii()


@settings(max_examples=60)
@given(hostile_text, st.integers(60, 100), st.booleans())
def test_hostile_text_stays_text(text: str, width: int, unicode: bool) -> None:
    shown = SGR.sub("", render_text(*samples.hostile(text), Style(width, True, unicode)))
    for line in shown.split("\n"):
        assert all(character.isprintable() for character in line)
        assert not line.lstrip().startswith("::"), "GitHub would take this line for a command"
        assert not re.search(r"##\w*\[", line)


def test_nothing_known_is_said_calmly() -> None:
    from tidegate.facts import Facts
    from tidegate.policy.verdict import Verdict

    text = render_text(Facts(now=samples.NOW), Verdict("pass", "merge", (), "no policy", ""), Style())
    assert "Not known  repository, change, provenance, reach" in text
    assert "Who wrote it" not in text


def test_long_lists_are_cut_and_say_so() -> None:
    facts, verdict = samples.blocked()
    finding = facts.provenance.findings[0]
    many = tuple(replace(finding, message=f"fault {number}") for number in range(30))
    text = render_text(replace(facts, provenance=replace(facts.provenance, findings=many)), verdict, Style())
    assert "and 23 more: tidegate check --format json" in text


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=4), st.sampled_from([40, 100]))
def test_shares_add_up_and_hide_nobody(counts: list[int], whole: int) -> None:
    parts = shares(counts, whole)
    assert sum(parts) == (whole if sum(counts) else 0)
    assert all((part > 0) == (count > 0) for part, count in zip(parts, counts, strict=True))


def test_a_long_path_is_split_after_a_slash() -> None:
    path = "src/main/java/org/springframework/samples/petclinic/owner/PetController.java:109"
    assert wrap(path, 60, "  5. ") == [
        "  5. src/main/java/org/springframework/samples/petclinic/",
        "     owner/PetController.java:109",
    ]


@given(st.text(alphabet="ab漢 :/", max_size=60), st.integers(20, 40))
def test_wrapping_keeps_every_character(text: str, width: int) -> None:
    lines = wrap(text, width, "- ", "  ")
    assert all(_width(line) <= width for line in lines)
    assert "".join(line[2:] for line in lines).replace(" ", "") == text.replace(" ", "")
    assert not any(line.startswith("  :") for line in lines if not re.search(r"(^|[ :]):", text)), (
        "a CI system reads ::"
    )


def test_cutting_measures_columns() -> None:
    assert cut("漢字漢字", 5, Style()) == "漢字…"
    assert columns("漢e\u0301") == 3


def _width(line: str) -> int:
    """Columns, counted apart from the code under test."""
    total = 0
    for character in line:
        if not unicodedata.combining(character) and unicodedata.category(character) not in ("Mn", "Me"):
            total += 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
    return total
