"""Looks for added tokens in an index: candidates by the fingerprints they share, each aligned and measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tidegate.verify.clones.align import Block, align
from tidegate.verify.clones.index import Index
from tidegate.verify.clones.judge import Likeness, measure
from tidegate.verify.clones.prints import hash_grams, telling_grams
from tidegate.verify.clones.tokens import Tokens, shape_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PLACES = 60
MOST_CANDIDATES = 24
_DIAGONAL = 48
_FEWEST_SEEDS = 2


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
        hits = index.find(hashes[places], MOST_PLACES)
        seeds = _Seeds(places[hits.asked].astype(np.int64), hits.owners, hits.places)
        found += _candidates(index, added, (first, end), seeds)
    return found


# Private


class _Seeds(NamedTuple):
    """Places that share a fingerprint: token here, blob, token there."""

    here: NDArray[np.int64]
    owners: NDArray[np.int64]
    there: NDArray[np.int64]


def _candidates(index: Index, added: Added, run: tuple[int, int], seeds: _Seeds) -> Iterable[Candidate]:
    shapes = shape_of(added.tokens.codes[run[0] : run[1]]).tolist()
    done: dict[tuple[int, int], list[Likeness]] = {}
    for group in _groups(seeds):
        owner = int(seeds.owners[group[0]])
        paths = index.paths(owner, added.family)
        tokens = index.tokens(owner) if paths else None
        if tokens is None:
            continue
        for path in paths[:2]:
            own = path == added.path
            for here, there in _starts(seeds, group, own):
                earlier = done.setdefault((owner, own), [])
                if any(_holds(likeness, here, there) for likeness in earlier):
                    continue
                likeness = _align(added, run, shapes, tokens, (here, there))
                earlier.append(likeness)
                if not (own and _overlap(likeness.left, likeness.right)):
                    yield Candidate(path, tokens, likeness)


def _groups(seeds: _Seeds) -> list[NDArray[np.intp]]:
    """Seeds of the same blob on about the same diagonal, the largest groups first."""
    import numpy as np

    if not len(seeds.here):
        return []
    band = (seeds.there - seeds.here) // _DIAGONAL
    order = np.lexsort((seeds.here, band, seeds.owners))
    owners, bands = seeds.owners[order], band[order]
    edges = np.flatnonzero((np.diff(owners) != 0) | (np.diff(bands) > 1)) + 1
    groups = [group for group in np.split(order, edges) if len(group) >= _FEWEST_SEEDS]
    groups.sort(key=lambda group: (-len(np.unique(seeds.here[group])), int(seeds.owners[group[0]])))
    return groups[:MOST_CANDIDATES]


def _starts(seeds: _Seeds, group: NDArray[np.intp], own: bool) -> list[tuple[int, int]]:
    """Where to begin to align: the middle of each cluster of seeds."""
    pairs = sorted(zip(seeds.here[group].tolist(), seeds.there[group].tolist(), strict=True))
    pairs = [pair for pair in pairs if not own or abs(pair[0] - pair[1]) > 20]
    clusters: list[list[tuple[int, int]]] = []
    for pair in pairs:
        if clusters and pair[0] - clusters[-1][-1][0] <= 80:
            clusters[-1].append(pair)
        else:
            clusters.append([pair])
    return [cluster[len(cluster) // 2] for cluster in clusters if len(cluster) >= _FEWEST_SEEDS]


def _align(
    added: Added, run: tuple[int, int], shapes: Sequence[int], tokens: Tokens, seed: tuple[int, int]
) -> Likeness:
    before, after = seed[0] - run[0], run[1] - seed[0]
    low = max(0, seed[1] - before - before // 2 - 60)
    window = shape_of(tokens.codes[low : seed[1] + after + after // 2 + 60]).tolist()
    blocks = align(shapes, window, (before, seed[1] - low))
    placed = [Block(b.left + run[0], b.right + low, b.length) for b in blocks]
    return measure(added.tokens, tokens, placed)


def _holds(likeness: Likeness, here: int, there: int) -> bool:
    return likeness.left[0] <= here < likeness.left[1] and likeness.right[0] <= there < likeness.right[1]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
