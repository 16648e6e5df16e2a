"""Flagger's webhooks: gates that are asked, and the one that asks whether to roll back.

docs.flagger.app/usage/webhooks: a gate (`confirm-rollout`, `pre-rollout`, `rollout`, `confirm-traffic-increase`,
`confirm-promotion`) goes on with a 2xx and waits with anything else. `rollback` is the other way round: **a 2xx fails
the canary at once.** So the two are read by two functions and answered by two, and an error never becomes a 2xx here.
The type of the hook is not in its body: it is the address that it was given.
"""

from __future__ import annotations

from msgspec import Struct

from tidegate.facts import to_json
from tidegate.rollout.contracts.request import Asked, Purpose, Reply, decode, oid, share, text_at, words
from tidegate.rollout.gate import Decision

SENDER = "flagger"
GATES = ("confirm-rollout", "pre-rollout", "rollout", "confirm-traffic-increase", "confirm-promotion")
WAIT = 409


def read_gate(body: bytes) -> Asked:
    """The question of a gate. Environment, revision, actor and weight are the metadata that its canary sets."""
    return _read(body, "gate")


def read_rollback(body: bytes) -> Asked:
    """The question whether the canary is to be failed now."""
    return _read(body, "roll-back")


def reply_gate(decision: Decision) -> Reply:
    """200 to go on, else 409: Flagger waits, and asks again."""
    return Reply(200 if decision.outcome == "pass" else WAIT, _body(decision))


def reply_rollback(*, bad: bool, why: str) -> Reply:
    """200 only where somebody who judges canaries said that this one is bad; 409 for everything else, so that nothing
    is rolled back by an error or for want of data."""
    return Reply(200 if bad else WAIT, to_json({"roll_back": bad, "reason": why}))


def refused(why: str) -> Reply:
    """The answer to a request that cannot be read: 409, which waits at a gate and leaves the canary at a roll-back."""
    return Reply(WAIT, to_json({"decision": "hold", "reason": why}))


# Private


class _Hook(Struct, frozen=True):
    name: str
    namespace: str
    phase: str = ""
    checksum: str = ""
    metadata: dict[str, str] = {}


def _read(body: bytes, purpose: Purpose) -> Asked:
    hook = decode(body, _Hook, SENDER)
    said = hook.metadata
    return Asked(
        sender=SENDER,
        purpose=purpose,
        environment=text_at(said, "environment") or hook.namespace,
        service=text_at(said, "service") or hook.name,
        revision=oid(text_at(said, "revision")),
        previous=oid(text_at(said, "previous")),
        repository=text_at(said, "repository"),
        actor=text_at(said, "actor"),
        share=share(said["weight"]) if "weight" in said else None,
        key=hook.checksum,
    )


def _body(decision: Decision) -> bytes:
    return to_json({"decision": decision.outcome, "reason": words(decision)})
