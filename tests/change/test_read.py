"""A person names a change in many ways; Tidegate says which range it took and why, or what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.repos import Repo, build
from tidegate.change.git import open_repository
from tidegate.change.read import Ends, Question, read_change, read_ends
from tidegate.change.values import Change
from tidegate.errors import InputError
from tidegate.settings import Settings

SCRIPT = """
commit one
  file a
    . 1
commit two
  file a
    . 1
    . 2
branch feature
commit three
  file b
    . 3
commit four
  file b
    . 3
    . 4
checkout main
commit five
  file c
    . 5
checkout feature
"""


def ends_of(repo: Repo | Path, **question: object) -> Ends:
    with open_repository(repo.path if isinstance(repo, Repo) else repo) as repository:
        return read_ends(Question(**question), repository)  # type: ignore[arg-type]


def change_of(repo: Repo | Path, **question: object) -> Change:
    with open_repository(repo.path if isinstance(repo, Repo) else repo) as repository:
        return read_change(read_ends(Question(**question), repository), repository, Settings())  # type: ignore[arg-type]


def refused(repo: Repo | Path, **question: object) -> str:
    with pytest.raises(InputError) as error:
        ends_of(repo, **question)
    return str(error.value)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return build(tmp_path / "repo", SCRIPT)


def paths(change: Change) -> list[bytes]:
    return [file.path for file in change.files]


# By default: what HEAD adds to where it wants to go


def test_a_feature_branch_is_compared_with_main(repo: Repo) -> None:
    change = change_of(repo)

    left = repo.head("main~1")[:7]
    assert change.chosen == f"main..HEAD: 2 commits since {left}, where it left main (no upstream is set)"
    assert (change.target, change.source, paths(change)) == ("main", "feature", [b"b"])
    assert [commit.subject for commit in change.commits] == ["three", "four"]
    assert change.base == repo.head("main~1")
    assert change.base_tree == repo.head("main~1^{tree}")
    assert change.head_tree == repo.head("feature^{tree}")


def test_policy_is_read_where_the_target_stands_now(repo: Repo) -> None:
    assert ends_of(repo).policy_at == repo.head("main")
    assert ends_of(repo, change="main..HEAD").policy_at == repo.head("main")


def test_a_configured_upstream_wins(repo: Repo) -> None:
    repo.git("branch", "release", "main~1")
    repo.git("branch", "--set-upstream-to=release")

    assert ends_of(repo).chosen.startswith("release..HEAD: 2 commits since ")
    assert ends_of(repo).chosen.endswith(" (upstream of feature)")


@pytest.fixture
def clone(repo: Repo, tmp_path: Path) -> Repo:
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    return Repo(tmp_path / "clone", clock=repo.clock)


def test_the_default_branch_of_the_remote(repo: Repo, clone: Repo) -> None:
    repo.git("checkout", "-q", "main")
    clone.git("remote", "set-head", "origin", "main")
    clone.git("checkout", "-q", "--no-track", "-b", "fix", "origin/main")
    clone.commit("six", {"d": "6\n"})

    ends = ends_of(clone)

    assert ends.chosen == f"origin/main..HEAD: 1 commit since {clone.head('HEAD~1')[:7]} (default branch of origin)"
    assert (ends.target, ends.source) == ("main", "fix")


def test_where_a_branch_was_pushed_to_is_not_where_it_goes(repo: Repo, clone: Repo) -> None:
    clone.git("remote", "set-head", "origin", "main")

    assert clone.git("rev-parse", "--abbrev-ref", "@{upstream}") == "origin/feature"
    assert ends_of(clone).chosen.startswith("origin/main..HEAD: 2 commits since ")


def test_a_renaming_fetch_refspec_is_followed(repo: Repo, clone: Repo) -> None:
    clone.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/mirror/x/*")
    clone.git("fetch", "-q")
    clone.git("config", "branch.feature.merge", "refs/heads/main")

    assert ends_of(clone).chosen.startswith("mirror/x/main..HEAD: ")


def test_on_the_only_branch_the_last_commit_is_taken(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-D", "feature")
    ends = ends_of(repo)

    head, parent = repo.head()[:7], repo.head("HEAD~1")[:7]
    assert ends.chosen == (
        f"HEAD ({head}): the last commit, as there is no upstream branch, against its parent {parent}"
    )
    assert (ends.kind, ends.source) == ("commit", "main")


def test_when_nothing_is_new_the_last_commit_is_taken(repo: Repo, clone: Repo) -> None:
    clone.git("checkout", "-q", "main")
    clone.git("remote", "set-head", "origin", "main")

    assert "the last commit, as origin/main has it already" in ends_of(clone).chosen


def test_a_detached_head_is_compared_with_main(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach", "feature")

    assert ends_of(repo).chosen.startswith("main..HEAD: 2 commits since ")
    assert ends_of(repo).source == ""


def test_before_the_first_commit_the_staged_tree_is_taken(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    empty = change_of(repo)
    assert (empty.chosen, empty.files) == ("no commit yet: the staged tree against nothing, and nothing is staged", ())

    repo.write("a", "1\n")
    repo.git("add", "a")
    change = change_of(repo)
    assert (change.kind, change.base, change.head, paths(change)) == ("staged", "", "", [b"a"])
    assert change_of(repo, staged=True).files == change.files


# Named


def test_a_range_and_its_three_dot_form_are_what_head_adds(repo: Repo) -> None:
    two, three = change_of(repo, change="main..feature"), change_of(repo, change="main...feature")

    assert paths(two) == paths(three) == [b"b"]
    assert two.commits == three.commits
    assert (two.target, two.source) == ("main", "feature")


def test_an_empty_range_is_a_change_without_files(repo: Repo) -> None:
    change = change_of(repo, change="feature..feature~1")

    assert (change.files, change.commits, change.unknowns) == ((), (), ())
    assert change.chosen == "feature..feature~1: no commits: feature has all of feature~1"


def test_ends_of_a_range_default_to_head(repo: Repo) -> None:
    assert ends_of(repo, change="main..").head == repo.head()
    assert ends_of(repo, change="..main").base == repo.head("main~1")


def test_only_a_branch_is_a_target(repo: Repo) -> None:
    assert ends_of(repo, change="main~1..refs/heads/feature").target == ""
    assert ends_of(repo, change="HEAD~1..HEAD").target == ""


def test_a_commit_a_root_a_merge_and_a_tag(repo: Repo) -> None:
    root = change_of(repo, change="main~2")
    assert (root.base, root.base_tree, paths(root)) == ("", repo.git("hash-object", "-t", "tree", "/dev/null"), [b"a"])
    assert root.chosen.endswith(": the commit, against nothing: it has no parent")
    assert [commit.subject for commit in root.commits] == ["one"]

    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge feature", "feature")
    repo.git("tag", "-a", "-m", "release", "v1")
    merge = change_of(repo, change="v1")
    assert (paths(merge), merge.base) == ([b"b"], repo.head("main~1"))
    assert [commit.subject for commit in merge.commits] == ["three", "four", "Merge feature"]
    assert "against the first of its 2 parents" in merge.chosen


def test_the_description_is_that_of_the_commits(repo: Repo) -> None:
    repo.commit("Add retries\n\nWhy: the upstream times out", {"b": "7\n"})

    assert change_of(repo, change="HEAD").intent.what == "Add retries"


def test_unrelated_histories_are_compared_as_they_are(repo: Repo) -> None:
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("rm", "-rfq", ".")
    repo.commit("alone", {"z": "unlike\n"})

    change = change_of(repo, change="main..other")

    assert sorted(paths(change)) == [b"a", b"c", b"z"]
    assert "with no history in common with main" in change.chosen


# Refused


def test_what_names_nothing_is_refused_with_a_hint(repo: Repo) -> None:
    repo.write("notes.txt", "x")

    assert "no commit is called 'nope' here; list what there is: git branch -a" in refused(repo, change="nope")
    assert refused(repo, change="notes.txt") == (
        "'notes.txt' is a file, not a revision; name a commit, branch, tag or BASE..HEAD"
    )
    assert "is not a revision" in refused(repo, change="--output=pwned")
    assert "is not a revision" in refused(repo, change="main..--output=pwned")
    assert "is not a revision" in refused(repo, change=":/two")
    assert "no commit is called" in refused(repo, change="HEAD:a")
    assert "no commit is called" in refused(repo, change="x" * 5000)
    assert refused(repo, staged=True, change="HEAD") == "CHANGE and --staged name two changes; keep one of them"


def test_an_ambiguous_name_is_refused(repo: Repo) -> None:
    repo.git("tag", "feature", "main~1")

    assert "'feature' names more than one thing here; write it in full" in refused(repo, change="main..feature")
    assert ends_of(repo, change="main..refs/heads/feature").head == repo.head("refs/heads/feature")


def test_a_question_about_history_needs_a_repository() -> None:
    with pytest.raises(InputError, match="this needs a repository"):
        read_ends(Question(), None)


# Shallow clones


def test_a_shallow_clone_says_what_to_fetch(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--depth=1", "--no-single-branch", f"file://{repo.path}", str(tmp_path / "shallow"))
    shallow = tmp_path / "shallow"

    assert refused(shallow, change="HEAD") == (
        f"{shallow}: the parent {repo.head('feature~1')[:12]} is not in this clone; "
        "fetch more history: git fetch --deepen=1, or --unshallow"
    )
    assert refused(shallow, change="origin/main..HEAD") == (
        f"{shallow}: this shallow clone does not hold the commit at which HEAD left origin/main; "
        "fetch more history: git fetch --unshallow"
    )


def test_a_cut_within_the_range_makes_its_commits_unknown(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", "commit base\n  file a\n    . 1\nbranch side\ncommit s1\n  file s\n    . 1\n")
    repo.commit("s2", {"s": "2\n"})
    repo.commit("s3", {"s": "3\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    repo.git("clone", "-q", "--depth=3", f"file://{repo.path}", str(tmp_path / "shallow"))

    change = change_of(tmp_path / "shallow", change="HEAD~1..HEAD")

    assert {unknown.path for unknown in change.unknowns} == {"change.commits", "change.commits_total", "change.merges"}
    assert "fetch more history: git fetch --unshallow" in change.unknowns[0].reason
    assert paths(change) == [b"s"]


# A pull request


def event(tmp_path: Path, base: str, head: str, target: str = "main") -> Path:
    file = tmp_path / "event.json"
    pull = {
        "number": 7, "title": "Add b", "body": "Why: wanted", "user": {"login": "alice", "type": "User"},
        "base": {"sha": base, "ref": target}, "head": {"sha": head, "ref": "feature"},
    }  # fmt: skip
    file.write_text(json.dumps({"action": "opened", "pull_request": pull}))
    return file


def test_a_pull_request_is_what_its_head_adds(repo: Repo, tmp_path: Path) -> None:
    change = change_of(repo, pr=event(tmp_path, repo.head("main"), repo.head("feature")))

    assert change.chosen.startswith("#7, main..feature: 2 commits since ")
    assert (change.kind, change.target, change.source, paths(change)) == ("pull-request", "main", "feature", [b"b"])
    assert change.intent.what == "Add b"
    assert change.pull_request is not None


def test_a_pull_request_that_is_not_here_says_what_to_fetch(repo: Repo, tmp_path: Path) -> None:
    assert refused(repo, pr=event(tmp_path, repo.head("main"), "1" * 40)) == (
        "commit 111111111111 of the pull request is not in this clone; fetch it: git fetch origin pull/7/head"
    )
    hostile = event(tmp_path, "2" * 40, repo.head(), target="x;touch pwned")
    assert refused(repo, pr=hostile).endswith("git fetch origin 'x;touch pwned'")


# A diff


def test_a_diff_needs_no_repository_and_leaves_unknown_what_it_does_not_say(tmp_path: Path) -> None:
    file = tmp_path / "x.diff"
    file.write_bytes(b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n")

    change = read_change(read_ends(Question(diff=file), None), None, Settings())

    assert (change.kind, paths(change), change.head_tree) == ("diff", [b"f"], "")
    assert {"change.head_tree", "change.commits", "change.author"} <= {u.path for u in change.unknowns}


def test_a_diff_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_change(read_ends(Question(diff=tmp_path / "no"), None), None, Settings())


# Places


def test_a_linked_work_tree_and_a_bare_repository(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "main")
    assert "main" in ends_of(tmp_path / "linked", change="main~1..HEAD").chosen
    assert ends_of(tmp_path / "linked", change="HEAD").head == repo.head("main")

    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    with open_repository(tmp_path / "bare.git", bare=True) as repository:
        assert read_ends(Question(change="main..feature"), repository).head == repo.head("feature")
