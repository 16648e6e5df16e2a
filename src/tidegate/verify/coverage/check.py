"""The check `coverage`: which of the changed lines that can be executed were executed by tests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from tidegate.change.values import FileChange
from tidegate.facts import CoverageFacts, Finding, Place, Unknown
from tidegate.verify.coverage.code import Code, read_code
from tidegate.verify.coverage.gather import Covered, Gathering, family_of
from tidegate.verify.coverage.readers import read_coverage
from tidegate.verify.values import Part, Subject, added_lines

_FIELD = "verification.coverage"
_MOST = 20
_ASK = "no coverage report was given: --coverage FILE"


class Changed(Struct, frozen=True):
    """A changed file of source: its added lines and its code at the head, None where that could not be read."""

    path: str
    file: FileChange
    added: frozenset[int]
    code: Code | None

    @property
    def touched(self) -> frozenset[int]:
        """The added lines that can be executed by our own rule: beginnings of statements, or else their insides.

        There are none in files that are not source.
        """
        if self.file.kind != "source":
            return frozenset()
        if self.code is None:
            return self.added
        return self.added & self.code.starts or self.added & self.code.spans


class Measured(Struct, frozen=True):
    """What is held of one changed file: added lines that can be executed, and those that were not executed.

    `spoken` says whether a report speaks of the file.
    """

    changed: Changed
    lines: frozenset[int]
    missed: frozenset[int]
    spoken: bool
    branches: int = 0
    branches_covered: int = 0


def check(subject: Subject) -> Part:
    """Coverage of the changed lines by all given reports. Raises InputError for a report that cannot be read."""
    changed = _changed(subject)
    unread = [one.path for one in changed if _unread(one)]
    if not subject.coverage:
        nothing = not unread and not any(one.touched for one in changed)
        return Part({"coverage": CoverageFacts()}) if nothing else _unknown([_ASK])
    wanted = {one.path: Covered(one.code.length, one.added) for one in changed if one.code is not None}
    gathering = read_coverage(subject.coverage, subject.trees.after.paths(), wanted)
    reasons = [f"the changed lines of {path} could not be read" for path in unread]
    measured: list[Measured] = []
    for one in changed:
        found = None if one.path in unread else measure(one, gathering)
        if isinstance(found, str):
            reasons.append(found)
        elif found is not None:
            measured.append(found)
    reasons += _unheard(changed, measured, gathering)
    findings = tuple(_findings([one for one in measured if one.missed]))
    if reasons:
        return Part(findings=findings, unknowns=_unknown(reasons).unknowns)
    names = tuple(os.fsencode(path).decode("utf-8", "backslashreplace") for path in subject.coverage)
    return Part({"coverage": facts_of(measured, names)}, findings)


def measure(one: Changed, gathering: Gathering) -> Measured | str | None:
    """What the reports say of a changed file; a reason where they cannot be of this version of it.

    None where its language is measured by none of them. A file of a measured language that no report speaks of has
    all its changed code lines missed.
    """
    if one.path in gathering.doubtful:
        return gathering.doubtful[one.path]
    covered = gathering.files.get(one.path)
    if covered is None or not (covered.lines or covered.excluded or covered.beyond):
        known = family_of(one.file.language) in gathering.families
        return Measured(one, one.touched, one.touched, spoken=False) if known and one.touched else None
    stale = _stale(one, covered)
    if stale:
        return f"{stale}: run the tests with coverage at the head of the change"
    lines = frozenset(number for number in covered.lines if number in one.added and _is_code(one, number))
    missed = frozenset(number for number in lines if not covered.lines[number])
    return Measured(one, lines, missed, True, *covered.branch_counts())


def facts_of(measured: Sequence[Measured], reports: tuple[str, ...]) -> CoverageFacts:
    """The sums over all changed files."""
    lines, missed = sum(len(one.lines) for one in measured), sum(len(one.missed) for one in measured)
    critical = [one for one in measured if one.changed.file.critical]
    critical_lines = sum(len(one.lines) for one in critical)
    critical_missed = sum(len(one.missed) for one in critical)
    return CoverageFacts(
        lines=lines,
        covered=lines - missed,
        share=(lines - missed) / lines if lines else 1.0,
        branches=sum(one.branches for one in measured),
        branches_covered=sum(one.branches_covered for one in measured),
        critical_lines=critical_lines,
        critical_share=(critical_lines - critical_missed) / critical_lines if critical_lines else 1.0,
        unmeasured_files=tuple(one.changed.path for one in measured if not one.spoken),
        reports=reports,
    )


def ranges_of(lines: Iterable[int], most: int = _MOST) -> str:
    """Line numbers as a person writes them: "3-5, 9 and 2 more"."""
    runs: list[list[int]] = []
    for number in sorted(lines):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs[:most])
    return shown + (f" and {len(runs) - most} more" if len(runs) > most else "")


# Private


def _unread(one: Changed) -> bool:
    return one.file.kind == "source" and (one.code is None or not one.file.lines_known)


def _changed(subject: Subject) -> list[Changed]:
    """The changed files of source that are there at the head and gained lines, or may have."""
    files = [
        (file, pair.after)
        for file, pair in subject.changed()
        if pair.after and file.kind != "test" and (file.hunks or not file.lines_known)
    ]
    contents = subject.trees.after.read([path for _, path in files])
    found = []
    for file, path in files:
        code = None
        if path in contents:
            language = file.language if file.language or file.kind == "source" else "Text"
            code = read_code(contents[path], language)
        one = Changed(path, file, added_lines(file), code)
        if one.added or not file.lines_known:
            found.append(one)
    return found


def _is_code(one: Changed, number: int) -> bool:
    """Whether a line that a report speaks of counts. Some tools speak of blank lines, and Go of blocks with braces."""
    if one.code is None:
        return True
    return number in (one.code.spans if one.file.language == "Go" else one.code.written)


def _stale(one: Changed, covered: Covered) -> str:
    """In which way the reports speak of another version of the file; "" where they do not."""
    code = one.code
    if code is None:
        return ""
    # Kotlin and Scala give lines that were inlined numbers after the end of the file.
    if covered.beyond and one.file.language not in ("Kotlin", "Scala"):
        return f"a report speaks of line {covered.beyond} of {one.path}, which has {code.length} lines"
    if code.possible is not None:
        strange = sorted(number for number in covered.lines if number not in code.possible)
        if strange:
            return f"a report calls line {strange[0]} of {one.path} executable, which is no code at the head"
    sure = one.added & code.sure
    silent = sure - covered.lines.keys() - covered.excluded
    exact = code.possible is not None and one.file.language == "Python"
    if silent and (exact or silent == sure):
        lines = ranges_of(silent, 5)
        return f"the reports leave out code in {one.path} that the change adds ({lines})"
    return ""


def _unheard(changed: Sequence[Changed], measured: Sequence[Measured], gathering: Gathering) -> Iterator[str]:
    """Languages that no report measures, where all code that counts is written in them."""
    heard = {one.changed.path for one in measured}
    for one in changed:
        deaf = family_of(one.file.language) not in gathering.families and one.path not in heard
        if deaf and one.touched and (one.file.critical or not measured):
            language = one.file.language or "its language"
            yield f"no report measures {language}, and {one.path} adds code in it"


def _unknown(reasons: Sequence[str]) -> Part:
    more = f"; and {len(reasons) - 3} more files" if len(reasons) > 3 else ""
    return Part(unknowns=(Unknown(_FIELD, "; ".join(reasons[:3]) + more),))


def _findings(missed: Sequence[Measured]) -> Iterator[Finding]:
    """One finding a file; of many files the critical ones and those with most lines, and how many there are more."""
    order = sorted(missed, key=lambda one: (not one.changed.file.critical, -len(one.missed), one.changed.path))
    for at, one in enumerate(order[:_MOST]):
        where, total = one.changed.path, len(one.lines)
        first = min(one.missed)
        last = next(number for number in range(first, first + total + 1) if number + 1 not in one.missed)
        noun = "line" if total == 1 else "lines"
        if one.spoken:
            message = f"Tests execute {total - len(one.missed)} of {total} changed {noun} of {where}; not executed: "
        else:
            message = f"No report speaks of {where}, so its {total} changed {noun} count as not executed: "
        message += ranges_of(one.missed)
        if at == _MOST - 1 and len(order) > _MOST:
            message += f"; {len(order) - _MOST} more files have such lines"
        yield Finding(
            "lines-uncovered",
            "medium" if one.changed.file.critical else "low",
            message,
            Place(where, first, last),
            "Write a test that executes them, or let the coverage tool measure the file.",
        )
