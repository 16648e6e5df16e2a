"""Whether a token that was made for some repositories may say what a message says."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.operate.intake.listing import Said
from tidegate.rollout.deployments import deployment_id
from tidegate.rollout.values import DeploymentEvent
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.rollout.about import find_repository
from tidegate.server.service import Service
from tidegate.store import deployments


def check_repositories(service: Service, who: Who, said: Sequence[Said]) -> None:
    """Problem 403 for anything but deployments of its repositories: also where it is about one that others told of."""
    with service.database.read() as connection:
        for each in said:
            if not isinstance(each, DeploymentEvent):
                raise Problem(403, "this token speaks for some repositories only, and may tell of deployments alone")
            known = deployments.by_key(connection, deployment_id(each.sender, each.deployment))
            names = {each.repository, known.repository if known is not None else ""} - {""}
            found = [find_repository(connection, name) for name in names]
            if not found or not all(one is not None and who.speaks_for(one.id) for one in found):
                raise Problem(
                    403,
                    "this token does not speak for the repository of this deployment",
                    detail=", ".join(sorted(names))[:200],
                    mend="name its repository, as OWNER/NAME",
                )
