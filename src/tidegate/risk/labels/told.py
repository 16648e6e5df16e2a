"""Outcomes of production as a file: what `tidegate outcomes export` writes, and `risk train` and backtests read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from tidegate.errors import InputError
from tidegate.risk.labels.labels import Outcome

SCHEMA: Literal["tidegate.outcomes/1"] = "tidegate.outcomes/1"
LIMIT_BYTES = 64 << 20
MOST = 500_000
_MEND = "write it again: tidegate outcomes export -o FILE"


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """One outcome as the file holds it: see `Outcome`."""

    commit: Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")]
    kind: Literal["incident", "rollback", "hot-fix", "fine"]
    by: Annotated[str, Meta(max_length=200)]
    at: Annotated[int, Meta(ge=0, le=253_402_300_799)]
    confidence: Annotated[float, Meta(gt=0, le=1)] = 1.0


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["tidegate.outcomes/1"]
    outcomes: Annotated[tuple[Told, ...], Meta(max_length=MOST)]


def read_outcomes(path: Path) -> tuple[Outcome, ...]:
    """What the file says. InputError where it is none of ours."""
    try:
        with path.open("rb") as file:
            text = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), mend="check the path") from error
    if len(text) > LIMIT_BYTES:
        raise InputError("this is too large to be outcomes", where=str(path), mend=_MEND)
    try:
        found = msgspec.json.decode(text, type=Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"these are no outcomes ({error})", where=str(path), mend=_MEND) from error
    return tuple(Outcome(one.commit, one.kind, one.by, one.at, one.confidence) for one in found.outcomes)


def encode_outcomes(outcomes: Iterable[Outcome]) -> bytes:
    """The file: the same outcomes give the same bytes, in whatever order they come."""
    ordered = sorted(outcomes, key=_key)
    told = tuple(Told(one.commit, one.kind, one.by, one.at, one.confidence) for one in ordered)
    return msgspec.json.format(msgspec.json.encode(Document(SCHEMA, told)), indent=1) + b"\n"


def digest_of(outcomes: Sequence[Outcome]) -> str:
    """What names these outcomes: "" where there are none."""
    return hashlib.sha256(encode_outcomes(outcomes)).hexdigest() if outcomes else ""


# Private


def _key(one: Outcome) -> tuple[int, str, str, str, float]:
    return one.at, one.commit, one.by, one.kind, one.confidence
