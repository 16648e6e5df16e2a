"""in-toto Statement v1, strictly: what an entry says, about what, and of which kind.

A statement has one spelling. `read_statement` is the gate of the log: it accepts exactly what `encode_statement`
writes. Attestations of others, who may spell freely, are named by digest.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tidegate.ledger.dsse import sign_envelope, verify_envelope
from tidegate.ledger.fields import Part, Predicate, StatementError, Subject, check_recorded
from tidegate.ledger.keys import PublicKey, Signer
from tidegate.ledger.predicates import PREDICATES
from tidegate.ledger.strict_json import canonical, load_canonical

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MAX_STATEMENT_BYTES = 48_000
"""So that the envelope, with its payload in base64 and an ML-DSA signature, is below 65,535 bytes."""


class Statement(msgspec.Struct, frozen=True):
    """About these subjects this is said. The kind of the predicate is that of its class."""

    subjects: tuple[Subject, ...]
    predicate: Predicate

    @property
    def predicate_type(self) -> str:
        return _TYPES[type(self.predicate)]


def encode_statement(statement: Statement) -> bytes:
    """The canonical bytes. Raises InputError for a statement that `read_statement` would refuse."""
    kind = _TYPES.get(type(statement.predicate))
    if kind is None:
        raise StatementError(f"{type(statement.predicate).__name__} is no kind of statement")
    data = _encode(kind, statement)
    read_statement(data)
    return data


def read_statement(data: bytes) -> Statement:
    """The statement. Raises InputError where anything in it is unknown, ambiguous, malformed or too large."""
    document = load_canonical(data, MAX_STATEMENT_BYTES)
    head = _convert(document, _Head)
    kind = PREDICATES.get(head.predicate_type)
    if kind is None:
        raise StatementError(f"{head.predicate_type[:100]!r} is no known kind of statement")
    statement = Statement(head.subject, _convert(head.predicate, kind))
    check_recorded(statement.predicate)
    # A field that stands there with its default value would be a second spelling of the same statement.
    if _encode(head.predicate_type, statement) != data:
        raise StatementError("the statement is not in its canonical spelling", mend="leave out fields at their default")
    return statement


def sign_statement(statement: Statement, signers: list[Signer]) -> bytes:
    """The entry: the statement in an envelope that these keys signed."""
    return sign_envelope(encode_statement(statement), signers)


def open_entry(entry: bytes, keys: list[PublicKey], threshold: int = 1) -> tuple[Statement, tuple[PublicKey, ...]]:
    """What an entry says, and which of the trusted keys signed it. Raises InputError where too few did."""
    verified = verify_envelope(entry, keys, threshold)
    return read_statement(verified.payload), verified.keys


# Private


class _Head(Part, frozen=True, kw_only=True):
    type_: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: Annotated[tuple[Subject, ...], Meta(min_length=1, max_length=256)]
    predicate_type: str
    predicate: dict[str, Any]

    def __post_init__(self) -> None:
        for values in ([subject.name for subject in self.subject], [subject.uri for subject in self.subject]):
            named = [value for value in values if value]
            if len(set(named)) != len(named):
                raise StatementError("two subjects have one name or URI")


def _convert(document: Any, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise StatementError(f"the statement is malformed: {error}") from error


def _encode(kind: str, statement: Statement) -> bytes:
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": msgspec.to_builtins(statement.subjects),
            "predicateType": kind,
            "predicate": msgspec.to_builtins(statement.predicate),
        }
    )


_TYPES: dict[type[Predicate], str] = {kind: uri for uri, kind in PREDICATES.items()}
