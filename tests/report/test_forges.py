"""GitHub annotations, GitLab code quality, and the page that is a comment."""

# ruff: noqa: E501 exact texts that a forge reads

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from inline_snapshot import snapshot
from markdown_it import MarkdownIt
from msgspec.structs import replace

from tests.report import samples
from tests.report.hostile import hostile_text
from tidegate.facts import Facts
from tidegate.policy.verdict import Verdict
from tidegate.report.github import render_github
from tidegate.report.gitlab import render_gitlab
from tidegate.report.markdown import COMMENT_LIMIT, MARKER, SUMMARY_LIMIT, render_markdown, render_summary
from tidegate.report.style import PLAIN

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SAMPLES = (samples.held, samples.passing, samples.blocked, samples.bare_diff, samples.hostile)


def read_command(line: str) -> tuple[str, dict[str, str], str] | None:
    """A line as GitHub's runner reads it (ActionCommand.TryParseV2)."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    pairs = (pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
    properties = {key.strip(): _unescape(value, {"%3A": ":", "%2C": ","}) for key, value in pairs}
    return name, properties, _unescape(line[end + 2 :], {})


def _unescape(text: str, more: dict[str, str]) -> str:
    for code, character in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(code, character)
    return text


def test_annotations_of_a_blocked_change() -> None:
    assert render_github(*samples.blocked(), PLAIN) == snapshot("""\
::error title=Tidegate%3A BLOCKED::1 rule stands in the way of this change.
::error file=tidegate.toml,line=1,title=policy-change::A change of the policy stands by itself. change.policy_files is ["tidegate.toml"]%0ANext: tidegate policy explain policy-change
::error file=shop/cart.py,line=3,title=note-over-reach::the note claims lines 1-40 and the commit changed lines 3-9%0ANext: tidegate provenance audit --commit 2b2b2b2
::warning file=tidegate.toml,line=1,title=big-change::Large changes hide mistakes. change.lines_added is 9%0ANext: tidegate policy explain big-change
::warning file=CODEOWNERS,line=4,title=codeowners-unknown-owner::@ghost is nobody%0ANext: name a person
tidegate: BLOCKED. 1 rule stands in the way of this change.
""")


def test_annotations_of_a_change_that_passes() -> None:
    assert render_github(*samples.passing(), PLAIN) == snapshot("""\
::notice title=Tidegate%3A PASS::Nothing more must happen before it may merge.
tidegate: PASS. Nothing more must happen before it may merge.
""")


def test_at_most_ten_annotations_and_the_worst_first() -> None:
    facts, verdict = _with_findings(40)
    lines = render_github(facts, verdict, PLAIN).splitlines()
    commands = [command for line in lines if (command := read_command(line))]
    assert len(commands) == 10
    assert [name for name, _, _ in commands][:2] == ["error", "error"]
    assert (
        lines[-1] == "tidegate: BLOCKED. 1 rule stands in the way of this change. 34 more are not shown as annotations."
    )


@settings(max_examples=60)
@given(hostile_text)
def test_hostile_text_makes_no_command_of_its_own(text: str) -> None:
    facts, verdict = samples.hostile(text)
    lines = render_github(facts, verdict, PLAIN).split("\n")
    assert lines.pop() == ""
    commands = [read_command(line) for line in lines]
    assert commands[-1] is None
    for command in commands[:-1]:
        assert command is not None
        name, properties, message = command
        assert name in ("error", "warning", "notice")
        assert set(properties) <= {"file", "line", "title"}
        assert properties.get("line", "1").isdigit()
        assert message
        assert "\r" not in message


def test_gitlab_reads_what_it_needs() -> None:
    issues = json.loads(render_gitlab(*samples.blocked(), PLAIN))
    assert [(issue["check_name"], issue["severity"]) for issue in issues] == [
        ("policy-change", "blocker"),
        ("note-over-reach", "critical"),
        ("big-change", "major"),
        ("codeowners-unknown-owner", "major"),
    ]
    assert issues[1]["location"] == {"path": "shop/cart.py", "lines": {"begin": 3}}
    assert json.loads(render_gitlab(*samples.passing(), PLAIN)) == []


def test_gitlab_fingerprints_are_unique() -> None:
    issues = json.loads(render_gitlab(*_with_findings(40, same=True), PLAIN))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 43


def test_the_comment_of_a_held_change() -> None:
    assert render_markdown(*samples.held(), PLAIN).replace("\u200b", "") == snapshot("""\
<!-- tidegate:check -->
### Tidegate: HELD

3 things must still happen before it may merge: approval, annotation, tests.
Met: breadth

**What must still happen**

- **ai-critical-two-humans**: Two humans approve AI changes in critical domains
  - 2 approvals by owners of the files that it touches: review.reviews is unknown: no reviews were given (--reviews FILE)
    - next: ask @shop/payments and @alice for a review of 2b2b2b2
