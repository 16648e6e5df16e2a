"""Nothing enters the log with a time that an audit would not believe: the limits of both are the same."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import msgspec

from tidegate.errors import InputError
from tidegate.ledger.audit import ClockLimits
from tidegate.ledger.dsse import Envelope
from tidegate.ledger.fields import Predicate, StatementError, check_recorded, parse_time
from tidegate.ledger.predicates import PREDICATES
from tidegate.store.clock import moment_of


def check_clock(kind: str, envelope: bytes, now: str, limits: ClockLimits) -> None:
    """StatementError where the statement was written down at another time than `now`, or is none of its kind.

    An envelope of a kind that nobody here knows holds no time that an audit could read. Whether the statement is in its
    one spelling is not asked here, where thousands come in a second: who signed it made sure, and an audit asks again.
    """
    said = _said(envelope, required=kind in PREDICATES)
    if said and not limits.allow(parse_time(said).timestamp(), moment_of(now).timestamp()):
        raise StatementError(
            f"the statement says that it is of {said}, and it is {now[:19]}Z",
            mend="set the clock; what is written down late says so in `recorded`",
        )


# Private


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    predicate_type: str
    predicate: msgspec.Raw


_ENVELOPE = msgspec.json.Decoder(Envelope)
_HEAD = msgspec.json.Decoder(_Head)
_KINDS: Mapping[str, msgspec.json.Decoder[Predicate]] = {
    uri: msgspec.json.Decoder(kind) for uri, kind in PREDICATES.items()
}
"""Made once: two threads that are the first to decode a type crash msgspec 0.22."""
_MISFITS = (InputError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError)


def _said(envelope: bytes, *, required: bool) -> str:
    """When the statement was written down; "" where it has no time, or is of no kind that is known."""
    try:
        head = _HEAD.decode(base64.b64decode(_ENVELOPE.decode(envelope).payload, validate=True))
        decoder = _KINDS.get(head.predicate_type)
        if decoder is None:
            raise StatementError(f"{head.predicate_type[:100]!r} is no known kind of statement")
        says = decoder.decode(head.predicate)
        check_recorded(says)
    except _MISFITS as error:
        if required:
            raise StatementError(f"the entry is no statement: {str(error)[:200]}") from error
        return ""
    return says.said
