"""A pipeline that asks in the name of a service that nobody told of: what it says runs there hides no change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repos import build
from tests.server import test_gates
from tests.server.test_gates import ROLLOUT, SETTINGS, House, _lines

app_key, running, fake = test_gates.app_key, test_gates.running, test_gates.fake
received, github, house = test_gates.received, test_gates.github, test_gates.house


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commit in the middle was never assessed."""
    script = f"""
commit Open the shop
  file shop.py
    . price = 1
  file .tidegate/rollout.toml
{_lines(ROLLOUT)}
  file tidegate.toml
{_lines(SETTINGS)}
commit Give it away
  file shop.py
    . price = -1
commit Raise the price (#1)
  file shop.py
    . price = 2
"""
    return build(tmp_path_factory.mktemp("told"), script).path


def test_a_service_that_was_made_up_hides_no_change(house: House) -> None:
    """With a service of a new name `previous` would be whatever the question says, so that what is before is unseen."""
    house.deployed("staging", house.repo.head("main~2"))
    house.assessed()
    assert house.ask("staging").status_code == 409
    held = house.ask("staging", service="made-up", previous=house.old)
    assert held.status_code == 409
    assert {one["kind"] for one in held.json()["obligations"] if one["state"] != "met"} == {"facts", "policy"}


def test_a_new_service_of_known_changes_goes_out(house: House) -> None:
    house.deployed("staging", house.old)
    house.assessed()
    assert house.ask("staging", service="new", previous=house.old).status_code == 200
