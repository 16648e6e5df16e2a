"""Takes in what production says: read, checked, and folded into what is known, in one transaction.

What comes twice changes nothing, and neither does the order: `rollout/deployments.py` and `operate/folding.py` hold it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import TypeVar

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.operate import folding
from tidegate.operate.folding import AlertProgress, ErrorProgress
from tidegate.operate.intake.listing import READERS, Said
from tidegate.operate.values import Alert, ErrorReport
from tidegate.rollout import deployments as rollout
from tidegate.rollout.deployments import Progress
from tidegate.rollout.values import DeploymentEvent, NotUsed
from tidegate.server.production.retention import forget_now_and_then
from tidegate.server.service import Service
from tidegate.store import alerts, deployments, production_events
from tidegate.store.alerts import ToldAlert, ToldError
from tidegate.store.clock import moment_of
from tidegate.store.deployments import Told
from tidegate.store.production_events import EventKind, NewEvent, NewMessage

_SECRET = b'"routing_key"'
"""What lets its holder raise alerts at PagerDuty: a message that holds it is read, and not kept as it came."""
AHEAD_SECONDS = 86_400.0
"""A clock may be wrong by so much. What comes from farther ahead would stand above all that happens until then."""
V = TypeVar("V")


class Taken(Struct, frozen=True):
    """What became of a message: `new` things that it said, `known` before, and `unused` ones that say nothing here."""

    new: int
    known: int
    unused: int


class Message(Struct, frozen=True):
    """A message as it came, and what it says."""

    sender: str
    body: bytes
    said: tuple[Said, ...]


def take(service: Service, sender: str, body: bytes, headers: Mapping[str, str], *, signed: bool = False) -> Taken:
    """Takes in one message of a sender in the list. InputError where it is malformed; nothing is written then.

    `signed`: it was checked that a holder of the sender's secret wrote it.

    Messages that come at once are written in one transaction; this answers once it is durable.
    """
    said = read(sender, body, headers, service.now())
    message = Message(sender, body, as_signed(said) if signed else said)

    def write(messages: Sequence[Message]) -> Sequence[Taken]:
        return service.database.change(lambda connection: keep_all(connection, messages, service.now()))

    return service.messages.add(message, len(body), write)


def read(sender: str, body: bytes, headers: Mapping[str, str], now: str) -> tuple[Said, ...]:
    """What the message says, checked against the clock. InputError where it is malformed, or of tomorrow."""
    said = READERS[sender](body, headers)
    latest = moment_of(now).timestamp() + AHEAD_SECONDS
    if any(_last(each) > latest for each in said):
        raise InputError("it says that it happens more than a day from now", where=sender, mend="set its clock")
    return said


def as_signed(said: Sequence[Said]) -> tuple[Said, ...]:
    """The same, of a message that was checked."""
    return tuple(structs.replace(each, signed=True) if isinstance(each, DeploymentEvent) else each for each in said)


def keep(connection: Connection, sender: str, body: bytes, said: Sequence[Said], now: str) -> Taken:
    """Writes what is new of a message, and what is known with it."""
    (taken,) = keep_all(connection, [Message(sender, body, tuple(said))], now)
    return taken


def keep_all(connection: Connection, messages: Sequence[Message], now: str) -> list[Taken]:
    """The same of many messages, as if they had come one after the other."""
    came = [NewMessage(each.sender, each.body, whole=_SECRET not in each.body) for each in messages]
    numbers = production_events.keep_messages(connection, came, now)
    new = [
        (number, [(key_of(each), each) for each in message.said])
        for message, number in zip(messages, numbers, strict=True)
        if number is not None
    ]
    taken = iter(_keep(connection, new, now) if new else ())
    return [
        Taken(0, len(message.said), 0) if number is None else next(taken)
        for message, number in zip(messages, numbers, strict=True)
    ]


def keep_said(connection: Connection, message: int | None, said: Sequence[tuple[str, Said]], now: str) -> Taken:
    """The same of what was read, each under the key of its message."""
    (taken,) = _keep(connection, [(message, said)], now)
    return taken


def fold(connection: Connection, said: Iterable[Said], now: str) -> None:
    """Adds what was said to what is known. Each must be new: how often errors happened is counted here."""
    values = list(said)
    for sender, found in _by(values, DeploymentEvent, lambda each: each.sender).items():
        _fold_deployments(connection, sender, found, now)
    for sender, fired in _by(values, Alert, lambda each: each.sender).items():
        _fold_alerts(connection, sender, fired, now)
    for sender, bad in _by(values, ErrorReport, lambda each: each.sender).items():
        _fold_errors(connection, sender, bad, now)


def key_of(said: Said) -> str:
    """What names this message among those of its sender."""
    return said.key if isinstance(said, DeploymentEvent | NotUsed) else folding.event_key(said)


# Private


class _Counted(Struct, frozen=True):
    """The state of a group of errors: what its sender says, and how many of its messages came."""

    progress: ErrorProgress
    messages: int


_ALERTS = msgspec.json.Decoder(AlertProgress)
_ERRORS = msgspec.json.Decoder(_Counted)


def _keep(
    connection: Connection, messages: Sequence[tuple[int | None, Sequence[tuple[str, Said]]]], now: str
) -> list[Taken]:
    """What became of each message. What two of them say is new in the first."""
    received = moment_of(now).timestamp()
    first: dict[tuple[str, str], tuple[int, Said]] = {}
    for place, (_, said) in enumerate(messages):
        for key, each in said:
            first.setdefault((each.sender, key), (place, each))
    timed = {key: (place, _timed(each, received)) for key, (place, each) in first.items()}
    events = [_event(key, each, messages[place][0]) for (_, key), (place, each) in timed.items()]
    new = [timed[event.sender, event.key] for event in production_events.keep(connection, events, now)]
    fold(connection, [each for _, each in new], now)
    forget_now_and_then(connection, now)
    written = Counter(place for place, _ in new)
    unused = Counter(place for place, each in new if isinstance(each, NotUsed))
    return [
        Taken(written[place] - unused[place], len(said) - written[place], unused[place])
        for place, (_, said) in enumerate(messages)
    ]


def _by(values: Iterable[Said], kind: type[V], key: Callable[[V], str]) -> dict[str, list[V]]:
    found: dict[str, list[V]] = {}
    for each in values:
        if isinstance(each, kind):
            found.setdefault(key(each), []).append(each)
    return found


def _last(said: Said) -> float:
    """The latest time that it names."""
    match said:
        case Alert():
            return max(said.started, said.ended or 0.0, said.at)
        case ErrorReport():
            return max(said.first, said.last or 0.0)
    return said.at


def _event(key: str, said: Said, message: int | None) -> NewEvent:
    kind, subject = _about(said)
    at = said.first if isinstance(said, ErrorReport) else said.at
    return NewEvent(said.sender, key, kind, subject, at, msgspec.json.encode(said), message)


def _about(said: Said) -> tuple[EventKind, str]:
    match said:
        case DeploymentEvent():
            return "deployment", rollout.deployment_id(said.sender, said.deployment)
        case Alert():
            return "alert", said.key
        case ErrorReport():
            return "error", said.key
    return "unused", said.type


def _timed(said: Said, received: float) -> Said:
    """With the time at which it came where its sender says none."""
    match said:
        case Alert():
            times = {"at": said.at or received, "started": said.started or said.at or received}
            return structs.replace(said, **times, ended=received if said.ended == 0 else said.ended)
        case ErrorReport():
            return structs.replace(said, first=said.first or received, last=said.last or said.first or received)
    return said if said.at else structs.replace(said, at=received)


def _fold_deployments(connection: Connection, sender: str, events: Sequence[DeploymentEvent], now: str) -> None:
    by = _by(events, DeploymentEvent, lambda each: rollout.deployment_id(each.sender, each.deployment))
    mine = {key: reduce(rollout.joined, map(rollout.progress_of, found)) for key, found in by.items()}

    def again(key: str, state: bytes) -> Told:
        return _told(rollout.joined(rollout.unpack(state), mine[key]))

    deployments.fold(connection, sender, {key: _told(each) for key, each in mine.items()}, again, now)


def _told(progress: Progress) -> Told:
    told = structs.asdict(rollout.deployment_of(progress))
    del told["id"], told["sender"], told["believed"]
    return Told(**told, state=rollout.pack(progress), signed=int(progress.signed))


def _fold_alerts(connection: Connection, sender: str, fired: Sequence[Alert], now: str) -> None:
    by = _by(fired, Alert, lambda each: each.key)
    mine = {key: reduce(folding.joined_alert, map(folding.progress_of_alert, found)) for key, found in by.items()}

    def again(key: str, state: bytes) -> ToldAlert:
        return _told_alert(folding.joined_alert(_ALERTS.decode(state), mine[key]))

    alerts.fold_alerts(connection, sender, {key: _told_alert(each) for key, each in mine.items()}, again, now)


def _told_alert(progress: AlertProgress) -> ToldAlert:
    told = structs.asdict(folding.alert_of(progress))
    del told["key"], told["sender"], told["at"]
    told["labels"] = msgspec.json.encode(told["labels"], order="sorted").decode()
    return ToldAlert(**told, state=msgspec.json.encode(progress))


def _fold_errors(connection: Connection, sender: str, bad: Sequence[ErrorReport], now: str) -> None:
    by = _by(bad, ErrorReport, lambda each: each.key)
    mine = {
        key: _Counted(reduce(folding.joined_error, map(folding.progress_of_error, found)), len(found))
        for key, found in by.items()
    }

    def again(key: str, state: bytes) -> ToldError:
        known, new = _ERRORS.decode(state), mine[key]
        return _told_error(_Counted(folding.joined_error(known.progress, new.progress), known.messages + new.messages))

    alerts.fold_errors(connection, sender, {key: _told_error(each) for key, each in mine.items()}, again, now)


def _told_error(counted: _Counted) -> ToldError:
    """Of a sender that counts, its count; of one that does not, how many messages came."""
    error = folding.error_of(counted.progress)
    told = structs.asdict(error)
    del told["key"], told["sender"]
    told["frames"] = msgspec.json.encode(error.frames)
    told["count"] = max(error.count, counted.messages)
    return ToldError(**told, state=msgspec.json.encode(counted))
