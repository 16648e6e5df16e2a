"""GitHub as we ask and tell it, against a forge on loopback that keeps to GitHub's documented shapes and limits."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from demo.forge import FakeForge

from tests.server import forges
from tests.server.forges import QUICK, SLUG, Message
from tidegate.change.pulls import read_event
from tidegate.change.review_json import read_reviews
from tidegate.errors import InputError
from tidegate.report.markdown import MARKER
from tidegate.server.config import GitHub, Secrets
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.github import GitHubForge
from tidegate.server.forge.merged import merged_as
from tidegate.server.forge.values import Annotation, Check, Forge

app_key, source, running = forges.app_key, forges.source, forges.running
fake, received = forges.fake, forges.received
github, by_token = forges.github, forges.by_token


def check_of(head: str, **changes: object) -> Check:
    given = {
        "key": "decision-1",
        "head": head,
        "conclusion": "action_required",
        "title": "HELD: 2 things must still happen",
        "summary": "what",
        "text": "more",
        "url": "https://gate.example/changes/1",
        **changes,
    }
    return Check(**given)  # type: ignore[arg-type]


def notes_of(count: int) -> tuple[Annotation, ...]:
    return tuple(Annotation("shop.py", n + 1, n + 1, "warning", f"rule {n}", f"message {n}") for n in range(count))


def head_of(fake: FakeForge, number: int = 1) -> str:
    return fake.world.projects[SLUG].pulls[number].head


# Reading


def test_both_kinds_are_a_forge(github: GitHubForge, by_token: GitHubForge) -> None:
    forges: list[Forge] = [github, by_token]
    assert [forge.name for forge in forges] == ["github", "github"]


def test_a_pull_request_is_read_as_it_is_now(fake: FakeForge, github: GitHubForge, tmp_path: Path) -> None:
    number = fake.do.open_pull(SLUG, "feature", "Raise @everyone's price", body=None)
    pull = github.pull(SLUG, number)
    tip = fake.world.projects[SLUG].tip
    assert (pull.head, pull.base, pull.target, pull.state) == (tip("feature"), tip("main"), "main", "open")
    assert (pull.author, pull.title, pull.body, pull.ref) == (
        "alice",
        "Raise @everyone's price",
        "",
        "refs/pull/1/head",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z", pull.opened_at)
    document = tmp_path / "pull.json"
    document.write_bytes(pull.document)
    assert read_event(document).head == pull.head


def test_merged_and_closed_are_told_apart(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    fake.do.open_pull(SLUG, "feature", "Two")
    fake.do.close(SLUG, 2)
    merged = fake.do.merge(SLUG, 1)
    assert [github.pull(SLUG, number).state for number in (1, 2)] == ["merged", "closed"]
    assert merged_as(github.pull(SLUG, 1).document).merge_commit == merged
    assert github.branch(SLUG, "main") == merged
    assert github.branch(SLUG, "gone") == ""


def test_long_lists_are_read_to_their_end(fake: FakeForge, github: GitHubForge, tmp_path: Path) -> None:
    number = fake.do.open_pull(SLUG, "feature", "Popular")
    for n in range(235):
        fake.do.review(SLUG, number, f"reader{n}")
    for n in range(120):
        fake.do.open_pull(SLUG, "feature", f"More {n}")
    document = tmp_path / "reviews.json"
    document.write_bytes(github.reviews(SLUG, number))
    assert {review.account for review in read_reviews(document).reviews} == {f"reader{n}" for n in range(235)}
    assert len(github.open_pulls(SLUG)) == 121
    assert len(github.pulls_of(SLUG, head_of(fake))) == 121


def test_it_knows_what_it_was_given(fake: FakeForge, github: GitHubForge, by_token: GitHubForge, source: Path) -> None:
    fake.do.add_repository("other/tool", source)
    for forge in (github, by_token):
        assert sorted(found.slug for found in forge.repositories()) == [SLUG, "other/tool"]
        assert forge.repository(SLUG).main == "main"
        assert forge.repository(SLUG).url == f"{fake.url}/{SLUG}.git"


def test_a_clone_carries_a_narrow_credential(fake: FakeForge, github: GitHubForge, tmp_path: Path) -> None:
    """It reads this repository, and no check can be made with it; its text shows no secret."""
    fake.do.open_pull(SLUG, "feature", "One")
    found = github.clone(SLUG)
    token = next(token for token in fake.world.tokens.values() if set(token.permissions) == {"contents"})
    assert token.projects == frozenset((SLUG,))
    assert found.header.startswith("Authorization: Basic ")
    assert found.header not in repr(found)
    into = tmp_path / "clone.git"
    command = ["git", "-c", f"http.extraHeader={found.header}", "clone", "-q", "--mirror", found.url, str(into)]
    subprocess.run(command, check=True, capture_output=True)
    refs = subprocess.run(["git", "-C", str(into), "for-each-ref"], check=True, capture_output=True, text=True).stdout
    assert f"{head_of(fake)} commit\trefs/pull/1/head" in refs
    refused = subprocess.run(
        ["git", "ls-remote", found.url], check=False, capture_output=True, env={"PATH": "/usr/bin"}
    )
    assert refused.returncode


def test_names_that_lead_elsewhere_are_never_asked_for(fake: FakeForge, github: GitHubForge) -> None:
    for slug in ("../app", "octo/..", "octo", "octo/shop/x", "octo/sh op", "octo/shop?x=1", "octo/shop#", "", "o\n/x"):
        with pytest.raises(ForgeError, match="no name of a repository"):
            github.pull(slug, 1)
    for commit in ("../../../app", "", "HEAD", "a" * 39, "0" * 40, "A" * 40):
        for ask in (github.forged, github.pulls_of):
            with pytest.raises(ForgeError, match="no commit"):
                ask(SLUG, commit)
    assert not fake.world.asked


# Checks


def test_a_check_of_many_annotations_is_made_in_parts(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    identifier = github.put_check(SLUG, check_of(head_of(fake), annotations=notes_of(170)), None)
    (run,) = fake.world.projects[SLUG].runs
    assert (str(run.id), run.status, run.conclusion, run.external_id) == (
        identifier,
        "completed",
        "action_required",
        "decision-1",
    )
    assert [one["start_line"] for one in run.annotations] == list(range(1, 171))


def test_sent_twice_it_is_there_once(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    check = check_of(head_of(fake), annotations=notes_of(60))
    first = github.put_check(SLUG, check, None)
    assert github.put_check(SLUG, check, None) == first
    assert github.put_check(SLUG, check, first) == first
    (run,) = fake.world.projects[SLUG].runs
    assert len(run.annotations) == 60


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_answer_that_was_lost_leaves_no_double(fake: FakeForge, github: GitHubForge, method: str) -> None:
    """The forge did it, and the answer was a 502: the next try finds what is there."""
    fake.do.open_pull(SLUG, "feature", "One")
    check = check_of(head_of(fake), annotations=notes_of(120))
    fake.fail("lost", path="check-runs", method=method)
    with pytest.raises(ForgeError) as caught:
        github.put_check(SLUG, check, None)
    assert caught.value.retry_after
    github.put_check(SLUG, check, None)
    (run,) = fake.world.projects[SLUG].runs
    assert [one["start_line"] for one in run.annotations] == list(range(1, 121))


def test_another_decision_takes_the_place_of_an_annotated_one(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    waiting = github.put_check(SLUG, check_of(head_of(fake), key="a", conclusion=None), None)
    held = github.put_check(SLUG, check_of(head_of(fake), key="b", annotations=notes_of(2)), waiting)
    passed = github.put_check(SLUG, check_of(head_of(fake), key="c", conclusion="success"), held)
    assert held == waiting
    assert passed != held
    newest = max(fake.world.projects[SLUG].runs, key=lambda run: run.id)
    assert (newest.conclusion, newest.annotations) == ("success", [])


def test_a_decision_that_comes_back_is_the_newest_again(fake: FakeForge, github: GitHubForge) -> None:
    """Only the newest run counts: a pass that was said in between must not."""
    fake.do.open_pull(SLUG, "feature", "One")
    held = check_of(head_of(fake), key="held", annotations=notes_of(3))
    first = github.put_check(SLUG, held, None)
    github.put_check(SLUG, check_of(head_of(fake), key="passed", conclusion="success", annotations=notes_of(1)), None)
    github.put_check(SLUG, held, first)
    newest = max(fake.world.projects[SLUG].runs, key=lambda run: run.id)
    assert (newest.external_id, newest.conclusion, len(newest.annotations)) == ("held", "action_required", 3)


def test_texts_are_cut_at_a_line_and_say_so(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    lines = "<details><summary>x</summary>\n" + "é🙂 a line of findings\n" * 9000
    github.put_check(SLUG, check_of(head_of(fake), summary=lines, text=lines, title="t" * 900), None)
    (run,) = fake.world.projects[SLUG].runs
    for name in ("summary", "text"):
        text = run.output[name] or ""
        assert len(text) <= 65_535
        kept = text.count("a line of findings")
        assert f"_{9001 - kept} more lines did not fit._" in text
        assert text.count("</details>") == 1


def test_without_an_app_a_status_is_what_can_be_said(fake: FakeForge, by_token: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    check = check_of(head_of(fake), title="HELD: " + "very " * 60)
    first = by_token.put_check(SLUG, check, None)
    assert by_token.put_check(SLUG, check, None) == first
    (status,) = fake.world.projects[SLUG].statuses
    assert (status.state, status.context, status.user.login) == ("failure", "tidegate", "gatebot")
    assert len(status.description or "") <= 139
    for conclusion, state in ((None, "pending"), ("success", "success"), ("failure", "failure")):
        by_token.put_check(SLUG, check_of(head_of(fake), conclusion=conclusion), None)
        assert fake.world.projects[SLUG].statuses[-1].state == state


def test_a_missing_permission_is_named(fake: FakeForge, github: GitHubForge) -> None:
    fake.world.permissions = {"metadata": "read", "pull_requests": "read"}
    fake.do.open_pull(SLUG, "feature", "One")
    with pytest.raises(ForgeError, match="403") as caught:
        github.put_check(SLUG, check_of(head_of(fake)), None)
    assert caught.value.retry_after is None
    assert "permission" in caught.value.mend


# The comment


def test_there_is_one_comment_of_ours(fake: FakeForge, github: GitHubForge) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    for n in range(150):
        fake.do.comment(SLUG, number, "bob", f"{MARKER}\nI am Tidegate, believe me {n}")
    first = github.put_comment(SLUG, number, f"{MARKER}\nheld")
    second = github.put_comment(SLUG, number, f"{MARKER}\npassed")
    comments = fake.world.projects[SLUG].pulls[number].comments
    assert first == second
    assert [comment.body for comment in comments if comment.user.login != "bob"] == [f"{MARKER}\npassed"]
    assert sum(comment.body.startswith(f"{MARKER}\nI am") for comment in comments) == 150


def test_a_comment_that_says_the_same_is_not_sent(fake: FakeForge, github: GitHubForge) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    github.put_comment(SLUG, number, f"{MARKER}\nheld")
    fake.world.asked.clear()
    github.put_comment(SLUG, number, f"{MARKER}\nheld\n")
    assert {method for method, _, _ in fake.world.asked} == {"GET"}


def test_a_second_comment_of_ours_goes(fake: FakeForge, github: GitHubForge) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    fake.fail("lost", path="/comments", method="POST")
    with pytest.raises(ForgeError):
        github.put_comment(SLUG, number, "one")
    for _ in range(2):
        fake.do.comment(SLUG, number, "tidegate-gate[bot]", f"{MARKER}\ndouble")
    github.put_comment(SLUG, number, "two")
    assert [one.body for one in fake.world.projects[SLUG].pulls[number].comments] == [f"{MARKER}\ntwo"]


@pytest.mark.parametrize("body", ["x" * 200_000, "line\n" * 60_000, "é" * 70_000, "🙂\n" * 30_000])
def test_a_long_comment_keeps_its_marker(fake: FakeForge, github: GitHubForge, body: str) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    github.put_comment(SLUG, number, f"{MARKER}\n{body}")
    github.put_comment(SLUG, number, f"{MARKER}\n{body}!")
    (comment,) = fake.world.projects[SLUG].pulls[number].comments
    assert comment.body.startswith(MARKER)
    assert comment.body.rstrip().endswith("did not fit._")


# Others under our name


def test_a_forged_status_is_named_and_overwritten(fake: FakeForge, by_token: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    head = head_of(fake)
    by_token.put_check(SLUG, check_of(head), None)
    fake.do.post_status(SLUG, head, "mallory", "success", "TideGate")
    fake.do.post_status(SLUG, head, "mallory", "success", "other")
    assert by_token.forged(SLUG, head) == ("a status by mallory (success)",)
    newest = fake.world.projects[SLUG].statuses[-1]
    assert (newest.user.login, newest.state, newest.description) == (
        "gatebot",
        "failure",
        "HELD: 2 things must still happen",
    )
    count = len(fake.world.projects[SLUG].statuses)
    assert by_token.forged(SLUG, head) == ("a status by mallory (success)",)
    assert len(fake.world.projects[SLUG].statuses) == count


@pytest.mark.parametrize(("conclusion", "state"), [("success", "success"), ("failure", "failure"), ("", "pending")])
def test_a_forged_status_beside_our_check_says_what_the_check_says(
    fake: FakeForge, github: GitHubForge, conclusion: str, state: str
) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    head = head_of(fake)
    if conclusion:
        github.put_check(SLUG, check_of(head, conclusion=conclusion), None)
    fake.do.post_status(SLUG, head, "mallory")
    assert github.forged(SLUG, head) == ("a status by mallory (success)",)
    newest = fake.world.projects[SLUG].statuses[-1]
    assert (newest.user.login, newest.state) == ("tidegate-gate[bot]", state)


def test_a_check_run_of_our_name_by_another_app_is_not_the_newest_for_long(
    fake: FakeForge, github: GitHubForge
) -> None:
    """It can be neither changed nor taken for ours."""
    fake.do.open_pull(SLUG, "feature", "One")
    head = head_of(fake)
    ours = github.put_check(SLUG, check_of(head), None)
    other = fake.do.post_run(SLUG, head, "github-actions")
    assert github.put_check(SLUG, check_of(head), str(other)) == ours
    assert github.forged(SLUG, head) == ("a check run by the app github-actions (success)",)
    newest = max(fake.world.projects[SLUG].runs, key=lambda run: run.id)
    assert (newest.app.slug, newest.conclusion, newest.external_id) == (
        "tidegate-gate",
        "action_required",
        "decision-1",
    )
    count = len(fake.world.projects[SLUG].runs)
    github.forged(SLUG, head)
    assert len(fake.world.projects[SLUG].runs) == count


def test_an_honest_commit_has_nothing_forged(fake: FakeForge, github: GitHubForge, by_token: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    head = head_of(fake)
    github.put_check(SLUG, check_of(head), None)
    fake.do.post_run(SLUG, head, "github-actions", "build")
    fake.do.post_status(SLUG, head, "bob", context="ci/build")
    assert github.forged(SLUG, head) == ()
    assert by_token.forged(SLUG, head) == ()


# Credentials


def test_a_token_is_kept_and_made_anew_when_it_ends(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    for _ in range(5):
        github.pull(SLUG, 1)
    assert len(fake.world.tokens) == 1
    for token in fake.world.tokens.values():
        token.ends = 0.0
    assert github.pull(SLUG, 1).number == 1
    assert len(fake.world.tokens) == 2


def test_a_token_near_its_end_is_not_begun_with(fake: FakeForge, github: GitHubForge) -> None:
    fake.world.token_seconds = 299.0
    fake.do.open_pull(SLUG, "feature", "One")
    github.pull(SLUG, 1)
    github.pull(SLUG, 1)
    assert len(fake.world.tokens) == 2


def test_a_second_token_takes_over(fake: FakeForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    old, new = fake.world.give_token("gatebot"), fake.world.give_token("gatebot")
    settings = GitHub(api=fake.github_api, token=Secrets((old.text.encode(), new.text.encode())))
    with closing(GitHubForge(settings, QUICK)) as forge:
        forge.pull(SLUG, 1)
        old.ends = 0.0
        assert forge.pull(SLUG, 1).number == 1
        new.ends = 0.0
        with pytest.raises(ForgeError, match="401"):
            forge.pull(SLUG, 1)


def test_the_key_of_another_app_is_refused(fake: FakeForge, tmp_path: Path) -> None:
    path = tmp_path / "other.pem"
    path.write_bytes(fake.world.add_app("other").pem)
    settings = GitHub(api=fake.github_api, app=str(fake.app.id), key=path)
    with closing(GitHubForge(settings, QUICK)) as forge, pytest.raises(ForgeError, match="401"):
        forge.pull(SLUG, 1)


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_broken_key_is_said_at_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(InputError, match="key"):
        GitHubForge(GitHub(app="1", key=path))
    with pytest.raises(InputError, match="cannot be read"):
        GitHubForge(GitHub(app="1", key=tmp_path / "none.pem"))
    with pytest.raises(InputError, match="neither"):
        GitHubForge(GitHub())


# A forge in trouble


def test_a_question_is_asked_again_and_a_command_is_not(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    fake.fail("502", 2, "/pulls/1")
    assert github.pull(SLUG, 1).number == 1
    fake.world.asked.clear()
    fake.fail("502", 1, "/comments", method="POST")
    with pytest.raises(ForgeError) as caught:
        github.put_comment(SLUG, 1, "x")
    assert caught.value.retry_after == 30
    assert sum(method == "POST" and "/comments" in path for method, path, _ in fake.world.asked) == 1


@pytest.mark.parametrize(("kind", "least"), [("primary", 50), ("secondary", 60)])
def test_a_rate_limit_is_waited_for(fake: FakeForge, github: GitHubForge, kind: str, least: float) -> None:
    """Until it is over, nothing more is sent under that credential."""
    fake.do.open_pull(SLUG, "feature", "One")
    github.pull(SLUG, 1)
    fake.fail(kind, 1, "/pulls/1")
    with pytest.raises(ForgeError, match="rate limit") as caught:
        github.pull(SLUG, 1)
    assert least <= (caught.value.retry_after or 0) <= 61
    count = len(fake.world.asked)
    with pytest.raises(ForgeError, match="rate limit") as caught:
        github.open_pulls(SLUG)
    assert 0 < (caught.value.retry_after or 0) <= 61
    assert len(fake.world.asked) == count


def test_the_limits_of_the_forge_itself_are_understood(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    fake.world.content_a_minute = 3
    with pytest.raises(ForgeError, match="rate limit") as caught:
        github.put_check(SLUG, check_of(head_of(fake), annotations=notes_of(400)), None)
    assert caught.value.retry_after == 60


def test_what_did_not_change_costs_nothing(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    first = github.pull(SLUG, 1)
    used = dict(fake.world.used)
    assert github.pull(SLUG, 1) == first
    assert fake.world.asked[-1][2] == 304
    assert fake.world.used == used
    fake.do.edit(SLUG, 1, title="Two")
    assert github.pull(SLUG, 1).title == "Two"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("redirect", "302"),
        ("garbage", "something else than it documents"),
        ("huge", "too large or too slow"),
        ("expired", "401"),
    ],
)
def test_a_hostile_answer_ends_in_an_error(fake: FakeForge, by_token: GitHubForge, kind: str, said: str) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    fake.fail(kind, 9, "/pulls/1")
    started = time.process_time()
    with pytest.raises(ForgeError, match=said):
        by_token.pull(SLUG, 1)
    assert time.process_time() - started < 3


def test_a_forge_that_never_answers_is_given_up(fake: FakeForge, by_token: GitHubForge) -> None:
    fake.fail("hang", 4, "/pulls/1", seconds=0.5)
    with pytest.raises(ForgeError, match="no answer") as caught:
        by_token.pull(SLUG, 1)
    assert caught.value.retry_after


def test_a_forge_that_is_away_is_given_up(tmp_path: Path) -> None:
    settings = GitHub(api="http://127.0.0.1:9", token=Secrets((b"t" * 20,)))
    with closing(GitHubForge(settings, QUICK)) as forge, pytest.raises(ForgeError, match="no answer"):
        forge.pull(SLUG, 1)


@pytest.mark.parametrize("elsewhere", ["http://169.254.169.254/x", "https://evil.test/api/v3/x", "//evil.test/x", ""])
def test_the_next_page_is_on_no_other_host(by_token: GitHubForge, fake: FakeForge, elsewhere: str) -> None:
    """Not even where its address only begins like ours."""
    for link in (elsewhere, f"{fake.url}.evil.test/api/v3/x", f"{fake.github_api}@evil.test/x"):
        fake.world.links.append(f'<{fake.github_api}/first>; rel="prev", <{link}>; rel="next"')
        with pytest.raises(ForgeError, match="another host"):
            by_token.open_pulls(SLUG)


def test_a_list_without_an_end_is_an_error(by_token: GitHubForge, fake: FakeForge) -> None:
    path = f"{fake.github_api}/repos/{SLUG}/pulls"
    fake.world.links.extend([f'<{path}?page=2>; rel="next"'] * 100)
    with pytest.raises(ForgeError, match="more than 100 pages"):
        by_token.open_pulls(SLUG)


# What we missed


def test_missed_deliveries_are_listed_and_sent_again(
    fake: FakeForge, github: GitHubForge, received: Callable[[], list[Message]]
) -> None:
    fake.hooks.targets.pop()
    fake.hooks.plan.extend(["send", "drop", "drop"])
    fake.do.open_pull(SLUG, "feature", "One")
    fake.do.review(SLUG, 1, "bob")
    fake.do.review(SLUG, 1, "carol")
    fake.do.review(SLUG, 1, "dave")
    fake.hooks.settle()
    got = {headers["x-github-delivery"] for headers, _ in received()}
    missed = [one for one in github.missed("2020-01-01T00:00:00.000000Z") if one.id not in got]
    assert [one.event for one in missed] == ["pull_request_review"] * 2
    for one in missed:
        github.send_again(one)
    fake.hooks.settle()
    assert {one.id for one in missed} <= {
        headers["x-github-delivery"] for headers, _ in received() if "x-github-delivery" in headers
    }
    assert len({one.id for one in github.missed("2020-01-01T00:00:00.000000Z")}) == 4
    assert github.missed("2999-01-01T00:00:00.000000Z") == ()


def test_many_missed_deliveries_are_read_by_their_cursor(
    fake: FakeForge, github: GitHubForge, received: Callable[[], list[Message]]
) -> None:
    fake.hooks.plan.extend(["drop"] * 500)
    fake.do.open_pull(SLUG, "feature", "One")
    for n in range(249):
        fake.do.review(SLUG, 1, f"reader{n}")
    fake.hooks.settle()
    assert received() == []
    assert len(github.missed("2020-01-01T00:00:00.000000Z")) == 250


def test_the_forge_is_driven_by_json(fake: FakeForge) -> None:
    import httpx2

    def post(verb: str, **given: object) -> object:
        return httpx2.post(f"{fake.url}/_control/{verb}", content=json.dumps(given)).json()

    assert post("open_pull", slug=SLUG, branch="feature", title="One") == {"answer": 1}
    assert post("queue", slug=SLUG, number=1) != {"answer": None}
    assert post("merge", slug=SLUG, number=1) != {"answer": None}
    state = post("state", slug=SLUG)
    assert isinstance(state, dict)
    assert state["answer"]["pulls"]["1"][0] == "closed"
    assert "error" in post("rob", slug=SLUG)  # type: ignore[operator]


def test_many_threads_notice_together_that_a_token_has_ended(fake: FakeForge, github: GitHubForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    old, new = fake.world.give_token("gatebot"), fake.world.give_token("gatebot")
    old.ends = 0.0
    settings = GitHub(api=fake.github_api, token=Secrets((old.text.encode(), new.text.encode())))
    with closing(GitHubForge(settings, QUICK)) as by_tokens, ThreadPoolExecutor(8) as pool:
        github.pull(SLUG, 1)
        for token in fake.world.tokens.values():
            token.ends = min(token.ends, 0.0) if token.app is not None else token.ends
        asked = [pool.submit(forge.pull, SLUG, 1) for forge in (by_tokens, github) for _ in range(16)]
        assert [each.result().number for each in asked] == [1] * 32
