"""What other rules would have said of changes that were decided on, and the rules that somebody would begin with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from tests.repos import Repo, build
from tests.server.conftest import Made
from tests.store.world import assessed, read
from tidegate.errors import InputError
from tidegate.facts import SECTIONS, Facts, to_document, to_json
from tidegate.policy.verdict import Verdict
from tidegate.server import past
from tidegate.server.api.problems import Problem
from tidegate.server.console.trial import EXAMPLE
from tidegate.server.past import own_rules, try_rules
from tidegate.settings import read_toml
from tidegate.store import assessments, changes, repositories
from tidegate.store.clock import now
from tidegate.store.repositories import Repository

RULE = '[[rule]]\nid = "{}"\ntitle = "t"\neffect = "{}"\nowner = "a"\nreason = "r"\nwhen.all = [{}]\n'
BARE = 'policy.pack = "none"\n'


def hold(title: str) -> str:
    return RULE.format("held", "hold", f"'change.title == \"{title}\"'")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return build(tmp_path / "repo", "commit Begin\n  file a.py\n    . x = 1\n")


def mirrored(made: Made, repo: Repo, files: dict[str, str]) -> Repository:
    """The world's repository, whose mirror holds these files on main."""
    repo.commit("Set up", dict(files))
    mirror = made.service.config.data / "mirrors" / "github" / "acme" / "shop.git"
    mirror.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", "--mirror", str(repo.path), str(mirror)], check=True)
    with made.service.database.read() as connection:
        found = repositories.get(connection, made.world.repository)
    assert found is not None
    return found


def decided(made: Made, titles: tuple[str, ...], outcome: str = "pass") -> None:
    """One change for each title, assessed with facts of which all is known and nothing is said."""
    sections = {
        name: structs.replace(getattr(Facts(now=""), name), status="complete", unknowns=()) for name in SECTIONS
    }
    with made.service.database.write() as connection:
        for number, title in enumerate(titles, 100):
            facts = Facts(now="2026-01-02T00:00:00Z", **sections)
            facts = structs.replace(facts, change=structs.replace(facts.change, title=title))
            verdict = Verdict(outcome, "merge", (), "no rules", "")  # type: ignore[arg-type]
            document = to_json({"facts": to_document(facts), "verdict": verdict})
            change = changes.keep(connection, read(made.world.repository, number, minute=number)).change
            new = structs.replace(assessed(change.id, f"key {number}"), document=document)
            assessments.put(connection, new, now())


def test_what_would_pass_and_what_would_be_held(made: Made, repo: Repo) -> None:
    repository = mirrored(made, repo, {"tidegate.toml": BARE, ".tidegate/policy/a.toml": hold("Two")})
    decided(made, ("One", "Two", "Three"))
    trial = try_rules(made.service, repository, hold("Three"))

    found = [(each.stood, each.tried.today, each.tried.tried, each.differs) for each in trial.compared]
    assert found == [("pass", "pass", "hold", True), ("pass", "hold", "pass", True), ("pass", "pass", "pass", False)]
    assert [(each.tried.more, each.tried.less) for each in trial.compared] == [
        (("held: hold",), ()),
        ((), ("held: hold",)),
        ((), ()),
    ]
    assert trial.left_out == 0
    assert not any(each.differs for each in try_rules(made.service, repository, hold("Two")).compared)
    assert len(try_rules(made.service, repository, EXAMPLE).compared) == 3  # what the page shows can be tried


def test_the_newest_are_tried_and_what_is_too_large_is_said(
    made: Made, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = mirrored(made, repo, {"tidegate.toml": BARE})
    decided(made, ("One", "Two", "Three"))
    monkeypatch.setattr(past, "MOST", 2)
    assert [each.change.number for each in try_rules(made.service, repository, "").compared] == [102, 101]
    monkeypatch.setattr(past, "MOST_BYTES", 10)
    with pytest.raises(Problem, match="no change"):
        try_rules(made.service, repository, "")


@pytest.mark.parametrize("rules", ["[[rule", "[people.x]\nname = 'X'", "[[rule]]\nid = 'x'", "rule = 1"])
def test_rules_that_are_none_are_refused(made: Made, repo: Repo, rules: str) -> None:
    repository = mirrored(made, repo, {"tidegate.toml": BARE})
    decided(made, ("One",))
    with pytest.raises(InputError):
        try_rules(made.service, repository, rules)


def test_nothing_to_try_against(made: Made, repo: Repo) -> None:
    with made.service.database.read() as connection:
        repository = repositories.get(connection, made.world.repository)
    assert repository is not None
    with pytest.raises(Problem, match="no change"):
        try_rules(made.service, repository, "")
    decided(made, ("One",))
    with pytest.raises(Problem, match="cannot be read") as unread:
        try_rules(made.service, repository, "")
    assert unread.value.status == 409
    problem = own_rules(made.service, repository).problem
    assert problem
    assert str(made.service.config.data) not in problem


def test_the_rules_to_begin_with_are_those_of_the_branch(made: Made, repo: Repo) -> None:
    mixed = f'[people.x]\nname = "X"\n\n{hold("One")}[policy]\npack = "none"\n'
    other = "# why\n" + RULE.format("other", "note", "'true'")
    repository = mirrored(made, repo, {"tidegate.toml": mixed, ".tidegate/policy/b.toml": other})
    found = own_rules(made.service, repository)
    assert not found.problem
    assert "# why" in found.text
    assert "people" not in found.text
    assert [rule["id"] for rule in read_toml(found.text.encode(), "x")["rule"]] == ["held", "other"]
    decided(made, ("One",))
    assert not try_rules(made.service, repository, found.text).compared[0].differs


def test_rules_that_cannot_be_cut_out_are_said_to_be_missing(made: Made, repo: Repo) -> None:
    inline = 'rule = [{ id = "x", title = "t", effect = "note", owner = "a", reason = "r" }]\n'
    repository = mirrored(made, repo, {"tidegate.toml": inline})
    assert own_rules(made.service, repository).problem == "the rules in tidegate.toml are left out: paste them here"
