"""Records which code each test starts. PYTEST_DONT_REWRITE

This file runs in the user's own Python, where Tidegate is not installed: it needs nothing but the standard library and
the pytest that runs it, on Python 3.8 and later. From Python 3.12 on it listens through `sys.monitoring` (PEP 669):
every code object reports once a test and is then silent; before that through `sys.setprofile`, which hears every call.

A test is folded over its parameters and counts with its set-up and tear-down. Fixtures that outlive one test are
recorded apart, and every test names those that it used. What runs outside of any test (imports, collection) is a third
pile. Threads are heard; Python processes that a test starts are heard where they inherit the environment.

Each process writes one file into the folder that the environment names. Nothing else is written, nothing is sent.
"""

# Strings instead of pathlib: every file of the user's process passes through here.
# ruff: noqa: PTH105, PTH113, PTH118, PTH123

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

FOLDER = "TIDEGATE_REACH_FOLDER"
ROOT = "TIDEGATE_REACH_ROOT"
TEST = "TIDEGATE_REACH_TEST"
_KEPT_AS = "_tidegate_reach_recorder"
_TOOL_IDS = (3, 4, 2, 0)  # 1 is coverage's, 5 the optimiser's

Hits = dict[int, types.CodeType]


def pytest_addoption() -> None:
    """Begin before any conftest is imported, so that what runs at import is known too."""
    _begin()


def pytest_configure(config: Any) -> None:
    """Listen to the tests of this process, unless it is itself started by a test that is being recorded."""
    recorder = _begin()
    if recorder is not None and not recorder.outer and recorder.claim():
        config.pluginmanager.register(_hooks(recorder), "tidegate-reach-recorder")


def begin_in_child() -> None:
    """Called at the start of every Python process: records it when a recorded test started it."""
    if os.environ.get(TEST):
        _begin()


