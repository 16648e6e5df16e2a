"""Collects the provenance of a change: who or what wrote each line that it adds, and how we know."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tidegate.change.lines import LineRun, read_line_origins
from tidegate.change.people import People
from tidegate.change.values import Change, Context, FileChange, show_path
from tidegate.facts import (
    AccountableFact,
    AgentFact,
    Conflict,
    EvidenceLines,
    FileProvenance,
    Lines,
    ProvenanceFacts,
    SpanFact,
    Unknown,
)
from tidegate.provenance.accountable import CO_AUTHOR_KEYS, Persons
from tidegate.provenance.evidence import Attributed, EvidenceIndex, read_evidence
from tidegate.provenance.messages import read_trailers
from tidegate.provenance.replay import Replays
from tidegate.provenance.signatures import load_signatures
from tidegate.provenance.values import LEVELS, Origin

FIELDS_OF_LINES = (
    "lines",
    "source_lines",
    "critical_lines",
    "ai_share",
    "unknown_share",
    "evidence",
    "agents",
    "accountable",
    "unaccountable_lines",
    "prompters",
    "ai_domains",
    "files",
    "spans",
    "conflicts",
)
"""What does not hold when the lines of some file could not be read."""

FIELDS_OF_COMMITS = (
    "declarations",
    "agents",
    "accountable",
    "unaccountable_lines",
    "prompters",
    "authors",
    "ai_share",
    "ai_domains",
    "conflicts",
)
"""What does not hold when there are no commits to ask: their lines are then counted as unknown."""


class FileLines(NamedTuple):
    """The added lines of one file with their attributions. `blank` are those of white space alone, ascending."""

    file: FileChange
    parts: tuple[Attributed, ...]
    blank: tuple[int, ...]


def collect(change: Change, context: Context) -> ProvenanceFacts:
    """Who or what wrote the lines that a change adds, and how we know."""
    index = read_evidence(
        context.repository,
        context.settings,
        change.commits,
        change.pull_request,
        context.transcripts,
        change.head,
    )
    return summarize(change, context, index, tuple(_attribute_files(change, context, index)))


def summarize(change: Change, context: Context, index: EvidenceIndex, files: tuple[FileLines, ...]) -> ProvenanceFacts:
    """The facts that follow from the attributions of all added lines."""
    unknowns = [*index.sources.unknowns, *_unknowns(change, context)]
    every = [(part, _size(part)) for file in files for part in file.parts]
    lines = _lines(every)
    unanswered = _unanswered(every, index)
    if unanswered:
        unknowns.append(Unknown("provenance.prompters", unanswered))
    return ProvenanceFacts(
        status="partial" if unknowns else "complete",
        unknowns=tuple(unknowns),
        findings=index.sources.findings,
        lines=lines,
        source_lines=_lines(_sized(f for f in files if f.file.by_hand and f.file.kind in ("source", "test"))),
        critical_lines=_lines(_sized(f for f in files if f.file.critical)),
        ai_share=(lines.ai + lines.mixed) / lines.added if lines.added else 0.0,
        unknown_share=lines.unknown / lines.added if lines.added else 0.0,
        evidence=_evidence(every),
        agents=_agents(every),
        accountable=_accountable(every),
        unaccountable_lines=sum(size for part, size in every if _is_ai(part.origin) and not part.origin.human),
        prompters=_prompters(every, index),
        authors=_authors(change, context),
        ai_domains=_ai_domains(files),
        files=tuple(_file(file) for file in files),
        spans=tuple(_span(file, part) for file in files for part in file.parts),
        declarations=index.sources.declarations,
        notes_read=index.sources.notes_read,
        conflicts=tuple(
            Conflict(show_path(f.file.path), p.line, p.end_line, p.conflict)
            for f in files
            for p in f.parts
            if p.conflict
        ),
    )


# Private


def _attribute_files(change: Change, context: Context, index: EvidenceIndex) -> Iterator[FileLines]:
    """The added lines of every file that has lines, in path order."""
    known: Mapping[bytes, tuple[LineRun, ...]] = {}
    if context.repository is not None and change.head:
        known = read_line_origins(context.repository, change.base, change.head, change.files).runs
    files = [file for file in sorted(change.files, key=lambda f: f.path) if _has_lines(file)]
    runs = {file.path: tuple(_every_added(file, known.get(file.path, ()))) for file in files}
    replays = Replays(index.sources.sessions.whole, index.sources.sessions.by_commit, runs)
    for file in files:
        lines = {hunk.new_start + n: text for hunk in file.hunks for n, text in enumerate(hunk.added)}
        extra = replays.claims(file.path, runs[file.path], lines)
        blank = tuple(sorted(number for number, text in lines.items() if not text.strip()))
        yield FileLines(file, index.attribute(runs[file.path], extra), blank)


def _has_lines(file: FileChange) -> bool:
    if file.kind in ("binary", "symlink", "submodule") or not file.lines_known:
        return False
    return any(hunk.new_count for hunk in file.hunks)


def _every_added(file: FileChange, runs: Sequence[LineRun]) -> Iterator[LineRun]:
    """The runs of all lines that the hunks add: those of unknown origin get commit ""."""
    position = 0
    for hunk in file.hunks:
        line, end = hunk.new_start, hunk.new_start + hunk.new_count
        while position < len(runs) and runs[position].line + runs[position].count <= line:
            position += 1
        while line < end:
            run = runs[position] if position < len(runs) else None
            if run is None or run.line >= end:
                yield LineRun(line, end - line, "", b"", 0)
                break
            if run.line > line:
                yield LineRun(line, run.line - line, "", b"", 0)
                line = run.line
            stop = min(end, run.line + run.count)
            yield LineRun(line, stop - line, run.commit, run.path, run.commit_line + line - run.line)
            line = stop
            position += stop == run.line + run.count


def _unknowns(change: Change, context: Context) -> Iterator[Unknown]:
    unread = [show_path(f.path) for f in change.files if not f.lines_known and f.kind not in ("binary", "submodule")]
    if unread:
        more = f" and {len(unread) - 3} more" if len(unread) > 3 else ""
        reason = f"the lines of {', '.join(unread[:3])}{more} could not be read"
        yield from (Unknown(f"provenance.{name}", reason) for name in FIELDS_OF_LINES)
    if change.commits:
        return
    if context.repository is None:
        reason = "a diff without a repository has no commits that could say who wrote it"
    elif not change.head:
        reason = "the commit does not exist yet; nobody could declare anything in it"
    else:
        return
    yield from (Unknown(f"provenance.{name}", reason) for name in FIELDS_OF_COMMITS)


def _unanswered(every: Sequence[tuple[Attributed, int]], index: EvidenceIndex) -> str:
    """Why the prompters are not all known: an agent wrote lines, or a commit, and nobody is known to have asked it."""
    commits = {p.origin.commit[:12] for p, _ in every if _is_ai(p.origin) and not p.origin.human}
    answers = {oid: index.answer(oid) for oid in _declared_commits(index)}
    commits |= {oid[:12] for oid, answer in answers.items() if not answer.prompters and not answer.human}
    if not commits:
        return ""
    return f"nobody answers for what an agent did in {', '.join(c or 'the change' for c in sorted(commits)[:3])}"


def _declared_commits(index: EvidenceIndex) -> tuple[str, ...]:
    """Commits that say that an agent wrote them or helped, also those of which no line is left, or that only delete."""
    declared = (d for d in index.sources.declarations if d.commit and d.role in ("author", "co-author", "session"))
    return tuple(sorted({d.commit for d in declared}))


def _is_ai(origin: Origin) -> bool:
    return origin.writer in ("ai", "mixed")


def _size(part: Attributed) -> int:
    return part.end_line - part.line + 1


def _sized(files: Iterable[FileLines]) -> list[tuple[Attributed, int]]:
    """Every part with its lines that are not blank: nobody has to say who wrote an empty line."""
    return [(part, _size(part) - _blank(file, part)) for file in files for part in file.parts]


def _blank(file: FileLines, part: Attributed) -> int:
    return bisect_right(file.blank, part.end_line) - bisect_left(file.blank, part.line)


def _lines(every: Sequence[tuple[Attributed, int]]) -> Lines:
    count: Counter[str] = Counter()
    for part, size in every:
        count[part.origin.writer] += size
    return Lines(
        added=count.total(), ai=count["ai"], human=count["human"], mixed=count["mixed"], unknown=count["unknown"]
    )


def _evidence(every: Sequence[tuple[Attributed, int]]) -> EvidenceLines:
    count: Counter[str] = Counter()
    for part, size in every:
        count[part.origin.evidence] += size
    return EvidenceLines(**{level: count[level] for level in LEVELS})


def _agents(every: Sequence[tuple[Attributed, int]]) -> tuple[AgentFact, ...]:
    lines: Counter[tuple[str, str]] = Counter()
    sessions: dict[tuple[str, str], set[str]] = {}
    weakest: dict[tuple[str, str], int] = {}
    for part, size in every:
        origin = part.origin
        if not _is_ai(origin):
            continue
        key = (origin.tool, origin.model)
        lines[key] += size
        sessions.setdefault(key, set()).add(origin.session)
        weakest[key] = max(weakest.get(key, 0), LEVELS.index(origin.evidence))
    return tuple(
        AgentFact(
            tool=tool,
            model=model,
            lines=count,
            sessions=len(sessions[tool, model] - {""}),
            evidence=LEVELS[weakest[tool, model]],
        )
        for (tool, model), count in sorted(lines.items(), key=lambda item: (-item[1], item[0]))
    )


def _accountable(every: Sequence[tuple[Attributed, int]]) -> tuple[AccountableFact, ...]:
    lines: Counter[str] = Counter()
    ai_lines: Counter[str] = Counter()
    for part, size in every:
        if part.origin.human:
            lines[part.origin.human] += size
            ai_lines[part.origin.human] += size if _is_ai(part.origin) else 0
    ranked = sorted(lines.items(), key=lambda item: (-item[1], item[0]))
    return tuple(AccountableFact(person, count, ai_lines[person]) for person, count in ranked)


def _prompters(every: Sequence[tuple[Attributed, int]], index: EvidenceIndex) -> tuple[str, ...]:
    """People who prompted an agent that wrote lines here: whom its session names, and whom its commit names."""
    found = {prompter for oid in _declared_commits(index) for prompter in index.answer(oid).prompters}
    for part, _ in every:
        if _is_ai(part.origin):
            answer = index.answer(part.origin.commit)
            found.update(answer.prompters)
            if not (answer.merged and part.origin.human == answer.human):
                found.add(part.origin.human)
    return tuple(sorted(found - {""}))


def _authors(change: Change, context: Context) -> tuple[str, ...]:
    persons = Persons(People(context.settings), load_signatures())
    names = {persons.name(p) for commit in change.commits for p in (commit.author, commit.committer)}
    trailers = (trailer for commit in change.commits for trailer in read_trailers(commit.message))
    names |= {persons.text(trailer.value) for trailer in trailers if trailer.key in CO_AUTHOR_KEYS}
    if change.pull_request is not None:
        names.add(persons.account(change.pull_request.author))
    return tuple(sorted(names - {""}))


def _ai_domains(files: Sequence[FileLines]) -> tuple[str, ...]:
    touched = (f.file for f in files if any(_is_ai(part.origin) for part in f.parts))
    return tuple(sorted({hit.domain for file in touched for hit in file.domains}))


def _file(file: FileLines) -> FileProvenance:
    lines = _lines([(part, _size(part)) for part in file.parts])
    return FileProvenance(
        path=show_path(file.file.path),
        added=lines.added,
        ai=lines.ai,
        human=lines.human,
        mixed=lines.mixed,
        unknown=lines.unknown,
    )


def _span(file: FileLines, part: Attributed) -> SpanFact:
    origin = part.origin
    return SpanFact(
        path=show_path(file.file.path),
        line=part.line,
        end_line=part.end_line,
        writer=origin.writer,
        tool=origin.tool,
        model=origin.model,
        session=origin.session,
        prompt=origin.prompt,
        human=origin.human,
        role=origin.role,
        evidence=origin.evidence,
        source=origin.source,
        commit=origin.commit,
        blank=_blank(file, part),
    )
