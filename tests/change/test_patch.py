"""A diff without a repository says what it says, and a broken one is refused with its line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.change.test_diff import TEXT
from tests.change.trees import EXECUTABLE, SUBMODULE, SYMLINK, Content, commit_tree
from tests.repos import Repo
from tidegate.change.diff import read_diff
from tidegate.change.git import open_repository
from tidegate.change.patch import parse_patch
from tidegate.change.values import FileChange, Hunk
from tidegate.errors import InputError

BEFORE: dict[bytes, Content] = {
    b"src/app.py": TEXT,
    b"old name.py": TEXT * 2,
    b"source": TEXT * 3,
    b"gone": b"bye\n",
    b"run": b"x\n",
    b"image.png": b"\0\1" * 50,
    b"link": TEXT,
    b"sub": (SUBMODULE, b"1" * 40),
    b"no-end": b"a\nb",
    b"caf\xc3\xa9\t\xff": b"1\n",
    b"-- a": b"-- x\n++ y\n",
}
AFTER: dict[bytes, Content] = {
    b"src/app.py": TEXT.replace(b"line 3\n", b"").replace(b"line 5\n", b"five\n") + b"end\n",
    b"old name.py": None,
    b"new name.py": TEXT * 2 + b"x\n",
    b"source": TEXT * 3 + b"x\n",
    b"copy": TEXT * 3 + b"y\n",
    b"gone": None,
    b"come": b"hello\n",
    b"empty": b"",
    b"run": (EXECUTABLE, b"x\n"),
    b"image.png": b"\0\2" * 50,
    b"link": (SYMLINK, b"a"),
    b"sub": (SUBMODULE, b"2" * 40),
    b"no-end": b"a\nB",
    b"caf\xc3\xa9\t\xff": b"2\n",
    b"-- a": b"-- z\n++ w\n",
}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo.init(tmp_path_factory.mktemp("patch") / "repo")
    commit_tree(repo, BEFORE)
    commit_tree(repo, AFTER)
    return repo


@pytest.mark.parametrize(
    "options",
    [("--full-index",), ("--full-index", "-U0"), ("--full-index", "--binary"), ("--full-index", "-U100"),
     ("--full-index", "--src-prefix=i/", "--dst-prefix=w/"), ("--full-index", "--no-prefix")],
)  # fmt: skip
def test_a_git_diff_reads_as_the_repository_does(repo: Repo, options: tuple[str, ...]) -> None:
    text = _git_diff(repo, *options)

    with open_repository(repo.path) as repository:
        expected = read_diff(repository, "main~1", "main").files

    assert [_said(file) for file in parse_patch(text)] == [_said(file) for file in expected]


def test_a_mail_of_format_patch_is_read_past_its_prose() -> None:
    text = b"""From 1234 Mon Sep 17 00:00:00 2001
Subject: [PATCH] Say hello
 a line of prose
---
 f | 2 +-
--- not a header

diff --git a/f b/f
index 1..2 100644
--- a/f
+++ b/f
@@ -1,2 +1,2 @@ context
 same
-old
+new
-- 
2.39.5
"""  # noqa: W291
    (file,) = parse_patch(text)

    assert file.hunks == (Hunk(2, 1, 2, 1, (b"old",), (b"new",)),)
    assert (file.old_oid, file.status) == ("", "modified")


def test_a_plain_diff_names_files_below_the_folders_compared(tmp_path: Path) -> None:
    for folder, content in (("before", "a\nb\n"), ("after", "a\nc\n")):
        (tmp_path / folder / "src").mkdir(parents=True)
        (tmp_path / folder / "src/x y.c").write_text(content)
    (tmp_path / "after/new.c").write_text("n\n")
    (tmp_path / "before/gone.c").write_text("g\n")
    text = subprocess.run(["diff", "-ruN", "before", "after"], cwd=tmp_path, capture_output=True, check=False).stdout

    found = {file.path: (file.status, file.added, file.deleted) for file in parse_patch(text)}

    assert found == {b"src/x y.c": ("modified", 1, 1), b"new.c": ("added", 1, 0), b"gone.c": ("deleted", 0, 1)}


def test_context_parts_the_runs_of_a_hunk() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -1,5 +1,6 @@\n-1\n+one\n+two\n 2\n\n-4\n 5\n+6\n"

    assert parse_patch(text)[0].hunks == (
        Hunk(1, 1, 1, 2, (b"1",), (b"one", b"two")),
        Hunk(4, 1, 4, 0, (b"4",), ()),
        Hunk(5, 0, 6, 1, (), (b"6",)),
    )


def test_an_empty_diff_has_no_files() -> None:
    assert parse_patch(b"") == parse_patch(b"\n\n") == ()


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b"hello\nworld\n", 2, "not a unified diff"),
        (b"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+b\n", 5, "breaks off in the middle of a hunk"),
        (b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\nb\n", 5, "does not hold as many lines"),
        (
            b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n--- a/f\n+++ b/f\n@@ -3 +3 @@\n-a\n+b\n",
            6,
            "shows this file twice",
        ),
        (b"@@ -1 +1 @@\n-a\n+b\n", 1, "before any file"),
        (b"diff --cc f\n@@@ -1,1 -1,1 +1,1 @@@\n", 1, "combined diff"),
        (b"Only in a: f\n", 1, "`Only in`"),
        (b"--- /dev/null\n+++ /dev/null\n", 1, "no name on either side"),
    ],
)
def test_a_broken_diff_is_refused_with_its_line(text: bytes, line: int, what: str) -> None:
    with pytest.raises(InputError, match=what) as refused:
        parse_patch(text, "x.diff")

    assert refused.value.where == f"x.diff, line {line}"
    assert refused.value.mend


_PIECES = [
    b"diff --git a/f b/f", b"diff --git f g", b"--- a/f", b"+++ b/f", b"--- /dev/null", b"@@ -1 +1 @@",
    b"@@ -0,0 +1,2 @@",
    b"@@ -1,2 +0,0 @@",
    b"-a", b"+b", b" c", b"", b"\\ No newline at end of file", b"rename from f", b"rename to g",
    b"old mode 100644", b"new mode 120000", b"index 1..2", b"Binary files a/f and b/f differ", b"GIT binary patch",
    b"similarity index 999%", b'+++ "b/\\377"', b"@@ -99999999999999999999 +1 @@", b"--- ", b"+++ ", b"diff --git ",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map(b"\n".join) | st.binary(max_size=200))
@example(b"diff --git a/f b/f\nold mode 120000\nnew mode 160000")
def test_whatever_the_text_it_is_read_or_refused(text: bytes) -> None:
    try:
        files = parse_patch(text)
    except InputError:
        return
    for file in files:
        assert file.path
        assert all(h.new_count == len(h.added) and h.old_count == len(h.removed) for h in file.hunks)


def _git_diff(repo: Repo, *options: str) -> bytes:
    command = ["git", "diff", "-M", "-C", *options, "main~1", "main"]
    return subprocess.run(command, cwd=repo.path, capture_output=True, check=True).stdout


def _said(file: FileChange) -> FileChange:
    """The file as a diff can tell it: where the content is the same, object ids are not written."""
    return replace(file, old_oid="", new_oid="") if file.old_oid == file.new_oid else file
