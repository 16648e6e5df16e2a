"""Runs chosen tests under the user's own pytest, and reads what our plugin wrote of each of them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.change.git_dir import read_small
from tidegate.errors import InputError
from tidegate.verify.failbefore.values import Case, CaseOutcome, Problem, TestName, Trial
from tidegate.verify.runner import Limits, Ran, run_limited

PLUGIN = "tidegate_verify_events"
EVENTS_LIMIT_BYTES = 64 << 20


class Interpreter(Struct, frozen=True):
    """What the user's Python says of itself: which pytest and plugins it would import, and where packages lie."""

    path: str
    version: str
    pytest: bool
    plugins: tuple[str, ...]
    installed: tuple[str, ...]


class Asked(Struct, frozen=True):
    """What is to be run in one folder. `wanted` are the tests by file, an empty list for the whole file.

    `project` is the folder that they run in, "" for the tree itself. `retry` is how many of the tests that fail are
    tried a second time, with `whole` behind the tests that stand before them in their files.
    """

    wanted: Mapping[str, Sequence[str]]
    roots: Sequence[str]
    tops: frozenset[str]
    command: str = ""
    project: str = ""
    retry: int = 0
    whole: bool = False


def probe(python: str, environment: Mapping[str, str], folder: Path) -> Interpreter:
    """Asks an interpreter what it is. Raises InputError for one that gives no answer in half a minute."""
    ran = run_limited([python, "-c", _PROBE], folder, _clean(environment), Limits(seconds=30))
    try:
        told = json.loads(ran.output.strip().rpartition("\n")[2])
        return Interpreter(
            python, told["version"], "pytest" in told["found"], tuple(told["found"]), tuple(told["installed"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"this Python gives no answer ({_last_line(ran.output)})", where=python, mend="name another with --python"
        ) from error


def run_pytest(
    asked: Asked, interpreter: Interpreter, folder: Path, environment: Mapping[str, str], limits: Limits
) -> Trial:
    """What became of the wanted tests in `folder`. A run that tells nothing has its trouble said, and never raises."""
    files = [path for path in sorted(asked.wanted) if (folder / path).is_file()]
    scratch = folder.parent / f"{folder.name}.run"
    events = scratch / "events.jsonl"
    told: dict[str, object] = {"tests": asked.wanted, "tops": sorted(asked.tops), "roots": list(asked.roots)}
    told |= {"retry": asked.retry, "whole": asked.whole}
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        shutil.copyfile(Path(__file__).with_name("plugin.py"), scratch / f"{PLUGIN}.py")
        (scratch / "wanted.json").write_text(json.dumps(told), encoding="utf-8")
        (folder / asked.project).stat()
    except OSError as error:
        return Trial(trouble=f"the tests took away the folder that they run in ({error.strerror})")
    own = _environment(asked, environment, folder, scratch)
    command = _command(asked, interpreter, folder, files)
    if asked.command:
        own["PYTEST_ADDOPTS"] = f"{own.get('PYTEST_ADDOPTS', '')} -p {PLUGIN}".strip()
    ran = run_limited(command, folder / asked.project, own, limits)
    return read_events((read_small(events, EVENTS_LIMIT_BYTES) or b"").splitlines(), ran, folder)


def read_events(lines: Iterable[bytes], ran: Ran, folder: Path) -> Trial:
    """The events of one run as cases. Lines that are no events are left out: the tests could have written them.

    Paths are told as they are in the tree, and addresses of objects left out: the same tests give the same words.
    """
    seen = _Seen()
    own = f"{folder}/".encode()
    for line in lines:
        try:
            event = msgspec.json.decode(_ADDRESS.sub(b"0x", line.replace(own, b"")))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(event, dict):
            seen.take(event)
    return seen.trial(ran)


# Private

_PLUGINS = ("pytest", "xdist", "pytest_cov", "pytest_randomly", "pytest_random_order")
_PROBE = f"""
import json, sys, sysconfig
from importlib.util import find_spec
paths = sysconfig.get_paths()
print(json.dumps({{
    "version": sys.version.split()[0],
    "found": [name for name in {_PLUGINS!r} if find_spec(name)],
    "installed": [paths["purelib"], paths["platlib"]],
}}))
"""
_ADDRESS = re.compile(rb"\b0x[0-9a-f]{6,16}\b")
_OWN = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "COVERAGE_PROCESS_START", "PYTHONSAFEPATH")


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in environment.items() if k not in _OWN and not k.startswith(("TIDEGATE_VERIFY_", "GIT_"))}
    # Sets that tests are made from are to come in one order both times.
    kept.setdefault("PYTHONHASHSEED", "0")
    return kept


def _environment(asked: Asked, environment: Mapping[str, str], folder: Path, scratch: Path) -> dict[str, str]:
    own = _clean(environment)
    roots = [str(folder / root) if root else str(folder) for root in asked.roots]
    own["PYTHONPATH"] = os.pathsep.join([str(scratch), *roots, *filter(None, [own.get("PYTHONPATH", "")])])
    own["TIDEGATE_VERIFY_EVENTS"] = str(scratch / "events.jsonl")
    own["TIDEGATE_VERIFY_WANTED"] = str(scratch / "wanted.json")
    own["TIDEGATE_VERIFY_ROOT"] = str(folder)
    return own


