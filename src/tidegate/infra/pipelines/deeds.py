"""What new steps of a workflow bring in and do: code of others, scripts from the net, applies without a question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from tidegate.facts import Severity
from tidegate.infra.pipelines.destroying import deeds_of
from tidegate.infra.pipelines.github import ALL, Job, Step, Workflow, level_of, pairs
from tidegate.infra.pipelines.saying import said, where
from tidegate.infra.pipelines.shell import fetched_and_run, site_of, unpinned_tools
from tidegate.infra.pipelines.supply import HOUSE, VENDORS, Action, action_of
from tidegate.infra.values import Draft, Mitigation, Value

Known: TypeAlias = frozenset[str]
"""The keys of the actions that the repository used before."""


def actions_changed(before: Workflow | None, after: Workflow, known: Known) -> Iterator[Draft]:
    """Actions that come from somebody else, are no longer pinned, or are new and can be moved by their owner."""
    was = _actions(before) if before else {}
    now = _actions(after)
    strict = _pins(before) if before else False
    gone = {action.name.lower(): action for key, (action, _, _) in was.items() if key not in now}
    for key, (action, job, place) in now.items():
        if key in was:
            yield from _moved(after, job, place, was[key][0], action)
        elif action.name.lower() in gone and gone[action.name.lower()].owner.lower() != action.owner.lower():
            yield _owner(after, job, place, gone[action.name.lower()], action)
        elif key not in known and not action.house and not action.pinned:
            yield from _new(after, job, place, action, strict)
        if key not in was and key not in known and _APPROVES.search(action.name):
            text = f"{action.key} is new in {where(after, job)}: a machine approves what a person was to read."
            yield said("GUARD_REMOVED", "medium", after, job, text, place=place, back="let people approve")


def secrets_given(after: Workflow, old: Job | None, new: Job) -> Iterator[Draft]:
    """Secrets that somebody else's code gets and did not get before."""
    matching = {id(now): was for was, now in pairs(old, new)} if old else {}
    for step in new.steps:
        action = action_of(step.uses)
        if action is None or action.pinned or action.owner.lower() in HOUSE | VENDORS:
            continue
        was = matching.get(id(step))
        fresh = sorted(_secrets(step) - (_secrets(was) if was else set()))
        if fresh and old is not None:
            text = (
                f"{step.uses} in {where(after, new)} gets {', '.join(fresh)}, and {action.owner} can move {action.ref}:"
                " other code would get them. Pin it to a commit."
            )
            yield said("SUPPLY_CHAIN", "medium", after, new, text, place=step.place)
    foreign = action_of(new.uses)
    if new.inherits and not (old and old.inherits) and foreign is not None and old is not None:
        severity: Severity = "low" if foreign.pinned else "medium"
        text = (
            f"secrets: inherit in {where(after, new)}: every secret of the repository goes to {new.uses}."
            " Name those it needs."
        )
        yield said("SUPPLY_CHAIN", severity, after, new, text)


def every_secret(after: Workflow, old: Job | None, new: Job) -> Iterator[Draft]:
    """`toJSON(secrets)`: all secrets at once, to a script or an action."""
    had = any(_EVERY.search(_words(step)) for step in (old.steps if old else ()))
    for step in new.steps:
        if not had and _EVERY.search(_words(step)):
            text = (
                f"{where(after, new)} takes every secret of the repository at once (toJSON(secrets))."
                " Name those it needs."
            )
            yield said("IAM_WIDEN", "medium", after, new, text, place=step.place)
            return


def scripts_fetched(before: Workflow | None, after: Workflow, new: Job, known: Iterable[str]) -> Iterator[Draft]:
    """Scripts from the net that are run unseen and were not before, the graver the more the job can reach."""
    had = set(known)
    reach = reach_of(after, new)
    for step in new.steps:
        for part in fetched_and_run(step.run):
            if site_of(part) in had or site_of(part) in _INSTALLERS:
                continue
            had.add(site_of(part))
            severity: Severity = "medium" if before and new.deploys else "low"
            if reach:
                severity = "high" if before else "medium"
            means = f" The job can {' and '.join(reach)}." if reach else ""
            text = (
                f"{where(after, new)} runs what it fetches: `{part[:140]}`. Whoever serves that file runs"
                f" commands here; pin a version and its hash.{means}"
            )
            yield said("SUPPLY_CHAIN", severity, after, new, text, place=step.place)


def tools_fetched(before: Workflow | None, after: Workflow, old: Job | None, new: Job) -> Iterator[Draft]:
    """Packages that are fetched and run by name, in whatever version is the newest when the job runs."""
    had = {_tool(one) for step in (old.steps if old else ()) for one in unpinned_tools(step.run)}
    reach = reach_of(after, new)
    for step in new.steps:
        for one in unpinned_tools(step.run):
            if _tool(one) in had or before is None:
                continue
            had.add(_tool(one))
            means = f" The job can {' and '.join(reach)}." if reach else ""
            text = (
                f"{where(after, new)} fetches and runs `{one[:140]}` in whatever version is the newest then: name a"
                f" version.{means}"
            )
            yield said("SUPPLY_CHAIN", "medium" if reach else "low", after, new, text, place=step.place)


def reach_of(workflow: Workflow, job: Job) -> list[str]:
    """What code that runs in a job can do beyond it, in words: secrets that it can read, what its token may write."""
    found = sorted({name for step in job.steps for name in (*_secrets(step), *_SECRET.findall(step.run))})
    found += [name for name in sorted(set(_SECRET.findall(str(workflow.env)))) if name not in found]
    names = [name for name in found if name.upper() != "GITHUB_TOKEN"]
    reach = [f"read {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}"] if names else []
    token = workflow.token(job) or {}
    means = {
        "contents": "write the repository",
        "packages": "publish packages",
        "id-token": "log in to clouds and registries as the repository",
        "actions": "start and approve runs",
        "deployments": "make deployments",
    }
    if level_of(token, ALL) == 2 and "contents" not in token:
        return [*reach, "write everything of the repository"]
    return [*reach, *(words for scope, words in means.items() if level_of(token, scope) == 2)]


