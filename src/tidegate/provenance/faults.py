"""What is wrong with one note, judged from the note and its commit alone: nine classes, each with an id.

Pure functions. Every judgement is a contradiction that can be shown, never a suspicion: of 11,316 public notes those
that fit their commit raise nothing. What a note could hide from such checks is said in docs/formats-provenance.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.values import Commit, Person, show_path
from tidegate.facts import Finding, Place, Severity
from tidegate.provenance.gitai import human_key, metadata_key, prompt_key, session_key
from tidegate.provenance.runs import joined, outside
from tidegate.provenance.values import Entry, LineRange, Note, NoteFile, Session

SEVERITIES: Mapping[str, Severity] = {
    "note-double-claim": "medium",
    "note-fake-human": "high",
    "note-id-mismatch": "high",
    "note-orphan-key": "low",
    "note-over-reach": "medium",
    "note-range-edit": "medium",
    "note-replayed": "high",
    "note-stale-base": "medium",
    "note-stripped-trailer": "medium",
    "note-unreadable": "medium",
}
"""Every id that the audit of notes can raise."""

SHORT = 12
MOST_FINDINGS = 200
"""Of one id in one note."""


class Surroundings(Struct, frozen=True):
    """What is known beside the note. `added` is None for a path whose lines could not be compared.

    `same_text` names another commit with the very same note. `declared` is whether the commit's message or identities
    declare an agent; `declared_before` names a commit of the same author, moment and subject that does.
    """

    commit: Commit
    added: Mapping[bytes, tuple[LineRange, ...] | None]
    author_is_agent: bool = False
    agents: frozenset[str] = frozenset()
    same_text: str = ""
    declared: bool = True
    declared_before: str = ""
    trailers_required: bool = False


class Faulty(Struct, frozen=True):
    """Which claims of a note do not hold, and the findings that say why. Reasons are for people."""

    findings: tuple[Finding, ...] = ()
    whole: str = ""
    sessions: Mapping[str, str] = {}
    entries: Mapping[int, str] = {}
    lines: Mapping[bytes, tuple[LineRange, ...]] = {}


def judge_note(note: Note, around: Surroundings) -> Faulty:
    """Everything that is wrong with a note. A note that is bound to another commit is not looked at any further."""
    beyond = {path: found for path, found in _beyond(note, around) if found}
    bound = _binding(note, around, fits=not beyond)
    if bound is not None:
        return Faulty(findings=(bound,), whole=bound.message)
    sessions = {**_mismatched(note), **_fake_humans(note, around), **_too_many(note)}
    doubled = {file.path: found for file in _by_path(note) if (found := _double(file))}
    findings = [
        *_unreadable(note, around),
        *_findings("note-id-mismatch", _mismatched(note), note, around),
        *_findings("note-fake-human", _fake_humans(note, around), note, around),
        *_findings("note-fake-human", _agents_as_humans(note, around), note, around),
        *_findings("note-range-edit", _too_many(note), note, around),
        *_range_findings(note, around),
        *([] if _metadata_faults(note) else _orphans(note, around)),
        *_line_findings("note-double-claim", doubled, "two sessions claim", around),
        *_line_findings("note-over-reach", beyond, "the note claims", around),
        *_stripped(note, around),
    ]
    return Faulty(tuple(_most(findings)), "", sessions, dict(_twice(note)), doubled)


def person_of(text: str) -> Person:
    """`Name <email>` as a person; a text without an e-mail is a name."""
    found = re.fullmatch(r"(?P<name>[^<]*?)\s*<(?P<email>[^<>]*)>", text.strip())
    return Person(found["name"], found["email"]) if found else Person(text.strip(), "")


# Private


def _finding(rule: str, around: Surroundings, what: str, path: bytes = b"", lines: LineRange = (0, 0)) -> Finding:
    message = f"note of {around.commit.oid[:SHORT]}: {what}"
    place = Place(show_path(path) if path else ".", *lines)
    return Finding(rule, SEVERITIES[rule], message, place, f"tidegate explain {rule}")


def _most(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings, of each id no more than a person would read; how many more there are stands in the last one."""
    count: Counter[str] = Counter(finding.rule for finding in findings)
    seen: Counter[str] = Counter()
    for finding in findings:
        seen[finding.rule] += 1
        more = count[finding.rule] - MOST_FINDINGS
        if seen[finding.rule] < MOST_FINDINGS or (seen[finding.rule] == MOST_FINDINGS and not more):
            yield finding
        elif seen[finding.rule] == MOST_FINDINGS:
            yield replace(finding, message=f"{finding.message} (and {more} more in this note)")


