"""GitLab's webhooks: authentic first, read afterwards.

https://docs.gitlab.com/user/project/integrations/webhooks/ and webhook_events/. A secret that begins with `whsec_` is a
signing token: HMAC-SHA256 over `webhook-id.webhook-timestamp.body` as Standard Webhooks has it, and only that counts.
Any other secret is sent as it is in X-Gitlab-Token, which says who sends and nothing of what was sent.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.server.forge.messages import FORGED, About, header, is_one_of, is_slug, mac, message_id, parse, possible
from tidegate.server.forge.values import NAME, Delivery, Event, Refusal

SIGNING = b"whsec_"
TOLERANCE_SECONDS = 300
_MOST_SIGNATURES = 10


def open_gitlab(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> Delivery | Refusal:
    """The message, where its sender proved to hold one of the secrets. `now` in seconds of the epoch."""
    if not (_is_signed(headers, body, secrets, now) or _has_token(headers, secrets)):
        return FORGED
    names = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")
    identifier = next((found for name in names if (found := message_id(header(headers, name)))), "")
    if not identifier:
        return Refusal(400, "the message has neither webhook-id nor Idempotency-Key nor X-Gitlab-Event-UUID")
    payload = parse(body, _Payload)
    if isinstance(payload, Refusal):
        return payload
    slug = payload.project.path_with_namespace if payload.project else ""
    if slug and not is_slug(slug, deep=True):
        return Refusal(400, "the message is about no project that could be")
    about = _about(payload)
    if about.event != "other" and not slug:
        return Refusal(400, "the message says no project")
    kind = payload.object_kind or payload.event_name
    action = payload.object_attributes.action if payload.object_attributes else ""
    word = kind if about.event == "other" else action or ""
    return about.told(identifier, slug, word)


def signing_key(secret: bytes) -> bytes:
    """The key of a signing token; b"" for what is none."""
    if not secret.startswith(SIGNING):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(SIGNING), validate=True)
    except (binascii.Error, ValueError):
        return b""


# Private


class _Project(Struct):
    path_with_namespace: str = ""


class _Commit(Struct):
    id: str = ""


class _Attributes(Struct):
    iid: int | None = None
    action: str | None = None
    sha: str | None = None
    last_commit: _Commit | None = None


class _Build(Struct):
    name: str = ""


class _Payload(Struct):
    object_kind: str = ""
    event_name: str = ""
    project: _Project | None = None
    object_attributes: _Attributes | None = None
    builds: list[_Build] = []
    ref: str | None = None
    after: str | None = None


_REVIEWS = frozenset(("approved", "approval", "unapproved", "unapproval"))


def _is_signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> bool:
    at, identifier = header(headers, "webhook-timestamp"), header(headers, "webhook-id")
    if not at.isdigit() or len(at) > 12 or abs(now - int(at)) > TOLERANCE_SECONDS or not identifier:
        return False
    expected = []
    for secret in secrets:
        if key := signing_key(secret):
            digest = mac(key, identifier, b".", at, b".", body).digest()
            expected.append(b"v1," + base64.b64encode(digest))
    given = header(headers, "webhook-signature").split(b" ")[:_MOST_SIGNATURES]
    return any([is_one_of(one, expected) for one in given])  # noqa: C419 all are compared


def _has_token(headers: Mapping[str, str], secrets: Sequence[bytes]) -> bool:
    plain = [secret for secret in secrets if not secret.startswith(SIGNING)]
    return is_one_of(header(headers, "x-gitlab-token"), plain)


def _about(payload: _Payload) -> About:
    """Notes are no reviews for us: who approved is read from the approvals, and a note changes nothing of them."""
    attributes = payload.object_attributes or _Attributes()
    found = About()
    match payload.object_kind:
        case "merge_request" if attributes.iid is not None:
            event: Event = "review" if attributes.action in _REVIEWS else "pull"
            found = About(event, attributes.iid, attributes.last_commit.id if attributes.last_commit else "")
        case "push":
            found = About("push", commit=payload.after, ref=payload.ref)
        case "pipeline" if any(build.name == NAME for build in payload.builds):
            found = About("claim", commit=attributes.sha)
    return possible(found)
