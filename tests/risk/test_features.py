"""The features of past commits and of one change: the same definitions, whichever way they are asked for."""

from __future__ import annotations

import math
import os
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.repos import ALICE, BOB, CLAUDE_TRAILER, Repo
from tidegate.change.collect import collect_change
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.values import Context
from tidegate.facts import ProvenanceFacts
from tidegate.risk.features.bulk import feature_frame
from tidegate.risk.features.definitions import FEATURES, NAMES, to_markdown
from tidegate.risk.features.kamei import KAMEI, sweep_kamei
from tidegate.risk.features.row import Row
from tidegate.risk.features.single import features_of
from tidegate.risk.history.mine import open_history
from tidegate.risk.history.people import person_key
from tidegate.risk.labels.messages import is_fix
from tidegate.settings import Settings

CAROL = "Carol <carol@example.com>"


def frame_of(repo: Repo, store: Path) -> dict[str, dict[str, float]]:
    """Object id to the features of that commit, of all of HEAD."""
    with open_repository(repo.path) as repository, open_history(repository, repo.head(), store) as mined:
        frame = feature_frame(repository, mined, Settings())
    return {
        oid: dict(zip(frame.names, row.tolist(), strict=True)) for oid, row in zip(frame.ids, frame.values, strict=True)
    }


def row_of_change(repo: Repo, change: str, store: Path, *, frame_first: bool = False) -> Row:
    """The features of BASE..HEAD at BASE."""
    with open_repository(repo.path) as repository:
        read = read_change(read_ends(Question(change=change), repository), repository, Settings())
        facts = collect_change(read, Context(repository=repository, settings=Settings(), now="2026-05-01T12:00:00Z"))
        with open_history(repository, read.base, store) as mined:
            if frame_first:
                feature_frame(repository, mined, Settings())
            return features_of(read, facts, ProvenanceFacts(), mined, Settings(), None if frame_first else repository)


