"""The past of a branch as facts: history -> changes that landed -> the facts of each, and what became of it.

What could be known on the day a change landed is told; what nobody wrote down (reviews, reach, coverage) is unknown,
with that reason. Facts are kept beside the repository by the content that they follow from, so that a second run reads
no diff; an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from tidegate import __version__
from tidegate.change.branches import Branches, read_branches
from tidegate.change.collect import collect_change, collect_repository
from tidegate.change.git import Repository
from tidegate.change.past import Landing, PastRead, read_landings, read_past_changes
from tidegate.change.values import Change, Context
from tidegate.errors import InputError
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
    Section,
    Unknown,
    Verification,
    to_json,
)
from tidegate.facts import Repository as RepositoryFacts
from tidegate.infra.families import FAMILIES
from tidegate.policy.backtest.values import Fate, PastChange
from tidegate.provenance.notes import list_notes
from tidegate.provenance.past import collect_past
from tidegate.reach.store import Store, open_store
from tidegate.risk.collect import band_of
from tidegate.risk.values import REPAIRED, Label
from tidegate.settings import Settings

if TYPE_CHECKING:
    from tidegate.risk.labels.labels import Outcome

VERSION = 2
"""Of what is kept: a new one is given whenever the same change would give other facts."""

BLOCK = 128
"""So many neighbours on the branch are kept as one value, counted from the first commit: blocks never move."""

DAYS_TO_MATURE = 180
"""A change younger than this is not judged: its repair may not be known yet."""

NOT_KNOWN = "not known of the past"
LIMIT_BYTES = 2 << 30
_UNPACKED_LIMIT_BYTES = 1 << 30

Progress = Callable[[int, int], None]
Told = Callable[[str, int, int], None]
"""Progress that also says what is being done."""


class Hindsight(Struct, frozen=True):
    """What is known beside the repository.

    `scores` maps commits to the probability (below 0: none was said) and the percentile that a model gave them which
    had seen only what was known before; a merge has the highest of what it brought. `labels` are the repairs; `now` is
    when the question is asked (Unix seconds).
    """

    now: int
    labels: Sequence[Label] = ()
    scores: Mapping[str, tuple[float, float]] = {}
    matured_days: int = DAYS_TO_MATURE
    sure: float = REPAIRED
    """From here on a change counts as repaired. Several labels of one change are taken as independent."""


def read_hindsight(
    repository: Repository,
    until: str,
    settings: Settings,
    now: int,
    progress: Told | None = None,
    *,
    outcomes: Sequence[Outcome] = (),
) -> Hindsight:
    """What is known today of the changes that the commit `until` holds: what was learnt last, learnt anew where needed.

    `outcomes` are what production said; without any, what was learnt last may have heard it.
    The moment is that of the newest commit or outcome, so that the same history gives the same answer, but never later
    than `now`.
    """
    from tidegate.risk.history.mine import open_history
    from tidegate.risk.history.mine import store_folder as history_folder
    from tidegate.risk.knowledge import kept, kept_forward
    from tidegate.risk.labels.told import digest_of
    from tidegate.risk.train import learn

    with open_history(repository, until, history_folder(repository)) as mined:
        known, forward = kept(mined), kept_forward(mined)
    if known is not None and known.until == until and (not outcomes or known.outcomes == digest_of(outcomes)):
        return Hindsight(min(now, known.at), known.labels, forward)
    lesson = learn(repository, until, settings, progress, outcomes=outcomes)
    return Hindsight(min(now, lesson.past.now), lesson.past.labels, lesson.forward)


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
    chronicle = _Chronicle()
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


def moment_before(text: str, now: int) -> int:
    """When `12mo`, `2y`, `6w` or `90d` before `now` was, or a day such as 2025-03-01 began, in Unix seconds.

    Raises InputError for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,5})(d|w|mo|y)", text)
    if match:
        return now - round(int(match[1]) * _DAYS[match[2]] * 86_400)
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        mend = "write it like 12mo, 90d or 2025-03-01"
        raise InputError(f"{text!r} is no time span and no day", where="--since", mend=mend) from error
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())


def store_folder(repository: Repository) -> Path:
    """Where the facts of the past are kept."""
    return repository.common_dir / "tidegate" / "backtest"


