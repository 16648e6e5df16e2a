"""One world for all scenarios, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.approvals.keys import Authenticator, FileKey, HardwareKey
from tests.approvals.world import World, make_keys, make_repo, read_world


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FileKey | HardwareKey | Authenticator]:
    return make_keys(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def world(
    keys: dict[str, FileKey | HardwareKey | Authenticator], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    listed = {name: key for name, key in keys.items() if name != "lost"}
    folder = tmp_path_factory.mktemp("world")
    found = read_world(make_repo(folder / "repo", listed), keys, folder)
    yield found
    found.repository.close()
