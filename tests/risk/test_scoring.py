"""One change is scored from a small part of what was learnt, without what takes long to load or to ask."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.risk.pasts import repaired_past
from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.change.read import Question
from tidegate.collectors import NOT_ASKED, collect_for_risk
from tidegate.facts import Facts, is_known
from tidegate.risk.knowledge import read_for_scores, read_kept
from tidegate.risk.train import learn
from tidegate.risk.values import RECENT_SECONDS, REPAIRED

NOW = "2026-06-01T12:00:00Z"


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = repaired_past(tmp_path_factory.mktemp("past") / "repo", 120)
    with open_repository(repo.path) as repository:
        learn(repository, repository.resolve("HEAD"), read_settings(repository, "", {}).settings)
    repo.commit(
        "Count the visits of a page", {"src/auth/part0.py": "def auth0(work, checked):\n    return work(1, 2)\n"}
    )
    return repo


def judge(repo: Repo, *, reach: bool) -> Facts:
    with open_repository(repo.path) as repository:
        return collect_for_risk(Question("HEAD~1..HEAD"), repository, NOW, {}, reach=reach)


def test_a_score_reads_all_but_the_repairs_of_long_ago(learnt: Repo) -> None:
    with open_repository(learnt.path) as repository:
        whole, part = read_kept(repository), read_for_scores(repository)
    assert whole is not None
    assert part is not None
    late = [one for one in whole.labels if one.known_at > whole.at - RECENT_SECONDS and one.confidence >= REPAIRED]
    assert 0 < len(late) < len(whole.labels)
    assert list(part.labels) == late
    assert part.model == whole.model
    assert (part.figures, part.habits, part.words) == (whole.figures, whole.habits, whole.words)


def test_where_that_part_is_lost_the_whole_is_read(learnt: Repo) -> None:
    before = judge(learnt, reach=False)
    database = sqlite3.connect(learnt.path / ".git" / "tidegate" / "history" / "history.db")
    with database:
        database.execute("UPDATE derived SET value = x'00' WHERE kind = 'scoring'")
    database.close()
    assert judge(learnt, reach=False) == before


def test_without_reach_the_impact_is_unknown_and_the_rest_the_same(learnt: Repo) -> None:
    far, near = judge(learnt, reach=True), judge(learnt, reach=False)
    assert not any(NOT_ASKED in unknown.reason for unknown in far.risk.unknowns)
    assert not is_known(near.risk, "impact")
    assert any(NOT_ASKED in unknown.reason for unknown in near.risk.unknowns)
    assert near.history == far.history
    for name in ("percentile", "band", "factors", "lines", "model_digest"):
        assert getattr(near.risk, name) == getattr(far.risk, name)


def test_a_score_loads_neither_numpy_nor_the_rules(learnt: Repo, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom tidegate.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "import json\nprint(json.dumps([one for one in sys.modules if one.startswith(('numpy', 'tidegate.policy'))]))"
    )
    command = [sys.executable, "-c", code, "risk", "HEAD~1..HEAD", "--no-reach", "--repo", str(learnt.path)]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True).stdout
    assert "riskier than" in told
    assert json.loads(told.splitlines()[-1]) == []
