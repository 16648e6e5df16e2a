"""Reviews of both forges: who, of which state of the change, and how fast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.change_meaning.files import changed
from tests.repos import Repo
from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository, open_repository
from tidegate.change.reviews import collect_reviews
from tidegate.change.values import Change, Context, FileChange, PullRequest
from tidegate.errors import InputError
from tidegate.facts import Intent, ReviewFacts
from tidegate.settings import Identity, Settings

PEOPLE = Settings(people={"alice": Identity(accounts=("alice-hub",)), "robo": Identity(accounts=("ci[bot]",))})
OPENED = "2026-02-02T05:00:00Z"
"""Twenty minutes after the head of the repository below was committed."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Repository, str, str]]:
    repo = Repo.init(tmp_path_factory.mktemp("reviews"))
    old, head = repo.commit("old", {"a.py": "1\n"}), repo.commit("head", {"a.py": "2\n"})
    with open_repository(repo.path) as repository:
        yield repository, old, head


def test_without_a_file_nobody_is_known_to_have_looked(place: tuple[Repository, str, str]) -> None:
    facts = _collect(place, None)
    assert facts.status == "unknown"
    assert "--reviews FILE" in facts.unknowns[0].reason


def test_github_reviews(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    repository, old, head = place
    reviews = [
        _github("stranger", "APPROVED", head, "2026-02-02T07:00:00Z"),
        _github("Alice-Hub", "APPROVED", head, "2026-02-02T06:00:00Z"),
        _github("Alice-Hub", "CHANGES_REQUESTED", old, "2026-02-02T05:00:00Z"),
        _github("ci[bot]", "APPROVED", head, "2026-02-02T06:30:00Z"),
        _github("helper", "COMMENTED", "c" * 40, "2026-02-02T06:40:00Z", type_="Bot"),
        _github("alice-hub", "PENDING", head, None),
        {"user": None, "state": "DISMISSED", "commit_id": None, "submitted_at": "2026-02-02T08:00:00Z"},
    ]
    facts = _collect(place, _written(tmp_path, reviews), files=(changed("a.py", "x\n" * 99),))
    trees = {oid: commit.tree for oid, commit in read_commit_objects(repository, [old, head]).items()}
    assert [(r.account, r.person, r.kind, r.state, r.tree) for r in facts.reviews] == [
        ("Alice-Hub", "alice", "human", "changes-requested", trees[old]),
        ("Alice-Hub", "alice", "human", "approved", trees[head]),
        ("ci[bot]", "robo", "bot", "approved", trees[head]),
        ("helper", "", "bot", "commented", ""),
        ("stranger", "", "unknown", "approved", trees[head]),
        ("", "", "unknown", "dismissed", ""),
    ]
    assert facts.status == "complete"
    assert facts.reviews_total == 6
    assert (facts.opened_at, facts.head_at) == (OPENED, OPENED)
    assert facts.lines_per_hour == 100.0, "100 lines in the hour to the approval by the one known human"


def test_pages_of_reviews_and_the_command_line_of_github(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    _, _, head = place
    one = _github("alice-hub", "APPROVED", head, "2026-02-02T06:00:00Z")
    pages = _collect(place, _written(tmp_path, [[one], [one]]))
    assert pages.reviews_total == 2
    cli = {
        "reviews": [
            {
                "author": {"login": "alice-hub"},
                "state": "APPROVED",
                "submittedAt": "2026-02-02T06:00:00Z",
                "commit": {"oid": head},
            }
        ]
    }
    assert _collect(place, _written(tmp_path, cli)).reviews == pages.reviews[:1]


def test_gitlab_approvals_are_bound_by_the_list_of_versions(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    _, old, head = place
    approvals = {
        "approved_by": [
            {"user": {"username": "alice-hub"}, "approved_at": "2026-02-02T06:00:00.500Z"},
            {"user": {"username": "early"}, "approved_at": "2026-02-02T04:30:00Z"},
        ],
        "versions": [
            {"head_commit_sha": head, "created_at": "2026-02-02T05:00:00Z"},
            {"head_commit_sha": old, "created_at": "2026-02-02T04:00:00Z"},
        ],
    }
    facts = _collect(place, _written(tmp_path, approvals), files=(changed("a.py", "x\n" * 99),))
    assert [(r.account, r.commit) for r in facts.reviews] == [("early", old), ("alice-hub", head)]
    assert facts.head_at == "2026-02-02T05:00:00Z"
    assert facts.lines_per_hour == 100.0
    unbound = _collect(place, _written(tmp_path, {"approved_by": approvals["approved_by"]}))
    assert [(r.commit, r.tree) for r in unbound.reviews] == [("", ""), ("", "")]
    assert unbound.lines_per_hour == 0.0


def test_an_approval_in_the_second_of_a_push_is_bound_to_nothing(
    place: tuple[Repository, str, str], tmp_path: Path
) -> None:
    _, old, head = place
    approvals = {
        "approved_by": [{"user": {"username": "alice-hub"}, "approved_at": "2026-02-02T05:00:00.900Z"}],
        "versions": [
            {"head_commit_sha": old, "created_at": "2026-02-02T04:00:00Z"},
            {"head_commit_sha": head, "created_at": "2026-02-02T05:00:00.100Z"},
        ],
    }
    assert [r.commit for r in _collect(place, _written(tmp_path, approvals)).reviews] == [""]


def test_gitlab_notes(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    notes = [
        _note("alice-hub", "approved this merge request", "05", system=True),
        _note("alice-hub", "unapproved this merge request", "06", system=True),
        _note("mallory", "approved this merge request", "07", system=False),
        _note("bob", "changed the description", "08", system=True),
    ]
    states = [(r.account, r.state) for r in _collect(place, _written(tmp_path, notes)).reviews]
    assert states == [("alice-hub", "approved"), ("alice-hub", "dismissed"), ("mallory", "commented")]


def test_approval_state_without_times(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    state = {"rules": [{"name": "All", "approved_by": [{"username": "alice-hub"}]}]}
    assert [(r.account, r.at, r.commit) for r in _collect(place, _written(tmp_path, state)).reviews] == [
        ("alice-hub", "", "")
    ]


def test_no_reviews_is_known_and_empty(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    facts = _collect(place, _written(tmp_path, []))
    assert (facts.status, facts.reviews_total, facts.lines_per_hour) == ("complete", 0, 0.0)


# Pace


def test_pace_counts_what_people_read(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    reviews = _written(tmp_path, [_github("alice-hub", "APPROVED", place[2], "2026-02-02T06:00:00Z")])
    lock = changed("uv.lock", "x\n" * 999)
    files = (changed("a.py", "x\n" * 9, "y\n" * 9), _generated(lock))
    assert _collect(place, reviews, files=files).lines_per_hour == 20.0


def test_an_approval_older_than_the_head_has_no_pace(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    reviews = _written(tmp_path, [_github("alice-hub", "APPROVED", place[2], "2026-02-02T03:00:00Z")])
    facts = _collect(place, reviews)
    assert facts.status == "partial"
    assert [u.path for u in facts.unknowns] == ["review.lines_per_hour"]


def test_a_number_of_lines_that_is_not_known_has_no_pace(place: tuple[Repository, str, str], tmp_path: Path) -> None:
    reviews = _written(tmp_path, [_github("alice-hub", "APPROVED", place[2], "2026-02-02T05:00:00Z")])
    facts = _collect(place, reviews, files=(changed("a.py", lines_known=False),))
    assert [u.path for u in facts.unknowns] == ["review.lines_per_hour"]


def test_an_approval_in_the_same_second_is_as_fast_as_can_be(
    place: tuple[Repository, str, str], tmp_path: Path
) -> None:
    reviews = _written(tmp_path, [_github("alice-hub", "APPROVED", place[2], OPENED)])
    assert _collect(place, reviews, files=(changed("a.py", "x\n" * 9),)).lines_per_hour == 36_000.0


# What is refused


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"message": "Not Found"},
        "text",
        [1],
        [[1]],
        [{"state": "APPROVED", "commit_id": "HEAD"}],
        [{"state": "MAYBE"}],
        [{"state": "APPROVED", "submitted_at": "noon"}],
        [{"user": {}}],
        [{"system": True, "body": "approved this merge request"}, {"state": "APPROVED"}],
        {"approved_by": [{}]},
        {"approved_by": [{"user": {"username": "a"}}], "versions": [{"head_commit_sha": "x", "created_at": OPENED}]},
        [{"state": "APPROVED"}] * 10_001,
    ],
)
def test_a_file_that_holds_no_reviews_is_refused(
    place: tuple[Repository, str, str], tmp_path: Path, value: object
) -> None:
    with pytest.raises(InputError) as error:
        _collect(place, _written(tmp_path, value))
    assert error.value.where
    assert error.value.mend


def _collect(
    place: tuple[Repository, str, str], reviews: Path | None, files: tuple[FileChange, ...] = ()
) -> ReviewFacts:
    repository, old, head = place
    commits = read_commit_objects(repository, [old, head])
    change = Change(
        kind="pull-request",
        chosen="",
        base=old,
        head=head,
        base_tree=commits[old].tree,
        head_tree=commits[head].tree,
        target="main",
        source="x",
        commits=(commits[head],),
        files=files,
        intent=Intent(),
        pull_request=_pull(head),
    )
    return collect_reviews(change, Context(repository, PEOPLE, "2026-03-01T00:00:00Z", reviews))


def _pull(head: str) -> PullRequest:
    texts = dict.fromkeys(("title", "body", "author", "merged_by", "source", "target", "base", "repository"), "")
    return PullRequest(
        forge="github",
        number=1,
        author_is_bot=False,
        labels=(),
        assignees=(),
        head=head,
        opened_at=OPENED,
        updated_at="",
        **texts,
    )


def _github(login: str, state: str, commit: str, at: str | None, type_: str = "User") -> dict[str, Any]:
    return {"user": {"login": login, "type": type_}, "state": state, "commit_id": commit, "submitted_at": at}


def _note(account: str, body: str, hour: str, *, system: bool) -> dict[str, Any]:
    return {
        "author": {"username": account},
        "body": body,
        "system": system,
        "created_at": f"2026-02-02T{hour}:00:00Z",
        "noteable_type": "MergeRequest",
    }


def _generated(file: FileChange) -> FileChange:
    return replace(file, generated=True)


def _written(folder: Path, value: object) -> Path:
    path = folder / "reviews.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
