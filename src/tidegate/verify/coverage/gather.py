"""What all reports together say of the changed files. Of other files only their language is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tidegate.change.kinds import Names
from tidegate.verify.places import Places
from tidegate.verify.reports import Report

_BRANCHES_LIMIT = 500_000
_TESTS_LIMIT = 1_000_000
_TOGETHER = {
    **dict.fromkeys(("JavaScript", "TypeScript", "Vue", "Svelte", "CoffeeScript"), "JavaScript"),
    **dict.fromkeys(("Java", "Kotlin", "Scala", "Groovy"), "Java"),
    **dict.fromkeys(("C", "C++", "Objective-C", "CUDA"), "C"),
}


def family_of(language: str) -> str:
    """Languages that one coverage tool measures together count as one."""
    return _TOGETHER.get(language, language)


@dataclass
class Covered:
    """What reports say of one changed file of `length` lines, while they are read.

    `lines` says of each line that can be executed whether it was. `beyond` is the highest line after the end of the
    file that a report speaks of, 0 for none. `branches` are kept by line and by the way in which a format names them.
    """

    length: int
    added: frozenset[int]
    lines: dict[int, bool] = field(default_factory=dict)
    excluded: set[int] = field(default_factory=set)
    branches: dict[int, dict[str, dict[str, bool]]] = field(default_factory=dict)
    tests: dict[int, set[str]] = field(default_factory=dict)
    beyond: int = 0
    written: str = ""
    _held: int = 0

    def line(self, number: int, *, executed: bool) -> None:
        """A report calls this line executable."""
        if 0 < number <= self.length:
            self.lines[number] = self.lines.get(number, False) or executed
        else:
            self.beyond = max(self.beyond, number)

    def branch(self, number: int, name: str, *, taken: bool, way: str) -> None:
        """A report names a branch that leaves this line, in the way of its format. Only added lines count."""
        if number in self.added:
            named = self.branches.setdefault(number, {}).setdefault(way, {})
            self._held += name not in named
            if self._held > _BRANCHES_LIMIT:
                raise OverflowError("branches")
            named[name] = named.get(name, False) or taken

    def counted(self, number: int, covered: int, total: int) -> None:
        """A report counts the branches of this line and does not name them."""
        for index in range(min(total, 1000) if number in self.added else 0):
            self.branch(number, str(index), taken=index < covered, way="count")

    def ran(self, number: int, tests: Iterable[str]) -> None:
        """These tests executed this line. Only added lines count."""
        if number in self.added:
            known = self.tests.setdefault(number, set())
            before = len(known)
            known.update(test for test in tests if test)
            self._held += len(known) - before
            if self._held > _TESTS_LIMIT:
                raise OverflowError("tests")

    def branch_counts(self) -> tuple[int, int]:
        """Branches of added lines, and how many were taken. Of ways that name them the fullest counts."""
        total = taken = 0
        for ways in self.branches.values():
            best = max(ways.values(), key=lambda named: (sum(named.values()), len(named)))
            total += len(best)
            taken += sum(best.values())
        return total, taken


class Gathering:
    """Takes in one report after the other. `wanted` are the changed files with their lines."""

    def __init__(self, places: Places, wanted: Mapping[str, Covered]) -> None:
        self._places = places
        self._wanted = wanted
        self._languages = Names()
        self._seen: dict[tuple[str, tuple[str, ...]], str] = {}
        self.families: set[str] = set()
        self.files: dict[str, Covered] = {}
        self.doubtful: dict[str, str] = {}

    def begin(self, _: Report) -> None:
        """Another report is read: its paths may mean other files."""
        for covered in self._wanted.values():
            covered.written = ""
        self._seen = {}

    def file(self, written: str, sources: Iterable[str] = ()) -> Covered | None:
        """The changed file that this path of the report means; None where it is another one or not to be told."""
        key = (written, tuple(sources))
        if key not in self._seen:
            if len(self._seen) > 500_000:
                self._seen = {}
            self._seen[key] = self._find(*key)
        path = self._seen[key]
        return self.files[path] if path else None

    def _find(self, written: str, sources: tuple[str, ...]) -> str:
        found = self._places.find(written, sources)
        family = family_of(self._languages.language_of(written.replace("\\", "/").encode("utf-8", "replace")))
        if family:
            self.families.add(family)
        for path in found.several:
            if path in self._wanted:
                others = ", ".join(found.several[:3])
                self.doubtful[path] = f"a report speaks of {written}, which may be any of {others}"
        covered = self._wanted.get(found.path)
        if covered is None:
            return ""
        if covered.written and covered.written != f"{written}|{sources}":
            before = covered.written.partition("|")[0]
            self.doubtful[found.path] = f"a report speaks of {before} and of {written}, and both may be {found.path}"
        covered.written = f"{written}|{sources}"
        self.files[found.path] = covered
        return found.path
