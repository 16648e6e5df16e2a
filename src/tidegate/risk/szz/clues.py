"""What speaks for each commit that may have caused what a fix repairs: one number for each kind of evidence.

Nothing here reads the message of the fix: messages often name the cause, and whoever measures a trace on such fixes
would measure reading instead of tracing.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.change.values import FileChange
from tidegate.risk.szz.blame import Author, Blame, Blamed
from tidegate.risk.szz.questions import Role
from tidegate.risk.szz.recent import Recent, Span, words

CLUES: tuple[str, ...] = (
    "share",  # of the lines of code that the fix edits or removes, those that this commit wrote
    "wrote",  # it wrote at least one of them
    "newest",  # of all commits that wrote a line inside the fix's hunks, it is the newest
    "moved",  # it wrote a line that the fix moves or indents anew
    "bare",  # it wrote a comment, an import or a bracket that the fix changes
    "beside",  # of the lines beside the hunks, where the fix changes no line of code, nearer ones counting more
    "age",  # log(1 + days before the fix)
    "same_author",
    "cosmetic",  # its subject speaks of renaming, moving, formatting, comments
    "bump",  # its subject speaks of a release, a merge, a revert
    "turn",  # 1 for the latest commit that touched the fix's files, 1/2 for the one before, and so on
    "older",  # it is not among the latest commits
    "close",  # exp(-lines / 10) from what it changed to what the fix changes
    "touching",  # at most one line away
    "words",  # of the words in the fix's changed lines, those that it brought or took; rare ones count more
    "size",  # log(1 + lines that it changed in those files)
)


class Fix(NamedTuple):
    """What of a fix matters here. `until` is when its fault was reported, or else when it was written."""

    email: str
    until: int
    files: tuple[FileChange, ...]


class Candidate(NamedTuple):
    """A commit that may be the cause, with its clues in the order of `CLUES` and the lines that it wrote."""

    commit: str
    author: Author
    clues: tuple[float, ...]
    lines: tuple[Blamed, ...]


def read_clues(fix: Fix, blame: Blame, recent: Sequence[Recent]) -> tuple[Candidate, ...]:
    """All candidates that are not younger than the report, in the order of their object ids."""
    wrote: dict[str, list[Blamed]] = defaultdict(list)
    for blamed in blame.lines:
        if blamed.commit:
            wrote[blamed.commit].append(blamed)
    authors = {**{r.commit: r.author for r in recent}, **blame.authors}
    oids = sorted(oid for oid in {*wrote, *(r.commit for r in recent)} if authors[oid].authored_at <= fix.until + 1)
    lines = _line_clues(oids, wrote, authors)
    turns = _recent_clues(fix, recent)
    return tuple(
        Candidate(oid, authors[oid], _row(fix, authors[oid], lines[oid], turns.get(oid, _OLDER)), tuple(wrote[oid]))
        for oid in oids
    )


# Private

_COSMETIC = re.compile(
    r"refactor|clean|rename|\bmov(?:e|ed|ing)\b|format|indent|whitespace|style|lint|typo|copyright|licen[cs]e|comment"
    r"|\bdoc",
    re.IGNORECASE,
)
_BUMP = re.compile(r"bump|release|version|merge|revert|v?\d+\.\d+", re.IGNORECASE)
_DAY = 86_400
_OLDER = (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
_CODE: tuple[Role, ...] = ("edited", "removed")


def _row(fix: Fix, author: Author, lines: tuple[float, ...], turn: tuple[float, ...]) -> tuple[float, ...]:
    return (
        *lines,
        math.log1p(max(0, fix.until - author.authored_at) / _DAY),
        float(fix.email.lower() == author.email),
        float(bool(_COSMETIC.search(author.subject))),
        float(bool(_BUMP.match(author.subject))),
        *turn,
    )


def _line_clues(
    oids: Sequence[str], wrote: Mapping[str, Sequence[Blamed]], authors: Mapping[str, Author]
) -> dict[str, tuple[float, ...]]:
    """share, wrote, newest, moved, bare, beside of each commit."""
    counts = {oid: Counter(b.line.role for b in wrote.get(oid, ())) for oid in oids}
    near = {oid: math.fsum(1 / b.line.distance for b in wrote.get(oid, ()) if b.line.role == "near") for oid in oids}
    code = sum(counts[oid][role] for oid in wrote if oid in counts for role in _CODE)
    beside = 0 if code else sum(near.values())
    inside = [oid for oid in oids if sum(counts[oid].values()) > counts[oid]["near"]]
    newest = max(inside, key=lambda oid: (authors[oid].committed_at, oid), default="")
    found: dict[str, tuple[float, ...]] = {}
    for oid in oids:
        own = counts[oid]["edited"] + counts[oid]["removed"]
        found[oid] = (
            own / code if code else 0.0,
            float(own > 0),
            float(oid == newest),
            float(counts[oid]["moved"] > 0),
            float(counts[oid]["bare"] > 0),
            near[oid] / beside if beside else 0.0,
        )
    return found


def _recent_clues(fix: Fix, recent: Sequence[Recent]) -> dict[str, tuple[float, ...]]:
    """turn, older, close, touching, words, size of each recent commit."""
    hunks = [hunk for file in fix.files for hunk in file.hunks]
    removed = words([line for hunk in hunks for line in hunk.removed])
    added = words([line for hunk in hunks for line in hunk.added])
    holders = Counter(word for r in recent for word in r.words)
    rarity = {word: math.log((len(recent) + 2) / (holders[word] + 1)) for word in removed | added}
    places = {f.old_path: [(h.old_start, h.old_start + max(h.old_count, 1)) for h in f.hunks] for f in fix.files}
    later: dict[bytes, list[list[Span]]] = defaultdict(list)
    found: dict[str, tuple[float, ...]] = {}
    for turn, r in enumerate(recent):
        away = _distance(r, places, later)
        found[r.commit] = (
            1 / (1 + turn),
            0.0,
            0.0 if away is None else math.exp(-away / 10),
            float(away is not None and away <= 1),
            _weight((removed | added) & r.words, rarity) / (_weight(removed | added, rarity) or 1.0),
            math.log1p(r.size),
        )
        for path, spans in r.hunks.items():
            later[path].append(spans)
    return found


def _weight(chosen: frozenset[bytes], rarity: Mapping[bytes, float]) -> float:
    return math.fsum(rarity[word] for word in chosen)


def _distance(
    recent: Recent, places: Mapping[bytes, Sequence[tuple[int, int]]], later: Mapping[bytes, Sequence[list[Span]]]
) -> int | None:
    """Lines between what a recent commit changed, as it stands in the base, and what the fix changes there."""
    best: int | None = None
    for path, spans in recent.hunks.items():
        for _, _, first, count in spans if path in places else ():
            start, end = first, first + max(count, 1)
            for newer in reversed(later.get(path, ())):
                start, end = _moved(start, newer), _moved(end, newer)
            for low, high in places[path]:
                gap = max(0, max(low, start) - min(high, end))
                best = gap if best is None else min(best, gap)
    return best


def _moved(line: int, spans: Sequence[Span]) -> int:
    """Where a line stands after a commit."""
    shift = 0
    for old, old_count, new, new_count in spans:
        if old + old_count <= line:
            shift += new_count - old_count
        elif old <= line:
            return new
        else:
            break
    return line + shift
