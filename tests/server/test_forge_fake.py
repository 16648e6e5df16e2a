"""The forge on loopback is as strict as it says: where it were not, tests against it would prove little."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest
from demo.forge import FakeForge
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.server import forges
from tests.server.forges import SLUG

app_key, source, running, fake = forges.app_key, forges.source, forges.running, forges.fake


def installation(fake: FakeForge) -> dict[str, str]:
    """The header of an App on the repository's owner."""
    token = fake.world.installation_token(fake.app, "octo", None, {})
    return {"authorization": f"Bearer {token.text}"}


def run_body(head: str, **output: Any) -> dict[str, Any]:
    return {
        "name": "tidegate",
        "head_sha": head,
        "status": "completed",
        "conclusion": "success",
        "output": {"title": "t", "summary": "s", **output},
    }


def note(number: int) -> dict[str, Any]:
    return {
        "path": "a.py",
        "start_line": number,
        "end_line": number,
        "annotation_level": "notice",
        "message": "m",
    }


@pytest.mark.parametrize(
    ("output", "status"),
    [
        ({"annotations": [note(n + 1) for n in range(50)]}, 201),
        ({"annotations": [note(n + 1) for n in range(51)]}, 422),
        ({"text": "x" * 65_535}, 201),
        ({"text": "x" * 65_536}, 422),
        ({"summary": "x" * 65_536}, 422),
        ({"title": ""}, 422),
        ({"annotations": [{**note(5), "end_line": 4}]}, 422),
        ({"annotations": [{**note(5), "annotation_level": "error"}]}, 422),
    ],
)
def test_a_check_run_keeps_to_the_limits(fake: FakeForge, output: dict[str, Any], status: int) -> None:
    head = fake.world.projects[SLUG].tip("feature")
    url = f"{fake.github_api}/repos/{SLUG}/check-runs"
    assert httpx2.post(url, json=run_body(head, **output), headers=installation(fake)).status_code == status


@pytest.mark.parametrize(("length", "status"), [(140, 201), (141, 422)])
def test_a_status_keeps_to_the_limits(fake: FakeForge, length: int, status: int) -> None:
    url = f"{fake.github_api}/repos/{SLUG}/statuses/{fake.world.projects[SLUG].tip('feature')}"
    body = {"state": "success", "description": "x" * length}
    assert httpx2.post(url, json=body, headers=installation(fake)).status_code == status


@pytest.mark.parametrize(("length", "status"), [(65_536, 201), (65_537, 422), (0, 422)])
def test_a_comment_keeps_to_the_limits(fake: FakeForge, length: int, status: int) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    url = f"{fake.github_api}/repos/{SLUG}/issues/{number}/comments"
    assert httpx2.post(url, json={"body": "x" * length}, headers=installation(fake)).status_code == status


def test_a_person_makes_no_check_run_and_an_app_changes_only_its_own(fake: FakeForge) -> None:
    head = fake.world.projects[SLUG].tip("feature")
    url = f"{fake.github_api}/repos/{SLUG}/check-runs"
    person = {"authorization": f"token {fake.world.give_token('bob').text}"}
    assert httpx2.post(url, json=run_body(head), headers=person).status_code == 403
    other = fake.do.post_run(SLUG, head, "github-actions")
    assert httpx2.patch(f"{url}/{other}", json=run_body(head), headers=installation(fake)).status_code == 403
    assert httpx2.post(url, json=run_body("0" * 39 + "1"), headers=installation(fake)).status_code == 422


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"exp": 700}, 401),
        ({"exp": -1}, 401),
        ({"iat": 60}, 401),
        ({"iss": "12"}, 401),
    ],
)
def test_a_jwt_is_judged_as_github_does(fake: FakeForge, claims: dict[str, Any], status: int) -> None:
    now = int(time.time())
    given = {
        "iat": now + claims.get("iat", -60),
        "exp": now + claims.get("exp", 540),
        "iss": claims.get("iss", str(fake.app.id)),
    }
    for key, expected in ((fake.app.key, status), (RSAKey.generate_key(2048, private=True), 401)):
        token = jwt.encode({"alg": "RS256"}, given, key)
        headers = {"authorization": f"Bearer {token}"}
        assert httpx2.get(f"{fake.github_api}/app", headers=headers).status_code == expected


def test_who_may_not_is_told_so(fake: FakeForge) -> None:
    url = f"{fake.github_api}/repos/{SLUG}"
    assert httpx2.get(url).status_code == 401
    assert httpx2.get(url, headers={"authorization": "Bearer ghs_wrong"}).status_code == 401
    token = fake.world.installation_token(fake.app, "octo", None, {"metadata": "read"})
    headers = {"authorization": f"Bearer {token.text}"}
    assert httpx2.get(f"{url}/pulls", headers=headers).status_code == 403
    assert httpx2.get(f"{fake.github_api}/repos/octo/other", headers=headers).status_code == 404
    token.ends = 0.0
    assert httpx2.get(url, headers=headers).status_code == 401
    assert httpx2.get(f"{fake.url}/{SLUG}.git/info/refs?service=git-upload-pack").status_code == 401


def test_lists_have_thirty_entries_and_a_hundred_at_most(fake: FakeForge) -> None:
    number = fake.do.open_pull(SLUG, "feature", "One")
    for n in range(130):
        fake.do.comment(SLUG, number, "bob", str(n))
    url = f"{fake.github_api}/repos/{SLUG}/issues/{number}/comments"
    headers = installation(fake)
    first = httpx2.get(url, headers=headers)
    most = httpx2.get(f"{url}?per_page=1000", headers=headers)
    assert (len(first.json()), len(most.json())) == (30, 100)
    following = most.headers["link"].partition(">")[0].strip("<")
    last = httpx2.get(following, headers=headers)
    assert len(last.json()) == 30
    assert "link" not in last.headers


def test_the_rate_is_limited_and_said(fake: FakeForge) -> None:
    fake.world.hourly = 3
    headers = installation(fake)
    answers = [httpx2.get(f"{fake.github_api}/repos/{SLUG}", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]


def test_a_delivery_is_kept_for_three_days(fake: FakeForge) -> None:
    clock = [1_790_000_000.0]
    fake.world.clock = lambda: clock[0]
    fake.hook("http://127.0.0.1:9/hooks/github", "s" * 20)
    fake.do.open_pull(SLUG, "feature", "One")
    fake.hooks.settle()
    (sent,) = fake.hooks.kept()
    assert sent.code == 0
    assert fake.hooks.send_again(sent.id)
    fake.hooks.settle()
    assert [(one.guid, one.redelivery) for one in fake.hooks.kept()] == [(sent.guid, True), (sent.guid, False)]
    clock[0] += 3 * 24 * 3600 + 1
    assert fake.hooks.kept() == []
    assert not fake.hooks.send_again(sent.id)
