"""What is kept of history: only a saving of time, whatever happens to the file, and never another answer."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repos import Repo, build
from tests.risk.histories import mine, random_history
from tidegate.change.git import open_repository
from tidegate.risk.history import update
from tidegate.risk.history.mine import open_history, store_folder
from tidegate.risk.history.store import FILE
from tidegate.risk.values import PastCommit

BRANCHES = """
    commit One
      file a.py
        . 1
    branch side
    commit Side
      file a.py
        . 1
        . 2
    checkout main
    commit Two
      file b.py
        . 1
"""


def kept_file(repo: Repo) -> Path:
    return repo.path / ".git" / "tidegate" / "history" / FILE


def afresh(repo: Repo, folder: Path, revision: str = "HEAD") -> tuple[PastCommit, ...]:
    with mine(repo, revision, folder) as mined:
        return mined.commits()


def test_only_ancestors_though_other_branches_are_kept(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    with mine(repo, "side") as mined:
        assert [commit.subject for commit in mined.commits()] == ["One", "Side"]
    with mine(repo, "main") as mined:
        assert [commit.subject for commit in mined.commits()] == ["One", "Two"]
        assert len(mined.touching(["a.py"])["a.py"]) == 1
        assert len(mined.by_author("alice@example.com")) == 2
    with mine(repo, "main~1") as mined:
        assert [commit.subject for commit in mined.commits()] == ["One"]
        assert mined.touching(["b.py"]) == {"b.py": ()}
    with open_repository(repo.path) as repository, open_history(repository, "", store_folder(repository)) as mined:
        assert mined.commits() == ()
        assert mined.touching(["a.py"]) == {"a.py": ()}


def test_the_order_of_mining_never_shows(tmp_path: Path) -> None:
    repo = random_history(tmp_path / "repo", 11, 60)
    chance = random.Random(1)
    for number in range(8):
        revision = f"b{chance.randrange(1, 61)}" if number < 7 else "main"
        with mine(repo, revision) as mined:
            assert mined.commits() == afresh(repo, tmp_path / str(number) / "a" / "b", revision)


def test_what_others_do_meanwhile_is_not_seen(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    with mine(repo, "main") as mined:
        before = mined.commits(), mined.touching(["a.py"]), mined.by_author("alice@example.com")
        with mine(repo, "side") as other:
            assert len(other.touching(["a.py"])["a.py"]) == 2
        assert (mined.commits(), mined.touching(["a.py"]), mined.by_author("alice@example.com")) == before
        connection = sqlite3.connect(kept_file(repo), isolation_level=None)
        connection.execute("UPDATE meta SET value = 'another clone' WHERE key = 'edge'")
        connection.close()
        with mine(repo, "main~1") as other:  # empties what is kept
            assert len(other.commits()) == 1
        assert (mined.commits(), mined.touching(["a.py"]), mined.by_author("alice@example.com")) == before


def test_a_push_is_read_alone(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        with open_repository(repo.path) as repository:
            head = repository.find("main")
            open_history(repository, head, store_folder(repository), lambda *done: seen.append(done)).close()
        repo.commit("More", {"c.py": "1\n"})
    assert seen == [(2, 2), (1, 1)]


def test_an_interrupt_loses_one_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = random_history(tmp_path / "repo", 12, 60)
    monkeypatch.setattr(update, "BATCH", 7)

    def interrupt(done: int, total: int) -> None:
        seen.append((done, total))
        if len(seen) == 3:
            raise KeyboardInterrupt

    seen: list[tuple[int, int]] = []
    with open_repository(repo.path) as repository:
        head, folder = repository.find("main"), store_folder(repository)
        with pytest.raises(KeyboardInterrupt):
            open_history(repository, head, folder, interrupt)
        open_history(repository, head, folder, interrupt).close()
    assert seen[2] == (21, seen[0][1])
    assert seen[3] == (7, seen[0][1] - 21)
    with mine(repo, "main") as mined:
        assert mined.commits() == afresh(repo, tmp_path / "a" / "b", "main")


def test_derived_values_stay(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    with mine(repo) as mined:
        assert mined.get("trace:1", "x") is None
        mined.put("trace:1", "x", b"one")
        mined.put_many("trace:1", {"x": b"two", "y": b""})
    with mine(repo, "side") as mined:
        assert mined.get_many("trace:1", ["x", "y", "z"]) == {"x": b"two", "y": b""}
        assert mined.get("trace:2", "x") is None


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_history_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    kept_file(repo).parent.mkdir(parents=True)
    kept_file(repo).write_bytes(content)
    with mine(repo) as mined:
        assert len(mined.commits()) == 2
        assert bool(mined.notices) == bool(content)
    with mine(repo) as mined:
        assert len(mined.commits()) == 2
        assert not mined.notices


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 99",
        "PRAGMA application_id = 1",
        "CREATE TRIGGER t AFTER INSERT ON tips BEGIN DELETE FROM commits; END",
        "DROP TABLE touches",
        "UPDATE bodies SET body = CAST(substr(body, 1, 20) || x'00' || substr(body, 22) AS BLOB) WHERE id = 1",
    ],
)
def test_a_file_of_another_making_is_begun_anew(tmp_path: Path, statement: str) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    with mine(repo) as mined:
        before = mined.commits()
    connection = sqlite3.connect(kept_file(repo), isolation_level=None)
    connection.execute(statement)
    connection.close()
    with mine(repo) as mined:
        assert mined.commits() == before
        assert len(mined.touching(["a.py"])["a.py"]) == 1
        assert mined.notices
        assert mined.get("any", "thing") is None


@pytest.mark.parametrize("seed", range(12))
def test_overwritten_pages_never_change_an_answer(tmp_path: Path, seed: int) -> None:
    repo = random_history(tmp_path / "repo", 13, 60)
    with mine(repo, "main") as mined:
        commits = mined.commits()
        paths = sorted({touch.path for commit in commits for touch in commit.touches})
        past = mined.touching(paths)
    chance = random.Random(seed)
    content = bytearray(kept_file(repo).read_bytes())
    start = chance.randrange(len(content) // 512) * 512
    content[start : start + 512] = chance.randbytes(512)
    kept_file(repo).write_bytes(content)
    with mine(repo, "main") as mined:
        assert mined.touching(paths) == past
        assert mined.commits() == commits


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    target = tmp_path / "elsewhere"
    target.mkdir()
    (repo.path / ".git" / "tidegate").symlink_to(target)
    with mine(repo) as mined:
        assert len(mined.commits()) == 2
        mined.put("kind", "key", b"value")
        assert mined.get("kind", "key") == b"value"
    assert list(target.iterdir()) == []


def test_a_file_that_cannot_be_written_is_still_read(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    with mine(repo) as mined:
        mined.put("kind", "key", b"value")
    reading = """