class Recorder:
    """What ran in this process. `outer` is the test of another process that started this one, "" for none."""

    def __init__(self, folder: str, root: str, outer: str) -> None:
        self.folder = folder
        self.root = os.path.realpath(root) + os.sep
        self.outer = outer
        self.how = ""
        self.gaps: set[str] = set()
        self.tests: dict[str, dict[str, Any]] = {}
        self.test: dict[str, Any] = {}
        self.fixtures: dict[str, int] = {}
        self.outside = 0
        self._codes: list[tuple[str, int, str]] = []
        self._numbers: dict[tuple[str, int, str], int] = {}
        self._kept: dict[int, tuple[types.CodeType, int]] = {}
        self._files: dict[str, str] = {}
        self._hits: Hits = {}
        self._stack: list[Hits] = []
        self._claimed = False
        self._collected = False
        self._written = False
        self._restart: Callable[[], None] = _nothing
        self._alive: Callable[[], bool] = _always

    def claim(self) -> bool:
        """Whether the caller is the first: a pytest inside a test of this process belongs to that test."""
        first, self._claimed = not self._claimed, True
        return first

    def path_of(self, filename: str) -> str:
        """The path of a Python file under the repository's top folder, "" for anything else."""
        path = self._files.get(filename)
        if path is None:
            path = _path_in(self.root, filename) if filename.endswith(".py") else ""
            self._files[filename] = path
        return path

    def listen(self) -> None:
        """Start to listen, by the best means that this Python has."""
        monitoring = getattr(sys, "monitoring", None)
        tool = _free_tool(monitoring) if monitoring is not None else None
        if monitoring is not None and tool is not None:
            self.how = "monitoring"
            self._listen_by_monitoring(monitoring, tool)
        else:
            self.how = "profile"
            self._listen_by_profile()

    def enter(self) -> None:
        """What starts from now on is written down apart, until `leave`."""
        self._stack.append(self._hits)
        self._hits = {}
        self._restart()

    def leave(self) -> int:
        """End the innermost `enter`: what started since, one bit a code object."""
        if not self._alive():
            self.gaps.add("something else took over sys.setprofile during the tests")
        mask = self._mask(self._hits)
        self._hits = self._stack.pop()
        self._restart()
        return mask

    def collected(self) -> None:
        """All imports are done: what runs between two tests from now on is the test runner's own work."""
        self.outside |= self._mask(self._hits)
        self._collected = True

    def write(self) -> None:
        """Write down what is known, once, in one step."""
        if self._written:
            return
        self._written = True
        if not self._collected:
            self.outside |= self._mask(self._hits)
        text = json.dumps(self._raw(), sort_keys=True, separators=(",", ":"))
        name = os.path.join(self.folder, f"{os.getpid()}-{os.urandom(6).hex()}")
        try:
            with open(name + ".part", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name + ".part", name + ".json")
        except OSError as error:
            print(f"tidegate: the recording cannot be written: {error}", file=sys.stderr)  # noqa: T201

    def after_fork(self) -> None:
        """A forked child starts with nothing, and writes when multiprocessing ends it."""
        self.outer = self.outer or os.environ.get(TEST, "")
        self.tests, self.fixtures, self.outside = {}, {}, 0
        self._stack, self._written, self._collected = [], False, False
        self._hits = {}
        self._restart()
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.register_after_fork(self, Recorder._write_at_end)

    # Private

    def _write_at_end(self) -> None:
        sys.modules["multiprocessing.util"].Finalize(None, self.write, exitpriority=0)

    def _raw(self) -> dict[str, Any]:
        return {
            "format": "tidegate-reach-raw",
            "version": 1,
            "how": self.how,
            "python": ".".join(map(str, sys.version_info[:3])),
            "outer": self.outer,
            "codes": self._codes,
            "tests": {key: dict(test, codes=hex(test["codes"])) for key, test in self.tests.items()},
            "fixtures": {key: hex(mask) for key, mask in self.fixtures.items()},
            "outside": hex(self.outside),
            "gaps": sorted(self.gaps),
        }

    def _listen_by_monitoring(self, monitoring: Any, tool: int) -> None:
        files, disable = self._files, monitoring.DISABLE

        def started(code: types.CodeType, _offset: int) -> Any:
            path = files.get(code.co_filename)
            if path is None:
                path = self.path_of(code.co_filename)
            if path:
                self._hits[id(code)] = code
            return disable

        events = monitoring.events
        monitoring.register_callback(tool, events.PY_START, started)
        monitoring.register_callback(tool, events.PY_RESUME, started)
        monitoring.set_events(tool, events.PY_START | events.PY_RESUME)
        self._restart = monitoring.restart_events

    def _listen_by_profile(self) -> None:
        files = self._files

        def called(frame: types.FrameType, event: str, _argument: Any) -> None:
            if event == "call":
                code = frame.f_code
                path = files.get(code.co_filename)
                if path is None:
                    path = self.path_of(code.co_filename)
                if path:
                    self._hits[id(code)] = code

        threading.setprofile(called)
        sys.setprofile(called)
        self._alive = lambda: sys.getprofile() is called

    def _mask(self, hits: Hits) -> int:
        numbers = [self._number(key, code) for key, code in list(hits.items())]
        bits = bytearray(max(numbers) // 8 + 1 if numbers else 0)
        for number in numbers:
            bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")

    def _number(self, key: int, code: types.CodeType) -> int:
        # Code objects compare by content, whatever file they are of: they are told apart by identity, and kept alive.
        kept = self._kept.get(key)
        if kept is not None and kept[0] is code:
            return kept[1]
        name = getattr(code, "co_qualname", code.co_name)
        what = (self._files[code.co_filename], code.co_firstlineno, name)
        number = self._numbers.setdefault(what, len(self._codes))
        if number == len(self._codes):
            self._codes.append(what)
        self._kept[key] = (code, number)
        return number


# Private: the tests


def _hooks(recorder: Recorder) -> Any:
    import pytest

    wrapper = pytest.hookimpl(hookwrapper=True, tryfirst=True)

    class Hooks:
        """One test at a time; the fixtures that outlive it on a pile of their own."""

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self) -> None:
            recorder.collected()

        @wrapper
        def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
            key = _test_key(item, recorder)
            if key not in recorder.tests:
                recorder.tests[key] = _new_test(item, recorder)
            test = recorder.tests[key]
            recorder.test = test
            os.environ[TEST] = key
            recorder.enter()
            yield
            test["codes"] |= recorder.leave()
            os.environ.pop(TEST, None)

        @wrapper
        def pytest_runtest_teardown(self, item: Any) -> Iterator[None]:
            test = recorder.test
            used = {_fixture_key(fixture) for fixture in _fixtures_of(item) if _outlives(fixture)}
            test["fixtures"] = sorted(used.union(test["fixtures"]))
            yield

        @wrapper
        def pytest_runtest_makereport(self, call: Any) -> Iterator[None]:
            test = recorder.test
            if call.excinfo is None:
                test["ran"] = test["ran"] or call.when == "call"
            elif not call.excinfo.errisinstance(pytest.skip.Exception):
                test["failed"] = test["ran"] = True
            elif call.when == "call":
                test["skipped"] = True
            yield

        @wrapper
        def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
            if not _outlives(fixturedef):
                yield
                return
            key = _fixture_key(fixturedef)
            # Finalisers run last in, first out: these two stand around the fixture's own tear-down.
            fixturedef.addfinalizer(lambda: _leave_fixture(recorder, key))
            recorder.enter()
            yield
            _leave_fixture(recorder, key)
            fixturedef.addfinalizer(recorder.enter)

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure(self) -> None:
            recorder.write()

    return Hooks()