- **annotation-required**: Added lines say who or what wrote them
  - Every added source line says who or what wrote it: 90 added source lines without attribution
    - next, for what an agent wrote: `tidegate annotate 1a1a1a1a1a1a..2b2b2b2b2b2b --tool TOOL --model MODEL`
    - next, for what people typed: `tidegate annotate 1a1a1a1a1a1a..2b2b2b2b2b2b --human`
- **ai-carries-tests**: AI changes carry tests
  - Tests change with the source: no test file is part of the change and 73 lines were added by AI
    - next: add or change a test that fails without this change

**Worth knowing**

- warning **rollback-plan**: Critical changes say how to undo them: add a heading Rollback to the description

<details><summary>Where to look first (3)</summary>

1. `shop/payments/charge.py:10` 31 lines by AI; sources contradict each other; critical: payments, network
2. `shop/auth/token.py:1` 42 lines by AI; critical: auth
3. `shop/page.py:1` 90 lines without attribution

</details>

<details><summary>Who wrote the 167 added lines: AI 73 (44 %), human 4 (2 %), unknown 90 (54 %)</summary>

| tool | model | lines | sessions | evidence |
| --- | --- | ---: | ---: | --- |
| copilot | not named | 42 | - | declared |
| claude | claude-opus-4-6 | 31 | 2 | audited note or trace |

- alice answers for 31 lines, 31 of them by AI
- bob answers for 4 lines, 0 of them by AI
- nobody answers for 42 lines by AI
- sources disagree on `shop/payments/charge.py:10-12`: claude (note on 2b2b2b2) against human (trailer of 2b2b2b2)

</details>

<details><summary>Domains (3)</summary>

- auth (critical): `shop/auth/token.py` the path matches \\*\\*/auth/\\*\\*
- payments (critical): `shop/payments/charge.py` the path matches \\*\\*/payments/\\*\\*
- network: `shop/payments/charge.py` a changed line matches \\\\brequests\\\\.(get&#124;post)\\\\b

</details>

<details><summary>Not known (3)</summary>

- provenance.declarations: the pull request was not given
- review: no reviews were given (--reviews FILE)
- not collected yet: reach, infra, verification, risk, history

</details>

Compared main..HEAD: what HEAD adds to origin/main at `2b2b2b2b2b2b`. Policy: the default pack and tidegate.toml at 1a1a1a1. Why: `tidegate explain ai-critical-two-humans`
""")


def test_the_summary_is_the_comment_without_its_marker() -> None:
    comment = render_markdown(*samples.held(), PLAIN)
    assert comment.startswith(f"{MARKER}\n### Tidegate: HELD\n")
    assert render_summary(*samples.held(), PLAIN) == comment.removeprefix(f"{MARKER}\n")


@pytest.mark.parametrize(("render", "limit"), [(render_markdown, COMMENT_LIMIT), (render_summary, SUMMARY_LIMIT)])
def test_a_page_that_is_too_long_keeps_its_verdict(render: Any, limit: int) -> None:
    facts, verdict = _with_findings(4_000)
    page = render(facts, verdict, PLAIN)
    assert limit - 2_000 < len(page.encode()) <= limit
    assert "### Tidegate: BLOCKED" in page[:80]
    assert page.endswith("_The rest did not fit; `tidegate check` shows all of it._\n")
    assert page.count("<details>") == page.count("</details>")


@settings(max_examples=60, deadline=None)
@given(hostile_text)
def test_hostile_text_makes_no_markup_in_a_comment(text: str) -> None:
    page = render_markdown(*samples.hostile(text), PLAIN)
    assert page.startswith(f"{MARKER}\n")
    assert page.count(MARKER) == 1
    assert len(page) <= COMMENT_LIMIT
    tokens = READER.parse(page)
    inline = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in tokens} <= _BLOCKS
    assert {child.type for child in inline} <= {"text", "softbreak", "code_inline", "strong_open", "strong_close"}
    assert sum(token.type == "heading_open" for token in tokens) == 1
    for token in tokens:
        if token.type == "html_block":
            assert _OWN_HTML.fullmatch(token.content), token.content
    for child in inline:
        if child.type == "text":
            assert not re.search(r"@\w|(?<!\w)#\d|https?:/|www\.", child.content, re.IGNORECASE)


_BLOCKS = {
    "html_block", "inline",
    *(f"{name}_{end}" for end in ("open", "close") for name in (
        "heading", "paragraph", "bullet_list", "ordered_list", "list_item", "table", "thead", "tbody", "tr", "th", "td"
    )),
}  # fmt: skip
_OWN_HTML = re.compile(
    r"(<!-- tidegate:check -->\n|<details><summary>[A-Z][\w ():,%]+</summary>\n|</details>\n)+", re.ASCII
)


def _with_findings(number: int, same: bool = False) -> tuple[Facts, Verdict]:
    facts, verdict = samples.blocked()
    finding = facts.provenance.findings[0]
    many = tuple(
        replace(finding, message="a fault" if same else f"fault {'x' * (index % 7)} {'word ' * 90}", mend=str(index))
        for index in range(number)
    )
    return replace(facts, provenance=replace(facts.provenance, findings=many)), verdict
