"""Whose lines a change touches, who may be asked, and who must never be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.repos import ALICE, BOB, Repo
from tidegate.change.codeowners import Owners, parse_codeowners
from tidegate.change.diff import read_diff
from tidegate.change.git import open_repository
from tidegate.change.values import Change
from tidegate.facts import Intent
from tidegate.reach.answer import Expert
from tidegate.reach.blame import read_blame
from tidegate.reach.people import count_owners, find_experts, owners_of, suggest_reviewers
from tidegate.settings import Identity, Settings

CARA = "Cara Lee <cara@example.com>"
NOW = "2026-03-01T00:00:00Z"
LINES = [f"line {number}" for number in range(30)]


def text(*changed: tuple[int, str]) -> str:
    lines = list(LINES)
    for number, line in changed:
        lines[number] = line
    return "".join(f"{line}\n" for line in lines)


def experts(repo: Repo, base: str, head: str, notes: list[str] | None = None, now: str = NOW) -> tuple[Expert, ...]:
    with open_repository(repo.path) as opened:
        files = read_diff(opened, base, head).files
        change = Change("range", "", base, head, base, head, "", "", (), files, Intent())
        return find_experts(opened, change, now, notes=notes)


def owners(*lines: str) -> Owners:
    return parse_codeowners("\n".join(lines).encode(), "github", "CODEOWNERS")


def test_who_wrote_the_touched_lines_is_named_first(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Start", {"a.py": text()}, author=ALICE)
    base = repo.commit("Edit", {"a.py": text((20, "bob"), (21, "bob"))}, author=BOB)
    head = repo.commit("Change", {"a.py": text((20, "new"), (21, "new"))}, author=CARA)
    first, second = experts(repo, base, head)
    assert (first.person, first.lines) == ("Bob Jones <bob@example.com>", 2)
    assert (second.person, second.lines) == ("Alice Smith <alice@example.com>", 0)
    assert first.share + second.share == pytest.approx(1.0, abs=0.001)
    assert first.share > second.share
    assert first.reason == "wrote 2 of the touched lines, 1 commit to these files"
    assert second.reason == "wrote lines beside the touched ones, 1 commit to these files"


def test_who_left_is_said_and_not_suggested(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.clock = int(datetime(2023, 5, 1, tzinfo=UTC).timestamp())
    repo.commit("Start", {"a.py": text()}, author=ALICE)
    repo.clock = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())
    base = repo.commit("Edit", {"a.py": text((3, "bob"))}, author=BOB)
    head = repo.commit("Change", {"a.py": text((3, "new"), (25, "new"))}, author=CARA)
    found = experts(repo, base, head)
    assert [(one.person.split()[0], one.last_at[:4]) for one in found] == [("Bob", "2026"), ("Alice", "2023")]
    assert "last seen 2023" in found[1].reason
    assert [one.name for one in suggest_reviewers(found, (), (), NOW)] == ["Bob Jones <bob@example.com>"]


def test_bots_are_no_experts(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Start", {"a.py": text()}, author="renovate[bot] <bot@renovateapp.com>")
    repo.commit("Edit", {"a.py": text((1, "x"))}, author="Claude <noreply@anthropic.com>")
    repo.commit("Edit", {"a.py": text((1, "x"), (2, "x"))}, author="house bot <house@example.com>")
    base = repo.commit("Edit", {"a.py": text((1, "x"), (2, "x"), (3, "x"))}, author="Jo Talbot <jo@example.com>")
    head = repo.commit("Change", {"a.py": "new\n"})
    assert [one.person for one in experts(repo, base, head)] == ["Jo Talbot <jo@example.com>"]


def test_a_mailmap_of_the_change_moves_no_lines(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    base = repo.commit("Start", {"a.py": text()}, author=ALICE)
    head = repo.commit("Change", {"a.py": "new\n", ".mailmap": "Mallory <m@x.example> <alice@example.com>\n"})
    assert [one.person for one in experts(repo, base, head)] == ["Alice Smith <alice@example.com>"]


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    base = repo.commit("Start", {f"f{number:02}.py": "1\n" for number in range(25)})
    head = repo.commit("Change", {f"f{number:02}.py": "2\n" for number in range(25)})
    notes: list[str] = []
    (found,) = experts(repo, base, head, notes)
    assert found.lines == 20
    assert notes == ["experts: blame was asked of the 20 most changed of 25 files"]


def test_blame_ends_when_its_time_does(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    base = repo.commit("Start", {"a.py": "1\n", "b.py": "1\n"})
    head = repo.commit("Change", {"a.py": "2\n", "b.py": "2\n"})
    ticks = iter(range(0, 1000, 2))
    notes: list[str] = []
    with open_repository(repo.path) as opened:
        files = read_diff(opened, base, head).files
        found = list(read_blame(opened, base, files, notes, clock=lambda: float(next(ticks))))
    assert len(found) == 1
    assert any("left out" in note or "broken off" in note for note in notes)


def test_files_that_are_new_empty_or_binary_have_no_experts(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    base = repo.commit("Start", {"empty": "", "binary": b"\0\1\2", "gone": "x\n"})
    head = repo.commit("Change", {"empty": "x\n", "binary": b"\0\1\3", "new": "y\n", "gone": None})
    notes: list[str] = []
    (found,) = experts(repo, base, head, notes)
    assert found.lines == 1
    assert notes == []


def expert(person: str) -> Expert:
    return Expert(person, 0.5, 1, NOW, "wrote 1 of the touched lines")


@pytest.mark.parametrize(
    "excluded",
    [
        "Alice Smith <alice@example.com>",
        "A. S. <ALICE@example.com>",
        "alice smith <other@example.com>",
        "alice@example.com",
        "@asmith",
        "X <123+asmith@users.noreply.github.com>",
        "alice",
    ],
)
def test_nobody_who_made_the_change_is_named(excluded: str) -> None:
    settings = Settings(people={"alice": Identity("Alice Smith", ("alice@example.com",), ("asmith",))})
    candidates = [expert("alice"), expert("Alice Smith <alice@example.com>"), expert(BOB)]
    found = suggest_reviewers(candidates, ("@asmith", "@acme/team"), (excluded,), NOW, settings)
    assert [one.name for one in found] == [BOB, "@acme/team"]


def test_the_same_person_is_named_once_and_owners_are_said() -> None:
    settings = Settings(people={"bob": Identity("Bob Jones", ("bob@example.com",), ("bobby",))})
    found = suggest_reviewers([expert("bob"), expert(BOB)], ("@bobby", "@dependabot[bot]"), (), NOW, settings)
    assert [str(one) for one in found] == ["bob: wrote 1 of the touched lines; owner"]


def test_owners_are_counted() -> None:
    file = owners("* @all", "/docs/ @writers", "/free/", "/odd/ nobody")
    counts = count_owners(["a", "b", "docs/x", "free/x", "odd/x"], file)
    assert owners_of(["a", "b", "docs/x"], file) == ("@all", "@writers")
    assert [tuple(one) for one in counts.owners] == [("@all", 2), ("@writers", 1)]
    assert (counts.unowned, counts.doubtful) == (1, 1)
