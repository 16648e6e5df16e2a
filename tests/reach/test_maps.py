"""Maps: building, keeping, merging, and what they are still good for."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.reach.answer import SymbolId
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.record.build import blob_id, build_map, header_end
from tidegate.reach.record.maps import FILE, MapRecording, TestMap, numbers_in, read_map, write_map
from tidegate.reach.record.merge import as_mask, merged, renumbered
from tidegate.reach.record.raw import LINE, Code, RecordedTest, Recording, TestState, bits
from tidegate.reach.record.validity import Validity, files_to_digest, still_valid

BASE = {
    "pkg/a.py": """
        LIMIT = 3

        @cache
        def one(
            x,
            y=LIMIT,
        ):
            "What it is for."
            return x

        def two():
            return [n for n in range(2)]

        class C:
            size = 1

            @property
            def p(self):
                return 1

            @p.setter
            def p(self, value):
                self.value = value
    """,
    "pkg/b.py": """
        def three():
            return 33
    """,
    "tests/test_a.py": """
        def test_one():
            pass

        def test_two():
            pass
    """,
}
RUNS = {
    "tests/test_a.py:test_one": ["pkg/a.py:one", "pkg/b.py:three", "tests/test_a.py:test_one"],
    "tests/test_a.py:test_two": ["pkg/a.py:two", "tests/test_a.py:test_two"],
}


def tree(files: dict[str, str]) -> dict[str, bytes]:
    return {path: textwrap.dedent(text).lstrip("\n").encode() for path, text in files.items()}


def made(
    files: dict[str, str], runs: dict[str, list[str]], commit: str = "c1", states: dict[str, TestState] | None = None
) -> TestMap:
    """A map as if the tests had executed these symbols."""
    sources = tree(files)
    names = sorted({symbol for executed in runs.values() for symbol in executed})
    codes = tuple(Code(*_split(name)) for name in names)
    tests = tuple(
        RecordedTest(
            test,
            Code(*_split(test)),
            sum(1 << names.index(name) for name in executed),
            (states or {}).get(test, "passed"),
        )
        for test, executed in runs.items()
    )
    about = MapRecording(commit, "2026-11-21T10:00:00Z", "monitoring")
    return build_map(Recording("monitoring", codes, tests, 0, ()), about, sources, sources.get, (PYTHON,))


def _split(symbol: str) -> tuple[str, int, str]:
    path, _, name = symbol.partition(":")
    return path, 1, name


def compared(recorded: TestMap, files: dict[str, str]) -> Validity:
    sources = tree(files)
    blobs = {path: blob_id(content) for path, content in sources.items()}
    digests = {path: PYTHON.read_digests(sources[path], ".py") for path in files_to_digest(recorded, blobs)}
    return still_valid(recorded, blobs, digests)


def states(found: Validity) -> dict[str, str]:
    return {str(symbol): seen.state for symbol, seen in found.seen.items()}


def named(recorded: TestMap, mask: int) -> set[str]:
    return {recorded.tests[number].symbol.name for number in bits(mask)}


def changed(path: str, old: str, new: str) -> dict[str, str]:
    assert old in BASE[path]
    return {**BASE, path: BASE[path].replace(old, new)}


def test_a_map_has_every_symbol_and_who_ran_it() -> None:
    recorded = made(BASE, RUNS)
    ran = {
        f"{file.path}:{symbol.name}": [recorded.tests[n].symbol.name for n in numbers_in(symbol.tests)]
        for file in recorded.files
        for symbol in file.symbols
    }
    assert ran == {
        "pkg/a.py:": [],
        "pkg/a.py:C": [],
        "pkg/a.py:C.p": [],
        "pkg/a.py:one": ["test_one"],
        "pkg/a.py:two": ["test_two"],
        "pkg/b.py:": [],
        "pkg/b.py:three": ["test_one"],
        "tests/test_a.py:": [],
        "tests/test_a.py:test_one": ["test_one"],
        "tests/test_a.py:test_two": ["test_two"],
    }


def test_nothing_changed_everything_is_valid() -> None:
    recorded = made(BASE, RUNS)
    found = compared(recorded, BASE)
    assert set(states(found).values()) == {"same"}
    assert (found.new, found.gone, found.touched, found.lost, found.unread) == (frozenset(), frozenset(), 0, 0, ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"What it is for."', '"Something else, at length."'),
        ("return x", "return x  # a comment"),
        ("LIMIT = 3\n", "# moved down by a comment\n\n\n\n        LIMIT = 3\n"),
    ],
)
def test_documentation_and_comments_change_nothing(old: str, new: str) -> None:
    found = compared(made(BASE, RUNS), changed("pkg/a.py", old, new))
    assert set(states(found).values()) == {"same"}
    assert found.touched == 0


@pytest.mark.parametrize(
    ("path", "old", "new", "symbol", "touched"),
    [
        ("pkg/a.py", "return x", "return x + 1", "one", {"test_one"}),
        ("pkg/a.py", "y=LIMIT", "y=4", "one", {"test_one"}),
        ("pkg/a.py", "@cache", "@memoize", "one", {"test_one"}),
        ("pkg/a.py", "range(2)", "range(3)", "two", {"test_two"}),
        ("pkg/a.py", "LIMIT = 3", "LIMIT = 4", "", set()),
        ("pkg/a.py", "size = 1", "size = 2", "C", set()),
        ("pkg/a.py", "self.value = value", "self.other = value", "C.p", set()),
        ("pkg/b.py", "return 33", "return 34", "three", {"test_one"}),
    ],
)
def test_a_change_touches_its_symbol_and_the_tests_that_ran_it(
    path: str, old: str, new: str, symbol: str, touched: set[str]
) -> None:
    recorded = made(BASE, RUNS)
    found = compared(recorded, changed(path, old, new))
    assert [name for name, state in states(found).items() if state == "changed"] == [str(SymbolId(path, symbol))]
    assert named(recorded, found.touched) == touched
    # Who executed it then is still evidence for who does now.
    assert named(recorded, found.seen[SymbolId(path, symbol)].tests) == touched


def test_new_and_gone_symbols() -> None:
    recorded = made(BASE, RUNS)
    found = compared(recorded, {**BASE, "pkg/b.py": "def four(n):\n    return n\n"})
    assert found.new == {SymbolId("pkg/b.py", "four")}
    assert found.gone == {SymbolId("pkg/b.py", "three")}
    assert named(recorded, found.touched) == {"test_one"}


def test_a_renamed_symbol_and_a_moved_file_are_followed() -> None:
    recorded = made(BASE, RUNS)
    renamed = compared(recorded, changed("pkg/b.py", "three", "drei"))
    assert renamed.seen[SymbolId("pkg/b.py", "drei")].was == SymbolId("pkg/b.py", "three")
    assert not renamed.new
    assert not renamed.gone
    moved = compared(recorded, {("pkg/c.py" if path == "pkg/b.py" else path): text for path, text in BASE.items()})
    assert named(recorded, moved.seen[SymbolId("pkg/c.py", "three")].tests) == {"test_one"}
    assert (moved.touched, moved.new) == (0, frozenset())


def test_a_lost_test_is_named() -> None:
    recorded = made(BASE, RUNS)
    found = compared(recorded, changed("tests/test_a.py", "def test_two():\n            pass\n", ""))
    assert named(recorded, found.lost) == {"test_two"}


def test_a_changed_file_without_digests_is_unread() -> None:
    recorded = made(BASE, RUNS)
    sources = tree(changed("pkg/b.py", "33", "34"))
    found = still_valid(recorded, {path: blob_id(content) for path, content in sources.items()}, {})
    assert found.unread == ("pkg/b.py",)
    assert SymbolId("pkg/b.py", "three") not in found.seen
    assert named(recorded, found.touched) == {"test_one"}


def test_the_newest_recording_wins_for_each_test() -> None:
    old = made(BASE, RUNS)
    later = changed("pkg/a.py", "return x", "return x + 1")
    new = made(later, {"tests/test_a.py:test_one": ["pkg/a.py:one", "pkg/a.py:two"]}, "c2")
    both = merged(old, new)
    assert [(test.symbol.name, both.recordings[test.recording].commit) for test in both.tests] == [
        ("test_one", "c2"),
        ("test_two", "c1"),
    ]
    found = compared(both, later)
    assert named(both, found.seen[SymbolId("pkg/a.py", "two")].tests) == {"test_one", "test_two"}
    assert named(both, found.seen[SymbolId("pkg/b.py", "three")].tests) == set()
    assert set(states(found).values()) == {"same"}
    assert found.touched == 0


def test_an_old_row_stays_old_after_merging() -> None:
    later = changed("pkg/a.py", "range(2)", "range(3)")
    both = merged(made(BASE, RUNS), made(later, {"tests/test_a.py:test_one": ["pkg/a.py:two"]}, "c2"))
    found = compared(both, later)
    # test_two executed the former text, test_one the present one.
    assert states(found)["pkg/a.py:two"] == "changed"
    assert named(both, found.touched) == {"test_two"}


def test_a_skipped_test_keeps_its_old_row_and_a_deleted_one_goes() -> None:
    old = made(BASE, RUNS)
    skipped = made(BASE, {"tests/test_a.py:test_one": []}, "c2", {"tests/test_a.py:test_one": "skipped"})
    assert [(test.symbol.name, test.state) for test in merged(old, skipped).tests] == [
        ("test_one", "passed"),
        ("test_two", "passed"),
    ]
    without = changed("tests/test_a.py", "def test_two():\n            pass\n", "")
    gone = merged(old, made(without, {"tests/test_a.py:test_one": ["pkg/a.py:one"]}, "c2"))
    assert [test.symbol.name for test in gone.tests] == ["test_one"]


def test_a_skipped_test_executed_nothing_that_counts() -> None:
    recorded = made(BASE, RUNS, states={"tests/test_a.py:test_one": "skipped"})
    assert not any(0 in numbers_in(symbol.tests) for file in recorded.files for symbol in file.symbols)


def test_merging_twice_changes_nothing() -> None:
    recorded = made(BASE, RUNS)
    assert merged(recorded, recorded) == recorded


def test_a_map_is_kept_and_read_again(tmp_path: Path) -> None:
    recorded = made(BASE, RUNS)
    assert read_map(tmp_path / "reach") is None
    assert write_map(tmp_path / "reach", recorded) == recorded
    assert read_map(tmp_path / "reach") == recorded
    before = (tmp_path / "reach" / FILE).read_bytes()
    write_map(tmp_path / "reach", recorded)
    assert (tmp_path / "reach" / FILE).read_bytes() == before, "the same map gives the same bytes"
    assert [file.name for file in (tmp_path / "reach").iterdir()] == [FILE]


@given(st.data())
def test_a_damaged_map_is_none_with_a_reason(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_map(folder, made({"a.py": "def f(): pass\n"}, {"a.py:f": ["a.py:f"]}))
        content = bytearray((folder / FILE).read_bytes())
        cut = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            del content[cut:]
        else:
            content[cut] ^= data.draw(st.integers(1, 255))
        (folder / FILE).write_bytes(content)
        complaints: list[str] = []
        assert read_map(folder, complaints) is None
        assert "record again" in complaints[0]


def test_a_map_that_is_no_regular_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    complaints: list[str] = []
    assert read_map(tmp_path, complaints) is None
    assert "cannot be read" in complaints[0]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_map(tmp_path / "file", made(BASE, RUNS))


@given(st.integers(0, 1 << 300), st.integers(0, 400))
def test_masks(number: int, by: int) -> None:
    assert list(numbers_in(as_mask(number))) == list(bits(number))
    shifted = renumbered(as_mask(number), {n: n + by for n in range(301)})
    assert int.from_bytes(shifted, "little") == number << by


def test_lines_and_code_objects_become_symbols() -> None:
    text = """
        import os

        @deco(
            1,
        )
        def f(a,
              b=(1, 2)):
            x = 1
            def g(): return x
            return [
                g() for _ in a]

        class K:
            y = 1
            def m(self):
                return lambda: 0
    """
    cases = {
        (1, LINE): "",
        (3, LINE): "",
        (6, LINE): "",
        (7, LINE): "",
        (8, LINE): "f",
        (9, LINE): "f.g",
        (11, LINE): "f",
        (14, LINE): "K",
        (15, LINE): "K",
        (16, LINE): "K.m",
        (3, "f"): "f",
        (9, "f.<locals>.g"): "f.g",
        (9, "g"): "f.g",
        (10, "f.<locals>.<listcomp>"): "f",
        (10, "<listcomp>"): "f",
        (16, "K.m.<locals>.<lambda>"): "K.m",
        (1, "<module>"): "",
        (13, "K"): "K",
        (900, "lost"): "",
    }
    source = textwrap.dedent(text).lstrip("\n").encode()
    from tidegate.reach.record.build import Spans

    spans = Spans(PYTHON.read_digests(source, ".py"), source)
    assert {key: spans.symbol_of(Code("a.py", *key)) for key in cases} == cases


def test_the_header_of_a_definition_in_braces() -> None:
    lines = [b"@Override", b"public int f(", b"    int a) {", b"  return 1;", b"}"]
    assert header_end(lines, 1, 5) == 3
