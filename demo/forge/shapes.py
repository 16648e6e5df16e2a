"""GitHub's JSON, field by field as its REST reference and webhook examples show it, without most of the links."""

from __future__ import annotations

from typing import Any

from demo.forge.world import App, Comment, Project, Pull, Review, Run, Status, User

Json = dict[str, Any]


def user(found: User) -> Json:
    return {
        "login": found.login,
        "id": found.id,
        "node_id": f"U_{found.id}",
        "type": found.type,
        "site_admin": False,
    }


def repository(base: str, project: Project) -> Json:
    owner, _, name = project.slug.partition("/")
    return {
        "id": project.id,
        "node_id": f"R_{project.id}",
        "name": name,
        "full_name": project.slug,
        "private": True,
        "owner": {"login": owner, "id": project.id, "type": "Organization"},
        "html_url": f"{base}/{project.slug}",
        "url": f"{base}/api/v3/repos/{project.slug}",
        "clone_url": f"{base}/{project.slug}.git",
        "default_branch": project.main,
        "fork": False,
        "archived": False,
        "disabled": False,
    }


def pull(base: str, project: Project, found: Pull) -> Json:
    url = f"{base}/api/v3/repos/{project.slug}/pulls/{found.number}"
    return {
        "url": url,
        "id": project.id * 10_000 + found.number,
        "node_id": f"PR_{project.id}_{found.number}",
        "html_url": f"{base}/{project.slug}/pull/{found.number}",
        "number": found.number,
        "state": found.state,
        "locked": False,
        "title": found.title,
        "user": user(found.user),
        "body": found.body,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "closed_at": found.updated_at if found.state == "closed" else None,
        "merged_at": found.merged_at,
        "merge_commit_sha": found.merge_commit,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [{"id": number, "name": name} for number, name in enumerate(found.labels, 1)],
        "milestone": None,
        "draft": found.draft,
        "head": _end(base, project, found.branch, found.head),
        "base": _end(base, project, found.target, found.base),
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
        "merged": found.merged_at is not None,
        "merged_by": user(found.merged_by) if found.merged_by else None,
        "comments": len(found.comments),
    }


def pull_in_list(base: str, project: Project, found: Pull) -> Json:
    """The list leaves out what costs to find."""
    shown = pull(base, project, found)
    return {name: value for name, value in shown.items() if name not in ("merged", "merged_by", "comments")}


def review(base: str, project: Project, found: Pull, one: Review) -> Json:
    return {
        "id": one.id,
        "node_id": f"PRR_{one.id}",
        "user": user(one.user),
        "body": one.body,
        "state": one.state,
        "html_url": f"{base}/{project.slug}/pull/{found.number}#pullrequestreview-{one.id}",
        "pull_request_url": f"{base}/api/v3/repos/{project.slug}/pulls/{found.number}",
        "submitted_at": one.at,
        "commit_id": one.commit,
        "author_association": "MEMBER",
    }


def review_in_event(one: Review) -> Json:
    """In webhooks the state is in small letters."""
    return {
        "id": one.id,
        "user": user(one.user),
        "body": one.body,
        "state": one.state.lower(),
        "submitted_at": one.at,
        "commit_id": one.commit,
    }


def comment(base: str, project: Project, found: Pull, one: Comment) -> Json:
    return {
        "id": one.id,
        "node_id": f"IC_{one.id}",
        "url": f"{base}/api/v3/repos/{project.slug}/issues/comments/{one.id}",
        "html_url": f"{base}/{project.slug}/pull/{found.number}#issuecomment-{one.id}",
        "body": one.body,
        "user": user(one.user),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "author_association": "MEMBER",
    }


def status(base: str, one: Status) -> Json:
    return {
        "url": f"{base}/statuses/{one.sha}",
        "id": one.id,
        "node_id": f"SC_{one.id}",
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": one.at,
        "updated_at": one.at,
        "creator": user(one.user),
    }


def status_in_event(one: Status) -> Json:
    return {
        "id": one.id,
        "sha": one.sha,
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": one.at,
        "updated_at": one.at,
    }


def app(base: str, found: App) -> Json:
    return {
        "id": found.id,
        "client_id": f"Iv23li{found.id}",
        "slug": found.slug,
        "node_id": f"A_{found.id}",
        "name": found.slug.title(),
        "html_url": f"{base}/apps/{found.slug}",
    }


def run_in_event(base: str, project: Project, one: Run) -> Json:
    """Without the client id of the App, which messages do not say."""
    shown = run(base, project, one)
    return {**shown, "app": {name: value for name, value in shown["app"].items() if name != "client_id"}}


def run(base: str, project: Project, one: Run) -> Json:
    url = f"{base}/api/v3/repos/{project.slug}/check-runs/{one.id}"
    return {
        "id": one.id,
        "node_id": f"CR_{one.id}",
        "name": one.name,
        "head_sha": one.head_sha,
        "external_id": one.external_id,
        "url": url,
        "html_url": f"{base}/{project.slug}/runs/{one.id}",
        "details_url": one.details_url,
        "status": one.status,
        "conclusion": one.conclusion,
        "started_at": one.at,
        "completed_at": one.at if one.status == "completed" else None,
        "output": {
            "title": one.output.get("title"),
            "summary": one.output.get("summary"),
            "text": one.output.get("text"),
            "annotations_count": len(one.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": one.id + 1},
        "app": app(base, one.app),
        "pull_requests": [
            {"id": project.id * 10_000 + found.number, "number": found.number, "head": {"sha": found.head}}
            for found in project.pulls.values()
            if found.head == one.head_sha and found.state == "open"
        ],
    }


# Private


def _end(base: str, project: Project, ref: str, sha: str) -> Json:
    owner = project.slug.partition("/")[0]
    return {
        "label": f"{owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": {"login": owner},
        "repo": repository(base, project),
    }
