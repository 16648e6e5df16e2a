"""A service in which changes landed, were reviewed, deployed and sometimes repaired, as the worker would keep it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, Table, insert

from tidegate.server.service import Service
from tidegate.store import repositories
from tidegate.store.changes import Read
from tidegate.store.clock import later, moment_of, now
from tidegate.store.deployments import Told
from tidegate.store.landed import Landed
from tidegate.store.outcomes import NewOutcome
from tidegate.store.repositories import NewRepository
from tidegate.store.tables import changes, deployments, landed, outcomes

DAY = 86400.0
FIRST = 10_000
PEOPLE = tuple(f"p-{name}" for name in ("amber", "birch", "cedar", "dune", "elder", "fern"))


def tell(service: Service, count: int, *, days: float = 91.0, seed: int = 7) -> tuple[int, int]:
    """That many changes of two new repositories in as many days until now; the numbers of both.

    Agents write about half of them; theirs are repaired twice as often, and what is reviewed falls by half.
    """
    draw = random.Random(seed)
    end = moment_of(now()).timestamp()
    with service.database.write() as connection:
        first, second = (_repository(connection, slug) for slug in ("acme/web", "acme/pay"))
        rows = [_Row(draw, number, end, days, count, (first, second)) for number in range(count)]
        _insert(connection, changes, (structs.asdict(row.read) | {"id": FIRST + row.number} for row in rows))
        _insert(connection, landed, (structs.asdict(row.landed) | {"kept_at": now()} for row in rows))
        _insert(connection, outcomes, (structs.asdict(row.outcome) | {"changed_at": now()} for row in rows))
        told = [row for row in rows if row.number % 3 == 0]
        _insert(connection, deployments, (row.deployment | {"changed_at": now()} for row in told))
    return first, second


# Private


class _Row:
    def __init__(
        self, draw: random.Random, number: int, end: float, days: float, count: int, among: tuple[int, int]
    ) -> None:
        self.number = number
        self.at = end - days * DAY * (count - number) / count
        late = number / count
        self.writer = draw.choices(("ai", "human", "mixed", "unknown"), (5, 3, 1, 1))[0]
        self.size = int(draw.lognormvariate(4, 0.8)) + 2
        self.bad = draw.random() < (0.24 if self.writer == "ai" else 0.1)
        self.repository = among[draw.random() < 0.4]
        self.commit = f"{number:040x}"
        self.read = self._read()
        self.landed = self._landed(draw, late)
        self.outcome = NewOutcome(
            repository=self.repository,
            environment="production",
            revision=self.commit,
            by=f"{number + 1:040x}" if self.bad else "",
            result="fixed" if self.bad else "clean",
            weight=0.9,
            deployed=self.at + draw.expovariate(1 / DAY),
            known=self.at + 8 * DAY,
            redeploys=draw.choice((0, 0, 1, 2)),
        )
        self.deployment = self._deployment("failed" if draw.random() < 0.1 else "succeeded")

    def _read(self) -> Read:
        return Read(
            repository=self.repository,
            number=FIRST + self.number,
            title=f"Change {self.number}",
            author="alice",
            target="main",
            base="",
            head=self.commit,
            state="merged",
            forge_state="{}",
            opened_at=now(),
            read_at=now(),
        )

    def _landed(self, draw: random.Random, late: float) -> Landed:
        agent = self.writer in ("ai", "mixed")
        reviewed = draw.random() < 0.95 - 0.4 * late
        who = draw.choices(PEOPLE, (9, 3, 2, 2, 1, 1))[0]
        return Landed(
            change=FIRST + self.number,
            repository=self.repository,
            version=1,
            at=self.at,
            began=self.at - draw.expovariate(1 / DAY),
            revision=self.commit,
            commits=self.commit,
            author=draw.choice(("p-gorse", "p-hazel")),
            team=draw.choice(("core", "web", "")),
            merged_by=draw.choice(("p-gorse", "p-hazel")),
            tool="claude-code" if agent else "",
            model=draw.choice(("opus-4-6", "sonnet-5")) if agent else "",
            size=self.size,
            effort=self.size,
            **{each: self.size if each == self.writer else 0 for each in ("ai", "human", "mixed", "unknown")},
            tests=int(self.size * draw.random() * 0.5),
            complexity=draw.randrange(5),
            cloned=int(self.size * draw.random() * 0.1),
            todos=draw.randrange(2),
            reviewers=who if reviewed else "",
            reviewed=int(self.size * draw.random()) if reviewed else 0,
            seconds=self.size * draw.random() * (4 - 2.5 * late) if reviewed else 0.0,
        )

    def _deployment(self, status: str) -> dict[str, Any]:
        told = Told(
            environment="production",
            service="web",
            status=status,  # type: ignore[arg-type]
            action="deploy",
            started=self.at,
            finished=self.at + 60,
            repository="https://github.com/acme/web",
            revision=self.commit,
            previous="",
            artifact="",
            share=None,
            actor="",
            url="",
            chain="",
            state=b"",
        )
        return {**structs.asdict(told), "key": f"told-{self.number}", "sender": "test"}


def _repository(connection: Connection, slug: str) -> int:
    new = NewRepository("github", slug, f"https://github.com/{slug}.git", "main")
    return repositories.add(connection, new, later(now(), -100 * DAY)).id


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    connection.execute(insert(table), list(rows))
