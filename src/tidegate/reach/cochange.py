"""What usually changes together with the changed files and this time did not, from history alone.

No parser is asked, so this crosses languages and reaches configuration, documents and data. It says nothing of why, and
is kept apart from the edges of the code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from tidegate.reach.answer import CoChange, SymbolId
from tidegate.reach.history import History
from tidegate.reach.partners import FITTED, Partner, Ranker, Weights

LEAST_SUPPORT = 3
LEAST_CONFIDENCE = 0.25
MOST = 10
MOST_ASKED = 200
"""Changed files that are asked about, those with the longest history first: each takes a millisecond."""


def missing_partners(
    history: History,
    changed: Collection[str],
    neighbours: Mapping[str, Collection[str]] | None = None,
    present: Collection[str] | None = None,
    weights: Weights = FITTED,
) -> tuple[CoChange, ...]:
    """The ten best of the files that changed with a changed one at least three times and in a quarter of its commits.

    `changed` are the paths of the change, old and new names alike, as text. `neighbours` are for each file those that
    import it or that it imports; they help the order. `present` are the files that exist: without it, those are left
    out that the newest commit which touched them deleted.
    """
    ranker = Ranker(history, weights)
    gone = ranker.gone
    best: dict[str, tuple[float, str, Partner]] = {}
    for path in sorted(set(changed), key=lambda path: (-ranker.commits_of(path), path))[:MOST_ASKED]:
        for partner in ranker.partners(path, (neighbours or {}).get(path, ())):
            exists = partner.path not in gone if present is None else partner.path in present
            if partner.path in changed or not exists or not _counts(partner):
                continue
            known = best.get(partner.path)
            if known is None or partner.score > known[0]:
                best[partner.path] = (partner.score, path, partner)
    ordered = sorted(best.values(), key=lambda entry: (-entry[0], entry[2].path))
    return tuple(_co_change(path, partner) for _, path, partner in ordered[:MOST])


# Private


def _counts(partner: Partner) -> bool:
    return partner.support >= LEAST_SUPPORT and partner.support >= LEAST_CONFIDENCE * partner.commits


def _co_change(because: str, partner: Partner) -> CoChange:
    return CoChange(
        symbol=SymbolId(partner.path, ""),
        because=SymbolId(because, ""),
        support=partner.support,
        commits=partner.commits,
        confidence=round(partner.support / partner.commits, 4),
        last_at=datetime.fromtimestamp(partner.last_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
