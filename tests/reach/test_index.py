"""The index of a tree: which files there are, what each says, and that one hostile file costs that file only."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reach.line_reader import LineReader
from tests.repos import Repo
from tidegate.change.git import Repository, open_repository
from tidegate.reach.index import Index, read_index, read_index_pair
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.parse import Answer, Limits, Source, parse
from tidegate.reach.store import Store, open_store, unpack


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.init(tmp_path / "repo")


@pytest.fixture
def opened(repo: Repo) -> Iterator[Repository]:
    with open_repository(repo.path) as repository:
        yield repository


@pytest.fixture
def store(repo: Repo) -> Iterator[Store]:
    with open_store(repo.path / ".git" / "tidegate" / "reach") as opened_store:
        yield opened_store


def index_of(opened: Repository, store: Store, reader: LineReader | None = None, revision: str = "HEAD") -> Index:
    return read_index(opened, opened.resolve(revision, "tree"), store, languages=[reader or LineReader()])


def names(index: Index) -> dict[str, list[str]]:
    read = index.read(index.files)
    return {path: [definition.name for definition in symbols.definitions[1:]] for path, symbols in read.items()}


def test_files_and_what_they_say(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.line": "def a\ndef b\n", "dir/B.LINE": "def c\n", "README": "def d\n", ".line": "def e"})
    index = index_of(opened, store)
    assert list(index.files) == [".line", "README", "a.line", "dir/B.LINE"]
    assert index.files["a.line"] == repo.head("HEAD:a.line")
    assert list(index.sources) == [".line", "a.line", "dir/B.LINE"]
    assert index.sizes(["a.line", "README"]) == {"a.line": 12, "README": 6}
    assert (index.language("a.line"), index.language("README")) == ("line", "")
    assert names(index) == {"a.line": ["a", "b"], "dir/B.LINE": ["c"], ".line": ["e"]}
    assert index.unread == {}
    assert index.read(["README", "none"]) == {}
    assert index.read_bytes(["README", "none", "a.line"]) == {"README": b"def d\n", "a.line": b"def a\ndef b\n"}


def test_the_suffix_is_told_even_where_the_content_is_the_same(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.line": "def a", "a.lines": "def a", "b.line": "def a"})
    for _ in range(2):
        index = index_of(opened, store)
        assert {path: symbols.package for path, symbols in index.read(index.files).items()} == {
            "a.line": ".line",
            "a.lines": ".lines",
            "b.line": ".line",
        }


def test_only_what_changed_is_parsed(repo: Repo, opened: Repository, store: Store, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    reader = LineReader(str(seen))
    repo.commit("one", {"a.line": "def a", "b.line": "def b", "copy.line": "def a"})
    index_of(opened, store, reader)
    assert sorted(seen.read_text().splitlines()) == ["def a", "def b"]
    repo.commit("two", {"b.line": "def b2"})
    seen.unlink()
    assert names(index_of(opened, store, reader)) == {"a.line": ["a"], "b.line": ["b2"], "copy.line": ["a"]}
    assert seen.read_text().splitlines() == ["def b2"]
    reader.version = 2
    seen.unlink()
    index_of(opened, store, reader)
    assert len(seen.read_text().splitlines()) == 2


def test_a_pair_lists_and_parses_once(repo: Repo, opened: Repository, store: Store, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    base = repo.commit("one", {"a.line": "def a", "b.line": "def b", "d/c.line": "def c"})
    head = repo.commit("two", {"b.line": "def b2", "d/c.line": None, "new.line": "def n"})
    trees = [opened.resolve(commit, "tree") for commit in (base, head)]
    before, after = read_index_pair(opened, trees[0], trees[1], store, languages=[LineReader(str(seen))])
    assert names(before) == {"a.line": ["a"], "b.line": ["b"], "d/c.line": ["c"]}
    assert names(after) == {"a.line": ["a"], "b.line": ["b2"], "new.line": ["n"]}
    assert len(seen.read_text().splitlines()) == 5
    assert (before.tree, after.tree) == (trees[0], trees[1])
    same, again = read_index_pair(opened, trees[0], trees[0], store, languages=[LineReader(str(seen))])
    assert same is again


def test_the_empty_tree_on_either_side(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.line": "def a"})
    tree, empty = opened.resolve("HEAD", "tree"), opened.empty_tree
    before, after = read_index_pair(opened, empty, tree, store, languages=[LineReader()])
    assert (names(before), names(after)) == ({}, {"a.line": ["a"]})
    before, after = read_index_pair(opened, tree, empty, store, languages=[LineReader()])
    assert (names(before), names(after)) == ({"a.line": ["a"]}, {})


def test_links_and_submodules_are_no_sources(repo: Repo, opened: Repository, store: Store) -> None:
    (repo.path / "loop.line").symlink_to("loop.line")
    (repo.path / "dir").symlink_to(".")
    (repo.path / "out.line").symlink_to("/etc/passwd")
    repo.commit("one", {"a.line": "def a"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head()},sub.line")
    repo.git("commit", "-q", "-m", "two")
    index = index_of(opened, store)
    assert list(index.files) == ["a.line"]
    assert index.links == ("dir", "loop.line", "out.line")
    assert index.submodules == ("sub.line",)
    assert index.unread == {"loop.line": "it is a symbolic link", "out.line": "it is a symbolic link"}
    assert index.read_bytes(["out.line", "a.line"]) == {"a.line": b"def a"}


def test_paths_of_any_bytes(repo: Repo, opened: Repository, store: Store) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"def a")
    raw = [b"\xff\xfe.line", "é".encode() + b".line", b"new\nline.line", b"tab\t.line", b"-x.line"]
    entries = b"".join(b"100644 %s\t%s\0" % (blob.encode(), path) for path in raw)
    repo.git("update-index", "-z", "--index-info", stdin=entries)
    repo.git("commit", "-q", "-m", "one")
    index = index_of(opened, store)
    assert {os.fsencode(path) for path in index.files} == set(raw)
    assert set(names(index)) == set(index.files)
    assert index.read_bytes(list(index.files)).keys() == index.files.keys()


def test_larger_than_two_megabytes_is_unread(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.line": "def a", "big.line": b"x" * ((2 << 20) + 1), "fits.line": b"y" * (2 << 20)})
    index = index_of(opened, store)
    assert index.unread == {"big.line": "it is larger than 2 MB"}
    assert index.read(["big.line"])["big.line"].error == "it is larger than 2 MB"
    assert index.read_bytes(["big.line"]) == {}
    assert names(index)["a.line"] == ["a"]


def test_content_that_is_not_in_this_clone(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.line": "def a", "gone.line": "def gone"})
    oid = repo.head("HEAD:gone.line")
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    index = index_of(opened, store)
    assert index.unread == {"gone.line": "its content is missing in this clone"}
    assert names(index)["a.line"] == ["a"]


def test_what_a_reader_refuses_is_unread_in_every_run(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.line": "def a", "bad.line": "error it is odd"})
    for _ in range(2):
        index = index_of(opened, store)
        assert index.unread == {"bad.line": "it is odd"}
        assert index.read(["bad.line"])["bad.line"].error == "it is odd"


def test_a_trap_costs_its_own_file(repo: Repo, opened: Repository, store: Store) -> None:
    good = {f"{number}.line": f"def f{number}" for number in range(50)}
    bad = {"7x.line": "die", "8x.line": "crash", "9x.line": "recurse", "95x.line": "leave"}
    repo.commit("one", {**good, **bad})
    for _ in range(2):
        index = index_of(opened, store)
        assert index.unread == {
            "7x.line": "reading it was ended by signal 9",
            "8x.line": "its reader failed",
            "9x.line": "it is nested too deeply",
            "95x.line": "its reader failed",
        }
        assert {path: names(index)[path] for path in good} == {f"{n}.line": [f"f{n}"] for n in range(50)}


def test_damaged_or_removed_after_it_was_found(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.line": "def a", "b.line": "def b"})
    index_of(opened, store)
    index = index_of(opened, store)
    for path in (repo.path / ".git" / "tidegate" / "reach").iterdir():
        if path.name != "lock":
            content = path.read_bytes()
            path.write_bytes(content[:-90] + bytes(90))
    assert names(index) == {"a.line": ["a"], "b.line": ["b"]}
    assert names(index_of(opened, store)) == {"a.line": ["a"], "b.line": ["b"]}


def test_without_a_store(repo: Repo, opened: Repository, tmp_path: Path) -> None:
    repo.commit("one", {"a.line": "def a"})
    with open_store(tmp_path / "no" / "such" / "folder") as none:
        assert names(index_of(opened, none)) == {"a.line": ["a"]}


def test_one_worker_or_many_say_the_same(repo: Repo, opened: Repository, tmp_path: Path) -> None:
    repo.commit("one", {f"{n}.line": f"def f{n}\n" + f"# {n}" * 5000 for n in range(200)})
    tree = opened.resolve("HEAD", "tree")
    told: list[tuple[int, int]] = []
    found = []
    with open_store(tmp_path / "none" / "x" / "y") as none:
        for jobs in (1, 3):
            index = read_index(
                opened, tree, none, jobs=jobs, languages=[LineReader()], progress=lambda *step: told.append(step)
            )
            found.append(list(index.read(index.files).items()))
    assert found[0] == found[1]
    assert told == [(number, 200) for number in range(1, 201)] * 2


def test_the_first_language_of_a_suffix_reads_it(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit("one", {"a.h": "def a"})
    readers = [LineReader(name="c", suffixes=(".h",)), LineReader(name="cpp", suffixes=(".h", ".cpp"))]
    index = read_index(opened, opened.resolve("HEAD", "tree"), store, languages=readers)
    assert index.language("a.h") == "c"


# Workers


def parsed(contents: list[str], jobs: int, limits: Limits) -> dict[object, Answer]:
    sources = (Source(number, 0, ".line", text.encode()) for number, text in enumerate(contents))
    return {answer.key: answer for answer in parse(sources, [LineReader()], jobs, limits)}


def reason(answer: Answer) -> str:
    symbols = unpack(answer.packed.payload)
    assert symbols is not None
    assert bool(symbols.error) == answer.packed.failed
    return symbols.error


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_has_limited_time(jobs: int) -> None:
    answers = parsed(["def a", "spin", "def b", "spin", "def c"], jobs, Limits(seconds=0.1))
    assert [reason(answers[n]) for n in range(5)] == ["", *["reading it took more than 0.1 s", ""] * 2]
    assert answers[1].lasting


def test_a_file_that_sleeps_is_given_up() -> None:
    answers = parsed(["def a", "sleep", "def b"], 1, Limits(seconds=0.02))
    assert [reason(answers[n]) for n in range(3)] == ["", "reading it did not end", ""]
    assert not answers[1].lasting


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited on Linux")
def test_a_file_has_limited_memory() -> None:
    answers = parsed(["def a", "eat", "def b"], 1, Limits(memory=256 << 20))
    assert [reason(answers[n]) for n in range(3)] == ["", "reading it took too much memory", ""]


def test_a_repository_of_traps_does_not_take_hours() -> None:
    began = time.monotonic()
    answers = parsed(["spin"] * 14, 2, Limits(seconds=0.1, struck_seconds=0.05))
    assert len(answers) == 14
    assert sum(answer.lasting for answer in answers.values()) in range(10, 13)
    assert time.monotonic() - began < 5


def test_leaving_early_leaves_no_process(tmp_path: Path) -> None:
    sources = (Source(number, 0, ".line", b"def a") for number in range(10_000))
    answers = parse(sources, [LineReader()], 2)
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_worker_does_not_outlive_its_parent(tmp_path: Path) -> None:
    script = f"""
        import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        import time
        from tests.reach.line_reader import LineReader
        from tidegate.reach.parse import Source, parse
        def sources():
            yield from (Source(n, 0, ".line", b"def a") for n in range(9))
            print("asked", flush=True)
            time.sleep(60)
        list(parse(sources(), [LineReader()], 2))
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"asked\n"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert parent.stdout.read() == b""  # ends when the last of them is gone
    parent.stdout.close()