def _by_path(note: Note) -> Iterator[NoteFile]:
    """One NoteFile for each path: a note may name a file twice."""
    entries: dict[bytes, list[Entry]] = {}
    for file in note.files:
        entries.setdefault(file.path, []).extend(file.entries)
    return (NoteFile(path, tuple(some)) for path, some in entries.items())


def _places(note: Note) -> dict[str, tuple[bytes, LineRange]]:
    """Where each key of the metadata is first used."""
    places: dict[str, tuple[bytes, LineRange]] = {}
    for file in note.files:
        for entry in file.entries:
            places.setdefault(metadata_key(entry.key), (file.path, entry.ranges[0]))
    return places


def _findings(rule: str, wrong: Mapping[str, str], note: Note, around: Surroundings) -> Iterator[Finding]:
    places = _places(note) if wrong else {}
    for key, reason in wrong.items():
        yield _finding(rule, around, reason, *places.get(key, (b"", (0, 0))))


# Bound to another commit: note-replayed, note-stale-base


def _binding(note: Note, around: Surroundings, *, fits: bool) -> Finding | None:
    base, commit = note.base_commit_sha, around.commit
    if base == commit.oid or _metadata_faults(note):
        return None
    # git-ai before 1.0 wrote no version, and the parent of the commit instead of the commit.
    if base in commit.parents and not note.git_ai_version and not around.same_text:
        return None
    names = f"it names {base[:SHORT]} as its commit" if base else "it names no commit"
    if around.same_text:
        return _finding("note-replayed", around, f"{names}, and {around.same_text[:SHORT]} has the very same note")
    if base and not fits:
        return _finding("note-replayed", around, f"{names}, and claims lines that this commit did not add")
    return _finding("note-stale-base", around, names)


# The text: note-unreadable, note-range-edit


def _metadata_faults(note: Note) -> bool:
    return any(fault.kind == "metadata" for fault in note.faults)


def _unreadable(note: Note, around: Surroundings) -> Iterator[Finding]:
    for fault in note.faults:
        if fault.kind in ("entry", "metadata"):
            where = f" in its line {fault.line}" if fault.line else ""
            yield _finding("note-unreadable", around, f"{fault.what}{where}")


def _range_findings(note: Note, around: Surroundings) -> Iterator[Finding]:
    for fault in note.faults:
        if fault.kind == "range":
            yield _finding("note-range-edit", around, f"{fault.what} in its line {fault.line}")
    wrong = dict(_twice(note))
    for file in note.files:
        for entry in file.entries:
            if id(entry) in wrong:
                yield _finding("note-range-edit", around, wrong[id(entry)], file.path, min(entry.ranges))


def _twice(note: Note) -> Iterator[tuple[int, str]]:
    """Entries (by identity) that name a line twice. Ranges out of order are usual: git-ai appends them on a rebase."""
    for file in note.files:
        for entry in file.entries:
            overlap = next((b[0] for a, b in pairwise(sorted(entry.ranges)) if b[0] <= a[1]), 0)
            if overlap:
                yield id(entry), f"{entry.key} names line {overlap} twice"


def _too_many(note: Note) -> dict[str, str]:
    """Prompts that claim more lines than their own record accepted. Fewer are usual: lines are deleted again."""
    counted = {s.key: s.totals[2] for s in note.sessions if s.totals}
    claimed = dict.fromkeys(counted, 0)
    for file in note.files if counted else ():
        for entry in file.entries:
            if entry.key in claimed:
                claimed[entry.key] += sum(last - first + 1 for first, last in entry.ranges)
    return {
        key: f"{key} claims {lines} lines, its record counts {counted[key]}"
        for key, lines in claimed.items()
        if lines > counted[key]
    }


# Who: note-orphan-key, note-id-mismatch, note-fake-human


def _orphans(note: Note, around: Surroundings) -> Iterator[Finding]:
    known = {session.key for session in note.sessions}
    seen: set[str] = set()
    for file in note.files:
        for entry in file.entries:
            key = metadata_key(entry.key)
            if key not in known and key not in seen:
                seen.add(key)
                what = f"its metadata does not say who or what {_word(key)} is"
                yield _finding("note-orphan-key", around, what, file.path, entry.ranges[0])


