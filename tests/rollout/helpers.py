"""Deployments, changes and documents for the tests of this area."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from tests.policy.helpers import document_of
from tidegate.rollout.document import Rollout
from tidegate.rollout.gate import ChangeCase, Changes, Decision, Question, Situation, gate
from tidegate.rollout.read import parse_rollout
from tidegate.rollout.values import Deployment
from tidegate.settings import Settings, Source, parse_settings

REVISION = "a" * 40
BEFORE = "b" * 40
NOW = datetime.fromisoformat("2026-03-04T12:00:00Z").timestamp()
HOUR = 3600.0

PEOPLE = """
[people.alice]
name = "Alice Smith"
emails = ["alice@example.com"]
accounts = ["alice", "alice-work"]
[people.bob]
name = "Bob Jones"
emails = ["bob@example.com"]
accounts = ["bob"]
[people.cara]
name = "Cara Diaz"
accounts = ["cara"]
[people.cara2]
name = "cara  diaz"
accounts = ["cara-private"]
[people.robot]
name = "Robot"
accounts = ["deployer[bot]"]
[teams]
"@acme/sre" = ["bob", "cara"]
"""


@cache
def settings_of(text: str = PEOPLE) -> Settings:
    return parse_settings([Source("tidegate.toml", "tidegate.toml", text.encode())], {}).settings


@cache
def rollout_of(text: str = "") -> Rollout:
    return parse_rollout((text or '[environments.production]\ntier = "low"\n').encode())


def facts(**given: Any) -> dict[str, Any]:
    return document_of(**given)


def case(**given: Any) -> ChangeCase:
    """A change that passed, unless it is said otherwise."""
    usual: dict[str, Any] = {
        "commit": "c" * 40,
        "title": "Add the export",
        "facts": facts(),
        "recorded": "pass",
        "asked": "pass",
    }
    return ChangeCase(**{**usual, **given})


def forward(*cases: ChangeCase) -> Changes:
    return Changes(direction="forward", comes=cases or (case(),))


def question(**given: Any) -> Question:
    usual: dict[str, Any] = {"environment": "production", "revision": REVISION, "previous": BEFORE, "actor": "alice"}
    return Question(**{**usual, **given})


def situation(**given: Any) -> Situation:
    return Situation(**{"settings": settings_of(), "deployments": (), **given})


def deployment(**given: Any) -> Deployment:
    usual: dict[str, Any] = {
        "id": "d1",
        "environment": "staging",
        "service": "",
        "status": "succeeded",
        "started": NOW - 3 * HOUR,
        "finished": NOW - 2 * HOUR,
        "revision": REVISION,
    }
    return Deployment(**{**usual, **given})


def decide_on(document: str = "", *, now: float = NOW, changes: Any = None, **given: Any) -> Decision:
    """The decision on a usual deployment. Keys of the question are given as `ask_...`, others are the situation's."""
    asked = {key.removeprefix("ask_"): value for key, value in given.items() if key.startswith("ask_")}
    rest = {key: value for key, value in given.items() if not key.startswith("ask_")}
    return gate(question(**asked), changes or forward(), rollout_of(document), now, situation(**rest))


def state_of(decision: Decision, kind: str) -> str:
    """The state of the one demand of this kind, "" where there is none."""
    found = [one.state for one in decision.obligations if one.kind == kind]
    assert len(found) < 2, found
    return found[0] if found else ""
