"""What a test proves: its run with the change set beside its run without. Pure; it runs and reads nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from tidegate.facts import FailBeforeFacts
from tidegate.verify.failbefore.values import (
    Added,
    Case,
    Class,
    Problem,
    Selected,
    Shows,
    TestName,
    TestResult,
    Trial,
)

BREAKING = ("ImportError", "AttributeError", "TypeError", "NameError", "CompileError")
"""Exceptions by which a test breaks before it begins when what the change adds is not there."""


class Trials(Struct, frozen=True):
    """The runs of one change. The second ones are of tests that a first run left in doubt."""

    head: Trial
    base: Trial
    again: Trial | None = None
    base_again: Trial | None = None


def judge(selected: Iterable[Selected], trials: Trials, added: Added) -> tuple[TestResult, ...]:
    """One result for each selected test, in order; a file that was selected whole is told by its tests.

    A test that only uses a changed helper counts where it proves something or fails, and else is left out: the change
    did not touch it.
    """
    results = []
    for one in _spread(selected, trials.head):
        class_, reason, shows = _judged(one.test, trials, added)
        if one.direct or class_ in ("fail_before", "failed"):
            cases = len(trials.head.cases.get(one.test, ()))
            results.append(TestResult(one.test.path, one.test.name, one.line, class_, reason, cases, one.direct, shows))
    return tuple(results)


def told_differently(selected: Iterable[Selected], head: Trial, base: Trial) -> tuple[TestName, ...]:
    """The tests to run once more with the change: those that failed with it, or only without it."""
    found = []
    for one in _spread(selected, head):
        mine = head.cases.get(one.test, ())
        if _any(mine, "failed") or (_any(mine, "passed") and _any(base.cases.get(one.test, ()), "failed", "broken")):
            found.append(one.test)
    return tuple(found)


def facts_of(results: Sequence[TestResult]) -> FailBeforeFacts:
    """How many tests are in each class."""
    found = Counter(result.class_ for result in results)
    return FailBeforeFacts(
        ran=len(results),
        fail_before=found["fail_before"],
        pass_before=found["pass_before"],
        unknown=found["unknown"],
        failed=found["failed"],
        existence=sum(result.shows == "existence" for result in results),
    )


def wavering(selected: Iterable[Selected], head: Trial, base: Trial) -> tuple[TestName, ...]:
    """The tests that failed without the change, and passed when they were tried a second time."""
    tests = (one.test for one in _spread(selected, head))
    return tuple(test for test in tests if any(case.wavers for case in base.cases.get(test, ())))


# Private

_FIGURES = re.compile(r"\d+")
_LACK = re.compile(
    r"has no attribute|is not defined|unexpected keyword argument|positional arguments? but|takes no arguments"
)


def _spread(selected: Iterable[Selected], head: Trial) -> list[Selected]:
    """The selected tests; a whole file as the tests that were found in it."""
    found: dict[TestName, Selected] = {}
    for one in selected:
        inside = [test for test in head.cases if test.path == one.test.path] if not one.test.name else []
        for test in inside or [one.test]:
            found.setdefault(test, Selected(test, one.line if test == one.test else 0, one.direct))
    return sorted(found.values(), key=lambda one: one.test)


class _Said(NamedTuple):
    class_: Class
    reason: str
    shows: Shows = ""


def _judged(test: TestName, trials: Trials, added: Added) -> _Said:
    return _with_change(test, trials) or _without_change(test, trials, added)


def _with_change(test: TestName, trials: Trials) -> _Said | None:
    """The class where the run with the change settles it; None for a test that passes with it."""
    head, again = trials.head, trials.again
    cases = head.cases.get(test, ())
    if head.trouble:
        return _Said("unknown", head.trouble)
    if not cases:
        problem = head.files.get(test.path) or head.files.get("")
        if problem is not None:
            return _Said("unknown", f"it could not be {_how(problem)} with the change ({problem})")
        return _Said("unknown", head.cut_short or "it was not collected with the change")
    second = {case.id: case for case in again.cases.get(test, ())} if again is not None and not again.trouble else {}
    failed = [case for case in cases if case.outcome == "failed"]
    for case in failed:
        other = second.get(case.id)
        if case.wavers or (other is not None and other.outcome == "passed"):
            reason = f"it is flaky or needs other tests: with the change it failed, then passed ({case.reason})"
            return _Said("unknown", reason)
    if failed:
        return _Said("failed", f"it fails with the change ({failed[0].reason})")
    passed = [case for case in cases if case.outcome == "passed"]
    if any(second[case.id].outcome == "failed" for case in passed if case.id in second):
        return _Said("unknown", "it is flaky: with the change it passed and then failed")
    for case in cases:
        if case.outcome in ("broken", "unknown"):
            return _Said("unknown", f"with the change it could not be run ({case.reason})")
    return None if passed else _Said("unknown", f"it was skipped ({cases[0].reason})")


def _without_change(test: TestName, trials: Trials, added: Added) -> _Said:
    """The class of a test that passes with the change, from its run without."""
    base = trials.base
    if base.trouble:
        return _Said("unknown", f"without the change: {base.trouble}")
    mine = {case.id: case for case in base.cases.get(test, ())}
    passing = [case for case in trials.head.cases[test] if case.outcome == "passed"]
    if not mine:
        problem = base.files.get(test.path) or base.files.get("")
        if problem is None:
            return _Said("unknown", f"without the change {base.cut_short or 'it was not collected'}")
        return _blamed(problem, added, f"it cannot be {_how(problem)} without the change")
    mine = _paired(passing, mine)
    # Without the change a test may get other parameters: one that only the base has still speaks for the test.
    relevant = [mine[case.id] for case in passing if case.id in mine] or list(mine.values())
    if proof := _proven(_settled(test, relevant, trials.base_again), added):
        return proof
    if reason := _untold(relevant):
        return _Said("unknown", f"without the change {reason}")
    if any(case.id not in mine for case in passing):
        return _Said("unknown", "without the change it gets other parameters")
    return _Said("pass_before", "it passes without the change too")


def _paired(passing: Sequence[Case], mine: dict[str, Case]) -> dict[str, Case]:
    """The cases without the change under the names that they have with it, where only figures in these differ: a
    parameter that is a time, an address or a number of the run."""
    new = [case.id for case in passing if case.id not in mine]
    old = [id_ for id_ in mine if id_ not in {case.id for case in passing}]
    if not new or [_FIGURES.sub("0", id_) for id_ in new] != [_FIGURES.sub("0", id_) for id_ in old]:
        return mine
    return {**mine, **{name: mine[id_] for name, id_ in zip(new, old, strict=True)}}


def _settled(test: TestName, cases: Iterable[Case], again: Trial | None) -> list[Case]:
    """The cases without those that failed once and passed once, unless a fresh run of them failed as well."""
    second = {case.id: case.outcome for case in again.cases.get(test, ())} if again is not None else {}
    return [case for case in cases if not case.wavers or second.get(case.id) == "failed"]


def _proven(cases: Iterable[Case], added: Added) -> _Said | None:
    """What these runs without the change prove, None where none does. A behaviour says more than an existence."""
    found = [said for case in cases if (said := _proof(case, added)) is not None]
    return next((said for said in found if said.shows == "behaviour"), found[0] if found else None)


def _proof(case: Case, added: Added) -> _Said | None:
    of_the_change = case.problem is not None and _of_the_change(case.problem, added)
    if case.outcome == "failed" and not _foreign(case.problem, added):
        lacking = of_the_change and case.problem is not None and _is_lack(case.problem)
        shows: Shows = "existence" if lacking else "behaviour"
        return _Said("fail_before", f"without the change it fails ({case.reason})", shows)
    if case.outcome == "broken" and of_the_change:
        return _Said("fail_before", f"without the change it fails before it begins ({case.reason})", "existence")
    return None


def _untold(cases: Iterable[Case]) -> str:
    """Why one of these runs tells nothing, "" where all of them passed."""
    for case in cases:
        if case.wavers:
            return f"it is flaky: it failed ({case.reason}), then passed"
        if case.outcome == "failed":
            return f"it lacks something that is not of this project ({case.reason})"
        if case.outcome in ("broken", "unknown"):
            return f"it could not be run ({case.reason})"
        if case.outcome == "skipped":
            return f"it is skipped ({case.reason})"
    return ""


def _blamed(problem: Problem, added: Added, what: str) -> _Said:
    if _of_the_change(problem, added):
        return _Said("fail_before", f"{what} ({problem})", "existence")
    return _Said("unknown", f"{what}, for a reason that the change does not explain ({problem})")


def _how(problem: Problem) -> str:
    return "compiled" if problem.kind == "CompileError" else "imported"


def _of_the_change(problem: Problem, added: Added) -> bool:
    """Whether an exception is about something that the change adds."""
    if problem.kind not in BREAKING or _foreign(problem, added):
        return False
    if problem.kind == "ImportError":
        missing = {problem.module, *problem.names}
        if any(_within(name, added.modules) for name in missing):
            return True
    return any(part in added.identifiers for name in problem.names for part in name.split("."))


def _is_lack(problem: Problem) -> bool:
    """Whether an exception says that a name or a parameter is not there, and not that a value is wrong."""
    if problem.kind in ("ImportError", "CompileError"):
        return True
    return bool(_LACK.search(problem.message)) and "'NoneType' object" not in problem.message


def _foreign(problem: Problem | None, added: Added) -> bool:
    """Whether an import failed that is not of this project."""
    if problem is None or problem.kind != "ImportError" or not problem.module:
        return False
    return problem.module.partition(".")[0] not in added.tops


def _within(name: str, modules: Iterable[str]) -> bool:
    """Whether a module is new, or is a package that holds nothing but new modules' names below it."""
    return bool(name) and any(module == name or module.startswith(f"{name}.") for module in modules)


def _any(cases: Sequence[Case], *outcomes: str) -> bool:
    return any(case.outcome in outcomes for case in cases)
