"""The ledger for whoever verifies it: checkpoints, entries, proofs, receipts, tiles as C2SP tlog-tiles names them."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from msgspec import Meta, Struct

from tidegate.errors import InputError
from tidegate.ledger import log_rows as rows
from tidegate.ledger.log_witness import Exposure
from tidegate.ledger.tiles import CHECKPOINT_PATH, WIDTH, Tile, encode_bundle, parse_path
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing, Raw
from tidegate.server.api.paging import DEFAULT, Id, Most, found, next_of
from tidegate.server.api.problems import Problem
from tidegate.store.engine import Database

TEXT = "text/plain; charset=utf-8"
TILE = "application/octet-stream"
_FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}


class LedgerShown(Struct, frozen=True):
    """Where the ledger stands. `refusal` says why it does not sign; null: it signs."""

    size: int
    key: str
    witnessed: int
    exposure: Exposure
    refusal: str | None


class EntryShown(Struct, frozen=True):
    """An entry. `leaf` is the hash of its leaf in hex, `envelope` the DSSE envelope in base64."""

    index: int
    predicate: str
    subject: str
    at: str
    leaf: str
    envelope: str


class Entries(Struct, frozen=True):
    items: tuple[EntryShown, ...]
    next: int | None


class EntriesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Empty texts: any. `from` is the first index, `most` how many at most."""

    subject: Annotated[str, Meta(max_length=500)] = ""
    predicate: Annotated[str, Meta(max_length=500)] = ""
    start: Id = 0
    most: Most = DEFAULT


class InclusionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the entry `index`, in the log as it was at `size`; 0 is now."""

    index: Id
    size: Id = 0


class ConsistencyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """That the log of `old` entries is the beginning of that of `new`; 0 is now."""

    old: Id
    new: Id = 0


class ProofShown(Struct, frozen=True):
    """Hashes in base64, the lowest first (RFC 9162, 2.1.3 and 2.1.4), and the size that they prove against."""

    size: int
    hashes: tuple[str, ...]


def state(ask: Ask[Nothing, Nothing]) -> LedgerShown:
    """Where the ledger stands, and what of it witnesses saw."""
    log = ask.service.log
    refusal = log.refusal()
    return LedgerShown(
        log.size(),
        log.public_key().vkey,
        log.witnessed_size(),
        log.exposure(),
        None if refusal is None else refusal.what,
    )


def checkpoint(ask: Ask[Nothing, Nothing]) -> Raw:
    """The last checkpoint, a signed note with the cosignatures that came so far."""
    return Raw(_checkpoint(ask), TEXT, {"cache-control": "no-store"})


def entries(ask: Ask[EntriesQuery, Nothing]) -> Entries:
    """By index."""
    query = ask.query
    items = ask.service.log.entries(
        subject=query.subject or None, predicate=query.predicate or None, after=query.start - 1, most=query.most
    )
    last = next_of(items, query.most, lambda entry: entry.index + 1)
    return Entries(tuple(map(_shown, items)), last)


def entry(ask: Ask[Nothing, Nothing]) -> EntryShown:
    """One entry."""
    return _shown(found(ask.service.log.entry(ask.path["index"]), "entry"))


def receipt(ask: Ask[Nothing, Nothing]) -> Raw:
    """What proves the entry without a network (tlog-proof); the envelope is asked for by itself."""
    found(ask.service.log.entry(ask.path["index"]), "entry")
    name = f"attachment; filename=entry-{ask.path['index']}.tlog-proof"
    return Raw(ask.service.log.receipt(ask.path["index"]).text, TEXT, {"content-disposition": name})


def inclusion(ask: Ask[InclusionQuery, Nothing]) -> ProofShown:
    """That an entry is in the log."""
    size = ask.query.size or ask.service.log.size()
    return _proof(size, ask.service.log.inclusion(ask.query.index, size))


def consistency(ask: Ask[ConsistencyQuery, Nothing]) -> ProofShown:
    """That nothing was changed between two sizes of the log."""
    size = ask.query.new or ask.service.log.size()
    return _proof(size, ask.service.log.consistency(ask.query.old, size))


def tile(ask: Ask[Nothing, Nothing]) -> Raw:
    """A tile of hashes, a bundle of entries, or the checkpoint, by its path of tlog-tiles."""
    path = str(ask.path["path"])
    if path == CHECKPOINT_PATH:
        return Raw(_checkpoint(ask), TEXT, {"cache-control": "no-store"})
    try:
        named = parse_path(path)
    except InputError as error:
        raise Problem(404, error.what) from error
    size = ask.service.log.size()
    if (size >> 8 * (named.level or 0)) < named.index * WIDTH + named.width:
        raise Problem(404, "the log has no such tile yet")
    return Raw(_tile(ask.service.database, named), TILE, _FOR_EVER)


# Private


def _checkpoint(ask: Ask[Nothing, Nothing]) -> bytes:
    if ask.service.log.size() == 0:
        raise Problem(404, "the ledger is empty, so there is no checkpoint yet")
    return ask.service.log.checkpoint()


def _tile(database: Database, named: Tile) -> bytes:
    with database.read() as connection:
        if named.level is not None:
            return rows.tile_reader(connection)(named)[: named.width * 32]
        begin = named.index * WIDTH
        return encode_bundle(rows.envelopes(connection, begin, begin + named.width))


def _proof(size: int, hashes: tuple[bytes, ...] | list[bytes]) -> ProofShown:
    return ProofShown(size, tuple(base64.b64encode(each).decode() for each in hashes))


def _shown(entry: rows.Entry) -> EntryShown:
    envelope = base64.b64encode(entry.envelope).decode()
    return EntryShown(entry.index, entry.predicate, entry.subject, entry.at, entry.leaf.hex(), envelope)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/ledger",
        needs="ledger:read",
        summary="Where the ledger stands",
        handler=state,
        answer=LedgerShown,
    ),
    Endpoint(
        method="GET",
        path="/ledger/entries",
        needs="ledger:read",
        summary="Entries by index",
        handler=entries,
        query=EntriesQuery,
        answer=Entries,
    ),
    Endpoint(
        method="GET",
        path="/ledger/entries/{index:int}",
        needs="ledger:read",
        summary="An entry",
        handler=entry,
        answer=EntryShown,
    ),
    Endpoint(
        method="GET",
        path="/ledger/entries/{index:int}/receipt",
        needs="ledger:read",
        summary="What proves an entry without a network",
        handler=receipt,
        answer=str,
        media_type=TEXT,
    ),
    Endpoint(
        method="GET",
        path="/ledger/inclusion",
        needs="ledger:read",
        summary="Prove that an entry is in the log",
        handler=inclusion,
        query=InclusionQuery,
        answer=ProofShown,
    ),
    Endpoint(
        method="GET",
        path="/ledger/consistency",
        needs="ledger:read",
        summary="Prove that the log only grew",
        handler=consistency,
        query=ConsistencyQuery,
        answer=ProofShown,
    ),
    Endpoint(
        method="GET",
        path="/ledger/checkpoint",
        needs="ledger:read",
        summary="The last checkpoint",
        handler=checkpoint,
        answer=str,
        media_type=TEXT,
        problems=(404,),
    ),
    Endpoint(
        method="GET",
        path="/ledger/tiles/{path:path}",
        needs="ledger:read",
        summary="The log as C2SP tlog-tiles serves it: checkpoint, tile/...",
        handler=tile,
        answer=Any,
        media_type=TILE,
    ),
)