def _command(asked: Asked, interpreter: Interpreter, folder: Path, files: Sequence[str]) -> list[str]:
    if asked.command:
        words = shlex.split(asked.command)
        tests = [f"{path}::{name.replace('.', '::')}" for path in files for name in asked.wanted[path]]
        filled: list[str] = []
        for word in words:
            if word in ("{files}", "{tests}"):
                filled += files if word == "{files}" else tests or files
            else:
                filled.append(word.replace("{python}", interpreter.path).replace("{files}", " ".join(files)))
        return filled
    switches = ["-q", "--color=no", "--tb=short", "--maxfail=0", "--continue-on-collection-errors"]
    switches += ["-n0"] if "xdist" in interpreter.plugins else []
    switches += ["--no-cov"] if "pytest_cov" in interpreter.plugins else []
    for name, plugin in (("pytest_randomly", "randomly"), ("pytest_random_order", "random_order")):
        switches += ["-p", f"no:{plugin}"] if name in interpreter.plugins else []
    root = folder / asked.project
    lead = [interpreter.path, "-m", "pytest", "-p", PLUGIN, f"--rootdir={root}", f"--confcutdir={folder}"]
    return [*lead, *switches, *(path.removeprefix(f"{asked.project}/") for path in files)]


class _Seen:
    """The events of one run, as they come in."""

    def __init__(self) -> None:
        self.begun = False
        self.ended = False
        self.elsewhere: dict[str, str] = {}
        self.items: dict[str, TestName] = {}
        self.started: list[str] = []
        self.finished: set[str] = set()
        self.files: dict[str, Problem] = {}
        self.reports: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.problems: dict[tuple[str, str], Problem] = {}
        self.again: dict[str, set[str]] = defaultdict(set)

    def take(self, event: dict[str, Any]) -> None:
        kind, id_ = event.get("event"), str(event.get("id", ""))
        if kind == "begin":
            self.begun = True
        elif kind == "item":
            self.items[id_] = TestName(str(event.get("path", "")), str(event.get("name", "")))
        elif kind == "start":
            self.started.append(id_)
        elif kind == "report":
            self.reports[id_].append(event)
        elif kind == "again":
            self.again[id_].add(f"{event.get('when')} {event.get('outcome')}")
        elif kind == "problem":
            self.problems[id_, str(event.get("when", ""))] = _problem(event)
        elif kind == "finish":
            self.finished.add(id_)
        elif kind == "unimportable":
            self.files.setdefault(str(event.get("path", "")), _problem(event))
        elif kind in ("looped", "end"):
            self.ended = self.ended or kind == "end"
            elsewhere = event.get("elsewhere")
            self.elsewhere |= elsewhere if isinstance(elsewhere, dict) else {}

    def trial(self, ran: Ran) -> Trial:
        trouble = cut = ""
        if self.elsewhere:
            name, file = min(self.elsewhere.items())
            trouble = f"{name} was imported from {file}, not from the tree under test"
        elif not self.begun and "" not in self.files:
            how = "was not done in time" if ran.timed_out else f"ended with exit code {ran.exit_code}"
            trouble = f"pytest did not begin: it {how} ({_last_line(ran.output)})"
        if not self.ended:
            cut = f"it was not done after {ran.seconds:.0f} s" if ran.timed_out else "the interpreter crashed"
        cases: dict[TestName, list[Case]] = defaultdict(list)
        for id_, test in self.items.items():
            cases[test].append(self._case(id_, cut))
        return Trial(
            cases={test: tuple(found) for test, found in cases.items()},
            files=self.files,
            trouble=trouble,
            cut_short=cut,
            seconds=ran.seconds,
            cpu_seconds=ran.cpu_seconds,
        )

    def _case(self, id_: str, cut: str) -> Case:
        reports = self.reports.get(id_, [])
        if id_ not in self.finished and cut:
            inside = bool(self.started) and self.started[-1] == id_
            return Case(id_, "unknown", f"{cut} in this test" if inside else f"{cut} before this test")
        for report in reports:
            if report.get("outcome") == "failed":
                return self._failed(id_, report)
        skipped = [report for report in reports if report.get("outcome") == "skipped" or report.get("expected")]
        if skipped:
            return Case(id_, "skipped", _words(str(skipped[0].get("reason", ""))))
        passed = any(report.get("when") == "call" and report.get("outcome") == "passed" for report in reports)
        return Case(id_, "passed") if passed else Case(id_, "unknown", "it was not run")

    def _failed(self, id_: str, report: dict[str, Any]) -> Case:
        when = str(report.get("when", ""))
        text = str(report.get("text", ""))
        problem = self.problems.get((id_, when)) or Problem("failure", _last_line(text))
        if problem.kind == "Failed" and problem.message.startswith("Timeout"):
            return Case(id_, "unknown", f"it was not done in time ({_words(problem.message)})")
        outcome: CaseOutcome = "failed" if when == "call" else "broken"
        second = self.again.get(id_, ())
        # A test with parts (subtests) has a report for each.
        wavers = "call passed" in second and "call failed" not in second
        return Case(id_, outcome, str(problem), problem, wavers)


def _problem(event: dict[str, Any]) -> Problem:
    names = event.get("names")
    return Problem(
        kind=str(event.get("kind", ""))[:100],
        message=str(event.get("message", ""))[:2000],
        names=tuple(str(name) for name in names) if isinstance(names, list) else (),
        module=str(event.get("module", ""))[:500],
    )


def _words(text: str) -> str:
    return " ".join(text.split())[:200]


def _last_line(text: str) -> str:
    return _words(text.strip().rpartition("\n")[2]) or "it printed nothing"
