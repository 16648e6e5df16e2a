"""How drafts on workflows are said: who they are about, where that stands, and that it counts as production."""

from __future__ import annotations

from tidegate.facts import Certainty, EffectCode, Severity
from tidegate.infra.pipelines.github import Job, Workflow
from tidegate.infra.values import Draft, Mitigation

PRODUCTION = "production"
"""A workflow acts on the repository and on what it delivers, whatever its file is called."""


def where(workflow: Workflow, job: Job | None) -> str:
    """A job as people call it."""
    if workflow.action:
        return f"the action {workflow.path}"
    return f"job {job.name} of {workflow.path}" if job else workflow.path


def address(workflow: Workflow, job: Job | None) -> str:
    """The address of an effect on a job or on the whole workflow."""
    return f"workflow {workflow.path}" + (f" job {job.name}" if job and not workflow.action else "")


def said(
    code: EffectCode,
    severity: Severity,
    workflow: Workflow,
    job: Job | None,
    reason: str,
    *,
    back: str = "take the line back",
    certainty: Certainty = "likely",
    place: tuple[str | int, ...] = (),
    mitigations: tuple[Mitigation, ...] = (),
) -> Draft:
    """A draft on a workflow, judged as production. It can be taken back unless something already used it."""
    path = place or (("jobs", job.name) if job and not workflow.action else ())
    return Draft(
        code,
        severity,
        address(workflow, job),
        reason,
        reversible=code != "DATA_DESTROY",
        back=back,
        certainty=certainty,
        place=workflow.text.place(*path),
        environment=PRODUCTION,
        mitigations=mitigations,
    )
