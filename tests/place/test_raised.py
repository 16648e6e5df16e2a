"""Raising the tier of an application is a change that policy sees: blocked without evidence, held without approval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.assess import Assessment, Request, assess
from tidegate.change.git import open_repository
from tidegate.change.read import Question
from tidegate.facts import PlaceFact, is_known
from tidegate.settings import ATTESTED

NOW = "2026-02-20T00:00:00Z"
EVIDENCE = "".join(
    f'[[evidence]]\nid = "{id}"\nby = "alice"\nat = 2026-02-01\nwhere = "https://ci/1"\n'
    for id, tier in ATTESTED.items()
    if tier == "T2"
)


def _assessed(path: Path, before: Mapping[str, str], after: Mapping[str, str]) -> Assessment:
    repo = Repo.init(path)
    repo.commit("Start", {"README.md": "x\n", **before})
    repo.commit("Raise it", after)
    with open_repository(repo.path) as repository:
        return assess(Request(Question(change="HEAD~1..HEAD"), None, NOW, {}), repository)


def _rules(found: Assessment) -> set[str]:
    return {one.id for one in found.verdict.rules if one.state == "fired" and one.id.startswith("tier-")}


def test_a_tier_raised_without_evidence_is_blocked(tmp_path: Path) -> None:
    found = _assessed(
        tmp_path, {"tidegate.toml": '[place]\ntier = "T1"\n'}, {"tidegate.toml": '[place]\ntier = "T2"\n'}
    )
    missing = tuple(id for id, tier in ATTESTED.items() if tier == "T2")
    assert found.facts.change.place == PlaceFact("T1", "T2", True, missing)
    assert _rules(found) == {"tier-evidence", "tier-raised"}
    assert found.verdict.outcome == "block"


def test_with_the_evidence_somebody_still_approves(tmp_path: Path) -> None:
    table = '[place]\ntier = "T2"\nevidence = "evidence.toml"\n'
    found = _assessed(tmp_path, {}, {"tidegate.toml": table, "evidence.toml": EVIDENCE})
    assert found.facts.change.place == PlaceFact("", "T2", True)
    assert _rules(found) == {"tier-raised"}


@pytest.mark.parametrize(
    "after", ['[place]\ntier = "T1"\n', '[place]\nowner = "x"\n', '[place]\ntier = "T2"\nowner = "x"\n']
)
def test_a_tier_that_is_lowered_or_stays_needs_nothing(tmp_path: Path, after: str) -> None:
    found = _assessed(tmp_path, {"tidegate.toml": '[place]\ntier = "T2"\n'}, {"tidegate.toml": after})
    assert not found.facts.change.place.raised
    assert _rules(found) == set()


@pytest.mark.parametrize(
    ("table", "evidence"),
    [
        ('[place]\ntier = "T9"\n', ""),
        ("[place\n", ""),
        ('[place]\ntier = "T2"\nevidence = "evidence.toml"\n', "[[evidence]]\nid = 1\n"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_holds(tmp_path: Path, table: str, evidence: str) -> None:
    found = _assessed(tmp_path, {}, {"tidegate.toml": table, "evidence.toml": evidence})
    assert not is_known(found.facts.change, "place")
    assert _rules(found) == set()
    unsure = {one.id for one in found.verdict.rules if one.id.startswith("tier-") and one.outcome != "pass"}
    assert unsure == {"tier-evidence", "tier-raised"}


def test_evidence_that_is_missing_or_old_does_not_count(tmp_path: Path) -> None:
    table = '[place]\ntier = "T2"\nevidence = "evidence.toml"\n'
    found = _assessed(tmp_path / "a", {}, {"tidegate.toml": table})
    assert "builds" in found.facts.change.place.missing
    old = _assessed(tmp_path / "b", {}, {"tidegate.toml": table, "evidence.toml": EVIDENCE.replace("2026", "2024")})
    assert "builds" in old.facts.change.place.missing


BOTH = '[[evidence]]\nid = "two-approvers"\nby = "{}"\nsecond = "{}"\nat = 2026-02-01\nwhere = "https://ci/1"\n'
MAP = '[people.alice]\nname = "Alice"\nemails = ["alice@example.com"]\naccounts = ["alice", "alice-at-night"]\n'


@pytest.mark.parametrize(
    ("by", "second", "enough"),
    [
        ("alice", "bob", True),
        ("alice", "@Alice", False),
        ("alice", "alice-at-night", False),
        ("@alice-at-night", "Alice Smith <alice@example.com>", False),
        ("ALICE", "alice@example.com", False),
        ("alice", "claude", False),
        ("renovate[bot]", "alice", False),
    ],
)
def test_two_names_of_one_person_and_a_machine_are_not_two_people(
    tmp_path: Path, by: str, second: str, enough: bool
) -> None:
    table = f'[place]\ntier = "T3"\nevidence = "evidence.toml"\n{MAP}'
    found = _assessed(
        tmp_path, {"tidegate.toml": MAP}, {"tidegate.toml": table, "evidence.toml": BOTH.format(by, second)}
    )
    assert ("two-approvers" not in found.facts.change.place.missing) is enough
