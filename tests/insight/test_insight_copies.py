"""Tests that are near copies of each other, told from the tree of a real repository."""

from __future__ import annotations

from pathlib import Path

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.insight.copies import read_copies
from tidegate.insight.values import Copies
from tidegate.settings import Settings


def _python(name: str, value: str, *, called: str = "parse") -> str:
    return f"""
def test_{name}():
    source = make_source("{value}", strict=True)
    found = {called}(source, limit=10)
    assert found is not None
    assert found.name == "{value}"
    assert [each.size for each in found.parts] == [1, 2, 3]
    assert not found.errors


"""


OTHER = """
def test_of_something_else(tmp_path):
    with open(tmp_path / "a", "w") as file:
        for number in range(10):
            file.write(str(number))
    rows = load_rows(tmp_path / "a")
    while rows:
        assert rows.pop().startswith("1") or len(rows) > 3
"""
GO = """package shop

import "testing"

func Test{name}(t *testing.T) {{
	store := newStore(t, "{value}")
	got, err := store.Find("{value}", 10)
	if err != nil {{
		t.Fatalf("find: %v", err)
	}}
	if got.Name != "{value}" {{
		t.Errorf("got %q", got.Name)
	}}
}}
"""


def _read(tmp_path: Path, files: dict[str, str]) -> Copies | None:
    repo = Repo.init(tmp_path / "shop")
    repo.commit("All", files)
    with open_repository(repo.path) as repository:
        return read_copies(repository, "HEAD", Settings())


def test_copies_are_counted_and_named_by_their_families(tmp_path: Path) -> None:
    copied = "".join(_python(f"p{number}", f"value {number}") for number in range(4))
    files = {
        "tests/test_parse.py": copied + OTHER + "\n\ndef test_short():\n    assert parse(1)\n",
        "tests/test_late.py": _python("late", "late"),
        "store_a_test.go": GO.format(name="Lamp", value="lamp"),
        "store_b_test.go": GO.format(name="Chair", value="chair"),
        "parse.py": copied.replace("def test_", "def run_"),
    }

    found = _read(tmp_path, files)

    assert found is not None
    assert (found.tests, found.unread, found.families_total) == (9, 0, 2)
    assert (found.share.n, found.share.left_out, found.share.value) == (8, 1, 7 / 8)
    python, go = found.families
    assert (python.tests, python.names[0]) == (5, "tests/test_late.py::test_late")
    assert (go.tests, go.names) == (2, ("store_a_test.go::TestLamp", "store_b_test.go::TestChair"))


def test_tests_of_one_shape_that_call_other_things_are_no_copies(tmp_path: Path) -> None:
    one = _python("one", "a")
    other = one.replace("one", "two").replace("source", "order").replace("found", "bill").replace("parts", "items")

    found = _read(tmp_path, {"tests/test_a.py": one + other + OTHER})

    assert found is not None
    assert (found.families, found.share.value) == ((), None)  # of three nothing is said
    assert found.share.n == 3


def test_a_tree_without_tests_says_nothing_and_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    assert _read(tmp_path, {"a.py": "x = 1\n"}) is None
    broken = {"tests/test_a.py": _python("a", "a"), "tests/test_b.py": "def test_b(:\n", "tests/test_c.py": "x" * 9000}
    found = _read(tmp_path / "more", broken)
    assert found is not None
    assert (found.tests, found.unread) == (1, 2)
