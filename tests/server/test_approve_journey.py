"""From a signature to the check at the forge, and back when it is taken back; and the same for an emergency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.approvals.world import RULES, make_keys, make_repo
from tests.server.paper_forge import PaperForge
from tests.server.test_work_journey import SLUG, Place
from tidegate.ledger.approval import parse_key, seal, signed_bytes
from tidegate.server import approve, emergency
from tidegate.server.api.endpoint import Who
from tidegate.server.mirrors import Mirrors
from tidegate.server.service import Service
from tidegate.server.work.errands import Errands
from tidegate.server.work.journey import Way
from tidegate.store import accounts, keys, repositories
from tidegate.store.clock import now
from tidegate.store.repositories import NewRepository

ONE_RULE = RULES.split("[[rule]]")[2]
PEOPLE = ("bob", "carol")


@pytest.fixture(scope="module")
def held_keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return dict(make_keys(tmp_path_factory.mktemp("held")))


@pytest.fixture
def people(service: Service, held_keys: dict[str, Any]) -> dict[str, Who]:
    """Bob and Carol, whom the service knows by their accounts at the forge; Bob has a key here."""
    found = {}
    with service.database.write() as connection:
        for name in PEOPLE:
            person = accounts.add_person(connection, name, name.title(), "approver", now())
            accounts.add_identity(connection, person.id, "forge", "github.com", name, now())
            found[name] = Who(person.id, name, "approver", None, f"session of {name}")
        key = parse_key(held_keys["bob"].line)
        new = keys.NewKey(found["bob"].person, "ssh", key.fingerprint, key.line.encode(), "mine")
        keys.add(connection, new, now())
    return found


@pytest.fixture
def place(service: Service, held_keys: dict[str, Any], tmp_path: Path) -> Place:
    """A change that one rule holds: somebody signs. Bob's key is in the register and not in the settings."""
    listed = {name: key for name, key in held_keys.items() if name not in ("lost", "bob")}
    repo = make_repo(tmp_path / "source", listed, f"[[rule]]{ONE_RULE}")
    forge = PaperForge(tmp_path / "forge")
    forge.add(SLUG, repo)
    forge.open_pull(SLUG, 1, repo.head("feature"))
    forge.put(SLUG, 1, {"author": "mallory"})
    config = replace(service.config, limits=replace(service.config.limits, seconds=60))
    found = replace(service, forges={"github": forge}, config=config)
    way = Way(found, Mirrors(config.data / "mirrors", frozenset(("file",))))
    with found.database.write() as connection:
        repository = repositories.add(connection, NewRepository("github", SLUG, "", "main"), found.now())
    made = Place(way, forge, repo, repository, Errands(way, "w"))
    assert made.deliver(forge.pull_delivery("d1", SLUG, 1))
    made.work()
    return made


def said(place: Place) -> tuple[str, str]:
    check = place.forge.check_of(place.repo.head("feature"))
    assert check is not None
    return str(check["conclusion"]), str(check["title"])


def test_a_signature_lets_a_change_pass_until_it_is_taken_back(
    place: Place, people: dict[str, Who], held_keys: dict[str, Any]
) -> None:
    assert said(place)[0] == "action_required"
    change = place.pull().id
    offer = approve.what_to_sign(place.service, people["bob"], change)
    proof = held_keys["bob"].sign(signed_bytes(offer.payload))
    sealed = seal(offer.payload, parse_key(held_keys["bob"].line), proof)
    kept = approve.record(place.service, people["bob"], change, sealed)
    place.work()
    assert place.decisions()[0].verdict == "pass"
    assert said(place)[0] == "success"
    approve.revoke(place.service, people["bob"], kept.id, "I saw something")
    place.work()
    assert [each.verdict for each in place.decisions()] == ["hold", "pass", "hold"]
    assert said(place)[0] == "action_required"


def test_two_people_let_a_change_through_and_a_push_ends_it(place: Place, people: dict[str, Who]) -> None:
    change = place.pull().id
    asked = emergency.ask(place.service, people["bob"], change, "production is down now", 1)
    place.work()
    assert said(place)[0] == "action_required"
    emergency.confirm(place.service, people["carol"], asked.id)
    place.work()
    conclusion, title = said(place)
    assert conclusion == "success"
    assert title.startswith("Let through by two people until ")
    assert place.decisions()[0].verdict == "hold"
    place.repo.git("checkout", "-q", "feature")
    pushed = place.repo.commit("More", {"more.txt": "more\n"}, author="Mallory Moe <mallory@example.com>")
    place.forge.put(SLUG, 1, {"head": pushed})
    place.deliver(place.forge.pull_delivery("d2", SLUG, 1, "synchronize"))
    place.work()
    assert said(place)[0] == "action_required"
