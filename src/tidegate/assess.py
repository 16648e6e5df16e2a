"""The whole pre-merge path on one page: change -> facts -> verdict. Read this first.

`collectors.py` beside it says who turns a change into which section of the facts, and in which order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tidegate.change.collect import collect_repository
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.change.read import Ends, Question, read_change, read_ends
from tidegate.change.reviews import collect_reviews
from tidegate.change.values import Context
from tidegate.collectors import collect, helped
from tidegate.facts import Facts
from tidegate.policy.decide import decide
from tidegate.policy.rules import Policy, read_policy
from tidegate.policy.verdict import Stage, Verdict


class Request(Struct, frozen=True):
    """What a person or a machine asks of a change.

    Without a `stage` it is the one that comes next: commit for a staged tree, else merge.
    `now` is RFC 3339 in UTC. `config` is a settings file that the caller puts in the place of the base's. `reviews` is
    the forge's JSON; `transcripts` of sessions, `plans` of infrastructure and the reports of tests and scanners are of
    this change, as the caller vouches. `approvals` are files and folders of signed approvals, verified with the keys
    of `[people]` at the base, and with `approvers`: those that the caller's own register has, by person.
    `looks` is how closely people read it (`tidegate.looks/1`).
    """

    question: Question
    stage: Stage | None
    now: str
    environment: Mapping[str, str]
    config: Path | None = None
    reviews: Path | None = None
    transcripts: tuple[Path, ...] = ()
    plans: tuple[Path, ...] = ()
    coverage: tuple[Path, ...] = ()
    junit: tuple[Path, ...] = ()
    sarif: tuple[Path, ...] = ()
    mutation: tuple[Path, ...] = ()
    looks: Path | None = None
    approvals: tuple[Path, ...] = ()
    approvers: Mapping[str, tuple[str, ...]] = {}


class Assessment(Struct, frozen=True):
    """The facts of a change and the verdict on them."""

    facts: Facts
    verdict: Verdict


def assess(request: Request, repository: Repository | None) -> Assessment:
    """What is known of a change, and what must still be true before it may pass.

    Settings and policy are read from the base of the change, never from the change itself. A collector that fails
    leaves its section unknown; bad input raises InputError.
    """
    ends = read_ends(request.question, repository)
    policy = _read_policy(request, repository, ends)
    change = read_change(ends, repository, policy.settings)
    context = Context(
        repository=repository,
        settings=policy.settings,
        now=request.now,
        reviews=request.reviews,
        transcripts=request.transcripts,
        plans=request.plans,
        coverage=request.coverage,
        junit=request.junit,
        sarif=request.sarif,
        mutation=request.mutation,
        owners=policy.owners,
        looks=request.looks,
        approvals=request.approvals,
        approvers=request.approvers,
        onto=ends.policy_at,
    )
    facts = Facts(
        now=request.now,
        repository=collect_repository(change, context),
        review=collect_reviews(change, context),
        **collect(change, context)._asdict(),
    )
    stage: Stage = request.stage or ("commit" if change.kind == "staged" else "merge")
    return Assessment(facts, decide(policy, facts, stage))


def _read_policy(request: Request, repository: Repository | None, ends: Ends) -> Policy:
    """The policy of the base, with its settings."""
    with helped(request.config, ends):
        loaded = read_settings(repository, ends.policy_at, request.environment, override=request.config)
        return read_policy(repository, ends.policy_at, loaded)
