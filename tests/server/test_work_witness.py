"""A pass is released only after a quorum of witnesses saw it; everything else is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.server.test_work_engine import in_four_minutes, sweeper_of
from tests.server.test_work_journey import SLUG, Place, make_place
from tidegate.server.service import Service
from tidegate.server.work.errands import Errands
from tidegate.server.work.say import WAITING, say
from tidegate.store import publications


class Unseen:
    """The real log of a service, whose witnesses have not answered yet."""

    def __init__(self, service: Service) -> None:
        self._log = service.log
        self.seen = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    def wait_witnessed(self, index: int, timeout: float) -> bool:
        return self.seen and self._log.wait_witnessed(index, timeout)


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Place:
    made = make_place(replace(service, log=Unseen(service)), tmp_path)
    return replace(made, errands=Errands(made.way, "w"))


def test_a_pass_waits_for_its_witnesses_and_is_said_afterwards(place: Place) -> None:
    place.repo.git("checkout", "-q", "main")
    place.repo.commit("Ask for nothing", {"tidegate.toml": '[policy]\npack = "none"\n'})
    place.forge.put(SLUG, 1, {})
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    (made,) = place.decisions()
    assert made.verdict == "pass"
    check = place.forge.check_of(made.head)
    assert check is not None
    assert (check["conclusion"], check["title"]) == (None, WAITING)
    assert place.forge.said("comment") == []
    assert say(place.service, made.change) == "waiting"
    assert len(place.forge.said()) == 1  # it waits in silence
    sweeper_of(place, in_four_minutes(place)).say()
    assert len(place.forge.said()) == 1
    place.service.log.seen = True  # type: ignore[attr-defined]
    sweeper_of(place, in_four_minutes(place)).say()
    check = place.forge.check_of(made.head)
    assert check is not None
    assert check["conclusion"] == "success"
    assert len(place.forge.said("comment")) == 1
    with place.service.database.read() as connection:
        assert publications.unsent(connection, in_four_minutes(place)) == ()


def test_what_is_held_waits_for_nobody(place: Place) -> None:
    settings = '[[rule]]\nid = "ask"\ntitle = "Ask"\neffect = "hold"\nrequire = { approvals = 2 }\n'
    place.repo.git("checkout", "-q", "main")
    place.repo.commit("Ask", {"tidegate.toml": settings})
    place.forge.put(SLUG, 1, {})
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    check = place.forge.check_of(place.repo.head("topic"))
    assert check is not None
    assert check["conclusion"] == "action_required"
