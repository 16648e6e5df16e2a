"""Known ways in AWS from some rights to any rights. Each is a set of actions that must be allowed together.

Sources: Rhino Security Labs' list of 2018 and its later additions, policy_sentry's list of escalating actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from tidegate.infra.iam.documents import Document, Statement
from tidegate.infra.iam.globs import covered, covers, meets
from tidegate.infra.iam.grade import breadth

HAND_OVER = "iam:PassRole"


class Path(Struct, frozen=True):
    """One way. All of `actions` are needed; `service` is what the role is handed to, where one is."""

    name: str
    actions: tuple[str, ...]
    service: str = ""


def _passes(service: str, *actions: str) -> Path:
    return Path(f"hands a role to {service.split('.')[0]} and runs it", (HAND_OVER, *actions), service)


PATHS: tuple[Path, ...] = (
    _passes("lambda.amazonaws.com", "lambda:CreateFunction", "lambda:InvokeFunction"),
    _passes("lambda.amazonaws.com", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    _passes("lambda.amazonaws.com", "lambda:CreateFunction", "lambda:AddPermission"),
    _passes("lambda.amazonaws.com", "lambda:CreateFunction", "lambda:CreateFunctionUrlConfig"),
    _passes("lambda.amazonaws.com", "lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionCode"),
    _passes("ec2.amazonaws.com", "ec2:RunInstances"),
    _passes("ec2.amazonaws.com", "ec2:AssociateIamInstanceProfile"),
    _passes("ec2.amazonaws.com", "autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"),
    _passes("cloudformation.amazonaws.com", "cloudformation:CreateStack"),
    _passes("cloudformation.amazonaws.com", "cloudformation:UpdateStack"),
    _passes("cloudformation.amazonaws.com", "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
    _passes("cloudformation.amazonaws.com", "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"),
    _passes("glue.amazonaws.com", "glue:CreateDevEndpoint"),
    _passes("glue.amazonaws.com", "glue:CreateJob", "glue:StartJobRun"),
    _passes("glue.amazonaws.com", "glue:UpdateJob", "glue:StartJobRun"),
    _passes("glue.amazonaws.com", "glue:CreateSession", "glue:RunStatement"),
    _passes("ecs-tasks.amazonaws.com", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    _passes("ecs-tasks.amazonaws.com", "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    _passes("ecs-tasks.amazonaws.com", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    _passes("ecs-tasks.amazonaws.com", "ecs:RegisterTaskDefinition", "ecs:UpdateService"),
    _passes("sagemaker.amazonaws.com", "sagemaker:CreateNotebookInstance"),
    _passes("sagemaker.amazonaws.com", "sagemaker:CreateTrainingJob"),
    _passes("sagemaker.amazonaws.com", "sagemaker:CreateProcessingJob"),
    _passes("datapipeline.amazonaws.com", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
    _passes("codebuild.amazonaws.com", "codebuild:CreateProject", "codebuild:StartBuild"),
    _passes("codebuild.amazonaws.com", "codebuild:UpdateProject", "codebuild:StartBuild"),
    _passes("codestar.amazonaws.com", "codestar:CreateProject"),
    _passes("states.amazonaws.com", "states:CreateStateMachine", "states:StartExecution"),
    _passes("scheduler.amazonaws.com", "scheduler:CreateSchedule"),
    _passes("batch.amazonaws.com", "batch:RegisterJobDefinition", "batch:SubmitJob"),
    _passes("elasticmapreduce.amazonaws.com", "elasticmapreduce:RunJobFlow"),
    _passes("apprunner.amazonaws.com", "apprunner:CreateService"),
    _passes("ssm.amazonaws.com", "ssm:StartAutomationExecution"),
    _passes("bedrock-agentcore.amazonaws.com", "bedrock-agentcore:CreateCodeInterpreter"),
    Path("writes a new version of a policy", ("iam:CreatePolicyVersion",)),
    Path("makes an older version of a policy the one that counts", ("iam:SetDefaultPolicyVersion",)),
    Path("attaches policies to users", ("iam:AttachUserPolicy",)),
    Path("attaches policies to groups", ("iam:AttachGroupPolicy",)),
    Path("attaches policies to roles", ("iam:AttachRolePolicy",)),
    Path("writes policies into users", ("iam:PutUserPolicy",)),
    Path("writes policies into groups", ("iam:PutGroupPolicy",)),
    Path("writes policies into roles", ("iam:PutRolePolicy",)),
    Path("takes permissions boundaries off roles", ("iam:DeleteRolePermissionsBoundary",)),
    Path("takes permissions boundaries off users", ("iam:DeleteUserPermissionsBoundary",)),
    Path("puts users into groups", ("iam:AddUserToGroup",)),
    Path("lets itself assume roles", ("iam:UpdateAssumeRolePolicy",)),
    Path("makes access keys of other users", ("iam:CreateAccessKey",)),
    Path("gives other users a password", ("iam:CreateLoginProfile",)),
    Path("changes the password of other users", ("iam:UpdateLoginProfile",)),
    Path("assumes roles", ("sts:AssumeRole",)),
    Path("changes the code of functions that have a role", ("lambda:UpdateFunctionCode",)),
    Path("runs commands on machines that have a role", ("ssm:SendCommand",)),
    Path("opens shells on machines that have a role", ("ssm:StartSession",)),
    Path("changes stacks that have a role", ("cloudformation:SetStackPolicy", "cloudformation:UpdateStack")),
    Path("runs commands in tasks that have a role", ("ecs:ExecuteCommand",)),
    Path("changes who a cluster's administrators are", ("eks:CreateAccessEntry", "eks:AssociateAccessPolicy")),
    Path("gives an SSO permission set more rights", ("sso:PutInlinePolicyToPermissionSet",)),
    Path("attaches policies to an SSO permission set", ("sso:AttachManagedPolicyToPermissionSet",)),
)  # fmt: skip


_NAMES = tuple(sorted({name for path in PATHS for name in path.actions}))


class Escalation(Struct, frozen=True):
    """A path that is open. `pattern` is "" where it reaches every role, user or machine, else the prefix."""

    path: Path
    pattern: str = ""
    conditions: tuple[str, ...] = ()


def escalations(document: Document) -> tuple[Escalation, ...]:
    """The paths that a document opens to more than one named role, user or machine."""
    allowing = {
        name: [one for one in document.statements if one.allows and _allows(one, name.lower())] for name in _NAMES
    }
    if not any(allowing.values()):
        return ()
    found = (_open(path, document, allowing) for path in PATHS)
    return tuple(one for one in found if one is not None)


def opened(before: Document, after: Document) -> tuple[Escalation, ...]:
    """The paths that are open after and were not before, or to fewer."""
    already = {(one.path.actions, one.pattern): one for one in escalations(before)}
    found = []
    for one in escalations(after):
        known = already.get((one.path.actions, one.pattern)) or already.get((one.path.actions, ""))
        if known is None or (known.conditions and not one.conditions):
            found.append(one)
    return tuple(found)


# Private


def _open(path: Path, document: Document, allowing: Mapping[str, list[Statement]]) -> Escalation | None:
    reached = []
    for name in path.actions:
        grants = allowing[name]
        if name == HAND_OVER:
            grants = [one for one in grants if _handed(one, path.service)]
        scopes = [scope for one in grants for scope in _scopes(one, name, document.statements)]
        if not scopes:
            return None
        reached.append(min(scopes, key=lambda one: (("all", "some", "one").index(one[0]), bool(one[2]), one[1])))
    kind, pattern, conditions = reached[0]
    if kind == "one":
        return None
    return Escalation(path, "" if kind == "all" else pattern, conditions)


@lru_cache(maxsize=2048)
def _named(actions: tuple[str, ...], not_actions: bool) -> tuple[str, ...]:
    """The actions of all paths that these allow."""
    return tuple(name for name in _NAMES if covered(name.lower(), actions) is not not_actions)


def _allows(statement: Statement, name: str) -> bool:
    if statement.not_actions:
        return not covered(name, statement.actions)
    return covered(name, statement.actions)


def _handed(statement: Statement, service: str) -> bool:
    for one in statement.conditions:
        if one.key == "iam:passedtoservice" and one.positive and not any(meets(value, service) for value in one.values):
            return False
    return True


def _scopes(
    statement: Statement, name: str, statements: Sequence[Statement]
) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    conditions = tuple(str(one) for one in statement.conditions if one.key != "iam:passedtoservice")
    resources = ("*",) if statement.not_resources else statement.resources
    for resource in resources:
        if not _denied(resource, name.lower(), statements):
            yield breadth(resource), resource, conditions


def _denied(resource: str, name: str, statements: Sequence[Statement]) -> bool:
    return any(
        not one.allows
        and not one.conditions
        and _allows(one, name)
        and not one.not_resources
        and any(covers(wide, resource) for wide in one.resources)
        for one in statements
    )
