"""What insight over the service costs: `python -m bench.insight.service [CHANGES]`, by default 50,000.

Fills a database with merged changes, outcomes, deployments and incidents, asks for the figures of all of it, of one
repository and of the last quarter, and prints CPU for the first answer and for one after it. Exit code 1 where an
answer that is kept takes more than 300 ms.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection, insert

from bench.insight.drawn import DAYS, draw
from tidegate.insight.values import Shipped
from tidegate.server.config import Config
from tidegate.server.insight.answer import Asked, read_insight
from tidegate.server.insight.keeping import VERSION
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import repositories
from tidegate.store.clock import now
from tidegate.store.repositories import NewRepository
from tidegate.store.tables import changes, deployments, landed, outcomes

BAR_MS = 300.0
FIRST = 1_735_689_600.0


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 50_000
    with tempfile.TemporaryDirectory() as name:
        config = Config(data=Path(name), database=f"sqlite:///{name}/tidegate.db")
        with open_service(config) as service:
            fill(service, count)
            return _measure(service)


def fill(service: Service, count: int) -> None:
    """Changes of a year from 2025 on, in ten repositories, and what became of them."""
    shipped, ran = draw(random.Random(1), count)
    with service.database.write() as connection:
        numbers = {f"r{number}": _repository(connection, number) for number in range(10)}
        rows = [_rows(one, numbers[one.repository]) for one in shipped]
        for table, place in ((changes, 0), (landed, 1), (outcomes, 2)):
            connection.execute(insert(table), [row[place] for row in rows])
        told = {"sender": "s", "environment": "production", "service": "web", "action": "deploy", "previous": ""}
        empty: dict[str, object] = {**dict.fromkeys(("artifact", "actor", "url", "chain"), ""), "signed": 0}
        steps = [
            {
                "key": f"s/{number}",
                "status": "failed" if one.failed else "succeeded",
                "started": FIRST + one.at,
                "finished": FIRST + one.at + 60,
                "repository": one.repository,
                "revision": f"{number * 5:040x}",
                "state": b"",
                "changed_at": now(),
                **told,
                **empty,
            }
            for number, one in enumerate(ran)
        ]
        connection.execute(insert(deployments), steps)


# Private


def _measure(service: Service) -> int:
    slow = []
    end = FIRST + DAYS * 86400
    asked = {
        "a year of all": Asked(FIRST, end),
        "a year of one repository": Asked(FIRST, end, repository=3),
        "a quarter of all": Asked(end - 91 * 86400, end),
    }
    for words, one in asked.items():
        first, found = _ask(service, one)
        again = min(_ask(service, one)[0] for _ in range(3))
        print(f"{words:28} {found:6,} changes   first {first:7.0f} ms   after {again:6.1f} ms")
        slow += [words] if again > BAR_MS else []
    return bool(slow)


def _ask(service: Service, asked: Asked) -> tuple[float, int]:
    began = time.process_time()
    found = read_insight(service, asked)
    return (time.process_time() - began) * 1000, found.insight.changes


def _repository(connection: Connection, number: int) -> int:
    new = NewRepository("github", f"acme/r{number}", f"https://github.com/acme/r{number}.git", "main")
    return repositories.add(connection, new, now()).id


def _rows(one: Shipped, repository: int) -> tuple[dict[str, object], dict[str, object], dict[str, object]]:
    number, at, revision = int(one.commit), FIRST + one.landed, f"{int(one.commit):040x}"
    change = {
        "id": number + 1,
        "repository": repository,
        "number": number + 1,
        "title": "t",
        "author": one.author,
        "target": "main",
        "base": "b" * 40,
        "head": revision,
        "state": "merged",
        "forge_state": "{}",
        "opened_at": now(),
        "read_at": now(),
    }
    lines = {writer: one.lines.get(writer, 0) for writer in ("ai", "human", "mixed", "unknown")}
    row: dict[str, object] = {
        "change": number + 1,
        "repository": repository,
        "version": VERSION,
        "at": at,
        "began": at,
        "revision": revision,
        "commits": revision,
        "author": one.author,
        "team": "",
        "merged_by": one.merged_by,
        "tool": "",
        "model": one.model,
        "size": one.size,
        "effort": one.effort,
        **lines,
        "tests": one.test_lines,
        "complexity": one.complexity,
        "cloned": one.cloned,
        "todos": one.todos,
        "seconds": one.seconds,
        "reviewers": " ".join(one.reviewers or ()),
        "reviewed": one.reviewed,
        "kept_at": now(),
    }
    outcome = {
        "repository": repository,
        "environment": "production",
        "revision": revision,
        "by": "",
        "weight": 1.0,
        "result": "clean" if one.fate == "pending" else one.fate,
        "known": at + 9e5,
        "redeploys": 0,
        "deployed": (one.deployed or one.landed) + FIRST,
        "changed_at": now(),
    }
    return change, row, outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
