"""What a person is told of a suspect: its subject and date, its lines, who or what wrote them, and who answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.errors import TidegateError
from tidegate.provenance.evidence import EvidenceIndex, read_evidence
from tidegate.provenance.values import Origin
from tidegate.provenance.who import read_who
from tidegate.risk.values import Suspect, Trace
from tidegate.settings import Settings

MOST_TOLD = 3
MOST_PLACES = 2
"""Files and runs of lines of one suspect whose text is read: each costs a blame."""


class ToldLine(Struct, frozen=True):
    """A line that the fix repaired, as it stood before, and who or what wrote it."""

    path: str
    line: int
    text: str
    origin: Origin


class Told(Struct, frozen=True):
    """A suspect in words. `origin` is what holds for the whole commit; times are RFC 3339."""

    suspect: Suspect
    subject: str
    author: str
    authored_at: str
    origin: Origin
    lines: tuple[ToldLine, ...]


def tell(repository: Repository, settings: Settings, trace: Trace) -> tuple[Told, ...]:
    """The suspects of a trace in its order; lines with their text for the first three of them."""
    if not trace.suspects:
        return ()
    commits = read_commit_objects(repository, [trace.fix, *(suspect.commit for suspect in trace.suspects)])
    base = commits[trace.fix].parents[0]
    known = [commits[suspect.commit] for suspect in trace.suspects if suspect.commit in commits]
    index = read_evidence(repository, settings, known, None, (), base)
    return tuple(
        _told(suspect, commits, index, _lines(repository, settings, base, suspect) if place < MOST_TOLD else ())
        for place, suspect in enumerate(trace.suspects)
    )


# Private


def _told(suspect: Suspect, commits: Mapping[str, Commit], index: EvidenceIndex, lines: tuple[ToldLine, ...]) -> Told:
    commit = commits.get(suspect.commit)
    origin = index.conclude(suspect.commit, index.claims(suspect.commit, b"", 0))
    return Told(
        suspect=suspect,
        subject=commit.subject if commit else "",
        author=str(commit.author) if commit else "",
        authored_at=commit.authored_at if commit else "",
        origin=origin,
        lines=lines,
    )


def _lines(repository: Repository, settings: Settings, base: str, suspect: Suspect) -> tuple[ToldLine, ...]:
    found: list[ToldLine] = []
    for place in suspect.lines[:MOST_PLACES]:
        for first, last in _runs(place.lines)[:MOST_PLACES]:
            path = place.path.encode("utf-8", "surrogateescape")
            try:
                runs = read_who(repository, settings, base, path, first, last)
            except TidegateError:  # a path that is not UTF-8, or a file that is too large to show
                continue
            found += [
                ToldLine(place.path, number, text, run.origin)
                for run in runs
                for number, text in enumerate(run.lines, run.line)
            ]
    return tuple(found)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    groups = (list(group) for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]))
    return [(group[0][1], group[-1][1]) for group in groups]
