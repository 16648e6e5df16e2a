"""Grants and holders in the words of a review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidegate.infra.graph import Uses
from tidegate.infra.iam.documents import Document, Statement
from tidegate.infra.iam.policy import Grant

RUNS = (
    "aws_lambda_function", "aws_ecs_task_definition", "aws_ecs_service", "aws_iam_instance_profile", "aws_instance",
    "aws_launch_template", "aws_eks_cluster", "aws_eks_node_group", "aws_eks_pod_identity_association",
    "aws_codebuild_project", "aws_sfn_state_machine", "aws_glue_job", "aws_apprunner_service",
    "aws_batch_job_definition", "aws_sagemaker_notebook_instance", "aws_scheduler_schedule", "aws_autoscaling_group",
)  # fmt: skip
"""What runs with a role."""


def shown(grant: Grant) -> str:
    """A grant as `s3:GetObject, s3:PutObject on arn:aws:s3:::b/*, only if StringEquals aws:SourceVpc vpc-1`."""
    actions = listed(_readable(one) for one in grant.actions)
    if grant.all_but:
        actions = f"everything but {actions} (NotAction)"
    resources = listed((short(one) for one in grant.resources), most=2)
    if grant.other_resources:
        resources = f"everything but {resources} (NotResource)"
    text = actions if _readable(grant.actions[0]) != grant.actions[0] else f"{actions} on {resources}"
    if grant.conditions:
        text += f", only if {' and '.join(str(one) for one in grant.conditions[:2])}"
    return text


def all_shown(grants: Sequence[Grant], most: int = 3) -> str:
    """Several grants, the first few of them in full."""
    text = "; ".join(shown(one) for one in grants[:most])
    return f"{text}; and {len(grants) - most} more" if len(grants) > most else text


def was(grants: Iterable[Grant], before: Document) -> str:
    """What was allowed before in the services of these grants."""
    services = {action.split(":", 1)[0].lower() for one in grants for action in one.actions}
    whole = "*" in services or any(one.all_but for one in grants)
    found = [
        statement_shown(one)
        for one in before.statements
        if one.allows and (whole or one.not_actions or _in(one, services))
    ]
    if not found:
        return "nothing" if whole or not before.statements else f"nothing of {listed(sorted(services))}"
    return "; ".join(found[:2]) + (f"; and {len(found) - 2} more" if len(found) > 2 else "")


def statement_shown(one: Statement) -> str:
    """A statement as a grant reads."""
    return shown(
        Grant(
            principal="",
            actions=one.named,
            resources=one.resources,
            conditions=one.conditions,
            all_but=one.not_actions,
            other_resources=one.not_resources,
        )
    )


def listed(names: Iterable[str], most: int = 4) -> str:
    """The first of these names, and how many more there are."""
    found = list(dict.fromkeys(names))
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


def runners(holder: str, uses: Uses) -> tuple[str, ...]:
    """What runs with a role, directly or through an instance profile."""
    found = [use.user for use in uses.users(holder)]
    found += [use.user for one in found if "aws_iam_instance_profile." in one for use in uses.users(one)]
    kept = [
        one for one in found if any(f"{type_}." in one for type_ in RUNS) and "aws_iam_instance_profile." not in one
    ]
    return tuple(dict.fromkeys(kept))


def and_(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


# Private


def _readable(action: str) -> str:
    return f"the policy {short(action.removeprefix('policy/'))}" if action.startswith("policy/") else short(action)


def _in(statement: Statement, services: set[str]) -> bool:
    return any(one.split(":", 1)[0] in services or one == "*" for one in statement.actions)
