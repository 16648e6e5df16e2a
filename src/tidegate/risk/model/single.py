"""What a model is made of, and how it reads one change: in plain Python, for numpy loads longer than that takes."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import compress
from operator import lt
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.errors import InputError

DEEPEST = 64
LEAF = -1
REACH = 6.0
_MOST_NODES = 1 << 31

Space: TypeAlias = Literal["raw", "log", "rank"]


class Reference(Struct, frozen=True, forbid_unknown_fields=True):
    """What is usual in a repository, feature by feature, read from its changes alone and from no label.

    `quantiles` are `GRID` + 1 evenly spaced quantiles, empty for a feature that was never known; `middles` and
    `spreads` are median and quartile distance of the log-scaled values.
    """

    quantiles: tuple[tuple[float, ...], ...]
    middles: tuple[float, ...]
    spreads: tuple[float, ...]


class Trees(Struct, frozen=True, forbid_unknown_fields=True):
    """Trees side by side in one numbering of nodes. A node's right child is `right`, its left one the next node.

    A row goes left where its value of `feature` is at most `threshold`, and as `missing` says (1: left) where it has
    none. `feature` is -1 at a leaf. `value` is the answer at a leaf, and inside a tree the mean of the answers below,
    weighted by the rows that went there in training. `roots` are the first nodes; the answer is the sum over trees.
    """

    roots: tuple[int, ...]
    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    right: tuple[int, ...]
    missing: tuple[int, ...]
    value: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.feature)


NONE = Trees((), (), (), (), (), ())


class Shares(NamedTuple):
    """The answer of no feature, and what each feature of one row adds; their sum is the answer."""

    base: float
    added: list[float]


def read_row(space: Space, row: Sequence[float], reference: Reference) -> list[float]:
    """One change as one kind of model reads it: `spaces.read_in` of one row."""
    if space == "raw":
        return list(row)
    if space == "log":
        scales = zip(row, reference.middles, reference.spreads, strict=True)
        return [_log_scaled(value, middle, spread) for value, middle, spread in scales]
    return [_rank(value, grid) for value, grid in zip(row, reference.quantiles, strict=True)]


def tree_shares(trees: Trees, row: Sequence[float]) -> Shares:
    """What the trees say of one row, by Saabas' paths."""
    feature, threshold, right, missing, value = (
        trees.feature,
        trees.threshold,
        trees.right,
        trees.missing,
        trees.value,
    )
    added = [0.0] * len(row)
    for root in trees.roots:
        node = root
        for _ in range(DEEPEST):
            asked = feature[node]
            if asked == LEAF:
                break
            number = row[asked]
            left = missing[node] > 0 if math.isnan(number) else number <= threshold[node]
            after = node + 1 if left else right[node]
            added[asked] += value[after] - value[node]
            node = after
    return Shares(sum(value[root] for root in trees.roots), added)


def check_trees(trees: Trees, features: int) -> None:
    """Refuses what is no tree: wrong lengths, children that lead back, unknown features, numbers that are none."""
    count = trees.size
    if any(len(part) != count for part in (trees.threshold, trees.right, trees.missing, trees.value)):
        raise _broken("its arrays differ in length")
    if count >= _MOST_NODES:
        raise _broken("a number is out of range")
    if count and (min(trees.feature) < LEAF or max(trees.feature) >= features):
        raise _broken("a tree asks for a feature that is not there")
    inner = [asked != LEAF for asked in trees.feature]
    ahead = all(map(lt, compress(range(1, count + 1), inner), compress(trees.right, inner)))
    if not ahead or (count and not 0 <= min(trees.right) <= max(trees.right) < count):
        raise _broken("a tree leads nowhere or back to itself")
    if trees.roots and (min(trees.roots) < 0 or max(trees.roots) >= count):
        raise _broken("a tree has no root")
    if not math.isfinite(sum(trees.value)) or not all(map(math.isfinite, trees.threshold)):
        raise _broken("a tree holds no number")


# Private


def _log_scaled(value: float, middle: float, spread: float) -> float:
    centred = (math.copysign(math.log1p(abs(value)), value) - middle) / spread
    return 0.0 if math.isnan(centred) else min(max(centred, -REACH), REACH)


def _rank(value: float, grid: Sequence[float]) -> float:
    if not grid or math.isnan(value):
        return math.nan
    return (bisect_left(grid, value) + bisect_right(grid, value)) / (2.0 * len(grid))


def _broken(why: str) -> InputError:
    return InputError(f"the risk model cannot be read: {why}", mend="train it again: `tidegate risk train`")
