"""Co-change on small histories: what is counted, what is left out, and that the kept file never alters an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.values import Person
from tidegate.reach.cochange import missing_partners
from tidegate.reach.history import LARGEST_COMMIT, History, PastCommit, read_history

DAY = 86400


def history_of(*commits: tuple[str, ...], deleted: tuple[str, ...] = ()) -> History:
    """Commits of those files, the newest first, a day apart; the newest deletes `deleted`."""
    paths = sorted({path for files in commits for path in files} | set(deleted))
    number = {path: place for place, path in enumerate(paths)}
    past = [
        PastCommit(f"{place:040}", 1_000_000_000 - place * DAY, 0, tuple(number[path] for path in files))
        for place, files in enumerate(commits)
    ]
    gone = tuple(number[path] for path in deleted)
    past.insert(0, PastCommit("f" * 40, 1_000_000_001, 0, gone, gone))
    return History("f" * 40, True, tuple(paths), (Person("A", "a@x"),), tuple(past))


def partners(history: History, *changed: str) -> list[str]:
    return [found.symbol.path for found in missing_partners(history, changed)]


def test_what_changed_together_three_times_is_missing() -> None:
    history = history_of(*[("a.py", "b.sql")] * 3, ("a.py",), ("c.py",))
    (found,) = missing_partners(history, ["a.py"])
    assert (str(found.symbol), str(found.because)) == ("b.sql", "a.py")
    assert (found.support, found.commits, found.confidence) == (3, 4, 0.75)
    assert found.last_at == "2001-09-09T01:46:40Z"


@pytest.mark.parametrize(
    ("history", "changed", "why"),
    [
        (history_of(*[("a", "b")] * 2), ["a"], "twice is chance"),
        (history_of(*[("a", "b")] * 3, *[("a",)] * 10), ["a"], "3 of 13 is chance"),
        (history_of(*[("a", "b")] * 3), ["a", "b"], "it did change"),
        (history_of(*[("a", "b")] * 3, deleted=("b",)), ["a"], "it is gone"),
        (history_of(*[("a", "b")] * 3), ["c"], "the file has no history"),
        (History(), ["a"], "there is no history"),
    ],
)
def test_what_is_not_missing(history: History, changed: list[str], why: str) -> None:
    assert missing_partners(history, changed) == (), why


def test_what_is_present_decides_when_it_is_known() -> None:
    history = history_of(*[("a", "b", "c")] * 3)
    found = missing_partners(history, ["a"], present={"a", "c"})
    assert [one.symbol.path for one in found] == ["c"]


def test_recent_partners_come_first() -> None:
    history = history_of(*[("a", "x/new")] * 4, *[("z",)] * 1500, *[("a", "x/old")] * 4)
    assert partners(history, "a") == ["x/new", "x/old"]


def test_a_test_of_the_same_name_comes_before_an_equal() -> None:
    history = history_of(*[("lib/views.py", "tests/test_views.py", "tests/test_other.py")] * 4)
    assert partners(history, "lib/views.py")[0] == "tests/test_views.py"


def test_neighbours_help_the_order() -> None:
    history = history_of(*[("a.py", "b.py", "c.py")] * 4)
    first = [missing_partners(history, ["a.py"], {"a.py": [near]})[0].symbol.path for near in ("b.py", "c.py")]
    assert first == ["b.py", "c.py"]


def test_a_file_is_followed_through_its_renames(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    for number in range(3):
        repo.commit(f"Change {number}", {"old.py": f"{number}\n", "data.sql": f"{number}\n"})
    repo.commit("Rename", {"old.py": None, "new.py": "2\n"})
    with open_repository(repo.path) as opened:
        history = read_history(opened, repo.head())
    assert partners(history, "new.py") == ["data.sql"]
    assert partners(history, "data.sql") == ["new.py"]


def test_bots_merges_and_mass_edits_say_nothing(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    for number in range(3):
        repo.commit("Bump", {"a": f"{number}", "b": f"{number}"}, author="dependabot[bot] <x@users.noreply.github.com>")
        repo.commit("Format", {f"f{n}": f"{number}" for n in range(LARGEST_COMMIT + 1)})
    repo.commit("One", {"c": "1"})
    with open_repository(repo.path) as opened:
        history = read_history(opened, repo.head())
    assert [len(commit.files) for commit in history.commits] == [1, 0, 0, 0]
    assert partners(history, "a") == partners(history, "f1") == []


def test_the_kept_file_never_alters_an_answer(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    odd = "n\u00e4me \n\t.py"
    heads = [repo.commit(f"Change {n}", {odd: f"{n}\n", f"b{n % 3}": f"{n}\n"}) for n in range(6)]
    cache = tmp_path / "git/tidegate/reach"
    (tmp_path / "git").mkdir()
    with open_repository(repo.path) as opened:
        fresh = [read_history(opened, head, limit=4) for head in heads]
        for order in (heads, heads[::-1], heads):
            kept = {head: read_history(opened, head, 4, cache) for head in order}
            assert [kept[head] for head in heads] == fresh
        (file,) = cache.glob("value-*")
        content = file.read_bytes()
        for broken in (b"", content[:-1], content[:40] + b"x" + content[41:], b"\0" * 32 + content[32:]):
            file.write_bytes(broken)
            assert read_history(opened, heads[-1], 4, cache) == fresh[-1]
    assert not fresh[-1].complete
    assert fresh[2].complete


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    head = repo.commit("One", {"a": "1"})
    (tmp_path / "file").write_text("")
    with open_repository(repo.path) as opened:
        assert read_history(opened, head, cache=tmp_path / "file" / "x") == read_history(opened, head)


def test_hostile_names_are_kept_apart(tmp_path: Path) -> None:
    """A path or an author may look like the beginning of the next commit."""
    repo = Repo.init(tmp_path / "r")
    fake = "\x01" + "a" * 40
    head = repo.commit("One", {fake: "1", "M": "1", "b\xff".encode("latin-1").decode("utf-8", "replace"): "1"})
    with open_repository(repo.path) as opened:
        history = read_history(opened, head)
    assert len(history.commits) == 1
    assert {fake, "M"} <= {history.paths[file] for file in history.commits[0].files}


FILES = st.sampled_from(["a/x.py", "a/test_x.py", "b/y.go", "b/y_test.go", "z", "README.md"])


@given(st.lists(st.sets(FILES, min_size=1).map(lambda files: tuple(sorted(files))), max_size=30), st.sets(FILES))
def test_what_is_missing_holds_what_it_says(commits: list[tuple[str, ...]], changed: set[str]) -> None:
    history = history_of(*commits)
    for found in missing_partners(history, changed):
        path, because = found.symbol.path, found.because.path
        both = sum(path in files and because in files for files in commits)
        assert path not in changed
        assert because in changed
        assert (found.support, found.commits) == (both, sum(because in files for files in commits))
        assert both >= 3
        assert both >= 0.25 * found.commits
