"""Whose word counts at a gate: what anybody may tell never opens one, and never makes one less strict."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.server import test_gates
from tests.server.forges import SLUG
from tests.server.test_gates import House
from tidegate.rollout.deployments import joined, progress_of
from tidegate.rollout.values import Deployment, DeploymentEvent
from tidegate.server.production.setup import Trust
from tidegate.server.rollout import trust
from tidegate.store.deployments import page

app_key, running, fake = test_gates.app_key, test_gates.running, test_gates.fake
received, github = test_gates.received, test_gates.github
source, house = test_gates.source, test_gates.house


def test_it_ran_in_staging_only_by_the_word_of_who_counts(house: House, tmp_path: Path) -> None:
    house.assessed()
    house.deployed("production", house.old)
    house.deployed("staging", house.new, signed=False)
    (held,) = [one for one in _demands(house, "production") if one["kind"] == "order"]
    assert (held["state"], held["why"]) == (
        "unmet",
        "that it ran in staging is told by nobody who counts, and no gate let it go there",
    )
    asked_for = _trusting(house, tmp_path, high='["signed", "told"]')
    assert _unmet(asked_for, "production") == {"approvals"}
    other_tier = _trusting(house, tmp_path, low='["told"]')
    assert _unmet(other_tier, "production") == {"order", "approvals"}
    house.deployed("staging", house.new, ago=300)
    assert _unmet(house, "production") == {"approvals"}


def test_it_ran_in_staging_where_a_gate_let_it_go(house: House) -> None:
    house.assessed()
    house.deployed("production", house.old)
    house.deployed("staging", house.old)
    assert house.ask("staging").status_code == 200
    house.deployed("staging", house.new, ago=-2, signed=False)
    later = house.with_service(now=lambda: test_gates.later(test_gates.now(), 90))
    assert _unmet(later, "production") == {"approvals"}
    assert later.ask("staging").json()["question"]["previous"] == house.new


def test_a_pass_for_a_step_is_none_for_all_of_the_traffic(house: House) -> None:
    house.assessed()
    house.deployed("production", house.old)
    house.deployed("staging", house.old)
    assert house.ask("staging", share=0.1).status_code == 200
    house.deployed("staging", house.new, ago=-2, signed=False)
    later = house.with_service(now=lambda: test_gates.later(test_gates.now(), 90))
    assert "order" in _unmet(later, "production")


def test_who_may_tell_anything_chooses_nothing_of_what_is_judged(house: House) -> None:
    """That it runs already would leave nothing to judge."""
    house.deployed("staging", house.old)
    assert _unmet(house, "staging") == {"facts", "policy"}
    house.deployed("staging", house.new, ago=300, signed=False)
    assert _unmet(house, "staging") == {"facts", "policy"}
    assert house.ask("staging").json()["question"]["previous"] == house.old
    house.assessed()
    assert house.ask("staging").status_code == 200


@pytest.mark.parametrize("ends", [False, True])
def test_where_nobody_who_counts_says_what_runs_it_is_held(house: House, tmp_path: Path, *, ends: bool) -> None:
    house.assessed()
    house.deployed("staging", house.old, signed=False)
    if ends:  # then the question would say what ran there
        event = {"type": "deployment", "id": "r", "deployment": "r", "status": "succeeded", "action": "remove"}
        house.tell({**event, "at": time.time() - 60, "environment": "staging", "repository": SLUG}, signed=False)
    assert _unmet(house, "staging", previous=house.old) == {"running"}
    assert _trusting(house, tmp_path, low='["told"]').ask("staging", previous=house.old).status_code == 200


def test_a_way_back_goes_to_what_ran_by_the_word_of_who_counts(house: House) -> None:
    house.assessed()
    house.deployed("staging", house.old, ago=900, signed=False)
    house.deployed("staging", house.new)
    asked = {"revision": house.old, "environment": "staging"}
    assert "ran-before" in _unmet(house, **asked)
    house.deployed("staging", house.old, ago=800)
    assert "ran-before" not in _unmet(house, **asked)


def test_what_others_tell_still_counts_against(house: House, tmp_path: Path) -> None:
    """It may have taken the place of what ran: a roll-back over it takes away what nobody knows to be reversible."""
    house.deployed("staging", house.old, ago=900)
    assert house.ask("staging", revision=house.old).status_code == 200
    house.deployed("staging", house.new, signed=False)
    assert house.ask("staging", revision=house.old).status_code == 409


def test_one_message_that_nobody_signed_is_enough(house: House) -> None:
    event = {"type": "deployment", "deployment": "d", "environment": "staging", "revision": house.new}
    house.tell({**event, "id": "1", "at": time.time() - 60, "status": "started"}, signed=False)
    house.tell({**event, "id": "2", "at": time.time() - 50, "status": "succeeded"})
    house.tell({**event, "id": "3", "at": time.time() - 60, "deployment": "e", "status": "succeeded"})
    with house.service.database.read() as connection:
        assert {one.key: one.signed for one in page(connection)} == {"plain/d": 0, "plain/e": 1}
    house.tell({**event, "id": "4", "at": 1.0, "deployment": "e", "status": "started"}, signed=False)
    with house.service.database.read() as connection:
        assert [one.signed for one in page(connection)] == [0, 0]


def test_no_message_says_of_itself_that_it_is_signed(house: House) -> None:
    event = {"type": "deployment", "id": "1", "deployment": "d", "status": "succeeded", "signed": True}
    answer = house.client.post("/api/v1/events/plain", json=event, headers=test_gates.bearer(house.tokens["admin"]))
    assert answer.status_code == 422


EVENT = DeploymentEvent(sender="s", key="k", at=1.0, deployment="d", status="started", environment="e", service="")


@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_it_is_signed_where_all_of_it_is(signed: list[bool]) -> None:
    parts = [progress_of(replace(EVENT, key=str(n), signed=each)) for n, each in enumerate(signed)]
    whole = parts[0]
    for part in parts:
        whole = joined(whole, part)
    assert whole.signed is all(signed)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.sampled_from(["deploy", "remove"]))))
def test_what_others_tell_never_changes_what_is_believed(told: list[tuple[int, bool, str]]) -> None:
    here = [
        Deployment(
            id=str(number),
            environment="e",
            service="",
            status="succeeded",
            started=float(at),
            finished=float(at),
            revision=f"{number:040x}",
            action=action,  # type: ignore[arg-type]
            believed=believed,
        )
        for number, (at, believed, action) in enumerate(told)
    ]
    alone = trust.running([one for one in here if one.believed])
    found = trust.running(here)
    assert found.believed == alone.believed
    assert found.hearsay or found.believed or found.told == ""
    assert not alone.hearsay


def test_of_a_tier_that_is_none_the_strictest_counts() -> None:
    tiers = Trust(critical=("signed",), low=("told",))
    assert (tiers.of("low"), tiers.of("of"), tiers.of("")) == ({"told"}, {"signed"}, {"signed"})


# Private


def _trusting(house: House, folder: Path, **tiers: str) -> House:
    path = folder / f"{'-'.join(tiers)}.toml"
    words = "\n".join(f"{tier} = {words}" for tier, words in tiers.items())
    path.write_text(f'prometheus = "http://127.0.0.1:9"\n[trust]\n{words}\n')
    return house.with_service(config=replace(house.service.config, production=path))


def _demands(house: House, environment: str, **more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.ask(environment, **more).json()["obligations"]
    return found


def _unmet(house: House, environment: str, **more: str) -> set[str]:
    return {one["kind"] for one in _demands(house, environment, **more) if one["state"] in ("unmet", "unknown")}
