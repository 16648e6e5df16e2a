"""Collects the provenance of real repositories that tests draw as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.repos import Repo, build
from tidegate.change.git import Repository, open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.values import Change, Context, PullRequest
from tidegate.facts import ProvenanceFacts
from tidegate.provenance.collect import collect
from tidegate.settings import Settings

NOW = "2026-05-01T12:00:00Z"

Collect = Callable[..., ProvenanceFacts]


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[str], Repo]:
    """The repository that a script draws."""
    return lambda script: build(tmp_path / "repo", script)


@pytest.fixture
def opened() -> Iterator[Callable[[Repo], Repository]]:
    """A repository, closed after the test."""
    held: list[Repository] = []

    def open_one(repo: Repo) -> Repository:
        held.append(open_repository(repo.path))
        return held[-1]

    yield open_one
    for repository in held:
        repository.close()


@pytest.fixture
def provenance(opened: Callable[[Repo], Repository]) -> Collect:
    """The provenance of `main..HEAD`, or of the staged tree."""

    def of(
        repo: Repo,
        *,
        staged: bool = False,
        pull_request: PullRequest | None = None,
        settings: Settings | None = None,
        transcripts: tuple[Path, ...] = (),
    ) -> ProvenanceFacts:
        repository = opened(repo)
        settings = settings or Settings()
        question = Question(staged=True) if staged else Question(change="main..HEAD")
        change = read_change(read_ends(question, repository), repository, settings)
        if pull_request is not None:
            values = {name: getattr(change, name) for name in Change.__struct_fields__}
            change = Change(**{**values, "pull_request": pull_request})
        return collect(change, Context(repository, settings, NOW, transcripts=transcripts))

    return of
