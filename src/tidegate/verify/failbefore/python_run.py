"""The question asked with pytest: with the change and without it, and once more where that leaves a doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tidegate.errors import InputError
from tidegate.verify.failbefore.job import Answer, Job
from tidegate.verify.failbefore.judge import Trials, judge, wavering
from tidegate.verify.failbefore.overlay import added_by, changes_compiled, first_names
from tidegate.verify.failbefore.pytest_run import Asked, Interpreter, probe, run_pytest
from tidegate.verify.failbefore.select import Selection
from tidegate.verify.failbefore.settings import other_runner, variables_of_tests
from tidegate.verify.failbefore.values import TestName, Trial
from tidegate.verify.runner import Entry, Limits, find_python, python_roots


def answer_by_pytest(job: Job, selection: Selection) -> Answer:
    """What the selected tests prove. Raises InputError where there is no Python with pytest to run them."""
    request = job.request
    python = find_python(job.work_tree, request.python, request.environment)
    shown = request.command or f"{Path(python).name} -m pytest {{files}}"
    if not selection.tests:
        job.notes.append("the change adds and changes no test")
        return job.answer("pytest", shown, (), ())
    interpreter = probe(python, request.environment, job.head.parent)
    if not interpreter.pytest and not request.command:
        mend = "name the Python that runs the tests: --python .venv/bin/python, or give --command"
        raise InputError("pytest is not installed there", where=python, mend=mend)
    job.lay_out(interpreter.installed)
    other = other_runner(job.head) if not request.command else ""
    if other:
        job.notes.append(f"tox runs `{other}`; pytest was run. Give --command where that is not the same")
    trials = _trials(job, selection, interpreter)
    compiled = changes_compiled(job.change)
    if compiled and any("was built" in note for note in job.notes):
        trouble = Trial(trouble=f"{compiled[0]} changed, and nothing is compiled here")
        trials = Trials(trials.head, trouble, trials.again, trials.base_again)
    head_files, _ = job.files
    added = added_by(job.change, head_files, python_roots(head_files, selection.files))
    tests = judge(selection.tests, trials, added)
    return job.answer("pytest", shown, tests, (trials.head, trials.base, trials.again, trials.base_again))


# Private


_MOST_RETRIED = 50
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini")


def _trials(job: Job, selection: Selection, interpreter: Interpreter) -> Trials:
    """With the change and without it, where each failure is tried again at once: with it behind the tests of its file
    that it may need. What is in doubt then without it is run afresh."""

    def run(folder: Path, files: Mapping[str, Entry], wanted: Mapping[str, list[str]], limits: Limits) -> Trial:
        roots = python_roots(files, selection.files)
        project = _project(files, selection.files) if not job.request.command else ""
        whole = folder == job.head
        asked = Asked(wanted, roots, first_names(files, roots), job.request.command, project, _MOST_RETRIED, whole)
        environment = {**variables_of_tests(folder), **job.request.environment}
        return run_pytest(asked, interpreter, folder, environment, limits)

    head_files, base_files = job.files
    wanted = _named(one.test for one in selection.tests)
    head = run(job.head, head_files, wanted, job.limits())
    if head.trouble or not any(case.outcome in ("passed", "failed") for cases in head.cases.values() for case in cases):
        return Trials(head, Trial(trouble="it was not run, because nothing could be run with the change"))
    base = run(job.base, base_files, wanted, job.limits(head))
    doubtful = wavering(selection.tests, head, base)
    base_again = run(job.base, base_files, _named(doubtful), job.limits(head)) if doubtful else None
    return Trials(head, base, None, base_again)


def _project(files: Mapping[str, Entry], tests: Iterable[str]) -> str:
    """The project folder that all these tests are in, as their authors run them; "" where there are several."""
    found = set()
    for path in tests:
        folder = path.rpartition("/")[0]
        while folder and not any(f"{folder}/{name}" in files for name in _PROJECT_FILES):
            folder = folder.rpartition("/")[0]
        found.add(folder)
    return found.pop() if len(found) == 1 else ""


def _named(tests: Iterable[TestName]) -> dict[str, list[str]]:
    """Tests by file; a file that is wanted whole has an empty list."""
    found: dict[str, list[str]] = {}
    for test in tests:
        found.setdefault(test.path, []).append(test.name)
    return {path: [] if "" in names else sorted(set(names)) for path, names in found.items()}
