"""The question asked with the user's own command: by its JUnit report where it writes one, else by its exit code."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tidegate.change.trees import Trees
from tidegate.errors import InputError
from tidegate.verify.failbefore.job import Answer, Job
from tidegate.verify.failbefore.judge import Trials, judge, told_differently
from tidegate.verify.failbefore.overlay import added_by
from tidegate.verify.failbefore.values import Added, Case, Problem, Selected, TestName, Trial
from tidegate.verify.runner import Limits, Ran, run_limited


def answer_by_command(job: Job, trees: Trees) -> Answer:
    """What the changed test files prove; as one test where there is no JUnit report.

    Raises InputError for a command that cannot be started, and for a report that it does not write or that is none.
    """
    texts = _changed(job, trees)
    command = job.request.command
    if not texts:
        job.notes.append("the change adds and changes no test")
        return job.answer("command", command, (), ())
    job.lay_out()
    head = _run(job, job.head, texts, job.limits())
    base = _run(job, job.base, texts, job.limits(head))
    selected = [_selected(test, cases[0].id, texts) for test, cases in sorted(head.cases.items())]
    again = _run(job, job.head, texts, job.limits(head)) if told_differently(selected, head, base) else None
    tests = judge(selected, Trials(head, base, again), _added(job))
    return job.answer("command", command, tests, (head, base, again))


# Private

_NOT_FOUND = (126, 127)
_MOST_MESSAGES, _MESSAGE_CHARACTERS = 1000, 10_000
_LACKING = re.compile(
    r"cannot find|cannot import|can't resolve|could not resolve|no exported member|does not provide an export"
    r"|is not a function"
    r"|is not defined|is not a constructor|undefined|unresolved import|no such|nameerror|importerror|error\[E0",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"['\"`]([^'\"`\n]{1,200})['\"`]|\b(\w+) is not (?:a|defined)|undefined: (\w+)")
_WORD = re.compile(r"[A-Za-z_]\w*")


class _Text:
    """A changed test file: what it says at the head, and the lines that the change adds to it."""

    def __init__(self, content: bytes, added: str) -> None:
        self.lines = content.decode("utf-8", "replace").splitlines()
        self.added = added

    def name_of(self, name: str) -> str:
        """The part of a reported name that stands in the file, "" for none: runners put the names of suites before it.

        `adds up` of `cart > adds up` and of `cart adds up`, `test_adds` of `test_adds[1]` and of `Cart.test_adds`.
        """
        words = name.rpartition(" > ")[2].rpartition("::")[2].partition("[")[0].split()
        ends = [" ".join(words[start:]) for start in range(len(words))]
        ends += [end.rpartition(".")[2] for end in ends if "." in end]
        return next((end for end in ends if len(end) > 2 and any(end in line for line in self.lines)), "")


def _changed(job: Job, trees: Trees) -> dict[str, _Text]:
    files = {
        file.path.decode("utf-8", "surrogateescape"): file
        for file in job.change.files
        if file.kind == "test" and file.by_hand
    }
    contents = trees.after.read(files)
    return {
        path: _Text(content, "\n".join(_decoded(line) for hunk in files[path].hunks for line in hunk.added))
        for path, content in sorted(contents.items())
    }


def _run(job: Job, folder: Path, texts: Mapping[str, _Text], limits: Limits) -> Trial:
    report = folder / (job.request.junit or ".tidegate-junit.xml")
    if not report.resolve().is_relative_to(folder):
        raise InputError(
            "the report must lie below the folder of the tests", where="--junit", mend="name a path like out/junit.xml"
        )
    report.unlink(missing_ok=True)
    report.parent.mkdir(parents=True, exist_ok=True)
    files = tuple(texts)
    ran = run_limited(_filled(job.request.command, files, report), folder, job.request.environment, limits)
    if job.request.junit:
        return _by_report(ran, report, texts, needed=folder == job.head)
    case = Case("", "failed" if ran.exit_code else "passed", f"exit code {ran.exit_code}: {_last_line(ran)}")
    if ran.timed_out:
        case = Case("", "unknown", f"it was not done after {limits.seconds:.0f} s")
    elif ran.exit_code in _NOT_FOUND:
        case = Case("", "unknown", f"the command was not found (exit code {ran.exit_code})")
    return Trial({TestName(" ".join(files)[:300], ""): (case,)}, {}, "", "", ran.seconds, ran.cpu_seconds)


def _by_report(ran: Ran, report: Path, texts: Mapping[str, _Text], *, needed: bool) -> Trial:
    """The cases of the report, by class and name. Without the change there may be none, because nothing compiled."""
    from tidegate.verify.junit import read_cases

    cases: dict[TestName, list[Case]] = defaultdict(list)
    problems: dict[str, Problem] = {}
    told: list[str] = []
    cut = f"it was not done after {ran.seconds:.0f} s" if ran.timed_out else ""
    if report.is_file() and not ran.timed_out:
        for case in read_cases(report)[0]:
            test = TestName(_file_of(case.name, case.file, texts), case.full_name)
            reason = case.message.split("\n", 1)[0][:300]
            cases[test].append(Case(f"{case.name}[{len(cases[test])}]", case.outcome, reason or case.outcome))
            told.append(case.message[:_MESSAGE_CHARACTERS])
    elif needed and not ran.timed_out:
        raise InputError(
            f"the command wrote no report ({_last_line(ran)})",
            where="--junit",
            mend="let the command write it there: {junit} in the command stands for its path",
        )
    if ran.exit_code and not ran.timed_out:
        # Some runners tell why a file could not be loaded in the report alone.
        problems[""] = _problem("\n".join([ran.output, *filter(None, told[:_MOST_MESSAGES])]))
    found = {test: tuple(inside) for test, inside in cases.items()}
    return Trial(found, problems, "", cut, ran.seconds, ran.cpu_seconds)


def _selected(test: TestName, id_: str, texts: Mapping[str, _Text]) -> Selected:
    """A test of a report. Only one whose name stands on an added line is known to be changed itself."""
    if not test.name:
        return Selected(test)
    text = texts.get(test.path)
    name = text.name_of(id_) if text is not None else ""
    if text is None or not name:
        return Selected(test, 0, direct=False)
    line = next(number for number, line in enumerate(text.lines, 1) if name in line)
    return Selected(test, line, direct=name in text.added)


def _file_of(name: str, said: str, texts: Mapping[str, _Text]) -> str:
    """The changed file that a case of a report is in: the one that it names, else the one that holds its name."""
    for path in texts:
        if said and (said == path or said.endswith(f"/{path}")):
            return path
    return next((path for path, text in texts.items() if text.name_of(name)), said)


def _problem(output: str) -> Problem:
    """What a run without a case for a test complains of, and the names in it."""
    told = [line.strip() for line in output.splitlines() if _LACKING.search(line)]
    quoted = [text for line in told[:20] for found in _QUOTED.findall(line) for text in found if text]
    names = [word for text in quoted for word in _WORD.findall(text.rpartition("/")[2].partition(".")[0])]
    return Problem("CompileError", told[0][:300] if told else "it ended with an error", tuple(dict.fromkeys(names)))


def _added(job: Job) -> Added:
    """What the change adds, with the names of new files: what a module is called where it is imported by its path."""
    added = added_by(job.change, (), ())
    new = (file.path for file in job.change.files if file.kind == "source" and file.status in ("added", "renamed"))
    stems = (_decoded(path).rpartition("/")[2].partition(".")[0] for path in new)
    return Added(added.identifiers.union(stems), added.modules, added.tops)


def _filled(command: str, files: Sequence[str], report: Path) -> list[str]:
    filled: list[str] = []
    for word in shlex.split(command):
        if word in ("{files}", "{tests}"):
            filled += files
        else:
            filled.append(word.replace("{files}", " ".join(files)).replace("{junit}", str(report)))
    return filled


def _last_line(ran: Ran) -> str:
    return ran.output.strip().rpartition("\n")[2][:160] or "it printed nothing"


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")
