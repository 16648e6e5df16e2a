"""The figures of a repository, a team or everything, computed once for what is in the tables, and kept in memory."""

from __future__ import annotations

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.insight.answer import Insight, Told, look
from tidegate.insight.values import Every
from tidegate.server.insight.reading import Wanted, read_rows
from tidegate.server.insight.runs import read_runs
from tidegate.server.insight.spending import read_spent
from tidegate.server.service import Service
from tidegate.store import landed
from tidegate.store.clock import moment_of

STEP_SECONDS = 600
"""A question about the time until now is one for so long, so that its answer is computed once."""
LONGEST_DAYS = 3700


class Asked(Struct, frozen=True):
    """Unix seconds from `since` to before `until`. `repository` is its number, 0: all; `team` "": all."""

    since: float
    until: float
    repository: int = 0
    team: str = ""
    environment: str = "production"
    every: Every = "week"
    by: tuple[str, ...] = ("writer",)


class Answer(Struct, frozen=True):
    """`as_of`: when it was computed, RFC 3339. Nothing has been added to the tables since."""

    insight: Insight
    as_of: str


def until_now(service: Service) -> float:
    """The end of a question about the time until now, in Unix seconds: the last whole ten minutes."""
    return moment_of(service.now()).timestamp() // STEP_SECONDS * STEP_SECONDS


def read_insight(service: Service, asked: Asked) -> Answer:
    """InputError for a time that is none, or too long."""
    if not asked.since < asked.until:
        raise InputError("the time ends before it begins", where="since", mend="ask for at least a day")
    if asked.until - asked.since > LONGEST_DAYS * 86400:
        raise InputError(f"the time is longer than {LONGEST_DAYS} days", where="since", mend="ask for a shorter one")
    with service.database.read() as connection:
        mark = landed.newest(connection)
    return service.cache.get(("insight", asked, mark, _hour(service)), lambda: _answer(service, asked), _size)


# Private


def _hour(service: Service) -> str:
    """Which changes are too young to be judged depends on the hour."""
    return service.now()[:13]


def _answer(service: Service, asked: Asked) -> Answer:
    now = service.now()
    wanted = Wanted(
        asked.since, asked.until, moment_of(now).timestamp(), asked.environment, asked.repository, asked.team
    )
    with service.database.read() as connection:
        rows = read_rows(connection, wanted)
        spent = read_spent(connection, wanted)
        runs = read_runs(connection, wanted)
    found = look(
        rows.shipped,
        rows.ran,
        asked.since,
        asked.until,
        by=asked.by,
        costs=spent.costs,
        notes=(*rows.notes, *runs.notes, *(() if spent.costs else spent.notes)),
        every=asked.every,
        told=Told(pseudonym=str, suite=runs.suite, bill_notes=spent.notes),
    )
    return Answer(found, now)


def _size(made: Answer) -> int:
    """Bytes of its values, roughly."""
    found = made.insight
    figures = sum(len(one.points) for one in found.series) + sum(9 * (len(table.rows) + 1) for table in found.tables)
    return 4096 + 400 * figures