# Hostile sources, with a real reader


def test_hostile_sources(repo: Repo, opened: Repository, store: Store) -> None:
    repo.commit(
        "one",
        {
            "good.py": "def good(): pass\n",
            "line.py": b"x = '" + b"a" * (10 << 20) + b"'\n",
            "nested.py": b"x = " + b"(" * 10_000 + b")" * 10_000,
            "lists.py": b"x = " + b"[" * 90 + b"]" * 90,
            "sum.py": b"x = " + b"1 + " * 50_000 + b"1\n",
            "chain.py": b"x" + b".a()" * 50_000,
            "elif.py": b"if a:\n  pass\n" + b"elif b:\n  pass\n" * 20_000,
            "invalid.py": b"def f(): return '\xff\xfe'\n",
            "nul.py": b"x = 1\0\n",
            "noise.py": random.Random(5).randbytes(100_000),
            "empty.py": b"",
        },
    )
    began = time.monotonic()
    index = read_index(opened, opened.resolve("HEAD", "tree"), store, languages=[PYTHON])
    assert time.monotonic() - began < 60
    assert [definition.name for definition in index.read(["good.py"])["good.py"].definitions] == ["", "good"]
    assert index.unread["line.py"] == "it is larger than 2 MB"
    for path, symbols in index.read(index.files).items():
        assert symbols.error == index.unread.get(path, "")
        assert symbols.error or symbols.definitions


def test_killed_while_indexing(repo: Repo, opened: Repository) -> None:
    repo.commit("one", {f"{n}.line": f"def f{n}\n" + f"# {n}" * 3000 for n in range(400)})
    script = f"""
        import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from pathlib import Path
        from tests.reach.line_reader import LineReader
        from tidegate.change.git import open_repository
        from tidegate.reach import index, store
        index._FLUSH_BYTES = 2000
        with open_repository(Path(sys.argv[1])) as opened, store.open_store(Path(sys.argv[2])) as kept:
            print("up", flush=True)
            index.read_index(opened, opened.resolve("HEAD", "tree"), kept, jobs=2, languages=[LineReader()])
    """
    folder = repo.path / ".git" / "tidegate" / "reach"
    for pause in (0.0, 0.02, 0.04, 0.08):
        command = [sys.executable, "-c", textwrap.dedent(script), str(repo.path), str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.kill()
        process.wait()
        process.stdout.close()
        with open_store(folder) as store:
            assert names(index_of(opened, store)) == {f"{n}.line": [f"f{n}"] for n in range(400)}
        subprocess.run(["rm", "-r", folder], check=True)
