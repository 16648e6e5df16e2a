"""What a repository knows of itself, and the command that tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.repos import Repo
from tidegate.cli.main import tidegate
from tidegate.errors import InputError
from tidegate.facts import ChangeFacts, CommitFact, Facts, Lines
from tidegate.insight.past import deployed_first, ran_of, shipped_of, writer_of
from tidegate.policy.backtest.values import Fate, PastChange
from tidegate.rollout.values import Deployment


@pytest.mark.parametrize(
    ("lines", "writer"),
    [
        (Lines(added=10, ai=9, human=1), "ai"),
        (Lines(added=10, ai=1, human=9), "human"),
        (Lines(added=10, ai=5, human=5), "mixed"),
        (Lines(added=10, ai=5, unknown=5), "unknown"),
        (Lines(added=10, ai=6, unknown=4), "ai"),
        (Lines(), "unknown"),
    ],
)
def test_whose_change_it_is(lines: Lines, writer: str) -> None:
    assert writer_of(lines) == writer


@pytest.mark.parametrize(
    ("repaired", "source", "matured", "fate"),
    [
        (False, "", True, "clean"),
        (False, "", False, "pending"),
        (True, "fix", True, "fixed"),
        (True, "revert", True, "reverted"),
        (True, "fix", False, "pending"),  # its sound neighbours are not known yet
    ],
)
def test_a_young_change_is_not_judged(repaired: bool, source: str, matured: bool, fate: str) -> None:
    past = PastChange("a" * 40, 0, "Change", Facts(now=""), Fate(repaired, 1.0, source, 1, matured))

    (shipped,) = shipped_of([past], {})

    assert shipped.fate == fate


def _deployed(name: str, revision: str, at: float, **more: object) -> Deployment:
    values = {"environment": "production", "service": "web", "status": "succeeded", **more}
    return Deployment(id=name, revision=revision, started=at, finished=at + 1, **values)  # type: ignore[arg-type]


def test_a_commit_goes_out_with_the_first_deployment_that_holds_it() -> None:
    order = ["d", "c", "b", "a"]  # newest first
    ran = [_deployed("2", "d", 20), _deployed("1", "b", 10), _deployed("3", "c", 5, environment="staging")]

    assert deployed_first(ran, order, "production") == {"d": 21, "c": 21, "b": 11, "a": 11}


def test_what_was_taken_back_had_failed() -> None:
    ran = ran_of(
        [_deployed("1", "a", 0), _deployed("2", "b", 100), _deployed("3", "a", 160)], {"b": "ai"}, "production"
    )

    assert [(one.writer, one.failed, one.recovered, one.rework) for one in ran] == [
        ("unknown", False, None, None),
        ("ai", True, 61.0, None),
        ("unknown", False, None, True),
    ]


def test_the_command_counts_what_landed(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    for number in range(8):
        trailer = "\n\nCo-authored-by: Claude <noreply@anthropic.com>" if number % 2 else ""
        repo.commit(f"Change {number}{trailer}", {"a.py": f"x = {number}\n" * 3})
    repo.git("tag", "v1")

    done = CliRunner().invoke(tidegate, ["insight", "--since", "10y", "--format", "json", "--repo", str(repo.path)])

    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["schema"], found["changes"], found["pending"]) == ("tidegate.insight/1", 8, 8)
    lead = found["tables"][0]["whole"]["figures"][1]
    assert (lead["name"], lead["n"]) == ("lead time", 8)
    text = CliRunner().invoke(tidegate, ["insight", "--since", "10y", "--repo", str(repo.path)]).output
    assert "8 of them are too young to be judged" in text
    assert "no deployment is known" in text


def test_the_command_writes_a_table_and_reads_reports(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    for number in range(8):
        repo.commit(f"Change {number}", {"a.py": f"x = {number}\n" * 3, f"tests/test_{number}.py": "assert True\n"})
    (tmp_path / "r.xml").write_text('<testsuite><testcase classname="a" name="b"/></testsuite>')
    given = ["insight", "--since", "10y", "--repo", str(repo.path), "--junit", str(tmp_path / "r.xml")]

    table = CliRunner().invoke(tidegate, [*given, "--format", "csv", "--every", "week"])
    text = CliRunner().invoke(tidegate, given)

    assert table.exit_code == text.exit_code == 0, table.output + text.output
    assert table.output.splitlines()[0].startswith("part,by,group,figure,when")
    assert "upkeep,writer,all,changes that touch tests,,share,1.0," in table.output
    assert "merged by the author" in text.output
    assert "Tests, by 1 report of runs" in text.output
    bad = CliRunner().invoke(tidegate, [*given[:-1], str(repo.path / "a.py")])
    assert isinstance(bad.exception, InputError), bad.output


def test_of_a_merge_the_author_is_not_who_merged_it(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    repo.commit("First", {"a.py": "a\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.git("commit", "-q", "--allow-empty", "--author", "Ben <ben@example.test>", "-m", "By Ben")
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    facts = Facts(now="", change=ChangeFacts(author="Merger", commits=_commits(repo)))
    (merged,) = shipped_of([PastChange(facts.change.commits[-1].oid, 0, "", facts, FATE)], {})

    assert merged.author == "Ben <ben@example.test>"
    assert merged.merged_by not in ("", merged.author)


FATE = Fate(False, 1.0, "", -1, True)


def _commits(repo: Repo) -> tuple[CommitFact, ...]:
    form = "--format=%H|%p|%an <%ae>|%cn <%ce>|%aI|%cI|%s"
    told = repo.git("log", "--reverse", "--topo-order", form, "HEAD^1..HEAD")
    split = (line.split("|") for line in told.splitlines())
    return tuple(CommitFact(one[0], len(one[1].split()), *one[2:]) for one in split)
