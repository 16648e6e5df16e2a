"""A few people, a repository and changes, for tests that need somebody to have done something."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.store import accounts, assessments, changes, repositories
from tidegate.store.assessments import NewAssessment

DAY = "2026-01-02"


def at(minute: float) -> str:
    """A time on the day of these tests."""
    whole = int(minute * 60_000_000)
    hours, rest = divmod(whole, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    seconds, micros = divmod(rest, 1_000_000)
    return f"{DAY}T{hours:02}:{minutes:02}:{seconds:02}.{micros:06}Z"


class World(Struct, frozen=True):
    ada: int
    ben: int
    repository: int
    change: int


def small_world(connection: Connection) -> World:
    ada = accounts.add_person(connection, "ada", "Ada", "approver", at(0)).id
    ben = accounts.add_person(connection, "ben", "Ben", "reviewer", at(0)).id
    new = repositories.NewRepository("github", "acme/shop", "https://example.test/acme/shop.git", "main")
    repository = repositories.add(connection, new, at(0)).id
    return World(ada, ben, repository, changes.keep(connection, read(repository, 1)).change.id)


def read(repository: int, number: int, *, minute: float = 1, **changed: str) -> changes.Read:
    values = {
        "title": f"Change {number}",
        "author": "ada",
        "target": "main",
        "base": "b" * 40,
        "head": f"{number:040x}",
        "state": "open",
        "forge_state": "{}",
        "opened_at": at(0),
        **changed,
    }
    return changes.Read(repository=repository, number=number, read_at=at(minute), **values)  # type: ignore[arg-type]


def assessed(change: int, key: str, *, head: str = "", verdict: str = "pass", risk: str | None = None) -> NewAssessment:
    return assessments.NewAssessment(
        change=change,
        key=key,
        base="b" * 40,
        head=head or f"{1:040x}",
        merge_tree="t" * 40,
        policy="p",
        facts="f",
        verdict=verdict,
        risk=risk,
        document=b'{"facts":' + key.encode() * 100 + b"}",
    )
