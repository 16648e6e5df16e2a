"""What an audit reads of a real repository."""

from __future__ import annotations

from pathlib import Path

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.protected import read_branch, with_landed
from tidegate.ledger.evidence.values import Merge

REF = "refs/heads/main"


def merge_of(head: str, commit: str) -> Merge:
    return Merge(number=1, target=REF, head=head, commit=commit, at=1.0)


def test_a_branch_is_its_first_parents_and_what_is_not_on_it_is_absent(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    root = repo.commit("root", {"a": "1\n"})
    repo.git("checkout", "-q", "-b", "feature")
    aside = repo.commit("aside", {"b": "1\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    merged = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "-b", "other")
    gone = repo.commit("gone", {"c": "1\n"})
    with open_repository(tmp_path) as repository:
        branch = read_branch(repository, REF, {aside, merged, gone, "f" * 40})
    assert [commit.oid for commit in branch.commits] == [root, merged]
    assert branch.commits[1].parents == (root, aside)
    assert branch.commits[1].tree == repo.git("rev-parse", f"{merged}^{{tree}}")
    assert branch.absent == {gone, "f" * 40}


def test_the_commits_of_a_rebase_are_found_and_a_push_among_them_is_not_one(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("root", {"a": "1\n"})
    repo.git("checkout", "-q", "-b", "feature")
    for number in range(3):
        repo.commit(f"step {number}", {f"f{number}": "1\n"})
    head = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "main")
    repo.commit("meanwhile", {"m": "1\n"})
    before = repo.git("rev-parse", "HEAD")
    repo.git("cherry-pick", "feature~3..feature")
    steps = repo.git("rev-list", "--reverse", f"{before}..HEAD").split()
    with open_repository(tmp_path) as repository:
        (found,) = with_landed(repository, REF, [merge_of(head, steps[-1])])
        assert set(found.landed) == set(steps[:-1])
        assert with_landed(repository, REF, [merge_of("e" * 40, steps[-1])])[0].landed == ()
    repo.git("reset", "-q", "--hard", steps[1])
    repo.commit("a push", {"p": "1\n"})
    repo.git("cherry-pick", "feature")
    with open_repository(tmp_path) as repository:
        (found,) = with_landed(repository, REF, [merge_of(head, repo.git("rev-parse", "HEAD"))])
    assert found.landed == ()


def test_a_squash_brought_one_commit(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("root", {"a": "1\n"})
    repo.git("checkout", "-q", "-b", "feature")
    repo.commit("one", {"f": "1\n"})
    head = repo.commit("two", {"g": "1\n"})
    repo.git("checkout", "-q", "main")
    pushed = repo.commit("one", {"evil": "1\n"})
    repo.git("merge", "-q", "--squash", "feature")
    repo.git("commit", "-q", "-m", "one and two (#1)")
    with open_repository(tmp_path) as repository:
        (found,) = with_landed(repository, REF, [merge_of(head, repo.git("rev-parse", "HEAD"))])
    assert pushed not in found.landed
