"""The gate as plain HTTP, for whatever can ask with JSON: 200 passes, 409 is held, 403 is blocked.

A client that only looks at 2xx does right. The body is the whole decision (`tidegate.gate/1`).
"""

from __future__ import annotations

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.contracts.request import Asked, Reply, decode, oid
from tidegate.rollout.gate import Decision

SENDER = "http"
STATUS = {"pass": 200, "hold": 409, "block": 403}


def read(body: bytes) -> Asked:
    """The question. Raises InputError for an unknown key, and for a revision that is no whole object id."""
    asked = decode(body, _Asked, SENDER)
    for name in ("revision", "previous"):
        given = getattr(asked, name)
        if given and not oid(given):
            raise InputError(f"{name} is no whole object id", where=SENDER, mend="write all its digits: git rev-parse")
    if asked.share is not None and not 0 < asked.share <= 1:
        raise InputError("share is no part of 1", where=SENDER, mend="write 0.05 for 5 %")
    return Asked(
        sender=SENDER,
        purpose="gate",
        environment=asked.environment,
        service=asked.service,
        revision=oid(asked.revision),
        previous=oid(asked.previous),
        repository=asked.repository,
        actor=asked.actor,
        share=asked.share,
        key=asked.key,
    )


def reply(decision: Decision) -> Reply:
    return Reply(STATUS[decision.outcome], to_json(decision))


def refused(why: str) -> Reply:
    """The answer to a question that cannot be read."""
    return Reply(400, to_json({"outcome": "hold", "reason": why}))


# Private


class _Asked(Struct, frozen=True, forbid_unknown_fields=True):
    environment: str
    revision: str
    service: str = ""
    previous: str = ""
    repository: str = ""
    actor: str = ""
    share: float | None = None
    key: str = ""
