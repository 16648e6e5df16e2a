"""GitHub workflows and composite actions as values: what starts them, what their token may do, what their jobs run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.infra.pipelines.shell import Command, commands, deploys
from tidegate.infra.pipelines.supply import action_of
from tidegate.infra.pipelines.texts import Text, mapping, words_of
from tidegate.infra.values import Value

Level: TypeAlias = Literal[0, 1, 2]
"""What a token may do: nothing, read, write."""

MOST_COMPARED = 2_500
"""Pairs of jobs that went and came which are compared by their steps."""
ALL = "*"
"""The scope that stands for all of them: `write-all`, `read-all`."""
PUBLIC = frozenset(
    ("pull_request", "pull_request_target", "issue_comment", "issues", "discussion", "discussion_comment")
)
"""Events that anybody can start in a public repository."""
PRIVILEGED = frozenset(
    ("pull_request_target", "workflow_run", "issue_comment", "issues", "discussion", "discussion_comment")
)
"""Events that others can start and that run with the repository's own rights and secrets."""


class Step(Struct, frozen=True):
    """One step. `key` names it over both sides of a change, without the version of its action."""

    key: str
    uses: str = ""
    run: str = ""
    condition: str = ""
    tolerant: bool = False
    given: Mapping[str, Value] = {}
    env: Mapping[str, Value] = {}
    place: tuple[str | int, ...] = ()

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(commands(self.run))


class Job(Struct, frozen=True):
    """One job. `permissions` is None where it says none itself."""

    name: str
    steps: tuple[Step, ...] = ()
    permissions: Mapping[str, Level] | None = None
    environment: str = ""
    uses: str = ""
    inherits: bool = False
    secrets: tuple[str, ...] = ()
    runner: tuple[str, ...] = ()
    condition: str = ""
    tolerant: bool = False
    concurrency: bool = False
    needs: tuple[str, ...] = ()

    @property
    def deploys(self) -> bool:
        """Whether it brings something to where people use it, as far as its words show."""
        if self.environment:
            return True
        named = re.search(r"(?i)(?:^|[-_. ])(deploy|publish|release|rollout|prod(?:uction)?)(?:$|[-_. ])", self.name)
        if any(_DEPLOYING.search(step.uses) or any(deploys(one.text) for one in step.commands) for step in self.steps):
            return True
        return bool(named) and bool(self.uses)


class Workflow(Struct, frozen=True):
    """One workflow, or the steps of a composite action as one job."""

    text: Text
    name: str
    triggers: Mapping[str, Mapping[str, Value]]
    permissions: Mapping[str, Level] | None
    jobs: Mapping[str, Job]
    concurrency: bool = False
    env: Mapping[str, Value] = {}
    action: bool = False

    @property
    def path(self) -> str:
        return self.text.path

    def token(self, job: Job) -> Mapping[str, Level] | None:
        """What the job's token may do; None: what the repository's settings say, which nobody can read here."""
        return job.permissions if job.permissions is not None else self.permissions


def workflow_of(text: Text) -> Workflow | None:
    """A workflow or a composite action, None where the text is neither."""
    value = mapping(text.value)
    if isinstance(value.get("jobs"), dict):
        started = _triggers(value.get("on", value.get("true")))
        jobs = {name: _job(name, mapping(job)) for name, job in value["jobs"].items() if isinstance(job, dict)}
        return Workflow(
            text,
            str(value.get("name") or ""),
            started,
            _permissions(value.get("permissions")),
            jobs,
            "concurrency" in value,
            mapping(value.get("env")),
        )
    runs = mapping(value.get("runs"))
    if runs:
        steps = tuple(_steps(runs.get("steps"), ("runs", "steps")))
        return Workflow(text, str(value.get("name") or ""), {}, {}, {"runs": Job("runs", steps)}, action=True)
    return None


def waits_for(workflow: Workflow, job: Job) -> set[str]:
    """The jobs that must have ended well before a job begins."""
    found: set[str] = set()
    left = list(job.needs)
    while left:
        name = left.pop()
        if name not in found and name in workflow.jobs:
            found.add(name)
            left += workflow.jobs[name].needs
    return found


def level_of(token: Mapping[str, Level], scope: str) -> Level:
    """What a token may do in one scope."""
    return token.get(scope, token.get(ALL, 0))


def bare(condition: str) -> str:
    """A condition without the braces that mean nothing there, in one spelling."""
    text = condition.strip()
    if text.startswith("${{") and text.endswith("}}") and text.count("${{") == 1:
        text = text[3:-2]
    return " ".join(text.replace('"', "'").split())


