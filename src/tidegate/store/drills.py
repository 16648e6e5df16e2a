"""Drills: an exercise with its scenario and report, what happened in it, each once, and when something is due next."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, delete, func, select, update

from tidegate.store.packed import pack, unpack
from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import drill_beats, drill_events, drills

State: TypeAlias = Literal["making", "failed", "ready", "running", "paused", "over", "reported"]
Kind: TypeAlias = Literal["start", "pause", "resume", "skip", "end", "join", "lead", "answer"]
Through: TypeAlias = Literal["session", "token"]
MOST = 100
MOST_EVENTS = 2_000


class NewDrill(Struct, frozen=True, kw_only=True):
    """`scenario`: what was uploaded, empty where it is to be made; `pattern` "": the one that fits best."""

    repository: int
    facilitator: int
    pattern: str = ""
    seed: int = 0
    scenario: bytes = b""


class Drill(Struct, frozen=True):
    id: int
    repository: int
    facilitator: int
    pattern: str
    seed: int
    state: State
    problem: str
    tries: int
    made_at: str
    changed_at: str
    entry: int | None


class NewEvent(Struct, frozen=True, kw_only=True):
    """`key`: what there is one of in this exercise."""

    drill: int
    key: str
    kind: Kind
    person: int
    through: Through
    about: str = ""
    said: str = ""


class Event(Struct, frozen=True):
    id: int
    drill: int
    key: str
    kind: Kind
    person: int
    through: Through
    about: str
    said: str
    at: str
    entry: int | None


def add(connection: Connection, given: NewDrill, at: str) -> Drill:
    """A new one, to be made."""
    values = structs.asdict(given) | {"scenario": pack(given.scenario), "report": pack(b""), "state": "making"}
    values |= {"problem": "", "tries": 0, "made_at": at, "changed_at": at}
    number = connection.execute(drills.insert().values(**values).returning(drills.c.id)).scalar_one()
    return present(get(connection, number))


def get(connection: Connection, identifier: int) -> Drill | None:
    return one(connection, Drill, _all().where(drills.c.id == identifier))


def take(connection: Connection, identifier: int, at: str) -> Drill | None:
    """The same, and nobody else writes it, or what happens in it, until this transaction ends."""
    connection.execute(update(drills).where(drills.c.id == identifier).values(changed_at=at))
    return get(connection, identifier)


def page(connection: Connection, *, before: int | None = None, most: int = MOST) -> tuple[Drill, ...]:
    """The last that was made first, from before the one with id `before`."""
    query = _all().order_by(drills.c.id.desc()).limit(most)
    return every(connection, Drill, query if before is None else query.where(drills.c.id < before))


def in_states(connection: Connection, states: Collection[State], *, most: int = MOST) -> tuple[Drill, ...]:
    """Those that were begun least often, and of them the oldest, first."""
    query = _all().where(drills.c.state.in_(states)).order_by(drills.c.tries, drills.c.id).limit(most)
    return every(connection, Drill, query)


def count(connection: Connection, state: State) -> int:
    return connection.execute(select(func.count()).where(drills.c.state == state)).scalar_one()


def unrecorded(connection: Connection, *, most: int = MOST) -> tuple[Drill, ...]:
    """Those with a report that no entry of the ledger is said for."""
    query = _all().where(drills.c.state == "reported", drills.c.entry.is_(None)).order_by(drills.c.id).limit(most)
    return every(connection, Drill, query)


def scenario(connection: Connection, identifier: int) -> bytes:
    """JSON; empty where there is none yet. InternalError where what is kept is damaged."""
    packed = connection.execute(select(drills.c.scenario).where(drills.c.id == identifier)).scalar()
    return b"" if packed is None else unpack(packed, f"drill {identifier}")


def report(connection: Connection, identifier: int) -> bytes:
    """JSON; empty where there is none yet. InternalError where what is kept is damaged."""
    packed = connection.execute(select(drills.c.report).where(drills.c.id == identifier)).scalar()
    return b"" if packed is None else unpack(packed, f"drill {identifier}")


def begin(connection: Connection, identifier: int) -> None:
    """Counts that somebody begins to make it, or its report."""
    connection.execute(update(drills).where(drills.c.id == identifier).values(tries=drills.c.tries + 1))


def made(connection: Connection, identifier: int, document: bytes, at: str) -> bool:
    """Whether this scenario is the one: of two that were made, the first."""
    return _turn(connection, identifier, "making", at, state="ready", scenario=pack(document), problem="", tries=0)


def fail(connection: Connection, identifier: int, problem: str, at: str) -> bool:
    return _turn(connection, identifier, "making", at, state="failed", problem=problem)


def reported(connection: Connection, identifier: int, document: bytes, at: str) -> bool:
    """Whether this report is the one."""
    return _turn(connection, identifier, "over", at, state="reported", report=pack(document))


def set_state(connection: Connection, identifier: int, state: State) -> None:
    connection.execute(update(drills).where(drills.c.id == identifier).values(state=state))


def set_entry(connection: Connection, identifier: int, entry: int) -> None:
    """Says where the ledger holds its result."""
    connection.execute(update(drills).where(drills.c.id == identifier).values(entry=entry))


def put(connection: Connection, given: NewEvent, at: str) -> bool:
    """Writes it; False where one with its key is there."""
    return insert_once(connection, drill_events, {**structs.asdict(given), "at": at})


def events(connection: Connection, drill: int) -> tuple[Event, ...]:
    """In the order in which they happened."""
    query = select_as(Event, drill_events).where(drill_events.c.drill == drill)
    return every(connection, Event, query.order_by(drill_events.c.id).limit(MOST_EVENTS))


def unrecorded_answers(connection: Connection, *, most: int = MOST) -> tuple[Event, ...]:
    """Decisions that no entry of the ledger is said for."""
    waiting = select_as(Event, drill_events).where(drill_events.c.kind == "answer", drill_events.c.entry.is_(None))
    return every(connection, Event, waiting.order_by(drill_events.c.id).limit(most))


def set_event_entry(connection: Connection, identifier: int, entry: int) -> None:
    """Says where the ledger holds it."""
    connection.execute(update(drill_events).where(drill_events.c.id == identifier).values(entry=entry))


def set_beats(connection: Connection, drill: int, due: Collection[str]) -> None:
    """When something is due from now on, in the place of what was said before."""
    connection.execute(delete(drill_beats).where(drill_beats.c.drill == drill))
    rows = [{"drill": drill, "due_at": at} for at in sorted(set(due))]
    if rows:
        connection.execute(drill_beats.insert(), rows)


# Private


def _all() -> Select[Any]:
    return select_as(Drill, drills)


def _turn(connection: Connection, identifier: int, before: State, at: str, **values: Any) -> bool:
    mine = update(drills).where(drills.c.id == identifier, drills.c.state == before)
    return changed(connection, mine.values(**values, changed_at=at)) == 1
