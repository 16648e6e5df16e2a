"""The question asked with `go test -json`: which tests changed, and what became of them in each run."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tidegate.change.trees import Trees
from tidegate.change.values import Change
from tidegate.errors import InputError
from tidegate.verify.failbefore.job import Answer, Job
from tidegate.verify.failbefore.judge import Trials, judge, told_differently
from tidegate.verify.failbefore.overlay import added_by
from tidegate.verify.failbefore.values import Case, CaseOutcome, Problem, Selected, TestName, Trial
from tidegate.verify.runner import Limits, Ran, run_limited


def select_go(change: Change, trees: Trees) -> tuple[Selected, ...]:
    """The tests of changed `_test.go` files whose own text differs from the base's."""
    by_path = {pair.path: pair for pair in trees.changed}
    names = [file.path.decode("utf-8", "surrogateescape") for file in change.files if file.kind == "test"]
    pairs = [by_path[name] for name in names if name.endswith("_test.go") and name in by_path and by_path[name].after]
    old = trees.before.read(pair.before for pair in pairs if pair.before)
    new = trees.after.read(pair.after for pair in pairs)
    found = []
    for pair in pairs:
        before = {name: text for name, _, text in _functions(old.get(pair.before, b""))}
        for name, line, text in _functions(new.get(pair.after, b"")):
            if before.get(name) != text:
                found.append(Selected(TestName(pair.after, name), line))
    return tuple(found)


def answer_by_go(job: Job, selected: Sequence[Selected]) -> Answer:
    """What the changed Go tests prove. Raises InputError where there is no `go`."""
    job.lay_out()
    head = _run(job, job.head, selected, job.limits())
    base = _run(job, job.base, selected, job.limits(head))
    differ = set(told_differently(selected, head, base))
    again = None
    if differ:
        again = _run(job, job.head, [one for one in selected if one.test in differ], job.limits(head))
    tests = judge(selected, Trials(head, base, again), added_by(job.change, (), ()))
    return job.answer("go", "go test -json -run {tests} {packages}", tests, (head, base, again))


def read_go(output: str, ran: Ran, selected: Iterable[Selected], module: str) -> Trial:
    """What `go test -json` printed as cases. A package that does not compile is a problem of its test files."""
    outcomes: dict[tuple[str, str], CaseOutcome] = {}
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    loose: list[str] = []
    for line in output.splitlines():
        event = _event(line)
        key = (str(event.get("Package", "")), str(event.get("Test", "")))
        action = event.get("Action")
        if not event:
            loose.append(line)
        elif action == "build-output":
            loose.append(str(event.get("Output", "")).rstrip())
        elif action == "output":
            said[key].append(str(event.get("Output", "")).strip())
        elif action in _OUTCOMES and key[1]:
            outcomes[key] = _OUTCOMES[str(action)]
    cases: dict[TestName, tuple[Case, ...]] = {}
    files: dict[str, Problem] = {}
    for one in selected:
        folder = one.test.path.rpartition("/")[0].removeprefix(module).strip("/")
        keys = [key for key in outcomes if key[1] == one.test.name and (not folder or key[0].endswith(f"/{folder}"))]
        if keys:
            key = min(keys, key=lambda key: len(key[0]))
            lines = [text for text in said[key] if text and not text.startswith(("=== ", "--- "))]
            cases[one.test] = (Case(one.test.name, outcomes[key], (lines or ["it fails"])[0][:200]),)
        elif loose:
            files[one.test.path] = _compiler(loose)
    cut = f"it was not done after {ran.seconds:.0f} s" if ran.timed_out else ""
    return Trial(cases, files, "", cut, ran.seconds, ran.cpu_seconds)


# Private

_TEST = re.compile(rb"^func ((?:Test|Fuzz|Example)\w*)\(", re.MULTILINE)
_OUTCOMES: Mapping[str, CaseOutcome] = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_OUTPUT_BYTES = 32 << 20
_NAMES = re.compile(
    r"undefined: (?:\w+\.)?(\w+)|undefined \(type [^)]* has no field or method (\w+)|unknown field '?(\w+)"
    r"|missing method (\w+)|(?:in call to|arguments to) (?:[\w.]+\.)?(\w+)"
)


def _functions(content: bytes) -> list[tuple[str, int, bytes]]:
    """Test functions with their line and their text without blank lines: from `func` to the brace that closes it."""
    found = []
    for match in _TEST.finditer(content):
        end = content.find(b"\n}", match.start())
        text = content[match.start() : end + 2 if end >= 0 else len(content)]
        lines = b"\n".join(line.strip() for line in text.splitlines() if line.strip())
        found.append((match[1].decode(), content.count(b"\n", 0, match.start()) + 1, lines))
    return found


def _run(job: Job, folder: Path, selected: Sequence[Selected], limits: Limits) -> Trial:
    """One run in each module that holds selected tests."""
    by_module: dict[str, list[Selected]] = defaultdict(list)
    for one in selected:
        by_module[_module(one.test.path, job.files[0])].append(one)
    trials = [_run_module(job, folder, module, inside, limits) for module, inside in sorted(by_module.items())]
    return Trial(
        cases={test: cases for trial in trials for test, cases in trial.cases.items()},
        files={path: problem for trial in trials for path, problem in trial.files.items()},
        cut_short=next((trial.cut_short for trial in trials if trial.cut_short), ""),
        seconds=sum(trial.seconds for trial in trials),
        cpu_seconds=sum(trial.cpu_seconds for trial in trials),
    )


def _run_module(job: Job, folder: Path, module: str, selected: Sequence[Selected], limits: Limits) -> Trial:
    packages = sorted({"./" + one.test.path.rpartition("/")[0].removeprefix(module).strip("/") for one in selected})
    names = "|".join(sorted({one.test.name for one in selected}))
    command = ["go", "test", "-json", "-count=1", "-run", f"^({names})$", *packages]
    limits = Limits(seconds=limits.seconds, output_bytes=_OUTPUT_BYTES)
    try:
        ran = run_limited(command, folder / module, job.request.environment, limits)
    except InputError as error:
        raise InputError("there is no `go` here", where="PATH", mend="install Go, or give --command") from error
    return read_go(ran.output, ran, selected, module)


def _module(path: str, files: Iterable[str]) -> str:
    """The folder of the go.mod that a file belongs to."""
    listed = set(files)
    folder = path.rpartition("/")[0]
    while folder and f"{folder}/go.mod" not in listed:
        folder = folder.rpartition("/")[0]
    return folder


def _event(line: str) -> dict[str, object]:
    if not line.startswith("{"):
        return {}
    try:
        event = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError):
        return {}
    return event if isinstance(event, dict) else {}


def _compiler(lines: Sequence[str]) -> Problem:
    told = [line for line in lines if line.strip() and not line.startswith("#")]
    names = [name for line in told for found in _NAMES.findall(line) for name in found if name]
    return Problem("CompileError", told[0][:300] if told else "", tuple(dict.fromkeys(names)))