import sys
from pathlib import Path
from tidegate.change.git import open_repository
from tidegate.risk.history.mine import open_history, store_folder
with open_repository(Path(sys.argv[1])) as repository:
    with open_history(repository, repository.find("side"), store_folder(repository)) as mined:
        print(len(mined.commits()), mined.get("kind", "key"))
"""
    kept_file(repo).chmod(0o400)
    kept_file(repo).parent.chmod(0o500)
    if os.geteuid() == 0:
        pytest.skip("everything can be written by root")
    done = subprocess.run([sys.executable, "-c", reading, str(repo.path)], capture_output=True, check=True)
    assert done.stdout == b"2 b'value'\n"


def test_two_processes_at_once(tmp_path: Path) -> None:
    repo = random_history(tmp_path / "repo", 14, 120)
    mining = """
import sys
from pathlib import Path
from tidegate.change.git import open_repository
from tidegate.risk.history import update
from tidegate.risk.history.mine import open_history, store_folder
update.BATCH = 5
with open_repository(Path(sys.argv[1])) as repository:
    for name in sys.argv[2:]:
        with open_history(repository, repository.find(name), store_folder(repository)) as mined:
            print(len(mined.commits()), mined.notices)
"""
    command = [sys.executable, "-c", mining, str(repo.path)]
    names = (["b90", "main", "b7"], ["b120", "b50", "main"])
    running = [subprocess.Popen([*command, *some], stdout=subprocess.PIPE, text=True) for some in names]
    printed = [process.communicate()[0].splitlines() for process in running]
    assert all(process.returncode == 0 for process in running)
    for some, lines in zip(names, printed, strict=True):
        expected = [f"{repo.git('rev-list', '--count', name)} ()" for name in some]
        assert lines == expected
    with mine(repo, "main") as mined:
        assert mined.commits() == afresh(repo, tmp_path / "a" / "b", "main")


def test_branches_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", BRANCHES)
    side = repo.head("side")
    with mine(repo, "side") as mined:
        mined.put("kind", "key", b"value")
    with mine(repo, "main"):
        pass
    repo.git("branch", "-q", "-D", "side")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    repo.commit("Three", {"c.py": "1\n"})
    with mine(repo, "main") as mined:
        assert [commit.subject for commit in mined.commits()] == ["One", "Two", "Three"]
        assert len(mined.touching(["a.py"])["a.py"]) == 1
        assert mined.get("kind", "key") == b"value"
        assert not mined.notices
    connection = sqlite3.connect(kept_file(repo))
    assert connection.execute("SELECT count(*) FROM commits WHERE oid = ?", (bytes.fromhex(side),)).fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM tips").fetchone() == (1,)
    connection.close()
