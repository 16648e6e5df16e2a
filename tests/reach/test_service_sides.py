"""A change cannot make what it reaches unimportant, give it another owner, or take it out of sight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.values import Context
from tidegate.facts import Reach, ServiceOwner
from tidegate.reach.answer import Service
from tidegate.reach.collect import collect
from tidegate.reach.services.sides import Side, read_services_of_change
from tidegate.settings import Settings

CATALOG = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: NAME, annotations: {acme.example/tier: "TIER"}}
spec: {type: service, owner: OWNER}
"""


def catalog(name: str = "shop", tier: str = "1", owner: str = "payments") -> str:
    return CATALOG.replace("NAME", name).replace("TIER", tier).replace("OWNER", owner)


BASE = {
    "Dockerfile": "FROM python\nCOPY shop shop\n",
    "catalog-info.yaml": catalog(),
    "shop/pay.py": "def pay():\n    return 1\n",
}
PAY = {"shop/pay.py": "def pay():\n    return 2\n"}


def side(files: Mapping[str, str | None]) -> Side:
    texts = {path: text.encode() for path, text in files.items() if text is not None}
    return Side(texts, lambda paths: {path: texts[path] for path in paths if path in texts})


def services(changes: Mapping[str, str | None]) -> list[Service]:
    return list(read_services_of_change(side(BASE), side({**BASE, **changes}), changes))


@pytest.mark.parametrize(
    ("changes", "tiers"),
    [
        (PAY, {"shop": ("critical", "payments")}),
        ({"catalog-info.yaml": catalog(tier="4")}, {"shop": ("critical", "payments")}),
        ({"catalog-info.yaml": catalog(owner="mallory")}, {"shop": ("critical", "payments")}),
        ({"catalog-info.yaml": None}, {"shop": ("critical", "payments")}),
        ({"catalog-info.yaml": None, "Dockerfile": None}, {"shop": ("critical", "payments")}),
        (
            {"catalog-info.yaml": catalog(name="other", owner="mallory")},
            {"shop": ("critical", "payments"), "other": ("critical", "mallory")},
        ),
    ],
)
def test_what_the_base_says_of_a_service_holds(
    changes: Mapping[str, str | None], tiers: Mapping[str, tuple[str, str]]
) -> None:
    found = services(changes)
    assert {service.name: (service.tier, service.owner) for service in found if service.kind == "service"} == tiers


def test_a_change_can_make_a_service_more_critical() -> None:
    low = {**BASE, "catalog-info.yaml": catalog(tier="4")}
    changes = {"catalog-info.yaml": catalog(tier="1")}
    (found,) = {one.name: one for one in read_services_of_change(side(low), side({**low, **changes}), changes)}.values()
    assert (found.tier, found.tier_known) == ("critical", True)


def test_files_of_both_sides_build_a_service() -> None:
    built = {
        path for one in services({"Dockerfile": "FROM python\nCOPY docs docs\n", "docs/a": "x"}) for path in one.paths
    }
    assert {"shop", "docs"} <= built


@pytest.fixture
def reach(tmp_path: Path) -> Callable[[Mapping[str, str]], Reach]:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Start", BASE)
    base = repo.head()

    def collected(changes: Mapping[str, str]) -> Reach:
        repo.commit("Change", changes)
        with open_repository(repo.path) as repository:
            change = read_change(read_ends(Question(change=f"{base}..HEAD"), repository), repository, Settings())
            return collect(change, Context(repository, Settings(), now="2026-03-01T00:00:00Z"))

    return collected


@pytest.mark.parametrize(
    "more",
    [{}, {"catalog-info.yaml": catalog(tier="4", owner="mallory")}, {"Dockerfile": "FROM python\nCOPY docs docs\n"}],
)
def test_the_facts_name_the_critical_service_and_its_owner(
    reach: Callable[[Mapping[str, str]], Reach], more: Mapping[str, str]
) -> None:
    facts = reach({**PAY, **more})
    assert facts.critical_services == ("shop",)
    assert facts.service_owners == (ServiceOwner("shop", "payments"),)


def test_a_manifest_that_cannot_be_read_is_a_file_that_was_not_read(
    reach: Callable[[Mapping[str, str]], Reach],
) -> None:
    facts = reach({**PAY, "compose.yaml": "services: [:\n"})
    assert facts.unread_files == 1
    assert "compose.yaml" in facts.unknowns[0].reason
    assert facts.critical_services == ("shop",)


def test_texts_that_no_json_takes_are_shown(reach: Callable[[Mapping[str, str]], Reach]) -> None:
    facts = reach({**PAY, "sub/catalog-info.yaml": catalog(name='"a\\ud800b"', owner='"\\udcff"')})
    assert all(text.encode() for text in (*facts.services, *(one.owner for one in facts.service_owners)))
