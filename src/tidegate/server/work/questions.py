"""What the service asks the child that analyses, and what it answers: JSON lines in both directions."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

Kind: TypeAlias = Literal["transcript", "plan", "coverage", "junit", "sarif", "mutation"]
UNREAD_POLICY = hashlib.sha256(b"tidegate: the policy could not be read").hexdigest()
"""Stands where a decision names its policy, and the policy could not even be read."""


class Attached(Struct, frozen=True):
    """A file that somebody who may do so attached to the change."""

    kind: Kind
    name: str
    data: bytes


class Ask(Struct, frozen=True):
    """One change of one mirror. `tip` is where the target branch stands now: base, and source of the policy.

    `pull` b"" asks for nothing but the policy at `tip`. `known` are the keys of the last two decisions, the newest
    first. `again` tells one explicit wish for another run from the next, and is "" without one.
    """

    mirror: str
    repository: str
    number: int
    tip: str
    now: str
    pull: bytes = b""
    reviews: bytes | None = None
    looks: bytes | None = None
    approvals: tuple[bytes, ...] = ()
    approvers: dict[str, tuple[str, ...]] = {}
    attached: tuple[Attached, ...] = ()
    again: str = ""
    known: tuple[str, ...] = ()


class Begun(Struct, frozen=True, tag="begun"):
    """Told before the analysis, so that whatever becomes of it, the decision says what it is about.

    `key` is what the decision follows from. `known`: it was made already, and nothing more comes.
    """

    policy: str
    key: str = ""
    base: str = ""
    head: str = ""
    merge_tree: str = ""
    known: bool = False


class Done(Struct, frozen=True, tag="done"):
    """The decision. `facts` is the digest that approvals are bound to; `document` is what `tidegate check` writes."""

    verdict: Literal["pass", "hold", "block"]
    risk: str | None
    facts: str
    document: bytes


class Failed(Struct, frozen=True, tag="failed"):
    """Why there is no decision: told by the child itself."""

    reason: str


Answer: TypeAlias = Begun | Done | Failed


def key_of(*parts: str) -> str:
    """A digest of these texts in this order; no two lists of texts share one."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def follows(key: str, last: str) -> str:
    """The key of a decision that was made before, was followed by `last`, and is made once more: a title that was
    changed and changed back, a head that was pushed away and pushed again."""
    return key_of("again after", key, last)


def is_last(key: str, known: tuple[str, ...]) -> bool:
    """Whether the decision with this key is the last of these, the newest first."""
    return bool(known) and (known[0] == key or (len(known) > 1 and known[0] == follows(key, known[1])))