def matched(before: Workflow, after: Workflow) -> Iterator[tuple[Job, Job]]:
    """The jobs that are the same on both sides: by name, then those that share most of their steps."""
    left = [job for name, job in before.jobs.items() if name not in after.jobs]
    new = [job for name, job in after.jobs.items() if name not in before.jobs]
    for name, job in before.jobs.items():
        if name in after.jobs:
            yield job, after.jobs[name]
    if len(left) * len(new) > MOST_COMPARED:
        return
    marks = {job.name: frozenset(_marks(job)) for job in (*left, *new)}
    for job in left:
        likeness = [(_alike(marks[job.name], marks[one.name]), -place) for place, one in enumerate(new)]
        best = max(likeness, default=(0.0, 0))
        if best[0] >= 0.5:
            yield job, new.pop(-best[1])


def pairs(before: Job, after: Job) -> Iterator[tuple[Step, Step]]:
    """The steps that are the same on both sides, those of one key in their order."""
    left: dict[str, list[Step]] = {}
    for step in before.steps:
        left.setdefault(step.key, []).append(step)
    for step in after.steps:
        if left.get(step.key):
            yield left[step.key].pop(0), step


# Private

_DEPLOYING = re.compile(
    r"(?i)^(pypa/gh-action-pypi-publish|actions/deploy-pages|peaceiris/actions-gh-pages|aws-actions/amazon-ecs-deploy[\w-]*"
    r"|azure/(webapps|functions|container-apps|aks|k8s)-?deploy[\w-]*|google-github-actions/deploy-[\w-]+"
    r"|softprops/action-gh-release|goreleaser/goreleaser-action|changesets/action|cloudflare/(wrangler|pages)-action"
    r"|superfly/flyctl-actions[/\w-]*|amondnet/vercel-action|firebaseextended/action-hosting-deploy"
    r"|jamesives/github-pages-deploy-action|appleboy/(ssh|scp)-action|[\w-]+/[\w-]*(deploy|publish)[\w-]*)@"
)


def _triggers(value: Value) -> Mapping[str, Mapping[str, Value]]:
    if isinstance(value, dict):
        return {
            name: mapping(inner) if not isinstance(inner, list) else {"crons": inner} for name, inner in value.items()
        }
    return {name: {} for name in words_of(value)}


def _permissions(value: Value) -> Mapping[str, Level] | None:
    if value == "write-all":
        return {ALL: 2}
    if value == "read-all":
        return {ALL: 1}
    if isinstance(value, dict):
        levels: Mapping[str, Level] = {"read": 1, "write": 2}
        return {scope: levels.get(str(level), 0) for scope, level in value.items()}
    return None


def _job(name: str, value: Mapping[str, Value]) -> Job:
    environment = value.get("environment")
    if isinstance(environment, dict):
        environment = environment.get("name")
    secrets = value.get("secrets")
    runs_on = value.get("runs-on")
    if isinstance(runs_on, dict):
        runs_on = [runs_on.get("labels"), runs_on.get("group")]
    return Job(
        name,
        tuple(_steps(value.get("steps"), ("jobs", name, "steps"))),
        _permissions(value.get("permissions")),
        str(environment or ""),
        str(value.get("uses") or ""),
        secrets == "inherit",
        tuple(sorted(mapping(secrets))),
        words_of(runs_on),
        bare(_condition(value.get("if"))),
        value.get("continue-on-error") is True,
        "concurrency" in value,
        words_of(value.get("needs")),
    )


def _condition(value: Value) -> str:
    return "" if value is None else words_of(value)[0] if words_of(value) else ""


def _steps(value: Value, path: tuple[str | int, ...]) -> Iterator[Step]:
    for place, one in enumerate(value if isinstance(value, list) else ()):
        step = mapping(one)
        uses, run = str(step.get("uses") or ""), str(step.get("run") or "")
        yield Step(
            _key(step, uses, run),
            uses,
            run,
            bare(_condition(step.get("if"))),
            step.get("continue-on-error") is True,
            mapping(step.get("with")),
            mapping(step.get("env")),
            (*path, place),
        )


def _key(step: Mapping[str, Value], uses: str, run: str) -> str:
    if uses:
        action = action_of(uses)
        return action.key if action else uses.partition("@")[0].partition(":")[0]
    for name in ("id", "name"):
        if isinstance(step.get(name), str):
            return f"{name} {step[name]}"
    first = next(iter(commands(run)), None)
    return f"run {first.text[:80]}" if first else "run"


def _alike(mine: frozenset[str], theirs: frozenset[str]) -> float:
    return len(mine & theirs) / max(1, len(mine | theirs))


def _marks(job: Job) -> Iterable[str]:
    yield from (step.key for step in job.steps)
    yield from (command.text for step in job.steps for command in step.commands)
    if job.uses:
        yield job.uses.partition("@")[0]