def test_fourteen_by_hand(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Add", {"src/a.py": "1\n2\n3\n", "src/b.py": "1\n", "top.py": "x\n"})
    repo.clock += 2 * 86_400 - 3600
    repo.commit("Change", {"src/a.py": "1\n2\n3\n4\n"}, author=BOB)
    repo.clock += 86_400 - 3600
    last = repo.commit(
        "Fix a crash on empty input", {"src/a.py": "1\n2\n4\n5\n6\n", "src/b.py": "2\n", "lib/new/c.py": "7\n"}
    )
    row = frame_of(repo, tmp_path / "store")[last]
    assert {name: row[name] for name in ("ns", "nd", "nf", "la", "ld", "fix")} == {
        "ns": 2,
        "nd": 2,
        "nf": 3,
        "la": 4,
        "ld": 2,
        "fix": 1,
    }
    shares = np.array([3, 2, 1]) / 6
    assert row["ent"] == pytest.approx(-(shares * np.log2(shares)).sum())
    assert row["lt"] == pytest.approx((4 + 1 + 0) / 3)
    assert (row["ndev"], row["nuc"]) == (2, 2)
    assert row["age"] == pytest.approx((1 + 3) / 2)
    assert (row["exp"], row["rexp"], row["sexp"]) == (1, 1, 1)


def test_rexp_counts_whole_years(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    for years in (0, 0, 1, 3):
        repo.clock += years * 31_557_600
        last = repo.commit("Work", {"a.py": f"{repo.clock}\n"})
    row = frame_of(repo, tmp_path / "store")[last]
    assert row["rexp"] == pytest.approx(1 / 4 + 2 / 5)
    assert row["exp"] == 3


def test_a_file_keeps_its_past_through_a_rename(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    body = "".join(f"line {number}\n" for number in range(20))
    repo.commit("Add", {"old.py": body})
    repo.commit("Touch", {"old.py": body + "more\n"}, author=BOB)
    repo.git("mv", "old.py", "new.py")
    renamed = repo.commit("Rename")
    again = repo.commit("Another of that name", {"old.py": "x\n"})
    last = repo.commit("Touch", {"new.py": body, "old.py": "y\n"})
    rows = frame_of(repo, tmp_path / "store")
    assert (rows[renamed]["nuc"], rows[renamed]["lt"], rows[renamed]["new_share"]) == (2, 21, 0)
    assert (rows[again]["nuc"], rows[again]["lt"], rows[again]["new_share"]) == (0, 0, 1)
    assert (rows[last]["nuc"], rows[last]["ndev"], rows[last]["lt"]) == (4, 2, 11)


def test_one_change_has_the_row_of_its_commit(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    oids = random_history(repo, Random(7), commits=36)
    rows = frame_of(repo, tmp_path / "store")
    assert set(rows) == set(oids)
    for place in range(1, len(oids), 2):
        row = row_of_change(repo, f"{oids[place - 1]}..{oids[place]}", tmp_path / "one", frame_first=place % 4 == 1)
        expected = rows[oids[place]]
        for name, value in zip(row.names, row.values, strict=True):
            assert value == pytest.approx(expected[name], nan_ok=True), (name, oids[place])


def random_history(repo: Repo, random: Random, commits: int) -> list[str]:
    """Commits by three people in a row: edits, renames, swaps, deletions, binary files, links, skewed clocks."""
    files: dict[str, bytes] = {}
    oids = []
    names = (
        "src/auth/login.py",
        "src/core.c",
        "docs/read.md",
        "tests/test_core.py",
        "top.rs",
        "a b/ü.js",
        "deep/x/y/z.go",
    )
    lines = (
        b"import os",
        b"# note",
        b"if x > 1:",
        b"    return 'a'",
        b"def run(self):",
        b"\t\tfoo(1, 2)",
        b"",
        b"// c",
        b"x = 3",
    )
    for number in range(commits):
        repo.clock += random.choice((0, 60, 86_400, 40 * 86_400, -7_200))
        for _ in range(random.randint(1, 4)):
            name = random.choice(names)
            body = files.get(name, b"").split(b"\n")
            body[random.randint(0, len(body)) :][:2] = [random.choice(lines)]
            body.insert(random.randint(0, len(body)), random.choice(lines) + str(random.randint(0, 9)).encode())
            files[name] = b"\n".join(body)
        if number % 7 == 3:
            old = random.choice(sorted(files))
            new = f"moved/{number}.py"
            files[new] = files.pop(old)
        if number % 9 == 5:
            files.pop(random.choice(sorted(files)))
        if number % 8 == 2:
            files["blob.bin"] = bytes([0, number])
        if number == 20 and len(files) > 1:
            one, two = sorted(files)[:2]
            files[one], files[two] = files[two], files[one]
        replace_tree(repo, files)
        if number == 12:
            (repo.path / "link").symlink_to("top.rs")
        message = random.choice(("Add things", "Fix a crash when x is empty", "Fix typo", f"Work\n\n{CLAUDE_TRAILER}"))
        oids.append(repo.commit(f"{message}", author=random.choice((ALICE, BOB, CAROL))))
    return oids


def replace_tree(repo: Repo, files: dict[str, bytes]) -> None:
    for path in sorted(repo.path.rglob("*")):
        if path.is_file() and not path.is_symlink() and ".git" not in path.parts:
            path.unlink()
    for name, content in files.items():
        repo.write(name, content)


def test_several_commits_are_one_change(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    base = repo.commit("Add", {"a.py": "1\n", "b.py": "1\n"})
    repo.commit("One", {"a.py": "1\n2\n"}, author=BOB)
    repo.commit("Two", {"a.py": "1\n3\n"}, author=BOB)
    repo.commit("Three", {"b.py": "1\n2\n"})
    row = row_of_change(repo, f"{base}..HEAD", tmp_path / "store")
    assert (row.of("nf"), row.of("la"), row.of("ld")) == (2, 2, 0)
    assert row.of("exp") == 0  # Bob wrote most commits, and none before
    assert row.of("nuc") == 1


def test_what_was_not_committed_has_no_author_and_no_moment(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Add", {"a.py": "1\n"})
    repo.write("a.py", "1\n2\n")
    repo.git("add", "-A")
    with open_repository(repo.path) as repository:
        read = read_change(read_ends(Question(staged=True), repository), repository, Settings())
        facts = collect_change(read, Context(repository=repository, settings=Settings(), now="2026-05-01T12:00:00Z"))
        with open_history(repository, read.base, tmp_path / "store") as mined:
            row = features_of(read, facts, ProvenanceFacts(), mined, Settings(), repository)
    assert (row.of("la"), row.of("nuc")) == (1, 1)
    unknown = {name for name, value in zip(row.names, row.values, strict=True) if math.isnan(value)}
    assert unknown == {
        *("exp", "rexp", "sexp", "age", "fix", "ai", "message_length", "message_words"),
        *("burst_hour", "burst_day", "pace", "familiar_share", "others_day", "others_week", "fixes_180"),
    }


def test_tests_alone_look_like_no_tests(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Add", {"a.py": "1\n", "tests/test_a.py": "1\n"})
    alone = repo.commit("Test", {"tests/test_a.py": "1\n2\n"})
    beside = repo.commit("Both", {"a.py": "2\n", "tests/test_a.py": "1\n2\n3\n4\n5\n"})
    rows = frame_of(repo, tmp_path / "store")
    assert (rows[alone]["test_files"], rows[alone]["test_share"]) == (0, 0)
    assert (rows[beside]["test_files"], rows[beside]["test_share"]) == (1, 0.75)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_histories_without_much(tmp_path: Path, object_format: str) -> None:
    repo = Repo.init(tmp_path / "repo", object_format=object_format)
    with open_repository(repo.path) as repository, open_history(repository, "", tmp_path / "none") as mined:
        assert feature_frame(repository, mined, Settings()).values.shape == (0, len(NAMES))
    first = repo.commit("Nothing at all")
    only = repo.commit("Add", {"a.py": "if x:\n"})
    rows = frame_of(repo, tmp_path / "store")
    assert list(rows) == [first, only]
    assert (rows[first]["nf"], rows[first]["tokens_added"]) == (0, 0)
    assert (rows[only]["tokens_added"], rows[only]["condition_share"]) == (2, 1)


def test_text_that_git_cannot_give_is_unknown(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    before = repo.commit("Add", {"a.py": "1\n"})
    lost = repo.commit("Lose", {"b.py": "lost\n"})
    after = repo.commit("More", {"a.py": "1\n2 3\n"})
    blob = repo.head("HEAD:b.py")
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    rows = frame_of(repo, tmp_path / "store")
    assert math.isnan(rows[lost]["tokens_added"])
    assert (rows[before]["tokens_added"], rows[after]["tokens_added"]) == (1, 2)


def test_text_is_read_once(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Add", {"a.py": "1\n"})
    first = frame_of(repo, tmp_path / "store")
    repo.commit("More", {"a.py": "1\n2\n"})
    asked: list[tuple[int, int]] = []
    with open_repository(repo.path) as repository, open_history(repository, repo.head(), tmp_path / "store") as mined:
        frame = feature_frame(repository, mined, Settings(), lambda done, of: asked.append((done, of)))
    assert asked == [(1, 1)]
    assert dict(zip(NAMES, frame.values[0].tolist(), strict=True)) == next(iter(first.values()))


def test_merges_and_side_branches(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Add", {"a.py": "1\n", "b.py": "1\n"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("Side", {"a.py": "1\n2\n"}, author=BOB)
    repo.git("checkout", "-q", "main")
    main = repo.commit("Main", {"b.py": "1\n2\n"})
    repo.clock += 3600
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    last = repo.commit("Last", {"a.py": "3\n"})
    rows = frame_of(repo, tmp_path / "store")
    assert len(rows) == 4
    assert {side, main, last} <= set(rows)
    assert (rows[last]["nuc"], rows[last]["ndev"], rows[last]["others_day"]) == (2, 2, 1)


def test_the_sweep_alone_gives_the_fourteen(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    random_history(repo, Random(3), commits=12)
    rows = frame_of(repo, tmp_path / "store")
    with open_repository(repo.path) as repository, open_history(repository, repo.head(), tmp_path / "store") as mined:
        swept = dict(sweep_kamei(mined.commits(), lambda commit: person_key(commit.author), is_fix))
    assert swept == {oid: tuple(row[name] for name in KAMEI) for oid, row in rows.items()}


def test_definitions_are_whole_and_the_page_is_up_to_date() -> None:
    assert NAMES[:14] == KAMEI
    assert len(set(NAMES)) == len(NAMES)
    assert all(one.meaning.endswith(".") and one.words for one in FEATURES)
    page = ROOT / "docs" / "risk-features.md"
    assert page.read_text(encoding="utf-8") == to_markdown(), "write it again from to_markdown"


def test_a_hostile_history_is_described(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    many: dict[str, str | bytes | None] = {f"d{number % 50}/f{number}.py": "x = 1\n" for number in range(3_000)}
    repo.commit("Many", many)
    repo.commit("Long", {"long.py": b"a" * (2 << 20) + b"\n" + b"'" * 5_000, "zero.py": b"x = 1\n" * 3000 + b"\0"})
    (repo.path / "odd\nname.py").write_text("if x:\n", encoding="utf-8")
    (Path(os.fsdecode(os.fsencode(repo.path) + b"/\xff.py"))).write_text("commit 1\n@@ -1 +1 @@\n", encoding="utf-8")
    repo.clock = 100_000_000
    last = repo.commit("Odd", {"text": "diff --git a/x b/x\ncommit 0000\n-- a\n++ b\n"})
    rows = frame_of(repo, tmp_path / "store")
    assert [row["nf"] for row in rows.values()] == [3_000, 2, 3]
    assert (rows[last]["tokens_added"], rows[last]["condition_share"]) == (2 + 4 + 4 + 2 + 2 + 2, pytest.approx(1 / 7))
    assert all(math.isfinite(value) for row in rows.values() for value in row.values())
