"""The evidence ladder: what every source says about a line, the strongest first, and what we conclude.

    E5  a signed record whose key the repository trusts, or what this clone's own recorder sealed (`captured.py`)
    E4  a note or trace that passes its audit
    E3  the line stands in an edit of a session's transcript
    E2  the whole commit is declared: a trailer, or an agent's own identity as author
    E1  a weak mark: a branch name, a pull request's description, a note that fails its audit
    E0  nothing: the line is unknown, which is not the same as human

The strongest claim wins; where others contradict it both sides are kept (`conflict`), and a line that a declared agent
and an unsigned note of a person contend for is read as the agent's: whoever can push can write a note. A note that is
silent about a line leaves the line to the next rung: with a declaration for the whole commit it is the agent's, by E2.
Both docs and tests hold these decisions: docs/evidence.md.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.lines import LineRun
from tidegate.change.people import People
from tidegate.change.values import Commit, PullRequest
from tidegate.facts import Claim, Declaration, Finding, Unknown
from tidegate.provenance.accountable import Answer, Persons, answer_for, answer_for_request
from tidegate.provenance.captured import read_captured
from tidegate.provenance.checkpoints import Checkpoints, read_checkpoints
from tidegate.provenance.declared import read_declarations
from tidegate.provenance.line_claims import Claims, Readers, read_line_claims
from tidegate.provenance.signatures import load_signatures
from tidegate.provenance.transcripts.values import Transcript
from tidegate.provenance.values import LEVELS, LineClaim, Origin
from tidegate.settings import Settings

UNKNOWN = Origin(writer="unknown", evidence="E0")
_ROLE_ORDER = {"author": 0, "co-author": 1, "suggestion": 2}


class Attributed(NamedTuple):
    """A run of lines with one attribution. `conflict` is empty unless sources contradict each other."""

    line: int
    end_line: int
    origin: Origin
    conflict: tuple[Claim, ...] = ()


class CommitEvidence(Struct, frozen=True):
    """What holds for a commit: claims about all of it, claims about lines by path, and who answers for it."""

    whole: tuple[Origin, ...] = ()
    lines: Mapping[bytes, tuple[LineClaim, ...]] = {}
    answer: Answer = Answer("", ())


class Sessions(NamedTuple):
    """Transcripts that may be replayed: those that the caller vouches to be of all the lines, and those of commits."""

    whole: tuple[Transcript, ...] = ()
    by_commit: Mapping[str, tuple[Transcript, ...]] = {}


class Sources(NamedTuple):
    """What was read beside claims: declarations, what audits found, what could not be told, transcripts."""

    declarations: tuple[Declaration, ...] = ()
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    sessions: Sessions = Sessions()
    notes_read: int = 0


class EvidenceIndex:
    """All evidence about a set of commits. Commits that are not in it are unknown, with nobody who answers.

    Under commit "" stands what holds for lines whose commit could not be told, or does not exist yet.
    """

    def __init__(self, commits: Mapping[str, CommitEvidence], sources: Sources | None = None) -> None:
        self.sources = sources or Sources()
        self._commits = commits
        self._sorted: dict[tuple[str, bytes], _SortedClaims] = {}
        self._attested = {oid: _tools_of_lines(evidence) for oid, evidence in commits.items()}
        self._attested_anywhere = frozenset().union(*self._attested.values()) if self._attested else frozenset()

    def answer(self, commit: str) -> Answer:
        """Who answers for a commit's lines."""
        return self._of(commit).answer

    def claims(self, commit: str, path: bytes, line: int) -> tuple[Origin, ...]:
        """Everything that sources say about one line of a commit, strongest first."""
        evidence = self._of(commit)
        on_line = [c.origin for c in evidence.lines.get(path, ()) if c.first <= line <= c.last]
        return _ranked((*on_line, *evidence.whole))

    def origin(self, commit: str, path: bytes, line: int) -> Origin:
        """Who or what wrote one line that a commit added, and who answers for it."""
        claims = self.claims(commit, path, line)
        return self.conclude(commit, _cautious(claims) if self._conflict(commit, claims) else claims)

    def conclude(self, commit: str, claims: Sequence[Origin]) -> Origin:
        """The strongest claim, with the commit and the accountable human filled in."""
        best = claims[0] if claims else UNKNOWN
        human = best.human or self._of(commit).answer.human
        session = best.session or next((c.session for c in claims if c.session and c.tool == best.tool), "")
        return msgspec.structs.replace(best, human=human, commit=best.commit or commit, session=session)

    def attribute(self, runs: Iterable[LineRun], extra: Sequence[LineClaim] = ()) -> tuple[Attributed, ...]:
        """Maximal runs with one attribution each. `extra` are further claims in the coordinates of the file itself."""
        merged: list[Attributed] = []
        further = _SortedClaims(extra)
        for run in runs:
            for part in self._attribute_run(run, further):
                if merged and _continues(merged[-1], part):
                    part = merged.pop()._replace(end_line=part.end_line)
                merged.append(part)
        return tuple(merged)

    # Private

    def _of(self, commit: str) -> CommitEvidence:
        return self._commits.get(commit, _NOTHING)

    def _claims_of(self, commit: str, path: bytes) -> _SortedClaims:
        key = (commit, path)
        if key not in self._sorted:
            self._sorted[key] = _SortedClaims(self._of(commit).lines.get(path, ()))
        return self._sorted[key]

    def _attribute_run(self, run: LineRun, extra: _SortedClaims) -> Iterator[Attributed]:
        last = run.line + run.count - 1
        shift = run.line - run.commit_line
        own = self._claims_of(run.commit, run.path).inside(run.commit_line, run.commit_line + run.count - 1)
        claims = [LineClaim(c.first + shift, c.last + shift, c.origin) for c in own]
        claims += extra.inside(run.line, last)
        whole = self._of(run.commit).whole
        for first, end, origins in _segments(claims, run.line, last):
            ranked = _ranked((*origins, *whole))
            conflict = self._conflict(run.commit, ranked)
            believed = _cautious(ranked) if conflict else ranked
            yield Attributed(first, end, self.conclude(run.commit, believed), conflict)

    def _conflict(self, commit: str, claims: Sequence[Origin]) -> tuple[Claim, ...]:
        if len(claims) < 2:
            return ()
        best = claims[0]
        against = [c for c in claims[1:] if contradicts(best, c) and not self._explained(commit, best, c, claims)]
        if not against:
            return ()
        return tuple(dict.fromkeys(_claim(c) for c in (best, *against)))

    def _explained(self, commit: str, best: Origin, other: Origin, claims: Sequence[Origin]) -> bool:
        """Whether a declaration for the whole commit is borne out elsewhere, so that it does not speak of this line."""
        if other.evidence not in ("E2", "E1"):
            return False
        if best.evidence in ("E2", "E1"):
            return True  # two agents declared for one commit both took part in it
        if best.writer != "human" and any(c.evidence in ("E2", "E1") and c.tool == best.tool for c in claims):
            return True
        attested = self._attested.get(commit, frozenset()) if other.commit else self._attested_anywhere
        return other.role != "author" and other.tool in attested


