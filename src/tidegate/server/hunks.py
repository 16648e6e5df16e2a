"""The hunks of a change in the order in which they deserve to be read: what hurts most if it is wrong comes first.

A hunk here is what a person reads at once: runs of changed lines with a few lines around them. Its id, PATH:FIRST-LAST,
counts lines at the head; time spent reading and "I have read and understand this" are kept under it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.values import FileChange, Hunk, show_path
from tidegate.facts import Effect, Evidence, Facts, FileFact, Finding, Severity, SpanFact, Writer

CONTEXT = 3
"""Unchanged lines around a run; runs with fewer than twice as many between them are one hunk."""
MOST_LINES = 400
"""Lines of a hunk that are shown."""

Sign: TypeAlias = Literal["+", "-", " "]
Kind: TypeAlias = Literal["effect", "finding", "risk", "survivor", "clone", "break", "dependency"]
RANK: Mapping[str, int] = {"critical": 5, "high": 4, "medium": 3, "low": 2, "note": 1}


class Line(Struct, frozen=True):
    """A line as it is shown. `number` is at the head; of a removed line, at the base."""

    sign: Sign
    number: int
    text: str


class Origin(Struct, frozen=True):
    """Who or what wrote a run of added lines, and how that is known. `contested`: sources contradict each other."""

    writer: Writer = "unknown"
    tool: str = ""
    model: str = ""
    session: str = ""
    human: str = ""
    evidence: Evidence = "E0"
    source: str = ""
    contested: bool = False


class Stretch(Struct, frozen=True):
    """Neighbouring lines of one sign and one origin; lines that were not added have none."""

    origin: Origin | None
    lines: tuple[Line, ...]


class Remark(Struct, frozen=True):
    """What a check says of a line of the hunk. `line` 0: of the file as a whole."""

    kind: Kind
    severity: Severity
    title: str
    words: str
    line: int = 0
    mend: str = ""


class ReadHunk(Struct, frozen=True):
    """`reasons` say in words why it stands where it stands. `missing` is why lines are not shown, or ""."""

    id: str
    path: str
    line: int
    old_path: str
    status: str
    file_kind: str
    domains: tuple[str, ...]
    critical: bool
    by_hand: bool
    added: int
    deleted: int
    ai: int
    unknown: int
    stretches: tuple[Stretch, ...]
    remarks: tuple[Remark, ...]
    reasons: tuple[str, ...] = ()
    missing: str = ""

    @property
    def risky(self) -> bool:
        """Whether somebody must say that they understand it before they approve."""
        return self.by_hand and (self.critical or any(RANK[each.severity] >= RANK["high"] for each in self.remarks))

    @property
    def severity(self) -> int:
        return max((RANK[each.severity] for each in self.remarks), default=0)


def reading_order(
    facts: Facts, files: Sequence[FileChange], contents: Mapping[bytes, Sequence[bytes]]
) -> tuple[ReadHunk, ...]:
    """All hunks, the one that deserves the first look first.

    In this order: written by hand; of a critical domain; the gravest effect on infrastructure; an agent's lines; lines
    of unknown provenance; the gravest of the other remarks (reach, risk, verification); size; then path and line.
    `files` are as `read_diff` answers them, `contents` the lines at the head of those whose surroundings are shown.
    Without `files` each file of the facts is one hunk whose lines are missing.
    """
    known = {file.path: file for file in facts.change.files}
    desk = _Desk(known, _by_path(facts.provenance.spans), _conflicts(facts), _remarks(facts))
    if files:
        hunks = [hunk for file in files for hunk in _of_file(desk, file, contents.get(file.path, ()))]
    else:
        hunks = [_bare(desk, file) for file in facts.change.files]
    return tuple(replace(hunk, reasons=_reasons(hunk)) for hunk in sorted(hunks, key=_place_in_order))


# Private

_NOT_AT_HAND = "the lines are not at hand here: the service's copy of the repository does not hold this commit"
_TOO_LARGE = "git does not compare this file: it is binary, a link, or too large"


class _Desk(Struct, frozen=True):
    files: Mapping[str, FileFact]
    spans: Mapping[str, tuple[SpanFact, ...]]
    conflicts: Mapping[str, tuple[tuple[int, int], ...]]
    remarks: Mapping[str, tuple[Remark, ...]]


def _by_path(spans: Iterable[SpanFact]) -> dict[str, tuple[SpanFact, ...]]:
    ordered = sorted(spans, key=lambda span: (span.path, span.line))
    return {path: tuple(found) for path, found in groupby(ordered, key=lambda span: span.path)}


def _conflicts(facts: Facts) -> dict[str, tuple[tuple[int, int], ...]]:
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for each in facts.provenance.conflicts:
        found[each.path] = (*found.get(each.path, ()), (each.line, each.end_line))
    return found


def _remarks(facts: Facts) -> dict[str, tuple[Remark, ...]]:
    found: dict[str, list[Remark]] = {}
    for path, remark in _all_remarks(facts):
        found.setdefault(path, []).append(remark)
    return {path: tuple(each) for path, each in found.items()}


def _all_remarks(facts: Facts) -> Iterator[tuple[str, Remark]]:
    for effect in facts.infra.effects:
        yield effect.place.path, _effect(effect)
    said = {effect.reason for effect in facts.infra.effects}
    for section in (facts.change, facts.provenance, facts.reach, facts.infra, facts.verification, facts.risk):
        for finding in section.findings:
            if section is not facts.infra or not any(reason in finding.message for reason in said):
                yield finding.place.path, _finding(finding)
    for risky in facts.risk.lines:
        yield risky.path, Remark("risk", "medium", "look here first", risky.words, risky.line)
    verified = facts.verification
    for survivor in verified.mutation.survivors:
        words = f"{survivor.mutation}: no test notices" + ("" if survivor.covered else ", and none executes the line")
        yield survivor.place.path, Remark("survivor", "low", "a fault that no test finds", words, survivor.place.line)
    for clone in verified.clones:
        words = f"{clone.lines} lines do what {clone.other} does already"
        yield clone.place.path, Remark("clone", "note", "copied", words, clone.place.line)
    for break_ in verified.breaks:
        yield (
            break_.place.path,
            Remark("break", "high", f"breaks {break_.contract}", break_.what, break_.place.line),
        )
    for new in verified.dependencies:
        if new.change == "added" and new.evidence == "unknown":
            words = f"{new.name} ({new.ecosystem}) is new here, and nothing vouches for it"
            yield new.place.path, Remark("dependency", "medium", "a new dependency", words, new.place.line)


def _effect(effect: Effect) -> Remark:
    back = "" if effect.reversible else "it cannot be taken back"
    mend = "; ".join(part for part in (back, effect.back) if part)
    where = f" in {effect.environment}" if effect.environment else ""
    title = f"{effect.code} {effect.address}{where} ({effect.certainty})"
    return Remark("effect", effect.severity, title, effect.reason, effect.place.line, mend)


def _finding(finding: Finding) -> Remark:
    return Remark("finding", finding.severity, finding.rule, finding.message, finding.place.line, finding.mend)


def _of_file(desk: _Desk, file: FileChange, content: Sequence[bytes]) -> list[ReadHunk]:
    path = show_path(file.path)
    if not file.hunks:
        missing = _TOO_LARGE if file.binary or not file.lines_known else ""
        return [_hunk(desk, file, (0, 0), (), missing)]
    groups = list(_groups(file.hunks))
    ranges = [_range(group, len(content)) for group in groups]
    made = []
    for number, (group, range_) in enumerate(zip(groups, ranges, strict=True)):
        shown = tuple(_lines(group, content))
        missing = "" if len(shown) <= MOST_LINES else f"{len(shown) - MOST_LINES} more lines are not shown here"
        if any(len(h.added) != h.new_count or len(h.removed) != h.old_count for h in group):
            missing = "some of its lines are not shown: the change is too large"
        hunk = _hunk(desk, file, range_, shown[:MOST_LINES], missing)
        lower = ranges[number - 1][1] + 1 if number else 0
        upper = ranges[number + 1][0] - 1 if number + 1 < len(ranges) else 1 << 60
        made.append(replace(hunk, remarks=_near(desk.remarks.get(path, ()), lower, upper, range_, first=not number)))
    return made


def _near(
    remarks: Sequence[Remark], lower: int, upper: int, range_: tuple[int, int], *, first: bool
) -> tuple[Remark, ...]:
    """Those of the hunk's lines; those between two hunks belong to the nearer one, those of the file to the first."""
    own = [
        each
        for each in remarks
        if (range_[0] <= each.line <= range_[1])
        or (each.line == 0 and first)
        or (lower <= each.line < range_[0] and (first or range_[0] - each.line <= each.line - lower))
        or (range_[1] < each.line <= upper and (upper == 1 << 60 or each.line - range_[1] < upper - each.line))
    ]
    return tuple(sorted(own, key=lambda each: (-RANK[each.severity], each.line)))


