"""The whole question on one page: which tests changed, what they do with it and without it, what that proves."""

from __future__ import annotations

import tempfile
from pathlib import Path

from msgspec import structs

from tidegate.change.git import Repository
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.change.values import Change
from tidegate.errors import InputError
from tidegate.verify.failbefore.command_run import answer_by_command
from tidegate.verify.failbefore.go_run import answer_by_go, select_go
from tidegate.verify.failbefore.idle import without_idle
from tidegate.verify.failbefore.job import Answer, Job, Request
from tidegate.verify.failbefore.python_run import answer_by_pytest
from tidegate.verify.failbefore.select import select_python


def fail_before(change: Change, repository: Repository, request: Request) -> Answer:
    """Run the changed tests with the change and without it, in temporary folders. It executes the repository's code.

    Raises InputError where it cannot be said how tests are run here; what cannot be judged is unknown in the result.
    """
    if not (change.base_tree and change.head_tree):
        raise InputError("a diff alone cannot be run", mend="name a range of commits: BASE..HEAD")
    before, after = (GitTree(repository, tree) for tree in (change.base_tree, change.head_tree))
    trees = Trees(before, after, pairs_of(change))
    with tempfile.TemporaryDirectory(prefix="tidegate-verify-", ignore_cleanup_errors=True) as name:
        job = Job(change, repository, request, Path(name).resolve())
        answer = _answer(job, trees)
    tests = without_idle(answer.result.tests, change, trees.after)
    return structs.replace(answer, result=structs.replace(answer.result, tests=tests))


# Private


def _answer(job: Job, trees: Trees) -> Answer:
    """By the user's command where one is given, else by pytest, else by Go."""
    command, junit = job.request.command, job.request.junit
    python = select_python(job.change, trees)
    if command and ("pytest" not in command or junit):
        return answer_by_command(job, trees)
    if python.tests or command:
        return answer_by_pytest(job, python)
    go = select_go(job.change, trees)
    if go:
        return answer_by_go(job, go)
    if python.others:
        raise InputError(
            "it cannot be told how the changed tests are run",
            where=python.others[0],
            mend="give the command: --command 'npx jest {files}', with --junit FILE where it writes one",
        )
    return answer_by_pytest(job, python)
