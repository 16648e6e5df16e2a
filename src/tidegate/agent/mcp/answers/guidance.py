"""guidance_for: what holds for a path, as the guide compiles it."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.agent.guide.answer import Item
from tidegate.agent.guide.answer import guidance_for as compile_for
from tidegate.agent.mcp.arguments import PathArguments
from tidegate.agent.mcp.ask import Scene, checked_path
from tidegate.agent.mcp.values import GuidanceAnswer, Said
from tidegate.change.configuration import read_settings


def guidance_for(scene: Scene, asked: PathArguments) -> GuidanceAnswer:
    """What holds there at HEAD: what an agent changes in the work tree does not bind it."""
    path = checked_path(asked.path)
    head = scene.repository.resolve("HEAD")
    found = compile_for(scene.repository, head, path, read_settings(scene.repository, head, scene.environment).settings)
    return GuidanceAnswer(
        path=path,
        revision=head,
        rules=_said(found.rules),
        owners=_said(found.owners),
        commands=_said(found.commands),
        history=_said(found.history),
        conventions=_said(found.conventions),
        notes=_said(found.notes),
    )


# Private


def _said(items: Sequence[Item]) -> tuple[Said, ...]:
    return tuple(Said(item.says, item.evidence) for item in items)
