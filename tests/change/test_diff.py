"""What differs between two trees is read as git has it, whatever files are called and whatever they hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.change.trees import EXECUTABLE, SUBMODULE, SYMLINK, Content, commit_tree
from tests.repos import Repo
from tidegate.change import diff as diff_module
from tidegate.change.diff import DiffResult, read_commit_diffs, read_diff, read_parent_diffs, read_staged_diff
from tidegate.change.diff_stream import unquote_path
from tidegate.change.git import open_repository
from tidegate.change.values import FileChange, Hunk
from tidegate.errors import GitError, InputError

TEXT = b"".join(b"line %d\n" % number for number in range(1, 21))


def differ(repo: Repo, before: dict[bytes, Content], after: dict[bytes, Content]) -> DiffResult:
    old, new = commit_tree(repo, before), commit_tree(repo, after)
    with open_repository(repo.path) as repository:
        return read_diff(repository, old, new)


def one(result: DiffResult) -> FileChange:
    assert len(result.files) == 1, result.files
    return result.files[0]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.init(tmp_path / "repo")


@pytest.mark.parametrize(
    ("before", "after", "hunks"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n", [Hunk(2, 1, 2, 1, (b"b",), (b"B",))]),
        (b"a\nb\n", b"a\nx\ny\nb\n", [Hunk(1, 0, 2, 2, (), (b"x", b"y"))]),
        (b"a\nb\n", b"x\na\nb\n", [Hunk(0, 0, 1, 1, (), (b"x",))]),
        (b"a\nb\nc\n", b"a\nc\n", [Hunk(2, 1, 1, 0, (b"b",), ())]),
        (b"a\nb\n", b"b\n", [Hunk(1, 1, 0, 0, (b"a",), ())]),
        (b"a", b"a\n", [Hunk(1, 1, 1, 1, (b"a",), (b"a",))]),
        (b"a\n", b"a\nb", [Hunk(1, 0, 2, 1, (), (b"b",))]),
        (b"a\r\nb\n", b"a\nb\n", [Hunk(1, 1, 1, 1, (b"a\r",), (b"a",))]),
        (b"a\nb\nc\nd\n", b"A\nb\nC\nd", [
            Hunk(1, 1, 1, 1, (b"a",), (b"A",)),
            Hunk(3, 2, 3, 2, (b"c", b"d"), (b"C", b"d")),
        ]),
    ],
)  # fmt: skip
def test_a_hunk_says_where_it_stands_on_both_sides(repo: Repo, before: bytes, after: bytes, hunks: list[Hunk]) -> None:
    file = one(differ(repo, {b"f": before}, {b"f": after}))

    assert list(file.hunks) == hunks
    assert (file.added, file.deleted) == (sum(h.new_count for h in hunks), sum(h.old_count for h in hunks))


def test_content_that_looks_like_a_diff_stays_content(repo: Repo) -> None:
    forged = [
        b"diff --git a/x b/x", b"--- a/x", b"+++ b/x", b"@@ -1,9 +1,9 @@", b":100644 100644 a b M\tx", b"",
        b"\\ No newline at end of file", b"-gone", b"+come", b"index 1..2", b"Binary files a/x and b/x differ",
        b"0" * 40 + b" " + b"0" * 40, b"rename from x", b"\x0c\x0b\x85",
    ]  # fmt: skip

    result = differ(repo, {b"f": TEXT}, {b"f": TEXT + b"\n".join(forged) + b"\n", b"g": b"\\ No newline\n"})

    assert [file.path for file in result.files] == [b"f", b"g"]
    assert result.files[0].hunks[0].added == tuple(forged)
    assert result.files[1].hunks[0].added == (b"\\ No newline",)


@pytest.mark.parametrize(
    "path",
    [b"a\nb", b"a\tb", b'a"b', b"a\\b", b"\xff\xfe", b"\x1b[31mred", b" lead", b"trail ", b"a => b", b"x\n@@ -1 +1 @@",
     b"-dash", b"\xe2\x80\xae.txt", b"a\x01b", b"\\101", b"f\ndiff --git a/q b/q\n@@ -0,0 +1 @@\n+e", b'"', b"d/" * 50],
)  # fmt: skip
def test_any_path_is_read_byte_for_byte(repo: Repo, path: bytes) -> None:
    path = path.rstrip(b"/")

    result = differ(repo, {b"keep": b"1\n", path: TEXT}, {path: TEXT + b"more\n", b"z": b"last\n"})

    assert [(file.path, file.status, file.added) for file in result.files if file.path != b"z"] == [
        (path, "modified", 1)
    ]
    assert len(result.files) == 2


def test_renames_and_copies_name_where_they_come_from(repo: Repo) -> None:
    result = differ(
        repo,
        {b"old": TEXT, b"exact": TEXT * 2, b"source": TEXT * 3},
        {
            b"old": None,
            b"new": TEXT.replace(b"line 3\n", b"line three\n"),
            b"exact": None,
            b"moved": TEXT * 2,
            b"source": TEXT * 3 + b"x\n",
            b"copy": TEXT * 3 + b"y\n",
        },
    )

    seen = {(f.status, f.old_path, f.path, f.added, f.deleted) for f in result.files}
    assert seen == {
        ("renamed", b"old", b"new", 1, 1),
        ("renamed", b"exact", b"moved", 0, 0),
        ("modified", b"source", b"source", 1, 0),
        ("copied", b"source", b"copy", 1, 0),
    }
    assert result.unknowns == ()


def test_modes_symlinks_submodules_and_binaries(repo: Repo) -> None:
    commit = b"1" * 40
    result = differ(
        repo,
        {
            b"run.sh": b"x\n",
            b"link": (SYMLINK, b"a"),
            b"was-file": TEXT,
            b"was-link": (SYMLINK, b"a"),
            b"sub": (SUBMODULE, commit),
            b"image": b"\0\1",
            b"turned": b"text\n",
        },
        {
            b"run.sh": (EXECUTABLE, b"x\n"),
            b"link": (SYMLINK, b"b"),
            b"was-file": (SYMLINK, b"a"),
            b"was-link": TEXT,
            b"sub": (SUBMODULE, b"2" * 40),
            b"image": b"\0\2",
            b"turned": b"te\0xt\n",
            b"empty": b"",
        },
    )

    seen = {f.path: (f.status, f.kind, f.added, f.deleted, len(f.hunks), f.binary) for f in result.files}
    assert seen == {
        b"run.sh": ("modified", "source", 0, 0, 0, False),
        b"link": ("modified", "symlink", 0, 0, 0, False),
        b"was-file": ("type-changed", "symlink", 0, 20, 1, False),
        b"was-link": ("type-changed", "source", 20, 0, 1, False),
        b"sub": ("modified", "submodule", 0, 0, 0, False),
        b"image": ("modified", "binary", 0, 0, 0, True),
        b"turned": ("modified", "binary", 0, 0, 0, True),
        b"empty": ("added", "source", 0, 0, 0, False),
    }
    modes = {f.path: (f.old_mode, f.new_mode) for f in result.files}
    assert modes[b"run.sh"] == (0o100644, 0o100755)
    assert modes[b"empty"] == (0, 0o100644)


def test_attributes_of_the_repository_cannot_hide_lines(repo: Repo) -> None:
    result = differ(
        repo,
        {b"f.py": TEXT},
        {b"f.py": TEXT + b"evil()\n", b".gitattributes": b"*.py binary\n*.py -diff\n"},
    )

    assert next(f for f in result.files if f.path == b"f.py").hunks[0].added == (b"evil()",)


def test_a_line_of_ten_megabytes_is_one_line(repo: Repo) -> None:
    file = one(differ(repo, {b"f": b"a\n"}, {b"f": b"a\n" + b"x" * 10_000_000 + b"\n"}))

    assert (file.added, len(file.hunks[0].added[0])) == (1, 10_000_000)


def test_a_file_too_large_to_compare_is_not_called_binary(repo: Repo) -> None:
    result = differ(repo, {b"f": b"a\n", b"g": b"\0\n"}, {b"f": b"0123456789abcdef\n" * (2 << 20), b"g": b"\0\1\n"})

    assert [(f.path, f.binary, f.lines_known) for f in result.files] == [(b"f", False, False), (b"g", True, True)]
    assert {u.path for u in result.unknowns} >= {"change.lines_added", "change.domains", "change.files"}
    assert "f: larger than 32 MB" in result.unknowns[0].reason


def test_past_the_text_budget_lines_are_counted_and_domains_unknown(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff_module, "TEXT_BUDGET_BYTES", 1000)

    result = differ(repo, {}, {b"a": TEXT, b"b": TEXT, b"c": TEXT})

    assert [(f.added, len(f.hunks[0].added), f.lines_known) for f in result.files] == [
        (20, 20, True), (20, 0, True), (20, 0, True),
    ]  # fmt: skip
    assert {u.path for u in result.unknowns} == {
        "change.domains", "change.domain_hits", "change.critical_domains", "change.breadth",
    }  # fmt: skip
    assert result.unknowns[0].reason.startswith("b and 1 more: ")


def test_one_hunk_of_millions_of_lines_does_not_fill_the_memory(repo: Repo) -> None:
    file = one(differ(repo, {}, {b"a": b"\n" * 3_000_000}))

    assert (file.added, file.hunks[0].new_count, file.hunks[0].added) == (3_000_000, 3_000_000, ())


def test_past_the_hunk_budget_lines_are_counted_and_not_known(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff_module, "HUNK_BUDGET", 3)
    every_other = b"".join(b"%d\n" % n if n % 2 else b"changed\n" for n in range(20))

    result = differ(repo, {b"a": b"".join(b"%d\n" % n for n in range(20)), b"b": TEXT}, {b"a": every_other})

    assert (one(result).added, one(result).hunks, one(result).lines_known) == (10, (), False)
    assert "change.lines_added" in {u.path for u in result.unknowns}


def test_renames_that_git_did_not_look_for_are_unknown(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff_module, "RENAME_LIMIT", 2)
    before: dict[bytes, Content] = {b"old/%d" % n: TEXT + b"%d\n" % n for n in range(5)}
    after: dict[bytes, Content] = {b"new/%d" % n: TEXT + b"%d!\n" % n for n in range(5)}

    result = differ(repo, before, {**dict.fromkeys(before), **after})

    assert {f.status for f in result.files} == {"added", "deleted"}
    assert [u.path for u in result.unknowns] == ["change.files.old_path"]


def test_the_staged_tree_is_read_without_a_trace(repo: Repo) -> None:
    head = repo.commit("one", {"f": "a\n", "g": "b\n"})
    repo.write("f", "a\nstaged\n")
    repo.git("add", "f")
    repo.write("f", "a\nstaged\nnot staged\n")
    repo.write("g", "not staged\n")
    repo.write("planned", "x\n")
    repo.git("add", "-N", "planned")
    before = _snapshot(repo.path)

    with open_repository(repo.path) as repository:
        result = read_staged_diff(repository, head)
        blob = next(iter(repository.read_blobs([f"{repository.write_staged_tree()}:f"])))

    assert [(f.path, f.hunks[0].added) for f in result.files] == [(b"f", (b"staged",))]
    assert blob.content == b"a\nstaged\n"
    assert _snapshot(repo.path) == before


def test_a_conflicted_index_is_refused(repo: Repo) -> None:
    repo.commit("one", {"f": "a\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("two", {"f": "b\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("three", {"f": "c\n"})
    with pytest.raises(AssertionError):
        repo.git("merge", "side")

    with open_repository(repo.path) as repository, pytest.raises(InputError, match="unresolved conflicts"):
        read_staged_diff(repository, "HEAD")


def test_commit_diffs_follow_the_question(repo: Repo) -> None:
    root = repo.commit("root", {"f": "a\n"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("side", {"s": "s\n"})
    repo.git("checkout", "-q", "main")
    empty = repo.commit("empty")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    merge = repo.head()

    with open_repository(repo.path) as repository:
        found = list(read_commit_diffs(repository, [merge, empty, "f" * 40, root], text=True))

    assert [(d.oid, d.parent, [f.path for f in d.files], d.known) for d in found] == [
        (merge, empty, [b"s"], True),
        (merge, side, [], True),
        (empty, root, [], True),
        ("f" * 40, "", [], False),
        (root, "", [b"f"], True),
    ]
    assert found[0].files[0].hunks[0].added == (b"s",)


def test_a_parent_that_is_not_here_is_not_the_empty_tree(repo: Repo, tmp_path: Path) -> None:
    repo.commit("one", {"f": "a\n"})
    repo.commit("two", {"f": "b\n"})
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))

    with open_repository(tmp_path / "shallow") as repository:
        (found,) = read_commit_diffs(repository, [repository.resolve("HEAD")])

    assert (found.files, found.known) == ((), False)
    assert repository.shallow


def test_a_missing_object_is_an_error_and_never_an_empty_answer(repo: Repo) -> None:
    old = repo.commit("one", {"f": "a\n"})
    new = repo.commit("two", {"f": "b\n"})
    blob = repo.head("HEAD:f")
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()

    with open_repository(repo.path) as repository:
        with pytest.raises(GitError, match="unable to read"):
            read_diff(repository, old, new)
        with pytest.raises(GitError, match="unable to read"):
            list(read_parent_diffs(repository, [(old, ""), (new, old)]))


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo", object_format="sha256")
    result = differ(repo, {b"f": b"a\n"}, {b"f": b"b\n"})

    assert len(one(result).new_oid) == 64


_LINES = st.lists(
    st.sampled_from([b"a", b"b", b"c", b"", b"-", b"+", b"@@ -1 +1 @@", b"\\", b"diff --git a b"]), max_size=12
)
_TEXTS = st.builds(lambda lines, end: b"\n".join(lines) + (b"\n" if end and lines else b""), _LINES, st.booleans())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(_TEXTS, _TEXTS), min_size=10, max_size=40))
def test_hunks_turn_the_old_text_into_the_new(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[bytes, bytes]]
) -> None:
    repo = Repo.init(tmp_path_factory.mktemp("repo") / "repo")
    before: dict[bytes, Content] = {b"%d" % n: old for n, (old, _) in enumerate(pairs)}
    after: dict[bytes, Content] = {b"%d" % n: new for n, (_, new) in enumerate(pairs)}

    files = {f.path: f for f in differ(repo, before, after).files}

    for number, (old, new) in enumerate(pairs):
        file = files.get(b"%d" % number)
        assert (file is None) == (old == new)
        if file is not None:
            assert _apply(_split(old), file.hunks) == _split(new)


def _split(text: bytes) -> list[bytes]:
    return text.removesuffix(b"\n").split(b"\n") if text else []


def _apply(lines: list[bytes], hunks: tuple[Hunk, ...]) -> list[bytes]:
    """The new text from the old text and the hunks, with every number and every removed line checked."""
    result: list[bytes] = []
    position = 0
    for hunk in hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        result += lines[position:start]
        assert tuple(lines[start : start + hunk.old_count]) == hunk.removed
        assert hunk.new_start == len(result) + (1 if hunk.new_count else 0)
        result += hunk.added
        position = start + hunk.old_count
    return result + lines[position:]


def _snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(p.relative_to(folder)): (p.lstat().st_mtime_ns, p.lstat().st_size) for p in folder.rglob("*") if p.is_file()
    }


def test_names_as_git_quotes_them() -> None:
    assert unquote_path(b'"a\\tb\\"c\\\\d\\303\\244"') == b'a\tb"c\\d\xc3\xa4'
    assert unquote_path(b"plain") == b"plain"
