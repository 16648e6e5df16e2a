"""The kinds of values that statements hold. Each is bounded, has one spelling, and none has room for a person's name.

Patterns are checked when a statement is written or read; what a pattern cannot tell (a 30th of February) is checked by
`check_times` and `check_digests` when the value is made.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from tidegate.errors import InputError
from tidegate.ledger.commitments import Commitment


class StatementError(InputError):
    """The statement is not what its type says."""


_URI = r"\A[a-z][a-z0-9+.\-]{0,31}:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+\Z"

Sha256: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
GitOid: TypeAlias = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")]
Uri: TypeAlias = Annotated[str, Meta(pattern=_URI, max_length=2048)]
OptionalUri: TypeAlias = Annotated[str, Meta(pattern=rf"\A\Z|{_URI}", max_length=2048)]
Ref: TypeAlias = Annotated[str, Meta(pattern=r"\Arefs/[^\x00-\x20\x7f~^:?*\[\\]+\Z", max_length=512)]
_TIME = (
    r"\A[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z\Z"
)
Time: TypeAlias = Annotated[str, Meta(pattern=_TIME)]
"""RFC 3339 in UTC, with a capital Z and without leap seconds."""
OptionalTime: TypeAlias = Annotated[str, Meta(pattern=rf"\A\Z|{_TIME}")]
Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._/:@+\-]{0,127}\Z")]
"""An identifier: of a rule, an environment, a tool, a version."""
Label: TypeAlias = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f\u2028\u2029]{1,512}\Z")]
"""One line of text from a repository, such as the name of a test."""
Person: TypeAlias = Annotated[str, Meta(pattern=r"\Aperson:[0-9a-f]{32}\Z")]
"""A pseudonym. Whose it is stands in a body that can be erased."""
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53 - 1)]
OptionalPerson: TypeAlias = Annotated[str, Meta(pattern=r"\A(?:person:[0-9a-f]{32})?\Z")]
OptionalCommitment: TypeAlias = Annotated[str, Meta(pattern=r"\A(?:hmac-sha256:[0-9a-f]{64})?\Z")]
People: TypeAlias = Annotated[tuple[Person, ...], Meta(min_length=2, max_length=16)]
Oids: TypeAlias = Annotated[tuple[GitOid, ...], Meta(max_length=512)]
Names: TypeAlias = Annotated[tuple[Name, ...], Meta(max_length=512)]
Labels: TypeAlias = Annotated[tuple[Label, ...], Meta(max_length=512)]
DigestSet: TypeAlias = Annotated[dict[str, str], Meta(min_length=1, max_length=8)]

HEX_LENGTHS: dict[str, tuple[int, ...]] = {
    "sha256": (64,),
    "sha384": (96,),
    "sha512": (128,),
    "sha3_256": (64,),
    "sha3_384": (96,),
    "sha3_512": (128,),
    "gitCommit": (40, 64),
    "gitTree": (40, 64),
    "gitBlob": (40, 64),
    "gitTag": (40, 64),
}
"""The digests that a statement may use. The others of in-toto are broken (md5, sha1), or nobody here makes them."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """A part of a statement: unknown fields are refused, defaults are not written."""


class Resource(Part, frozen=True, kw_only=True):
    """in-toto's ResourceDescriptor, without `content`: bodies do not belong into a leaf."""

    digest: dict[str, str] = msgspec.field(default_factory=dict)
    uri: OptionalUri = ""
    name: Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]*\Z", max_length=512)] = ""
    media_type: Annotated[str, Meta(pattern=r"\A[a-zA-Z0-9!#$&^_.+/\-]*\Z", max_length=128)] = ""

    def __post_init__(self) -> None:
        if not self.digest and not self.uri:
            raise StatementError("a resource has a digest or a URI")
        check_digests(self.digest)


class Subject(Part, frozen=True, kw_only=True):
    """What a statement is about. It is known by its digest alone."""

    digest: DigestSet
    name: Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]*\Z", max_length=512)] = ""
    uri: OptionalUri = ""
    annotations: Annotations | None = None

    def __post_init__(self) -> None:
        check_digests(self.digest)


class Annotations(Part, frozen=True, kw_only=True):
    """What SLSA's source track notes beside a revision."""

    source_refs: Annotated[tuple[Ref, ...], Meta(min_length=1, max_length=16)]


class EntryRef(Part, frozen=True, kw_only=True):
    """Another entry of the same log: its index and its leaf hash."""

    index: Count
    leaf: Sha256


class Predicate(Part, frozen=True, kw_only=True):
    """What a statement says. Each kind is a module under `predicates`.

    `recorded` is when it was written down, where that was later than what it tells of.
    """

    recorded: OptionalTime = ""

    @property
    def time(self) -> str:
        """When this is said to have happened, by the clock of whoever wrote it."""
        raise NotImplementedError

    @property
    def said(self) -> str:
        """When it was written down: the time that the log's own clock, and the witnesses', are held against."""
        return self.recorded or self.time


Result: TypeAlias = Literal["PASSED", "FAILED"]
Reason: TypeAlias = Commitment
"""Why, in a person's own words: those can name people, so the leaf holds a commitment to them."""


def check_digests(digests: dict[str, str]) -> None:
    """Raises StatementError for an algorithm that is not in HEX_LENGTHS, or a value that is not its hex."""
    for algorithm, value in digests.items():
        lengths = HEX_LENGTHS.get(algorithm)
        if lengths is None:
            raise StatementError(f"a digest by {algorithm[:40]!r} is not known here")
        if len(value) not in lengths or _HEX.fullmatch(value) is None:
            raise StatementError(f"this is no {algorithm} in lowercase hex")


def check_times(*times: str) -> None:
    """Raises StatementError for a day that no calendar has, or where a later time stands before an earlier one."""
    moments = [parse_time(time) for time in times]
    if moments != sorted(moments):
        raise StatementError("the end of a period is before its beginning")


def check_recorded(predicate: Predicate) -> None:
    """Raises StatementError where something was written down before it happened."""
    if predicate.recorded:
        check_times(*((predicate.time,) if predicate.time else ()), predicate.recorded)


def check_two_people(people: tuple[str, ...]) -> None:
    """Raises StatementError unless these are at least two different people."""
    if len(people) < 2 or len(set(people)) != len(people):
        raise StatementError("this takes two different people")


def parse_time(text: str) -> datetime:
    """The moment. Raises StatementError where there is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise StatementError(f"{text[:40]!r} is no time") from error
    if moment.tzinfo is None:
        raise StatementError(f"{text[:40]!r} names no time zone")
    return moment


def format_time(seconds: int) -> str:
    """Seconds since 1970 as statements write them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Private

_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
