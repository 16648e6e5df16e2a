"""What both forges' messages have in common: headers, secrets, and the few values that are taken from them."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.values import Delivery, Event, Refusal

T = TypeVar("T")
_LARGEST_PULL = 1 << 31
FORGED = Refusal(401, "the message is not signed by a secret of this service")
_LONGEST_REF = 1000


class About(Struct, frozen=True):
    """What a message is about, as its forge words it."""

    event: Event = "other"
    pull: int = 0
    commit: str | None = ""
    ref: str | None = ""
    base: str = ""

    def told(self, identifier: str, slug: str, action: str) -> Delivery:
        """The same in our words: what is no commit, no branch and no name is left out."""
        return Delivery(
            id=identifier,
            event=self.event,
            slug=slug,
            action=message_id(action.encode("utf-8", "replace")),
            pull=self.pull,
            commit=object_id(self.commit),
            ref=ref_name(self.ref),
            base=object_id(self.base),
        )


def possible(about: About) -> About:
    """Nothing, where no pull request has such a number."""
    return about if 0 <= about.pull < _LARGEST_PULL else About()


def header(headers: Mapping[str, str], name: str) -> bytes:
    """Its bytes, b"" where it is missing. Names of headers have no case; a value may hold anything."""
    found = next((value for key, value in headers.items() if key.lower() == name), "")
    return found.encode("utf-8", "backslashreplace")


def is_one_of(given: bytes, expected: Sequence[bytes]) -> bool:
    """Compared in a time that tells nothing, and with each one."""
    return any([hmac.compare_digest(given, one) for one in expected])  # noqa: C419 all are compared


def mac(secret: bytes, *parts: bytes) -> hmac.HMAC:
    signer = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        signer.update(part)
    return signer


def parse(body: bytes, kind: type[T]) -> T | Refusal:
    """An authentic body as this type."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal(400, "the message is not the JSON that the forge documents (content type application/json)")


def message_id(text: bytes) -> str:
    """The id of a message; "" for what is none."""
    return text.decode("ascii") if re.fullmatch(rb"[A-Za-z0-9_.:-]{1,200}", text) else ""


def object_id(text: str | None) -> str:
    """A full id of a commit; "" for anything else, and for the zeros that stand for none."""
    found = text or ""
    return found if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", found) and found.strip("0") else ""


def ref_name(text: str | None) -> str:
    """A full ref; "" for anything else."""
    found = text or ""
    good = found.startswith("refs/") and len(found) <= _LONGEST_REF and found.isprintable() and ".." not in found
    return found if good else ""


def check_slug(slug: str, *, deep: bool = False) -> str:
    """`OWNER/NAME` as it stands (`deep`: groups in groups). ForgeError for what could lead elsewhere in a path."""
    parts = slug.split("/")
    good = len(slug) <= 255 and (2 <= len(parts) <= 21 if deep else len(parts) == 2)
    if not good or not all(re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", part) and part.strip(".") for part in parts):
        raise ForgeError("this is no name of a repository", where=slug[:100])
    return slug


def check_commit(commit: str) -> str:
    """A full id as it stands. ForgeError for anything else."""
    if not object_id(commit):
        raise ForgeError("this is no commit", where=commit[:80])
    return commit


def is_slug(slug: str, *, deep: bool = False) -> bool:
    try:
        check_slug(slug, deep=deep)
    except ForgeError:
        return False
    return True
