"""Tells Tidegate what became of each test, one JSON line an event. PYTEST_DONT_REWRITE

This file runs in the user's own Python, where Tidegate is not installed: it needs nothing but the standard library and
the pytest that runs it, on Python 3.8 and later. It keeps only the tests that were asked for, and writes what it sees
to the file that the environment names, each event at once, so that a crash leaves all that came before it.
"""

# Strings instead of pathlib: this runs in the user's process, on any Python from 3.8.
# ruff: noqa: PTH113, PTH118, PTH123

from __future__ import annotations

import json
import os
import re
import sys
import threading
from typing import Any

import pytest

EVENTS = "TIDEGATE_VERIFY_EVENTS"
WANTED = "TIDEGATE_VERIFY_WANTED"
ROOT = "TIDEGATE_VERIFY_ROOT"
_LONGEST = 2000
_MOST_NAMES = 20


class _Heard:
    """Where events go, and which tests are wanted: path to names, an empty list for the whole file."""

    def __init__(self, events: str, wanted: str, root: str) -> None:
        self.root = os.path.realpath(root)
        self.events = events
        with open(wanted, encoding="utf-8") as file:
            told = json.load(file)
        self.wanted: dict[str, list[str]] = told["tests"]
        self.tops = frozenset(told["tops"])
        self.roots: list[str] = told["roots"]
        self.retry: int = told["retry"]
        self.whole: bool = told["whole"]

    def tell(self, **event: Any) -> None:
        with open(self.events, "a", encoding="utf-8") as file:
            file.write(json.dumps(event, default=str) + "\n")

    def path_of(self, node: Any) -> str:
        path = getattr(node, "path", None) or getattr(node, "fspath", "")
        return os.path.relpath(os.path.realpath(str(path)), self.root).replace(os.sep, "/")

    def name_of(self, item: Any) -> str:
        """Its classes and its function, without parameters."""
        function = getattr(item, "originalname", None) or item.name.partition("[")[0]
        classes = [node.name for node in item.listchain() if type(node).__name__ in ("Class", "UnitTestCase")]
        return ".".join([*classes, function])


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests() -> Any:
    """A conftest that cannot be imported ends pytest before any test: say which exception it was."""
    outcome = yield
    error = outcome.excinfo[1] if outcome.excinfo else None
    heard = _heard()
    if error is not None and heard is not None:
        cause = getattr(error, "cause", None)
        if cause is None and getattr(error, "excinfo", None):
            cause = error.excinfo[1]
        heard.tell(event="unimportable", path="", **_described(cause or error))


def pytest_configure(config: Any) -> None:
    """Listen, unless this is a pytest that a test has started."""
    heard = _heard()
    if heard is None or os.environ.get("PYTEST_XDIST_WORKER"):
        return
    os.environ.pop(EVENTS, None)
    heard.tell(event="begin", python=sys.version.split()[0])
    config.pluginmanager.register(_Plugin(heard), "tidegate-verify")


