"""Looks for added tokens in an index: candidates by the fingerprints they share, each aligned and measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tidegate.verify.clones.align import Block, align
from tidegate.verify.clones.index import Index
from tidegate.verify.clones.judge import Likeness, may_be_clone, measure
from tidegate.verify.clones.prints import hash_grams, telling_grams
from tidegate.verify.clones.tokens import Tokens, shape_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PLACES = 60
MOST_CANDIDATES = 16
_BAND = 16
_STRETCH = 128


class Added(NamedTuple):
    """A changed file: its path and family, its tokens at the head, and which of them the change adds anew."""

    path: str
    family: str
    tokens: Tokens
    fresh: NDArray[np.bool_]


class Candidate(NamedTuple):
    """A place that added tokens resemble, with what both share."""

    path: str
    tokens: Tokens
    likeness: Likeness


def runs_of(fresh: NDArray[np.bool_], lines: NDArray[np.uint32]) -> list[tuple[int, int]]:
    """Where added tokens stand together: other tokens between them are on two lines at the most."""
    import numpy as np

    at = np.flatnonzero(fresh)
    if not len(at):
        return []
    apart = np.flatnonzero((np.diff(at) > 1) & (np.diff(lines[at].astype(np.int64)) > 3))
    firsts = [int(at[0]), *(int(at[i + 1]) for i in apart)]
    ends = [*(int(at[i]) + 1 for i in apart), int(at[-1]) + 1]
    return list(zip(firsts, ends, strict=True))


def search(index: Index, added: Added) -> list[Candidate]:
    """Every place that resembles added tokens of a file, judged by nobody yet."""
    import numpy as np

    shapes = shape_of(added.tokens.codes)
    hashes, telling = hash_grams(shapes), telling_grams(shapes)
    found: list[Candidate] = []
    for first, end in runs_of(added.fresh, added.tokens.lines):
        places = first + np.flatnonzero(telling[first : max(first, end - 9)])
        if not len(places):
            continue
        seeds = _seeds(index, places, hashes, added.path, added.family)
        found += _candidates(index, added, (first, end), seeds)
    return found


# Private


class _Seeds(NamedTuple):
    """Places that share a fingerprint: token here, blob, token there, and how rare the fingerprint is (1: once)."""

    here: NDArray[np.int64]
    owners: NDArray[np.int64]
    there: NDArray[np.int64]
    rarity: NDArray[np.float64]


class _Pair(NamedTuple):
    """Two places that share a fingerprint, from where they are aligned."""

    owner: int
    here: int
    there: int


class _Done(NamedTuple):
    owner: int
    left: tuple[int, int]
    right: tuple[int, int]


def _seeds(index: Index, places: NDArray[np.intp], hashes: NDArray[np.uint64], own: str, family: str) -> _Seeds:
    import numpy as np

    hits = index.find(hashes[places], MOST_PLACES)
    counts = np.bincount(hits.asked, minlength=len(places))
    here = places[hits.asked].astype(np.int64)
    owners, inverse = np.unique(hits.owners, return_inverse=True)
    paths = [index.paths(int(owner), family) for owner in owners]
    there = np.array([bool(found) for found in paths], bool)
    itself = np.array([tuple(found) == (own,) for found in paths], bool)
    kept = np.zeros(0, bool) if not len(owners) else there[inverse]
    if len(owners):
        kept &= ~(itself[inverse] & (np.abs(here - hits.places) <= _BAND))
    return _Seeds(here[kept], hits.owners[kept], hits.places[kept], 1.0 / counts[hits.asked][kept])


def _starts(seeds: _Seeds, most: int) -> list[_Pair]:
    """From where to align: for each blob, diagonal and stretch of the added tokens the rarest seed, the best first."""
    import numpy as np

    if not len(seeds.here):
        return []
    band = (seeds.there - seeds.here) // _BAND
    order = np.lexsort((-seeds.rarity, seeds.here // _STRETCH, band, seeds.owners))
    owners, bands, stretch = seeds.owners[order], band[order], (seeds.here // _STRETCH)[order]
    firsts = np.concatenate([[True], (np.diff(owners) != 0) | (np.diff(bands) != 0) | (np.diff(stretch) != 0)])
    weights = np.bincount(np.cumsum(firsts) - 1, weights=seeds.rarity[order])
    best = order[firsts]
    ranked = np.lexsort((seeds.there[best], seeds.here[best], seeds.owners[best], -weights))[:most]
    return [_Pair(int(seeds.owners[at]), int(seeds.here[at]), int(seeds.there[at])) for at in best[ranked]]


def _candidates(index: Index, added: Added, run: tuple[int, int], seeds: _Seeds) -> Iterable[Candidate]:
    shapes = shape_of(added.tokens.codes[run[0] : run[1]]).tolist()
    done: list[_Done] = []
    opened: dict[int, Tokens | None] = {}
    for pair in _starts(seeds, MOST_CANDIDATES + (run[1] - run[0]) // 32):
        if any(_holds(earlier, pair) for earlier in done):
            continue
        if pair.owner not in opened:
            opened[pair.owner] = index.tokens(pair.owner)
        tokens = opened[pair.owner]
        if tokens is None:
            continue
        blocks = _align(run, shapes, tokens, pair)
        last = blocks[-1]
        left, right = (blocks[0].left, last.left + last.length), (blocks[0].right, last.right + last.length)
        done.append(_Done(pair.owner, left, right))
        if not may_be_clone(blocks):
            continue
        paths = index.paths(pair.owner, added.family)
        path = next((path for path in paths if path != added.path or not _overlap(left, right)), None)
        if path is not None:
            yield Candidate(path, tokens, measure(added.tokens, tokens, blocks))


def _align(run: tuple[int, int], shapes: Sequence[int], tokens: Tokens, pair: _Pair) -> list[Block]:
    before, after = pair.here - run[0], run[1] - pair.here
    low = max(0, pair.there - before - before // 2 - 60)
    window = shape_of(tokens.codes[low : pair.there + after + after // 2 + 60]).tolist()
    blocks = align(shapes, window, (before, pair.there - low))
    return [Block(block.left + run[0], block.right + low, block.length) for block in blocks]


def _holds(done: _Done, pair: _Pair) -> bool:
    inside = done.left[0] <= pair.here < done.left[1] and done.right[0] <= pair.there < done.right[1]
    return inside and done.owner == pair.owner


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
