"""GitHub's REST API, as far as a gate of changes asks it, with the limits that it documents.

https://docs.github.com/en/rest (2022-11-28): apps, checks, commit statuses, issues (comments), pulls, git refs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from demo.forge import shapes
from demo.forge.gate import Answer, Asked, Handler, RefusedError, paged
from demo.forge.hooks import Hooks, Sent
from demo.forge.world import Comment, Project, Run, Status

Path = Mapping[str, str]
T = TypeVar("T")
MOST_ANNOTATIONS = 50
LONGEST_OUTPUT = 65_535
LONGEST_BODY = 65_536
LONGEST_DESCRIPTION = 140
MOST_REPORTS = 10
CONCLUSIONS = frozenset("success failure neutral cancelled skipped timed_out action_required".split())


def github_routes(hooks: Hooks) -> list[tuple[str, str, Handler]]:
    """Method, path and handler of each endpoint."""
    repo = "/repos/{owner}/{name}"
    return [
        ("GET", "/app", lambda asked, _: shapes.app(asked.base, asked.as_app())),
        ("GET", "/app/installations", _installations),
        ("POST", "/app/installations/{id:int}/access_tokens", _access_token),
        ("GET", "/app/hook/deliveries", _deliveries(hooks)),
        ("POST", "/app/hook/deliveries/{id:int}/attempts", _attempt(hooks)),
        ("GET", "/user", _user),
        ("GET", "/user/repos", lambda asked, _: paged(asked, _reached(asked))),
        ("GET", "/installation/repositories", lambda asked, _: paged(asked, _reached(asked), "repositories")),
        ("GET", f"{repo}/installation", _installation_of),
        ("GET", f"{repo}/git/ref/heads/{{branch:path}}", _ref),
        ("GET", f"{repo}/pulls", _pulls),
        ("GET", f"{repo}/pulls/{{number:int}}", _pull),
        ("GET", f"{repo}/pulls/{{number:int}}/reviews", _reviews),
        ("GET", f"{repo}/commits/{{sha}}/pulls", _pulls_of),
        ("GET", f"{repo}/commits/{{sha}}/check-runs", _runs),
        ("GET", f"{repo}/commits/{{sha}}/statuses", _statuses),
        ("POST", f"{repo}/statuses/{{sha}}", _make_status),
        ("POST", f"{repo}/check-runs", _make_run),
        ("GET", f"{repo}/check-runs/{{id:int}}", _run),
        ("PATCH", f"{repo}/check-runs/{{id:int}}", _change_run),
        ("GET", f"{repo}/check-runs/{{id:int}}/annotations", _annotations),
        ("GET", f"{repo}/issues/{{number:int}}/comments", _comments),
        ("POST", f"{repo}/issues/{{number:int}}/comments", _make_comment),
        ("PATCH", f"{repo}/issues/comments/{{id:int}}", _change_comment),
        ("DELETE", f"{repo}/issues/comments/{{id:int}}", _delete_comment),
        ("POST", f"{repo}/actions/runs/{{run:int}}/deployment_protection_rule", _answer_protected),
        ("GET", repo, lambda asked, path: shapes.repository(asked.base, _project(asked, path))),
    ]


# Private, of the App


def _installations(asked: Asked, _: Path) -> Answer:
    app = asked.as_app()
    found = [
        {
            "id": identifier,
            "account": {"login": owner, "id": identifier, "type": "Organization"},
            "app_id": app.id,
            "app_slug": app.slug,
            "permissions": asked.world.permissions,
            "suspended_at": None,
        }
        for owner, identifier in asked.world.installations.items()
    ]
    return paged(asked, found)


def _installation_of(asked: Asked, path: Path) -> Any:
    app = asked.as_app()
    project = _project(asked, path)
    identifier = asked.world.installations.get(project.slug.partition("/")[0].lower())
    if identifier is None:
        raise RefusedError(404, "Not Found")
    return {"id": identifier, "account": {"login": path["owner"]}, "app_id": app.id, "suspended_at": None}


def _access_token(asked: Asked, path: Path) -> Answer:
    app = asked.as_app()
    owner = next((one for one, found in asked.world.installations.items() if found == int(path["id"])), None)
    if owner is None:
        raise RefusedError(404, "Not Found")
    asks = asked.body.get("permissions", {})
    allowed = asked.world.permissions
    if any(allowed.get(name) not in (level, "write") for name, level in asks.items()):
        raise RefusedError(422, "The permissions requested are not granted to this installation.")
    named = asked.body.get("repositories")
    only = frozenset(one for one in asked.world.projects if one.partition("/")[2] in (named or ())) if named else None
    if named and not only:
        raise RefusedError(422, "There is at least one repository that does not exist or is not accessible.")
    token = asked.world.installation_token(app, owner, only, asks)
    ends = datetime.fromtimestamp(token.ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Answer({"token": token.text, "expires_at": ends, "permissions": token.permissions}, 201)


def _deliveries(hooks: Hooks) -> Handler:
    def handle(asked: Asked, _: Path) -> Answer:
        asked.as_app()
        size = min(int(asked.query.get("per_page", "30")), 100)
        cursor = int(asked.query.get("cursor", "0"))
        kept = [one for one in hooks.kept() if not cursor or one.id <= cursor]
        kept.sort(key=lambda one: -one.id)
        link = ""
        if len(kept) > size:
            link = f'<{asked.base}{asked.path}?per_page={size}&cursor={kept[size].id}>; rel="next"'
        return Answer([_delivery(one) for one in kept[:size]], link=link)

    return handle


def _delivery(one: Sent) -> dict[str, Any]:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": one.at,
        "redelivery": one.redelivery,
        "duration": 0.1,
        "status": "OK" if 200 <= one.code < 300 else "Invalid HTTP Response" if one.code else "timed out",
        "status_code": one.code,
        "event": one.event,
        "action": one.action or None,
        "installation_id": one.installation,
        "repository_id": one.project,
    }


def _attempt(hooks: Hooks) -> Handler:
    def handle(asked: Asked, path: Path) -> Answer:
        asked.as_app()
        if not hooks.send_again(int(path["id"])):
            raise RefusedError(404, "Not Found")
        return Answer({}, 202)

    return handle


# Private, to read


def _project(asked: Asked, path: Path) -> Project:
    return asked.project(f"{path['owner']}/{path['name']}")


def _reached(asked: Asked) -> list[dict[str, Any]]:
    token = asked.needs("metadata")
    every = asked.world.projects.values()
    return [shapes.repository(asked.base, one) for one in every if token.projects is None or one.slug in token.projects]


def _user(asked: Asked, _: Path) -> Any:
    token = asked.needs("metadata")
    if token.app is not None:
        raise RefusedError(403, "Resource not accessible by integration")
    return shapes.user(token.user)


def _ref(asked: Asked, path: Path) -> Any:
    asked.needs("contents")
    tip = _project(asked, path).tip(path["branch"])
    if not tip:
        raise RefusedError(404, "Not Found")
    return {"ref": f"refs/heads/{path['branch']}", "object": {"type": "commit", "sha": tip}}


def _pulls(asked: Asked, path: Path) -> Answer:
    asked.needs("pull_requests")
    project = _project(asked, path)
    state = asked.query.get("state", "open")
    found = [one for one in project.pulls.values() if state in (one.state, "all")]
    found.sort(key=lambda one: (one.updated_at, one.number), reverse=True)
    return paged(asked, [shapes.pull_in_list(asked.base, project, one) for one in found])


def _pull(asked: Asked, path: Path) -> Any:
    asked.needs("pull_requests")
    project = _project(asked, path)
    return shapes.pull(asked.base, project, _found(project.pulls.get(int(path["number"]))))


def _reviews(asked: Asked, path: Path) -> Answer:
    asked.needs("pull_requests")
    project = _project(asked, path)
    pull = _found(project.pulls.get(int(path["number"])))
    return paged(asked, [shapes.review(asked.base, project, pull, one) for one in pull.reviews])


def _pulls_of(asked: Asked, path: Path) -> Answer:
    asked.needs("pull_requests")
    project = _project(asked, path)
    found = [one for one in project.pulls.values() if one.head == path["sha"]]
    return paged(asked, [shapes.pull_in_list(asked.base, project, one) for one in found])


def _found(value: T | None) -> T:
    if value is None:
        raise RefusedError(404, "Not Found")
    return value


# Private, of checks


def _runs(asked: Asked, path: Path) -> Answer:
    asked.needs("checks")
    project = _project(asked, path)
    name, app = asked.query.get("check_name"), asked.query.get("app_id")
    found = [
        one
        for one in project.runs
        if one.head_sha == path["sha"] and name in (None, one.name) and app in (None, str(one.app.id))
    ]
    found.sort(key=lambda one: -one.id)
    if asked.query.get("filter", "latest") == "latest":
        latest: dict[tuple[int, str], Run] = {}
        for one in found:
            latest.setdefault((one.app.id, one.name), one)
        found = list(latest.values())
    return paged(asked, [shapes.run(asked.base, project, one) for one in found], "check_runs")


def _run(asked: Asked, path: Path) -> Any:
    asked.needs("checks")
    project = _project(asked, path)
    return shapes.run(asked.base, project, _one(project.runs, path))


def _annotations(asked: Asked, path: Path) -> Answer:
    asked.needs("checks")
    return paged(asked, _one(_project(asked, path).runs, path).annotations)


def _make_run(asked: Asked, path: Path) -> Answer:
    token = asked.needs("checks", "write")
    if token.app is None:
        raise RefusedError(403, "You must authenticate via a GitHub App.")
    project = _project(asked, path)
    sha = asked.body.get("head_sha", "")
    if not asked.body.get("name") or not _has_commit(project, sha):
        raise RefusedError(422, f"No commit found for SHA: {sha}")
    run = Run(next(asked.world.ids), asked.body["name"], sha, token.app, asked.world.stamp())
    _fill(run, asked.body)
    project.runs.append(run)
    return Answer(shapes.run(asked.base, project, run), 201)


def _change_run(asked: Asked, path: Path) -> Any:
    token = asked.needs("checks", "write")
    project = _project(asked, path)
    run = _one(project.runs, path)
    if token.app is None or token.app.id != run.app.id:
        raise RefusedError(403, "Invalid app_id: check run was made by another App")
    _fill(run, asked.body)
    return shapes.run(asked.base, project, run)


def _fill(run: Run, body: dict[str, Any]) -> None:
    """All is looked at before anything is changed."""
    output = body.get("output") or {}
    annotations = output.get("annotations", [])
    if len(annotations) > MOST_ANNOTATIONS:
        raise RefusedError(422, "Invalid request. No more than 50 items are allowed; annotations")
    for name in ("summary", "text"):
        if len(output.get(name) or "") > LONGEST_OUTPUT:
            raise RefusedError(422, f"Only 65535 characters are allowed; {len(output[name])} were supplied. ({name})")
    if output and (not output.get("title") or output.get("summary") is None):
        raise RefusedError(422, "Invalid request. title and summary weren't supplied.")
    for one in annotations:
        good = one.get("path") and one.get("message") and one["start_line"] <= one["end_line"]
        if not good or one.get("annotation_level") not in ("notice", "warning", "failure"):
            raise RefusedError(422, "Invalid request. annotations")
    conclusion = body.get("conclusion")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise RefusedError(422, f"Invalid conclusion {conclusion}")
    status = "completed" if conclusion else body.get("status", run.status)
    if status == "completed" and not (conclusion or run.conclusion):
        raise RefusedError(422, "conclusion is required when the status is completed")
    run.status, run.conclusion = status, (conclusion or run.conclusion) if status == "completed" else None
    run.external_id = body.get("external_id", run.external_id)
    run.details_url = body.get("details_url", run.details_url)
    run.output.update({name: output[name] for name in ("title", "summary", "text") if name in output})
    run.annotations += annotations


# Private, of statuses and comments


def _statuses(asked: Asked, path: Path) -> Answer:
    asked.needs("statuses")
    found = [one for one in reversed(_project(asked, path).statuses) if one.sha == path["sha"]]
    return paged(asked, [shapes.status(asked.base, one) for one in found])


def _make_status(asked: Asked, path: Path) -> Answer:
    token = asked.needs("statuses", "write")
    project, body = _project(asked, path), asked.body
    if body.get("state") not in ("error", "failure", "pending", "success"):
        raise RefusedError(422, "Validation Failed: state")
    if len(body.get("description") or "") > LONGEST_DESCRIPTION:
        raise RefusedError(422, "Validation Failed: description is too long (maximum is 140 characters)")
    if not _has_commit(project, path["sha"]):
        raise RefusedError(422, f"No commit found for SHA: {path['sha']}")
    status = Status(
        next(asked.world.ids),
        path["sha"],
        body.get("context", "default"),
        body["state"],
        token.user,
        asked.world.stamp(),
        body.get("description"),
        body.get("target_url"),
    )
    project.statuses.append(status)
    return Answer(shapes.status(asked.base, status), 201)


def _answer_protected(asked: Asked, path: Path) -> Answer:
    """A state ends it; a comment alone is a report, of which ten are taken."""
    asked.needs("deployments", "write")
    project, body = _project(asked, path), asked.body
    state, comment = body.get("state", ""), body.get("comment", "")
    if state not in ("", "approved", "rejected") or not isinstance(comment, str) or not (state or comment):
        raise RefusedError(422, "Validation Failed: state")
    mine = [one for one in project.protected if one.run == int(path["run"])]
    found = _found(next((one for one in mine if one.environment == body.get("environment_name")), None))
    if found.state or len(found.said) >= MOST_REPORTS:
        raise RefusedError(422, "Validation Failed: the deployment is answered, or has ten reports")
    found.state = state
    found.said.append(comment)
    return Answer(None, 204)


def _comments(asked: Asked, path: Path) -> Answer:
    asked.needs("issues")
    project = _project(asked, path)
    pull = _found(project.pulls.get(int(path["number"])))
    return paged(asked, [shapes.comment(asked.base, project, pull, one) for one in pull.comments])


def _make_comment(asked: Asked, path: Path) -> Answer:
    token = asked.needs("issues", "write")
    project = _project(asked, path)
    pull = _found(project.pulls.get(int(path["number"])))
    now = asked.world.stamp()
    comment = Comment(next(asked.world.ids), token.user, _text(asked), now, now)
    pull.comments.append(comment)
    return Answer(shapes.comment(asked.base, project, pull, comment), 201)


def _change_comment(asked: Asked, path: Path) -> Any:
    asked.needs("issues", "write")
    project = _project(asked, path)
    for pull in project.pulls.values():
        for comment in pull.comments:
            if comment.id == int(path["id"]):
                comment.body, comment.updated_at = _text(asked), asked.world.stamp()
                return shapes.comment(asked.base, project, pull, comment)
    raise RefusedError(404, "Not Found")


def _delete_comment(asked: Asked, path: Path) -> Answer:
    asked.needs("issues", "write")
    for pull in _project(asked, path).pulls.values():
        for comment in pull.comments:
            if comment.id == int(path["id"]):
                pull.comments.remove(comment)
                return Answer(None, 204)
    raise RefusedError(404, "Not Found")


def _text(asked: Asked) -> str:
    text = asked.body.get("body")
    if not isinstance(text, str) or not text.strip():
        raise RefusedError(422, "Validation Failed: body cannot be blank")
    if len(text) > LONGEST_BODY:
        raise RefusedError(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    return text


def _one(runs: list[Run], path: Path) -> Run:
    return _found(next((one for one in runs if one.id == int(path["id"])), None))


def _has_commit(project: Project, sha: str) -> bool:
    if len(sha) not in (40, 64) or not all(character in "0123456789abcdef" for character in sha):
        return False
    return project.git("cat-file", "--batch-check", stdin=f"{sha}\n".encode()).endswith(tuple("0123456789"))
