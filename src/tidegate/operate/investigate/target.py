"""What to roll back to: the last revision of the suspect's service that held in the same environment."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.operate.investigate.timeline import name_of
from tidegate.operate.investigate.values import Case, Target
from tidegate.rollout.values import Deployment

LEAST_SUSPECTED = 0.3
HELD_SECONDS = 600.0
"""What ran this long without an incident counts as sound; what ran shorter is said to be little tried."""


def find_target(case: Case) -> Target | None:
    """None where no deployment is suspected with at least .3, and where the suspect does not run any more."""
    suspect = _suspect(case)
    if suspect is None:
        return None
    here = sorted(
        (one for one in case.deployments if (one.service, one.environment) == (suspect.service, suspect.environment)),
        key=lambda one: (one.started, one.id),
    )
    if any(one.started > suspect.started and one.status == "succeeded" for one in here):
        return None
    before = [one for one in here if one.started < suspect.started]
    sound = next((one for one in reversed(before) if _sound(one, suspect)), None)
    if sound is not None:
        return _to(case, suspect, sound, here)
    if suspect.previous:
        return Target(
            service=suspect.service,
            revision=suspect.previous,
            says=f"Back to {suspect.previous[:12]}, which ran before; when it was deployed was not told",
            warnings=_warnings(case, (suspect,)),
            sources=(suspect.url or f"deployment {suspect.id}",),
        )
    return Target(
        service=suspect.service,
        revision="",
        says=f"No earlier deployment of {suspect.service} to {suspect.environment} is known to have held",
        warnings=_warnings(case, (suspect,)),
    )


# Private


def _suspect(case: Case) -> Deployment | None:
    by_id = {one.id: one for one in case.deployments}
    shares: dict[str, float] = {}
    for each in case.ranking.suspects:  # several commits of one deployment are one thing to roll back
        shares[each.deployment] = shares.get(each.deployment, 0.0) + each.probability
    first = max(shares, key=lambda one: (shares[one], one), default="")
    return by_id.get(first) if shares.get(first, 0.0) >= LEAST_SUSPECTED else None


def _sound(one: Deployment, suspect: Deployment) -> bool:
    return one.status == "succeeded" and bool(one.revision) and one.revision != suspect.revision


def _to(case: Case, suspect: Deployment, sound: Deployment, here: Sequence[Deployment]) -> Target:
    following = next(one for one in here if (one.started, one.id) > (sound.started, sound.id))
    held = following.started - (sound.finished or sound.started)
    between = [one for one in here if sound.started < one.started <= suspect.started]
    little = (f"it ran for {held / 60:.0f} min only",) if held < HELD_SECONDS else ()
    return Target(
        service=suspect.service,
        revision=sound.revision,
        says=f"Back to {name_of(sound)}, which ran for {_duration(held)} before",
        warnings=(*_warnings(case, between), *little),
        sources=tuple(one.url or f"deployment {one.id}" for one in (sound, suspect)),
    )


def _warnings(case: Case, undone: Sequence[Deployment]) -> tuple[str, ...]:
    revisions = {one.revision for one in undone}
    return tuple(f"{revision[:12]} {says}" for revision, says in case.effects if revision in revisions)


def _duration(seconds: float) -> str:
    for size, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
