"""Keeps a decision: first its row, once for its key; then what the ledger says of it, made from that row alone.

A worker that dies between the two leaves a row without an entry: whoever finds it makes the same entry of it.
"""

from __future__ import annotations

import hashlib
import re

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate import __version__
from tidegate.errors import InternalError
from tidegate.ledger.fields import Annotations, Resource, Subject
from tidegate.ledger.predicates.assessment import Assessment as AssessmentStatement
from tidegate.ledger.predicates.vsa import VerificationSummary, Verifier
from tidegate.ledger.statements import Statement
from tidegate.policy.verdict import Verdict
from tidegate.report.document import Check
from tidegate.server.entries import append, time_of
from tidegate.server.service import Service
from tidegate.server.work.analysis import Analysis
from tidegate.server.work.naming import Naming
from tidegate.server.work.noticed import put_clicks, put_policy_change
from tidegate.server.work.questions import follows, is_last
from tidegate.server.work.written import put_provenance
from tidegate.store import approvals, assessments, changes, publications, repositories
from tidegate.store.assessments import Assessment, NewAssessment
from tidegate.store.changes import Change
from tidegate.store.repositories import Repository

NO_TREE = "0" * 40
"""Where a statement names the tree of a merge that conflicts."""


class Decided(Struct, frozen=True):
    """A decision that stands, or None: somebody read the change later than we did, and decides on what he saw."""

    assessment: Assessment | None
    new: bool = False


def put_decision(service: Service, change: Change, read_at: str, analysis: Analysis) -> Decided:
    """Writes the decision and what is to be said of it at the forge, in one transaction, unless it was made before."""

    def work(connection: Connection) -> Decided:
        now = changes.get(connection, change.id)
        if now is None or now.read_at > read_at:
            return Decided(None)
        last = assessments.of_change(connection, change.id, most=2)
        key = analysis.begun.key
        if is_last(key, tuple(each.key for each in last)):
            return Decided(last[0])
        if analysis.done is None:
            return Decided(None)
        if assessments.by_key(connection, key) is not None:
            key = follows(key, last[0].key)
        made = assessments.put(connection, _row(change, key, analysis), service.now())
        for kind in ("check", "comment"):
            publications.put(connection, change.id, f"{kind}:{key}", kind, service.now())
        return Decided(made.assessment, made.new)

    return service.database.change(work)


def put_entries(service: Service, assessment: Assessment) -> int:
    """The index of the decision in the ledger, which holds it from now on. Done twice, it is there once."""
    if assessment.entry is not None:
        return assessment.entry
    with service.database.read() as connection:
        change = changes.get(connection, assessment.change)
        repository = repositories.get(connection, change.repository) if change else None
        text = assessments.document(connection, assessment.id)
        signed = approvals.of_change(connection, assessment.change)
    if change is None or repository is None or text is None:
        raise InternalError("a decision lost its change", where=f"assessment {assessment.id}")
    check = read_document(text)
    target = f"refs/heads/{check.facts.change.target or change.target}"
    subject = Subject(
        digest={"gitCommit": assessment.head}, uri=uri_of(repository), annotations=Annotations(source_refs=(target,))
    )
    naming = Naming(service, repository, assessment.base)
    put_provenance(service, naming, assessment.base, check.facts)
    put_clicks(service, naming, assessment, target, check.facts)
    found = Statement((subject,), _assessment(assessment, repository, target, check.verdict))
    append(service, f"assessment:{assessment.key}", found, assessment.head)
    used = tuple(
        hashlib.sha256(each.envelope).hexdigest()
        for each in signed
        if each.at <= assessment.made_at < each.expires_at
        and (each.revoked_at is None or each.revoked_at > assessment.made_at)
    )
    summary = Statement((subject,), _summary(service, assessment, repository, used))
    entry = append(service, f"decision:{assessment.key}", summary, assessment.head)
    put_policy_change(service, naming, repository, assessment, target)
    service.database.change(lambda connection: assessments.set_entry(connection, assessment.id, entry))
    return entry


def read_document(text: bytes) -> Check:
    """The facts and the verdict as they were kept. InternalError where they are damaged."""
    try:
        return _CHECK.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InternalError("a kept assessment is damaged") from error


def uri_of(repository: Repository) -> str:
    """How statements name a repository: as approvals do."""
    from tidegate.change.approvals import repository_uri

    return repository_uri(repository.slug)


# Private

_CHECK = msgspec.json.Decoder(Check)
"""Made once, under the lock of the import: two threads that are the first to decode a type crash msgspec 0.22."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+\-]{0,127}")
_MOST_NAMES = 300


def _row(change: Change, key: str, analysis: Analysis) -> NewAssessment:
    begun, done = analysis.begun, analysis.done
    assert done is not None  # noqa: S101 asked before
    return NewAssessment(
        change=change.id,
        key=key,
        base=begun.base,
        head=begun.head or change.head,
        merge_tree=begun.merge_tree,
        policy=begun.policy,
        facts=done.facts,
        verdict=done.verdict,
        risk=done.risk,
        document=done.document,
    )


def _assessment(made: Assessment, repository: Repository, target: str, verdict: Verdict) -> AssessmentStatement:
    fired = [rule for rule in verdict.rules if rule.outcome in ("hold", "block") and rule.mode == "enforce"]
    due = {obligation.kind for rule in fired for obligation in rule.obligations if obligation.state != "met"}
    return AssessmentStatement(
        repository=uri_of(repository),
        target=target,
        base=made.base,
        head=made.head,
        merge_tree=made.merge_tree or NO_TREE,
        policy=made.policy,
        facts=made.facts,
        verdict=made.verdict,
        tool=f"tidegate/{__version__}",
        at=time_of(made.made_at),
        rules=tuple(sorted({rule.id for rule in fired if _NAME.fullmatch(rule.id)}))[:_MOST_NAMES],
        obligations=tuple(sorted(due))[:_MOST_NAMES],
        unknowns=sum(rule.state == "unknown" for rule in verdict.rules),
    )


def _summary(
    service: Service, made: Assessment, repository: Repository, approved: tuple[str, ...]
) -> VerificationSummary:
    passed = made.verdict == "pass"
    return VerificationSummary(
        verifier=Verifier(id=service.config.url, version={"tidegate": __version__}),
        time_verified=time_of(made.made_at),
        resource_uri=uri_of(repository),
        policy=Resource(uri="urn:tidegate:policy", digest={"sha256": made.policy}),
        verification_result="PASSED" if passed else "FAILED",
        verified_levels=("ORG_SOURCE_TIDEGATE_GATE",) if passed else ("FAILED",),
        input_attestations=tuple(Resource(digest={"sha256": digest}) for digest in approved[:256]),
        slsa_version="1.2",
    )
