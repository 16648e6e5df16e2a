"""A pytest plugin for `commits.py`: which lines of the package each test executes, and where the failing ones break.

It runs inside the tested project's interpreter, so it imports nothing of this one. COMMITS_OUT names the file that it
writes, COMMITS_PACKAGE the folder whose lines count, COMMITS_ONLY a file with the tests to run ("" for all).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import coverage
import pytest

ROOT = f"{Path.cwd()}/"
TEXT_LIMIT = 20_000


class Recorder:
    def __init__(self) -> None:
        self.failures: dict[str, dict] = {}
        self.passed: list[str] = []
        self.bad: set[str] = set()
        package = os.environ["COMMITS_PACKAGE"]
        self.coverage = coverage.Coverage(data_file=None, include=[f"{package}/*"], config_file=False, messages=False)
        self.coverage.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list) -> None:
        only = os.environ.get("COMMITS_ONLY")
        if only:
            wanted = set(json.loads(Path(only).read_text()))
            items[:] = [item for item in items if item.nodeid in wanted]

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        self.coverage.switch_context(item.nodeid)
        yield
        self.coverage.switch_context("")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result()
        if report.failed:
            self.bad.add(item.nodeid)
            if call.excinfo is not None and item.nodeid not in self.failures:
                self.failures[item.nodeid] = told(call.excinfo, report)
        elif report.when == "call" and report.passed and item.nodeid not in self.bad:
            self.passed.append(item.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        lines: dict[str, dict[str, list[int]]] = {}
        failing_only = bool(os.environ.get("COMMITS_ONLY"))
        for file in sorted(data.measured_files()):
            path = file.removeprefix(ROOT)
            for line, contexts in sorted(data.contexts_by_lineno(file).items()):
                for context in contexts:
                    if not failing_only or context in self.bad:
                        lines.setdefault(context, {}).setdefault(path, []).append(line)
        answer = {"passed": self.passed, "failures": self.failures, "lines": lines}
        Path(os.environ["COMMITS_OUT"]).write_text(json.dumps(answer, separators=(",", ":")))


def told(excinfo, report) -> dict:
    """The exception as a trace would show it, the exceptions that it hides, and what the test had captured."""
    traces = [frames_of(excinfo.value.__traceback__)]
    cause = excinfo.value.__cause__ or excinfo.value.__context__
    while cause is not None and len(traces) < 4:
        traces.append(frames_of(cause.__traceback__))
        cause = cause.__cause__ or cause.__context__
    traceback = excinfo.value.__traceback__
    while traceback is not None:
        for value in list(traceback.tb_frame.f_locals.values()):
            kept = getattr(value, "exc_info", None)
            if isinstance(kept, tuple) and len(kept) == 3 and kept[2] is not None and hasattr(kept[2], "tb_frame"):
                traces.append(frames_of(kept[2]))
        traceback = traceback.tb_next
    captured = "\n".join(text for name, text in report.sections)
    return {
        "type": excinfo.typename,
        "message": str(excinfo.value)[:2000],
        "traces": traces[:6],
        "captured": captured[-TEXT_LIMIT:],
        "when": report.when,
    }


def frames_of(traceback) -> list[list]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append([code.co_filename.removeprefix(ROOT), traceback.tb_lineno, code.co_name])
        traceback = traceback.tb_next
    return [frame for frame in frames if "/_pytest/" not in frame[0] and "/pluggy/" not in frame[0]][-60:]


def pytest_configure(config) -> None:
    config.pluginmanager.register(RECORDER)


RECORDER = Recorder()
