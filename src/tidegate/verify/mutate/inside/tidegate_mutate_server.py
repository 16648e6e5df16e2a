"""Forks a process for each mutant from one that has imported and collected everything. PYTEST_DONT_REWRITE

The parent never runs a test itself: what one test leaves behind is never there when the next mutant is tried. A test
that kills for the first time is run again without the mutant, after the same tests: if it fails then too, it proves
nothing and is left out.
"""

from __future__ import annotations

import gc
import importlib
import os
import re
import sys
import time
from collections import Counter
from typing import Any

import pytest

# So many tests of a mutant run by name and speed; the others in their own order, so that fixtures are shared.
_FIRST = 10
_CRASHES = 5
# A killer is tried again without the mutant after so many of the tests that ran before it.
_BEFORE = 20

# They lie beside this file, in a folder that only the user's Python knows.
_code: Any = importlib.import_module("tidegate_mutate_code")
_process: Any = importlib.import_module("tidegate_mutate_process")


class Server:
    """The tests of a session and the mutants of a job."""

    def __init__(self, session: Any, job: dict[str, Any], out: Any, recorder: Any) -> None:
        self.session, self.job, self.out, self.recorder = session, job, out, recorder
        self.items: list[Any] = session.items
        self.mutants = {mutant["id"]: mutant for mutant in job["mutants"]}
        self.seconds: dict[int, float] = {}
        self.covering: dict[int, list[int]] = {identity: [] for identity in self.mutants}
        self.left_out: set[int] = set()
        self.trusted: set[int] = set()
        self.kills: dict[int, int] = {}
        self.functions: dict[str, list[Any]] = {}
        self.outside: set[int] = set()
        self.words: list[frozenset[str]] = []
        self.often: Counter[str] = Counter()

    def plain(self) -> None:
        """Run all tests here, and hear them."""
        self._announce()
        self._run_heard(range(len(self.items)), lambda event: self.out.tell(**event))
        self.out.tell(kind="heard")

    def serve(self) -> None:
        self._announce()
        sys.stdout.flush()
        sys.stderr.flush()
        self.functions = _code.find_functions(self.recorder.by_path, self.recorder.path_of)
        gc.collect()
        gc.freeze()
        if not self._hear():
            self.out.tell(kind="stuck")
            return
        spent = os.times()
        self.out.tell(kind="heard", cpu=sum(spent[:4]))
        start = time.monotonic()
        self._judge()
        self.out.tell(kind="served", seconds=time.monotonic() - start)

    # Private, hearing

    def _announce(self) -> None:
        covered, _ = self.recorder.hit()
        self.outside = set(covered)
        self.out.tell(
            kind="collected",
            tests=len(self.items),
            outside=covered,
            imported=_code.imported(self.recorder.by_path, self.recorder.path_of),
        )

    def _hear(self) -> bool:
        """One run of all tests in a child; where it crashes, another goes on after the test that it crashed in."""
        at, end = 0, time.monotonic() + self.job["seconds"]
        for _ in range(_CRASHES):
            left = list(range(at, len(self.items)))
            child = self._fork({"kind": "hear", "tests": left}, end - time.monotonic(), 0)
            _process.await_children([child])
            begun = -1
            for event in child.events():
                if event["kind"] == "begin":
                    begun = event["test"]
                elif event["kind"] == "test":
                    self._learn(event)
                    begun = -1
            if child.overdue:
                self.out.tell(kind="late", test=self._name(begun))
                return bool(self.seconds)
            if begun < 0:
                return bool(self.seconds) or not self.items
            self.left_out.add(begun)
            self.out.tell(kind="left-out", test=self._name(begun), why="it ends the process")
            at = begun + 1
        return bool(self.seconds)

    def _learn(self, event: dict[str, Any]) -> None:
        index = event["test"]
        self.out.tell(**dict(event, test=self.items[index].nodeid))
        self.seconds[index] = event["seconds"]
        if event["outcome"] == "failed":
            self.left_out.add(index)
        elif event["outcome"] == "passed":
            for identity in event["covered"]:
                self.covering[identity].append(index)

    def _run_heard(self, indexes: Any, tell: Any) -> None:
        outcome, fixtures = _Outcome(), _Fixtures(self.recorder)
        self.session.config.pluginmanager.register(outcome, "tidegate-mutate-outcome")
        self.session.config.pluginmanager.register(fixtures, "tidegate-mutate-fixtures")
        order = list(indexes)
        for place, index in enumerate(order):
            following = self.items[order[place + 1]] if place + 1 < len(order) else None
            tell({"kind": "begin", "test": index})
            outcome.begin()
            fixtures.begin()
            start = time.perf_counter()
            _run(self.items[index], following, outcome)
            seconds = time.perf_counter() - start
            covered, near = fixtures.hit(self.items[index])
            named = self.items[index].nodeid if self.job["mode"] == "plain" else index
            tell(
                {
                    "kind": "test",
                    "test": named,
                    "seconds": round(seconds, 4),
                    "outcome": outcome.said(),
                    "covered": covered,
                    "near": near,
                }
            )

    # Private, judging

    def _judge(self) -> None:
        """All mutants of functions, some at once. Import-time mutants are not ours."""
        end = time.monotonic() + self.job["budget"]
        waiting = [
            {"kind": "mutant", "mutant": m["id"]}
            for m in self.job["mutants"]
            if m["lane"] == "call" and self.covering[m["id"]]
        ]
        waiting.reverse()
        running: list[Any] = []
        while waiting or running:
            while waiting and len(running) < self.job["at_once"] and time.monotonic() < end:
                task = self._with_tests(waiting.pop())
                if task is not None:
                    running.append(self._fork(task, task["limit"] * 2, task["limit"]))
            if not running:
                break
            for child in _process.await_children(running, first=True):
                running.remove(child)
                waiting += self._took(child)

    def _with_tests(self, task: dict[str, Any]) -> dict[str, Any] | None:
        if task["kind"] == "confirm":
            return task
        tests = [index for index in self.covering[task["mutant"]] if index not in self.left_out]
        if not tests:
            self.out.tell(kind="mutant", id=task["mutant"], outcome="uncovered", tests=0, killer="")
            return None
        fast = sorted(tests, key=lambda i: (-min(self.kills.get(i, 0), 3), self.seconds[i], i))
        near = self._by_name(task["mutant"], tests)[:_FIRST]
        # Tests of one class often share one fate: the quickest of each comes before the rest.
        groups = {self.items[index].nodeid.rpartition("::")[0]: index for index in reversed(fast)}
        first = list(
            dict.fromkeys([*near, *fast[: _FIRST // 2], *sorted(groups.values(), key=lambda i: self.seconds[i])])
        )
        task["tests"] = first + [index for index in tests if index not in set(first)]
        task["limit"] = max(2.0, 10 * sum(self.seconds[index] for index in tests))
        return task

    def _by_name(self, identity: int, tests: list[int]) -> list[int]:
        """The tests whose names say most of what the mutant's line and function say, rare words before common ones."""
        if not self.words:
            self.words = [_words(item.nodeid) for item in self.items]
            for words in self.words:
                self.often.update(words)
        wanted = self.mutants[identity]["words"]
        told = {index: self.words[index].intersection(wanted) for index in tests}
        score = {index: sum(1 / self.often[word] for word in words) for index, words in told.items() if words}
        return sorted(score, key=lambda index: (-score[index], self.seconds[index], index))

    def _took(self, child: Any) -> list[dict[str, Any]]:
        """What follows from what a child said: further tasks, or a mutant's outcome."""
        task, said = child.task, child.events()
        last = said[-1] if said else {"kind": "nothing"}
        if task["kind"] == "confirm":
            return self._confirmed(task, last)
        ran = [event["test"] for event in said if event["kind"] == "passed"]
        if last["kind"] == "failed":
            killer = last["test"]
            if killer in self.trusted:
                self._tell(task, "killed", ran, killer)
                return []
            begun = [*ran[-_BEFORE:], killer]
            return [{"kind": "confirm", "of": task, "ran": ran, "tests": begun, "limit": task["limit"], "as": "killed"}]
        if last["kind"] in ("skip", "invalid"):
            self.out.tell(kind="mutant", id=task["mutant"], outcome=last["kind"], tests=0, killer="")
            return []
        if last["kind"] == "end":
            self._tell(task, "survived", ran, -1)
            return []
        as_ = "timeout" if child.overdue else "killed"
        rest = [index for index in task["tests"] if index not in set(ran)][:1]
        return [
            {
                "kind": "confirm",
                "of": task,
                "ran": ran,
                "tests": [*ran[-_BEFORE:], *rest],
                "limit": task["limit"],
                "as": as_,
            }
        ]

    def _confirmed(self, task: dict[str, Any], last: dict[str, Any]) -> list[dict[str, Any]]:
        """Without the mutant the same tests pass, so it was the mutant; or they do not, and the last is left out."""
        killer = task["tests"][-1]
        if last["kind"] == "end":
            self.trusted.add(killer)
            self._tell(task["of"], task["as"], task["ran"], killer)
            return []
        if last["kind"] != "failed":
            self.out.tell(kind="mutant", id=task["of"]["mutant"], outcome="unknown", tests=0, killer="")
            return []
        self.left_out.add(last["test"])
        self.out.tell(kind="left-out", test=self._name(last["test"]), why="it fails now and then without any mutant")
        return [{"kind": "mutant", "mutant": task["of"]["mutant"]}]

    def _tell(self, task: dict[str, Any], outcome: str, passed: list[int], killer: int) -> None:
        if killer >= 0:
            self.kills[killer] = self.kills.get(killer, 0) + 1
        self.out.tell(
            kind="mutant",
            id=task["mutant"],
            outcome=outcome,
            tests=len(passed) + (killer >= 0),
            killer=self._name(killer),
            passed=[self._name(index) for index in passed[:200]],
        )

    def _name(self, index: int) -> str:
        return str(self.items[index].nodeid) if index >= 0 else ""

    # Private, processes

    def _fork(self, task: dict[str, Any], seconds: float, cpu: float) -> Any:
        return _process.fork(task, _process.Limits(seconds, cpu, self.job["memory"]), self._in_child)

    def _put_in(self, identity: int) -> str:
        mutant = self.mutants[identity]
        return str(_code.put_in(mutant, self.functions.get(mutant["path"], [])))

    def _in_child(self, task: dict[str, Any], tell: Any) -> None:
        if task["kind"] == "hear":
            self._run_heard(task["tests"], tell)
            return
        self.recorder.silence()
        if task["kind"] == "mutant":
            refused = self._put_in(task["mutant"])
            if refused:
                tell({"kind": refused})
                return
        outcome = _Outcome()
        self.session.config.pluginmanager.register(outcome, "tidegate-mutate-outcome")
        order = task["tests"]
        for place, index in enumerate(order):
            following = self.items[order[place + 1]] if place + 1 < len(order) else None
            outcome.begin()
            _run(self.items[index], following, outcome)
            if outcome.failed:
                tell({"kind": "failed", "test": index})
                return
            tell({"kind": "passed", "test": index})
        tell({"kind": "end"})


class _Outcome:
    """What pytest reports of the test that runs."""

    def __init__(self) -> None:
        self.failed = self.skipped = False

    def begin(self) -> None:
        self.failed = self.skipped = False

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed = self.failed or bool(report.failed)
        self.skipped = self.skipped or bool(report.skipped)

    def said(self) -> str:
        return "failed" if self.failed else "skipped" if self.skipped else "passed"


class _Fixtures:
    """What fixtures that outlive a test execute: every test that uses them executes it too."""

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        self.by_fixture: dict[int, tuple[set[int], set[int]]] = {}
        self.covered: set[int] = set()
        self.near: set[int] = set()

    def begin(self) -> None:
        self.covered, self.near = set(), set()
        self.recorder.begin()

    def hit(self, item: Any) -> tuple[list[int], list[int]]:
        self._take()
        for definitions in getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).values():
            for definition in definitions:
                covered, near = self.by_fixture.get(id(definition), (set(), set()))
                self.covered |= covered
                self.near |= near
        return sorted(self.covered), sorted(self.near)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Any:
        if getattr(fixturedef, "scope", "function") == "function":
            yield
            return
        self._take()
        yield
        covered, near = self._take()
        known = self.by_fixture.setdefault(id(fixturedef), (set(), set()))
        known[0].update(covered)
        known[1].update(near)

    def _take(self) -> tuple[list[int], list[int]]:
        covered, near = self.recorder.hit()
        self.covered.update(covered)
        self.near.update(near)
        self.recorder.begin()
        return covered, near


def _words(nodeid: str) -> frozenset[str]:
    """The words of a test's name without its parameters."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", nodeid.split("[", 1)[0]))


def _run(item: Any, following: Any, outcome: _Outcome) -> None:
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    except BaseException:  # noqa: BLE001 pytest.exit, KeyboardInterrupt: whatever a mutant makes of the test
        outcome.failed = True
