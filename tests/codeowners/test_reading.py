"""Which CODEOWNERS file of a revision is read, and whom its owners stand for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from bench.codeowners import owned_paths, owners_text
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.codeowners import NO_OWNERS, Owners, parse_codeowners
from tidegate.change.git import open_repository
from tidegate.change.owner_patterns import Dialect
from tidegate.change.owners_file import read_owners
from tidegate.facts import Unknown
from tidegate.policy.identities import Identities
from tidegate.policy.owners import find_owner
from tidegate.settings import Identity, OwnersSettings, Settings


def read(repo: Repo, revision: str = "HEAD", dialect: Dialect | None = None) -> Owners:
    chosen = Settings(owners=OwnersSettings(dialect=dialect or "auto"))
    with open_repository(repo.path) as repository:
        owners = read_owners(repository, revision, chosen)
    assert isinstance(owners, Owners)
    return owners


@pytest.mark.parametrize(
    ("files", "dialect", "expected"),
    [
        ([".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"], None, (".github/CODEOWNERS", "github")),
        (["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"], None, ("CODEOWNERS", "github")),
        (["docs/CODEOWNERS"], None, ("docs/CODEOWNERS", "github")),
        ([".gitlab/CODEOWNERS"], None, (".gitlab/CODEOWNERS", "gitlab")),
        (["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"], "gitlab", ("CODEOWNERS", "gitlab")),
        (["docs/CODEOWNERS", ".gitlab/CODEOWNERS"], "gitlab", ("docs/CODEOWNERS", "gitlab")),
        ([".gitlab/CODEOWNERS", ".github/CODEOWNERS"], "gitlab", (".gitlab/CODEOWNERS", "gitlab")),
        ([".gitlab/CODEOWNERS"], "github", ("", "github")),
        (["lib/CODEOWNERS"], None, ("", "github")),
    ],
)
def test_the_place_of_the_file(
    tmp_path: Path, files: list[str], dialect: Dialect | None, expected: tuple[str, str]
) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("owners", dict.fromkeys(files, "* @all\n"))
    owners = read(repo, dialect=dialect)
    assert (owners.path, owners.dialect) == expected


@pytest.mark.parametrize("text", ["[Docs]\n*.md @x\n", "^[Docs] @y\n*.md\n", "[Docs][2] @y\n*.md\n", "* @@developer\n"])
def test_a_file_in_the_root_that_is_written_for_gitlab_is_read_so(tmp_path: Path, text: str) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("owners", {"CODEOWNERS": text})
    assert read(repo).dialect == "gitlab"


def test_the_file_of_the_asked_revision_is_read_and_not_that_of_the_work_tree(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    base = repo.commit("owners", {"CODEOWNERS": "* @alice\n"})
    repo.commit("take over", {"CODEOWNERS": "* @mallory\n"})
    repo.write("CODEOWNERS", "* @everybody\n")
    assert read(repo, base).owners_of(b"x")[0].owners == ("@alice",)


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_link_in_the_place_of_the_file_is_not_followed_and_leaves_a_doubt(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.write("mine", "* @mallory\n")
    (tmp_path / "CODEOWNERS").symlink_to("mine")
    repo.commit("link")
    owners = read(repo)
    assert [f.rule for f in owners.findings] == ["codeowners-not-a-file"]
    assert owners.owners_of(b"x")[0].owners == ()
    assert owners.owners_of(b"x")[0].doubt


def test_without_a_file_nobody_owns_anything_and_without_a_repository_nothing_is_known(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("nothing", {"README": "x"})
    assert read(repo) == NO_OWNERS
    assert isinstance(read_owners(None, "HEAD", Settings()), Unknown)


PEOPLE = Settings(
    people={
        "alice": Identity(name="Alice", emails=("alice@example.com",), accounts=("Alice-Dev",)),
        "bob": Identity(accounts=("bob",)),
    },
    teams={"@org/core": ("alice", "bob"), "@org/mixed": ("alice", "zoe"), "@@developer": ("bob",), "@org/none": ()},
)


@pytest.mark.parametrize(
    ("name", "people", "problem"),
    [
        ("@alice-dev", {"alice"}, ""),
        ("@ALICE-DEV", {"alice"}, ""),
        ("alice", {"alice"}, ""),
        ("Alice@Example.com", {"alice"}, ""),
        ("12345+alice-dev@users.noreply.github.com", {"alice"}, ""),
        ("@org/core", {"alice", "bob"}, ""),
        ("@Org/Core", {"alice", "bob"}, ""),
        ("@@developer", {"bob"}, ""),
        ("@org/mixed", {"alice"}, "zoe of team @org/mixed is not in [people]"),
        ("@org/none", set(), "team @org/none has no members in [teams]"),
        ("@org/other", set(), 'nobody knows who is in @org/other: add "@org/other" = [...] to [teams]'),
        ("@@maintainer", set(), 'nobody knows who is in @@maintainer: add "@@maintainer" = [...] to [teams]'),
        ("@carol", set(), "nobody in [people] is @carol"),
        ("carol@example.com", set(), "nobody in [people] is carol@example.com"),
    ],
)
def test_the_people_behind_an_owner(name: str, people: set[str], problem: str) -> None:
    owner = find_owner(name, Identities(PEOPLE))
    assert (set(owner.people), owner.problem) == (people, problem)


@given(
    text=st.lists(st.text(alphabet="ab*/?[]!\\# @^-.\t", max_size=24), max_size=12).map("\n".join),
    path=st.text(alphabet="ab/.-[]#*", min_size=1, max_size=12),
    dialect=st.sampled_from(["github", "gitlab"]),
)
@settings(max_examples=300, deadline=None)
def test_no_text_makes_the_reader_fail(text: str, path: str, dialect: Dialect) -> None:
    owners = parse_codeowners(text.encode(), dialect, "CODEOWNERS")
    for ownership in owners.owners_of(path.encode()):
        assert ownership.owners or ownership.doubt or dialect == "github"


@given(
    patterns=st.lists(st.text(alphabet="ab*/?.", min_size=1, max_size=8), min_size=1, max_size=8),
    path=st.text(alphabet="ab/.", min_size=1, max_size=10).filter(lambda p: "//" not in p and p.strip("/") == p),
    dialect=st.sampled_from(["github", "gitlab"]),
)
@settings(max_examples=300, deadline=None)
def test_many_lines_answer_as_the_last_of_them_that_matches_alone(
    patterns: list[str], path: str, dialect: Dialect
) -> None:
    lines = [f"{pattern} @o{number}" for number, pattern in enumerate(patterns)]
    together = parse_codeowners("\n".join(lines).encode(), dialect, "CODEOWNERS").owners_of(path.encode())
    alone = [parse_codeowners(line.encode(), dialect, "CODEOWNERS").owners_of(path.encode()) for line in lines]
    last = next((found for found in reversed(alone) if found), ())
    assert [(o.owners, o.doubt) for o in together] == [(o.owners, o.doubt) for o in last]


def test_the_time_for_a_file_does_not_grow_with_the_number_of_lines() -> None:
    """Trying each line in turn would take 16 times as long for 16 times the lines. See bench/codeowners.py."""
    few, many = (min(_seconds(lines) for _ in range(5)) for lines in (250, 4000))
    assert many < 4 * few


def _seconds(lines: int) -> float:
    text, paths = owners_text(lines), owned_paths()
    owners = parse_codeowners(text, "github", "CODEOWNERS")
    assert owners.owners_of(b"services/s0/x")[0].owners == ("@team0",)
    assert sum(bool(owners.owners_of(path)) for path in paths) > 0  # and what is compiled at first use is compiled
    start = time.process_time()
    for path in paths:
        owners.owners_of(path)
    return time.process_time() - start
