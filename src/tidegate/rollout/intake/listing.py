"""Every sender of deployments. What is not in this list is not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tidegate.rollout.intake import argo, cdevents, flagger, github, gitlab, plain
from tidegate.rollout.values import DeploymentEvent, NotUsed

Reader: TypeAlias = Callable[[bytes, Mapping[str, str]], tuple[DeploymentEvent | NotUsed, ...]]

READERS: Mapping[str, Reader] = {
    "argo": argo.read,
    "cdevents": cdevents.read,
    "flagger": flagger.read,
    "github": github.read,
    "gitlab": gitlab.read,
    "plain": plain.read,
}
