"""Is this log the one that was seen before? What a witness saw is held against what the log says today.

Whoever holds a log's database and its key can rewrite it so that everything inside agrees. Only what somebody else
remembers can contradict that: `Sighting`s. They decide what an audit can find, and `describe_exposure` says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from tidegate.ledger.checkpoint import Checkpoint
from tidegate.ledger.merkle import Frontier

Kind: TypeAlias = Literal["shorter", "rewritten", "checkpoint", "clock"]


class Sighting(msgspec.Struct, frozen=True):
    """Somebody outside saw the log at this size with this root, at a time in seconds since 1970."""

    time: int
    size: int
    root: bytes


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, with the entries [begin, end) in which it is."""

    kind: Kind
    what: str
    begin: int
    end: int


class ClockLimits(msgspec.Struct, frozen=True):
    """How far a statement's own time may be from the time at which its entry was appended, in seconds.

    A log that refuses statements outside of these limits is never accused of having moved its clock.
    """

    ahead: int = 300
    behind: int = 3600

    def allow(self, stated: float, appended: float) -> bool:
        return appended - self.behind <= stated <= appended + self.ahead


def audit_tree(leaves: Iterable[bytes], checkpoint: Checkpoint, sightings: Iterable[Sighting]) -> list[Finding]:
    """What the leaf hashes of a log have against its checkpoint and against what was seen of it. Empty: nothing.

    The leaves are read once; time grows with them, memory does not.
    """
    seen = sorted({(sighting.size, sighting.root) for sighting in sightings})
    findings: list[Finding] = []
    frontier, at, sound = Frontier(), 0, 0
    pending: list[bytes] = []

    def compare(size: int, root: bytes) -> None:
        nonlocal sound
        if frontier.size == size and frontier.root == root:
            sound = max(sound, size)
        elif frontier.size == size and not findings:
            what = f"the first {size} entries are not those that were seen; the first {sound} are"
            findings.append(Finding("rewritten", what, sound, size))

    while at < len(seen) and seen[at][0] == 0:
        compare(*seen[at])
        at += 1
    for leaf in leaves:
        pending.append(leaf)
        size = frontier.size + len(pending)
        if len(pending) == _CHUNK or (at < len(seen) and seen[at][0] == size):
            frontier = frontier.extend(pending)
            pending.clear()
        while at < len(seen) and seen[at][0] == size:
            compare(*seen[at])
            at += 1
    frontier = frontier.extend(pending)
    if at < len(seen):
        what = f"{seen[-1][0]} entries were seen, and there are {frontier.size}"
        findings.append(Finding("shorter", what, frontier.size, seen[-1][0]))
    if (checkpoint.size, checkpoint.root) != (frontier.size, frontier.root):
        what = f"the checkpoint is not the one of the {frontier.size} entries"
        findings.append(Finding("checkpoint", what, 0, max(checkpoint.size, frontier.size)))
    return findings


def audit_clock(
    times: Iterable[tuple[int, float]], sightings: Sequence[Sighting], limits: ClockLimits | None = None
) -> list[Finding]:
    """Statements whose own time cannot be true: `times` are pairs of an entry's index and its time, in order.

    An entry was appended after the last sighting without it and before the first one with it.
    """
    bounds = limits or ClockLimits()
    seen = sorted(sightings, key=lambda sighting: (sighting.size, sighting.time))
    findings: list[Finding] = []
    at, latest_before = 0, float("-inf")
    for index, stated in times:
        while at < len(seen) and seen[at].size <= index:
            latest_before = max(latest_before, seen[at].time)
            at += 1
        if stated < latest_before - bounds.behind:
            what = f"entry {index} says {_iso(stated)}, and was not there at {_iso(latest_before)}"
            findings.append(Finding("clock", what, index, index + 1))
        elif at < len(seen) and stated > seen[at].time + bounds.ahead:
            what = f"entry {index} says {_iso(stated)}, and was there at {_iso(seen[at].time)}"
            findings.append(Finding("clock", what, index, index + 1))
    return findings


def describe_exposure(size: int, sightings: Sequence[Sighting]) -> str:
    """What an insider with the database and the log's key could have done to this log without being found out."""
    if size == 0:
        return "The log is empty."
    covered = [sighting for sighting in sightings if 0 < sighting.size <= size]
    if not covered:
        return (
            f"Nobody outside has seen this log. Whoever holds its database and its key could have changed, removed, "
            f"inserted or reordered any of its {size} entries and signed the result, or could show different logs to "
            f"different people, and nothing in it would tell. That its entries and its checkpoint agree shows only "
            f"that no one without the key changed them. Configure a witness to end this."
        )
    last = max(covered, key=lambda sighting: (sighting.size, -sighting.time))
    seen = (
        f"The first {last.size} entries were seen at {_iso(last.time)} by somebody outside: a change to them is found."
    )
    if last.size == size:
        return f"{seen} That is all of them."
    return (
        f"{seen} Whoever holds the database and the log's key could still change, remove or reorder the last "
        f"{size - last.size}, which nobody has seen."
    )


# Private

_CHUNK = 4096


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
