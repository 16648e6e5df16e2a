"""The shop is built once for all tests that only read it."""

from __future__ import annotations

import pytest

from tests.drill.places import shop
from tests.repos import Repo


@pytest.fixture(scope="session")
def the_shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return shop(tmp_path_factory.mktemp("drill") / "shop")
