"""One statement of each kind, filled in full."""

from __future__ import annotations

from tidegate.ledger.commitments import commit
from tidegate.ledger.fields import Annotations, EntryRef, Predicate, Resource, Subject
from tidegate.ledger.predicates.admin_action import AdminAction
from tidegate.ledger.predicates.approval import Question
from tidegate.ledger.predicates.assessment import Assessment
from tidegate.ledger.predicates.break_glass import BreakGlass
from tidegate.ledger.predicates.canary import Canary
from tidegate.ledger.predicates.cause import Cause
from tidegate.ledger.predicates.deployment import Deployment
from tidegate.ledger.predicates.deployment_word import DeploymentWord
from tidegate.ledger.predicates.drill import Decided, Drill
from tidegate.ledger.predicates.drill_decision import DrillDecision
from tidegate.ledger.predicates.erasure import Erasure
from tidegate.ledger.predicates.gate import Gate
from tidegate.ledger.predicates.incident import Incident
from tidegate.ledger.predicates.outcome import Outcome
from tidegate.ledger.predicates.policy_change import PolicyChange
from tidegate.ledger.predicates.provenance import (
    AgentProvenance,
    BuildDefinition,
    Builder,
    Metadata,
    Run,
    RunDetails,
    Task,
)
from tidegate.ledger.predicates.recovery import Recovery
from tidegate.ledger.predicates.revocation import Revocation
from tidegate.ledger.predicates.sample_seed import SampleSeed
from tidegate.ledger.predicates.test_result import TestResult
from tidegate.ledger.predicates.vsa import VerificationSummary, Verifier
from tidegate.ledger.statements import Statement

REPOSITORY = "git+https://forge.example/team/shop"
BASE, HEAD, TREE = "b" * 40, "a" * 40, "c" * 40
SHA = "d" * 64
AT, LATER = "2027-01-15T08:00:00Z", "2027-01-16T08:00:00.5Z"
ANNA, BERT = "person:" + "1" * 32, "person:" + "2" * 32
WHY = commit(b"s" * 32, b"because")
ENTRY = EntryRef(index=7, leaf=SHA)

QUESTION = Question(
    repository=REPOSITORY,
    target="refs/heads/main",
    base=BASE,
    head=HEAD,
    merge_tree=TREE,
    policy=SHA,
    facts=SHA,
    stage="merge",
    person=ANNA,
    at=AT,
    expires=LATER,
)

