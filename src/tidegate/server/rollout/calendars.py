"""Calendars at an address: fetched from hosts that the operator names and no others, bounded, and the last good one
kept. Where none can be had that is young enough, the freezes of it hold. An address may be a secret: it is never told.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.errors import InputError, InternalError
from tidegate.rollout.calendars.read import LARGEST_BYTES, read_events
from tidegate.rollout.document_tables import Loaded
from tidegate.rollout.read import Fetch
from tidegate.server.outgoing import ask
from tidegate.server.production.setup import read_production
from tidegate.server.service import Service
from tidegate.store import values
from tidegate.store.clock import moment_of, seconds_between
from tidegate.store.packed import pack, unpack

FRESH_SECONDS = 900.0
AGAIN_SECONDS = 60.0
"""One that could not be had is not asked for again before."""
OLDEST_SECONDS = 86_400.0
"""An older one says nothing any more: the freeze holds."""
ASKING_SECONDS = 10.0
"""So long one question waits for calendars, all together; then those that are kept must do."""
MOST_KEPT = 100


def calendars_of(service: Service) -> Fetch:
    """What brings the calendars of one question."""
    asked = [0.0]

    def fetch(url: str) -> Loaded:
        return _bring(service, url, asked)

    return fetch


# Private

_PREFIX = "calendar/"


class _Kept(Struct, frozen=True, kw_only=True):
    """The last good one with when it came, "" where none did; when it was asked for last, and what was wrong then."""

    content: bytes = b""
    came_at: str = ""
    tried_at: str
    problem: str = ""


def _bring(service: Service, url: str, asked: list[float]) -> Loaded:
    host = _host(url, _hosts(service))
    name = _PREFIX + hashlib.sha256(url.encode()).hexdigest()
    now = service.now()
    with service.database.read() as connection:
        text = values.read(connection, name)
    kept = _read(text) if text is not None else None
    if kept is not None and kept.came_at and 0 <= seconds_between(kept.came_at, now) <= FRESH_SECONDS:
        return Loaded(kept.content)
    waits = kept is not None and 0 <= seconds_between(kept.tried_at, now) <= AGAIN_SECONDS
    if not waits and asked[0] < ASKING_SECONDS:
        began = time.monotonic()
        kept = _ask(url, host, kept, now)
        asked[0] += time.monotonic() - began
        _write(service, name, kept, now)
        if not kept.problem:
            return Loaded(kept.content)
    return _last_good(kept, host, now)


def _hosts(service: Service) -> Collection[str]:
    return () if service.config.production is None else read_production(service.config.production).calendar_hosts


def _host(url: str, hosts: Collection[str]) -> str:
    """The host of the address where it may be asked. Raises InputError for any other."""
    try:
        parts = urlsplit(url)
        host = parts.netloc if parts.port is None or parts.port >= 0 else ""
    except ValueError as error:
        raise InputError("its address is none", mend="write it like https://...") from error
    if host.lower() not in {one.lower() for one in hosts}:  # with user names and other ports it is another text
        raise InputError(
            f"this service fetches no calendar of {host.rpartition('@')[2]}",
            mend="name the host in calendar_hosts of TIDEGATE_PRODUCTION_FILE, or keep the calendar in a file",
        )
    return host


def _ask(url: str, host: str, kept: _Kept | None, now: str) -> _Kept:
    """What is to be kept from now on: the new one where it is good, else the old one with what is wrong."""
    before = replace(kept, tried_at=now) if kept is not None else _Kept(tried_at=now)
    try:
        reply = ask("GET", url, headers={"accept": "text/calendar"}, most=LARGEST_BYTES)
        if reply.status != 200:
            return replace(before, problem=f"{host} answers {reply.status}")
        read_events(reply.body, "", "UTC")
    except InputError as error:
        return replace(before, problem=f"what {host} gives cannot be read: {error.what}")
    except OSError as error:
        return replace(before, problem=f"{host}: {error}")
    return _Kept(content=reply.body, came_at=now, tried_at=now)


def _last_good(kept: _Kept | None, host: str, now: str) -> Loaded:
    """The one that is kept, with its age. Raises InputError where it is too old, or there is none."""
    if kept is None:
        raise InputError(f"{host} could not be asked yet", mend="ask again")
    age = seconds_between(kept.came_at, now) if kept.came_at else -1.0
    if not 0 <= age <= OLDEST_SECONDS:
        older = f", and what it gave last is older than {OLDEST_SECONDS / 3600:g} hours" if kept.came_at else ""
        raise InputError(f"{kept.problem or f'{host} was not asked'}{older}", mend="mend it, or keep it in a file")
    came = moment_of(kept.came_at).strftime("%Y-%m-%d %H:%M UTC")
    return Loaded(kept.content, f"as it was at {came}, {age / 3600:.1f} hours ago: {kept.problem or 'not asked again'}")


def _read(text: str) -> _Kept | None:
    try:
        packed = msgspec.json.decode(text, type=bytes)
        return msgspec.json.decode(unpack(packed, "calendar"), type=_Kept)
    except (msgspec.DecodeError, InternalError, ValueError):
        return None


def _write(service: Service, name: str, kept: _Kept, now: str) -> None:
    text = msgspec.json.encode(pack(msgspec.json.encode(kept))).decode("ascii")

    def put(connection: Connection) -> None:
        values.write(connection, name, text, now)
        values.keep_newest(connection, _PREFIX, MOST_KEPT)

    service.database.change(put)
