"""Reads LCOV trace files with a TN: record for each test (geninfo's manual page describes the format).

Where a file lists functions (FN, FNDA) these count, else its executed lines (DA) do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tidegate.reach.record.foreign import Filling, Places, read_bounded, refused
from tidegate.reach.record.raw import Recording

KIND = "LCOV trace file"


def read_lcov(file: Path, paths: Iterable[str]) -> Recording:
    """Which test executed which function. `paths` are the files of the repository. Raises InputError.

    LCOV allows only letters, digits and "_" in the name of a test: a name that is a path of the repository with
    everything else replaced by "_" means that file.
    """
    places = Places(paths)
    folded = _folded(places)
    reading = _Reading(file, Filling(file, "lcov"), places)
    known = False
    for raw in read_bounded(file).split(b"\n"):
        key, _, value = raw.rstrip(b"\r").decode("utf-8", "replace").partition(":")
        if key == "TN":
            reading.test = folded.get(value.strip(), places.test_of(value.strip()) if value.strip() else "")
            known = True
        elif key == "SF":
            reading.source(value)
        elif key in ("FN", "FNDA", "DA"):
            reading.record(key, value.split(","))
        elif key == "end_of_record":
            reading.end()
    if not known:
        raise refused(file, KIND, "it has no TN: record")
    return reading.filling.recording()


# Private


class _Reading:
    """One record after the other."""

    def __init__(self, file: Path, filling: Filling, places: Places) -> None:
        self.filling = filling
        self.test = ""
        self._file = file
        self._places = places
        self._path = ""
        self._starts: dict[str, int] = {}
        self._called: list[str] = []
        self._lines: list[int] = []

    def source(self, foreign: str) -> None:
        self._path = self._places.find(foreign)
        self._starts, self._called, self._lines = {}, [], []
        if not self._path:
            self.filling.strange(foreign)

    def record(self, key: str, fields: list[str]) -> None:
        # FN:line,name or FN:line,end,name; FNDA:count,name; DA:line,count[,checksum]
        first = self._number(fields[0])
        if key == "FN":
            self._starts[fields[-1]] = first
        elif key == "FNDA" and first > 0:
            self._called.append(fields[-1])
        elif key == "DA" and self._number(fields[1] if len(fields) > 1 else "") > 0:
            self._lines.append(first)

    def end(self) -> None:
        if self.test:
            self.filling.test(self.test)
        if self._path and self._starts:
            for name in self._called:
                if name in self._starts:
                    self.filling.ran(self.test, self._path, self._starts[name], name)
        elif self._path:
            for line in self._lines:
                self.filling.ran(self.test, self._path, line)
        self._path = ""

    def _number(self, text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text):
            raise refused(self._file, KIND, f"{text[:20]!r} is no number")
        return int(text)


def _folded(places: Places) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for path in places.paths:
        found.setdefault(re.sub(r"\W", "_", path, flags=re.ASCII), []).append(path)
    return {name: f"{same[0]}:" for name, same in found.items() if len(same) == 1}
