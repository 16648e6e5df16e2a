"""Who asks the collectors: each behind its fence, in the order in which they read each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from tidegate.change.collect import collect_change
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.change.read import Ends, Question, read_change, read_ends
from tidegate.change.trees import Tree
from tidegate.change.values import Change, Context
from tidegate.errors import InputError
from tidegate.facts import (
    Actor,
    ChangeFacts,
    Facts,
    History,
    Infra,
    ProvenanceFacts,
    Reach,
    Risk,
    Section,
    Unknown,
    Verification,
)
from tidegate.infra.collect import Beside, judge_change
from tidegate.infra.collect import collect as collect_infra
from tidegate.infra.judge import Judgement
from tidegate.provenance.collect import collect as collect_provenance
from tidegate.reach.answer import Service
from tidegate.reach.collect import collect as collect_reach
from tidegate.risk.collect import Read
from tidegate.risk.collect import collect as collect_risk
from tidegate.verify.collect import collect as collect_verification

S = TypeVar("S", bound=Section)

NOT_ASKED = "it was not asked (--no-reach)"


class Collected(NamedTuple):
    """The sections that are written of a change and its past."""

    change: ChangeFacts
    provenance: ProvenanceFacts
    reach: Reach
    infra: Infra
    verification: Verification
    risk: Risk
    history: History


def collect(change: Change, context: Context, *, reach: bool = True, verification: bool = True) -> Collected:
    """What the collectors write of a change. Without `reach`, which takes longest, it is unknown, and so is the impact;
    `verification` is read by no other of them.

    A collector that fails leaves its section unknown; bad input raises InputError.
    """
    what = collect_change(change, context)
    provenance = _fenced(collect_provenance, change, context, ProvenanceFacts)
    far = _fenced(collect_reach, change, context, Reach) if reach else _not_asked()
    infra = _fenced(partial(collect_infra, beside=_beside(context, provenance)), change, context, Infra)
    verified = _fenced(collect_verification, change, context, Verification) if verification else Verification()
    risk, history = _risk(change, context, Read(what, provenance, far, infra))
    return Collected(what, provenance, far, infra, verified, risk, history)


def collect_for_risk(
    question: Question,
    repository: Repository,
    now: str,
    environment: Mapping[str, str],
    *,
    config: Path | None = None,
    reach: bool = True,
) -> Facts:
    """The facts that the risk of a change is told by, without the rules and the reviews that nobody asks for there.

    `now` is RFC 3339 in UTC. `config` is a settings file in the place of those at the base of the change.
    """
    ends = read_ends(question, repository)
    with helped(config, ends):
        settings = read_settings(repository, ends.policy_at, environment, override=config).settings
    change = read_change(ends, repository, settings)
    found = collect(change, Context(repository=repository, settings=settings, now=now), reach=reach, verification=False)
    return Facts(now=now, **found._asdict())


def collect_for_infra(
    question: Question,
    repository: Repository,
    now: str,
    environment: Mapping[str, str],
    *,
    plans: tuple[Path, ...] = (),
    config: Path | None = None,
    actor: Actor | None = None,
) -> tuple[Judgement, Infra]:
    """What a change does to infrastructure, with the worlds that it was read from. `actor` overrules provenance."""
    ends = read_ends(question, repository)
    with helped(config, ends):
        settings = read_settings(repository, ends.policy_at, environment, override=config).settings
    change = read_change(ends, repository, settings)
    context = Context(repository=repository, settings=settings, now=now, plans=plans)
    provenance = _fenced(collect_provenance, change, context, ProvenanceFacts)
    return judge_change(change, context, _beside(context, provenance, actor))


class Reports(NamedTuple):
    """Reports of tests and scanners of a change, as its caller vouches."""

    coverage: tuple[Path, ...] = ()
    junit: tuple[Path, ...] = ()
    sarif: tuple[Path, ...] = ()
    mutation: tuple[Path, ...] = ()


def collect_for_verification(
    question: Question,
    repository: Repository,
    now: str,
    environment: Mapping[str, str],
    *,
    reports: Reports = Reports(),  # noqa: B008 an immutable value
    config: Path | None = None,
) -> Facts:
    """What was verified of a change and what it leaves behind, without the rest of a check."""
    ends = read_ends(question, repository)
    with helped(config, ends):
        settings = read_settings(repository, ends.policy_at, environment, override=config).settings
    change = read_change(ends, repository, settings)
    context = Context(repository=repository, settings=settings, now=now, **reports._asdict())
    verified = _fenced(collect_verification, change, context, Verification)
    return Facts(now=now, change=collect_change(change, context), verification=verified)


@contextmanager
def helped(config: Path | None, ends: Ends) -> Iterator[None]:
    """A fault in what is read at the base also says how the change that mends it is judged."""
    try:
        yield
    except InputError as error:
        if config is not None or not ends.policy_at or error.where.startswith("environment"):
            raise
        mend = f"{error.mend}; the change that mends it is judged with --config FILE"
        raise InputError(error.what, where=error.where, mend=mend) from error


# Private


def _beside(context: Context, provenance: ProvenanceFacts, actor: Actor | None = None) -> Beside:
    """What infrastructure reads of others: whose hand is on the change, and which services the repository runs."""

    def services(tree: Tree) -> tuple[Service, ...]:
        from tidegate.change.codeowners import NO_OWNERS  # both load much that most changes do without
        from tidegate.reach.services import read_services

        owners = context.owners if context.owners is not None and not isinstance(context.owners, Unknown) else NO_OWNERS
        return read_services(tree.paths(), tree.read, owners)

    return Beside(provenance, services, actor)


def _not_asked() -> Reach:
    return Reach(status="unknown", unknowns=(Unknown("reach", NOT_ASKED),))


def _fenced(collect: Callable[[Change, Context], S], change: Change, context: Context, section: type[S]) -> S:
    """A collector's section, or an unknown one where the collector failed by itself: a fault never reads as safe."""
    try:
        return collect(change, context)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 the fence around a collector
        return _failed(section, section.__name__.removesuffix("Facts").lower(), error)


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
