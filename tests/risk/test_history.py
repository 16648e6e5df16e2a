"""What the mined history says, against git itself and against small repositories that are read at a glance."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.repos import Repo, build
from tests.risk.histories import mine, random_history
from tidegate.change.values import Person
from tidegate.risk.history.log import MESSAGE_LIMIT, cut_message
from tidegate.risk.history.people import merged_keys, person_key
from tidegate.risk.history.tags import is_version
from tidegate.risk.values import PastCommit, Touch
from tidegate.settings import Identity, Settings

ALICE = "alice@example.com"


def git_says(repo: Repo, revision: str) -> dict[str, list[tuple[str, str, str]]]:
    """What `git log --numstat -M` prints of each commit: added, deleted and path, as it is printed."""
    told = subprocess.run(
        ["git", "log", "--numstat", "-M", "-z", "--format=@%H", revision],
        cwd=repo.path,
        capture_output=True,
        check=True,
    ).stdout.decode("utf-8", "backslashreplace")
    found: dict[str, list[tuple[str, str, str]]] = {}
    oid = ""
    tokens = iter(told.split("\0"))
    for token in tokens:
        line = token.lstrip("\n")
        if line.startswith("@"):
            oid = line[1:]
            found[oid] = []
        elif line:
            added, deleted, path = line.split("\t", 2)
            found[oid].append((added, deleted, path or f"{next(tokens)} => {next(tokens)}"))
    return found


def as_git(touch: Touch) -> tuple[str, str, str]:
    added, deleted = ("-" if count < 0 else str(count) for count in (touch.added, touch.deleted))
    return added, deleted, f"{touch.old} => {touch.path}" if touch.status == "R" else touch.path


def assert_as_git(repo: Repo, commits: tuple[PastCommit, ...], revision: str = "HEAD") -> None:
    assert {commit.oid: [as_git(touch) for touch in commit.touches] for commit in commits} == git_says(repo, revision)
    place = {commit.oid: number for number, commit in enumerate(commits)}
    assert all(place[parent] < place[commit.oid] for commit in commits for parent in commit.parents)


@pytest.mark.parametrize(("seed", "object_format"), [(1, "sha1"), (2, "sha1"), (3, "sha1"), (4, "sha256")])
def test_counts_are_those_of_git(tmp_path: Path, seed: int, object_format: str) -> None:
    repo = random_history(tmp_path / "repo", seed, 120, object_format)
    with mine(repo, "main") as mined:
        assert mined.complete
        assert not mined.unknowns
        assert_as_git(repo, mined.commits(), "main")


def test_the_words_of_one_commit(tmp_path: Path) -> None:
    repo = build(
        tmp_path / "repo",
        """
        commit Add the parser
          body Because we need one.
          file src/parser.py
            . one
            . two
            . three
            . four
        commit Move it
          by Bob Jones <Bob@Example.com>
          trailer Co-authored-by: Claude <noreply@anthropic.com>
          rename src/parser.py lib.py
        """,
    )
    with mine(repo) as mined:
        first, second = mined.commits()
    assert first.message == "Add the parser\n\nBecause we need one."
    assert first.touches == (Touch("src/parser.py", "src/parser.py", "A", 4, 0),)
    assert first.author == first.committer == Person("Alice Smith", ALICE)
    assert (first.parents, second.parents) == ((), (first.oid,))
    assert second.author == Person("Bob Jones", "Bob@Example.com")
    assert second.committed_at == first.committed_at + 3600
    assert second.touches == (Touch("lib.py", "src/parser.py", "R", 0, 0),)
    assert second.subject == "Move it"


def test_kinds_of_changes(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("One", {"text": "a\nb\n", "image": b"\0\1", "run": "x\n"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    repo.git("update-index", "--chmod=+x", "run")
    repo.git("rm", "-q", "--cached", "text")
    (repo.path / "text").unlink()
    (repo.path / "text").symlink_to("run")
    repo.git("add", "text")
    repo.git("commit", "-q", "-m", "Two")
    with mine(repo) as mined:
        one, two = mined.commits()
        assert_as_git(repo, (one, two))
    assert {(touch.path, touch.status) for touch in two.touches} == {("module", "A"), ("run", "M"), ("text", "T")}
    assert [touch.added for touch in one.touches if touch.path == "image"] == [-1]


def test_an_empty_repository_and_one_commit(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    with mine(repo) as mined:
        assert (mined.commits(), mined.tags(), mined.touching(["a"])) == ((), (), {"a": ()})
        assert mined.complete
    oid = repo.commit("One", {})
    with mine(repo) as mined:
        assert [commit.oid for commit in mined.commits()] == [oid]


@pytest.mark.parametrize(
    ("date", "at"),
    [("-500 +0000", 0), ("99999999999999999999999 +0000", 253_402_300_799), ("7 +0000", 7), ("x", 0), ("", 0)],
)
def test_times_out_of_range(tmp_path: Path, date: str, at: int) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("One", {"a": "1\n"})
    tree, parent = repo.head("HEAD^{tree}"), repo.head()
    raw = f"tree {tree}\nparent {parent}\nauthor A <a@b> {date}\ncommitter \x01 <> {date}\n\n\x01{parent}\n:1 2\t3\n"
    oid = repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw.encode())
    repo.git("update-ref", "refs/heads/main", oid)
    repo.commit("Three", {"a": "2\n"})
    with mine(repo) as mined:
        one, two, three = mined.commits()
    assert (two.oid, two.authored_at, two.committed_at) == (oid, at, at)
    assert two.message == f"\x01{parent}\n:1 2\t3"
    assert [len(commit.touches) for commit in (one, two, three)] == [1, 0, 1]


def test_touching_follows_renames_and_leaves_merges_out(tmp_path: Path) -> None:
    repo = build(
        tmp_path / "repo",
        """
        commit One
          file old.py
            . a
            . b
            . c
        branch side
        commit Two
          by Bob <bob@example.com>
          file old.py
            . a
            . b
            . c
            . d
        checkout main
        commit Other
          file else.py
            . x
        merge side
        commit Three
          rename old.py new.py
        commit Four
          file old.py
            . something else
        commit Five
          file new.py
            . a
        """,
    )
    with mine(repo) as mined:
        oids = {commit.subject: commit.oid for commit in mined.commits()}
        found = mined.touching(["new.py", "old.py", "none.py"])
    past = [(touch.oid, touch.author, touch.added, touch.deleted) for touch in found["new.py"]]
    assert past == [
        (oids["One"], ALICE, 3, 0),
        (oids["Two"], "bob@example.com", 1, 0),
        (oids["Three"], ALICE, 0, 0),
        (oids["Five"], ALICE, 0, 3),
    ]
    assert [touch.oid for touch in found["old.py"]] == [oids["Four"]]
    assert found["none.py"] == ()


def swept(commits: tuple[PastCommit, ...]) -> dict[str, list[str]]:
    """The past of each path by the definition: a sweep in which a rename carries the past along."""
    past: dict[str, list[str]] = {}
    for commit in commits:
        moved = {touch.old: past.pop(touch.old, []) for touch in commit.touches if touch.status == "R"}
        for touch in commit.touches:
            past[touch.path] = [*(moved[touch.old] if touch.status == "R" else past.get(touch.path, [])), commit.oid]
    return past


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_touching_is_what_a_sweep_over_all_commits_finds(tmp_path: Path, seed: int) -> None:
    repo = random_history(tmp_path / "repo", seed, 100)
    with mine(repo, "main") as mined:
        past = swept(mined.commits())
        found = mined.touching(list(past))
    assert {path: [touch.oid for touch in touches] for path, touches in found.items()} == past


def test_by_author(tmp_path: Path) -> None:
    repo = build(
        tmp_path / "repo",
        """
        commit One
          file src/a/b.py
            . 1
          file top.py
            . 1
        commit Two
          by Other Alice <ALICE@example.com>
          file docs/a.md
            . 1
        commit Bob
          by Bob <bob@example.com>
          file docs/b.md
            . 1
        commit Nothing
        """,
    )
    with mine(repo) as mined:
        found = mined.by_author(ALICE)
        assert [row.folders for row in found] == [("", "src"), ("docs",), ()]
        assert [row.oid for row in found] == [c.oid for c in mined.commits() if c.subject != "Bob"]
        assert mined.by_author("nobody") == ()


def test_people() -> None:
    assert person_key(Person("A", "A@Example.com ")) == person_key(Person("B", "a@example.com"))
    numbered = person_key(Person("", "12+octo@users.noreply.github.com"))
    assert numbered == person_key(Person("", "Octo@users.noreply.github.com"))
    assert person_key(Person("No  Mail", "")) == "<No Mail>"
    settings = Settings(people={"alice": Identity(emails=("A@x.org",), accounts=("octo",))})
    assert merged_keys(settings)["a@x.org"] == merged_keys(settings)[numbered] == "alice"


def test_long_messages_keep_their_trailers() -> None:
    message = "Subject\n\n" + "x" * 20_000 + "\n\nFixes: abc\nCo-authored-by: Claude <noreply@anthropic.com>\n"
    cut = cut_message(message.encode())
    assert len(cut) <= MESSAGE_LIMIT
    assert cut.startswith("Subject\n\nxxx")
    assert cut.endswith("x\n\nFixes: abc\nCo-authored-by: Claude <noreply@anthropic.com>")
    assert cut_message(b"\xff" * 30_000).encode().isascii()


def test_tags(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    one = repo.commit("One", {})
    repo.git("tag", "v1.0")
    repo.clock += 100
    repo.git("tag", "-a", "-m", "two", "pkg/2.0.0-rc.1")
    repo.git("tag", "nightly")
    repo.git("tag", "9.9", repo.head("HEAD^{tree}"))
    with mine(repo) as mined:
        assert [(tag.name, tag.commit) for tag in mined.tags()] == [("v1.0", one), ("pkg/2.0.0-rc.1", one)]
        assert mined.tags()[1].at == mined.tags()[0].at + 100


@pytest.mark.parametrize(
    "name", ["1.2", "v1.2.3", "release-2024.1", "r12", "pkg@1.0.0", "v2.0.0-beta.3", "a-b-1.0.post1"]
)
def test_versions(name: str) -> None:
    assert is_version(name)


@pytest.mark.parametrize("name", ["latest", "v", "backup-of-main", "1.2-broken-do-not-use", "x" * 500 + "1.2"])
def test_no_versions(name: str) -> None:
    assert not is_version(name)
