"""Which environment a name or a path says, and how severity follows from it."""

from __future__ import annotations

import pytest

from tidegate.infra.environment import named, of_path, of_values
from tidegate.infra.severity import severity_of
from tidegate.infra.values import Draft, Mitigation


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop-invoices-prod", "production"),
        ("my-team-dev", "development"),
        ("parliamentary-questions-staging", "staging"),
        ("cis-pp", "staging"),
        ("non-prod", "development"),
        ("nonprod", "development"),
        ("pre-production", "staging"),
        ("PROD_EU", "production"),
        ("orders", ""),
        ("product-catalogue", ""),
        ("", ""),
    ],
)
def test_a_name_says_its_environment_by_its_last_word_that_does(name: str, said: str) -> None:
    assert named(name) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("deploy/production/main.tf", "production"),
        ("live.example.org/shop-dev/resources/rds.tf", "development"),
        ("live.example.org/shop-dev", "development"),
        ("namespaces/live.example.org/shop/rds.tf", "production"),
        ("prod.tfvars", "production"),
        ("main.tf", ""),
        ("", ""),
    ],
)
def test_a_path_says_its_environment_from_the_inside_out(path: str, said: str) -> None:
    assert of_path(path) == said


def test_tags_come_before_names() -> None:
    assert of_values({"tags": {"env": "dev"}, "name": "shop-prod"}) == "development"
    assert of_values({"name": "shop-prod"}) == "production"
    assert of_values({"tags": {"is-production": "true"}, "name": "x"}) == "production"


def _draft(reversible: bool = False, *, fixed: bool = False, steps: int = 0) -> Draft:
    mitigations = (Mitigation("a snapshot", steps),) if steps else ()
    return Draft("DATA_DESTROY", "critical", "a.b", "gone", reversible, mitigations=mitigations, fixed=fixed)


def test_severity_is_less_outside_of_production_and_unknown_is_production() -> None:
    said = {where: severity_of(_draft(), where, "human") for where in ("production", "", "staging", "development")}
    assert said == {"production": "critical", "": "critical", "staging": "high", "development": "medium"}
    assert severity_of(_draft(fixed=True), "development", "human") == "critical"


def test_mitigations_lower_and_agents_raise() -> None:
    assert severity_of(_draft(steps=1), "production", "human") == "high"
    assert severity_of(_draft(), "development", "agent") == "high"
    assert severity_of(_draft(reversible=True), "development", "agent") == "medium"
    assert severity_of(_draft(), "production", "agent") == "critical"
    assert severity_of(_draft(), "development", "unknown") == "medium"
