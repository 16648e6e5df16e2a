"""A merge queue's question: may this commit become the target branch?

It may where it is nothing but the merge of a change that passes: the tree of the group's commit must be the one that
merging the head that was decided on makes, on what the group is built on. Everything else is held, with the reason.
"""

from __future__ import annotations

from tidegate.change.git import Repository as Mirror
from tidegate.change.git import open_repository
from tidegate.change.git_fetch import FetchError
from tidegate.errors import GitError
from tidegate.server.emergency import let_through
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.values import Check
from tidegate.server.mirrors import Wanted
from tidegate.server.work.journey import Way, fetch, forge_of
from tidegate.server.work.questions import key_of
from tidegate.server.work.say import WAITING, releasable
from tidegate.store import assessments, changes, publications
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change
from tidegate.store.repositories import Repository


def answer_group(way: Way, repository: Repository, change_id: int, commit: str) -> str:
    """Puts the check on the group's commit; the reason where it does not pass. May raise ForgeError."""
    service = way.service
    with service.database.read() as connection:
        change = changes.get(connection, change_id)
        last = assessments.latest(connection, change_id, head=change.head) if change else None
    if change is None or last is None:
        return "the change is not decided"
    problem = _problem(way, repository, change, last, commit)
    if not problem and not releasable(service, last):
        raise ForgeError(WAITING, retry_after=5)
    key = key_of("group", last.key, commit)
    check = Check(
        key=key,
        head=commit,
        conclusion="action_required" if problem else "success",
        title=problem or "The group is the merge of a change that passes",
        summary=problem or f"It is the merge of #{change.number} at {change.head[:12]}, which passes.",
        text="",
        url=f"{service.config.url}/changes/{change.id}",
    )
    row = service.database.change(
        lambda connection: publications.put(connection, change.id, f"group:{key}", "check", service.now())
    ).publication
    if row.state != "sent":
        sent = forge_of(service, repository).put_check(repository.slug, check, row.forge_id)
        service.database.change(lambda connection: publications.sent(connection, row.id, sent, service.now()))
    return problem


# Private


def _problem(way: Way, repository: Repository, change: Change, last: Assessment, commit: str) -> str:
    if last.verdict != "pass" and not let_through(way.service, change.id, last.head, last.merge_tree):
        return f"#{change.number} does not pass: {last.verdict}"
    source = forge_of(way.service, repository).clone(repository.slug)
    wanted = Wanted(repository.forge, repository.slug, change.target, 0, commit)
    try:
        brought = fetch(way, wanted, source)
        with open_repository(brought.path, bare=True) as mirror:
            return _unlike(mirror, commit, change)
    except (FetchError, GitError) as error:
        return f"the group cannot be read: {error.what}"


def _unlike(mirror: Mirror, commit: str, change: Change) -> str:
    """The group is built on its first parent: the target branch, or the group before it in the queue."""
    base = mirror.resolve(f"{commit}^1")
    tree = mirror.resolve(commit, "tree")
    if mirror.merge_trees(base, change.head) != tree:
        return f"the group is not the merge of #{change.number} at {change.head[:12]} and nothing else"
    return ""
