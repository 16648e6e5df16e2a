"""Which deployments brought a commit that takes back what caused an incident, as the histories of the mirrors say.

A roll-forward that reverts the culprit ends an incident as a roll-back does. What cannot be read says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from tidegate.rollout.joined import Joined
from tidegate.rollout.values import Deployment
from tidegate.server.production.shipping import Asked, ask
from tidegate.server.production.tracing import bring_mirrors
from tidegate.server.work.journey import Way
from tidegate.store import deployments as kept

MOST = 20


def taken_back(way: Way, culprit: str, suspect: Deployment, here: Sequence[Deployment]) -> frozenset[str]:
    """Of the deployments after the suspect, those that revert the culprit, by id.

    Where that is not one of the suspect's commits, those that revert any of these.
    """
    after = [one for one in here if _is_after(one, suspect)][:MOST]
    if not after or not suspect.repository:
        return frozenset()
    known = [_with_previous(way, one) for one in (suspect, *after)]
    mirrors, _ = bring_mirrors(way, known)
    if suspect.repository not in mirrors:
        return frozenset()
    said = ask(Asked(mirror=mirrors[suspect.repository][0], deployments=tuple(known), causes=()))
    if said is None or said.cycles is None:
        return frozenset()
    brought = {one.deployment.id: _brought(one.joined) for one in said.shipped}
    ran = brought.get(suspect.id, frozenset())
    of = frozenset((culprit,)) if culprit in ran else ran
    undo = {tie.commit for cycle in said.cycles for tie in cycle.ties if tie.kind == "reverts" and tie.of in of}
    return frozenset(one.id for one in after if brought.get(one.id, frozenset()) & undo)


# Private


def _is_after(one: Deployment, suspect: Deployment) -> bool:
    return (
        (one.service, one.environment, one.repository) == (suspect.service, suspect.environment, suspect.repository)
        and one.started >= suspect.started
        and one.id != suspect.id
        and one.status == "succeeded"
        and bool(one.revision)
    )


def _with_previous(way: Way, one: Deployment) -> Deployment:
    if one.previous:
        return one
    with way.service.database.read() as connection:
        before = kept.ran_before(connection, one.environment, one.service, one.started)
    return replace(one, previous=before.revision) if before is not None else one


def _brought(joined: Joined) -> frozenset[str]:
    parts: list[Collection[str]] = [(landed.commit, *landed.brings) for landed in joined.comes]
    return frozenset().union(*parts)
