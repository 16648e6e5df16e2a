"""Reads the JSON of a forge: bounded in size, one clear error for everything that is not what it should be."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from tidegate.errors import InputError

T = TypeVar("T")

LARGEST_BYTES = 10 << 20


def read_json(path: Path, mend: str) -> bytes:
    """The file's bytes. Raises InputError when it cannot be read or is larger than 10 MiB."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=str(path), mend=mend) from error
    if len(text) > LARGEST_BYTES:
        raise InputError("the file is larger than 10 MiB", where=str(path), mend=mend)
    return text.removeprefix(b"\xef\xbb\xbf")


def decode(text: bytes | msgspec.Raw, type_: type[T], path: Path, mend: str) -> T:
    """The JSON as the given type. Raises InputError with the place in the JSON."""
    try:
        return msgspec.json.decode(text, type=type_)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        reason = str(error).replace("`", "")
        raise InputError(f"the JSON is not as documented: {reason}", where=str(path), mend=mend) from error


def object_id(text: str, what: str, path: Path) -> str:
    """A full object id, or "". Raises InputError for anything else."""
    if text and not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text):
        raise InputError(f"{what} is no object id: {text[:80]!r}", where=str(path), mend="give the forge's own JSON")
    return text


def moment(text: str | None, what: str, path: Path) -> str:
    """A moment as RFC 3339 in UTC to the second, "" for none. GitLab also writes `2026-05-01 12:00:00 UTC`."""
    if not text:
        return ""
    try:
        given = datetime.fromisoformat(re.sub(r" (UTC|\+0000)$", "+00:00", text))
        utc = given.astimezone(UTC) if given.tzinfo is not None else None
    except (ValueError, OverflowError):  # the last hour of the year 9999 has no UTC
        utc = None
    if utc is None:
        raise InputError(f"{what} is no moment: {text[:80]!r}", where=str(path), mend="give the forge's own JSON")
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_object(text: bytes) -> bool:
    """Whether the JSON is an object, by its first byte."""
    return text.lstrip()[:1] == b"{"
