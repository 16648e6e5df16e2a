"""Has a change looked at again because of what people did here: the way of a delivery, so that it is not lost."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from tidegate.server.forge import values as forge
from tidegate.server.service import Service
from tidegate.store import changes, inbox, repositories, values
from tidegate.store.clock import later
from tidegate.store.inbox import Delivery
from tidegate.store.tables import approvals, emergencies

_ROW = "looked for what ended"
_FIRST_SECONDS = 86_400.0


def ask_again(service: Service, change: int, why: str) -> bool:
    """Whether it was asked for now. `why` names the reason: of one reason it is asked for once."""
    with service.database.read() as connection:
        row = changes.get(connection, change)
        repository = repositories.get(connection, row.repository) if row else None
    if row is None or repository is None or repository.removed_at is not None or row.state != "open":
        return False
    name = f"tidegate-again-{change}-{why}"
    hint = forge.Delivery(name, "again", repository.slug, "asked", row.number, row.head)
    asked = Delivery(repository.forge, name, hint.event, repository.slug, msgspec.json.encode(hint))
    new = service.database.change(lambda connection: inbox.receive(connection, asked, service.now()))
    if new:
        service.wake()
    return new


def ask_about_ended(service: Service) -> int:
    """Has changes looked at again whose approval or emergency ended since this was done last; how many."""
    now = service.now()
    with service.database.read() as connection:
        since = values.read(connection, _ROW) or later(now, -_FIRST_SECONDS)
        ended = _ended(connection, since, now)
    count = sum(ask_again(service, change, why) for change, why in ended)
    service.database.change(lambda connection: values.write(connection, _ROW, now, now))
    return count


# Private


def _ended(connection: Connection, since: str, now: str) -> list[tuple[int, str]]:
    found = []
    for table, kind in ((approvals, "approval"), (emergencies, "emergency")):
        during = (table.c.expires_at > since, table.c.expires_at <= now)
        rows = connection.execute(select(table.c.id, table.c.change).where(*during).order_by(table.c.id))
        found += [(row.change, f"{kind}-{row.id}-ended") for row in rows]
    return found
