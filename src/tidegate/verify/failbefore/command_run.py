"""The question asked with the user's own command: by its JUnit report where it writes one, else by its exit code."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import InputError
from tidegate.verify.failbefore.job import Answer, Job
from tidegate.verify.failbefore.judge import Trials, judge, told_differently
from tidegate.verify.failbefore.values import Added, Case, Selected, TestName, Trial
from tidegate.verify.runner import Limits, run_limited

_NOT_FOUND = (126, 127)


def answer_by_command(job: Job) -> Answer:
    """What the changed test files prove, as one test where there is no JUnit report.

    Raises InputError for a command that cannot be started, and for a report that it does not write.
    """
    files = tuple(sorted(_changed(job)))
    command = job.request.command
    if not files:
        job.notes.append("the change adds and changes no test")
        return job.answer("command", command, (), ())
    job.lay_out()
    head = _run(job, job.head, files, job.limits())
    base = _run(job, job.base, files, job.limits(head))
    selected = [Selected(test) for test in sorted({*head.cases})]
    again = _run(job, job.head, files, job.limits(head)) if told_differently(selected, head, base) else None
    tests = judge(selected, Trials(head, base, again), Added())
    return job.answer("command", command, tests, (head, base, again))


# Private


def _changed(job: Job) -> list[str]:
    head, _ = job.files
    files = (file for file in job.change.files if file.kind == "test" and file.by_hand)
    return [path for file in files if (path := file.path.decode("utf-8", "surrogateescape")) in head]


def _run(job: Job, folder: Path, files: Sequence[str], limits: Limits) -> Trial:
    report = folder / (job.request.junit or ".tidegate-junit.xml")
    if not report.resolve().is_relative_to(folder):
        raise InputError(
            "the report must lie below the folder of the tests", where="--junit", mend="name a path like out/junit.xml"
        )
    report.unlink(missing_ok=True)
    report.parent.mkdir(parents=True, exist_ok=True)
    ran = run_limited(_filled(job.request.command, files, report), folder, job.request.environment, limits)
    cut = f"it was not done after {ran.seconds:.0f} s" if ran.timed_out else ""
    whole = TestName(" ".join(files)[:300], "")
    if cut:
        case = Case("", "unknown", cut)
    elif ran.exit_code in _NOT_FOUND:
        case = Case("", "unknown", f"the command was not found (exit code {ran.exit_code})")
    else:
        last = ran.output.strip().rpartition("\n")[2][:160]
        case = Case("", "failed" if ran.exit_code else "passed", f"exit code {ran.exit_code}: {last}")
    return Trial({whole: (case,)}, {}, "", cut, ran.seconds, ran.cpu_seconds)


def _filled(command: str, files: Sequence[str], report: Path) -> list[str]:
    filled: list[str] = []
    for word in shlex.split(command):
        if word in ("{files}", "{tests}"):
            filled += files
        else:
            filled.append(word.replace("{files}", " ".join(files)).replace("{junit}", str(report)))
    return filled
