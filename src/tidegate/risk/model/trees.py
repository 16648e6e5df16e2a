"""Decision trees as flat arrays: many changes are scored by numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tidegate.risk.features.frame import Floats
from tidegate.risk.model.single import DEEPEST, LEAF, Trees, check_trees

CHUNK = 512


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
    check_trees(trees, features)
    return Ready(
        np.array(trees.roots, dtype=np.int32),
        np.array(trees.feature, dtype=np.int32),
        np.array(trees.threshold, dtype=np.float64),
        np.array(trees.right, dtype=np.int32),
        np.array(trees.missing, dtype=np.bool_),
        np.array(trees.value, dtype=np.float64),
    )


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


def from_lightgbm(dump: Mapping[str, Any], scale: float = 1.0) -> Trees:
    """The trees of `Booster.dump_model()`, every answer times `scale`. Numbers are rounded to keep the file small."""
    build = _Builder(scale)
    roots = tuple(build.add(tree["tree_structure"]) for tree in dump["tree_info"])
    return Trees(
        roots, tuple(build.feature), tuple(build.threshold), tuple(build.right), tuple(build.missing), build.values()
    )


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