def _hunk(desk: _Desk, file: FileChange, range_: tuple[int, int], lines: tuple[Line, ...], missing: str) -> ReadHunk:
    path = show_path(file.path)
    fact = desk.files.get(path)
    stretches = tuple(_stretches(desk, path, lines))
    writers = [each.origin.writer for each in stretches if each.origin for _ in each.lines]
    return ReadHunk(
        id=f"{path}:{range_[0]}-{range_[1]}",
        path=path,
        line=range_[0],
        old_path=show_path(file.old_path),
        status=file.status,
        file_kind=fact.kind if fact else file.kind,
        domains=fact.domains if fact else (),
        critical=bool(fact and fact.critical),
        by_hand=not (fact and (fact.generated or fact.vendored)),
        added=len(writers),
        deleted=sum(line.sign == "-" for line in lines),
        ai=sum(each in ("ai", "mixed") for each in writers),
        unknown=writers.count("unknown"),
        stretches=stretches,
        remarks=tuple(desk.remarks.get(path, ())),
        missing=missing,
    )


def _bare(desk: _Desk, fact: FileFact) -> ReadHunk:
    spans = desk.spans.get(fact.path, ())
    return ReadHunk(
        id=f"{fact.path}:0-0",
        path=fact.path,
        line=0,
        old_path=fact.old_path,
        status=fact.status,
        file_kind=fact.kind,
        domains=fact.domains,
        critical=fact.critical,
        by_hand=not (fact.generated or fact.vendored),
        added=fact.added,
        deleted=fact.deleted,
        ai=sum(s.end_line - s.line + 1 for s in spans if s.writer in ("ai", "mixed")),
        unknown=sum(s.end_line - s.line + 1 for s in spans if s.writer == "unknown"),
        stretches=(),
        remarks=desk.remarks.get(fact.path, ()),
        missing=_NOT_AT_HAND,
    )


