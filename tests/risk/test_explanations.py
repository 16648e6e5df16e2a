"""What a reviewer reads of one change, from history to words: what was found wrong by reading a hundred of them."""

from __future__ import annotations

import pytest

from tests.repos import Repo
from tests.risk.pasts import repaired_past
from tidegate.assess import Request, assess
from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.change.read import Question
from tidegate.facts import Facts, is_known
from tidegate.report.risk_brief import render_risk
from tidegate.report.risk_text import render_risk_text
from tidegate.report.style import Style
from tidegate.risk.train import learn
from tidegate.risk.values import OUTSIDE

NOW = "2026-06-01T12:00:00Z"
PLAIN = Style(width=100)
CODE = {"src/auth/part0.py": "def auth0(work, checked):\n    value_1 = work(1, 2)\n    return value_1\n"}


def judge(repo: Repo) -> Facts:
    request = Request(Question(change="HEAD~1..HEAD"), stage=None, now=NOW, environment={})
    with open_repository(repo.path) as repository:
        return assess(request, repository).facts


def teach(repo: Repo) -> None:
    with open_repository(repo.path) as repository:
        learn(repository, repository.resolve("HEAD"), read_settings(repository, repository.find("HEAD"), {}).settings)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return repaired_past(tmp_path_factory.mktemp("past") / "repo", 400)


def test_lines_of_a_few_lost_commits_do_not_hide_the_score(past: Repo) -> None:
    past.commit("Begin to count", {"src/auth/count.py": "def count(work):\n    return 1\n"})
    blob = past.git("rev-parse", "HEAD:src/auth/count.py").strip()
    past.commit("Count on", {"src/auth/count.py": "def count(work):\n    return work(1)\n"})
    lost = past.path / ".git" / "objects" / blob[:2] / blob[2:]
    kept = lost.read_bytes()
    lost.unlink()
    try:
        teach(past)
        past.commit("Count the visits of a page", CODE)
        facts = judge(past)
    finally:
        lost.write_bytes(kept)
    assert is_known(facts.risk, "percentile")
    assert is_known(facts.history, "repaired_share")
    assert not is_known(facts.history, "repaired")
    assert any("objects are missing" in unknown.reason for unknown in facts.history.unknowns)


def test_the_upkeep_of_a_bot_is_outside_and_the_code_of_one_is_not(past: Repo) -> None:
    teach(past)
    bot = "renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>"
    past.commit("Update left-pad", {"package.json": '{"dependencies": {"left-pad": "2"}}\n'}, author=bot)
    assert judge(past).risk.factors[0].words.startswith("upkeep by a bot alone (1 file): ")
    agent = "Co-authored-by: Claude <noreply@anthropic.com>"
    past.commit(f"Update left-pad\n\n{agent}\n", {"package.json": '{"dependencies": {"left-pad": "3"}}\n'}, author=bot)
    assert OUTSIDE not in [factor.name for factor in judge(past).risk.factors]
    past.commit("Work", {"src/work.py": "x = 1\n", "package.json": "{}\n"}, author=bot)
    assert OUTSIDE not in [factor.name for factor in judge(past).risk.factors]


def test_tests_and_documents_alone_are_said_to_be_outside_of_what_is_learnt(past: Repo) -> None:
    teach(past)
    past.commit("Say more", {"docs/guide.md": "# More\n", "tests/test_more.py": "assert rows[0]\n"})
    facts = judge(past)
    assert [factor.name for factor in facts.risk.factors] == [OUTSIDE]
    page = render_risk_text(facts, PLAIN)
    assert "of such changes were repaired" not in page
    assert "not rated: nothing but documents, tests (2 files)" in page
    assert "no repair is traced to them" in page
    assert "What raised" not in page
    assert "not rated" in render_risk(facts, PLAIN)[0]
