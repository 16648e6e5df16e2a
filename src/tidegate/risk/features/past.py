"""What history had seen before a change: of each file, and of each person. Plain numbers, grown commit by commit.

The sweep over all of history and the scoring of one change fill the same `Past`, the one with everything, the other
with what concerns the change, and ask the same functions. Nothing here depends on the order of moments.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tidegate.risk.values import Touch

DAY = 86_400


class Landed(NamedTuple):
    """One change: when it was committed (Unix seconds), by whom (a person's key, "" for nobody known), what it touched.

    `fix` says whether its message tells of a repair.
    """

    at: int
    author: str
    touches: Sequence[Touch]
    message: str
    fix: bool


class FileHistory:
    """Past changes of one file: their numbers, (moment, person) in the order of moments, people as bits, and
    (moment, number) of those that were fixes."""

    __slots__ = ("changes", "fixes", "lines", "people", "times")

    def __init__(self) -> None:
        self.changes: list[int] = []
        self.times: list[tuple[int, int]] = []
        self.people = 0
        self.lines = 0
        self.fixes: list[tuple[int, int]] = []

    def add(self, number: int, at: int, person: int, lines: int) -> None:
        self.changes.append(number)
        if self.times and self.times[-1][0] > at:
            insort(self.times, (at, person))
        else:
            self.times.append((at, person))
        self.people |= 1 << person
        self.lines += lines


class PersonHistory:
    """Past changes of one person: their moments in order, and by subsystem as bits."""

    __slots__ = ("areas", "times")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.areas: dict[str, int] = {}

    def add(self, at: int, areas: Iterable[str]) -> None:
        bit = 1 << len(self.times)
        if self.times and self.times[-1] > at:
            insort(self.times, at)
        else:
            self.times.append(at)
        for area in areas:
            self.areas[area] = self.areas.get(area, 0) | bit


class Past:
    """Everything that past changes left behind. Ask first, then `learn` the change."""

    def __init__(self) -> None:
        self.files: dict[str, FileHistory] = {}
        self.people: dict[str, PersonHistory] = {}
        self._numbers: dict[str, int] = {}
        self._learnt = 0

    def number_of(self, person: str) -> int:
        """The place of a person's bit."""
        return self._numbers.setdefault(person, len(self._numbers))

    def files_of(self, touches: Iterable[Touch]) -> list[FileHistory | None]:
        """What is known of each file; None for one without a past."""
        files = self.files
        return [files.get(touch.old if touch.status == "R" else touch.path) for touch in touches]

    def learn(self, change: Landed) -> None:
        """Adds one change. One that touched nothing leaves nothing behind."""
        touches = change.touches
        if not touches:
            return
        number, person, at, fix = self._learnt, self.number_of(change.author), change.at, change.fix
        self._learnt = number + 1
        files = self._moved(touches)
        for touch in touches:
            path = touch.path
            file = files.get(path)
            if file is None:
                file = files[path] = FileHistory()
            file.add(number, at, person, touch.added - touch.deleted)
            if fix:
                file.fixes.append((at, number))
        self.learn_person(change.author, at, {area_of(touch.path) for touch in touches})

    def learn_person(self, person: str, at: int, areas: Iterable[str]) -> None:
        """Adds a change to what is known of its author alone."""
        if person:
            self.people.setdefault(person, PersonHistory()).add(at, areas)

    # Private

    def _moved(self, touches: Sequence[Touch]) -> dict[str, FileHistory]:
        """The files under their new names; two may have changed places."""
        files = self.files
        moved = [touch for touch in touches if touch.status == "R"]
        if moved:
            held = [(touch.path, files.pop(touch.old)) for touch in moved if touch.old in files]
            for touch in moved:
                files.pop(touch.path, None)
            files.update(held)
        return files


def area_of(path: str) -> str:
    """The subsystem of a path: its first part, "" at the top."""
    first, slash, _ = path.partition("/")
    return first if slash else ""


def folder_of(path: str) -> str:
    """The folder of a path, "" at the top."""
    return path.rpartition("/")[0]
