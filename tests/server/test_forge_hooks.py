"""Messages of both forges: authentic or refused, and what the authentic ones are about."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from demo.forge import FakeForge
from demo.forge.hooks import github_headers, gitlab_headers
from hypothesis import given
from hypothesis import strategies as st

from tests.server import forges
from tests.server.forges import SECRET, SLUG, Message
from tidegate.errors import InputError
from tidegate.server.config import Config, GitHub, GitLab, Secrets
from tidegate.server.forge.configured import forges_of
from tidegate.server.forge.github import GitHubForge
from tidegate.server.forge.github_hooks import open_github
from tidegate.server.forge.gitlab import GitLabForge
from tidegate.server.forge.gitlab_hooks import open_gitlab
from tidegate.server.forge.values import Delivery, Refusal

app_key, source, running = forges.app_key, forges.source, forges.running
fake, received = forges.fake, forges.received
github, by_token, gitlab = forges.github, forges.by_token, forges.gitlab

NEW, OLD = SECRET.encode(), b"the secret of last year"
SHA = "92a7daf26d94c9e4b0b5e74990f4c97a44a6f5e2"
SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOW = 1_790_000_000.0
PULL = {"number": 7, "head": {"sha": SHA}}


def body_of(**fields: object) -> bytes:
    return json.dumps({"repository": {"full_name": SLUG}, **fields}).encode()


def opened(event: str, body: bytes, **changes: str) -> Delivery | Refusal:
    headers = {**github_headers(event, "guid-1", body, SECRET), **changes}
    return open_github(headers, body, (NEW, OLD), lambda app: app == "15")


# GitHub


def test_either_secret_opens_and_no_other() -> None:
    body = body_of(action="opened", pull_request=PULL)
    for secret, good in ((NEW, True), (OLD, True), (b"another secret of twenty", False), (b"", False)):
        headers = github_headers("pull_request", "guid-1", body, secret.decode())
        found = open_github(headers, body, (NEW, OLD), bool)
        assert isinstance(found, Delivery) is good
        if isinstance(found, Refusal):
            assert found.status == 401
    assert open_github(github_headers("push", "g", body, ""), body, (), bool) == Refusal(
        401, "the message is not signed by a secret of this service"
    )


def test_the_published_example_of_a_signature_holds() -> None:
    """docs.github.com, "Validating webhook deliveries": testing the webhook payload validation."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Event": "ping", "X-GitHub-Delivery": "1"}
    found = open_github(headers, b"Hello, World!", (b"It's a Secret to Everybody",), bool)
    assert isinstance(found, Refusal)
    assert found.status == 400, "authentic, and no JSON"


def test_ten_thousand_forgeries_open_nothing() -> None:
    """Bits of the body and of the signature turned, signatures of other bodies, other secrets, other forms."""
    chance = random.Random(7)
    body = body_of(action="opened", pull_request=PULL)
    good = github_headers("pull_request", "guid-1", body, SECRET)
    name = "x-hub-signature-256"
    for number in range(10_000):
        headers, sent = dict(good), bytearray(body)
        match number % 5:
            case 0:
                sent[chance.randrange(len(sent))] ^= 1 << chance.randrange(8)
            case 1:
                place = chance.randrange(7, 71)
                wrong = chance.choice([one for one in "0123456789abcdef" if one != good[name][place]])
                headers[name] = good[name][:place] + wrong + good[name][place + 1 :]
            case 2:
                headers[name] = good[name][: chance.randrange(71)]
            case 3:
                headers = github_headers("pull_request", "guid-1", body + b" ", SECRET)
            case _:
                headers = github_headers("pull_request", "guid-1", body, f"guess {number}")
        found = open_github(headers, bytes(sent), (NEW, OLD), bool)
        assert isinstance(found, Refusal)
        assert found.status == 401


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha1=" + "0" * 40,
        "é" * 71,
        "\ud800",
        "sha256=" + "é" * 64,
        "SHA256=" + "0" * 64,
        "\x00",
        "=" * 9999,
    ],
)
def test_a_strange_signature_is_refused_and_raises_nothing(signature: str) -> None:
    found = opened("push", body_of(), **{"x-hub-signature-256": signature})
    assert isinstance(found, Refusal)
    assert found.status == 401


