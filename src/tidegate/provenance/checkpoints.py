"""Entire checkpoints: a commit names one by `Entire-Checkpoint: <12 hex>`, a branch keeps its sessions' transcripts.

The branch `entire/checkpoints/v1` holds `ab/cdef012345/N/full.jsonl` for the sessions 0, 1, ... of checkpoint
abcdef012345, in pieces (`.001`, `.002`, ...) above 50 MB, and in its oldest entries `ab/cdef012345/full.jsonl`. A
transcript is the whole session up to then, so its edits are compared only with lines of the commit that names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.provenance.messages import read_trailers
from tidegate.provenance.transcripts.values import Transcript

KEY = "entire-checkpoint"
SESSIONS = 10
PIECES = 4
TRANSCRIPT_LIMIT_BYTES = 64 << 20
TOTAL_LIMIT_BYTES = 512 << 20


class Checkpoints(NamedTuple):
    """The sessions of each commit that names a checkpoint, and the checkpoints that were not read because of size."""

    sessions: Mapping[str, tuple[Transcript, ...]]
    unread: tuple[str, ...] = ()


def read_checkpoints(repository: Repository, ref: str, commits: Sequence[Commit]) -> Checkpoints:
    """The transcripts of the checkpoints that commits name, in a constant number of processes.

    Commits without a checkpoint, and checkpoints that the repository does not hold, are left out.
    """
    named = {commit.oid: ids for commit in commits if (ids := checkpoint_ids(commit.message))}
    tip = _tip(repository, ref) if named else ""
    if not tip:
        return Checkpoints({})
    wanted = dict.fromkeys(checkpoint for ids in named.values() for checkpoint in ids)
    read, unread = _read(repository, tip, wanted)
    sessions = {oid: tuple(t for checkpoint in ids for t in read.get(checkpoint, ())) for oid, ids in named.items()}
    return Checkpoints({oid: found for oid, found in sessions.items() if found}, unread)


def checkpoint_ids(message: str) -> tuple[str, ...]:
    """The checkpoints that a commit message names, in order."""
    values = [t.value.lower() for t in read_trailers(message) if t.key == KEY] if "heckpoint" in message else []
    return tuple(dict.fromkeys(v for v in values if len(v) == 12 and set(v) <= set("0123456789abcdef")))


# Private


def _tip(repository: Repository, ref: str) -> str:
    """The branch itself, else the same branch of a remote: a clone has only that."""
    branch = ref.removeprefix("refs/heads/")
    patterns = [ref, f"refs/remotes/*/{branch}"] if branch != ref else [ref]
    listed = repository.run("for-each-ref", "--format=%(objectname) %(refname)", "--", *patterns)
    found = [line.split(" ", 1) for line in listed.decode("utf-8", "replace").splitlines()]
    exact = [oid for oid, name in found if name == ref]
    return next(iter(exact or [oid for oid, name in found if name.endswith(f"/{branch}")]), "")


def _read(
    repository: Repository, tip: str, wanted: Iterable[str]
) -> tuple[dict[str, tuple[Transcript, ...]], tuple[str, ...]]:
    from tidegate.provenance.transcripts.read import parse_transcript  # eleven readers: only where one is needed

    asked: list[tuple[str, str]] = []
    for checkpoint in wanted:
        folder = f"{tip}:{checkpoint[:2]}/{checkpoint[2:]}"
        for place in ("", *(f"{n}/" for n in range(SESSIONS))):
            asked += [(checkpoint, f"{folder}/{place}full.jsonl{piece}") for piece in _PIECES]
    found: dict[str, list[Transcript]] = {}
    unread: dict[str, None] = {}
    total = 0
    pieces: list[bytes] = []
    blobs = repository.read_blobs((name for _, name in asked), limit=TRANSCRIPT_LIMIT_BYTES)
    for number, ((checkpoint, _), blob) in enumerate(zip(asked, blobs, strict=True), 1):
        total += len(blob.content)
        if blob.kind == "too-large" or total > TOTAL_LIMIT_BYTES:
            unread[checkpoint] = None
        elif blob.kind == "blob":
            pieces.append(blob.content)
        if number % len(_PIECES) == 0:
            transcript = parse_transcript(b"\n".join(pieces)) if pieces else None
            if transcript is not None:
                found.setdefault(checkpoint, []).append(transcript)
            pieces = []
    return {checkpoint: tuple(transcripts) for checkpoint, transcripts in found.items()}, tuple(unread)


_PIECES = ("", *(f".{n:03}" for n in range(1, PIECES)))
