"""GitLab as we ask and tell it, against the same forge on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from demo.forge import FakeForge

from tests.server import forges
from tests.server.forges import SLUG, Message
from tidegate.change.pulls import read_event
from tidegate.change.review_json import read_reviews
from tidegate.report.markdown import MARKER
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.gitlab import GitLabForge
from tidegate.server.forge.values import Check, Delivery, Forge, Missed

app_key, source, running = forges.app_key, forges.source, forges.running
fake, received, gitlab = forges.fake, forges.received, forges.gitlab


def check_of(head: str, conclusion: str | None = "action_required", title: str = "HELD") -> Check:
    return Check("key", head, conclusion, title, "", "", "https://gate.example/1")  # type: ignore[arg-type]


def head_of(fake: FakeForge) -> str:
    return fake.world.projects[SLUG].pulls[1].head


def test_a_merge_request_is_read_as_it_is_now(fake: FakeForge, gitlab: GitLabForge, tmp_path: Path) -> None:
    forge: Forge = gitlab
    number = fake.do.open_pull(SLUG, "feature", "Raise it", body="why")
    pull = forge.pull(SLUG, number)
    tip = fake.world.projects[SLUG].tip
    assert (pull.head, pull.base, pull.state, pull.author) == (tip("feature"), tip("main"), "open", "alice")
    assert (pull.ref, pull.opened_at[-8:]) == ("refs/merge-requests/1/head", ".000000Z")
    document = tmp_path / "merge.json"
    document.write_bytes(pull.document)
    read = read_event(document)
    assert (read.forge, read.head, read.repository) == ("gitlab", pull.head, SLUG)
    assert [one.number for one in forge.open_pulls(SLUG)] == [number]
    assert forge.pulls_of(SLUG, pull.head) == (number,)
    fake.do.merge(SLUG, number)
    assert forge.pull(SLUG, number).state == "merged"
    assert forge.open_pulls(SLUG) == ()
    assert forge.branch(SLUG, "main") == tip("main")
    assert forge.branch(SLUG, "no/such") == ""
    assert [found.slug for found in forge.repositories()] == [SLUG]
    assert forge.repository(SLUG).url == f"{fake.url}/{SLUG}.git"


def test_approvals_are_bound_to_the_head_that_was_there(fake: FakeForge, gitlab: GitLabForge, tmp_path: Path) -> None:
    moments = count(1_790_000_000, 10)
    fake.world.clock = lambda: float(next(moments))
    number = fake.do.open_pull(SLUG, "feature", "One")
    fake.do.review(SLUG, number, "bob")
    document = tmp_path / "approvals.json"
    document.write_bytes(gitlab.reviews(SLUG, number))
    (review,) = read_reviews(document).reviews
    assert (review.account, review.state, review.commit) == ("bob", "approved", head_of(fake))


def test_a_status_is_there_once(fake: FakeForge, gitlab: GitLabForge) -> None:
    """GitLab refuses a state that is already there; it is never sent."""
    fake.do.open_pull(SLUG, "feature", "One")
    head = head_of(fake)
    for conclusion, state in ((None, "running"), ("action_required", "failed"), ("success", "success")):
        first = gitlab.put_check(SLUG, check_of(head, conclusion), None)
        assert gitlab.put_check(SLUG, check_of(head, conclusion), first) == first
        assert fake.world.projects[SLUG].statuses[-1].state == state
    gitlab.put_check(SLUG, check_of(head, title="t" * 999), None)
    assert len(fake.world.projects[SLUG].statuses) == 4
    waiting = gitlab.put_check(SLUG, check_of(head, None, "soon"), None)
    assert gitlab.put_check(SLUG, check_of(head, None, "later"), waiting) == waiting
    fake.world.projects[SLUG].statuses.pop()
    assert len(fake.world.projects[SLUG].statuses) == 4
    assert len(fake.world.projects[SLUG].statuses[-1].description or "") == 255


def test_a_forged_status_is_named_and_overwritten(fake: FakeForge, gitlab: GitLabForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    head = head_of(fake)
    assert gitlab.forged(SLUG, head) == ()
    fake.do.post_status(SLUG, head, "mallory")
    for _ in range(2):
        assert gitlab.forged(SLUG, head) == ("a status by mallory (success)",)
        newest = fake.world.projects[SLUG].statuses[-1]
        assert (newest.user.login, newest.state) == ("gatebot", "failed")
    gitlab.put_check(SLUG, check_of(head, "success"), None)
    fake.do.post_status(SLUG, head, "mallory", "failed")
    assert len(gitlab.forged(SLUG, head)) == 2
    newest = fake.world.projects[SLUG].statuses[-1]
    assert (newest.user.login, newest.state) == ("gatebot", "success")


def test_there_is_one_note_of_ours(fake: FakeForge, gitlab: GitLabForge) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    for n in range(130):
        fake.do.comment(SLUG, number, "bob", f"{MARKER}\n{n}")
    first = gitlab.put_comment(SLUG, number, f"{MARKER}\nheld")
    fake.do.comment(SLUG, number, "gatebot", f"{MARKER}\ndouble")
    assert gitlab.put_comment(SLUG, number, f"{MARKER}\npassed") == first
    assert gitlab.put_comment(SLUG, number, f"{MARKER}\npassed") == first
    notes = fake.world.projects[SLUG].pulls[number].comments
    assert [note.body for note in notes if note.user.login == "gatebot"] == [f"{MARKER}\npassed"]
    assert len(notes) == 131


def test_a_clone_carries_the_token_in_a_header(fake: FakeForge, gitlab: GitLabForge) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    found = gitlab.clone(SLUG)
    command = ["git", "-c", f"http.extraHeader={found.header}", "ls-remote", found.url]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"{head_of(fake)}\trefs/merge-requests/1/head" in listed


def test_what_gitlab_sends_is_understood(
    fake: FakeForge, gitlab: GitLabForge, received: Callable[[], list[Message]]
) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    fake.do.review(SLUG, number, "bob")
    fake.do.comment(SLUG, number, "bob", "nice")
    fake.do.merge(SLUG, number)
    fake.hooks.settle()
    found = [gitlab.open(headers, body) for headers, body in received() if "x-gitlab-event" in headers]
    assert [(one.event, one.action) for one in found if isinstance(one, Delivery)] == [
        ("pull", "open"),
        ("review", "approved"),
        ("other", "note"),
        ("pull", "merge"),
        ("push", ""),
    ]


def test_what_was_not_delivered_is_sent_again_where_the_bot_may_read_it(
    fake: FakeForge, gitlab: GitLabForge, received: Callable[[], list[Message]]
) -> None:
    fake.hook("http://127.0.0.1:9/elsewhere", "another", "gitlab")
    fake.hooks.targets.pop()  # another's hook of the same project would not be ours to read
    fake.hooks.plan.extend(("drop",) * 20)
    number = fake.do.open_pull(SLUG, "feature", "One")
    fake.hooks.settle()
    assert gitlab.missed("") == (), "a bot that is no maintainer is told nothing"
    fake.world.maintained.add(SLUG)
    (lost,) = gitlab.missed("")
    fake.hooks.plan.clear()
    gitlab.send_again(lost)
    fake.hooks.settle()
    again = [gitlab.open(headers, body) for headers, body in received() if "x-gitlab-event" in headers]
    assert [(one.id, one.event, one.pull) for one in again if isinstance(one, Delivery)] == [(lost.id, "pull", number)]
    assert gitlab.missed("") == (), "it arrived"


def test_what_nobody_takes_is_not_sent_for_ever(
    fake: FakeForge, gitlab: GitLabForge, received: Callable[[], list[Message]]
) -> None:
    fake.world.maintained.add(SLUG)
    fake.hooks.targets[:] = [replace(one, url="http://127.0.0.1:9/hooks/gitlab") for one in fake.hooks.targets]
    for title in "1234567":
        fake.do.open_pull(SLUG, "feature", title)
    fake.hooks.settle()
    asked = 0
    while lost := gitlab.missed(""):
        assert len(lost) <= 5
        asked += len(lost)
        for each in lost:
            gitlab.send_again(each)
        fake.hooks.settle()
    assert asked == 7 * 2
    assert received() == []


def test_what_is_no_event_is_not_asked_for(gitlab: GitLabForge) -> None:
    for place in ("1", "a/b!1", "a/b!1!x", "../b!1!2", "a/b!1!2/../../3"):
        with pytest.raises(ForgeError):
            gitlab.send_again(Missed("a", place, "pull", ""))


@pytest.mark.parametrize(("status", "expected"), [("fresh", True), ("merging", True), ("merged", False), ("", False)])
def test_whether_a_merge_train_holds_it(fake: FakeForge, gitlab: GitLabForge, status: str, expected: bool) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    if status:
        fake.world.trains[SLUG] = {number: status}
    assert gitlab.pull(SLUG, number).merge_queue is expected


def test_open_merge_requests_come_in_pages_and_one_that_is_not_prepared_hides_no_other(
    fake: FakeForge, gitlab: GitLabForge
) -> None:
    numbers = [fake.do.open_pull(SLUG, "feature", str(n)) for n in range(103)]
    fake.world.projects[SLUG].pulls[numbers[7]].unprepared = True
    assert [one.number for one in gitlab.open_pulls(SLUG)] == [*numbers[:7], *numbers[8:]]
    with pytest.raises(ForgeError, match="not prepared") as caught:
        gitlab.pull(SLUG, numbers[7])
    assert caught.value.retry_after


def test_names_that_lead_elsewhere_are_never_asked_for(fake: FakeForge, gitlab: GitLabForge) -> None:
    for slug in ("..", "a", "a/..", "a/b?c", "a/b#c", "a/%2e%2e", "a//b", "/".join("a" * 22)):
        with pytest.raises(ForgeError, match="no name of a repository"):
            gitlab.pull(slug, 1)
    assert not fake.world.asked


@pytest.mark.parametrize("kind", ["502", "redirect", "garbage", "primary", "expired"])
def test_a_forge_in_trouble_ends_in_an_error(fake: FakeForge, gitlab: GitLabForge, kind: str) -> None:
    fake.do.open_pull(SLUG, "feature", "One")
    fake.fail(kind, 9)
    with pytest.raises(ForgeError) as caught:
        gitlab.pull(SLUG, 1)
    assert (caught.value.retry_after is not None) is (kind in ("502", "primary"))
