"""Git processes that stay: what they answer is what a process for each question would have answered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.change.git import Repository, open_repository
from tidegate.change.git_standing import ANSWER_BYTES, MOST_QUESTIONS, batches
from tidegate.errors import GitError


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.init(tmp_path)


@pytest.fixture
def opened(repo: Repo) -> Iterator[Repository]:
    with open_repository(repo.path) as repository:
        yield repository


def _read(opened: Repository, names: list[str], limit: int = 1 << 20) -> list[tuple[str, bytes]]:
    return [(blob.kind, blob.content) for blob in opened.read_blobs(names, limit)]


def test_questions_are_asked_in_pieces_that_a_pipe_takes() -> None:
    assert list(batches([])) == []
    assert list(batches([(b"x" * 41, 0)] * 250)) == [99, 99, 52]
    assert list(batches([(b"x", ANSWER_BYTES - 1), (b"x", 1), (b"x", 1), (b"x", 3 * ANSWER_BYTES)])) == [2, 1, 1]


@pytest.mark.parametrize("many", [1, 99, 250, MOST_QUESTIONS + 1])
def test_few_and_many_objects_are_answered_alike(repo: Repo, opened: Repository, many: int) -> None:
    texts = [f"{number}\n" * (number % 7) for number in range(many)]
    repo.commit("Start", {f"d/{number}": text for number, text in enumerate(texts)})
    names = [f"HEAD:d/{number}" for number in range(many)]

    assert _read(opened, [*names, "HEAD:none"]) == [*(("blob", text.encode()) for text in texts), ("missing", b"")]
    oids = [hashlib.sha1(b"blob %d\0" % len(text) + text.encode()).hexdigest() for text in texts]
    assert [answer.oid for answer in opened.look_up(names)] == oids


def test_large_objects_and_long_names(repo: Repo, opened: Repository) -> None:
    large = b"x\n" * ANSWER_BYTES
    repo.commit("Start", {"large": large, "small": "1\n"})
    names = ["HEAD:large", "HEAD:small", "HEAD:" + "x" * 9000, "HEAD:large"]

    answers = [("blob", large), ("blob", b"1\n"), ("missing", b""), ("blob", large)]
    assert _read(opened, names, len(large)) == answers
    assert [kind for kind, _ in _read(opened, names)] == ["too-large", "blob", "missing", "too-large"]


def test_readers_may_interleave_and_leave_early(repo: Repo, opened: Repository) -> None:
    repo.commit("Start", {name: f"{name}\n" for name in "abcd"})
    one, other = (opened.read_blobs([f"HEAD:{name}" for name in names]) for names in ("abc", "dcb"))

    assert [next(one).content, next(other).content, next(one).content, next(other).content] == [
        b"a\n",
        b"d\n",
        b"b\n",
        b"c\n",
    ]
    one.close()  # type: ignore[attr-defined]
    assert next(other).content == b"b\n"
    assert _read(opened, ["HEAD:a"]) == [("blob", b"a\n")]


def test_what_is_added_meanwhile_is_found(repo: Repo, opened: Repository) -> None:
    repo.commit("Start", {"a": "1\n"})
    assert _read(opened, ["HEAD:a", "HEAD:b"]) == [("blob", b"1\n"), ("missing", b"")]
    repo.commit("More", {"b": "2\n"})
    assert _read(opened, ["HEAD:a", "HEAD:b"]) == [("blob", b"1\n"), ("blob", b"2\n")]
    repo.write("c", "3\n")
    repo.git("add", "-A")
    staged = opened.write_staged_tree()
    assert _read(opened, [f"{staged}:c"]) == [("blob", b"3\n")]


def test_after_a_broken_object_others_are_read(repo: Repo, opened: Repository) -> None:
    repo.commit("Start", {"broken": "some text that is long enough\n" * 50, "whole": "1\n"})
    oid = repo.head("HEAD:broken")
    file = repo.path / ".git" / "objects" / oid[:2] / oid[2:]
    content = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(content[: len(content) // 2])
    for _ in range(2):
        with pytest.raises(GitError):
            _read(opened, ["HEAD:whole", "HEAD:broken"])
        assert _read(opened, ["HEAD:whole"]) == [("blob", b"1\n")]


def test_a_git_that_was_ended_is_an_error_and_the_next_question_starts_another(repo: Repo, opened: Repository) -> None:
    repo.commit("Start", {"a": "1\n"})
    assert _read(opened, ["HEAD:a"]) == [("blob", b"1\n")]
    running = opened._headers._running
    assert running is not None
    running._process.kill()
    running._process.wait()
    with pytest.raises(GitError):
        _read(opened, ["HEAD:a"])
    assert _read(opened, ["HEAD:a"]) == [("blob", b"1\n")]


def test_closing_ends_them(repo: Repo) -> None:
    repo.commit("Start", {"a": "1\n"})
    with open_repository(repo.path) as opened:
        _read(opened, ["HEAD:a"])
        running = [standing._running for standing in (opened._headers, opened._contents)]
    assert [one._process.returncode for one in running if one is not None] == [0, 0]
