"""What a workflow's token and cloud role may do, who can start it, and whose words reach its shell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.pipelines.github import ALL, PRIVILEGED, PUBLIC, Job, Level, Step, Workflow, level_of, pairs
from tidegate.infra.pipelines.saying import said, where
from tidegate.infra.values import Draft

CODE = ("contents", "packages", "actions", "id-token", "workflows")
"""Scopes of which write reaches code, packages, other workflows or a cloud."""


def token_widened(before: Workflow, after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """What a job's token may do that it could not before. What nobody wrote down is the repository's own default."""
    was, now = before.token(old), after.token(new)
    if now is None:
        if was is not None and not any(level == 2 for level in was.values()):
            text = (
                f"permissions are no longer written for {where(after, new)}: its token gets the repository's default,"
                " which may be write for everything. Keep them named."
            )
            yield said("IAM_WIDEN", "medium", after, new, text, certainty="possible")
        return
    if was is None:
        if level_of(now, ALL) == 2:
            text = (
                f"permissions: write-all for {where(after, new)}: its token may write everything. Name what it needs."
            )
            yield said("IAM_WIDEN", "medium", after, new, text, certainty="possible")
        elif level_of(now, "id-token") == 2:
            yield _widened(after, new, [("id-token", 0)], "low")
        return
    gained = [(scope, level_of(was, scope)) for scope in sorted(now) if now[scope] == 2 and level_of(was, scope) < 2]
    if gained:
        grave = any(scope in CODE or scope == ALL for scope, _ in gained)
        some = any(scope in ("pull-requests", "deployments") for scope, _ in gained)
        yield _widened(after, new, gained, "high" if grave else "medium" if some else "low")


def token_of_new(after: Workflow, new: Job) -> Iterator[Draft]:
    """A new job that says that it may write everything, or that strangers start and that may write code."""
    now = after.token(new)
    if now is None:
        return
    reached = sorted(set(after.triggers) & PRIVILEGED)
    writes = [scope for scope in sorted(now) if now[scope] == 2 and (scope in CODE or scope == ALL)]
    if level_of(now, ALL) == 2:
        text = f"The new {where(after, new)} has permissions: write-all: name what it needs."
        yield said("IAM_WIDEN", "medium", after, new, text)
    elif writes and reached:
        text = (
            f"The new {where(after, new)} runs on {', '.join(reached)}, which people outside can start, and its token"
            f" may write {', '.join(writes)}."
        )
        yield said("IAM_WIDEN", "medium", after, new, text)


def started_by_others(before: Workflow | None, after: Workflow) -> Iterator[Draft]:
    """New events that people outside can start and that run with the repository's own secrets."""
    new = sorted(set(after.triggers) & PRIVILEGED - (set(before.triggers) if before else set()))
    for event in new:
        job, reached = _takes_over(after, event)
        if reached:
            text = (
                f"{after.path} now runs on {event}, with this repository's secrets and token, and {reached}: whoever"
                " opens a pull request or writes a comment escalates to the rights of the workflow. Use pull_request,"
                " or keep foreign code and words out of it."
            )
            yield said("PRIV_ESC", "high", after, job, text, place=("on",))
        elif event in ("pull_request_target", "workflow_run") and before is not None and _can_write(after):
            text = (
                f"{after.path} now also runs on {event}, which others can start and which has this repository's"
                " secrets and token; nothing in it runs their code as far as can be read."
            )
            yield said("PRIV_ESC", "low", after, None, text, place=("on",), certainty="possible")