def read_evidence(
    repository: Repository | None,
    settings: Settings,
    commits: Sequence[Commit],
    pull_request: PullRequest | None,
    transcripts: tuple[Path, ...],
    head: str = "",
) -> EvidenceIndex:
    """Everything that notes, traces, transcripts and declarations say about these commits.

    A constant number of processes. Raises InputError for a transcript that cannot be read.
    """
    people = People(settings)
    signatures = load_signatures()
    persons = Persons(people, signatures)
    declarations = read_declarations(commits, pull_request, signatures)
    of_request = _whole([d for d in declarations if not d.commit])
    declared: dict[str, list[Declaration]] = {}
    for declaration in declarations:
        declared.setdefault(declaration.commit, []).append(declaration)
    attested = Claims({})
    captured: Mapping[str, Mapping[bytes, Sequence[LineClaim]]] = {}
    checkpoints = Checkpoints({})
    if repository is not None:
        captured = read_captured(repository, commits, persons, signatures)
        attested = read_line_claims(repository, settings, commits, Readers(persons, signatures), head)
        checkpoints = read_checkpoints(repository, settings.provenance.checkpoints, commits)
    evidence = {
        commit.oid: CommitEvidence(
            lines=_joined(captured.get(commit.oid, {}), attested.lines.get(commit.oid, {})),
            whole=_ranked((*_whole(declared.get(commit.oid, [])), *of_request)),
            answer=answer_for(commit, pull_request, persons),
        )
        for commit in commits
    }
    evidence[""] = CommitEvidence(whole=_ranked(of_request), answer=answer_for_request(pull_request, persons))
    too_large = [f"Entire checkpoint {name} is too large to read" for name in checkpoints.unread]
    sources = Sources(
        declarations=declarations,
        findings=attested.findings,
        unknowns=(*attested.unknowns, *(Unknown("provenance.evidence", reason) for reason in too_large)),
        sessions=Sessions(_read_transcripts(transcripts), checkpoints.sessions),
        notes_read=attested.read,
    )
    return EvidenceIndex(evidence, sources)