PREDICATES: tuple[Predicate, ...] = (
    VerificationSummary(
        verifier=Verifier(id="urn:tidegate:gate", version={"tidegate": "0.5.0"}),
        time_verified=AT,
        resource_uri=REPOSITORY,
        policy=Resource(uri="urn:tidegate:policy:shop", digest={"sha256": SHA}),
        verification_result="PASSED",
        verified_levels=("SLSA_SOURCE_LEVEL_3", "ORG_SOURCE_TESTED"),
        input_attestations=(Resource(digest={"sha256": SHA}),),
        dependency_levels={"SLSA_BUILD_LEVEL_2": 3},
        slsa_version="1.2",
    ),
    TestResult(
        result="FAILED",
        configuration=(Resource(name="ci.yml", digest={"gitBlob": HEAD}),),
        url="https://ci.example/runs/1",
        passed_tests=("test_one", "test [two]"),
        warned_tests=("test_three",),
        failed_tests=("test_four",),
    ),
    AgentProvenance(
        build_definition=BuildDefinition(
            external_parameters=Task(
                prompt=WHY,
                requester=ANNA,
                repository=REPOSITORY,
                base=Resource(digest={"gitCommit": BASE}),
            ),
            internal_parameters=Run(agent="claude-code/2.1", model="claude-opus-5", session=WHY),
            resolved_dependencies=(Resource(uri=REPOSITORY, digest={"gitCommit": BASE}),),
        ),
        run_details=RunDetails(
            builder=Builder(id="urn:tidegate:recorder"),
            metadata=Metadata(started_on=AT, finished_on=LATER, invocation_id="urn:run:1"),
            byproducts=(Resource(name="transcript", digest={"sha256": SHA}),),
        ),
    ),
    Assessment(
        repository=REPOSITORY,
        target="refs/heads/main",
        base=BASE,
        head=HEAD,
        merge_tree=TREE,
        policy=SHA,
        facts=SHA,
        verdict="hold",
        tool="tidegate/0.5.0",
        at=AT,
        rules=("agent-needs-review",),
        obligations=("approve:1",),
        unknowns=2,
    ),
    QUESTION.answered("sk-ssh", "SHA256:" + "k" * 43, WHY),
    Revocation(what="approval", person=BERT, at=AT, reason=WHY, entry=ENTRY),
    Deployment(
        repository=REPOSITORY,
        commit=HEAD,
        environment="production/eu",
        result="succeeded",
        at=AT,
        deployer=ANNA,
        run="https://ci.example/runs/2",
        decision=ENTRY,
    ),
    Gate(
        repository=REPOSITORY,
        commit=HEAD,
        environment="production/eu",
        outcome="hold",
        decision=SHA,
        tool="tidegate/0.5.0",
        at=AT,
        service="pay",
        previous=BASE,
        rules=SHA,
        unmet=("freeze",),
        aside=("bake",),
    ),
    DeploymentWord(
        repository=REPOSITORY,
        environment="production/eu",
        person=ANNA,
        through="session",
        at=AT,
        begins=AT,
        expires=LATER,
        reason=WHY,
        covers="freeze",
        commit=HEAD,
        service="pay",
        freeze="weekend",
        joins=ENTRY,
    ),
    Canary(
        repository=REPOSITORY,
        name="shop",
        environment="production/eu",
        verdict="roll-back",
        judgement=SHA,
        rules=BASE,
        tool="tidegate/0.5.0",
        at=LATER,
        begins=AT,
        ends=LATER,
        service="pay",
        commit=HEAD,
    ),
    Cause(incident="INC-7", person=ANNA, through="session", at=AT, commit=HEAD, opened=ENTRY),
    Incident(
        id="INC-7",
        state="mitigated",
        severity="high",
        repository=REPOSITORY,
        opened=AT,
        at=LATER,
        summary=WHY,
        environment="production/eu",
        causes=(HEAD,),
    ),
    BreakGlass(
        repository=REPOSITORY,
        target="refs/heads/main",
        head=HEAD,
        merge_tree=TREE,
        people=(ANNA, BERT),
        waived=("tests-must-pass",),
        reason=WHY,
        at=AT,
        expires=LATER,
    ),
    Outcome(repository=REPOSITORY, commit=HEAD, result="reverted", days=30, at=AT, evidence=(ENTRY,)),
    Recovery(
        known_size=9,
        known_root=SHA,
        restored_size=7,
        restored_root=SHA,
        people=(ANNA, BERT),
        reason=WHY,
        at=AT,
    ),
    Erasure(ground="request", count=1, at=AT, commitments=(WHY,), person=ANNA),
    AdminAction(
        action="role-changed",
        through="token",
        at=AT,
        person=ANNA,
        whom=BERT,
        before="viewer",
        role="approver",
        key="SHA256:" + "A" * 43,
        token=3,
        scopes=("settings:write",),
        repository=REPOSITORY,
        settings=SHA,
    ),
    PolicyChange(repository=REPOSITORY, after=SHA, at=AT, before="e" * 64, person=ANNA, approvals=(ENTRY,)),
    DrillDecision(
        drill="drill-3",
        commit=BASE,
        decision="rollback",
        option="free",
        person=ANNA,
        by="facilitator",
        through="session",
        at=AT,
        seconds=41,
    ),
    Drill(
        commit=BASE,
        pattern="state-lost",
        seed=3,
        scenario=SHA,
        report="e" * 64,
        half_points=13,
        most=16,
        outcome="hold",
        at=AT,
        checked=True,
        rules=("infra-destroys-data",),
        decisions=(Decided(decision="call", option="b", half_points=3, seconds=95),),
    ),
    SampleSeed(audit="soc2-2027", seed=SHA, begin="2026-01-01T00:00:00Z", end=LATER, at=AT),
)

SUBJECT = Subject(
    digest={"gitCommit": HEAD, "gitTree": TREE},
    name="shop",
    uri=REPOSITORY,
    annotations=Annotations(source_refs=("refs/heads/main",)),
)

STATEMENTS = tuple(Statement((SUBJECT,), predicate) for predicate in PREDICATES)
