"""Pull and merge requests from the JSON of both forges, and one clear error for everything else."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.change.pulls import read_event
from tidegate.errors import InputError

BASE, HEAD = "a" * 40, "b" * 40

GITHUB: dict[str, Any] = {
    "action": "synchronize",
    "number": 7,
    "pull_request": {
        "number": 7,
        "title": "Add limits",
        "body": "## Why\nabuse",
        "user": {"login": "alice", "type": "User"},
        "labels": [{"name": "ai"}, {"name": "risky"}],
        "assignees": [{"login": "bob", "type": "User"}],
        "merged_by": None,
        "created_at": "2026-05-01T12:00:00Z",
        "updated_at": "2026-05-02T12:00:00+02:00",
        "base": {"ref": "main", "sha": BASE, "repo": {"full_name": "acme/web"}},
        "head": {"ref": "limits", "sha": HEAD, "repo": None},
    },
    "repository": {"full_name": "acme/web"},
}

GITLAB: dict[str, Any] = {
    "object_kind": "merge_request",
    "event_type": "merge_request",
    "user": {"id": 1, "username": "root"},
    "project": {"path_with_namespace": "acme/web"},
    "object_attributes": {
        "iid": 9,
        "title": "Add limits",
        "description": None,
        "author_id": 51,
        "source_branch": "limits",
        "target_branch": "main",
        "last_commit": {"id": HEAD},
        "action": "merge",
        "created_at": "2026-05-01 12:00:00 UTC",
        "updated_at": "2026-05-01T12:00:00.638Z",
    },
    "labels": [{"title": "ai"}],
    "assignees": [{"id": 51, "username": "alice"}],
}


def test_a_github_event(tmp_path: Path) -> None:
    pull = read_event(_written(tmp_path, GITHUB))
    assert (pull.forge, pull.number, pull.title, pull.body) == ("github", 7, "Add limits", "## Why\nabuse")
    assert (pull.author, pull.author_is_bot, pull.assignees, pull.labels) == ("alice", False, ("bob",), ("ai", "risky"))
    assert (pull.source, pull.target, pull.base, pull.head) == ("limits", "main", BASE, HEAD)
    assert (pull.opened_at, pull.updated_at) == ("2026-05-01T12:00:00Z", "2026-05-02T10:00:00Z")
    assert (pull.repository, pull.merged_by) == ("acme/web", "")


def test_the_api_answers_the_same(tmp_path: Path) -> None:
    assert read_event(_written(tmp_path, GITHUB["pull_request"])) == read_event(_written(tmp_path, GITHUB))


@pytest.mark.parametrize("user", [{"login": "helper", "type": "Bot"}, {"login": "claude[bot]", "type": "User"}])
def test_a_bot_is_told(tmp_path: Path, user: dict[str, str]) -> None:
    assert read_event(_written(tmp_path, _with(GITHUB, user, "pull_request", "user"))).author_is_bot


def test_a_deleted_account_is_nobody(tmp_path: Path) -> None:
    assert read_event(_written(tmp_path, _with(GITHUB, None, "pull_request", "user"))).author == ""


def test_a_gitlab_event(tmp_path: Path) -> None:
    pull = read_event(_written(tmp_path, GITLAB))
    assert (pull.forge, pull.number, pull.author, pull.merged_by) == ("gitlab", 9, "alice", "root")
    assert (pull.source, pull.target, pull.base, pull.head) == ("limits", "main", "", HEAD)
    assert (pull.opened_at, pull.updated_at) == ("2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z")
    assert (pull.labels, pull.body) == (("ai",), "")


def test_whoever_triggers_a_gitlab_event_is_not_its_author(tmp_path: Path) -> None:
    assert read_event(_written(tmp_path, _with(GITLAB, [], "assignees"))).author == ""


def test_what_the_gitlab_api_answers(tmp_path: Path) -> None:
    pull = read_event(
        _written(
            tmp_path,
            {
                "iid": 9,
                "title": "t",
                "source_branch": "s",
                "target_branch": "main",
                "author": {"id": 1, "username": "alice"},
                "sha": HEAD,
                "diff_refs": {"base_sha": BASE, "head_sha": HEAD, "start_sha": BASE},
                "labels": ["x"],
                "references": {"full": "acme/web!9"},
                "created_at": "2026-05-01T12:00:00.000Z",
            },
        )
    )
    assert (pull.author, pull.base, pull.head, pull.repository) == ("alice", BASE, HEAD, "acme/web")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "describes no pull or merge request"),
        (b"not json", "describes no pull or merge request"),
        (b"[]", "describes no pull or merge request"),
        (b"{}", "describes no pull or merge request"),
        (b'{"object_kind": "push"}', "not a merge request"),
        (b'{"object_kind": "merge_request"}', "not a merge request"),
        (b'{"pull_request": {"number": 1}}', "missing required field base"),
        (b'{"pull_request": []}', "not as documented"),
        (json.dumps(_BAD := {**GITHUB, "pull_request": {**GITHUB["pull_request"], "number": "7"}}).encode(), "number"),
        (b'{"pull_request":' + b"[" * 100_000, "not as documented"),
        (b'{"a":' * 100_000, "not as documented"),
        (b"\xff\xfe", "describes no pull"),
        (b'{"title": "\xff"}', "describes no pull"),
        (b'{"pull_request": {"number": 1, "title": "\xff"}}', "not as documented"),
        (b" " * (10 << 20) + b"{}", "larger than 10 MiB"),
    ],
)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_event(path)
    assert complaint.lower() in error.value.what.lower()
    assert error.value.where == str(path)
    assert error.value.mend
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "place", "complaint"),
    [
        ("--output=/tmp/x", ("pull_request", "head", "sha"), "head.sha is no object id"),
        ("HEAD", ("pull_request", "base", "sha"), "base.sha is no object id"),
        ("yesterday", ("pull_request", "created_at"), "no moment"),
        ("2026-05-01T12:00:00", ("pull_request", "created_at"), "no moment"),
    ],
)
def test_values_that_are_no_ids_or_moments_are_refused(
    tmp_path: Path, value: str, place: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        read_event(_written(tmp_path, _with(GITHUB, value, *place)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_event(path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda c: st.lists(c, max_size=2), max_leaves=4
)
_PLACES = st.sampled_from(
    [
        ("pull_request",),
        ("pull_request", "user"),
        ("pull_request", "labels"),
        ("pull_request", "head"),
        ("pull_request", "body"),
    ]
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_JSON, place=_PLACES)
def test_a_field_of_another_type_never_breaks_it(tmp_path: Path, value: object, place: tuple[str, ...]) -> None:
    with contextlib.suppress(InputError):
        read_event(_written(tmp_path, _with(GITHUB, value, *place)))


def _written(folder: Path, value: object) -> Path:
    path = folder / "event.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def _with(event: dict[str, Any], value: object, *place: str) -> dict[str, Any]:
    changed = json.loads(json.dumps(event))
    target = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    return changed
