"""The gate as it is asked with a clone at hand: everything that the decision needs is read, and then it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.assess import Request, assess
from tidegate.change.branches import read_branches
from tidegate.change.configuration import read_settings
from tidegate.change.ends import Question as Change
from tidegate.change.git import Repository
from tidegate.errors import GitError, InputError
from tidegate.policy.rules import Policy, read_policy
from tidegate.reach.prometheus import ask as ask_prometheus
from tidegate.rollout.cases import Kept, Ways, kept_of, make_changes, read_folder
from tidegate.rollout.document import Rollout, Unreadable
from tidegate.rollout.gate import Approval, Budget, Changes, Decision, Question, Situation, gate
from tidegate.rollout.joined import Joined, Landed, Unjoined, join
from tidegate.rollout.local import file_of, read_deployments
from tidegate.rollout.read import read_rollout
from tidegate.rollout.values import Deployment

BUDGET_SECONDS = 10.0
LARGEST_BYTES = 1 << 20


class Asked(Struct, frozen=True, kw_only=True):
    """What a person or a pipeline asks. `to` and `since` are revisions; without `since` it is what ran last by the
    deployments that are known. `branch` is the protected branch that the document and the rules are read from.

    `checks` is a folder of documents of checks; up to `most` changes without one are assessed here. `approvals` is a
    JSON list of approvals that the caller vouches for. `now` is RFC 3339.
    """

    environment: str
    service: str = ""
    to: str = "HEAD"
    since: str = ""
    branch: str = ""
    actor: str = ""
    share: float | None = None
    checks: Path | None = None
    approvals: Path | None = None
    deployments: Path | None = None
    prometheus: str = ""
    most: int = 20
    now: str
    environ: Mapping[str, str] = {}


Fetch = Callable[[Sequence[Landed]], Sequence[Kept]]


def ask_gate(asked: Asked, repository: Repository, fetch: Fetch | None = None) -> Decision:
    """The decision. `fetch` brings documents that a service keeps of these changes. Raises InputError for a revision
    or a file that is not there; what cannot be told of the deployment itself holds it."""
    revision = repository.resolve(asked.to)
    branch = repository.resolve(asked.branch or _protected(repository))
    deployments = read_deployments(asked.deployments or file_of(repository))
    previous = repository.resolve(asked.since) if asked.since else _running(asked, deployments or ())
    now = datetime.fromisoformat(asked.now).timestamp()
    document = read_rollout(repository, branch)
    loaded = read_settings(repository, branch, asked.environ)
    policy = read_policy(repository, branch, loaded)
    joined = join(repository, previous, revision)
    changes = joined if isinstance(joined, Unjoined) else _changes(asked, repository, joined, policy, fetch)
    situation = Situation(
        settings=loaded.settings,
        approvals=_approvals(asked.approvals),
        deployments=deployments,
        budget=_budget(asked, document, now),
    )
    question = Question(
        environment=asked.environment,
        service=asked.service,
        revision=revision,
        previous=previous,
        actor=asked.actor,
        share=asked.share,
    )
    return gate(question, changes, document, now, situation)


# Private


def _protected(repository: Repository) -> str:
    """The branch that is protected as far as a clone can tell: the remote's default, else the usual names."""
    branches = read_branches(repository)
    if branches.remote and branches.default:
        return f"refs/remotes/{branches.remote}/{branches.default}"
    for name in (f"refs/remotes/{branches.remote}/main", "refs/heads/main", "refs/heads/master"):
        if repository.exists(name):
            return name
    raise InputError("nobody says which branch is protected", where=str(repository.path), mend="say --branch NAME")


def _running(asked: Asked, deployments: Sequence[Deployment]) -> str:
    """The revision that ran last in this environment, "" where nobody knows."""
    here = [
        one
        for one in deployments
        if (one.environment, one.service) == (asked.environment, asked.service) and one.status == "succeeded"
    ]
    last = max(here, key=lambda one: (one.started, one.id), default=None)
    return last.revision if last is not None and last.action != "remove" else ""


def _changes(asked: Asked, repository: Repository, joined: Joined, policy: Policy, fetch: Fetch | None) -> Changes:
    kept = [*(read_folder(asked.checks) if asked.checks else ()), *(fetch(joined.comes) if fetch else ())]
    left = [asked.most]

    def collect(landed: Landed) -> Kept | None:
        if left[0] <= 0:
            return None
        left[0] -= 1
        named = f"{landed.parents[0]}..{landed.commit}" if landed.parents else landed.commit
        request = Request(question=Change(change=named), stage="deploy", now=asked.now, environment=asked.environ)
        try:
            return kept_of(assess(request, repository).facts)
        except GitError:
            return None

    def is_plain(landed: Landed) -> bool:
        if len(landed.parents) != 2:
            return False
        return repository.merge_trees(landed.parents[0], landed.parents[1]) == landed.tree

    return make_changes(joined, kept, policy, Ways(collect, is_plain))


class _Approval(Struct, frozen=True, forbid_unknown_fields=True):
    by: str
    at: datetime
    expires: datetime
    revision: str
    environment: str
    service: str = ""


def _approvals(path: Path | None) -> tuple[Approval, ...]:
    if path is None:
        return ()
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        found = msgspec.json.decode(content[:LARGEST_BYTES], type=list[_Approval])
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), mend="name another") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"this is no list of approvals: {error}", where=str(path), mend="docs/gates.md") from error
    if any(one.at.tzinfo is None or one.expires.tzinfo is None for one in found):
        raise InputError("a moment has no time zone", where=str(path), mend="write it like 2026-05-01T12:00:00Z")
    return tuple(
        Approval(
            by=one.by,
            at=one.at.astimezone(UTC).timestamp(),
            expires=one.expires.astimezone(UTC).timestamp(),
            revision=one.revision,
            environment=one.environment,
            service=one.service,
        )
        for one in found
    )


def _budget(asked: Asked, document: Rollout | Unreadable, now: float) -> Budget | None:
    """What is left of the error budget, by the query of the document; None where none is asked for."""
    environment = document.environments.get(asked.environment) if isinstance(document, Rollout) else None
    if environment is None or environment.error_budget is None:
        return None
    if not asked.prometheus:
        return Budget(problem="nobody said where Prometheus is: --prometheus URL")
    try:
        samples = ask_prometheus(asked.prometheus, environment.error_budget.query, BUDGET_SECONDS)
    except InputError as error:
        return Budget(problem=str(error))
    if len(samples) != 1:
        return Budget(problem=f"the query gives {len(samples)} series, not one")
    return Budget(left=samples[0].value, at=now)
