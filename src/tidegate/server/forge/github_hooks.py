"""GitHub's webhooks: authentic first, read afterwards.

https://docs.github.com/en/webhooks/webhook-events-and-payloads and "Validating webhook deliveries". The signature is
over the body alone: the headers that say which event it is and which delivery are hints like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from tidegate.server.forge.messages import FORGED, About, header, is_one_of, is_slug, mac, message_id, parse, possible
from tidegate.server.forge.values import NAME, Delivery, Refusal


def open_github(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], is_ours: Callable[[str], bool]
) -> Delivery | Refusal:
    """The message, where one of the secrets signed these very bytes. `is_ours` knows the App by its id."""
    expected = [b"sha256=" + mac(secret, body).hexdigest().encode() for secret in secrets]
    if not is_one_of(header(headers, "x-hub-signature-256"), expected):
        return FORGED
    identifier = message_id(header(headers, "x-github-delivery"))
    event = message_id(header(headers, "x-github-event"))
    if not identifier or not event:
        return Refusal(400, "the message has no X-GitHub-Delivery or no X-GitHub-Event")
    payload = parse(body, _Payload)
    if isinstance(payload, Refusal):
        return payload
    slug = payload.repository.full_name if payload.repository else ""
    if slug and not is_slug(slug):
        return Refusal(400, "the message is about no repository that could be")
    about = _about(event, payload, is_ours)
    if about.event not in ("installation", "other") and not slug:
        return Refusal(400, "the message says no repository")
    return about.told(identifier, slug, event if about.event == "other" else payload.action)


# Private


class _Repository(Struct):
    full_name: str = ""


class _End(Struct, frozen=True):
    sha: str = ""


class _Pull(Struct):
    number: int
    head: _End = _End()


class _Group(Struct):
    head_sha: str
    head_ref: str
    base_sha: str = ""


class _App(Struct):
    id: int = 0
    client_id: str | None = None


class _Run(Struct):
    head_sha: str
    name: str = ""
    app: _App | None = None
    pull_requests: list[_Pull] = []


class _Suite(Struct):
    head_sha: str
    pull_requests: list[_Pull] = []


class _Payload(Struct):
    action: str = ""
    repository: _Repository | None = None
    pull_request: _Pull | None = None
    merge_group: _Group | None = None
    check_run: _Run | None = None
    check_suite: _Suite | None = None
    ref: str | None = None
    after: str | None = None
    sha: str | None = None
    context: str | None = None


def _about(event: str, payload: _Payload, is_ours: Callable[[str], bool]) -> About:
    found = About()
    match event:
        case "pull_request" | "pull_request_review" if payload.pull_request is not None:
            pull = payload.pull_request
            found = About("pull" if event == "pull_request" else "review", pull.number, pull.head.sha)
        case "push":
            found = About("push", commit=payload.after, ref=payload.ref)
        case "merge_group" if payload.merge_group is not None:
            group = payload.merge_group
            found = About("group", commit=group.head_sha, ref=group.head_ref, base=group.base_sha)
        case "check_run" if payload.check_run is not None:
            found = _of_run(payload.action, payload.check_run, is_ours)
        case "check_suite" if payload.check_suite is not None and payload.action == "rerequested":
            suite = payload.check_suite
            found = About("again", _only(suite.pull_requests), suite.head_sha)
        case "status" if payload.context == NAME:
            found = About("claim", commit=payload.sha)
        case "installation" | "installation_repositories" | "repository":
            found = About("installation")
    return possible(found)


def _of_run(action: str, run: _Run, is_ours: Callable[[str], bool]) -> About:
    """Only the App whose run it is hears that somebody wants it again."""
    if action == "rerequested":
        return About("again", _only(run.pull_requests), run.head_sha)
    app = run.app or _App()
    if is_ours(str(app.id)) or (app.client_id is not None and is_ours(app.client_id)):
        return About()
    return About("claim", commit=run.head_sha) if run.name == NAME else About()


def _only(pulls: Sequence[_Pull]) -> int:
    """The number where there is just one: of a fork GitHub lists none, and of several it could be any."""
    return pulls[0].number if len(pulls) == 1 else 0
