"""What was told of deployments: what runs where, since when, and what was taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from tidegate.operate.environment.statements import Exists, NotKnown, Removed, Runs, Statement, Told
from tidegate.operate.environment.values import Said, SourceRead
from tidegate.report.layout import grouped
from tidegate.rollout.values import Deployment


class Deployed(Struct, frozen=True):
    """Deployments, and where they were read."""

    where: str
    deployments: tuple[Deployment, ...]


def statements_of(deployed: Deployed, environment: str) -> Iterator[Statement]:
    """Of each service the last deployment that did not fail, to this environment; "" takes all."""
    last: dict[str, Deployment] = {}
    unnamed = 0
    for one in sorted(deployed.deployments, key=_at):
        if environment and one.environment != environment:
            continue
        if not one.service:
            unnamed += 1
        elif one.status == "succeeded":
            last[one.service] = one
    for service, one in sorted(last.items()):
        said = Said(source="deployments", where=f"{deployed.where}: {one.id}", seen=_at(one))
        if one.action == "remove":
            yield Removed(service=service, said=said)
            continue
        yield Exists(service=service, kind="service", said=said)
        if one.revision:
            yield Runs(service=service, revision=one.revision, said=said)
    if unnamed:
        yield NotKnown(says=f"{unnamed} deployments name no service")
    named = _environments(deployed.deployments)
    if not environment and len(named) > 1:
        yield NotKnown(says=f"deployments go to several environments ({', '.join(named)}), shown as one")
    words = f"{grouped(len(last), 'service')}, {grouped(len(deployed.deployments), 'deployment')}"
    yield Told(read=SourceRead(source="deployments", where=deployed.where, says=words))


# Private


def _at(one: Deployment) -> float:
    return one.finished if one.finished is not None else one.started


def _environments(deployments: Iterable[Deployment]) -> list[str]:
    return sorted({one.environment for one in deployments if one.environment})
