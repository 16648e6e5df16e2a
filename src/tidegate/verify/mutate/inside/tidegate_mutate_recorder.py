"""Hears which mutants each test executes, and which names it uses. PYTEST_DONT_REWRITE

From Python 3.12 on through `sys.monitoring` (PEP 669): a line in a function with mutants reports once a test and is
then silent, any other code once in all; before that through `sys.settrace`, line by line only in such functions.
"""

# Strings instead of pathlib: every file of the user's process passes through here.

from __future__ import annotations

import dis
import os
import sys
import threading
import types
from typing import Any

_TOOL_IDS = (3, 4, 2, 0)  # 1 is coverage's, 5 the optimiser's


class Recorder:
    """`lines` with mutants were executed since `begin`; `near` are mutants whose names were used since."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.root = os.path.realpath(job["root"]) + os.sep
        self.mutants: list[dict[str, Any]] = job["mutants"]
        self.by_path: dict[str, list[dict[str, Any]]] = {}
        for mutant in self.mutants:
            self.by_path.setdefault(mutant["path"], []).append(mutant)
        self.lines: dict[str, set[int]] = {path: set() for path in self.by_path}
        self.near: set[int] = set()
        self._kept: dict[int, types.CodeType] = {}  # identities stay theirs only while they live
        self._silent: dict[int, types.CodeType] = {}
        self._paths: dict[str, str] = {}
        self._names: dict[int, frozenset[int]] = {}
        self._holds: dict[int, bool] = {}
        self._lines: dict[str, set[int]] = {}
        for mutant in self.mutants:
            self._lines.setdefault(mutant["path"], set()).update(mutant["lines"])
        self._restart: Any = lambda: None
        self._stop: Any = lambda: None
        self._wanted = frozenset(name for mutant in self.mutants for name in mutant["names"])

    def path_of(self, filename: str) -> str:
        """The path of a file of the tree, "" for any other."""
        path = self._paths.get(filename)
        if path is None:
            real = os.path.realpath(filename)
            inside = real.startswith(self.root) and "site-packages" not in real
            path = real[len(self.root) :].replace(os.sep, "/") if inside else ""
            self._paths[filename] = path
        return path

    def listen(self) -> None:
        monitoring = getattr(sys, "monitoring", None)
        if monitoring is not None:
            for tool in _TOOL_IDS:
                if monitoring.get_tool(tool) is None:
                    monitoring.use_tool_id(tool, "tidegate-mutate")
                    self._listen_by_monitoring(monitoring, tool)
                    return
        self._listen_by_trace()

    def begin(self) -> None:
        for lines in self.lines.values():
            lines.clear()
        self.near.clear()
        self._restart()

    def silence(self) -> None:
        """Hear nothing more in this process."""
        self._stop()

    def hit(self) -> tuple[list[int], list[int]]:
        """Since `begin`: the mutants whose lines were executed, and those whose names were used."""
        covered = [m["id"] for m in self.mutants if not self.lines[m["path"]].isdisjoint(self._lines_of(m))]
        return covered, sorted(self.near)

    # Private

    def _lines_of(self, mutant: dict[str, Any]) -> list[int]:
        lines: list[int] = mutant["lines"]
        return lines

    def _holds_mutants(self, code: types.CodeType, path: str) -> bool:
        """Whether one of the lines of this code is one that a mutant asks about."""
        key = id(code)
        found = self._holds.get(key)
        if found is None:
            wanted = self._lines.get(path, ())
            found = bool(wanted) and any(line in wanted for _, line in dis.findlinestarts(code))
            self._holds[key] = found
            self._kept[key] = code
        return found

    def _names_in(self, code: types.CodeType) -> frozenset[int]:
        """The mutants whose names this code uses."""
        key = id(code)
        found = self._names.get(key)
        if found is None:
            used = self._wanted.intersection((*code.co_names, *code.co_varnames, code.co_name))
            found = frozenset(m["id"] for m in self.mutants if used.intersection(m["names"])) if used else frozenset()
            self._names[key] = found
            self._kept[key] = code
        return found

    def _listen_by_monitoring(self, monitoring: Any, tool: int) -> None:
        disable, events = monitoring.DISABLE, monitoring.events
        watched: set[int] = set()

        def started(code: types.CodeType, _offset: int) -> Any:
            path = self.path_of(code.co_filename)
            if not path:
                return disable
            if id(code) not in watched and self._holds_mutants(code, path):
                watched.add(id(code))
                monitoring.set_local_events(tool, code, events.LINE)
            names = self._names_in(code) if self._wanted else None
            if not names:
                return disable
            self.near |= names
            return None

        def line(code: types.CodeType, number: int) -> Any:
            self.lines[self.path_of(code.co_filename)].add(number)
            self._silent[id(code)] = code
            return disable

        def again() -> None:
            # Only what spoke since: `restart_events` would make Python prepare all code anew for every test.
            for code in self._silent.values():
                monitoring.set_local_events(tool, code, 0)
                monitoring.set_local_events(tool, code, events.LINE)
            self._silent.clear()

        monitoring.register_callback(tool, events.PY_START, started)
        monitoring.register_callback(tool, events.PY_RESUME, started)
        monitoring.register_callback(tool, events.LINE, line)
        monitoring.set_events(tool, events.PY_START | events.PY_RESUME)
        self._restart = again
        self._stop = lambda: monitoring.set_events(tool, 0)

    def _listen_by_trace(self) -> None:
        def line(frame: Any, event: str, _argument: Any) -> Any:
            if event == "line":
                self.lines[self._paths[frame.f_code.co_filename]].add(frame.f_lineno)
            return line

        # Every call of the whole run comes here: most end at the first look.
        dull: set[int] = set()

        def call(frame: Any, _event: str, _argument: Any) -> Any:
            code = frame.f_code
            key = id(code)
            if key in dull:
                return None
            path = self.path_of(code.co_filename)
            names = self._names_in(code) if path and self._wanted else None
            holds = self._holds_mutants(code, path)
            if not (names or holds):
                dull.add(key)
                self._kept[key] = code
            self.near.update(names or ())
            return line if holds else None

        def again() -> None:
            sys.settrace(call)

        def stop() -> None:
            sys.settrace(None)
            threading.settrace(_nothing)

        threading.settrace(call)
        again()
        self._restart, self._stop = again, stop


def _nothing(_frame: Any, _event: str, _argument: Any) -> None:
    return None
