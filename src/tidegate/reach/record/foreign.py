"""What readers of coverage files share: bounded files, foreign paths and test names, and the recording they fill."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tidegate.change.git_dir import read_small
from tidegate.errors import InputError
from tidegate.reach.record.raw import LINE, Code, RecordedTest, Recording

FILE_LIMIT_BYTES = 256 << 20
TESTS_LIMIT = 200_000
CODES_LIMIT = 5_000_000
_PHASE = re.compile(r"\|(run|setup|teardown)$")


def read_bounded(file: Path) -> bytes:
    """The content of a coverage file. Raises InputError for one that is no regular file or is too large."""
    content = read_small(file, FILE_LIMIT_BYTES)
    if content is None:
        raise InputError(
            f"this is no readable file of at most {FILE_LIMIT_BYTES >> 20} MB",
            where=str(file),
            mend="name a smaller one; of coverage.py the data file .coverage is the smallest",
        )
    return content


def refused(file: Path, kind: str, reason: object) -> InputError:
    """The one error for a file whose content cannot be used."""
    return InputError(f"this is no {kind} ({reason})", where=str(file), mend="write it again, or name another file")


class Places:
    """Finds the file of the repository that a foreign path means: by its longest tail that only one file has."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)
        self._tails: dict[str, list[str]] = {}
        for path in self.paths:
            self._tails.setdefault(path.rpartition("/")[2], []).append(path)

    def find(self, foreign: str) -> str:
        """The path in the repository, "" where none or several fit."""
        path = foreign.replace("\\", "/")
        if path in self.paths:
            return path
        parts = path.split("/")
        fitting = [(_common(parts, candidate.split("/")), candidate) for candidate in self._tails.get(parts[-1], ())]
        best = max((score for score, _ in fitting), default=0)
        found = [candidate for score, candidate in fitting if score == best]
        # Either the whole path of the repository is the tail, or the whole foreign path is.
        return found[0] if len(found) == 1 and best >= min(len(parts), found[0].count("/") + 1) else ""

    def test_of(self, context: str) -> str:
        """A recording's name for the test of a context: a pytest node id, or the dotted name of a test function."""
        text = _PHASE.sub("", context)
        if "::" in text:
            file, *inside = text.split("[", 1)[0].split("::")
            return f"{self.find(file) or file}:{'.'.join(inside)}"
        parts = text.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            path = self.find("/".join(parts[:cut]) + ".py")
            if path:
                return f"{path}:{'.'.join(parts[cut:])}"
        return text if ":" in text else f":{text}"


class Filling:
    """A recording that is being filled, one executed code after the other. Raises InputError when it gets too large."""

    def __init__(self, file: Path, how: str) -> None:
        self._file = file
        self._how = how
        self._codes: dict[Code, int] = {}
        self._tests: dict[str, set[int]] = {}
        self._outside: set[int] = set()
        self._strange: set[str] = set()

    def test(self, name: str) -> None:
        """There is a test of this name, whatever it executed."""
        self._tests.setdefault(name, set())
        if len(self._tests) > TESTS_LIMIT:
            raise refused(self._file, "map of tests", f"it names more than {TESTS_LIMIT} tests")

    def ran(self, test: str, path: str, line: int, name: str = LINE) -> None:
        """The test, "" for none, executed this line, or this definition that begins at this line."""
        code = self._codes.setdefault(Code(path, line, name), len(self._codes))
        if code >= CODES_LIMIT:
            raise refused(self._file, "map of tests", f"it names more than {CODES_LIMIT} lines")
        if test:
            self.test(test)
            self._tests[test].add(code)
        else:
            self._outside.add(code)

    def strange(self, path: str) -> None:
        """A file of this path is not of the repository, or not of one place in it."""
        self._strange.add(path)

    def recording(self) -> Recording:
        """What was filled in. Foreign files of the repository's languages that were not found are a gap."""
        tests = tuple(
            RecordedTest(name, None, _mask(codes), "passed", _node(name)) for name, codes in sorted(self._tests.items())
        )
        gaps: tuple[str, ...] = ()
        if self._strange:
            first = ", ".join(sorted(self._strange)[:3])
            gaps = (f"{len(self._strange)} covered files are not of this tree, the first: {first}",)
        if not tests:
            raise InputError(
                "it does not say which test executed what",
                where=str(self._file),
                mend="record coverage per test (coverage.py: dynamic_context = test_function, pytest-cov: "
                "--cov-context=test)",
            )
        return Recording(self._how, tuple(self._codes), tests, _mask(self._outside), gaps)


# Private


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def _mask(codes: set[int]) -> int:
    found = bytearray(max(codes, default=-1) // 8 + 1)
    for code in codes:
        found[code >> 3] |= 1 << (code & 7)
    return int.from_bytes(found, "little")


def _node(name: str) -> str:
    path, _, inside = name.partition(":")
    return f"{path}::{inside.replace('.', '::')}" if path and inside else path or inside
