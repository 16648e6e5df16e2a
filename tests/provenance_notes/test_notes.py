"""Notes of a repository: any fan-out is read, and what is written is what plain git shows."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.change.git import Repository, open_repository
from tidegate.change.values import Person
from tidegate.errors import GitError, InputError
from tidegate.provenance import notes as notes_module
from tidegate.provenance.gitai import NoteError, parse_note
from tidegate.provenance.notes import list_notes, read_notes, write_notes

REF = "refs/notes/ai"
NOW = "2026-05-01T12:00:00Z"
WRITER = Person("Tide <Gate>\n", "tide\0gate@example.com")


def _history(repo: Repo, count: int) -> list[str]:
    return [repo.commit(f"Change {n}", {"a.txt": f"{n}\n"}) for n in range(count)]


def _put(repo: Repo, paths: dict[str, str], ref: str = REF) -> None:
    """A notes tree exactly as given, whatever git itself would have made of it."""
    stream = [f"commit {ref}\ncommitter A <a@example.com> 1 +0000\ndata 0\n"]
    stream += [f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n" for path, text in paths.items()]
    repo.git("fast-import", "--quiet", "--force", stdin="".join(stream).encode())


@pytest.mark.parametrize("few", [True, False], ids=["by name", "by listing"])
def test_every_fanout_is_read_and_two_notes_of_one_commit_are_joined(
    tmp_path: Path, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes_module, "FEW_COMMITS", 256 if few else 0)
    repo = Repo.init(tmp_path)
    a, b, c, d = _history(repo, 4)
    _put(
        repo,
        {
            a: "flat",
            f"{b[:2]}/{b[2:]}": "one",
            f"{c[:2]}/{c[2:4]}/{c[4:]}": "two",
            f"{a[:2]}/{a[2:]}": "again",
            "README": "not a note",
            f"{d[:3]}/{d[3:]}x": "not a commit",
        },
    )
    expected = {a: b"again\nflat", b: b"one", c: b"two"}
    with open_repository(tmp_path) as repository:
        for asked in (None, [c, b, a, d], [d]):
            found = dict(read_notes(repository, REF, asked))
            wanted = expected if asked != [d] else {}
            assert found == wanted
        assert list(dict(read_notes(repository, REF, [c, b]))) == [c, b]
        assert set(list_notes(repository, REF)) == {a, b, c}


def test_a_ref_that_is_not_there_has_no_notes(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    (commit,) = _history(repo, 1)
    repo.git("update-ref", "refs/heads/refs/notes/ai", commit)
    with open_repository(tmp_path) as repository:
        assert list(read_notes(repository, REF)) == []
        assert list(read_notes(repository, REF, [commit])) == []
        with pytest.raises(InputError):
            list(read_notes(repository, "ai"))
        with pytest.raises(InputError):
            list(read_notes(repository, "--output=/tmp/x"))


def test_a_note_beyond_the_limit_is_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path)
    a, b = _history(repo, 2)
    _put(repo, {a: "x" * 5000, b: "small"})
    monkeypatch.setattr(notes_module, "NOTE_LIMIT_BYTES", 1000)
    with open_repository(tmp_path) as repository:
        assert dict(read_notes(repository, REF)) == {a: b"", b: b"small"}
    with pytest.raises(NoteError):
        parse_note(b"")


def test_processes_do_not_grow_with_the_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path)
    commits = _history(repo, 12)
    _put(repo, dict.fromkeys(commits, "text"))
    started: list[object] = []
    real = subprocess.Popen.__init__

    def counting(self: object, *arguments: object, **options: object) -> None:
        started.append(arguments)
        real(self, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", counting)
    counts = []
    with open_repository(tmp_path) as repository:
        for asked in (commits[:1], commits, None):
            started.clear()
            list(read_notes(repository, REF, asked))
            counts.append(len(started))
    assert counts[1] <= counts[0]  # the first question starts the process that answers the later ones too
    assert max(counts) <= 4


def _loose(repo: Repo) -> Path:
    return repo.path


def _packed(repo: Repo) -> Path:
    repo.git("pack-refs", "--all")
    repo.git("gc", "-q")
    return repo.path


def _worktree(repo: Repo) -> Path:
    repo.git("worktree", "add", "-q", "-b", "other", str(repo.path.parent / "tree"))
    return repo.path.parent / "tree"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("place", [_loose, _packed, _worktree])
def test_plain_git_shows_what_was_written(tmp_path: Path, place: Callable[[Repo], Path], object_format: str) -> None:
    repo = Repo.init(tmp_path / "repo", object_format=object_format)
    a, b, c = _history(repo, 3)
    repo.note(a, "kept")
    repo.note(b, "replaced")
    before = repo.head("refs/notes/ai")
    with open_repository(place(repo)) as repository:
        write_notes(repository, REF, {b: b"new\n\nsecond\n", c: b"---\n{}"}, WRITER, NOW, "Why:\nbecause\n")
        assert dict(read_notes(repository, REF)) == {a: b"kept\n", b: b"new\n\nsecond\n", c: b"---\n{}"}
    assert [repo.git("notes", "--ref=ai", "show", commit) for commit in (a, b, c)] == [
        "kept",
        "new\n\nsecond",
        "---\n{}",
    ]
    assert repo.head("refs/notes/ai^") == before
    assert repo.git("log", "-1", "--format=%an|%ae|%cI|%B", "refs/notes/ai") == (
        "Tide Gate|tidegate@example.com|2026-05-01T12:00:00+00:00|Why:\nbecause"
    )
    assert repo.git("fsck", "--strict") == ""
    assert repo.git("status", "--porcelain") == ""


def test_a_note_is_replaced_whatever_its_fanout(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    a, b = _history(repo, 2)
    _put(repo, {a: "one", f"{a[:2]}/{a[2:]}": "two", f"{b[:2]}/{b[2:4]}/{b[4:]}": "kept"})
    with open_repository(tmp_path) as repository:
        write_notes(repository, REF, {a: b"only"}, WRITER, NOW, "m")
        assert dict(read_notes(repository, REF)) == {a: b"only", b: b"kept"}


def test_a_first_note_makes_the_ref_and_nothing_makes_none(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    (commit,) = _history(repo, 1)
    with open_repository(tmp_path) as repository:
        write_notes(repository, "refs/notes/tidegate/new", {}, WRITER, NOW, "m")
        assert repo.git("for-each-ref", "refs/notes") == ""
        write_notes(repository, "refs/notes/tidegate/new", {commit: b"x"}, WRITER, NOW, "m")
    assert repo.git("notes", "--ref=tidegate/new", "show", commit) == "x"


@pytest.mark.parametrize(
    "ref",
    [
        *("refs/heads/main", "refs/notes", "refs/notes/", "notes/ai", "refs/notes/../heads/main", "refs/notes/a..b"),
        *("refs/notes/a.lock", "refs/notes/.a", "refs/notes/a b", "refs/notes/a\nreset refs/heads/main", "-x", ""),
    ],
)
def test_nothing_is_written_outside_the_notes(tmp_path: Path, ref: str) -> None:
    repo = Repo.init(tmp_path)
    (commit,) = _history(repo, 1)
    before = repo.git("for-each-ref")
    with open_repository(tmp_path) as repository, pytest.raises(InputError):
        write_notes(repository, ref, {commit: b"x"}, WRITER, NOW, "m")
    assert repo.git("for-each-ref") == before


def test_a_ref_that_points_elsewhere_is_refused(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    (commit,) = _history(repo, 1)
    repo.git("symbolic-ref", "refs/notes/ai", "refs/heads/main")
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.path / ".git" / "refs" / "notes" / "linked").symlink_to(outside)
    with open_repository(repo.path) as repository:
        for ref in ("refs/notes/ai", "refs/notes/linked/x"):
            with pytest.raises(InputError, match="points to another"):
                write_notes(repository, ref, {commit: b"x"}, WRITER, NOW, "m")
    assert repo.head("main") == commit
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("commit", ["HEAD", "", "abc", "g" * 40, "0" * 39 + "\n", "1" * 40])
def test_a_note_needs_a_commit_that_exists(tmp_path: Path, commit: str) -> None:
    repo = Repo.init(tmp_path)
    _history(repo, 1)
    with open_repository(tmp_path) as repository, pytest.raises(InputError):
        write_notes(repository, REF, {commit: b"x"}, WRITER, NOW, "m")
    assert repo.git("for-each-ref", "refs/notes") == ""


def test_somebody_else_who_wrote_in_between_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path)
    a, b = _history(repo, 2)
    repo.note(a, "first")
    real = Repository.run

    def slow(self: Repository, *arguments: str | bytes, **options: object) -> bytes:
        if arguments[0] == "fast-import":
            repo.note(b, "theirs")
        return real(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Repository, "run", slow)
    with open_repository(tmp_path) as repository, pytest.raises(GitError):
        write_notes(repository, REF, {b: b"ours"}, WRITER, NOW, "m")
    assert repo.git("notes", "--ref=ai", "show", b) == "theirs"


def test_hooks_do_not_run(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    (commit,) = _history(repo, 1)
    for name in ("reference-transaction", "post-update", "pre-receive", "post-commit"):
        hook = repo.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    with open_repository(repo.path) as repository:
        write_notes(repository, REF, {commit: b"x"}, WRITER, NOW, "m")
    assert not (tmp_path / "ran").exists()