def foreign_code(before: Workflow, after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """A job that already runs with the repository's rights and now checks out what strangers wrote."""
    reached = sorted(set(after.triggers) & set(before.triggers) & PRIVILEGED)
    if not reached:
        return
    mine = [step for step in old.steps if _checks_out(step)]
    for step in new.steps:
        if _checks_out(step) and not mine:
            text = (
                f"{where(after, new)} runs on {', '.join(reached)} with this repository's secrets, and now checks out"
                " the head of the pull request: foreign code runs with its rights (escalation). Split it: build on"
                " pull_request, write with what it hands over."
            )
            yield said("PRIV_ESC", "high", after, new, text, place=step.place)
    lost = _guard_of_people(old.condition) - _guard_of_people(new.condition)
    if lost and any(_checks_out(step) or _pasted(step) for step in new.steps):
        text = (
            f"if: {old.condition[:120]} -> {new.condition[:120] or 'nothing'} on {where(after, new)}: it runs on"
            f" {', '.join(reached)} with this repository's secrets, and {' and '.join(sorted(lost))} no longer says"
            " who may start it (escalation)."
        )
        yield said("PRIV_ESC", "high", after, new, text, certainty="likely")


def injected(before: Workflow | None, after: Workflow, old: Job | None, new: Job) -> Iterator[Draft]:
    """Words of strangers (titles, branch names, comments) that are pasted into a script before it is run."""
    known = {words for step in (old.steps if old else ()) for words in _pasted(step)}
    if before is not None:
        known |= {words for job in before.jobs.values() if old is None for step in job.steps for words in _pasted(step)}
    for step in new.steps:
        fresh = sorted({*_pasted(step)} - known)
        if not fresh:
            continue
        events = set(after.triggers)
        severity: Severity = "low" if not events & PUBLIC | events & {"workflow_run"} else "medium"
        if events & PRIVILEGED or after.action or "workflow_call" in events:
            severity = "high" if events & PRIVILEGED else "medium"
        elif events & PUBLIC:
            severity = "medium"
        text = (
            f"{where(after, new)} pastes {', '.join(fresh)} into a script: who chooses that text writes commands that"
            " the workflow runs. Pass it through env and quote the variable."
        )
        yield said("PRIV_ESC", severity, after, new, text, place=step.place, certainty="likely")


def cloud_role(after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """A step that logs in to a cloud as somebody else than before."""
    for was, now in pairs(old, new):
        for name in _ROLES:
            one, other = was.given.get(name), now.given.get(name)
            if one is None or other is None or one == other or not (isinstance(one, str) and isinstance(other, str)):
                continue
            if "${{" in one or ("${{" in other and not _WIDE.search(other)):
                continue
            wide = bool(_WIDE.search(other)) and not _WIDE.search(one)
            text = f"{name} {one} -> {other} in {where(after, new)}: the pipeline logs in as another identity" + (
                ", whose name reads as one that may do everything." if wide else "; see what that one may do."
            )
            yield said(
                "IAM_WIDEN",
                "high" if wide else "low",
                after,
                new,
                text,
                place=(*now.place, "with", name),
                certainty="likely" if wide else "possible",
            )


def foreign_runner(before: Workflow | None, after: Workflow, old: Job | None, new: Job) -> Iterator[Draft]:
    """A machine of one's own that runs what strangers send."""
    events = sorted(set(after.triggers) & PUBLIC)
    mine = "self-hosted" in new.runner
    had = old is not None and "self-hosted" in old.runner and before is not None and set(before.triggers) & PUBLIC
    if mine and events and not had:
        text = (
            f"{where(after, new)} runs on self-hosted machines and on {', '.join(events)}: in a public repository"
            " whoever opens a pull request runs code on them. Use hosted runners for it."
        )
        yield said("PRIV_ESC", "medium", after, new, text, certainty="possible")


# Private

_ROLES = ("role-to-assume", "workload_identity_provider", "service_account", "audience", "client-id", "role-arn")
_WIDE = re.compile(r"(?i)admin|(?<![a-z])root(?![a-z])|power-?user|full-?access|owner(?![a-z])|god")
_PASTED = re.compile(
    r"\$\{\{\s*((?:github\.head_ref|github\.event\.(?:issue\.(?:title|body)|pull_request\.(?:title|body|head\.(?:ref|label"
    r"|repo\.default_branch))|comment\.body|review\.body|review_comment\.body|discussion\.(?:title|body)"
    r"|head_commit\.(?:message|author\.(?:email|name))|commits[\w.*\[\]]*\.(?:message|author\.(?:email|name))"
    r"|pages[\w.*\[\]]*\.page_name|workflow_run\.(?:head_branch|head_commit\.message|display_title)))(?![\w.-]))\s*\}\}"
)
_HEAD = re.compile(
    r"github\.event\.pull_request\.head\.(?:sha|ref|repo)|github\.head_ref|refs/pull/|github\.event\.workflow_run\.head_"
    r"|github\.event\.(?:issue|pull_request)\.number|github\.event\.number"
)
_FETCHED = re.compile(r"\bgh pr checkout\b|\bgit (?:fetch|checkout|pull)\b[^\n]*(?:pull/|head\.(?:ref|sha)|head_ref)")
_PEOPLE = re.compile(
    r"github\.actor|github\.triggering_actor|author_association|head\.repo\.(?:full_name|fork)|head_repository|\.login"
    r"|\.labels|github\.event\.label|permission"
)


def _widened(after: Workflow, job: Job, gained: Iterable[tuple[str, Level]], severity: Severity) -> Draft:
    levels = ("none", "read", "write")
    shown = ", ".join(f"{'all scopes' if scope == ALL else scope} {levels[was]} -> write" for scope, was in gained)
    named = {scope for scope, _ in gained}
    can = [words for scope, words in _MEANS.items() if scope in named]
    text = f"The token of {where(after, job)} gets more: {shown}." + (f" It can {' and '.join(can)}." if can else "")
    return said("IAM_WIDEN", severity, after, job, text, place=_token_place(job))


_MEANS: Mapping[str, str] = {
    ALL: "write code, packages and everything else of the repository",
    "contents": "push code, move tags and make releases",
    "packages": "publish and delete packages",
    "actions": "start, cancel and approve runs",
    "id-token": "log in to every cloud and registry that trusts this repository's OIDC tokens",
    "deployments": "make deployments",
    "pull-requests": "open, approve and close pull requests",
}


def _token_place(job: Job) -> tuple[str | int, ...]:
    return ("jobs", job.name, "permissions") if job.permissions is not None else ("permissions",)


def _takes_over(workflow: Workflow, event: str) -> tuple[Job | None, str]:
    for job in workflow.jobs.values():
        if event != "workflow_run" and _guard_of_people(job.condition) and event != "pull_request_target":
            continue
        for step in job.steps:
            if _checks_out(step) and not _guard_of_people(job.condition):
                return job, f"checks out what the pull request brings ({where(workflow, job)})"
            if pasted := sorted(_pasted(step)):
                return job, f"pastes {pasted[0]} into a script ({where(workflow, job)})"
    return None, ""


def _can_write(workflow: Workflow) -> bool:
    tokens = [workflow.token(job) for job in workflow.jobs.values()]
    return any(token is None or any(level == 2 for level in token.values()) for token in tokens)


def _checks_out(step: Step) -> bool:
    if step.uses.startswith("actions/checkout@"):
        given = " ".join(str(step.given.get(name) or "") for name in ("ref", "repository"))
        return bool(_HEAD.search(given))
    return bool(_FETCHED.search(step.run))


def _pasted(step: Step) -> set[str]:
    script = step.run or (str(step.given.get("script") or "") if "github-script" in step.uses else "")
    return {" ".join(found[1].split()) for found in _PASTED.finditer(script)}


def _guard_of_people(condition: str) -> set[str]:
    return {found[0] for found in _PEOPLE.finditer(condition)}