def commands_added(after: Workflow, old: Job | None, new: Job, known: frozenset[str]) -> Iterator[Draft]:
    """Commands that apply without a question, destroy, or see only a part of a stack."""
    had = {_plain(one.text) for step in (old.steps if old else ()) for one in step.commands}
    manual = set(after.triggers) <= {"workflow_dispatch", "workflow_call"}
    for step in new.steps:
        for one in step.commands:
            if _plain(one.text) in had | known:
                continue
            for code, severity, means in deeds_of(one.text, had):
                notes = []
                if manual and severity != "low":
                    notes.append(Mitigation("only people start it (workflow_dispatch)", 1))
                elif code == "DATA_DESTROY" and "$" in one.text and severity == "high":
                    notes.append(Mitigation("a variable says what; it may be a preview", 1))
                if new.environment and code == "GUARD_REMOVED":
                    notes.append(Mitigation(f"the environment {new.environment} may ask for an approval", 1))
                text = f"`{one.text[:140]}` is added to {where(after, new)}: {means}"
                yield said(
                    code, severity, after, new, text, place=step.place, certainty="likely", mitigations=tuple(notes)
                )


# Private

_BY_TAG = ("slsa-framework",)
"""Owners whose workflows prove who they are by their tag and refuse to run from a commit."""
_APPROVES = re.compile(r"(?i)auto-?approve|approve-pull-request")
_EVERY = re.compile(r"(?i)toJSON\(\s*secrets\s*\)")
_SECRET = re.compile(r"\$\{\{[^}]*?\bsecrets\.([\w-]+)")
_INSTALLERS = frozenset(
    ("sh.rustup.rs", "astral.sh", "deno.land", "bun.sh", "get.pnpm.io", "install.python-poetry.org")
)
"""Official installers of tool chains: worth a line in a Dockerfile of production, noise in a workflow."""
_Used: TypeAlias = Mapping[str, tuple[Action, Job, tuple[str | int, ...]]]


def _actions(workflow: Workflow) -> _Used:
    """Every action of a workflow by its key; of several references the loosest."""
    found: dict[str, tuple[Action, Job, tuple[str | int, ...]]] = {}
    for job in workflow.jobs.values():
        uses = [(job.uses, ("jobs", job.name, "uses")), *((step.uses, (*step.place, "uses")) for step in job.steps)]
        for text, place in uses:
            action = action_of(text)
            if action is not None and (action.key not in found or (found[action.key][0].pinned and not action.pinned)):
                found[action.key] = (action, job, place)
    return found


def _pins(workflow: Workflow) -> bool:
    others = [action for action, _, _ in _actions(workflow).values()]
    return bool(others) and sum(action.pinned for action in others) * 2 > len(others)


def _moved(after: Workflow, job: Job, place: tuple[str | int, ...], was: Action, now: Action) -> Iterator[Draft]:
    shown = f"uses: {was.owner}/{was.name}{was.path}@{was.ref} -> @{now.ref} in {where(after, job)}"
    if was.pinned and not now.pinned:
        severity: Severity = "low" if now.house or now.owner.lower() in _BY_TAG else "medium"
        text = f"{shown}: it is no longer pinned to a commit, so {now.owner} can put other code behind {now.ref}."
        yield said("SUPPLY_CHAIN", severity, after, job, text, place=place, back="pin it to the commit again")
    elif now.branch and not was.branch:
        severity = "low" if now.house or now.owner.lower() in VENDORS else "medium"
        text = f"{shown}: a branch moves with every commit, so other code runs here without a change of this file."
        yield said("SUPPLY_CHAIN", severity, after, job, text, place=place, back="name a release or a commit")


def _owner(after: Workflow, job: Job, place: tuple[str | int, ...], was: Action, now: Action) -> Draft:
    severity: Severity = "low" if now.pinned or now.house or now.owner.lower() in VENDORS else "medium"
    text = (
        f"uses: {was.owner}/{was.name} -> {now.owner}/{now.name}@{now.ref} in {where(after, job)}:"
        " the action comes from"
        " another owner, whose code runs with the job's token and secrets. See who publishes it."
    )
    return said("SUPPLY_CHAIN", severity, after, job, text, place=place)


def _new(after: Workflow, job: Job, place: tuple[str | int, ...], action: Action, strict: bool) -> Iterator[Draft]:
    vendor = action.owner.lower() in VENDORS
    if vendor and not strict and not action.branch:
        return
    severity: Severity = "medium" if (strict or action.branch) and not vendor else "low"
    beside = " The other actions of this file are pinned to commits." if strict else ""
    text = (
        f"{action.key}@{action.ref} is new in {where(after, job)} and not pinned to a commit:"
        f" {action.owner} can change what runs here.{beside}"
    )
    yield said("SUPPLY_CHAIN", severity, after, job, text, place=place, back="pin it to a commit")


def _secrets(step: Step) -> set[str]:
    text = " ".join(str(value) for values in (step.given, step.env) for value in values.values())
    return {name for name in _SECRET.findall(text) if name.upper() != "GITHUB_TOKEN"}


def _words(step: Step) -> str:
    values: list[Value] = [step.run, *step.given.values(), *step.env.values()]
    return " ".join(str(value) for value in values)


def _plain(command: str) -> str:
    return " ".join(command.split())


def _tool(command: str) -> str:
    """The package that a command runs, without the words before it."""
    return command.split()[-1]
