"""Redeploy cycles: told exactly on generated histories, whose truth is known, and on small ones drawn by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repos import Repo
from tests.rollout.helpers import deployment
from tests.rollout.histories import History, found_in
from tidegate.change.git import open_repository
from tidegate.rollout.cycles import Cycle, find_cycles, redeploys_of
from tidegate.rollout.values import Deployment


@pytest.mark.parametrize("seed", [19, 25, 40, 94])
def test_a_generated_history_is_told_exactly(tmp_path: Path, seed: int) -> None:
    history = History(tmp_path / "h", seed)
    with open_repository(history.path) as repository:
        cycles = find_cycles(repository, history.deployments)
        again = find_cycles(repository, list(reversed(history.deployments)) * 2)
    found = found_in(cycles)
    assert found == history.truths()
    assert again == cycles


def ran(number: int, revision: str, previous: str = "", **given: str) -> Deployment:
    return deployment(id=f"d{number}", started=float(number), revision=revision, previous=previous, **given)


def cycles_of(repo: Repo, *deployments: Deployment) -> tuple[Cycle, ...]:
    with open_repository(repo.path) as repository:
        return find_cycles(repository, deployments)


def test_a_fix_and_its_fix_are_one_chain_with_the_change(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a.py": "".join(f"line {n}\n" for n in range(30))})
    lines = [f"line {n}\n" for n in range(30)]
    add = repo.commit("Add a total", {"a.py": "".join([*lines[:10], "total = 1\n", *lines[10:]])})
    other = repo.commit("Add colours", {"b.py": "red\n"})
    fix = repo.commit("Fix a crash in the total", {"a.py": "".join([*lines[:10], "total = 2\n", *lines[10:]])})
    again = repo.commit("Fix the total once more\n\nFixes: " + fix[:12], {"c.py": "check\n"})
    found = cycles_of(repo, ran(1, begin), ran(2, other, begin), ran(3, fix, other), ran(4, again, fix))
    chain = next(cycle for cycle in found if cycle.root == add)
    assert chain.commits == (add, fix, again)
    assert (chain.deployments, chain.redeploys) == (("d2", "d3", "d4"), 2)
    assert [tie.kind for tie in chain.ties] == ["lines", "fixes"]
    assert redeploys_of(found) == {begin: 0, add: 2, other: 0, fix: 2, again: 2}


def test_what_blames_a_commit_that_never_ran_blames_the_copy_that_did(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    repo.git("checkout", "-q", "-b", "release")
    repo.git("checkout", "-q", "-b", "work", begin)
    original = repo.commit("Add b", {"b": "1\n"})
    repo.git("checkout", "-q", "release")
    other = repo.commit("Add c", {"c": "1\n"})
    repo.git("cherry-pick", "-x", original)
    copy = repo.head()
    fix = repo.commit(f"Fix d\n\nA regression introduced by {original[:10]}.", {"d": "1\n"})
    found = cycles_of(repo, ran(1, begin), ran(2, copy, begin), ran(3, fix, copy))
    told = {cycle.root: (cycle.commits, cycle.redeploys) for cycle in found}
    assert told == {begin: ((begin,), 0), other: ((other,), 0), copy: ((copy, fix), 1)}


def test_a_branch_whose_commits_take_each_other_back_is_no_squash(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    lines = [f"line {n}\n" for n in range(9)]
    begin = repo.commit("Begin", {"a": "".join(lines)})
    repo.git("checkout", "-q", "-b", "side")
    wrong = repo.commit("Add a limit", {"b": "1\n"})
    right = repo.commit("Add colours", {"a": "".join([*lines[:5], "red\n", *lines[5:]])})
    repo.git("revert", "--no-edit", wrong)
    side = repo.head()
    repo.git("checkout", "-q", "-b", "trunk", begin)
    lines[7] = "another line\n"
    other = repo.commit("Add sounds", {"a": "".join(lines)})
    like = repo.commit("Paint it", {"a": "".join([*lines[:5], "red\n", *lines[5:]])})
    found = cycles_of(repo, ran(1, begin), ran(2, side, begin), ran(3, like, side))
    chains = {frozenset(cycle.commits) for cycle in found}
    assert chains == {frozenset(one) for one in ((begin,), (wrong, side), (right,), (like,), (other,))}


def test_a_trailer_means_by_its_title_what_it_names_by_a_commit_that_is_not_here(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    add = repo.commit("Add b", {"b": "1\n"})
    fix = repo.commit('Mind an empty line\n\nFixes: 239beb46d6b8 ("Add b")', {"c": "1\n"})
    found = cycles_of(repo, ran(1, begin), ran(2, add, begin), ran(3, fix, add))
    assert {cycle.root: cycle.commits for cycle in found} == {begin: (begin,), add: (add, fix)}


def test_the_same_patch_again_on_one_line_is_no_second_copy_of_what_ran_elsewhere(tmp_path: Path) -> None:
    """Only the first of the two is what the other line holds, so that going over to it takes something away."""
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    first = repo.commit("Add b", {"b": "1\n"})
    repo.git("checkout", "-q", "-b", "release", begin)
    repo.commit("Add e", {"e": "1\n"})
    repo.git("cherry-pick", first)
    release = repo.head()
    repo.git("checkout", "-q", "-b", "trunk", first)
    repo.git("revert", "--no-edit", first)
    out = repo.head()
    again = repo.commit("Bring b back", {"b": "1\n"})
    repo.git("revert", "--no-edit", again)
    last = repo.head()
    found = cycles_of(repo, ran(1, begin), ran(2, first, begin), ran(3, last, first), ran(4, release, last))
    chain = next(cycle for cycle in found if first in cycle.commits)
    assert set(chain.commits) == {first, release, out, again, last}
    assert chain.deployments == ("d2", "d3", "d4")


def test_a_branch_that_came_nowhere_is_perhaps_one_change_and_that_is_said(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    repo.git("checkout", "-q", "-b", "preview")
    one = repo.commit("Add b", {"b": "1\n"})
    two = repo.commit("Add c", {"c": "1\n"})
    repo.git("checkout", "-q", "-b", "trunk", begin)
    other = repo.commit("Add d", {"d": "1\n"})
    found = cycles_of(repo, ran(1, begin), ran(2, two, begin), ran(3, other, two))
    assert {cycle.root: cycle.perhaps for cycle in found} == {begin: (), one: (two,), two: (one,), other: ()}


def test_what_was_only_carried_along_has_no_cycle(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    bad = repo.commit("Add a limit", {"b": "1\n"})
    good = repo.commit("Add colours", {"c": "1\n"})
    repo.git("revert", "--no-edit", bad)
    back = repo.head()
    steps = [ran(1, begin), ran(2, good, begin), ran(3, begin, good), ran(4, back, begin)]
    told = {cycle.root: cycle.redeploys for cycle in cycles_of(repo, *steps)}
    assert told == {begin: 0, bad: 2, good: 0}


def test_what_did_not_run_or_is_not_known_counts_for_nothing(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    then = repo.commit("Add b", {"b": "1\n"})
    steps = [
        ran(1, then, begin, status="failed"),
        ran(2, then, begin, status="cancelled"),
        ran(3, "f" * 40, begin),
        ran(4, "main", begin),
        ran(5, "", begin),
    ]
    assert cycles_of(repo, *steps) == ()
    assert [c.deployments for c in cycles_of(repo, *steps, ran(6, then, begin))] == [("d6",)]


def test_services_and_environments_are_told_apart(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    then = repo.commit("Add b", {"b": "1\n"})
    steps = [
        ran(1, then, begin),
        ran(2, then, begin, service="shop"),
        ran(3, then, begin, environment="production"),
    ]
    assert [(c.service, c.environment, c.deployments) for c in cycles_of(repo, *steps)] == [
        ("", "production", ("d3",)),
        ("", "staging", ("d1",)),
        ("shop", "staging", ("d2",)),
    ]


def test_what_mends_something_that_never_ran_is_of_the_chain_that_this_was_to_mend(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    begin = repo.commit("Begin", {"a": "1\n"})
    add = repo.commit("Add b\n\nRefs: SHOP-1", {"b": "1\n"})
    repo.git("checkout", "-q", "-b", "trunk")
    never = repo.commit("Fix the sum\n\nRefs: SHOP-1", {"c": "1\n"})
    repo.git("checkout", "-q", "-b", "release", add)
    fix = repo.commit(f"Mind an empty line\n\nA regression introduced by {never[:10]}.", {"d": "1\n"})
    found = cycles_of(repo, ran(1, begin), ran(2, add, begin), ran(3, fix, add))
    assert {cycle.root: (cycle.commits, cycle.redeploys) for cycle in found} == {
        begin: ((begin,), 0),
        add: ((add, fix), 1),
    }