def test_headers_have_no_case_and_more_may_be_there() -> None:
    body = body_of(action="opened", pull_request=PULL)
    headers = {name.title(): value for name, value in github_headers("pull_request", "guid-1", body, SECRET).items()}
    assert isinstance(open_github({"X-Hub-Signature": "x", **headers}, body, (NEW,), bool), Delivery)


@pytest.mark.parametrize("name", ["x-github-delivery", "x-github-event"])
@pytest.mark.parametrize("value", ["", "é", "a b", "a\r\nb", "x" * 201, "\ud800", "../x"])
def test_an_id_that_is_none_is_refused(name: str, value: str) -> None:
    found = opened("push", body_of(ref="refs/heads/main", after=SHA), **{name: value})
    assert isinstance(found, Refusal)
    assert found.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"payload=%7B%7D",
        b'{"action": NaN}',
        b'{"action": "\xff\xfe"}',
        b"[" * 1_000_000,
        b'{"repository":' * 100_000,
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"repository": {"full_name": "../../etc"}}',
        b'{"repository": {"full_name": "a/b\\u0000"}}',
        b'{"repository": {"full_name": "a/../b"}}',
        b'{"repository": {"full_name": 7}}',
        b'{"pull_request": {"number": "7"}}',
        b'{"pull_request": {"number": 1e400}}',
        b"{} {}",
    ],
)
def test_an_authentic_body_that_is_none_is_refused(body: bytes) -> None:
    found = opened("pull_request", body)
    assert isinstance(found, Refusal) or found.event == "other"
    if isinstance(found, Refusal):
        assert found.status == 400
        assert "Traceback" not in found.problem


def test_one_key_twice_is_only_a_hint_twice() -> None:
    body = b'{"repository":{"full_name":"a/b"},"repository":{"full_name":"octo/shop"},"ref":"refs/heads/x","after":"0"}'
    found = opened("push", body)
    assert isinstance(found, Delivery)
    assert (found.slug, found.commit) == (SLUG, "")


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=30), st.text(max_size=80), max_size=5))
def test_nothing_raises_on_whatever_comes(body: bytes, headers: dict[str, str]) -> None:
    assert isinstance(open_github(headers, body, (NEW, OLD), bool), Refusal)
    assert isinstance(open_gitlab(headers, body, (NEW, SIGNING.encode()), NOW), Refusal)
    signed = {**headers, **github_headers("push", "g", body, SECRET)}
    assert isinstance(open_github(signed, body, (NEW,), bool), Delivery | Refusal)


@pytest.mark.parametrize(
    ("event", "fields", "expected"),
    [
        ("pull_request", {"action": "opened", "pull_request": PULL}, ("pull", "opened", 7, SHA)),
        ("pull_request", {"action": "opened"}, ("other", "pull_request", 0, "")),
        ("pull_request", {"action": "x", "pull_request": {"number": -1}}, ("other", "pull_request", 0, "")),
        ("pull_request", {"action": "x", "pull_request": {"number": 1 << 40}}, ("other", "pull_request", 0, "")),
        ("pull_request_review", {"action": "submitted", "pull_request": PULL}, ("review", "submitted", 7, SHA)),
        ("push", {"ref": "refs/heads/main", "after": SHA}, ("push", "", 0, SHA)),
        ("push", {"ref": "refs/heads/gone", "after": "0" * 40}, ("push", "", 0, "")),
        ("check_suite", {"action": "rerequested", "check_suite": {"head_sha": SHA}}, ("again", "rerequested", 0, SHA)),
        ("check_suite", {"action": "completed", "check_suite": {"head_sha": SHA}}, ("other", "check_suite", 0, "")),
        ("status", {"context": "tidegate", "sha": SHA}, ("claim", "", 0, SHA)),
        ("status", {"context": "ci/build", "sha": SHA}, ("other", "status", 0, "")),
        ("installation", {"action": "created"}, ("installation", "created", 0, "")),
        ("installation_repositories", {"action": "added"}, ("installation", "added", 0, "")),
        ("issue_comment", {"action": "created"}, ("other", "issue_comment", 0, "")),
        ("ping", {"zen": "Keep it logically awesome."}, ("other", "ping", 0, "")),
        ("never_heard_of", {}, ("other", "never_heard_of", 0, "")),
    ],
)
def test_what_a_message_is_about(event: str, fields: Mapping[str, Any], expected: tuple[str, str, int, str]) -> None:
    found = opened(event, body_of(**fields))
    assert isinstance(found, Delivery)
    assert (found.event, found.action, found.pull, found.commit) == expected
    assert (found.id, found.slug) == ("guid-1", SLUG)


