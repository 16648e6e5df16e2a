"""Nothing enters the log with a time that an audit would not believe: the limits of both are the same."""

from __future__ import annotations

from tidegate.errors import InputError
from tidegate.ledger.audit import ClockLimits
from tidegate.ledger.dsse import read_envelope
from tidegate.ledger.fields import StatementError, parse_time
from tidegate.ledger.notes import decode_base64
from tidegate.ledger.predicates import PREDICATES
from tidegate.ledger.statements import Statement, read_statement
from tidegate.store.clock import moment_of


def check_clock(kind: str, envelope: bytes, now: str, limits: ClockLimits) -> None:
    """StatementError where the statement was written down at another time than `now`, or is none of its kind.

    An envelope of a kind that nobody here knows holds no time that an audit could read.
    """
    statement = _read(envelope, required=kind in PREDICATES)
    if statement is None or not (said := statement.predicate.said):
        return
    if not limits.allow(parse_time(said).timestamp(), moment_of(now).timestamp()):
        raise StatementError(
            f"the statement says that it is of {said}, and it is {now[:19]}Z",
            mend="set the clock; what is written down late says so in `recorded`",
        )


# Private


def _read(envelope: bytes, *, required: bool) -> Statement | None:
    try:
        return read_statement(decode_base64(read_envelope(envelope).payload.encode("utf-8", "replace")))
    except InputError as error:
        if required:
            raise StatementError(f"the entry is no statement: {error.what}") from error
        return None