def _mismatched(note: Note) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for session in note.sessions:
        if session.kind == "human":
            continue
        if not session.tool or not session.id:
            wrong[session.key] = f"{_word(session.key)} names no tool or no conversation"
        elif not _recomputes(session):
            wrong[session.key] = f"{_word(session.key)} is not the id of its tool and conversation"
    return wrong


def _recomputes(session: Session) -> bool:
    """The oldest notes cut the hash to 7 digits, and some used the conversation's own id as the key."""
    if session.key in (session_key(session.tool, session.id), session.id):
        return True
    return len(session.key) >= 7 and prompt_key(session.tool, session.id).startswith(session.key)


def _fake_humans(note: Note, around: Surroundings) -> dict[str, str]:
    wrong: dict[str, str] = {}
    typed = _places(note) if around.author_is_agent else {}
    for session in note.sessions:
        if session.kind != "human":
            continue
        if not session.human:
            wrong[session.key] = f"{_word(session.key)} is a human without a name"
        elif session.key != human_key(session.human):
            wrong[session.key] = f"{_word(session.key)} is not the id of {_word(session.human)}"
        elif session.human in around.agents:
            wrong[session.key] = f"{_word(session.human)} is an agent, claimed as a human"
        elif session.key in typed:
            wrong[session.key] = f"{_word(session.human)} claims lines by hand, but the commit's author is an agent"
    return wrong


def _agents_as_humans(note: Note, around: Surroundings) -> dict[str, str]:
    """Sessions whose accountable human is an agent. What the session wrote still holds, so its claims do not fall."""
    return {
        session.key: f"{_word(session.human)} is an agent, named as the human of {_word(session.key)}"
        for session in note.sessions
        if session.kind != "human" and session.human in around.agents
    }


def _word(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


# Lines: note-double-claim, note-over-reach


def _line_findings(
    rule: str, lines: Mapping[bytes, Sequence[LineRange]], who: str, around: Surroundings
) -> Iterator[Finding]:
    tail = ", which the commit did not add" if rule == "note-over-reach" else ""
    for path, ranges in lines.items():
        count = sum(last - first + 1 for first, last in ranges)
        first = _span(ranges[0])
        rest = count - (ranges[0][1] - ranges[0][0] + 1)
        more = f" and {rest} more {'line' if rest == 1 else 'lines'}" if rest else ""
        yield _finding(rule, around, f"{who} {first}{more}{tail}", path, ranges[0])


def _span(lines: LineRange) -> str:
    return f"line {lines[0]}" if lines[0] == lines[1] else f"lines {lines[0]}-{lines[1]}"


def _double(file: NoteFile) -> tuple[LineRange, ...]:
    """Lines that two sessions claim. Each range is held against the furthest end of any earlier one of another key."""
    if len({metadata_key(entry.key) for entry in file.entries}) < 2:
        return ()
    ranges = sorted((first, last, metadata_key(entry.key)) for entry in file.entries for first, last in entry.ranges)
    furthest: list[tuple[int, str]] = []
    found: list[LineRange] = []
    for first, last, key in ranges:
        other = max((end for end, whose in furthest if whose != key), default=0)
        if other >= first:
            found.append((first, min(last, other)))
        best = max([last, *(end for end, whose in furthest if whose == key)])
        rest = [pair for pair in furthest if pair[1] != key]
        furthest = sorted([(best, key), *rest], reverse=True)[:2]
    return joined(found)


def _beyond(note: Note, around: Surroundings) -> Iterator[tuple[bytes, tuple[LineRange, ...]]]:
    for file in _by_path(note):
        added = around.added.get(file.path, ())
        if added is not None:
            claimed = joined(lines for entry in file.entries for lines in entry.ranges)
            yield file.path, outside(claimed, added)


# The commit's message: note-stripped-trailer


def _stripped(note: Note, around: Surroundings) -> Iterator[Finding]:
    agents = {session.key for session in note.sessions if session.kind != "human"}
    writes = any(metadata_key(entry.key) in agents for file in note.files for entry in file.entries)
    if not writes or around.declared:
        return
    if around.declared_before:
        before = around.declared_before[:SHORT]
        what = f"an agent wrote lines; {before}, the same work, declared it, and this message does not"
        yield _finding("note-stripped-trailer", around, what)
    elif around.trailers_required:
        yield _finding("note-stripped-trailer", around, "an agent wrote lines, and the message does not declare it")
