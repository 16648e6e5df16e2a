"""The way of a question: the protected branch as it is now, what is known, the decision, its record, its answer.

Whatever fails on the way holds the deployment. A pass is answered only once the ledger holds it, and where witnesses
are configured only once a quorum of them saw it; until then the same decision is answered as held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tidegate import __version__
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository as Clone
from tidegate.change.git import open_repository
from tidegate.errors import InputError, TidegateError
from tidegate.facts import to_json
from tidegate.ledger.fields import Subject
from tidegate.ledger.predicates.gate import Gate as GateStatement
from tidegate.ledger.statements import Statement
from tidegate.policy.rules import read_policy
from tidegate.policy.verdict import STRICTNESS
from tidegate.reach.prometheus import ask as ask_prometheus
from tidegate.rollout.cases import Ways, make_changes
from tidegate.rollout.contracts.request import Asked
from tidegate.rollout.document import Rollout, Unreadable
from tidegate.rollout.gate import Budget, Decision, Obligation, Question, Situation, gate
from tidegate.rollout.joined import Landed, Unjoined
from tidegate.rollout.joined import join as join_changes
from tidegate.rollout.read import read_rollout
from tidegate.server.entries import append, time_of
from tidegate.server.logs import log, log_failure
from tidegate.server.mirrors import Mirrors, Wanted, open_mirrors
from tidegate.server.production.setup import read_production
from tidegate.server.rollout.about import About, about, beside_it, known_deployments
from tidegate.server.rollout.calendars import calendars_of
from tidegate.server.rollout.kept_facts import kept_facts, let_go
from tidegate.server.rollout.trust import running, words_that_count
from tidegate.server.rollout.words import approvals_in, leaves_in
from tidegate.server.service import Service
from tidegate.server.work.journey import Way, fetch, forge_of
from tidegate.server.work.record import uri_of
from tidegate.settings import Settings
from tidegate.store import gates, repositories
from tidegate.store.clock import later, moment_of
from tidegate.store.gates import Gate, NewGate

WITNESS_SECONDS = 2.0
BUDGET_SECONDS = 3.0
SAME_SECONDS = 3600.0
"""For so long the same answer to the same question is one decision."""


class Answered(Struct, frozen=True):
    """`decision` is what may be said now; `gate` the row of what was decided. They differ while a pass waits."""

    gate: Gate
    decision: Decision


def answer(
    service: Service,
    asked: Asked,
    asked_by: str,
    mirrors: Mirrors | None = None,
    *,
    only: frozenset[int] | None = None,
) -> Answered:
    """The decision on a question, recorded. Raises only where the database fails: then nothing was answered.

    `only`: the repositories that whoever asks speaks for; of every other one it is held.
    """
    now = moment_of(service.now()).timestamp()
    with service.database.read() as connection:
        meant = about(connection, asked, now)
    if only is not None and (meant.repository is None or meant.repository.id not in only):
        meant = About(replace(asked, repository=_OTHER), None)
    decision = _decide(service, meant, now, mirrors)
    kept = _put(service, meant, decision, asked_by)
    log("gate", gate=kept.id, environment=kept.environment, service=kept.service, outcome=kept.outcome)
    return Answered(kept, _released(service, kept, decision))


def put_entry(service: Service, identifier: int) -> int | None:
    """The index of the decision in the ledger; None where it is of no commit, or no repository that we know."""
    with service.database.read() as connection:
        found = gates.get(connection, identifier)
        document = gates.document(connection, identifier)
        repository = repositories.get(connection, found.repository) if found and found.repository else None
    if found is None or repository is None or not found.revision:
        return None
    if found.entry is not None:
        return found.entry
    decision = _DECISION.decode(document)
    said = GateStatement(
        repository=uri_of(repository),
        commit=found.revision,
        environment=found.environment,
        outcome=found.outcome,
        decision=hashlib.sha256(document).hexdigest(),
        tool=f"tidegate/{__version__}",
        at=time_of(found.asked_at),
        service=found.service,
        previous=found.previous,
        rules=decision.document or None,
        unmet=tuple(dict.fromkeys(one.kind for one in decision.open)),
        aside=tuple(dict.fromkeys(one.kind for one in decision.obligations if one.state == "set aside")),
    )
    subject = Subject(digest={"gitCommit": found.revision}, uri=uri_of(repository))
    entry = append(service, f"gate/{found.id}", Statement((subject,), said), found.revision)
    service.database.change(lambda connection: gates.set_entry(connection, identifier, entry))
    return entry


def withheld(decision: Decision, why: str) -> Decision:
    """A pass that cannot be answered yet."""
    waiting = Obligation(
        kind="record",
        text="the ledger holds the decision, and its witnesses saw it",
        state="unknown",
        why=why,
        next_step="ask again: it passes once they did",
    )
    return replace(decision, outcome="hold", obligations=(*decision.obligations, waiting))


# Private

_OTHER = "that this token does not speak for"
_DECISION = msgspec.json.Decoder(Decision)  # once, under the lock of the import: see `work/record._CHECK`
_NOTHING = Situation(settings=Settings())


def _decide(service: Service, meant: About, now: float, mirrors: Mirrors | None) -> Decision:
    """The decision; held with its reason where anything on the way fails."""
    asked, repository = meant.asked, meant.repository
    question = Question(
        environment=asked.environment,
        service=asked.service,
        revision=asked.revision,
        previous=asked.previous,
        actor=asked.actor,
        share=asked.share,
    )
    if repository is None:
        why = f"nobody knows the repository {asked.repository}" if asked.repository else "nobody says which repository"
        return _held(question, now, "other-repository", why, "name it as the service does: OWNER/NAME")
    if not asked.revision:
        why = "nobody says which revision is to run, and no deployment to it is under way"
        return _held(question, now, "no-revision", why, "send its whole commit, or report: tidegate deploy start")
    try:
        way = Way(service, mirrors or open_mirrors(service.config))
        wanted = Wanted(repository.forge, repository.slug, repository.main, 0, asked.revision)
        brought = fetch(way, wanted, forge_of(service, repository).clone(repository.slug))
        with open_repository(brought.path, bare=True) as clone:
            return _judge(service, meant, question, now, (clone, brought.tip))
    except (TidegateError, OSError) as error:  # the forge, the mirror, the disk: what was not read is not known
        log_failure(error, "gate")
        why = f"the repository cannot be read now: {error.what if isinstance(error, TidegateError) else 'the disk'}"
        return _held(question, now, "unreadable", why, "ask again")


def _judge(service: Service, meant: About, question: Question, now: float, read: tuple[Clone, str]) -> Decision:
    """With the protected branch at its tip. InputError where its rules cannot be read."""
    clone, tip = read
    repository, asked = meant.repository, meant.asked
    assert repository is not None  # noqa: S101 asked before
    document = read_rollout(clone, tip, calendars_of(service))
    loaded = read_settings(clone, tip, {})
    policy = read_policy(clone, tip, loaded)
    budget = _budget(service, asked, document, now)
    with service.database.read() as connection:
        known = known_deployments(connection, meant, document, words_that_count(service, document, asked.environment))
        here = running([one for one in known if one.environment == asked.environment])
        beside = () if here.told else beside_it(connection, meant)
        situation = Situation(
            settings=loaded.settings,
            approvals=approvals_in(connection, loaded.settings, repository, asked, now),
            leaves=leaves_in(connection, loaded.settings, repository, asked, now),
            deployments=known,
            budget=budget,
            hearsay=f"only who may tell anything says what runs in {asked.environment}" if here.hearsay else "",
        )

    def over(previous: str) -> Decision:
        joined = join_changes(clone, previous, asked.revision)
        put = replace(question, previous=previous)
        if isinstance(joined, Unjoined):
            return gate(put, joined, document, now, situation)
        with service.database.read() as connection:
            facts = kept_facts(connection, repository.id, joined.comes)
        cases = make_changes(joined, [one.kept for one in facts.values()], policy, Ways(lambda _: None, _plain(clone)))
        return gate(put, let_go(service, cases, facts), document, now, situation)

    # What others tell of what runs there makes the answer stricter, and never anything else.
    # A service that nobody told of may be one that has just been made up: it is judged over what its repository runs.
    ways = [over(previous) for previous in dict.fromkeys((here.believed or asked.previous, asked.previous, *beside))]
    return max(ways, key=lambda decision: STRICTNESS[decision.outcome])


def _plain(clone: Clone) -> Callable[[Landed], bool]:
    def is_plain(landed: Landed) -> bool:
        return len(landed.parents) == 2 and clone.merge_trees(landed.parents[0], landed.parents[1]) == landed.tree

    return is_plain


def _held(question: Question, now: float, kind: str, why: str, mend: str) -> Decision:
    unjoined = msgspec.convert({"kind": kind, "why": why, "mend": mend}, Unjoined)
    return gate(question, unjoined, Unreadable(why, mend), now, _NOTHING)


def _budget(service: Service, asked: Asked, document: Rollout | Unreadable, now: float) -> Budget | None:
    """What is left of the error budget, asked of the Prometheus of this service and of no other."""
    environment = document.environments.get(asked.environment) if isinstance(document, Rollout) else None
    if environment is None or environment.error_budget is None:
        return None
    if service.config.production is None:
        return Budget(problem="this service measures no production: TIDEGATE_PRODUCTION_FILE")
    try:
        url = read_production(service.config.production).prometheus
        samples = ask_prometheus(url, environment.error_budget.query, BUDGET_SECONDS)
    except InputError as error:
        return Budget(problem=error.what)
    if len(samples) != 1:
        return Budget(problem=f"the query gives {len(samples)} series, not one")
    return Budget(left=samples[0].value, at=now)


def _put(service: Service, meant: About, decision: Decision, asked_by: str) -> Gate:
    asked, repository = meant.asked, meant.repository
    previous = decision.question.previous
    question = replace(asked, key="", callback="", previous=previous)
    new = NewGate(
        question=_digest((question, asked_by, repository.id if repository is not None else None)),
        answer=_digest((decision.outcome, decision.document, _states(decision))),
        sender=asked.sender,
        environment=_words(asked.environment),
        service=_words(asked.service),
        repository=repository.id if repository is not None else None,
        revision=asked.revision,
        previous=previous,
        share=asked.share,
        outcome=decision.outcome,
        document=to_json(decision),
        asked_by=_words(asked_by),
    )
    now = service.now()
    return service.database.change(
        lambda connection: gates.put(connection, new, now, not_before=later(now, -SAME_SECONDS))
    )


def _released(service: Service, kept: Gate, decision: Decision) -> Decision:
    """The decision where it may be answered; a pass that is not on record yet is held."""
    entry = None
    try:
        entry = put_entry(service, kept.id)
        if decision.outcome != "pass" or (entry is not None and service.log.wait_witnessed(entry, WITNESS_SECONDS)):
            return decision
        why = "no quorum of witnesses saw it yet" if entry is not None else "it is of nothing that can be recorded"
    except (TidegateError, DBAPIError, PoolTimeoutError) as error:
        log_failure(error, f"gate {kept.id}")
        if decision.outcome != "pass":
            return decision
        why = "it could not be recorded"
    return withheld(decision, why)


def _states(decision: Decision) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.text, one.state, one.effect) for one in decision.obligations]


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()


def _words(text: str) -> str:
    """What a column can keep."""
    return text[:500].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
