"""Lines of a suspect change, and who or what wrote them: tool, model, session, prompt, accountable human.

What the change's approvers and the gate said is not read here: whoever knows hands it in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.operate.batch import Batch, BatchChange
from tidegate.operate.commits import Clues, culprit_lines
from tidegate.provenance.who import read_who
from tidegate.settings import Settings

AROUND = 3
"""A hunk is shown with so many of its lines before and after the one that is meant."""


class Decided(Struct, frozen=True, kw_only=True):
    """What was decided about a change before it went out; empty where nothing is on record."""

    approvers: tuple[str, ...] = ()
    gate: str = ""
    waived: tuple[str, ...] = ()


class WrittenLines(Struct, frozen=True, kw_only=True):
    """A run of lines at the deployed revision with one attribution. `meant` are those that the evidence names."""

    path: str
    line: int
    end_line: int
    lines: tuple[str, ...]
    meant: tuple[int, ...]
    commit: str
    writer: str
    evidence: str
    tool: str = ""
    model: str = ""
    session: str = ""
    prompt: str = ""
    human: str = ""
    source: str = ""
    contradicted: bool = False


class Hunk(Struct, frozen=True):
    """Lines `first` to `last` of a file, all of one change, and those among them that are meant."""

    path: str
    first: int
    last: int
    meant: tuple[int, ...]


def hunks_behind(batch: Batch, clues: Clues, change: BatchChange, *, standing: int) -> tuple[Hunk, ...]:
    """The hunks that the clues point to; without such those of up to `standing` of its lines that are still there."""
    places = culprit_lines(batch, clues, change)
    if not places:
        still = ((path, line) for path, lines in sorted(change.lines.items()) for line in sorted(lines))
        places = tuple(islice(still, standing))
    return hunks_of(batch, change.commit.oid, places)


def hunks_of(batch: Batch, oid: str, places: Sequence[tuple[str, int]]) -> tuple[Hunk, ...]:
    """The hunks of a change around these places, in the order in which they are first meant."""
    found: dict[tuple[str, int, int], list[int]] = {}
    for path, line in places:
        if batch.owner(path, line) != oid:
            continue
        first = last = line
        while line - first < AROUND and batch.owner(path, first - 1) == oid:
            first -= 1
        while last - line < AROUND and batch.owner(path, last + 1) == oid:
            last += 1
        near = next((key for key in found if key[0] == path and key[1] <= last + 1 and first <= key[2] + 1), None)
        meant = found.pop(near) if near else []
        span = (path, min(first, near[1]), max(last, near[2])) if near else (path, first, last)
        found[span] = [*meant, line]
    return tuple(Hunk(path, first, last, tuple(sorted(meant))) for (path, first, last), meant in found.items())


def read_written(
    repository: Repository, settings: Settings, deployed: str, hunks: Sequence[Hunk]
) -> tuple[tuple[WrittenLines, ...], tuple[str, ...]]:
    """Who or what wrote the lines of each hunk, and what could not be told, in words. One blame a hunk."""
    found: list[WrittenLines] = []
    unknowns: list[str] = []
    for hunk in hunks:
        try:
            runs = read_who(repository, settings, deployed, hunk.path.encode(), hunk.first, hunk.last)
        except InputError as error:
            unknowns.append(f"who wrote {hunk.path}:{hunk.first} could not be told: {error.what}")
            continue
        for run in runs:
            origin = run.origin
            found.append(
                WrittenLines(
                    path=hunk.path,
                    line=run.line,
                    end_line=run.end_line,
                    lines=run.lines,
                    meant=tuple(line for line in hunk.meant if run.line <= line <= run.end_line),
                    commit=origin.commit,
                    writer=origin.writer,
                    evidence=origin.evidence,
                    tool=origin.tool,
                    model=origin.model,
                    session=origin.session,
                    prompt=origin.prompt,
                    human=origin.human,
                    source=origin.source,
                    contradicted=bool(run.conflict),
                )
            )
    return tuple(found), tuple(unknowns)


NOTHING_DECIDED: Mapping[str, Decided] = MappingProxyType({})
