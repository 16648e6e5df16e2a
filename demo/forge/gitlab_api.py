"""GitLab's REST API v4 of the same projects, as far as a gate of changes asks it.

https://docs.gitlab.com/api/: merge requests, approvals, commits (statuses), notes, branches, projects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.forge import gitlab_shapes as shapes
from demo.forge.gate import Answer, Asked, Handler, RefusedError, paged
from demo.forge.hooks import Hooks
from demo.forge.world import Comment, Project, Pull, Status

Path = Mapping[str, str]
LONGEST_NOTE = 1_000_000
LONGEST_DESCRIPTION = 255
STATES = frozenset(("pending", "running", "success", "failed", "canceled", "skipped"))


def gitlab_routes(hooks: Hooks) -> list[tuple[str, str, Handler]]:
    """Method, path and handler of each endpoint. A project is named by its path, its slashes escaped."""
    one = "/projects/{slug:path}"
    merge = f"{one}/merge_requests/{{iid:int}}"
    return [
        ("GET", "/user", lambda asked, _: shapes.user(asked.needs("metadata").user)),
        ("GET", "/projects", _projects),
        ("GET", f"{one}/merge_trains/merge_requests/{{iid:int}}", _car),
        ("GET", f"{merge}/approvals", lambda asked, path: shapes.approvals(_merge(asked, path)[1])),
        ("GET", f"{merge}/versions", lambda asked, path: paged(asked, shapes.versions(_merge(asked, path)[1]))),
        ("GET", f"{merge}/notes", _notes),
        ("POST", f"{merge}/notes", _make_note),
        ("PUT", f"{merge}/notes/{{id:int}}", _change_note),
        ("DELETE", f"{merge}/notes/{{id:int}}", _delete_note),
        ("GET", merge, lambda asked, path: shapes.merge_request(*_merge(asked, path))),
        ("GET", f"{one}/hooks", _hooks(hooks)),
        ("GET", f"{one}/hooks/{{hook:int}}/events", _events(hooks)),
        ("POST", f"{one}/hooks/{{hook:int}}/events/{{event:int}}/resend", _resend(hooks)),
        ("GET", f"{one}/repository/branches/{{branch:path}}", _branch),
        ("GET", f"{one}/repository/commits/{{sha}}/merge_requests", _merges_of),
        ("GET", f"{one}/repository/commits/{{sha}}/statuses", _statuses),
        ("POST", f"{one}/statuses/{{sha}}", _make_status),
        ("GET", f"{one}/merge_requests", _merges),
        ("GET", one, lambda asked, path: shapes.project_of(asked.base, asked.project(path["slug"]))),
    ]


# Private


def _projects(asked: Asked, _: Path) -> Answer:
    return paged(asked, [shapes.project_of(asked.base, one) for one in asked.world.projects.values()])


def _merge(asked: Asked, path: Path) -> tuple[Project, Pull]:
    project = asked.project(path["slug"])
    pull = project.pulls.get(int(path["iid"]))
    if pull is None:
        raise RefusedError(404, "404 Not found")
    return project, pull


def _car(asked: Asked, path: Path) -> Any:
    project, pull = _merge(asked, path)
    if pull.number not in asked.world.trains.get(project.slug, {}):
        raise RefusedError(404, "404 Not Found")
    return {"id": 1, "status": asked.world.trains[project.slug][pull.number], "merge_request": {"iid": pull.number}}


def _maintained(asked: Asked, path: Path) -> Project:
    project = asked.project(path["slug"])
    if project.slug not in asked.world.maintained:
        raise RefusedError(403, "403 Forbidden")
    return project


def _hooks(hooks: Hooks) -> Handler:
    def handle(asked: Asked, path: Path) -> Answer:
        _maintained(asked, path)
        mine = [one for one in hooks.targets if one.forge == "gitlab"]
        return paged(asked, [{"id": at, "url": one.url} for at, one in enumerate(mine, start=1)])

    return handle


def _events(hooks: Hooks) -> Handler:
    """The newest first, 20 a page; a secret is shown as stars."""

    def handle(asked: Asked, path: Path) -> Answer:
        project = _maintained(asked, path)
        sent = [one for one in reversed(hooks.sent) if one.forge == "gitlab" and one.project == project.id]
        shown = [
            {
                "id": one.id,
                "trigger": one.event,
                "request_headers": {"Idempotency-Key": one.guid, "X-Gitlab-Token": "[REDACTED]"},
                "response_status": str(one.code) if one.code else "internal error",
            }
            for one in sent
        ]
        return paged(asked, shown)

    return handle


def _resend(hooks: Hooks) -> Handler:
    def handle(asked: Asked, path: Path) -> Answer:
        _maintained(asked, path)
        if not hooks.send_again(int(path["event"])):
            raise RefusedError(404, "404 Not Found")
        return Answer({"response_status": 200}, 201)

    return handle


def _merges(asked: Asked, path: Path) -> Answer:
    project = asked.project(path["slug"])
    found = [shapes.merge_request_in_list(project, one) for one in project.pulls.values()]
    state = asked.query.get("state", "all")
    return paged(asked, [one for one in found if state in ("all", one["state"])])


def _merges_of(asked: Asked, path: Path) -> Answer:
    project = asked.project(path["slug"])
    found = [one for one in project.pulls.values() if one.head == path["sha"]]
    return paged(asked, [shapes.merge_request_in_list(project, one) for one in found])


def _branch(asked: Asked, path: Path) -> Any:
    tip = asked.project(path["slug"]).tip(path["branch"])
    if not tip:
        raise RefusedError(404, "404 Branch Not Found")
    return {"name": path["branch"], "commit": {"id": tip}}


def _statuses(asked: Asked, path: Path) -> Answer:
    name = asked.query.get("name")
    found = [one for one in asked.project(path["slug"]).statuses if one.sha == path["sha"]]
    return paged(asked, [shapes.status(one) for one in found if name in (None, one.context)])


def _make_status(asked: Asked, path: Path) -> Answer:
    """What runs cannot begin to run again: GitLab refuses a change from running to itself, whatever else is new."""
    token = asked.needs("statuses", "write")
    project, body = asked.project(path["slug"]), asked.body
    state, name = body.get("state"), body.get("name", "default")
    if state not in STATES:
        raise RefusedError(400, "state does not have a valid value")
    if len(body.get("description") or "") > LONGEST_DESCRIPTION:
        raise RefusedError(400, "description is too long (maximum is 255 characters)")
    before = [one for one in project.statuses if one.sha == path["sha"] and one.context == name]
    if before and before[-1].state == state == "running":
        raise RefusedError(400, f"Cannot transition status via :run from :{state}")
    made = Status(
        next(asked.world.ids),
        path["sha"],
        name,
        state,
        token.user,
        asked.world.stamp(),
        body.get("description"),
        body.get("target_url"),
    )
    project.statuses.append(made)
    return Answer(shapes.status(made), 201)


def _notes(asked: Asked, path: Path) -> Answer:
    return paged(asked, [shapes.note(one) for one in _merge(asked, path)[1].comments])


def _make_note(asked: Asked, path: Path) -> Answer:
    token, now = asked.needs("issues", "write"), asked.world.stamp()
    comment = Comment(next(asked.world.ids), token.user, _text(asked), now, now)
    _merge(asked, path)[1].comments.append(comment)
    return Answer(shapes.note(comment), 201)


def _change_note(asked: Asked, path: Path) -> Any:
    """Only its author may."""
    token, comment = asked.needs("issues", "write"), _note(asked, path)
    if comment.user != token.user:
        raise RefusedError(403, "403 Forbidden")
    comment.body, comment.updated_at = _text(asked), asked.world.stamp()
    return shapes.note(comment)


def _delete_note(asked: Asked, path: Path) -> Answer:
    asked.needs("issues", "write")
    _merge(asked, path)[1].comments.remove(_note(asked, path))
    return Answer(None, 204)


def _note(asked: Asked, path: Path) -> Comment:
    found = next((one for one in _merge(asked, path)[1].comments if one.id == int(path["id"])), None)
    if found is None:
        raise RefusedError(404, "404 Not found")
    return found


def _text(asked: Asked) -> str:
    text = asked.body.get("body")
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_NOTE:
        raise RefusedError(400, "body is invalid")
    return text
