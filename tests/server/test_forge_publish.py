"""What is said at a forge about a change, whatever the change says."""

from __future__ import annotations

import re
import time

import pytest
from demo.forge import FakeForge
from hypothesis import given
from msgspec.structs import replace

from tests.report import samples
from tests.report.hostile import hostile_text
from tests.server import forges
from tests.server.forges import SLUG
from tidegate.facts import Facts, Finding, Place
from tidegate.policy.verdict import Verdict
from tidegate.report.escape import plain
from tidegate.report.markdown import MARKER
from tidegate.server.forge.github import GitHubForge
from tidegate.server.forge.publish import Said, make_check, make_comment, make_unassessed, make_waiting
from tidegate.server.forge.texts import brief, fit, moment
from tidegate.server.forge.values import Check

app_key, source, running = forges.app_key, forges.source, forges.running
fake, github = forges.fake, forges.github

SAID = Said("key", "a" * 40, "https://gate.example/changes/1")
_ACTS = re.compile(
    r"(?<![\\\w.])@\w"
    r"|(?<!\\)<(?!/?details>|/?summary>|!-- tidegate:check -->)"
    r"|(?<!\\)!\[|\x1b|[\u202a-\u202e\u2066-\u2069]"
)


def with_findings(count: int, path: str = "src/shop.py", message: str = "a fault") -> tuple[Facts, Verdict]:
    facts, verdict = samples.blocked()
    found = tuple(
        Finding("a-rule", "high", f"{message} {number}", Place(path, number + 1, number + 1), "mend it")
        for number in range(count)
    )
    return replace(facts, provenance=replace(facts.provenance, findings=found)), verdict


@pytest.mark.parametrize(
    ("sample", "conclusion", "word"),
    [("passing", "success", "PASS"), ("held", "action_required", "HELD"), ("blocked", "failure", "BLOCKED")],
)
def test_only_a_pass_succeeds(sample: str, conclusion: str, word: str) -> None:
    facts, verdict = {"passing": samples.passing, "held": samples.held, "blocked": samples.blocked}[sample]()
    check = make_check(facts, verdict, SAID)
    assert (check.conclusion, check.key, check.head, check.url) == (conclusion, "key", "a" * 40, SAID.url)
    assert check.title.startswith(f"{word}: ")
    assert word in check.summary
    assert MARKER not in check.text


def test_a_verdict_that_must_wait_is_not_shown() -> None:
    waiting = make_waiting(make_check(*samples.passing(), SAID), "waiting for a witness of the ledger")
    assert waiting.conclusion is None
    assert "PASS" not in waiting.title + waiting.summary + waiting.text
    assert waiting.annotations == ()
    assert waiting.key == "key"


def test_what_could_not_be_assessed_is_held() -> None:
    check = make_unassessed(SAID, "the analysis took more than 120 seconds <b>@all</b>")
    assert check.conclusion == "action_required"
    assert check.title.startswith("HELD: ")
    assert not _ACTS.search(check.summary)


def test_ten_thousand_findings_fit(fake: FakeForge, github: GitHubForge) -> None:
    """In a handful of requests, and what is left out is counted."""
    fake.do.open_pull(SLUG, "feature", "One")
    facts, verdict = with_findings(10_000)
    started = time.process_time()
    said = replace(SAID, head=fake.world.projects[SLUG].pulls[1].head)
    check, comment = make_check(facts, verdict, said), make_comment(facts, verdict, said)
    assert time.process_time() - started < 5
    assert len(check.annotations) == 200
    left = re.search(r"(\d+) more results are not shown", check.summary)
    assert left is not None
    assert int(left[1]) >= 9_800
    fake.world.asked.clear()
    github.put_check(SLUG, check, None)
    github.put_comment(SLUG, 1, comment)
    assert sum(method in ("POST", "PATCH") for method, path, _ in fake.world.asked if "check-runs" in path) == 4
    (posted,) = fake.world.projects[SLUG].pulls[1].comments
    assert posted.body.startswith(MARKER)
    assert posted.body.endswith(f"({SAID.url})\n")


@pytest.mark.parametrize("path", ["a%0A::error::x.py", "a,line=1.py", "a b/é🙂.py", "-rf", "::set-output name=x::y"])
def test_a_strange_path_is_a_place_like_any_other(fake: FakeForge, github: GitHubForge, path: str) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    facts, verdict = with_findings(3, path)
    said = replace(SAID, head=fake.world.projects[SLUG].pulls[1].head)
    github.put_check(SLUG, make_check(facts, verdict, said), None)
    (run,) = fake.world.projects[SLUG].runs
    assert sum(one["path"] == path for one in run.annotations) == 3


@pytest.mark.parametrize("path", ["a\n::error::x.py", "a\x1b[31m.py", "a\u202epy.x", "a\ud800.py", ""])
def test_a_path_that_could_act_has_no_annotation(path: str) -> None:
    facts, verdict = with_findings(3, path)
    check = make_check(facts, verdict, SAID)
    assert all(one.path != path for one in check.annotations)
    assert "not shown as annotations" in check.summary


@given(hostile_text)
def test_nothing_of_a_change_acts(text: str) -> None:
    """No mention, no tag, no image, no escape of a terminal, nothing hidden, whatever stands in every field."""
    facts, verdict = samples.hostile(text)
    check, comment = make_check(facts, verdict, SAID), make_comment(facts, verdict, SAID)
    outside = re.sub(r"(`+) ?.*? ?\1", "", comment + check.summary + check.text)
    assert not _ACTS.search(outside), _ACTS.search(outside)
    assert comment.startswith(MARKER)
    assert comment.count(MARKER) == 1
    shown = [check.title, *(part for one in check.annotations for part in (one.path, one.title))]
    assert all(plain(part) == part for part in shown)
    assert all(plain(line) == line for one in check.annotations for line in one.message.split("\n"))
    check.text.encode()
    comment.encode()


def test_an_address_that_is_none_is_not_linked() -> None:
    comment = make_comment(*samples.held(), replace(SAID, url="javascript:alert(1)"))
    assert "javascript" not in comment


@pytest.mark.parametrize("limit", [300, 1000, 65_535])
@pytest.mark.parametrize("text", ["x" * 99_999, "é\n" * 50_000, "<details>\n" * 9_000, "\n" * 70_000, "🙂" * 30_000])
def test_a_text_is_cut_within_its_limit(text: str, limit: int) -> None:
    found = fit(text, limit)
    assert len(found.encode()) <= limit
    assert found.endswith("did not fit._\n")
    assert fit(found, limit) == found


def test_small_texts_stay_as_they_are() -> None:
    assert fit("a\nb", 3) == "a\nb"
    assert brief("a  b\n c", 5) == "a b c"
    assert brief("abcdef", 5) == "abcd…"
    assert moment("2026-05-01T12:00:00.5+02:00") == "2026-05-01T10:00:00.500000Z"
    assert [moment(text) for text in (None, "", "yesterday", "2026-05-01T12:00:00", "9999-12-31T23:59:59-23:00")] == [
        ""
    ] * 5


def test_a_check_is_a_plain_value() -> None:
    assert make_check(*samples.held(), SAID) == make_check(*samples.held(), SAID)
    assert isinstance(make_check(*samples.held(), SAID), Check)
