"""What stands between a commit and production in a workflow: tests, scans, branches, environments,"
" approvals, queues."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from tidegate.facts import Certainty, Place, Severity
from tidegate.infra.environment import named
from tidegate.infra.pipelines.github import Job, Step, Workflow, pairs, waits_for
from tidegate.infra.pipelines.saying import said, where
from tidegate.infra.pipelines.shell import check_of, scanner_of
from tidegate.infra.pipelines.texts import words_of
from tidegate.infra.values import Draft, Mitigation, Value


def checks_loosened(after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """Tests and scans that still stand there and no longer say no."""
    for was, now in pairs(old, new):
        kinds = sorted({*_checks(was)} & {*_checks(now)})
        if not kinds:
            continue
        if now.tolerant and not was.tolerant and not new.tolerant:
            yield _loosened(after, new, now, kinds, "continue-on-error: true")
        elif now.condition == "false" and was.condition != "false":
            yield _loosened(after, new, now, kinds, "if: false")
        if soft := _softened(was, now):
            yield _loosened(after, new, now, kinds, soft)
    swallowed = {one.text for step in old.steps for one in step.commands if one.tolerated}
    before = {one.text for step in old.steps for one in step.commands if not one.tolerated and check_of(one.text)}
    for step in new.steps:
        for one in step.commands:
            if one.tolerated and one.text in before and one.text not in swallowed:
                yield _loosened(after, new, step, [check_of(one.text)], f"|| true behind `{one.text[:80]}`")
    kinds = sorted({kind for step in new.steps for kind in _checks(step)})
    if not kinds:
        return
    if new.tolerant and not old.tolerant:
        yield _loosened(after, new, None, kinds, "continue-on-error: true")
    elif new.condition == "false" and old.condition != "false":
        yield _loosened(after, new, None, kinds, "if: false")


def checks_gone(before: Sequence[Workflow], after: Sequence[Workflow]) -> Iterator[Draft]:
    """Kinds of checks that ran for a change somewhere and run nowhere any more, over all workflows of the repository.

    `before` are the changed workflows as they were, `after` all workflows as they will be. A test that moves to another
    job, file or tool is still there.
    """
    left: set[str] = set()
    for workflow in after:
        left |= {name for job in workflow.jobs.values() for name in _all_checks(job)}
    local = any(job.uses.startswith("./") for workflow in after for job in workflow.jobs.values())
    for workflow in before:
        if not set(workflow.triggers) & {"push", "pull_request", "pull_request_target", "merge_group", "workflow_call"}:
            continue
        mine = {name: job for job in workflow.jobs.values() for name in _all_checks(job)}
        scans = {name for name in mine if name != "tests"}
        if "tests" in mine and "tests" not in left:
            yield _gone(workflow, mine["tests"], "tests", "tests no longer stop a merge")
        lost = sorted(scans - left)
        if lost and not any(name != "tests" for name in left if name not in scans):
            what = ", ".join(lost)
            yield _gone(workflow, mine[lost[0]], what, "what it found before is no longer found", local)


def needs_dropped(before: Workflow, after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """A deploying job that no longer waits for the tests that still run beside it."""
    if not (old.deploys and new.deploys) or _all_checks(new):
        return
    tests = {name for name in waits_for(before, old) if "tests" in _all_checks(before.jobs[name])}
    still = {name for name in waits_for(after, new) if "tests" in _all_checks(after.jobs[name])}
    left = sorted(tests & set(after.jobs))
    if tests and left and not still:
        text = (
            f"needs no longer names {', '.join(left)} for {where(after, new)}: it deploys at once, and tests that fail"
            " no longer hold it."
        )
        yield said("GUARD_REMOVED", "high", after, new, text, back="wait for the tests again")


def schedules_gone(before: Workflow, after: Workflow | None) -> Iterator[Draft]:
    """Backups and scans that no clock starts any more."""
    if "schedule" not in before.triggers or (after is not None and "schedule" in after.triggers):
        return
    shown = after or before
    words = f"{before.path} {before.name} {' '.join(before.jobs)}"
    runs = " ".join(step.run for job in before.jobs.values() for step in job.steps)
    if _BACKUP.search(words) or _DUMP.search(runs):
        text = f"{before.path} no longer runs on its schedule: the backup that it makes is no longer made."
        yield said("BACKUP_REDUCED", "high", shown, None, text, back="put the schedule back", place=("on",))
    elif after is not None and not set(after.triggers) & {"push", "pull_request"}:
        scans = sorted({name for job in before.jobs.values() for name in _all_checks(job) if name != "tests"})
        if scans:
            text = f"{before.path} no longer runs on its schedule: {', '.join(scans)} no longer looks for new holes."
            yield said("GUARD_REMOVED", "low", shown, None, text, back="put the schedule back", place=("on",))


def environment_left(after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """A deploying job that leaves the environment that protects it: its reviewers, branches and secrets."""
    if not old.environment or old.environment == new.environment or new.uses:
        return
    was, now = named(old.environment), named(new.environment)
    live = was == "production" or bool(_LIVE.search(old.environment))
    if not new.environment:
        early = was == "development" or _PREVIEW.search(old.environment)
        severity: Severity = "high" if live else "medium" if new.deploys and not early else "low"
        text = (
            f"environment: {old.environment} is removed from {where(after, new)}: its approvals,"
            " waiting time and branch"
            " rules no longer hold the job, and whatever trusts that environment's name no longer does."
        )
        yield said("GUARD_REMOVED", severity, after, new, text, back="name the environment again")
    elif live and now in ("staging", "development") and new.deploys:
        text = (
            f"environment: {old.environment} -> {new.environment} on {where(after, new)}: the approvals and branch"
            f" rules of {old.environment} no longer hold the job."
        )
        yield said("GUARD_REMOVED", "medium", after, new, text, certainty="possible", back="name the environment again")


def queue_left(before: Workflow, after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """A deploying job that no longer waits for the one before it."""
    had, has = old.concurrency or before.concurrency, new.concurrency or after.concurrency
    if had and not has and old.deploys and new.deploys:
        text = (
            f"concurrency is removed from {where(after, new)}: two deployments can run at once and overtake each other."
        )
        yield said("GUARD_REMOVED", "low", after, new, text)


def branches_widened(before: Workflow, after: Workflow) -> Iterator[Draft]:
    """A deploying workflow that more branches, or pull requests, start."""
    jobs = [job for job in after.jobs.values() if job.deploys and not _REF.search(job.condition)]
    jobs = [job for job in jobs if before.jobs.get(job.name, Job("")).deploys]
    jobs = [job for job in jobs if not _held(job)]
    if not jobs:
        return
    names = ", ".join(job.name for job in jobs[:3])
    was, now = _branches(before.triggers.get("push")), _branches(after.triggers.get("push"))
    new = [one for one in now or () if not any(one == other or fnmatchcase(one, other) for other in was or ())]
    wide = any(_everything(one) for one in new)
    if was is None and new and set(before.triggers) <= {"workflow_dispatch"}:
        text = f"{after.path} was started by hand and now runs on push: {names} deploys from {_shown(new)} by itself."
        yield said("GUARD_REMOVED", "high" if wide else "medium", after, jobs[0], text, place=("on",))
    elif was is not None and new and (was or wide):
        text = (
            f"on.push.branches {_shown(was)} -> {_shown(now or ())} in {after.path}: {names} now deploys from"
            f" {'any branch, reviewed or not' if wide else ', '.join(new) + ' too'}."
        )
        severity: Severity = "high" if wide else "low"
        yield said("GUARD_REMOVED", severity, after, jobs[0], text, place=("on",), back="limit the branches again")
    if "pull_request" in after.triggers and "pull_request" not in before.triggers:
        guarded = [job for job in jobs if "event_name" in job.condition or _steps_guarded(job)]
        if len(guarded) < len(jobs):
            text = (
                f"{after.path} now runs on pull_request too: {names} deploys what nobody reviewed."
                " Give the job an `if` on the branch."
            )
            yield said("GUARD_REMOVED", "medium", after, jobs[0], text, place=("on",), certainty="possible")


def branch_guard_gone(after: Workflow, old: Job, new: Job) -> Iterator[Draft]:
    """`if: github.ref == 'refs/heads/main'` that no longer holds a deployment back."""
    only = _only_main(after)
    if _REF.search(old.condition) and old.deploys and new.deploys and not _REF.search(new.condition):
        yield from _unguarded(after, new, old.condition, new.condition, only)
        return
    if _REF.search(new.condition) or _REF.search(old.condition):
        return
    for was, now in pairs(old, new):
        held = Job("step", (was,))
        if _REF.search(was.condition) and not _REF.search(now.condition) and held.deploys:
            yield from _unguarded(after, new, was.condition, now.condition, only)


# Private

_BACKUP = re.compile(r"(?i)back-?_?up|snapshot-(?:db|data)|(?:db|database|data)[-_ ]?(?:dump|snapshot)")
_DUMP = re.compile(
    r"\b(pg_dump|mysqldump|mongodump|restic backup|velero backup|create-db-snapshot|rdb-snapshot|borg create)\b"
)
_LIVE = re.compile(
    r"(?i)(?:^|[-_/ ])(prod\w*|live|release|pypi|npm|publish|crates|maven|rubygems|deploy|main|marketplace)(?:$|[-_/ ])"
)
_PREVIEW = re.compile(r"(?i)preview|\$\{\{|docs|test|github-pages")
_REF = re.compile(
    r"github\.ref(?:_name|_type|_protected)?\b|github\.event\.ref\b|github\.base_ref|github\.event_name\s*==\s*'(?:push|release)'"
    r"|pull_request\.merged|head_branch|github\.event_name\s*!=\s*'pull_request'"
)


def _checks(step: Step) -> set[str]:
    found = {check_of(one.text) for one in step.commands} - {""}
    if step.uses and scanner_of(step.uses):
        found.add("scan")
    return {str(one) for one in found}


def _all_checks(job: Job) -> set[str]:
    found: set[str] = set()
    if job.condition == "false":
        return found
    for step in job.steps:
        if step.condition == "false":
            continue
        for one in step.commands:
            kind = check_of(one.text)
            if kind:
                found.add("tests" if kind == "tests" else scanner_of(one.text))
        if step.uses and scanner_of(step.uses):
            found.add(scanner_of(step.uses))
        if _TESTING.search(step.uses):
            found.add("tests")
    if job.uses:
        if re.search(r"(?i)test|ci[./_-]|check", job.uses):
            found.add("tests")
        if scanner_of(job.uses):
            found.add(scanner_of(job.uses))
    return {name.removesuffix("-action").replace(" ", "-").strip() for name in found}


_TESTING = re.compile(r"(?i)cypress-io/github-action|[/-]tests?(?:[-_@/]|$)|run-tests|houseabsolute/actions-rust-cross")


def _loosened(after: Workflow, job: Job, step: Step | None, kinds: Sequence[str], how: str) -> Draft:
    what = "tests no longer stop a merge" if "tests" in kinds else "findings of the scan no longer stop a merge"
    text = f"{how} is added in {where(after, job)}: {what}."
    place = step.place if step else ()
    return said("GUARD_REMOVED", "medium", after, job, text, place=place, back="let it fail again")


_SOFT_FLAGS = ("--exit-zero", "--soft-fail", "--no-fail", "--exit-code 0", "--exit-code=0", "--passWithNoTests=force")
_SOFT_GIVEN: Mapping[str, str] = {"exit-code": "0", "soft_fail": "true", "soft-fail": "true", "fail-build": "false"}


def _softened(was: Step, now: Step) -> str:
    """How a check was told to pass whatever it finds, "" where it was not."""
    for flag in _SOFT_FLAGS:
        if flag in now.run and flag not in was.run:
            return flag
    for name, value in _SOFT_GIVEN.items():
        given = words_of(now.given.get(name))
        if given == (value,) and words_of(was.given.get(name)) != given:
            return f"{name}: {value}"
    return ""


def _gone(workflow: Workflow, job: Job, what: str, means: str, possible: bool = False) -> Draft:
    text = (
        f"{what} ran in {where(workflow, job)} and no workflow runs {'it' if what != 'tests' else 'them'}"
        f" any more: {means}."
    )
    certainty: Certainty = "possible" if possible else "likely"
    draft = said("GUARD_REMOVED", "medium", workflow, job, text, back="put the step back", certainty=certainty)
    return replace(draft, place=Place(workflow.path))


def _unguarded(after: Workflow, job: Job, was: str, now: str, only: bool) -> Iterator[Draft]:
    if now == "false":
        return
    held = _held(job)
    if only:
        return
    text = (
        f"if: {was[:100]} -> {now[:100] or 'nothing'} in {where(after, job)}: it deploys from every"
        " branch and event that"
        " starts the workflow, not only from the one that was named."
    )
    steps = (Mitigation(f"the environment {job.environment} may have branch rules of its own", 1),) if held else ()
    yield said("GUARD_REMOVED", "high", after, job, text, back="put the condition back", mitigations=steps)


def _held(job: Job) -> bool:
    return bool(job.environment) and "${{" not in job.environment


def _branches(push: Mapping[str, Value] | None) -> tuple[str, ...] | None:
    """The branches that a push starts the workflow from; None: none does."""
    if push is None:
        return None
    if "branches" in push:
        return words_of(push["branches"])
    if "tags" in push and "branches-ignore" not in push:
        return ()
    return ("**",)


def _everything(pattern: str) -> bool:
    return pattern in ("*", "**", "*/*") or (pattern.startswith("*") and pattern.endswith("/**"))


def _shown(branches: Sequence[str]) -> str:
    return "every branch" if tuple(branches) == ("**",) else f"[{', '.join(branches)}]"


def _only_main(workflow: Workflow) -> bool:
    """Whether nothing but a push to named branches, a tag or a release starts the workflow."""
    if set(workflow.triggers) - {"push", "release", "schedule"}:
        return False
    branches = _branches(workflow.triggers.get("push"))
    return branches is None or not any("*" in one for one in branches)


def _steps_guarded(job: Job) -> bool:
    deploying = [step for step in job.steps if Job("step", (step,)).deploys]
    return bool(deploying) and all("event_name" in step.condition or _REF.search(step.condition) for step in deploying)
