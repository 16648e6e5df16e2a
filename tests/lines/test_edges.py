"""Line origins where files are not just edited lines, and where a clone does not hold everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lines.test_lines import flat, origins_of
from tests.repos import Repo
from tidegate.change.git import Repository, open_repository
from tidegate.change.lines import LineOrigins, LineRun, read_line_origins


def commits_of(repo: Repo, base: str = "", head: str = "HEAD") -> dict[bytes, list[str]]:
    """Path to the subjects of the commits that wrote its lines, "" for unknown."""
    found: dict[bytes, list[str]] = {}
    for (path, _), (commit, _, _) in sorted(flat(origins_of(repo, base, head)).items()):
        found.setdefault(path, []).append(repo.git("log", "-1", "--format=%s", commit) if commit else "")
    return found


def test_a_merge_owns_only_what_no_parent_has(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    base = repo.commit("base", {"a": "1\n2\n3\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side", {"a": "1\nside\n3\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("main", {"a": "1\nmain\n3\n"})
    repo.git("merge", "-q", "--no-commit", "-s", "ours", "side")
    repo.commit("merge", {"a": "1\nmain\nside\nmerge\n3\n"})
    assert commits_of(repo, base)[b"a"] == ["main", "side", "merge"]


def test_merging_main_into_a_branch_does_not_make_its_lines_the_branchs(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("base", {"a": "1\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side", {"b": "side\n"})
    repo.git("checkout", "-q", "main")
    main = repo.commit("main", {"a": "main\n1\n"})
    repo.git("checkout", "-q", "side")
    repo.git("merge", "-q", "--no-edit", "main")
    assert commits_of(repo, main) == {b"b": ["side"]}


def test_renames_and_moved_files(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    text = "".join(f"{number}\n" for number in range(20))
    base = repo.commit("base", {"old": text})
    repo.commit("edit", {"old": f"first\n{text}"})
    repo.git("mv", "old", "new")
    repo.commit("rename", {})
    repo.commit("edit again", {"new": f"zeroth\nfirst\n{text}"})
    origins = origins_of(repo, base, "HEAD")
    assert [(run.line, run.path, run.commit_line) for run in origins.runs[b"new"]] == [(1, b"new", 1), (2, b"old", 1)]
    first = repo.head("HEAD~2")
    assert origins.positions()[first, b"old"] == [(1, 1, b"new", 2)]


def test_what_has_no_lines(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    base = repo.commit("base", {"x": "x\n"})
    repo.write("binary", b"\0\1\2")
    (repo.path / "link").symlink_to("x")
    repo.write("script", "echo\n")
    repo.commit("add", {})
    (repo.path / "script").chmod(0o755)
    repo.commit("mode", {})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{base},module")
    repo.git("commit", "-q", "-m", "module")
    assert commits_of(repo, base) == {b"script": ["add"]}


def test_a_file_that_was_a_link_or_binary_before(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    (repo.path / "link").symlink_to("x")
    repo.write("data", b"\0\1\n")
    base = repo.commit("base", {})
    (repo.path / "link").unlink()
    repo.commit("to file", {"link": "x\ny\n", "data": "text\n"})
    repo.commit("edit", {"link": "x\nz\n", "data": "text\nmore\n"})
    found = commits_of(repo, base)
    assert found[b"link"] == ["to file", "edit"]
    assert found.get(b"data", []) in ([], ["", ""])  # git compares it with what was binary: nothing is known of it


def test_missing_line_break_at_the_end(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    base = repo.commit("base", {"a": "1"})
    repo.commit("first", {"a": "1\n2"})
    repo.commit("second", {"a": "1\n2\n3"})
    assert commits_of(repo, base)[b"a"] == ["first", "second", "second"]


def test_a_root_commit_and_sha256(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path, object_format="sha256")
    repo.commit("root", {"a": "1\n2\n"})
    repo.commit("second", {"a": "1\nx\n2\n"})
    assert commits_of(repo)[b"a"] == ["root", "second", "root"]


def test_the_edge_of_a_shallow_clone_wrote_nothing(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "whole")
    repo.commit("root", {"a": "1\n2\n"})
    repo.commit("second", {"a": "1\nx\n2\n"})
    repo.commit("third", {"a": "1\nx\n2\ny\n"})
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    assert commits_of(Repo(tmp_path / "shallow"))[b"a"] == ["", "", "", "third"]


def test_a_missing_object_costs_its_own_commit_only(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    base = repo.commit("base", {"a": "1\n", "b": "1\n"})
    repo.commit("lost", {"a": "1\n2\n"})
    blob = repo.head("HEAD:a")
    repo.commit("after", {"a": "1\n2\n3\n", "b": "1\nb\n"})
    repo.commit("last", {"a": "1\n2\n3\n4\n"})
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found = commits_of(repo, base)
    assert found[b"a"] == ["", "", "last"]
    assert found[b"b"] == [""]  # the same commit wrote it whose other file cannot be compared


def test_the_number_of_processes_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.init(tmp_path)
    base = repo.commit("base", {"a": "0\n"})
    asked: list[object] = []
    run, stream = Repository.run, Repository.stream
    monkeypatch.setattr(Repository, "run", lambda self, *a, **k: (asked.append(a), run(self, *a, **k))[1])
    monkeypatch.setattr(Repository, "stream", lambda self, *a, **k: (asked.append(a), stream(self, *a, **k))[1])
    counts = []
    for number in range(3):
        repo.commit(f"{number}", {f"{n}.txt": f"{number}\n" for n in range(number + 1)})
        asked.clear()
        with open_repository(repo.path) as repository:
            read_line_origins(repository, base, "HEAD")
        counts.append(len(asked))
    assert len(set(counts)) == 1
    assert counts[0] <= 6


def test_a_slice_has_no_gaps() -> None:
    origins = LineOrigins(
        {b"a": (LineRun(3, 2, "c1", b"a", 7), LineRun(5, 1, "", b"", 0), LineRun(9, 4, "c2", b"b", 1))}
    )
    runs = list(origins.slice(b"a", 1, 11))
    assert [(r.line, r.count, r.commit, r.commit_line) for r in runs] == [
        (1, 2, "", 0),
        (3, 2, "c1", 7),
        (5, 1, "", 0),
        (6, 3, "", 0),
        (9, 3, "c2", 1),
    ]
    assert [(r.line, r.count, r.commit_line) for r in origins.slice(b"a", 4, 1)] == [(4, 1, 8)]
    assert [(r.line, r.count, r.commit) for r in origins.slice(b"none", 2, 3)] == [(2, 3, "")]
    assert origins.origin(b"a", 10) == LineRun(10, 1, "c2", b"b", 2)
    assert origins.origin(b"a", 13) is None
    assert origins.origin(b"a", 6) is None
