"""How an incident ended: the deployment that ended it, and whether that took the cause back or went forward."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.rollout.values import Deployment

Ending: TypeAlias = Literal["roll_back", "hot_fix", "forward_fix"]

HOT_FIX_SECONDS = 4 * 3600.0
"""A fix that is in production this soon after it began was made for it, whatever its commit says."""
LATEST_SECONDS = 300.0
"""An incident is over some minutes after what ended it, because alerts look back over a window."""


class Resolution(Struct, frozen=True, kw_only=True):
    """Which deployment ended it and how. `says` tells why it is thought so."""

    kind: Ending
    deployment: Deployment
    says: str


def find_resolution(
    started: float,
    ended: float,
    suspect: Deployment | None,
    deployments: Sequence[Deployment],
    *,
    takes_back: Collection[str] = (),
) -> Resolution | None:
    """The last deployment within the incident that can have ended it; None where none can: nobody is credited then.

    `suspect` is the deployment that is thought to have caused it. `takes_back` are the deployments, by id, of which the
    caller found out that they revert or undo a commit of the suspect's.
    """
    within = [
        one
        for one in sorted(deployments, key=lambda one: (one.finished or one.started, one.id))
        if started < (one.finished or one.started) <= ended + 1.0
        and one.status in ("succeeded", "rolled_back")
        and (suspect is None or (one.service, one.environment) == (suspect.service, suspect.environment))
        and (suspect is None or one.id != suspect.id or one.status == "rolled_back")
    ]
    if not within:
        return None
    last = within[-1]
    back = next((one for one in reversed(within) if _is_back(one, suspect, deployments)), None)
    if back is not None and back is last:
        return Resolution(kind="roll_back", deployment=back, says="it brought back a revision that ran before")
    if last.id in takes_back:
        return Resolution(kind="roll_back", deployment=last, says="it brings a commit that takes the cause back")
    if suspect is None and (ended - (last.finished or last.started)) > LATEST_SECONDS:
        return None
    soon = (last.finished or last.started) - started <= HOT_FIX_SECONDS
    says = f"it was in production {((last.finished or last.started) - started) / 60:.0f} min after the start"
    return Resolution(kind="hot_fix" if soon else "forward_fix", deployment=last, says=says)


# Private


def _is_back(one: Deployment, suspect: Deployment | None, deployments: Sequence[Deployment]) -> bool:
    if one.status == "rolled_back" or one.action == "roll_back":
        return True
    ran = {
        each.revision
        for each in deployments
        if (each.service, each.environment) == (one.service, one.environment)
        and each.revision
        and each.started < (suspect.started if suspect else one.started)
    }
    return one.revision in ran