def _leave_fixture(recorder: Recorder, key: str) -> None:
    recorder.fixtures[key] = recorder.fixtures.get(key, 0) | recorder.leave()


def _new_test(item: Any, recorder: Recorder) -> dict[str, Any]:
    function = getattr(getattr(item, "function", None), "__code__", None)
    defined: list[Any] | None = None
    if function is not None:
        path = recorder.path_of(function.co_filename)
        defined = [path, function.co_firstlineno, getattr(function, "co_qualname", function.co_name)] if path else None
    node = item.nodeid.split("[", 1)[0]
    return {
        "node": node,
        "defined": defined,
        "codes": 0,
        "fixtures": [],
        "ran": False,
        "failed": False,
        "skipped": False,
    }


def _test_key(item: Any, recorder: Recorder) -> str:
    """`tests/test_x.py:Class.test_name`: the file it is collected from, its classes and its name without parameters."""
    path = str(getattr(item, "path", None) or getattr(item, "fspath", ""))
    inside = recorder.path_of(path) or item.nodeid.split("::", 1)[0]
    name = getattr(item, "originalname", None) or item.name.split("[", 1)[0]
    classes = [node.name for node in item.listchain() if type(node).__name__ in ("Class", "UnitTestCase")]
    return f"{inside}:{'.'.join([*classes, name])}"


def _fixtures_of(item: Any) -> list[Any]:
    request = getattr(item, "_request", None)
    used = getattr(request, "_fixture_defs", None)
    if isinstance(used, dict):
        return list(used.values())
    info = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return [definitions[-1] for definitions in info.values() if definitions]


def _outlives(fixture: Any) -> bool:
    return getattr(fixture, "scope", "function") != "function"


def _fixture_key(fixture: Any) -> str:
    return f"{getattr(fixture, 'baseid', '') or ''}::{fixture.argname}"


# Private: the process


def _begin() -> Recorder | None:
    """The recorder of this process; None when nobody asked for one."""
    existing: Recorder | None = getattr(sys, "_tidegate_reach_recorder", None)
    folder, root = os.environ.get(FOLDER), os.environ.get(ROOT)
    if existing is not None or not folder or not root:
        return existing
    recorder = Recorder(folder, root, os.environ.get(TEST, ""))
    setattr(sys, _KEPT_AS, recorder)
    recorder.listen()
    atexit.register(recorder.write)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=recorder.after_fork)
    return recorder


def _free_tool(monitoring: Any) -> int | None:
    for tool in _TOOL_IDS:
        if monitoring.get_tool(tool) is None:
            monitoring.use_tool_id(tool, "tidegate-reach")
            return tool
    return None


def _path_in(root: str, filename: str) -> str:
    path = os.path.realpath(filename)
    marker = next((m for m in ("site-packages", "dist-packages") if os.sep + m + os.sep in path), "")
    if marker:
        return _source_of(root, path, path.rsplit(os.sep + marker + os.sep, 1)[1])
    if not path.startswith(root) or path.startswith(os.path.realpath(sys.prefix) + os.sep) or not os.path.isfile(path):
        return ""
    return path[len(root) :].replace(os.sep, "/")


def _source_of(root: str, installed: str, inside: str) -> str:
    """The file of the repository that was copied to where packages are installed, "" when there is none."""
    for top in ("", "src", "lib"):
        candidate = os.path.join(root, top, inside)
        if os.path.isfile(candidate) and _same(candidate, installed):
            return os.path.relpath(candidate, root).replace(os.sep, "/")
    return ""


def _same(one: str, other: str) -> bool:
    try:
        with open(one, "rb") as a, open(other, "rb") as b:
            return a.read() == b.read()
    except OSError:
        return False


def _nothing() -> None:
    pass


def _always() -> bool:
    return True
