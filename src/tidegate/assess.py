"""The whole pre-merge path on one page: change -> facts -> verdict. Read this first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from tidegate.change.collect import collect_change, collect_repository
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.change.read import Ends, Question, read_change, read_ends
from tidegate.change.reviews import collect_reviews
from tidegate.change.values import Change, Context
from tidegate.errors import InputError
from tidegate.facts import Facts, History, Infra, ProvenanceFacts, Reach, Risk, Section, Unknown
from tidegate.policy.decide import decide
from tidegate.policy.rules import Policy, read_policy
from tidegate.policy.verdict import Stage, Verdict
from tidegate.provenance.collect import collect as collect_provenance
from tidegate.reach.collect import collect as collect_reach
from tidegate.risk.collect import Read
from tidegate.risk.collect import collect as collect_risk

S = TypeVar("S", bound=Section)


class Request(Struct, frozen=True):
    """What a person or a machine asks of a change.

    Without a `stage` it is the one that comes next: commit for a staged tree, else merge.
    `now` is RFC 3339 in UTC. `config` is a settings file that the caller puts in the place of the base's. `reviews` is
    the forge's JSON; `transcripts` are session transcripts that the caller vouches to be of this change.
    """

    question: Question
    stage: Stage | None
    now: str
    environment: Mapping[str, str]
    config: Path | None = None
    reviews: Path | None = None
    transcripts: tuple[Path, ...] = ()


class Assessment(Struct, frozen=True):
    """The facts of a change and the verdict on them."""

    facts: Facts
    verdict: Verdict


def assess(request: Request, repository: Repository | None) -> Assessment:
    """What is known of a change, and what must still be true before it may pass.

    Settings and policy are read from the base of the change, never from the change itself. A collector that fails
    leaves its section unknown; bad input raises InputError.
    """
    policy, facts = collect_facts(request, repository)
    stage: Stage = request.stage or ("commit" if facts.change.kind == "staged" else "merge")
    return Assessment(facts, decide(policy, facts, stage))


def collect_facts(request: Request, repository: Repository | None) -> tuple[Policy, Facts]:
    """The policy at the base of a change, and everything that is known of the change."""
    ends = read_ends(request.question, repository)
    policy = _read_policy(request, repository, ends)
    change = read_change(ends, repository, policy.settings)
    context = Context(
        repository=repository,
        settings=policy.settings,
        now=request.now,
        reviews=request.reviews,
        transcripts=request.transcripts,
        owners=policy.owners,
    )
    what = collect_change(change, context)
    provenance = _fenced(collect_provenance, change, context, ProvenanceFacts)
    reach = _fenced(collect_reach, change, context, Reach)
    risk, history = _risk(change, context, Read(what, provenance, reach, Infra()))
    facts = Facts(
        now=request.now,
        repository=collect_repository(change, context),
        change=what,
        provenance=provenance,
        reach=reach,
        review=collect_reviews(change, context),
        risk=risk,
        history=history,
    )
    return policy, facts


def _read_policy(request: Request, repository: Repository | None, ends: Ends) -> Policy:
    """The policy of the base, with its settings. A fault in it says how the change that mends it is judged."""
    try:
        loaded = read_settings(repository, ends.policy_at, request.environment, override=request.config)
        return read_policy(repository, ends.policy_at, loaded)
    except InputError as error:
        if request.config is not None or not ends.policy_at or error.where.startswith("environment"):
            raise
        mend = f"{error.mend}; the change that mends it is judged with --config FILE"
        raise InputError(error.what, where=error.where, mend=mend) from error


def _fenced(collect: Callable[[Change, Context], S], change: Change, context: Context, section: type[S]) -> S:
    """A collector's section, or an unknown one where the collector failed by itself: a fault never reads as safe."""
    try:
        return collect(change, context)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 the fence around a collector
        return _failed(section, collect.__module__.split(".")[1], error)


def _risk(change: Change, context: Context, read: Read) -> tuple[Risk, History]:
    """The two sections that are computed from the others, behind the same fence."""
    try:
        return collect_risk(change, context, read)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 the fence around a collector
        return _failed(Risk, "risk", error), _failed(History, "history", error)


def _failed(section: type[S], name: str, error: Exception) -> S:
    reason = f"the collector failed ({type(error).__name__}: {error})"
    return section(status="unknown", unknowns=(Unknown(path=name, reason=reason),))
