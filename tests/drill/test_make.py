"""A new exercise: the same for the same revision and seed, true of the repository, and nothing of it is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.places import letters, shop
from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.drill.checks import look_back
from tidegate.drill.clone import borrowed, commit_files
from tidegate.drill.make import new_drill, read_offers
from tidegate.drill.text import render_made
from tidegate.drill.values import Scenario
from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.report.style import Style


def made(repo: Repo, pattern: str = "", seed: int = 0) -> Scenario:
    with open_repository(repo.path) as repository:
        return new_drill(repository, {}, pattern=pattern, seed=seed)


def state_of(repo: Repo) -> tuple[str, ...]:
    return (
        repo.git("status", "--porcelain", "--ignored"),
        repo.git("for-each-ref"),
        repo.git("count-objects", "-v"),
        repo.git("rev-parse", "HEAD"),
    )


def test_the_same_revision_and_seed_give_the_same_bytes_cold_and_warm(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    cold = to_json(made(repo, seed=3))
    assert cold == to_json(made(repo, seed=3))

    assert cold != to_json(made(repo, seed=4))


def test_nothing_of_the_repository_changes(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    before = state_of(repo)
    made(repo, "confident-wrong-migration")
    assert state_of(repo) == before


def test_the_best_fit_is_taken_and_said(the_shop: Repo) -> None:
    with open_repository(the_shop.path) as repository:
        offers = read_offers(repository, 0, {})
    assert [offer.fit for offer in offers] == sorted((offer.fit for offer in offers), reverse=True)
    scenario = made(the_shop)
    assert scenario.pattern == offers[0].pattern.id
    assert offers[0].pattern.title in scenario.why


def test_owners_are_those_of_codeowners(the_shop: Repo) -> None:
    scenario = made(the_shop, "state-lost")
    assert scenario.owners == ("@shop/platform",)
    (call,) = (one for one in scenario.decisions if one.asks == "call")
    assert [one.text for one in call.options if one.points == call.most] == ["@shop/platform"]
    assert {one.id: one.answer for one in scenario.criteria}["owner"] == "yes"


def test_the_real_policy_is_asked(the_shop: Repo) -> None:
    scenario = made(the_shop, "agent-recreates-environment")
    assert scenario.gate.outcome == "hold"
    assert "infra-agent-destroys" in [rule.id for rule in scenario.gate.saw]
    assert [rule.id for rule in scenario.gate.held if rule.always] == ["no-self-approval"]
    assert "rollback-planned" in [rule.id for rule in scenario.gate.place]


def test_where_no_rule_holds_it_that_is_the_answer(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    repo.commit("Have no rules", {"tidegate.toml": '[policy]\npack = "none"\n'})
    scenario = made(repo, "flag-default-flipped")
    assert scenario.gate.outcome == "pass"
    assert scenario.gate.held == ()
    (gate,) = (one for one in scenario.decisions if one.asks == "gate")
    assert [one.text for one in gate.options if one.points] == ["No: one ordinary approval, and it would have passed"]
    assert {one.id: one.answer for one in scenario.criteria}["gate-held"] == "no"


def test_a_rule_of_the_repository_that_holds_the_place_did_not_see_the_fault(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    rule = (
        '[policy]\npack = "none"\n[[rule]]\nid = "settings-are-ours"\ntitle = "Settings"\neffect = "hold"\n'
        "when.all = ['change.files.exists(f, f.path == \"shop/settings.py\")']\n"
    )
    repo.commit("Guard the settings", {"tidegate.toml": rule})
    scenario = made(repo, "flag-default-flipped")
    assert [rule.id for rule in scenario.gate.place] == ["settings-are-ours"]
    assert scenario.gate.saw == ()


def test_revisions_are_judged_by_git(the_shop: Repo) -> None:
    base = the_shop.head()
    with open_repository(the_shop.path) as repository, borrowed(repository, base) as clone:
        hidden = commit_files(clone, base, {"shop/migrations/0002_x.py": b"x = 1\n"}, "Hide\n", 1_780_000_000).commit
        own, tag = look_back(clone, base, hidden, base), look_back(clone, base, hidden, "v1.0")
        assert (own.exists, own.lacks, own.before, own.commits) == (True, True, True, 0)
        assert (tag.lacks, tag.before, tag.commits, tag.migrations) == (True, True, 2, 0)
        assert not look_back(clone, base, hidden, hidden).lacks
        for name in ("v9.9", "--help", "", "a\nb", "HEAD^{/x}"):
            assert not look_back(clone, base, hidden, name).exists


def test_where_nothing_fits_that_is_said(tmp_path: Path, the_shop: Repo) -> None:
    with pytest.raises(InputError, match="no failure pattern fits this repository"):
        made(letters(tmp_path / "letters"))
    with pytest.raises(InputError, match="there is no pattern nonsense"):
        made(the_shop, "nonsense")
    empty = Repo.init(tmp_path / "empty")
    with pytest.raises(InputError, match="no commit yet"):
        made(empty)


def test_a_pattern_that_does_not_fit_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not fit this repository: it needs DNS records in Terraform"):
        made(letters(tmp_path / "letters"), "dns-record-deleted")


def test_what_a_facilitator_reads_names_the_pattern_once(the_shop: Repo) -> None:
    scenario = made(the_shop, "confident-wrong-migration")
    said = render_made(scenario, Style())
    assert said.count("The migration that was sure nobody used it") == 1
    assert "Why this one: The migration" not in said
