"""Argo Rollouts: the `web` metric and the `job` metric of an AnalysisTemplate.

argoproj.github.io/argo-rollouts/analysis/web: the answer is JSON, read with jsonPath `{$.data}` and judged by
`successCondition: result.ok` and `failureCondition: result.failed`. Where both are false the analysis is inconclusive
and the rollout pauses: that is a hold. An answer other than 200 counts as an error of the measurement, which after
five in a row fails the analysis. A job is one run of `tidegate gate`: exit code 0 is success.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.rollout.contracts.request import Asked, Reply, oid, share, words
from tidegate.rollout.gate import Decision

SENDER = "argo-rollouts"
_KNOWN = ("environment", "service", "revision", "previous", "repository", "actor", "weight")


def read(query: Mapping[str, str]) -> Asked:
    """The question in the query of a GET. Raises InputError for a key that means nothing here."""
    for name in query:
        if name not in _KNOWN:
            raise InputError(f"{name!r:.60} means nothing here", where=SENDER, mend=f"known: {', '.join(_KNOWN)}")
    return Asked(
        sender=SENDER,
        purpose="gate",
        environment=query.get("environment", ""),
        service=query.get("service", ""),
        revision=oid(query.get("revision", "")),
        previous=oid(query.get("previous", "")),
        repository=query.get("repository", ""),
        actor=query.get("actor", ""),
        share=share(query["weight"]) if "weight" in query else None,
    )


def reply(decision: Decision) -> Reply:
    """What the metric reads."""
    data = {
        "ok": decision.outcome == "pass",
        "failed": decision.outcome == "block",
        "decision": decision.outcome,
        "reason": words(decision),
    }
    return Reply(200, to_json({"data": data}))


def refused(why: str) -> Reply:
    """The answer to a question that cannot be read: neither condition is true, so that the rollout pauses."""
    return Reply(200, to_json({"data": {"ok": False, "failed": False, "decision": "hold", "reason": why}}))


def exit_code(decision: Decision) -> int:
    """What a job ends with."""
    return 0 if decision.outcome == "pass" else 1
