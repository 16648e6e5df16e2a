"""What makes an approval stale, and what does not: real repositories in which something moved after it was given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.approvals.keys import Authenticator, FileKey, HardwareKey
from tests.approvals.world import RULES, World, make_repo, read_world, settings_text
from tests.repos import Repo, note_text
from tidegate.errors import InputError

Keys = dict[str, FileKey | HardwareKey | Authenticator]


CAROL = "Carol Hill <carol@example.com>"
MALLORY = "Mallory Moe <mallory@example.com>"


def moved(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit("Go on", {"docs/a.md": "more\n"}, author=CAROL)


def edited(repo: Repo) -> None:
    repo.git("checkout", "-q", "feature")
    repo.commit("One thing more", {"src/pay.py": "def pay():\n    return 3\n"}, author=MALLORY)


def reworded(repo: Repo) -> None:
    repo.git("checkout", "-q", "feature")
    repo.git("commit", "-q", "--amend", "-m", "Another message")


def attributed(repo: Repo) -> None:
    head = repo.head("feature")
    repo.note(head, note_text(head, {"src/pay.py": {"h": "2"}}))


def conflicting(repo: Repo) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit("Pay otherwise", {"src/pay.py": "def pay():\n    return 9\n"}, author=CAROL)


def pushed_back(repo: Repo) -> None:
    """A force push to something else and back again: the same commit, so the same approval."""
    head = repo.head("feature")
    edited(repo)
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-f", "feature", head)


def new_policy(keys: Keys) -> Callable[[Repo], None]:
    def change(repo: Repo) -> None:
        repo.git("checkout", "-q", "main")
        listed = {name: key for name, key in keys.items() if name != "lost"}
        rules = RULES.replace('title = "Somebody approves"', 'title = "Anybody approves"')
        repo.commit("Say it otherwise", {"tidegate.toml": settings_text(listed, rules)}, author=CAROL)

    return change


def lost_key(keys: Keys) -> Callable[[Repo], None]:
    def change(repo: Repo) -> None:
        repo.git("checkout", "-q", "main")
        left = {name: key for name, key in keys.items() if name not in ("lost", "bob")}
        repo.commit("Take a lost key out", {"tidegate.toml": settings_text(left)}, author=CAROL)

    return change


@pytest.fixture
def repo(tmp_path: Path, keys: Keys) -> Repo:
    return make_repo(tmp_path / "repo", {name: key for name, key in keys.items() if name != "lost"})


def after(change: Callable[[Repo], None], repo: Repo, keys: Keys, folder: Path) -> tuple[bool, str]:
    """Whether bob's approval still counts after the change, and why not."""
    before = read_world(repo, keys, folder / "before")
    document = before.signed("bob")
    assert before.judge([document]).met("signed")
    before.repository.close()
    change(repo)
    now = read_world(repo, keys, folder / "after")
    found = now.judge([document])
    now.repository.close()
    return found.met("signed"), found.why("signed")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (moved, "another state of it, or the target has moved on"),
        (edited, "another state"),
        (reworded, "another state"),
        (attributed, "other facts"),
        (conflicting, "it may conflict with its target"),
    ],
    ids=["target moved", "edited", "reworded", "attributed", "conflicting"],
)
def test_whatever_moves_asks_for_another_approval(
    change: Callable[[Repo], None], why: str, repo: Repo, keys: Keys, tmp_path: Path
) -> None:
    met, said = after(change, repo, keys, tmp_path)
    assert not met
    assert why in said


def test_a_new_policy_and_a_key_that_was_taken_out_end_an_approval(repo: Repo, keys: Keys, tmp_path: Path) -> None:
    met, _ = after(new_policy(keys), repo, keys, tmp_path / "policy")
    assert not met
    repo.git("reset", "-q", "--hard", "HEAD~1")
    met, why = after(lost_key(keys), repo, keys, tmp_path / "key")
    assert not met
    assert "is no key of bob" in why


def test_a_force_push_there_and_back_leaves_the_approval(repo: Repo, keys: Keys, tmp_path: Path) -> None:
    met, why = after(pushed_back, repo, keys, tmp_path)
    assert met, why


def test_the_same_change_for_another_branch_is_another_approval(world: World) -> None:
    document = world.signed("bob")
    there = World(**{**vars(world), "folder": world.folder / "there"})
    there.facts = msgspec.structs.replace(
        world.facts, change=msgspec.structs.replace(world.facts.change, target="next")
    )
    assert "signed it for main" in there.judge([document]).why("signed")
    there.facts = msgspec.structs.replace(world.facts, change=msgspec.structs.replace(world.facts.change, target=""))
    assert not there.judge([document]).met("signed")


def test_of_a_pull_request_the_forges_reviews_are_asked_for_too(world: World, tmp_path: Path) -> None:
    """Somebody may have asked for changes there."""
    from tidegate.change.reviews import collect_reviews
    from tidegate.change.values import PullRequest

    fields = dict.fromkeys(PullRequest.__struct_fields__, "")
    request = PullRequest(**{**fields, "number": 1, "author_is_bot": False, "labels": (), "assignees": ()})  # type: ignore[arg-type]
    change = msgspec.structs.replace(world.change, pull_request=request)
    document = tmp_path / "a.json"
    document.write_bytes(world.signed("bob"))
    context = msgspec.structs.replace(world.context, approvals=(document,))
    found = collect_reviews(change, context)
    assert found.status == "unknown"
    assert "--reviews FILE" in found.unknowns[0].reason


def test_a_file_that_is_not_there_is_an_error(world: World, tmp_path: Path) -> None:
    from tidegate.change.reviews import collect_reviews

    context = msgspec.structs.replace(world.context, approvals=(tmp_path / "nothing",))
    with pytest.raises(InputError, match="no such file"):
        collect_reviews(world.change, context)


def test_merging_writes_nothing_into_the_repository(repo: Repo, keys: Keys, tmp_path: Path) -> None:
    moved(repo)
    before = sorted(path.name for path in (repo.path / ".git" / "objects").rglob("*"))
    world = read_world(repo, keys, tmp_path / "world")
    merged = world.terms().merge_tree
    world.repository.close()
    assert sorted(path.name for path in (repo.path / ".git" / "objects").rglob("*")) == before
    assert repo.git("merge-tree", "--write-tree", "main", "feature") == merged
