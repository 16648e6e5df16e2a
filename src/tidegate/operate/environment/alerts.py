"""What monitoring tools told of services by their alerts: a tool that has alerted about a service watches it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.operate.environment.statements import Fires, Statement, Told, Watched
from tidegate.operate.environment.values import Said, SourceRead, Watch
from tidegate.operate.values import Alert
from tidegate.report.layout import grouped


class Alerted(Struct, frozen=True):
    """Alerts of one or more tools, and where they are kept."""

    where: str
    alerts: tuple[Alert, ...]


def statements_of(alerted: Alerted, environment: str) -> Iterator[Statement]:
    """Of alerts of this environment, and of those that name none; "" takes all."""
    mine = [one for one in alerted.alerts if not environment or one.environment in ("", environment)]
    last: dict[tuple[str, str, str], Alert] = {}
    for one in sorted(mine, key=lambda one: (_at(one), one.key)):
        if one.service:
            last[one.service, one.sender, one.name] = one
    for (service, sender, name), one in sorted(last.items()):
        said = Said(source="alerts", where=f"{sender} alert {name}", seen=_at(one))
        since = one.started if one.ended is None else one.ended
        yield Fires(service=service, alert=name, firing=one.ended is None, said=said, since=since)
        watch = Watch(rule=name, said=said, why=f"{sender} has alerted about it", severity=one.severity)
        yield Watched(service=service, watch=watch, routes=())
    for sender in sorted({one.sender for one in mine}):
        told = [one for one in mine if one.sender == sender]
        services = len({one.service for one in told if one.service})
        words = f"{grouped(len(told), 'alert')} about {grouped(services, 'service')}"
        yield Told(read=SourceRead(source="alerts", where=sender, says=words))


# Private


def _at(one: Alert) -> float:
    """When it was last said to be so."""
    return one.at or (one.ended if one.ended is not None else one.started)
