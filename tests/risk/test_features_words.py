"""What a reviewer reads of the features: factors with figures, and the lines to look at first."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tests.repos import ALICE, BOB, Repo
from tidegate.change.git import open_repository
from tidegate.change.meaning import describe_files
from tidegate.change.patch import parse_patch
from tidegate.change.values import Change, FileChange, Person
from tidegate.facts import Intent
from tidegate.risk.features.definitions import NAMES, VERSION
from tidegate.risk.features.explain import MOST, explain, outside
from tidegate.risk.features.frame import Frame, Targets
from tidegate.risk.features.habits import Habits, Rate, folders_above, learn_habits
from tidegate.risk.features.lines import risky_lines
from tidegate.risk.features.row import Row
from tidegate.risk.features.text import Content, Reader, total
from tidegate.risk.features.tokens import STRONGEST, learn_words, words_of
from tidegate.risk.values import OUTSIDE, PastCommit, Suspect, SuspectLines, Touch, Trace
from tidegate.settings import Settings

DAY = 86_400
USUAL = {"la": 18.0, "nf": 1.0, "nuc": 12.0, "condition_share": 0.09, "message_words": 9.0, "burst_day": 1.0}
HABITS = Habits(USUAL, Rate(1200, 100), Rate(300, 60), {"src/auth": Rate(71, 12), "src": Rate(900, 80)})


@cache
def change_of(*files: tuple[str, str], removed: str = "") -> Change:
    """A change that adds these lines to each path, in place of `removed`."""
    patch = "".join(_patch(path, removed.splitlines(), added.splitlines()) for path, added in files)
    described = describe_files(parse_patch(patch.encode(), "here"), Settings()).files
    return Change("diff", "", "", "", "", "", "", "", (), described, Intent())


def _patch(path: str, removed: list[str], added: list[str]) -> str:
    old = f"-1,{len(removed)}" if removed else "-0,0"
    lines = "".join([*(f"-{line}\n" for line in removed), *(f"+{line}\n" for line in added)])
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ {old} +1,{len(added)} @@\n{lines}"


def row_with(**values: float) -> Row:
    return Row(NAMES, tuple(values.get(name, 0.0) for name in NAMES))


def words_by_name(row: Row, change: Change, habits: Habits = HABITS, **moved: float) -> dict[str, str]:
    return {factor.name: factor.words for factor in explain(row, tuple(moved.items()), change, habits)}


def test_a_place_is_told_with_its_rate() -> None:
    change = change_of(("src/auth/login.py", "x = 1"))
    words = words_by_name(row_with(nf=1, nuc=80, fixes_180=4), change, fixes_180=0.4, nuc=0.1)
    assert words == {
        "files": "touches src/auth, where 1 change in 6 was repaired (12 of 71); in the whole repository 1 change in 12"
    }


def test_a_rate_that_points_the_other_way_is_not_told() -> None:
    change = change_of(("src/auth/login.py", "x = 1"))
    words = words_by_name(row_with(nf=1, nuc=80, ndev=3, fixes_180=1), change, fixes_180=-0.4)
    assert words == {"files": "this file had 1 fix in the last 180 days"}


@pytest.mark.parametrize(
    ("values", "moved", "words"),
    [
        ({"la": 2310, "ld": 4}, {"la": 0.9}, "2,310 lines added, 4 deleted; the usual change here adds 18"),
        ({"nf": 14, "ns": 4, "nd": 6}, {"nf": 0.3}, "14 files in 4 subsystems; the usual change here touches 1"),
        ({"nf": 3, "ns": 1, "nd": 2}, {"nd": 0.3}, "3 files in 2 folders"),
        ({"nf": 2, "ent": 0.5}, {"ent": 0.3}, "changed lines in 2 files, at most 100 % of them in one"),
        ({"nf": 4, "new_share": 0.25}, {"new_share": 0.3}, "1 of the 4 files is new"),
        (
            {"nf": 5, "nuc": 9, "exp": 40, "sexp": 3},
            {"familiar_share": 0.3},
            "40 earlier changes by the author in this repository; none of the 5 files changed by them before",
        ),
        ({"nf": 2, "others_week": 3, "others_day": 1}, {"others_week": 0.2}, None),
        ({"burst_day": 9}, {"burst_day": 0.2}, "9 changes by the author in the 24 hours before; usual here: 1"),
        ({"nf": 3}, {"test_share": 0.2}, "0 tests changed beside 1 file of source"),
        (
            {"la": 40, "condition_share": 0.41},
            {"condition_share": 0.2},
            "conditions and loops: 41 % of the added lines; usual here: 9 %",
        ),
        (
            {"fix": 1},
            {"fix": 0.2},
            "calls itself a fix or a revert; of fixes here 1 change in 5 was repaired (60 of 300)",
        ),
        ({"message_words": 3}, {"message_length": 0.2}, "a message of 3 words; usual here: 9"),
        ({"nf": 1, "nuc": 30, "ndev": 1}, {"nuc": 0.2}, "this file had 30 earlier changes by 1 person; usual here: 12"),
    ],
)
def test_words(values: dict[str, float], moved: dict[str, float], words: str | None) -> None:
    told = words_by_name(row_with(**values), change_of(("a.py", "x")), **moved)
    expected = words or "these 2 files had changes by 3 other people in the last 7 days, 1 of them in the last 24 hours"
    assert list(told.values()) == [expected]


@pytest.mark.parametrize(
    ("values", "moved", "words"),
    [
        ({"la": 20, "ld": 66, "hunks": 3}, {"la": 0.3, "ld": 0.2}, "66 lines deleted, 20 added"),
        ({"la": 20, "hunks": 9}, {"hunks": 0.3}, "edits in 9 separate places; usual here: 3"),
        ({"nf": 1, "nd": 1}, {"ent": -0.3}, "1 file in 1 folder; the usual change here touches 1"),
        ({"nf": 4, "ns": 3, "nd": 3}, {"ns": 0.3}, "4 files in 3 subsystems; usual here: 2 subsystems"),
        (
            {"nf": 2, "fixes_180": 6},
            {"fixes_180": 0.3},
            "these 2 files had 6 fixes in the last 180 days; usual here: 2",
        ),
        (
            {"nf": 2, "fixes_180": 6},
            {"fixes_180": -0.3},
            "these 2 files had 6 fixes in the last 180 days; usual here: 2; the model takes that as a calming sign",
        ),
        ({"domains": 0}, {"critical": 0.01, "domains": -0.3}, None),
        ({"depth": 2}, {"depth": -0.3}, "the deepest added line is indented by 8 columns; usual here: 20"),
        ({"ai": 1}, {"ai": 0.1}, "declares an agent; of all commits here 52 % do"),
        ({}, {"ai": -0.1}, "declares no agent; of all commits here 52 % do"),
        ({"nf": 1, "nuc": 9, "ndev": 1}, {"ndev": 0.2}, "this file had changes by 1 person before; usual here: 4"),
    ],
)
def test_each_factor_tells_of_the_figure_that_moved_it(
    values: dict[str, float], moved: dict[str, float], words: str | None
) -> None:
    usual = USUAL | {"hunks": 3.0, "ns": 2.0, "fixes_180": 2.0, "domains": 0.1, "depth": 5.0, "ai": 0.52, "ndev": 4.0}
    told = words_by_name(row_with(**values), change_of(("a.py", "x")), habits_of(usual), **moved)
    assert list(told.values()) == ([words] if words else [])


def habits_of(usual: dict[str, float]) -> Habits:
    return Habits(usual, Rate(0, 0), Rate(0, 0), {})


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"la": 85}, "la"),  # the usual 87
        ({"la": 400, "condition_share": 0.09}, "condition_share"),  # the usual 8 %
        ({"la": 2, "condition_share": 0.5}, "condition_share"),  # one of two lines
        ({"la": 400, "blank_share": 0.4}, "blank_share"),
        ({"la": 400, "import_share": 0.0}, "import_share"),
    ],
)
def test_what_is_about_usual_or_says_nothing_is_not_told(values: dict[str, float], name: str) -> None:
    habits = habits_of({"la": 87.0, "condition_share": 0.08, "blank_share": 0.1, "import_share": 0.3})
    assert words_by_name(row_with(**values), change_of(("a.py", "x")), habits, **{name: 0.4}) == {}


def test_generated_lines_are_told_apart_and_days_are_never_none() -> None:
    lock = change_of(("src/a.py", "x = 1"), ("package-lock.json", "{}\n" * 9), ("data/a.jsonl", "{}"))
    told = words_by_name(
        row_with(la=11, nf=3, nuc=3, age=52), lock, habits_of({"la": 90.0, "age": 0.3}), la=-0.4, age=0.3
    )
    assert told == {
        "size": "11 lines added (10 of them generated, data or documents), 0 deleted; the usual change here adds 90",
        "files": "these 3 files last changed 52 days ago on average; usual here: 0.3",
    }


def test_a_change_outside_of_what_is_learnt_says_so() -> None:
    (factor,) = outside(change_of(("docs/a.md", "x"), ("tests/test_a.py", "y")))
    assert (factor.name, factor.weight) == (OUTSIDE, 0.0)
    assert factor.words.startswith(
        "nothing but documents, tests (2 files): such changes are left out of what is learnt"
    )


def test_features_that_say_the_same_are_one_factor() -> None:
    moved = (("la", 0.5), ("tokens_added", 0.3), ("hunks", -0.1), ("nf", 0.01))
    (factor,) = explain(row_with(la=100, tokens_added=900, hunks=4, nf=1), moved, change_of(("a.py", "x")), HABITS)
    assert (factor.name, factor.weight) == ("size", pytest.approx(0.7))


@given(
    st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e7)),
    st.dictionaries(st.sampled_from(NAMES), st.floats(-3, 3)),
)
def test_every_factor_has_a_figure_and_an_order(values: dict[str, float], moved: dict[str, float]) -> None:
    row = row_with(**values)
    change = change_of(("src/auth/a.py", "x"), ("b.py", "y"))
    found = explain(row, tuple(moved.items()), change, HABITS)
    assert len(found) <= MOST
    assert [abs(one.weight) for one in found] == sorted((abs(one.weight) for one in found), reverse=True)
    assert len({one.name for one in found}) == len(found)
    assert all(re.search(r"\d", one.words) for one in found)
    assert found == explain(
        row, tuple(reversed(moved.items())), change_of(("src/auth/a.py", "x"), ("b.py", "y")), HABITS
    )


def test_what_is_not_known_is_not_told() -> None:
    unknown = Row(NAMES, (float("nan"),) * len(NAMES))
    assert explain(unknown, tuple((name, 1.0) for name in NAMES), change_of(("a.py", "x")), HABITS) == ()


def test_habits_count_matured_changes_by_folder() -> None:
    now = 400 * DAY
    commits = [past(f"{number:040x}", f"src/auth/{number % 3}.py", number * DAY) for number in range(240)]
    ids = tuple(commit.oid for commit in commits)
    at = np.array([commit.committed_at for commit in commits])
    values = np.zeros((240, len(NAMES)))
    values[:, NAMES.index("la")] = np.arange(240)
    repaired = np.where(np.arange(240) % 4 == 0, 0.9, 0.3)
    targets = Targets(repaired, np.where(repaired > 0.5, at + DAY, -1))
    habits = learn_habits(commits, Frame(NAMES, VERSION, ids, at, values), targets, now)
    assert habits.usual["la"] == 119.5
    assert habits.whole == habits.folders["src/auth"] == habits.folders["src"]
    assert habits.whole.changes == sum(commit.committed_at <= now - 180 * DAY for commit in commits)
    assert habits.whole.repaired == len([n for n in range(habits.whole.changes) if n % 4 == 0])


def past(oid: str, path: str, at: int) -> PastCommit:
    alice = Person("Alice", "alice@example.com")
    return PastCommit(oid, (), alice, alice, at, at, "Work", (Touch(path, path, "M", 1, 0),))


def test_folders_above() -> None:
    assert folders_above("a/b/c.py") == ["a/b", "a"]
    assert folders_above("c.py") == []


def test_risky_lines_pass_over_what_says_nothing() -> None:
    text = "import os\n# if x > 1\n\nplain words of a text\n}\nvalue = rows[i - 1] if not rows else load(open(x))"
    found = risky_lines(
        change_of(("src/a.py", text), ("tests/test_a.py", "if not x[0]: pass"), ("doc.md", "a = b[1]")), {}
    )
    assert [(one.path, one.line) for one in found] == [("src/a.py", 6)]
    assert found[0].words.startswith("an index or a slice; arithmetic")


def test_tests_are_never_told_and_critical_configuration_where_nothing_else_was_added() -> None:
    deploy = (".github/workflows/deploy.yml", "run: deploy --rate 60 / 2")
    found = risky_lines(change_of(("tests/test_a.py", "assert not rows[0]"), deploy), {})
    assert [(one.path, one.line, one.words) for one in found] == [(deploy[0], 1, "in ci-cd")]
    assert [one.path for one in risky_lines(change_of(("src/a.py", "value = rows[0]"), deploy), {})] == ["src/a.py"]


def test_words_that_were_repaired_raise_a_line() -> None:
    text = "".join(f"alpha = run({n})\nother = 0\nbeta = run({n})\nother = 0\n" for n in range(9))
    found = risky_lines(change_of(("src/a.py", text), removed="gone"), {"beta": 0.9}, {"src/a.py": 1})
    assert found[0].line == 3
    assert "lines with `beta` were repaired 2.5 times as often as others here" in found[0].words
    assert "1 person alone changed this file before" in found[0].words
    assert len(found) == 3


def test_the_same_line_is_told_once() -> None:
    text = "value = rows[0] and not load(open(path))"
    found = risky_lines(change_of(("src/a.py", text), ("dist/a.py", text)), {})
    assert [one.path for one in found] == ["dist/a.py"]


def test_a_call_with_other_arguments_is_seen() -> None:
    found = risky_lines(
        change_of(("src/a.py", "result = connect(host, timeout=5)"), removed="result = connect(host)"), {}
    )
    assert found[0].words.startswith("other arguments for connect")


@pytest.mark.parametrize(
    ("removed", "added"),
    [
        ("first = connect(host)", "other = wait(0) or connect(port)"),  # another line that calls the same
        ("print(host)", "print(host, port)"),
        ("console.log(host)", "console.log(port)"),
        (
            f'text = "order: date (last seen){", a long text" * 9}"',
            f'text = "order: date (first seen){", a long text" * 9}"',
        ),
        ("text = `call show(one)", "text = `call show(two)"),
        ("short = schema.string()", "short = schema.string().optional()"),
        ("step = one  # see show(one)", "step = two  # see show(two)"),
    ],
)
def test_other_arguments_are_those_of_the_same_line(removed: str, added: str) -> None:
    found = risky_lines(change_of(("src/a.py", added), removed=removed), {})
    assert not any("other arguments" in one.words for one in found)


def test_lines_of_markup_and_reasons_that_do_not_hold_for_data_are_not_told() -> None:
    assert risky_lines(change_of(("src/page.html", "<!DOCTYPE html><p a=[0] b='x(y(z))'>")), {"html": 1.0}) == ()
    assert risky_lines(change_of(("app.yml", "run: test --least 60 / 2")), {"least": 1.0}) == ()


def test_words_without_meaning_are_no_reason_and_no_word_is_believed_beyond_a_bound() -> None:
    text = "value = rows[0] if is_open else self.rows[1]"
    (found,) = risky_lines(change_of(("src/a.py", text)), {"is": 2.0, "self": 2.0, "else": 2.0, "rows": 0.6})
    assert "lines with" not in found.words
    (found,) = risky_lines(change_of(("src/a.py", text)), {"is_open": STRONGEST})
    assert "lines with `is_open` were repaired more than 5 times as often" in found.words


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_any_text_is_taken(lines: list[bytes]) -> None:
    clean = [line.replace(b"\n", b"") for line in lines]
    file = parse_patch(b"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -0,0 +1 @@\n+x\n", "here")[0]
    hunk = file.hunks[0].__class__(0, 0, 1, len(clean), (), tuple(clean))
    change = Change("diff", "", "", "", "", "", "", "", (), (with_hunk(file, hunk),), Intent())
    assert len(risky_lines(change, {"ab": 1.0})) <= 5
    content = Reader().read_file(b"x.py", clean, clean, 1)
    assert content.lines == len(clean)
    assert content.literals == 0


def with_hunk(file: FileChange, hunk: object) -> FileChange:
    from msgspec.structs import replace

    return replace(file, hunks=(hunk,))


def test_content_counts_kinds_of_lines() -> None:
    added = b"import os\n# why\n\nif x:\n        return 'b'\ndef f():\nmoved = here\nlimit = 20".split(b"\n")
    content = Reader().read_file(b"a.py", [b"moved = here", b"limit = 10"], added, 2)
    assert content == Content(
        lines=8, tokens_added=13, tokens_deleted=4, hunks=2, comments=1, blanks=1, imports=1, conditions=1,
        literals=1, moved=1, definitions=1, depth=8,
    )  # fmt: skip
    assert total([content, content]).depth == 8
    assert total([content, content]).lines == 16


def test_words_are_learnt_from_lines_that_were_repaired(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    traces = {}
    for number in range(12):
        calm = "".join(f"calm_{line} = simple(thing)\n" for line in range(20))
        repo.commit("Add", {f"src/{number}.py": f"{calm}risky = unsafe_cast(thing)\n"}, author=BOB)
        guilty = repo.head()
        fix = repo.commit("Fix a crash", {f"src/{number}.py": calm}, author=ALICE)
        traces[fix] = Trace(fix, (Suspect(guilty, 0.9, (SuspectLines(f"src/{number}.py", (21,)),), ()),))
    with open_repository(repo.path) as repository:
        words = learn_words(repository, traces)
        assert learn_words(repository, {}) == {}
    assert words["unsafe_cast"] > 0.3
    assert words["risky"] > 0.3
    assert words.get("simple", 0) <= 0
    assert "thing" not in words or abs(words["thing"]) < abs(words["risky"])


def test_one_fix_of_many_files_teaches_no_word(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    paths = [f"src/{number}.py" for number in range(8)]
    calm = "".join(f"calm_{line} = simple(thing)\n" for line in range(20))
    guilty = repo.commit("Add", dict.fromkeys(paths, f"{calm}risky = unsafe_cast(thing)\n"), author=BOB)
    fix = repo.commit("Fix a crash", dict.fromkeys(paths, calm), author=ALICE)
    lines = tuple(SuspectLines(path, (21,)) for path in paths)
    with open_repository(repo.path) as repository:
        assert learn_words(repository, {fix: Trace(fix, (Suspect(guilty, 0.9, lines, ()),))}) == {}


def test_words_of_a_line() -> None:
    names = {"foobar", "get_lock", "x1", "httpserver"}
    assert words_of(b"fooBar = get_lock(x1, HTTPServer)") == names | {"foo", "bar", "get", "lock", "http", "server"}