def test_a_check_run_of_our_name_is_a_claim_unless_it_is_ours() -> None:
    run = {"head_sha": SHA, "name": "tidegate", "pull_requests": [{"number": 7}]}
    for app, action, expected in (
        ({"id": 15}, "rerequested", "again"),
        ({"id": 9, "client_id": "15"}, "rerequested", "again"),
        ({"id": 15}, "completed", "other"),
        ({"id": 9}, "completed", "claim"),
        ({"id": 9, "client_id": "15"}, "completed", "other"),
        (None, "created", "claim"),
    ):
        found = opened("check_run", body_of(action=action, check_run={**run, "app": app}))
        assert isinstance(found, Delivery)
        assert found.event == expected
        assert found.pull == (7 if expected == "again" else 0)


def test_a_merge_queue_says_its_ends() -> None:
    ref = f"refs/heads/gh-readonly-queue/main/pr-104-{SHA}"
    group = {"head_sha": SHA, "head_ref": ref, "base_sha": "a" * 40, "base_ref": "refs/heads/main"}
    found = opened("merge_group", body_of(action="checks_requested", merge_group=group))
    assert isinstance(found, Delivery)
    assert (found.event, found.commit, found.base, found.ref) == ("group", SHA, "a" * 40, ref)


@pytest.mark.parametrize(
    "ref", ["main", "refs/heads/../x", "refs/heads/a\x00", "refs/heads/\x1b[31m", "refs/" + "x" * 9999]
)
def test_a_ref_that_is_none_is_left_out(ref: str) -> None:
    found = opened("push", body_of(ref=ref, after=SHA))
    assert isinstance(found, Delivery)
    assert found.ref == ""


def test_what_the_forge_sends_is_understood(
    fake: FakeForge, github: GitHubForge, by_token: GitHubForge, received: Callable[[], list[Message]]
) -> None:
    """Everything that people do there, as it arrives; our own runs and comments are nothing to act on."""
    number = fake.do.open_pull(SLUG, "feature", "One")
    fake.do.review(SLUG, number, "bob")
    fake.do.comment(SLUG, number, "bob", "nice")
    head = fake.world.projects[SLUG].pulls[number].head
    run = fake.do.post_run(SLUG, head, fake.app.slug)
    fake.do.rerequest(SLUG, run)
    fake.do.post_run(SLUG, head, "github-actions")
    fake.do.post_status(SLUG, head, "mallory")
    fake.do.queue(SLUG, number)
    fake.do.merge(SLUG, number)
    fake.hooks.settle()
    found = [github.open(headers, body) for headers, body in received() if "x-github-event" in headers]
    assert all(isinstance(one, Delivery) and one.slug == SLUG for one in found)
    assert [one.event for one in found if isinstance(one, Delivery)] == (
        "pull review other other again claim claim group pull push".split()
    )


# GitLab


def merge(action: str = "update") -> bytes:
    attributes = {"iid": 9, "action": action, "last_commit": {"id": SHA}}
    project = {"path_with_namespace": "group/sub/shop"}
    return json.dumps({"object_kind": "merge_request", "project": project, "object_attributes": attributes}).encode()


def test_a_token_is_compared_and_a_signature_computed() -> None:
    body = merge()
    for secret, good in ((SECRET, True), (SIGNING, True), ("another secret of twenty", False), ("", False)):
        headers = gitlab_headers("Merge Request Hook", "id-1", body, secret, str(int(NOW)))
        found = open_gitlab(headers, body, (NEW, SIGNING.encode()), NOW)
        assert isinstance(found, Delivery) is good, secret
        if isinstance(found, Delivery):
            assert (found.id, found.event, found.slug, found.pull, found.commit) == (
                "id-1",
                "pull",
                "group/sub/shop",
                9,
                SHA,
            )


def test_a_signing_token_is_never_a_password() -> None:
    """Where only a signing token is configured, sending its text proves nothing."""
    body = merge()
    headers = {**gitlab_headers("Merge Request Hook", "id-1", body, SECRET, "1"), "x-gitlab-token": SIGNING}
    assert isinstance(open_gitlab(headers, body, (SIGNING.encode(),), NOW), Refusal)


