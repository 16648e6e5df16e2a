"""The forges that a set-up names."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.server.config import Config
from tidegate.server.forge.github import GitHubForge
from tidegate.server.forge.gitlab import GitLabForge
from tidegate.server.forge.values import Forge


def forges_of(config: Config) -> Mapping[str, Forge]:
    """By the word that the tables know them by. InputError where one of them has no credential."""
    found: dict[str, Forge] = {}
    if config.github is not None:
        found["github"] = GitHubForge(config.github)
    if config.gitlab is not None:
        found["gitlab"] = GitLabForge(config.gitlab)
    return found