def contradicts(one: Origin, other: Origin) -> bool:
    """Whether two claims about the same lines cannot both be true."""
    if "unknown" in (one.writer, other.writer):
        return False
    if (one.writer == "human") != (other.writer == "human"):
        return True
    return bool(one.tool and other.tool and one.tool != other.tool and "ai" not in (one.tool, other.tool))


# Private

_NOTHING = CommitEvidence()


def _read_transcripts(paths: Sequence[Path]) -> tuple[Transcript, ...]:
    if not paths:
        return ()
    from tidegate.provenance.transcripts.read import read_transcript  # eleven readers: only where one is needed

    return tuple(read_transcript(path) for path in paths)


def _whole(declarations: Sequence[Declaration]) -> tuple[Origin, ...]:
    """Claims about all lines of a commit, by declarations. A pointer to a session refines them and claims nothing."""
    sessions = {d.tool: d.session for d in reversed(declarations) if d.session}
    origins = [
        Origin(
            writer="mixed" if d.role == "suggestion" else "ai",
            evidence=d.evidence,
            tool=d.tool,
            model=d.model,
            session=d.session or sessions.get(d.tool, ""),
            role=d.role,
            source=d.where,
            commit=d.commit,
        )
        for d in declarations
        if d.role in _ROLE_ORDER
    ]
    return tuple(sorted(origins, key=lambda o: (_ROLE_ORDER[o.role], not o.model)))


def _cautious(claims: Sequence[Origin]) -> Sequence[Origin]:
    """What is believed of claims that contradict each other: no line is a person's whom only an unsigned note names."""
    if claims[0].writer != "human" or claims[0].evidence == "E5":
        return claims
    return [claim for claim in claims if claim.writer != "human"] or claims


def _joined(*claims: Mapping[bytes, Sequence[LineClaim]]) -> dict[bytes, tuple[LineClaim, ...]]:
    """Several sources' claims about a commit, by path."""
    paths = dict.fromkeys(path for source in claims for path in source)
    return {path: tuple(claim for source in claims for claim in source.get(path, ())) for path in paths}


def _ranked(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    return tuple(sorted(origins, key=lambda o: LEVELS.index(o.evidence)))


def _claim(origin: Origin) -> Claim:
    return Claim(
        writer=origin.writer,
        tool=origin.tool,
        model=origin.model,
        evidence=origin.evidence,
        source=origin.source,
    )


def _tools_of_lines(evidence: CommitEvidence) -> frozenset[str]:
    return frozenset(
        claim.origin.tool for claims in evidence.lines.values() for claim in claims if claim.origin.writer != "human"
    )


def _continues(before: Attributed, after: Attributed) -> bool:
    return before.end_line + 1 == after.line and before.origin == after.origin and before.conflict == after.conflict


class _SortedClaims:
    """Claims by their first line, so that those about some lines are found without looking at all of them."""

    def __init__(self, claims: Sequence[LineClaim]) -> None:
        order = sorted(range(len(claims)), key=lambda n: claims[n].first)
        self._claims = claims
        self._order = order
        self._firsts = [claims[n].first for n in order]
        self._furthest = list(accumulate((claims[n].last for n in order), max))

    def inside(self, first: int, last: int) -> list[LineClaim]:
        """Claims about any of these lines, in the order in which they were given."""
        start = bisect_left(self._furthest, first)
        stop = bisect_right(self._firsts, last)
        return [self._claims[n] for n in sorted(self._order[start:stop]) if self._claims[n].last >= first]


def _segments(claims: Sequence[LineClaim], first: int, last: int) -> Iterator[tuple[int, int, list[Origin]]]:
    """Cuts `first..last` where claims begin and end. Claims keep their order within a segment."""
    begins: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for number, claim in enumerate(claims):
        begins.setdefault(max(claim.first, first), []).append(number)
        ends.setdefault(min(claim.last, last) + 1, []).append(number)
    cuts = sorted({first, *begins, *ends, last + 1})
    active: dict[int, None] = {}
    for start, stop in pairwise(cuts):
        for number in ends.get(start, ()):
            active.pop(number, None)
        for number in begins.get(start, ()):
            active[number] = None
        yield start, stop - 1, [claims[number].origin for number in sorted(active)]
