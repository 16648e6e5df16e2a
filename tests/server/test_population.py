"""A population is collected beside the service: with the same answer, within bounds, one at a time."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

import pytest
from msgspec import structs

from tests.repos import Repo, build
from tests.server.conftest import Made
from tidegate.errors import InputError
from tidegate.ledger.evidence.values import Period
from tidegate.ledger.log import NewEntry
from tidegate.server import population
from tidegate.server.api.problems import Problem
from tidegate.server.bounded import Bounds
from tidegate.server.population import Asked, collect
from tidegate.store.clock import now


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return build(tmp_path / "repo", "commit One\n  file a.py\n    . x = 1\ncommit Two\n  file a.py\n    . x = 2\n")


@pytest.fixture
def asked(made: Made, repo: Repo) -> Asked:
    made.service.log.append(NewEntry("k", "https://example.test/p", "s", b'{"made": true}'))
    return Asked(
        database=made.service.config.database,
        key=made.service.log.public_key().public_key,
        size=made.service.log.size(),
        mirror=str(repo.path / ".git"),
        slug="acme/shop",
        main="main",
        period=Period(0.0, 4e9, 2e9),
        now=now(),
    )


def test_every_commit_is_there(made: Made, asked: Asked, repo: Repo) -> None:
    found = collect(made.service.config, asked)
    assert {item.commit for item in found.items} == {repo.head("main"), repo.head("main~1")}
    assert found.size == asked.size == 1
    assert collect(made.service.config, asked) == found


def test_a_database_named_from_here_is_found_from_there(
    made: Made, asked: Asked, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.service.config.data)
    assert len(collect(made.service.config, structs.replace(asked, database="sqlite:///tidegate.db")).items) == 2


def test_what_cannot_be_collected_is_said(made: Made, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    config = made.service.config
    for changed in (structs.replace(asked, mirror="/nowhere"), structs.replace(asked, main="gone")):
        with pytest.raises(Problem, match="cannot be read") as unread:
            collect(config, changed)
        assert unread.value.status == 409
    with (config.data / "population.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Problem, match="under way") as busy:
            collect(config, asked)
    assert (busy.value.status, busy.value.retry_after) == (503, 5)
    monkeypatch.setattr(population, "BOUNDS", Bounds(60, 40))
    with pytest.raises(Problem, match="too much") as large:
        collect(config, asked)
    assert large.value.status == 409


def test_settings_that_are_not_right_are_said(made: Made, asked: Asked, repo: Repo) -> None:
    repo.commit("Slip", {"tidegate.toml": "[people"})
    with pytest.raises(InputError, match="TOML"):
        collect(made.service.config, asked)


def test_it_is_ended_with_all_that_it_began(
    made: Made, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "BOUNDS", Bounds(1, 500))
    told = tmp_path / "told"
    script = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(Problem, match="too much"):
        collect(made.service.config, asked, (sys.executable, "-c", script))
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
