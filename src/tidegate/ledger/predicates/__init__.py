"""What entries can say: one module for each kind of predicate, and the list of them. Another kind is refused.

Each module has `TYPE`, the URI of the kind, and one class. The published kinds keep their authors' URIs; ours are URNs,
because a URL would name a host that nobody promised to keep.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.ledger.fields import Predicate
from tidegate.ledger.predicates import (
    admin_action,
    approval,
    assessment,
    break_glass,
    canary,
    cause,
    deployment,
    deployment_word,
    drill,
    drill_decision,
    erasure,
    gate,
    incident,
    outcome,
    policy_change,
    provenance,
    recovery,
    revocation,
    sample_seed,
    test_result,
    vsa,
)

PREDICATES: Mapping[str, type[Predicate]] = {
    vsa.TYPE: vsa.VerificationSummary,
    test_result.TYPE: test_result.TestResult,
    provenance.TYPE: provenance.AgentProvenance,
    assessment.TYPE: assessment.Assessment,
    approval.TYPE: approval.Approval,
    revocation.TYPE: revocation.Revocation,
    deployment.TYPE: deployment.Deployment,
    gate.TYPE: gate.Gate,
    deployment_word.TYPE: deployment_word.DeploymentWord,
    canary.TYPE: canary.Canary,
    incident.TYPE: incident.Incident,
    cause.TYPE: cause.Cause,
    break_glass.TYPE: break_glass.BreakGlass,
    outcome.TYPE: outcome.Outcome,
    recovery.TYPE: recovery.Recovery,
    erasure.TYPE: erasure.Erasure,
    policy_change.TYPE: policy_change.PolicyChange,
    sample_seed.TYPE: sample_seed.SampleSeed,
    drill.TYPE: drill.Drill,
    drill_decision.TYPE: drill_decision.DrillDecision,
    admin_action.TYPE: admin_action.AdminAction,
}
