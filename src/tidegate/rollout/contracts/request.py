"""What a request asks, whoever sent it, and the reading of its body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.rollout.gate import Decision

T = TypeVar("T")

LARGEST_BYTES = 1 << 20
MOST_WORDS = 500

Purpose = Literal["gate", "roll-back", "none"]


class Asked(Struct, frozen=True, kw_only=True):
    """A question to the gate. `purpose` none: nothing is asked, only told.

    Empty texts are what the sender did not say; whoever serves this fills them from its own settings, or the gate
    holds. `callback` is where the answer goes that does not fit into the response.
    """

    sender: str
    purpose: Purpose
    environment: str = ""
    service: str = ""
    revision: str = ""
    previous: str = ""
    repository: str = ""
    actor: str = ""
    share: float | None = None
    key: str = ""
    callback: str = ""


class Reply(Struct, frozen=True):
    """The response: its status and its body as JSON."""

    status: int
    body: bytes


def decode(body: bytes, type_: type[T], sender: str) -> T:
    """The body of a request. Raises InputError for one that is too large, no JSON, or of another shape."""
    if len(body) > LARGEST_BYTES:
        raise InputError("the request is larger than 1 MiB", where=sender)
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the request is not what {sender} sends: {error}", where=sender) from error


def oid(text: str) -> str:
    """The object id in lower case, "" for anything that is none."""
    text = text.strip().lower()
    return text if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) else ""


def share(text: object) -> float | None:
    """A part of the traffic, from a number of percent; None where it is not one of 0 to 100."""
    try:
        number = float(str(text))
    except ValueError:
        return None
    return number / 100 if 0 < number <= 100 else None


def text_at(values: Mapping[str, Any], *names: str) -> str:
    """The first of these that is a text."""
    return next((value for name in names if isinstance(value := values.get(name), str) and value), "")


def words(decision: Decision) -> str:
    """The decision in one paragraph, for a field that people read."""
    question = decision.question
    said = {"pass": "may go to", "hold": "is held before", "block": "is blocked before"}[decision.outcome]
    reasons = "; ".join(dict.fromkeys(one.why for one in decision.open))
    head = f"{question.revision[:12] or 'this'} {said} {question.environment or 'an unnamed environment'}"
    text = f"{head}: {reasons}" if reasons else head
    return text if len(text) <= MOST_WORDS else f"{text[: MOST_WORDS - 1]}…"
