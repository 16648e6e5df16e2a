"""The pytest plugin of `tidegate verify mutate`. PYTEST_DONT_REWRITE

This file runs in the user's own Python, where Tidegate is not installed: it needs nothing but the standard library and
the pytest that runs it, on Python 3.8 and later. The environment names a job; every event is written to the job's file
at once, so that whatever happens, what was found before stays known.

A job is one of three: `serve` collects, hears which lines each test executes, and then forks a process for each mutant;
`plain` runs the tests once in this process and hears them, where forking does not work; `select` runs some tests only.
"""

# Strings instead of pathlib: this runs in the user's process, on any Python from 3.8.
# ruff: noqa: PTH112, PTH119, PTH123

from __future__ import annotations

import importlib
import json
import os
from typing import Any

import pytest

JOB = "TIDEGATE_MUTATE_JOB"
_state: dict[str, Any] = {}  # what pytest's hooks share: it calls plain functions


class Out:
    """The file of events, one JSON line each."""

    def __init__(self, path: str) -> None:
        self.path = path

    def tell(self, **event: Any) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: Any) -> None:
    """Coverage tools would count our faults and take our place, and one process must know all tests: both are off."""
    if JOB in os.environ:
        _switch_off(early_config.known_args_namespace)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_cmdline_main(config: Any) -> Any:
    if JOB in os.environ:
        _switch_off(config.option)
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_addoption() -> None:
    """Begin before any conftest is imported, so that what runs at import is heard too. A pytest that a test starts
    finds no job."""
    path = os.environ.get(JOB)
    if path is None or "job" in _state:
        return
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    _state["job"], _state["out"] = job, Out(job["out"])
    if job["mode"] in ("serve", "plain"):
        _state["recorder"] = _beside("recorder").Recorder(job)
        _state["recorder"].listen()


def pytest_configure(config: Any) -> None:
    if "job" not in _state or "claimed" in _state:
        return
    _state["claimed"] = True
    os.environ.pop(JOB, None)
    hooks = _Select() if _state["job"]["mode"] == "select" else _Loop()
    config.pluginmanager.register(hooks, "tidegate-mutate-job")


# Private


class _Loop:
    """Takes the place of pytest's own loop over the tests."""

    def pytest_collectreport(self, report: Any) -> None:
        _tell_broken(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> Any:
        if session.config.option.collectonly:
            return None
        server = _beside("server").Server(session, _state["job"], _state["out"], _state["recorder"])
        if _state["job"]["mode"] == "plain":
            server.plain()
        else:
            server.serve()
        return True


class _Select:
    """Runs some tests, and stops at the first that fails unless the job wants them all."""

    def __init__(self) -> None:
        job = _state["job"]
        self.wanted = {nodeid: place for place, nodeid in enumerate(job["tests"])}
        self.files = {nodeid.split("::", 1)[0] for nodeid in self.wanted}
        self.out = _state["out"]
        self.all = job["all"]
        self.failed: set[str] = set()
        # Only the files of the wanted tests are imported; the argument is called `path` before pytest 7.
        if int(pytest.__version__.split(".")[0]) >= 7:
            self.pytest_ignore_collect = lambda collection_path: self._ignored(str(collection_path))
        else:
            self.pytest_ignore_collect = lambda path: self._ignored(str(path))
        _beside("process").limit_memory(job["memory"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        kept = [item for item in items if item.nodeid in self.wanted]
        kept.sort(key=lambda item: self.wanted[item.nodeid])
        self.out.tell(kind="selected", count=len(kept))
        items[:] = kept

    def pytest_collectreport(self, report: Any) -> None:
        _tell_broken(report)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and report.nodeid not in self.failed:
            self.failed.add(report.nodeid)
            self.out.tell(kind="failed", test=report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if nodeid not in self.failed:
            self.out.tell(kind="passed", test=nodeid)
        elif not self.all:
            _state["session"].shouldfail = "a mutant was killed"

    def pytest_sessionstart(self, session: Any) -> None:
        _state["session"] = session

    def pytest_sessionfinish(self) -> None:
        self.out.tell(kind="done")

    def _ignored(self, path: str) -> Any:
        if not path.endswith(".py") or os.path.isdir(path) or os.path.basename(path) == "conftest.py":
            return None
        inside = path.replace(os.sep, "/")
        return None if any(inside.endswith("/" + file) for file in self.files) else True


def _tell_broken(report: Any) -> None:
    if report.failed:
        lines = [line for line in str(report.longrepr).splitlines() if line.startswith("E ")]
        _state["out"].tell(kind="broken", what=str(report.nodeid), why=(lines or [""])[-1][1:].strip()[:200])


def _beside(name: str) -> Any:
    """A module that lies beside this one, in a folder that only the user's Python knows."""
    return importlib.import_module(f"tidegate_mutate_{name}")


def _switch_off(options: Any) -> None:
    for name, value in (("no_cov", True), ("numprocesses", None), ("dist", "no"), ("tx", []), ("maxfail", 0)):
        if hasattr(options, name):
            setattr(options, name, value)
