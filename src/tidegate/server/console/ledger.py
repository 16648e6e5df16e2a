"""The ledger: where it stands, what witnesses saw of it, its entries; and all that a browser needs to verify it."""

from __future__ import annotations

import base64

import msgspec
from msgspec import Struct
from starlette.responses import Response
from starlette.routing import Route

from tidegate.errors import InputError
from tidegate.ledger.log_rows import Entry
from tidegate.ledger.predicates import PREDICATES
from tidegate.server.api import settings as api_settings
from tidegate.server.api.endpoint import Ask, Nothing
from tidegate.server.api.paging import found
from tidegate.server.console.visit import Visit, get
from tidegate.server.service import Service

PAGE = 50
LARGEST_SHOWN = 200_000
"""Characters of a statement that are shown."""

NAMES = {
    "https://slsa.dev/verification_summary/v1": "gate decision",
    "https://slsa.dev/provenance/v1": "provenance of a commit",
    "https://in-toto.io/attestation/test-result/v0.1": "test result",
}


class Listed(Struct, frozen=True):
    """An entry in the list: what it is in a word, and whether a quorum of witnesses saw it."""

    entry: Entry
    kind: str
    witnessed: bool


def routes(service: Service) -> list[Route]:
    return [
        get("/ledger", service, "ledger:read", show),
        get("/ledger/entries/{index}", service, "ledger:read", show_entry),
    ]


def show(visit: Visit) -> Response:
    """Where the ledger stands, and its newest entries."""
    log = visit.service.log
    size, witnessed = log.size(), log.witnessed_size()
    end = _end(visit.query.get("before", ""), size)
    predicate = visit.query.get("kind", "")
    predicate = predicate if predicate in PREDICATES else ""
    begin = max(0, end - PAGE)
    entries = log.entries(
        predicate=predicate or None, after=-1 if predicate else begin - 1, most=1000 if predicate else PAGE
    )
    entries = tuple(each for each in entries if each.index < end)[-PAGE:]
    refusal = log.refusal()
    watched = api_settings.witnesses(Ask(visit.service, visit.who, {}, Nothing(), Nothing()))
    return visit.page(
        "ledger.html",
        "Ledger",
        size=size,
        witnessed=witnessed,
        exposure=log.exposure(),
        refusal="" if refusal is None else str(refusal),
        witnesses=watched.items,
        quorum=watched.quorum,
        key=log.public_key().vkey,
        entries=tuple(Listed(each, kind_of(each.predicate), each.index < witnessed) for each in reversed(entries)),
        older=entries[0].index if entries and entries[0].index > 0 and not predicate else 0,
        kinds={name: kind_of(name) for name in PREDICATES},
        kind=predicate,
    )


def show_entry(visit: Visit) -> Response:
    """One entry: its statement, its proof, its receipt."""
    index = visit.number("index")
    entry = found(visit.service.log.entry(index), "entry of the ledger")
    witnessed = visit.service.log.witnessed_size()
    return visit.page(
        "entry.html",
        f"Entry {index}",
        entry=entry,
        kind=kind_of(entry.predicate),
        statement=statement_of(entry),
        size=visit.service.log.size(),
        witnessed=index < witnessed,
        has_witnesses=bool(visit.service.config.witnesses),
        key=visit.service.log.public_key().vkey,
    )


def kind_of(predicate: str) -> str:
    """A predicate in a word or two."""
    if known := NAMES.get(predicate):
        return known
    parts = predicate.split(":")
    return (
        parts[-2].replace("-", " ") if predicate.startswith("urn:tidegate:predicate:") and len(parts) > 4 else predicate
    )


def statement_of(entry: Entry) -> str:
    """The statement of an envelope, laid out for reading; "" where the envelope holds none that can be read."""
    try:
        payload = msgspec.json.decode(entry.envelope, type=_Envelope).payload
        text = msgspec.json.format(base64.b64decode(payload, validate=True), indent=2).decode()
    except (msgspec.DecodeError, ValueError, InputError):
        return ""
    return text[:LARGEST_SHOWN]


# Private


class _Envelope(Struct, frozen=True):
    payload: str


def _end(text: str, size: int) -> int:
    """Up to which entry the page lists them."""
    return min(int(text), size) if text.isascii() and text.isdigit() and len(text) < 19 else size