def moment_of(seconds: int) -> str:
    """Unix seconds as RFC 3339 in UTC; a time that cannot be written so is the nearest that can."""
    return datetime.fromtimestamp(max(0, min(seconds, _LAST_SECOND)), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Private

_LAST_SECOND = 253_402_300_799
_DAYS = {"d": 1, "w": 7, "mo": 365.25 / 12, "y": 365.25}


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
        infra=_infra(kept.change),
        verification=_VERIFICATION,
        risk=_risk(landing, hindsight.scores),
        review=_REVIEW,
        history=around[1],
    )


_REACH = Reach(unknowns=(Unknown("reach", NOT_KNOWN),))
_INFRA = Infra(unknowns=(Unknown("infra", NOT_KNOWN),))
_NO_INFRA = Infra(status="complete")
_VERIFICATION = Verification(unknowns=(Unknown("verification", NOT_KNOWN),))
_REVIEW = ReviewFacts(unknowns=(Unknown("review", NOT_KNOWN),))
_NO_SCORE = Risk(unknowns=(Unknown("risk", "no model had been trained on what was known before it"),))
_SECTION_FIELDS = ("status", "unknowns", "findings")


def _others(section: type[Section], known: Collection[str], reason: str = NOT_KNOWN) -> tuple[Unknown, ...]:
    """Every other field of a section as unknown."""
    name = section.__name__.lower()
    left = (field for field in section.__struct_fields__ if field not in (*_SECTION_FIELDS, *known))
    return tuple(Unknown(f"{name}.{field}", reason) for field in left)


_RANKED = _others(Risk, ("percentile", "band"))
_SCORED = _others(Risk, ("percentile", "band", "probability"))


def _risk(landing: Landing, scores: Mapping[str, tuple[float, float]]) -> Risk:
    found = [scores[oid] for oid in landing.brought if oid in scores]
    if not found:
        return _NO_SCORE
    probability, percentile = (min(1.0, max(score[place] for score in found)) for place in (0, 1))
    rank = max(0.0, percentile)
    ranked = Risk(status="partial", unknowns=_RANKED, percentile=rank, band=band_of(rank))
    if probability < 0:
        return ranked
    return msgspec.structs.replace(ranked, unknowns=_SCORED, probability=probability)


def _infra(change: ChangeFacts) -> Infra:
    """What it did to infrastructure: nothing where no file of it can be any, else nobody looked."""
    names = (file.path for file in change.files)
    none = change.status == "complete" and not any(family.claims(name) for name in names for family in FAMILIES)
    return _NO_INFRA if none else _INFRA


class _Fates:
    """What became of changes, by the labels of the commits that they brought."""

    def __init__(self, hindsight: Hindsight) -> None:
        self._hindsight = hindsight
        self._labels: dict[str, list[Label]] = {}
        for label in hindsight.labels:
            if label.known_at <= hindsight.now:
                self._labels.setdefault(label.commit, []).append(label)

    def of(self, landing: Landing) -> Fate:
        """The fate of a change. What was mended before it landed never broke the branch, and does not count."""
        matured = landing.landed_at + self._hindsight.matured_days * 86_400 <= self._hindsight.now
        found = [label for oid in landing.brought for label in self._labels.get(oid, ())]
        labels = sorted((label for label in found if label.by not in landing.brought), key=_by_time)
        doubt, known_at = 1.0, -1
        for label in labels:
            doubt *= 1 - min(max(label.confidence, 0.0), 1.0)
            if known_at < 0 and 1 - doubt >= self._hindsight.sure:
                known_at = label.known_at
        failed = self._failed(labels)
        if known_at < 0:
            return Fate(False, 1 - doubt, "", -1, matured, failed)
        best = max(labels, key=lambda label: (label.confidence, label.source, label.by))
        return Fate(True, 1 - doubt, best.source, known_at, matured, failed)

    def _failed(self, labels: Sequence[Label]) -> bool:
        """Whether production says that it caused an incident."""
        doubts = (1 - label.confidence for label in labels if label.source == "incident")
        return 1 - math.prod(doubts) >= self._hindsight.sure


def _by_time(label: Label) -> tuple[int, str, str]:
    return label.known_at, label.by, label.commit


class _Chronicle:
    """What history held when each change landed."""

    def __init__(self) -> None:
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


_HISTORY = _others(History, ("changes", "since", "author_changes"))
_NO_HISTORY = (Unknown("history", "nothing landed before it"),)


def _nothing(branches: Branches) -> Change:
    """A change of nothing, to ask for the facts of its repository."""
    return Change("commit", "", "", "", "", "", "", "", (), (), Intent(), branches=branches)
