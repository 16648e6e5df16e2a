"""Guidance for one path, or for the whole repository: the one door for the command and for the MCP server."""

from __future__ import annotations

from tidegate.agent.guide.values import Guidance, Item
from tidegate.change.git import Repository
from tidegate.settings import Settings

__all__ = ["Guidance", "Item", "guidance_for"]


def guidance_for(repository: Repository, revision: str, path: str, settings: Settings) -> Guidance:
    """What holds for `path` (a file or folder that may not be there yet, "" for everything) at `revision`.

    `revision` is the base of a change, never the change itself. Raises InputError for a path that leads out of the
    repository, and for rules that are not right.
    """
    from tidegate.agent.guide.compiled import compile_guidance

    return compile_guidance(repository, revision, path, settings)
