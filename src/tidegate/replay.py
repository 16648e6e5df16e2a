"""The past of a branch as facts: history -> changes that landed -> the facts of each, and what became of it.

What could be known on the day a change landed is told; what nobody wrote down (reviews, reach, coverage) is unknown,
with that reason. Facts are kept beside the repository by the content that they follow from, so that a second run reads
no diff; an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate import __version__
from tidegate.change.branches import Branches, read_branches
from tidegate.change.collect import collect_change, collect_repository
from tidegate.change.git import Repository
from tidegate.change.past import Landing, PastRead, read_landings, read_past_changes
from tidegate.change.values import Change, Context
from tidegate.facts import (
    ChangeFacts,
    Facts,
    History,
    Infra,
    Intent,
    ProvenanceFacts,
    Reach,
    ReviewFacts,
    Risk,
    Unknown,
    Verification,
    to_json,
)
from tidegate.facts import Repository as RepositoryFacts
from tidegate.policy.backtest.values import Fate, PastChange
from tidegate.provenance.notes import list_notes
from tidegate.provenance.past import collect_past
from tidegate.reach.store import Store, open_store
from tidegate.risk.values import Label
from tidegate.settings import Settings

VERSION = 1
"""Of what is kept: a new one is given whenever the same change would give other facts."""

BLOCK = 128
"""So many neighbours on the branch are kept as one value, counted from the first commit: blocks never move."""

MATURED_DAYS = 90
"""A change younger than this is not judged: its repair may not be known yet."""

NOT_KNOWN = "not known of the past"
LIMIT_BYTES = 2 << 30
_UNPACKED_LIMIT_BYTES = 1 << 30

Progress = Callable[[int, int], None]


class Hindsight(Struct, frozen=True):
    """What is known beside the repository.

    `scores` maps commits of the branch to the probability and the percentile that a model gave them which had seen
    only what was known before; `labels` are the repairs; `now` is when the question is asked (Unix seconds).
    """

    now: int
    labels: Sequence[Label] = ()
    scores: Mapping[str, tuple[float, float]] = {}
    matured_days: int = MATURED_DAYS
    surest: float = 0.5
    """A label below this confidence says nothing."""


def read_past(
    repository: Repository,
    until: str,
    since: int,
    settings: Settings,
    hindsight: Hindsight,
    progress: Progress | None = None,
) -> Iterator[PastChange]:
    """The changes that landed on the way to `until`, from `since` (Unix seconds) on, the oldest first.

    A handful of processes, whatever their number; memory for some hundred changes. `progress` is told how many changes
    are done and how many there are. Raises GitError for history that cannot be read.
    """
    landings = read_landings(repository, repository.resolve(until))
    branches = read_branches(repository)
    noted = frozenset(oid for ref in settings.provenance.notes for oid in list_notes(repository, ref))
    reader = _Reader(repository, settings, branches, noted)
    fates = _Fates(hindsight)
    chronicle = _Chronicle(fates)
    place = collect_repository(_nothing(branches), Context(repository, settings, now=""))
    done = 0
    total = sum(landing.landed_at >= since for landing in landings)
    with open_store(store_folder(repository), limit=LIMIT_BYTES) as store:
        for landing, kept in _read_kept(reader, store, landings, since):
            history = chronicle.add(landing)
            if kept is None or landing.landed_at < since:
                continue
            done += 1
            if progress is not None:
                progress(done, total)
            facts = _facts(landing, kept, hindsight, (place, history))
            yield PastChange(landing.oid, landing.landed_at, kept.subject, facts, fates.of(landing))


def store_folder(repository: Repository) -> Path:
    """Where the facts of the past are kept."""
    return repository.common_dir / "tidegate" / "backtest"


def moment_of(seconds: int) -> str:
    """Unix seconds as RFC 3339 in UTC; a time that cannot be written so is the nearest that can."""
    return datetime.fromtimestamp(max(0, min(seconds, _LAST_SECOND)), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Private

_LAST_SECOND = 253_402_300_799


class _Kept(Struct, frozen=True, array_like=True):
    """The facts of one change that do not depend on when they are asked for."""

    oid: str
    subject: str
    change: ChangeFacts
    provenance: ProvenanceFacts


_BLOCK_DECODER = msgspec.msgpack.Decoder(tuple[_Kept, ...])


class _Reader(Struct, frozen=True):
    """Reads changes as facts, and says what a block of them is kept by."""

    repository: Repository
    settings: Settings
    branches: Branches
    noted: frozenset[str]

    def key(self, block: Sequence[Landing]) -> str:
        own = msgspec.structs.replace(self.settings, rule=())
        noted = [oid for landing in block for oid in landing.brought if oid in self.noted]
        cut = [landing.oid for landing in block if landing.cut]
        parts = [VERSION, __version__, own, block[0].oid, block[-1].oid, len(block), noted, cut]
        return hashlib.sha256(to_json(parts)).hexdigest()

    def read(self, landings: Sequence[Landing]) -> Iterator[_Kept]:
        for read in read_past_changes(self.repository, landings, self.settings, self.branches):
            yield self._keep(read)

    # Private

    def _keep(self, read: PastRead) -> _Kept:
        landing, change = read.landing, read.change
        if change is None:
            reason = "this clone does not hold what it changed"
            missing = ChangeFacts(unknowns=(Unknown("change", reason),))
            return _Kept(landing.oid, "", missing, ProvenanceFacts(unknowns=(Unknown("provenance", reason),)))
        now = moment_of(landing.landed_at)
        context = Context(repository=read.repository, settings=self.settings, now=now)
        facts = collect_change(change, context)
        noted = not self.noted.isdisjoint(landing.brought)
        return _Kept(landing.oid, facts.title, facts, collect_past(change, self.settings, now, noted=noted))


def _read_kept(
    reader: _Reader, store: Store, landings: Sequence[Landing], since: int
) -> Iterator[tuple[Landing, _Kept | None]]:
    """Every landing with its facts; None for those of blocks that lie before `since` altogether."""
    blocks = [landings[start : start + BLOCK] for start in range(0, len(landings), BLOCK)]
    wanted = [any(landing.landed_at >= since for landing in block) for block in blocks]
    at = 0
    while at < len(blocks):
        found = _load(store, reader.key(blocks[at]), blocks[at]) if wanted[at] else [None] * len(blocks[at])
        if found is not None:
            yield from zip(blocks[at], found, strict=True)
            at += 1
            continue
        stop = at + 1
        while stop < len(blocks) and wanted[stop] and not store.get_bytes("facts", reader.key(blocks[stop])):
            stop += 1
        fresh = reader.read([landing for block in blocks[at:stop] for landing in block])
        for block in blocks[at:stop]:
            kept = [next(fresh) for _ in block]
            store.put_bytes("facts", reader.key(block), zlib.compress(msgspec.msgpack.encode(kept), 1))
            yield from zip(block, kept, strict=True)
        at = stop


def _load(store: Store, key: str, block: Sequence[Landing]) -> list[_Kept | None] | None:
    data = store.get_bytes("facts", key)
    if data is None:
        return None
    try:
        opened = zlib.decompressobj()
        kept = _BLOCK_DECODER.decode(opened.decompress(data, _UNPACKED_LIMIT_BYTES))
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return list(kept) if [one.oid for one in kept] == [landing.oid for landing in block] else None


def _facts(landing: Landing, kept: _Kept, hindsight: Hindsight, around: tuple[RepositoryFacts, History]) -> Facts:
    return Facts(
        now=moment_of(landing.landed_at),
        repository=around[0],
        change=kept.change,
        provenance=kept.provenance,
        reach=_REACH,
        infra=_INFRA,
        verification=_VERIFICATION,
        risk=_risk(hindsight.scores.get(landing.oid)),
        review=_REVIEW,
        history=around[1],
    )


_REACH = Reach(unknowns=(Unknown("reach", NOT_KNOWN),))
_INFRA = Infra(unknowns=(Unknown("infra", NOT_KNOWN),))
_VERIFICATION = Verification(unknowns=(Unknown("verification", NOT_KNOWN),))
_REVIEW = ReviewFacts(unknowns=(Unknown("review", NOT_KNOWN),))
_NO_SCORE = Risk(unknowns=(Unknown("risk", "no model had been trained on what was known before it"),))
_SCORED = ("probability", "percentile")
_SECTION_FIELDS = ("status", "unknowns", "findings")
_NOT_SCORED = tuple(
    Unknown(f"risk.{name}", NOT_KNOWN) for name in Risk.__struct_fields__ if name not in (*_SCORED, *_SECTION_FIELDS)
)


def _risk(score: tuple[float, float] | None) -> Risk:
    if score is None or not all(0 <= number <= 1 for number in score):
        return _NO_SCORE
    return Risk(status="partial", unknowns=_NOT_SCORED, probability=score[0], percentile=score[1])


class _Fates:
    """What became of changes, by the labels of the commits that they brought."""

    def __init__(self, hindsight: Hindsight) -> None:
        self._hindsight = hindsight
        self._labels: dict[str, list[Label]] = {}
        for label in hindsight.labels:
            if label.confidence >= hindsight.surest:
                self._labels.setdefault(label.commit, []).append(label)

    def labels(self, landing: Landing) -> list[Label]:
        """The labels that count: what was mended before it landed never broke the branch."""
        found = [label for oid in landing.brought for label in self._labels.get(oid, ())]
        return [label for label in found if label.by not in landing.brought]

    def of(self, landing: Landing) -> Fate:
        matured = landing.landed_at + self._hindsight.matured_days * 86_400 <= self._hindsight.now
        labels = [label for label in self.labels(landing) if label.known_at <= self._hindsight.now]
        if not labels:
            return Fate(repaired=False, confidence=0.0, source="", known_at=-1, matured=matured)
        best = max(labels, key=lambda label: (label.confidence, -label.known_at, label.by))
        known_at = min(label.known_at for label in labels)
        return Fate(True, best.confidence, best.source, known_at, matured)


class _Chronicle:
    """What history held when each change landed."""

    def __init__(self, fates: _Fates) -> None:
        self._fates = fates
        self._authors: Counter[str] = Counter()
        self._commits = 0
        self._since = ""

    def add(self, landing: Landing) -> History:
        """The facts of history before this change; from then on it is part of it."""
        history = History(
            status="partial" if self._commits else "unknown",
            unknowns=_HISTORY if self._commits else _NO_HISTORY,
            changes=self._commits,
            since=self._since,
            author_changes=self._authors[landing.author],
        )
        self._authors.update(landing.authors)
        self._commits += len(landing.authors)
        self._since = self._since or moment_of(landing.landed_at)
        return history


_KNOWN_OF_HISTORY = ("changes", "since", "author_changes")
_HISTORY = tuple(
    Unknown(f"history.{name}", NOT_KNOWN)
    for name in History.__struct_fields__
    if name not in (*_KNOWN_OF_HISTORY, *_SECTION_FIELDS)
)
_NO_HISTORY = (Unknown("history", "nothing landed before it"),)


def _nothing(branches: Branches) -> Change:
    """A change of nothing, to ask for the facts of its repository."""
    return Change("commit", "", "", "", "", "", "", "", (), (), Intent(), branches=branches)