@pytest.mark.parametrize(
    "changed", ["body", "webhook-id", "webhook-timestamp", "webhook-signature", "late", "early", "old"]
)
def test_a_signed_message_is_changed_in_nothing(changed: str) -> None:
    body, at = merge(), str(int(NOW))
    headers = gitlab_headers("Merge Request Hook", "id-1", body, SIGNING, at)
    now = {"late": NOW + 301, "early": NOW - 301}.get(changed, NOW)
    match changed:
        case "body":
            body += b" "
        case "old":
            headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v0,")
        case "late" | "early":
            pass
        case _:
            headers[changed] = headers[changed][:-1] + ("1" if headers[changed][-1] != "1" else "2")
    found = open_gitlab(headers, body, (SIGNING.encode(),), now)
    assert isinstance(found, Refusal)
    assert found.status == 401


def test_one_good_signature_among_several_is_enough() -> None:
    body = merge()
    headers = gitlab_headers("Merge Request Hook", "id-1", body, SIGNING, str(int(NOW)))
    headers["webhook-signature"] = f"v1,{'A' * 44} {headers['webhook-signature']}"
    assert isinstance(open_gitlab(headers, body, (SIGNING.encode(),), NOW), Delivery)


@pytest.mark.parametrize(
    ("action", "event"),
    [("open", "pull"), ("update", "pull"), ("merge", "pull"), ("approved", "review"), ("unapproved", "review")],
)
def test_what_a_merge_request_event_is_about(action: str, event: str) -> None:
    body = merge(action)
    found = open_gitlab(gitlab_headers("Merge Request Hook", "id-1", body, SECRET, "1"), body, (NEW,), NOW)
    assert isinstance(found, Delivery)
    assert (found.event, found.action) == (event, action)


def test_what_other_events_of_gitlab_are_about() -> None:
    project = {"path_with_namespace": "group/shop"}
    pipeline = {"object_kind": "pipeline", "project": project, "object_attributes": {"sha": SHA}}
    for payload, event in (
        ({"object_kind": "push", "project": project, "ref": "refs/heads/main", "after": SHA}, "push"),
        ({**pipeline, "builds": [{"name": "tidegate"}]}, "claim"),
        ({**pipeline, "builds": [{"name": "test"}]}, "other"),
        ({"object_kind": "note", "project": project, "object_attributes": {}}, "other"),
        ({"object_kind": "tag_push", "project": project}, "other"),
        ({"event_name": "user_create"}, "other"),
    ):
        body = json.dumps(payload).encode()
        found = open_gitlab(gitlab_headers("Hook", "id-1", body, SECRET, "1"), body, (NEW,), NOW)
        assert isinstance(found, Delivery)
        assert found.event == event


# The set-up


def test_a_set_up_names_its_forges(tmp_path: Path) -> None:
    hooks = Secrets((NEW,))
    token = Secrets((b"t" * 20,))
    config = Config(
        data=tmp_path,
        database="",
        github=GitHub(token=token, hooks=hooks),
        gitlab=GitLab(api="https://gitlab.example", token=token, hooks=hooks),
    )
    found = forges_of(config)
    assert sorted(found) == ["github", "gitlab"]
    assert found["github"].clone(SLUG).url == "https://github.com/octo/shop.git"
    assert found["gitlab"].clone("group/sub/shop").url == "https://gitlab.example/group/sub/shop.git"
    for forge in found.values():
        forge.close()
    assert forges_of(Config(data=tmp_path, database="")) == {}


def test_a_set_up_without_a_credential_is_refused(tmp_path: Path) -> None:
    hooks = Secrets((NEW,))
    for settings in ({"github": GitHub(hooks=hooks)}, {"gitlab": GitLab(api="https://gitlab.example", hooks=hooks)}):
        with pytest.raises(InputError):
            forges_of(Config(data=tmp_path, database="", **settings))  # type: ignore[arg-type]
    broken = GitLab(api="https://gitlab.example", token=Secrets((b"t" * 20,)), hooks=Secrets((b"whsec_no base64!!",)))
    with pytest.raises(InputError, match="no base64"):
        GitLabForge(broken)


@pytest.mark.parametrize(
    "api", ["ftp://x", "https://", "https://user:pw@host", "https://host/?x=1", "file:///etc", "x"]
)
def test_an_api_that_is_no_address_is_refused(api: str) -> None:
    with pytest.raises(InputError, match="no address"):
        closing(GitHubForge(GitHub(api=api, token=Secrets((b"t" * 20,)))))
