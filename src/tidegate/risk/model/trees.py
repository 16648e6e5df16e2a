"""Decision trees as flat arrays: scored by numpy alone, with the share of each feature in the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tidegate.errors import InputError
from tidegate.risk.features.frame import Floats

CHUNK = 512
DEEPEST = 64
LEAF = -1


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


class Ready(Struct, frozen=True):
    """The same as arrays, checked."""

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Floats
    right: NDArray[np.int32]
    missing: NDArray[np.bool_]
    value: Floats


def ready(trees: Trees, features: int) -> Ready:
    """The arrays of trees. Refuses what is no tree: wrong lengths, children that lead back, unknown features."""
    count = trees.size
    if any(len(part) != count for part in (trees.threshold, trees.right, trees.missing, trees.value)):
        raise _broken("its arrays differ in length")
    arrays = Ready(
        _whole(trees.roots),
        _whole(trees.feature),
        np.array(trees.threshold, dtype=np.float64),
        _whole(trees.right),
        np.array(trees.missing, dtype=np.int64) > 0 if count else np.zeros(0, dtype=np.bool_),
        np.array(trees.value, dtype=np.float64),
    )
    inner = np.flatnonzero(arrays.feature != LEAF)
    if count and (arrays.feature.min() < LEAF or arrays.feature.max() >= features):
        raise _broken("a tree asks for a feature that is not there")
    if (arrays.right[inner] <= inner + 1).any() or (arrays.right[inner] >= count).any():
        raise _broken("a tree leads nowhere or back to itself")
    if len(arrays.roots) and (arrays.roots.min() < 0 or arrays.roots.max() >= count):
        raise _broken("a tree has no root")
    if not (np.isfinite(arrays.value).all() and np.isfinite(arrays.threshold).all()):
        raise _broken("a tree holds no number")
    return arrays


def answers(trees: Ready, values: Floats) -> Floats:
    """The sum over trees for each row."""
    found = np.zeros(len(values))
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        nodes = np.broadcast_to(trees.roots, (len(part), len(trees.roots)))
        rows = np.arange(len(part))[:, None]
        for _ in range(DEEPEST):
            feature = trees.feature[nodes]
            if (feature == LEAF).all():
                break
            nodes = _next(trees, nodes, feature, part[rows, feature])
        found[start : start + CHUNK] = trees.value[nodes].sum(axis=1)
    return found


def shares(trees: Ready, values: Floats) -> tuple[float, Floats]:
    """The answer of no feature and what each feature of one row adds; their sum is the answer (Saabas' paths)."""
    nodes = trees.roots
    found = np.zeros(len(values))
    for _ in range(DEEPEST):
        feature = trees.feature[nodes]
        inner = feature != LEAF
        if not inner.any():
            break
        nodes, feature = nodes[inner], feature[inner]
        after = _next(trees, nodes, feature, values[feature])
        found += np.bincount(feature, weights=trees.value[after] - trees.value[nodes], minlength=len(values))
        nodes = after
    return float(trees.value[trees.roots].sum()), found


def from_lightgbm(dump: Mapping[str, Any], scale: float = 1.0) -> Trees:
    """The trees of `Booster.dump_model()`, every answer times `scale`. Numbers are rounded to keep the file small."""
    build = _Builder(scale)
    roots = tuple(build.add(tree["tree_structure"]) for tree in dump["tree_info"])
    return Trees(
        roots, tuple(build.feature), tuple(build.threshold), tuple(build.right), tuple(build.missing), build.values()
    )


NONE = Trees((), (), (), (), (), ())


# Private


class _Builder:
    """Nodes in the order of a walk that goes left first."""

    def __init__(self, scale: float) -> None:
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.right: list[int] = []
        self.missing: list[int] = []
        self._value: list[float] = []
        self._scale = scale

    def add(self, node: Mapping[str, Any]) -> int:
        here = len(self.feature)
        leaf = "split_feature" not in node
        self.feature.append(LEAF if leaf else int(node["split_feature"]))
        self.threshold.append(0.0 if leaf else float(f"{node['threshold']:.9g}"))
        self.right.append(0)
        self.missing.append(0 if leaf else _missing_left(node))
        self._value.append(0.0)
        if leaf:
            self._value[here] = float(f"{float(node['leaf_value']) * self._scale:.6g}")
            return here
        left = self.add(node["left_child"])
        right = self.add(node["right_child"])
        self.right[here] = right
        counts = _rows(node["left_child"]), _rows(node["right_child"])
        total = max(1, sum(counts))
        self._value[here] = (self._value[left] * counts[0] + self._value[right] * counts[1]) / total
        return here

    def values(self) -> tuple[float, ...]:
        return tuple(float(f"{value:.6g}") for value in self._value)


def _missing_left(node: Mapping[str, Any]) -> int:
    if node.get("missing_type") == "NaN":
        return int(bool(node["default_left"]))
    return int(_rows(node["left_child"]) >= _rows(node["right_child"]))


def _rows(node: Mapping[str, Any]) -> int:
    return int(node.get("internal_count", node.get("leaf_count", 0)))


def _next(trees: Ready, nodes: NDArray[Any], feature: NDArray[Any], values: Floats) -> NDArray[Any]:
    left = np.where(np.isnan(values), trees.missing[nodes], values <= trees.threshold[nodes])
    after = np.where(left, nodes + 1, trees.right[nodes])
    return np.where(feature == LEAF, nodes, after)


def _whole(numbers: Sequence[int]) -> NDArray[np.int32]:
    try:
        return np.array(numbers, dtype=np.int32)
    except OverflowError as error:
        raise _broken("a number is out of range") from error


def _broken(why: str) -> InputError:
    return InputError(f"the risk model cannot be read: {why}", mend="train it again: `tidegate risk train`")
