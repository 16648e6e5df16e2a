"""The check of the tests themselves: the field `suite`, and a finding for each test that cannot fail or says less."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, structs

from tidegate.change.kinds import NOT_CODE, PAGES
from tidegate.change.trees import Tree
from tidegate.change.values import FileChange
from tidegate.facts import Finding, Place, SuiteFacts, Unknown
from tidegate.verify.suite.around import around_of
from tidegate.verify.suite.lenient import lenient
from tidegate.verify.suite.matching import match
from tidegate.verify.suite.readers import IN_SOURCE, LANGUAGES, read_tests
from tidegate.verify.suite.removed import removed_tests
from tidegate.verify.suite.settings import SETTINGS, lowered
from tidegate.verify.suite.snapshots import rewritten
from tidegate.verify.suite.unrun import unrun
from tidegate.verify.suite.vacuous import vacuous
from tidegate.verify.suite.values import Lookup, TestFile, Tests, unchanged
from tidegate.verify.suite.weakened import Weakening, weakened
from tidegate.verify.values import Part, Subject

RULES = (
    *("test-vacuous", "test-weakened", "test-removed", "test-skipped", "threshold-lowered", "snapshot-rewritten"),
    "coverage-excluded",
)


def check(subject: Subject) -> Part:
    """The field `suite`. `weakened` counts what weakens the tests, `vacuous` changed tests that cannot fail.

    Notes are findings that are not counted. A file of tests that cannot be read makes the field unknown.
    """
    subject, left = _bounded(subject)
    read = _read(subject)
    matched = match(read.files)
    around = around_of(subject, matched)
    found = [one for kept in matched.kept for one in weakened(kept, around)]
    removed = removed_tests(subject, matched, read.files, around)
    found += [one.weakening() for one in removed]
    heads = {path: after for _, _, path, after in read.files}
    found += [*lowered(subject), *rewritten(subject), *unrun(subject, SETTINGS, heads), *lenient(subject, SETTINGS)]
    idle = vacuous(subject, matched)
    changed = sum(kept.before.text != kept.after.text for kept in matched.kept)
    facts = SuiteFacts(
        added=len(matched.added),
        removed=len(matched.removed),
        changed=changed,
        vacuous=sum(one.severity != "note" for one in idle),
        weakened=sum(one.severity != "note" for one in found) + sum(max(0, one.count - 1) for one in removed),
    )
    findings = [_finding(one) for one in (*found, *idle)]
    reason = f"{left} changed lines are too long to be searched for tests that are switched off"
    return Part(
        {"suite": facts}, tuple(findings), (*read.unknowns, *([Unknown("verification.suite", reason)] if left else ()))
    )


# Private


_USUAL, _MOST_BEYOND = 200, 200_000
"""The length of a line, and what a change may have beyond it before its longer lines are left out, in characters."""


def _bounded(subject: Subject) -> tuple[Subject, int]:
    """The change with its long lines empty where they are too many to be searched in time, and how many these are."""
    files = subject.change.files
    lines = (line for file in files if file.by_hand for hunk in file.hunks for line in (*hunk.added, *hunk.removed))
    long = [len(line) - _USUAL for line in lines if len(line) > _USUAL]
    if sum(long) <= _MOST_BEYOND:
        return subject, 0
    short = tuple(
        structs.replace(
            file,
            hunks=tuple(
                structs.replace(hunk, added=_short(hunk.added), removed=_short(hunk.removed)) for hunk in file.hunks
            ),
        )
        for file in files
    )
    return structs.replace(subject, change=structs.replace(subject.change, files=short)), len(long)


def _short(lines: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(line if len(line) <= _USUAL else b"" for line in lines)


class _Read(Struct, frozen=True):
    files: tuple[tuple[str, TestFile, str, TestFile], ...]
    unknowns: tuple[Unknown, ...]


def _read(subject: Subject) -> _Read:
    """The tests of all changed files on both sides, and why some could not be read."""
    chosen = [(file, pair) for file, pair in subject.changed() if _holds_tests(file)]
    known = [(file, pair) for file, pair in chosen if file.language in LANGUAGES]
    foreign = sorted({file.language for file, _ in chosen if file.language not in LANGUAGES})
    before, after = subject.trees.before, subject.trees.after
    old = before.read([pair.before for _, pair in known if pair.before])
    new = after.read([pair.after for _, pair in known if pair.after])
    look_before, look_after = _Lookup(before), _Lookup(after)
    files, broken = [], []
    for file, pair in known:
        first = _tests(old, pair.before, file.language, look_before)
        second = _tests(new, pair.after, file.language, look_after)
        if second is None:
            broken.append(pair.path)
        else:
            first = first or TestFile({})
            try:
                _settle(first, second)
            except RecursionError:
                broken.append(pair.path)
                continue
            files.append((pair.before or pair.after, first, pair.path, second))
    reasons = [f"tests in {', '.join(foreign)} are not read"] if foreign else []
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        reasons.append(f"{broken[0]}{more} could not be read")
    unknowns = (Unknown("verification.suite", "; ".join(reasons)),) if reasons else ()
    return _Read(tuple(files), unknowns)


def _holds_tests(file: FileChange) -> bool:
    if file.language in IN_SOURCE and file.kind == "source":
        return True
    return file.kind == "test" and file.language not in ("", *NOT_CODE, *PAGES)


def _tests(contents: Mapping[str, bytes], path: str, language: str, lookup: Lookup) -> TestFile | None:
    if not path:
        return TestFile({})
    return read_tests(contents[path], path, language, lookup) if path in contents else None


def _settle(before: TestFile, after: TestFile) -> None:
    """Judges the tests that are not the same on both sides."""
    same = unchanged(before, after)
    for side in (before, after):
        if isinstance(side.tests, Tests):
            side.tests.settle([name for name in side.tests if name not in same])


class _Lookup:
    """Reads further files of a tree, each once and not without end."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._names: frozenset[str] | None = None
        self._left = 200

    def __call__(self, path: str) -> bytes | None:
        if self._names is None:
            self._names = frozenset(self._tree.paths())
        if path not in self._names or self._left <= 0:
            return None
        self._left -= 1
        return self._tree.read((path,)).get(path)


def _finding(one: Weakening) -> Finding:
    return Finding(one.rule, one.severity, one.message, Place(one.path, one.line), one.mend)