class _Plugin:
    def __init__(self, heard: _Heard) -> None:
        self.heard = heard
        self.problems: dict[str, dict[str, Any]] = {}
        self.failed: set[str] = set()
        self.collected: list[Any] = []
        self.again = False

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self, session: Any) -> Any:
        """When all are done, those that failed are tried once more: what then passes is flaky or needs other tests.

        In a process that was forked before the first of them ran, so that it finds nothing that they left behind.
        """
        spare = _Spare.fork(lambda failed: self._try_again(session.config, failed))
        yield
        self.heard.tell(event="looped", elsewhere=_elsewhere(self.heard))
        if spare is not None:
            spare.ask(sorted(self.failed))
        elif self.failed:
            self._try_again(session.config, sorted(self.failed))

    def _try_again(self, config: Any, failed: list[str]) -> None:
        self.failed = set(failed)
        self.again = True
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            config.pluginmanager.unregister(reporter)
        items = self._once_more()
        for place, item in enumerate(items):
            # As pytest-rerunfailures does it: fixtures are made anew.
            item._initrequest()  # noqa: SLF001
            following = items[place + 1] if self.heard.whole and place + 1 < len(items) else None
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)

    def _once_more(self) -> list[Any]:
        """The tests that failed; where whole files are asked for, behind all that stand before them in their file."""
        failed = [item for item in self.collected if item.nodeid in self.failed and hasattr(item, "_initrequest")]
        chosen = failed[: self.heard.retry]
        if not self.heard.whole:
            return chosen
        last = {self.heard.path_of(item): self.collected.index(item) for item in chosen}
        return [
            item
            for place, item in enumerate(self.collected)
            if place <= last.get(self.heard.path_of(item), -1) and hasattr(item, "_initrequest")
        ]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        heard = self.heard
        self.collected = list(items)
        kept: list[Any] = []
        left: list[Any] = []
        for item in items:
            path = heard.path_of(item)
            names = heard.wanted.get(path)
            wanted = names is not None and (not names or heard.name_of(item) in names)
            (kept if wanted else left).append(item)
        if left:
            config.hook.pytest_deselected(items=left)
        items[:] = kept
        for item in kept:
            heard.tell(event="item", id=item.nodeid, path=heard.path_of(item), name=heard.name_of(item))

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        error = call.excinfo.value
        if getattr(report, "when", "collect") != "collect":
            self.problems[report.nodeid + report.when] = _described(error)
        else:
            cause = error.__cause__ if type(error).__name__ == "CollectError" else None
            self.heard.tell(event="unimportable", path=self.heard.path_of(node), **_described(cause or error))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if not self.again:
            self.heard.tell(event="start", id=nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if self.again:
            self.heard.tell(event="again", id=report.nodeid, when=report.when, outcome=report.outcome)
            return
        if report.when == "call" and report.outcome == "failed":
            self.failed.add(report.nodeid)
        # `problems` is filled after this hook, so the problem of a report comes with an event of its own.
        skipped = report.outcome == "skipped" or hasattr(report, "wasxfail")
        self.heard.tell(
            event="report",
            id=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            expected=hasattr(report, "wasxfail"),
            reason=_reason(report) if skipped else "",
            text=str(getattr(report, "longrepr", "") or "")[-_LONGEST:] if report.outcome == "failed" else "",
            seconds=report.duration,
        )

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        for when in ("setup", "call", "teardown"):
            problem = self.problems.pop(nodeid + when, None)
            if problem is not None and not self.again:
                self.heard.tell(event="problem", id=nodeid, when=when, **problem)
        self.heard.tell(event="finish", id=nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: Any) -> None:
        self.heard.tell(event="end", code=int(exitstatus), elsewhere=_elsewhere(self.heard))


# Private


class _Spare:
    """A process that waits until it is told which tests failed, tries them, and ends."""

    def __init__(self, pid: int, asking: int) -> None:
        self.pid, self.asking = pid, asking

    @classmethod
    def fork(cls, work: Any) -> Any:
        """None where there are no forks, or where threads live that would not live on in one."""
        if not hasattr(os, "fork") or threading.active_count() > 1:
            return None
        told, asking = os.pipe()
        pid = os.fork()
        if pid:
            os.close(told)
            return cls(pid, asking)
        try:
            os.close(asking)
            with os.fdopen(told, encoding="utf-8") as stream:
                failed = stream.read()
            if failed:
                work(json.loads(failed))
        finally:
            os._exit(0)

    def ask(self, failed: list[str]) -> None:
        with os.fdopen(self.asking, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(failed) if failed else "")
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:  # a test has awaited it already
            return


def _heard() -> _Heard | None:
    events = os.environ.get(EVENTS)
    return _Heard(events, os.environ[WANTED], os.environ[ROOT]) if events else None


def _described(error: BaseException) -> dict[str, Any]:
    """An exception as data. Of an import error the module that is missing is told apart from the name."""
    message = str(error)[:_LONGEST]
    names = [str(getattr(error, "name", "") or "")] if not isinstance(error, ImportError) else []
    names += re.findall(r"['\"`]([\w.]{1,100})['\"`]", message)
    names += re.findall(r"(\w{1,100})\(\)", message)
    module = str(getattr(error, "name", "") or "") if isinstance(error, ImportError) else ""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    known = ("ImportError", "AttributeError", "TypeError", "NameError", "SyntaxError")
    kind = next((name for name in kinds if name in known), kinds[0])
    return {"kind": kind, "message": message, "names": [name for name in names if name][:_MOST_NAMES], "module": module}


def _reason(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return f"expected to fail: {report.wasxfail}"[:_LONGEST]
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) and len(longrepr) == 3 else longrepr
    return str(text or "skipped")[:_LONGEST]


def _elsewhere(heard: _Heard) -> dict[str, str]:
    """Modules that the folder under test holds, and that were imported from somewhere else all the same."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] not in heard.tops:
            continue
        file = getattr(module, "__file__", None)
        if not file or os.path.realpath(file).startswith(heard.root + os.sep):
            continue
        own = [os.path.join(heard.root, root, *name.split(".")) for root in heard.roots]
        if any(os.path.isfile(base + ".py") or os.path.isfile(os.path.join(base, "__init__.py")) for base in own):
            found[name] = file
    return found
