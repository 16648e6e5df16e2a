"""Which changes had to be repaired: all who say so, joined to one label for each change and repair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.risk.labels.fixes import find_fixes
from tidegate.risk.labels.hotfix import find_hotfixes
from tidegate.risk.labels.messages import FixKind
from tidegate.risk.labels.named import Names, blamed_commits, picked_from
from tidegate.risk.labels.reverts import find_reverts
from tidegate.risk.values import Label, PastCommit, Source, Tag, Trace
from tidegate.settings import Settings

if TYPE_CHECKING:
    from tidegate.risk.features.frame import Frame, Targets
    from tidegate.risk.history.mine import Mined

VERSION = 1
"""Of what is kept. Raise it when fixes are traced in another way."""
LEAST_CONFIDENCE = 0.05
"""What is less sure than this is no label but noise."""
BATCH = 2000
"""So many new fixes are traced before their traces are kept: whoever breaks off loses no more."""
FEW_FIXES = 12
"""So many new fixes are traced one by one; for more, one pass over the whole history costs less."""


class Outcome(Struct, frozen=True):
    """What production said of a commit, and when (Unix seconds). `by` names the incident or the commit that mended it.

    `confidence`: how sure it is that this commit is meant, 1 where a person confirmed it.
    "fine" takes back what was only traced (sources "issue-fix" and "fix") and known by then; nothing else.
    """

    commit: str
    kind: Literal["incident", "rollback", "hot-fix", "fine"]
    by: str
    at: int
    confidence: float = 1.0


def read_labels(
    mined: Mined, repository: Repository, settings: Settings, outcomes: Sequence[Outcome] = ()
) -> tuple[Label, ...]:
    """Every commit that had to be repaired, one label for each repair of it, in the order of `known_at`.

    Sources, the best first: what production said, reverts, trailers and words that name a commit, and SZZ on the fixes
    (its confidence times the fix's own). A label on a cherry-picked commit holds for all its copies in this history.
    What one repair says twice of a commit is said once, by its best source.
    """
    commits = mined.commits()
    fixes = find_fixes(commits, settings)
    return join_labels(commits, mined.tags(), fixes, read_traces(mined, repository, fixes), outcomes)


def read_traces(
    mined: Mined,
    repository: Repository,
    fixes: Mapping[str, FixKind],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Trace]:
    """The trace of every fix that is no revert, from what is kept; only new ones are traced."""
    traced = [oid for oid, fix in fixes.items() if fix.source != "revert"]
    kind = f"trace/{VERSION}"
    kept = {oid: _decoded(value) for oid, value in mined.get_many(kind, traced).items()}
    found = {oid: trace for oid, trace in kept.items() if trace is not None}
    missing = [oid for oid in traced if oid not in found]
    for start in range(0, len(missing), BATCH):
        told = None if progress is None else _beginning_at(start, len(missing), progress)
        new = _trace(repository, mined.until, missing[start : start + BATCH], told)
        mined.put_many(kind, {oid: msgspec.json.encode(trace) for oid, trace in new.items()})
        found |= new
    return found


def join_labels(
    commits: Sequence[PastCommit],
    tags: Sequence[Tag],
    fixes: Mapping[str, FixKind],
    traces: Mapping[str, Trace],
    outcomes: Sequence[Outcome] = (),
) -> tuple[Label, ...]:
    """The same from what was read already: a pure function. `traces` may lack fixes that could not be traced."""
    names = Names([commit.oid for commit in commits])
    by_oid = {commit.oid: commit for commit in commits}
    hotfixes = find_hotfixes(commits, tags, fixes.keys())
    # What a revert of texts or tests took back was no change of the product. A merge is not among the fixes.
    undone = [label for label in find_reverts(commits, names) if label.by in fixes or by_oid[label.by].is_merge]
    found: list[Label] = [*_of_outcomes(outcomes, by_oid), *undone]
    for oid, fix in fixes.items():
        if fix.source == "revert":
            continue
        named = list(_of_names(by_oid[oid], names, by_oid))
        found += named
        if not named and oid in traces:
            source: Source = "hot-fix" if oid in hotfixes else _traced_source(fix)
            found += _of_trace(traces[oid], by_oid, source, fix.confidence)
    found = list(_spread(found, _copies(commits, names), by_oid))
    return _best(_without_fine(found, outcomes))


def targets_of(frame: Frame, labels: Iterable[Label]) -> Targets:
    """What is known today of the fate of each row.

    Several repairs of one change are taken as independent, so that the confidence is that at least one is right; it
    counts as known from when half of that confidence was there.
    """
    import numpy as np

    from tidegate.risk.features.frame import Targets

    row_of = {oid: row for row, oid in enumerate(frame.ids)}
    repaired = np.zeros(len(frame.ids), dtype=np.float64)
    known_at = np.full(len(frame.ids), -1, dtype=np.int64)
    by_row: dict[int, list[Label]] = {}
    for label in labels:
        if label.commit in row_of:
            by_row.setdefault(row_of[label.commit], []).append(label)
    for row, said in by_row.items():
        repaired[row], known_at[row] = _together(said)
    return Targets(repaired, known_at)


# Private

_RANK: dict[Source, int] = {
    "incident": 0,
    "rollback": 1,
    "hot-fix": 4,
    "revert": 2,
    "fixes-trailer": 3,
    "issue-fix": 5,
    "fix": 6,
}
_PRODUCTION = -10
_MOST_COPIES = 50


def _trace(
    repository: Repository, until: str, fixes: Sequence[str], progress: Callable[[int, int], None] | None
) -> Mapping[str, Trace]:
    if len(fixes) <= FEW_FIXES:
        from tidegate.risk.szz.trace import trace_fix

        return {oid: trace_fix(repository, oid) for oid in fixes}
    from tidegate.risk.szz.sweep import trace_all

    return trace_all(repository, until, dict.fromkeys(fixes), progress)


def _beginning_at(start: int, whole: int, progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    return lambda done, _: progress(start + done, whole)


def _decoded(kept: bytes) -> Trace | None:
    try:
        return msgspec.json.decode(kept, type=Trace)
    except msgspec.DecodeError:  # traced anew
        return None


def _of_outcomes(outcomes: Sequence[Outcome], by_oid: Mapping[str, PastCommit]) -> Iterable[Label]:
    for outcome in outcomes:
        if outcome.kind == "fine" or outcome.confidence < LEAST_CONFIDENCE:
            continue
        if outcome.commit in by_oid:
            known_at = max(outcome.at, by_oid[outcome.commit].committed_at)
            yield Label(outcome.commit, outcome.by, outcome.kind, outcome.confidence, known_at)


def _of_names(fix: PastCommit, names: Names, by_oid: Mapping[str, PastCommit]) -> Iterable[Label]:
    for named in blamed_commits(fix.message):
        oid = names.find(named.oid, fix.oid)
        if oid and not by_oid[oid].is_merge:
            yield Label(oid, fix.oid, "fixes-trailer", named.confidence, _known_at(fix, by_oid[oid]))


def _of_trace(trace: Trace, by_oid: Mapping[str, PastCommit], source: Source, confidence: float) -> Iterable[Label]:
    fix = by_oid[trace.fix]
    for suspect in trace.suspects:
        commit = by_oid.get(suspect.commit)
        sure = suspect.confidence * confidence
        if commit is not None and commit.oid != fix.oid and sure >= LEAST_CONFIDENCE:
            yield Label(commit.oid, fix.oid, source, sure, _known_at(fix, commit))


def _traced_source(fix: FixKind) -> Source:
    # A trailer whose commit is not in this history says no more than that it is a fix.
    return "issue-fix" if fix.source == "issue-fix" else "fix"


def _known_at(repair: PastCommit, commit: PastCommit) -> int:
    """When the repair landed. Clocks are wrong at times: nothing is known before the change itself exists."""
    return max(repair.committed_at, commit.committed_at)


def _copies(commits: Sequence[PastCommit], names: Names) -> dict[str, tuple[str, ...]]:
    """For every commit that was picked, or is a pick: all commits here that are the same change, itself too."""
    groups: dict[str, list[str]] = {}
    root: dict[str, str] = {}
    for commit in commits:
        for origin in picked_from(commit.message)[-1:]:
            known = names.find(origin, commit.oid) or origin
            top = root.get(known, known)
            root[commit.oid] = top
            groups.setdefault(top, [top] if top in names.place else []).append(commit.oid)
    found: dict[str, tuple[str, ...]] = {}
    for group in groups.values():
        if 1 < len(group) <= _MOST_COPIES:
            found.update(dict.fromkeys(group, tuple(group)))
    return found


def _spread(
    labels: Iterable[Label], copies: Mapping[str, tuple[str, ...]], by_oid: Mapping[str, PastCommit]
) -> Iterable[Label]:
    for label in labels:
        yield label
        for oid in copies.get(label.commit, ()):
            if oid != label.commit and oid != label.by:
                known_at = max(label.known_at, by_oid[oid].committed_at)
                yield msgspec.structs.replace(label, commit=oid, known_at=known_at)


def _without_fine(labels: Iterable[Label], outcomes: Sequence[Outcome]) -> Iterable[Label]:
    fine = {outcome.commit: outcome.at for outcome in outcomes if outcome.kind == "fine"}
    said = {outcome.by for outcome in outcomes}
    for label in labels:
        traced = label.source in ("issue-fix", "fix") and label.by not in said
        if not (traced and label.commit in fine and label.known_at <= fine[label.commit]):
            yield label


def _best(labels: Iterable[Label]) -> tuple[Label, ...]:
    found: dict[tuple[str, str], Label] = {}
    for label in labels:
        key = (label.commit, label.by)
        if key not in found or _order(label) < _order(found[key]):
            found[key] = label
    return tuple(sorted(found.values(), key=lambda label: (label.known_at, label.commit, label.by)))


def _order(label: Label) -> tuple[int, float]:
    # A hot-fix that production reported is certain; one that was traced stands behind what names its commit.
    rank = _PRODUCTION if label.confidence == 1.0 else _RANK[label.source]
    return rank, -label.confidence


def _together(labels: Iterable[Label]) -> tuple[float, int]:
    ordered = sorted(labels, key=lambda label: (label.known_at, label.by))
    doubt = 1.0
    for label in ordered:
        doubt *= 1.0 - min(max(label.confidence, 0.0), 1.0)
    total, left = 1.0 - doubt, 1.0
    for label in ordered:
        left *= 1.0 - min(max(label.confidence, 0.0), 1.0)
        if 1.0 - left >= total / 2:
            return total, label.known_at
    return total, ordered[-1].known_at
