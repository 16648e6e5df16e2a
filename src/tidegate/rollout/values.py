"""A deployment as a value: what was brought where, by whom, when, and how it ended. Times are Unix seconds."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DeploymentStatus = Literal["started", "succeeded", "failed", "rolled_back", "cancelled"]
DeploymentAction = Literal["deploy", "roll_back", "remove"]
"""roll_back: it brings back what ran before. remove: the service runs there no more."""


class DeploymentEvent(Struct, frozen=True, kw_only=True):
    """What one message of a sender says of one deployment. `key` names the message: the same key is the same message.

    `deployment` names the deployment among those of the sender, so that later messages find it. Empty texts are
    what the sender did not say; `share` is the part of the traffic that it gets, 0 to 1. `signed`: whoever took it in
    checked that a holder of the sender's secret wrote it; no reader says so.
    """

    sender: str
    key: str
    at: float
    deployment: str
    status: DeploymentStatus
    environment: str
    service: str
    repository: str = ""
    revision: str = ""
    previous: str = ""
    artifact: str = ""
    share: float | None = None
    actor: str = ""
    url: str = ""
    chain: str = ""
    action: DeploymentAction = "deploy"
    signed: bool = False


class NotUsed(Struct, frozen=True, kw_only=True):
    """A message that was understood, and that says nothing which Tidegate uses. `type` is the sender's own word."""

    sender: str
    key: str
    type: str
    at: float = 0.0
    why: str = ""


class Deployment(Struct, frozen=True, kw_only=True):
    """One deployment of one service to one environment, as all its events tell it, in whatever order they came.

    `revision` is the commit in full where one is known; `previous` is the one that ran there before. Not `believed`:
    it may have run there, and a gate does not take that for true.
    """

    id: str
    environment: str
    service: str
    status: DeploymentStatus
    started: float
    finished: float | None = None
    repository: str = ""
    revision: str = ""
    previous: str = ""
    artifact: str = ""
    share: float | None = None
    actor: str = ""
    url: str = ""
    chain: str = ""
    sender: str = ""
    action: DeploymentAction = "deploy"
    believed: bool = True
