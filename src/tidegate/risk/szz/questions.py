"""Which lines of the base speak for what a fix repaired, and how directly.

A fix is compared with its first parent. What it removes or edits speaks most directly; lines that it only moves or
indents anew, lines of no code, and the lines around what it inserts speak less so. Documents, data, generated and
vendored files say nothing; tests only where the fix touches nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from tidegate.change.attributes import NO_ATTRIBUTES
from tidegate.change.classify import classify_files
from tidegate.change.values import FileChange, Hunk
from tidegate.risk.szz.lines import kind_of, squeezed
from tidegate.settings import Settings

Role: TypeAlias = Literal["edited", "removed", "moved", "bare", "near"]
"""How a line speaks: replaced by others, removed without successor, moved or indented anew, no code, or beside an
insertion or an edit."""

AROUND = 3
MOST_FILES = 4
MOST_LINES = 2000
"""Of one file: what a fix removes beyond this was not wrong, it was no longer wanted."""


class Line(NamedTuple):
    """A line of the base, counted from 1, in the hunk of that number. `distance` is 0 for lines inside of it."""

    number: int
    role: Role
    hunk: int
    distance: int


class Question(NamedTuple):
    """The lines of one file of the base that speak for a fix."""

    path: bytes
    oid: str
    lines: tuple[Line, ...]


class Asked(NamedTuple):
    """The questions of a fix and the files that speak, the most changed first; `why_none` says why there are none."""

    questions: tuple[Question, ...]
    why_none: str = ""
    files: tuple[FileChange, ...] = ()


def ask(files: Sequence[FileChange], settings: Settings | None = None) -> Asked:
    """The lines of the base to ask about, for the files that differ between a fix and its first parent."""
    return ask_described(classify_files(files, NO_ATTRIBUTES, settings or Settings()))


def ask_described(files: Sequence[FileChange]) -> Asked:
    """The same for files whose kind is known already."""
    if not files:
        return Asked((), "it changes no file")
    chosen, why_none = _choose(files)
    added = Counter(squeezed(line) for file in chosen for hunk in file.hunks for line in hunk.added)
    questions = [Question(file.old_path, file.old_oid, _lines(file, added)) for file in chosen]
    return Asked(_direct(questions), why_none, tuple(chosen))


# Private

_MOVABLE_BYTES = 6
"""Shorter lines are found again by chance."""


def _choose(files: Sequence[FileChange]) -> tuple[list[FileChange], str]:
    """The files that speak: code before configuration, configuration before tests."""
    by_hand = [f for f in files if f.by_hand and f.lines_known and f.hunks and f.kind in ("source", "config", "test")]
    if not by_hand:
        return [], "it changes nothing but documents, data, binary or generated files"
    for kinds in (("source",), ("config",), ("test",)):
        chosen = [f for f in by_hand if f.kind in kinds and f.status not in ("added", "copied")]
        if chosen:
            chosen.sort(key=lambda f: (-(f.added + f.deleted), f.path))
            return chosen[:MOST_FILES], ""
    return [], "it only adds new files"


def _lines(file: FileChange, added: Counter[bytes]) -> tuple[Line, ...]:
    found: dict[int, Line] = {}
    for number, hunk in enumerate(file.hunks):
        for line in _inside(hunk, number, added):
            found[line.number] = line
    for number, hunk in enumerate(file.hunks):
        for line in _around(hunk, number):
            held = found.get(line.number)
            if held is None or held.distance > line.distance:
                found[line.number] = line
    return tuple(sorted(found.values())[:MOST_LINES])


def _direct(questions: Sequence[Question]) -> tuple[Question, ...]:
    """Only a fix that changes no line of code asks what stands beside: those lines are old, and blame is slow there."""
    if not any(line.role in ("edited", "removed") for question in questions for line in question.lines):
        return tuple(question for question in questions if question.lines)
    kept = (q._replace(lines=tuple(line for line in q.lines if line.role != "near")) for q in questions)
    return tuple(question for question in kept if question.lines)


def _inside(hunk: Hunk, number: int, added: Counter[bytes]) -> list[Line]:
    role: Role = "edited" if hunk.new_count else "removed"
    found = []
    for at, text in enumerate(hunk.removed, hunk.old_start):
        bare = kind_of(text) != "code"
        key = squeezed(text)
        moved = len(key) >= _MOVABLE_BYTES and added[key] > 0
        found.append(Line(at, "bare" if bare else "moved" if moved else role, number, 0))
    return found


def _around(hunk: Hunk, number: int) -> list[Line]:
    first = hunk.old_start if hunk.old_count else hunk.old_start + 1
    after = first + hunk.old_count
    before = [Line(first - d, "near", number, d) for d in range(1, AROUND + 1) if first > d]
    return before + [Line(after + d - 1, "near", number, d) for d in range(1, AROUND + 1)]
