"""What every reader needs: headers, JSON of a type, times, names, and texts that can be kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec

from tidegate.errors import InputError

T = TypeVar("T")
LATEST = 4_102_444_800.0
"""Unix seconds of the year 2100: what claims to lie behind it would stand above everything for ever."""
LONGEST_NAME = 300
LONGEST_TEXT = 4_000
LONGEST_URL = 2_000


def header(headers: Mapping[str, str], name: str) -> str:
    """Its value, "" where it is missing. `name` in small letters: names of headers have no case."""
    found = headers.get(name)
    if found is not None:
        return found
    return next((value for key, value in headers.items() if key.lower() == name), "")


def parse(decoder: msgspec.json.Decoder[T], body: bytes, sender: str) -> T:
    """The body as the type of the decoder. InputError with the place in it where it is something else."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"no message of {sender}: {str(error)[:200]}", where="body") from error


def moment(given: str | float | None, where: str) -> float:
    """Unix seconds of a time as text (RFC 3339, or with a space before the offset) or as a number of seconds."""
    if isinstance(given, str):
        seconds = _seconds(given, where)
    elif given is None:
        raise InputError("no time is given", where=where)
    else:
        seconds = float(given)
    if not 0 <= seconds <= LATEST:  # NaN is neither
        raise InputError(f"{given!r:.60} is no time between 1970 and 2100", where=where)
    return seconds


def moment_or(given: str | float | None, otherwise: float, where: str) -> float:
    """The same; `otherwise` where nothing is given."""
    return otherwise if given is None or given == "" else moment(given, where)


def text(given: str | None, most: int = LONGEST_TEXT) -> str:
    """What can be kept of it: no NUL, and not longer than `most`."""
    return (given or "")[:most].replace("\0", "\ufffd")


def name(given: str | None) -> str:
    """A name that something is known by: as it is, or where it is too long, cut and told apart by its digest."""
    whole = text(given, LONGEST_TEXT * 10)
    if len(whole) <= LONGEST_NAME:
        return whole
    return f"{whole[: LONGEST_NAME - 33]}~{digest(whole)}"


def url(given: str | None) -> str:
    """An address that a page may link to; "" for any other."""
    found = text(given, LONGEST_URL)
    return found if re.match(r"https?://[^\s]+\Z", found) else ""


def commit(given: str | None) -> str:
    """A whole id of a commit, in small letters; "" for anything else, and for the zeros that stand for none."""
    found = (given or "").strip().lower()
    return found if _COMMIT.fullmatch(found) and found.strip("0") else ""


def revision_of(artifact: str) -> str:
    """The commit that an artifact names: the `vcs_url` of a package URL, or the tag of an image that is a commit."""
    if artifact.startswith("pkg:"):
        given = dict(parse_qsl(artifact.partition("?")[2].partition("#")[0])).get("vcs_url", "")
        return commit(given.rpartition("@")[2])
    tag = unquote(artifact).partition("@")[0].rpartition("/")[2].partition(":")[2]
    return commit(tag.removeprefix("sha-").removeprefix("git-"))


def digest(*parts: object) -> str:
    """A short name for just these parts."""
    plain = json.dumps(parts, ensure_ascii=True, default=str).encode()
    return hashlib.sha256(plain).hexdigest()[:32]


def first(labels: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of the labels that is there and is text."""
    return next((value for each in names if isinstance(value := labels.get(each), str) and value), "")


def is_mac(given: str, secret: bytes, *parts: bytes) -> bool:
    """Whether it is the HMAC-SHA256 of the parts by this secret, in hexadecimal."""
    signer = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        signer.update(part)
    return hmac.compare_digest(given.encode("utf-8", "replace"), signer.hexdigest().encode())


# Private

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LOOSE = re.compile(r" (?:UTC|([+-]\d{2}:?\d{2}))\Z")


def _seconds(given: str, where: str) -> float:
    loose = _LOOSE.sub(lambda found: found[1] or "+00:00", given.strip()[:64])
    try:
        found = datetime.fromisoformat(loose)
    except ValueError:
        raise InputError(f"{given!r:.60} is no time", where=where, mend="write it as RFC 3339") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found.timestamp()
