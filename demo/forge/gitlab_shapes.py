"""GitLab's JSON of the same world, as its API reference and its list of webhook events show it."""

from __future__ import annotations

from typing import Any

from demo.forge.world import Comment, Project, Pull, Status, User, World

Json = dict[str, Any]
HOOK_NAMES = {"merge_request": "Merge Request Hook", "push": "Push Hook", "note": "Note Hook"}
STATES = {"success": "success", "failure": "failed", "error": "failed", "pending": "pending"}


def user(found: User) -> Json:
    return {"id": found.id, "username": found.login, "name": found.login, "state": "active"}


def project_of(base: str, project: Project) -> Json:
    return {
        "id": project.id,
        "path_with_namespace": project.slug,
        "default_branch": project.main,
        "http_url_to_repo": f"{base}/{project.slug}.git",
        "archived": False,
    }


def merge_base(project: Project, found: Pull) -> str:
    return project.git("merge-base", found.base, found.head)


def merge_request(project: Project, found: Pull) -> Json:
    base = merge_base(project, found)
    return {
        **merge_request_in_list(project, found),
        "diff_refs": None if found.unprepared else {"base_sha": base, "head_sha": found.head, "start_sha": found.base},
    }


def merge_request_in_list(project: Project, found: Pull) -> Json:
    state = "merged" if found.merged_at else {"open": "opened"}.get(found.state, "closed")
    return {
        "id": project.id * 10_000 + found.number,
        "iid": found.number,
        "project_id": project.id,
        "title": found.title,
        "description": found.body,
        "state": state,
        "created_at": _moment(found.created_at),
        "updated_at": _moment(found.updated_at),
        "merged_at": _moment(found.merged_at) if found.merged_at else None,
        "merge_commit_sha": found.merge_commit,
        "squash_commit_sha": None,
        "merge_user": user(found.merged_by) if found.merged_by else None,
        "target_branch": found.target,
        "source_branch": found.branch,
        "author": user(found.user),
        "assignees": [],
        "reviewers": [],
        "labels": found.labels,
        "draft": found.draft,
        "sha": found.head,
        "references": {"short": f"!{found.number}", "full": f"{project.slug}!{found.number}"},
    }


def approvals(found: Pull) -> Json:
    by = [
        {"user": user(review.user), "approved_at": _moment(review.at)}
        for review in found.reviews
        if review.state == "APPROVED"
    ]
    return {"iid": found.number, "approved": bool(by), "approved_by": by}


def versions(found: Pull) -> list[Json]:
    return [
        {"id": identifier, "head_commit_sha": head, "created_at": _moment(at), "state": "collected"}
        for identifier, head, at in reversed(found.versions)
    ]


def status(one: Status) -> Json:
    return {
        "id": one.id,
        "sha": one.sha,
        "name": one.context,
        "status": STATES.get(one.state, one.state),
        "description": one.description,
        "target_url": one.target_url,
        "created_at": _moment(one.at),
        "author": user(one.user),
    }


def note(one: Comment) -> Json:
    return {
        "id": one.id,
        "body": one.body,
        "author": user(one.user),
        "system": False,
        "noteable_type": "MergeRequest",
        "created_at": _moment(one.created_at),
        "updated_at": _moment(one.updated_at),
    }


def merge_event(world: World, project: Project, found: Pull, action: str, by: str) -> Json:
    attributes = {
        "iid": found.number,
        "id": project.id * 10_000 + found.number,
        "action": action,
        "title": found.title,
        "description": found.body,
        "source_branch": found.branch,
        "target_branch": found.target,
        "author_id": found.user.id,
        "state": "merged" if found.merged_at else {"open": "opened"}.get(found.state, "closed"),
        "created_at": _moment(found.created_at),
        "updated_at": _moment(found.updated_at),
        "last_commit": {"id": found.head},
    }
    return _event("merge_request", world, project, by) | {"object_attributes": attributes}


def note_event(world: World, project: Project, found: Pull, one: Comment) -> Json:
    attributes = {"id": one.id, "note": one.body, "noteable_type": "MergeRequest", "author_id": one.user.id}
    about = {"iid": found.number, "last_commit": {"id": found.head}}
    return _event("note", world, project, one.user.login) | {"object_attributes": attributes, "merge_request": about}


def push_event(world: World, project: Project, moved: Json, by: str) -> Json:
    return _event("push", world, project, by) | {"event_name": "push", **moved, "user_username": by}


# Private


def _event(kind: str, world: World, project: Project, by: str) -> Json:
    named = {"id": project.id, "path_with_namespace": project.slug, "default_branch": project.main}
    return {"object_kind": kind, "event_type": kind, "user": user(world.user(by)), "project": named}


def _moment(text: str) -> str:
    """GitLab's own form, with thousandths."""
    return text.replace("Z", ".000Z")
