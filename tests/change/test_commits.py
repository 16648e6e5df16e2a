"""Commits are read as they stand, whatever they hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change import commits as commits_module
from tidegate.change.commits import parse_commit, read_commit_objects, read_commits
from tidegate.change.git import open_repository
from tidegate.change.values import Person
from tidegate.errors import InputError

TREE = b"tree " + b"4" * 40 + b"\n"


def test_times_are_utc_and_names_are_whole() -> None:
    commit = parse_commit(
        "1" * 40,
        TREE + b"parent " + b"2" * 40 + b"\nparent " + b"3" * 40 + b"\n"
        b"author A <b> C <a@example.com> 1700000000 +0530\n"
        b"committer  <> 1700000001 -0800\n"
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n author Forged <f@example.com> 1 +0000\n -----END\n"
        b"\nSubject\n\nauthor Body <b@example.com> 1 +0000\n",
    )  # fmt: skip

    assert commit.author == Person("A", "b> C <a@example.com")
    assert commit.committer == Person("", "")
    assert (commit.authored_at, commit.committed_at) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z")
    assert (commit.tree, len(commit.parents)) == ("4" * 40, 2)
    assert (commit.subject, commit.message) == ("Subject", "Subject\n\nauthor Body <b@example.com> 1 +0000\n")


@pytest.mark.parametrize(
    ("encoding", "text", "message"),
    [
        (b"", "grün".encode(), "grün"),
        (b"encoding ISO-8859-1\n", "grün".encode("latin-1"), "grün"),
        (b"encoding Shift_JIS\n", "日本".encode("shift_jis"), "日本"),
        (b"", b"gr\xfcn", "gr\\xfcn"),
        (b"encoding no-such\n", b"gr\xfcn", "gr\\xfcn"),
        (b"encoding zlib\n", b"plain", "plain"),
        (b"encoding idna\n", b"a..b", "a..b"),
        (b"encoding \xff\n", b"plain", "plain"),
        (b"encoding utf-7\n", b"+/v8-", "+/v8-"),
    ],
)
def test_messages_are_decoded_as_the_commit_says_where_that_is_possible(
    encoding: bytes, text: bytes, message: str
) -> None:
    assert parse_commit("1" * 40, TREE + encoding + b"\n" + text).message == message


@pytest.mark.parametrize(
    ("seconds", "time"),
    [
        (b"0 +0000", "1970-01-01T00:00:00Z"),
        (b"-1 +0000", "1970-01-01T00:00:00Z"),
        (b"99999999999999999999 +0000", "1970-01-01T00:00:00Z"),
        (b"999999999999 +0000", "9999-12-31T23:59:59Z"),
        (b"soon", "1970-01-01T00:00:00Z"),
        (b"", "1970-01-01T00:00:00Z"),
        (b"1700000000 +99999999", "2023-11-14T22:13:20Z"),
    ],
)
def test_a_broken_date_does_not_stop_anything(seconds: bytes, time: str) -> None:
    assert parse_commit("1" * 40, b"author A <a@example.com> " + seconds + b"\n\n").authored_at == time


@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda text: TREE + b"author " + text + b"\n\n" + text))
def test_any_bytes_are_read(content: bytes) -> None:
    assert parse_commit("1" * 40, content).oid == "1" * 40


def test_a_range_comes_oldest_first_and_only_commits_come_by_id(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    oids = [repo.commit(f"number {n}", {"f": f"{n}\n"}) for n in range(4)]

    with open_repository(repo.path) as repository:
        assert [c.oid for c in read_commits(repository, oids[0], oids[3])] == oids[1:]
        assert [c.oid for c in read_commits(repository, "", oids[3])] == oids
        found = read_commit_objects(repository, [oids[2], repo.head("HEAD:f"), "0" * 40, oids[2]])

    assert list(found) == [oids[2]]


def test_replaced_and_grafted_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    one, two = repo.commit("one"), repo.commit("two")
    repo.git("replace", "--graft", two)
    repo.write(".git/info/grafts", f"{two}\n")
    repo.write(".mailmap", "Mallory <m@example.com> <alice@example.com>\n")

    with open_repository(repo.path) as repository:
        commits = read_commits(repository, "", two)

    assert [commit.oid for commit in commits] == [one, two]
    assert str(commits[0].author) == "Alice Smith <alice@example.com>"


def test_messages_cannot_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("small")
    repo.write("message", "long\n\n" + "x" * 2_000_000)
    repo.git("commit", "-q", "--allow-empty", "-F", "message")

    with open_repository(repo.path) as repository:
        with pytest.raises(InputError, match="larger than 1 MB"):
            read_commits(repository, "", repo.head())
        monkeypatch.setattr(commits_module, "MESSAGES_LIMIT_BYTES", 10)
        with pytest.raises(InputError, match="name a smaller range"):
            read_commits(repository, "", repo.head("HEAD~1"))