def _groups(hunks: Sequence[Hunk]) -> Iterator[list[Hunk]]:
    group: list[Hunk] = []
    for hunk in sorted(hunks, key=lambda each: (_first(each), each.old_start)):
        if group and _first(hunk) - _after(group[-1]) >= 2 * CONTEXT:
            yield group
            group = []
        group.append(hunk)
    if group:
        yield group


def _first(hunk: Hunk) -> int:
    """The first line at the head that is the hunk's own, or would be."""
    return hunk.new_start if hunk.new_count else hunk.new_start + 1


def _after(hunk: Hunk) -> int:
    return _first(hunk) + hunk.new_count


def _old_first(hunk: Hunk) -> int:
    return hunk.old_start if hunk.old_count else hunk.old_start + 1


def _range(group: Sequence[Hunk], length: int) -> tuple[int, int]:
    """The first and last line at the head that the hunk is about; where all is removed, the line before."""
    first, last = _first(group[0]), _after(group[-1]) - 1
    if last < first:
        return min(last, first), min(last, first)
    return first, last if not length else min(last, length)


def _lines(group: Sequence[Hunk], content: Sequence[bytes]) -> Iterator[Line]:
    at = max(1, _first(group[0]) - CONTEXT)
    for hunk in group:
        yield from _context(content, at, _first(hunk))
        yield from (Line("-", number, _text(raw)) for number, raw in enumerate(hunk.removed, _old_first(hunk)))
        yield from (Line("+", number, _text(raw)) for number, raw in enumerate(hunk.added, _first(hunk)))
        at = _after(hunk)
    yield from _context(content, at, at + CONTEXT)


def _context(content: Sequence[bytes], begin: int, end: int) -> Iterator[Line]:
    for number in range(begin, min(end, len(content) + 1)):
        yield Line(" ", number, _text(content[number - 1]))


def _text(raw: bytes) -> str:
    return raw[:2000].decode("utf-8", "backslashreplace").rstrip("\r").expandtabs(4)


def _stretches(desk: _Desk, path: str, lines: Sequence[Line]) -> Iterator[Stretch]:
    marked: list[tuple[Sign, Origin | None, Line]] = []
    for line in lines:
        origin = _origin(desk, path, line.number) if line.sign == "+" else None
        if origin and origin.writer == "unknown" and not line.text.strip() and marked and marked[-1][0] == "+":
            origin = marked[-1][1]  # nobody vouches for a blank line, and nobody has to
        marked.append((line.sign, origin, line))
    for (_, origin), run in groupby(marked, key=lambda each: (each[0], each[1])):
        yield Stretch(origin, tuple(line for _, _, line in run))


def _origin(desk: _Desk, path: str, line: int) -> Origin:
    contested = any(first <= line <= last for first, last in desk.conflicts.get(path, ()))
    spans = desk.spans.get(path, ())
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        if spans[middle].end_line < line:
            low = middle + 1
        else:
            high = middle
    if low == len(spans) or not spans[low].line <= line <= spans[low].end_line:
        return Origin(contested=contested)
    s = spans[low]
    return Origin(s.writer, s.tool, s.model, s.session, s.human, s.evidence, s.source, contested)


def _place_in_order(hunk: ReadHunk) -> tuple[object, ...]:
    effect = max((RANK[each.severity] for each in hunk.remarks if each.kind == "effect"), default=0)
    size = hunk.added + hunk.deleted
    return (
        not hunk.by_hand,
        not hunk.critical,
        -effect,
        -_share(hunk.ai, hunk.added),
        -_share(hunk.unknown, hunk.added),
        -hunk.severity,
        -size,
        hunk.path,
        hunk.line,
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 1) if whole else 0.0


def _reasons(hunk: ReadHunk) -> tuple[str, ...]:
    found = []
    if hunk.critical:
        found.append(f"critical: {', '.join(hunk.domains)}")
    found += [f"{r.severity} effect" for r in hunk.remarks[:1] if r.kind == "effect"]
    if hunk.ai:
        found.append(f"{hunk.ai} of {hunk.added} added lines by an agent")
    if hunk.unknown:
        found.append(f"{hunk.unknown} of unknown provenance")
    if not hunk.by_hand:
        found.append("generated or from a third party")
    return tuple(found)
