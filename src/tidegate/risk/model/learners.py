"""The two learners that grow trees. LightGBM is imported here alone, and only while something is trained."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tidegate.risk.features.frame import Floats
from tidegate.risk.model.single import Trees
from tidegate.risk.model.trees import from_lightgbm

SEED = 7


class Growth(NamedTuple):
    """How trees are grown. `leaf_rows` is the fewest rows in a leaf, `columns` the share of features seen by a node."""

    rounds: int
    leaves: int
    leaf_rows: int
    rate: float = 1.0
    columns: float = 1.0
    rows: float = 1.0
    ridge: float = 0.0


class Grown(NamedTuple):
    """Trees as LightGBM holds them, for scoring many rows quickly while training."""

    booster: Any
    scale: float

    def answers(self, values: Floats) -> Floats:
        """The sum over trees for each row."""
        found: Floats = np.asarray(self.booster.predict(values, raw_score=True, num_threads=1), dtype=np.float64)
        return found * self.scale

    def trees(self) -> Trees:
        """The same as arrays."""
        return from_lightgbm(self.booster.dump_model(), self.scale)


def boost(values: Floats, truth: Floats, weights: Floats, start: Floats, growth: Growth) -> Grown:
    """Trees that add to the log-odds `start`, each on what the ones before left over (cross-entropy)."""
    return Grown(_train(values, truth, weights, growth, {"objective": "cross_entropy"}, start), 1.0)


def grow_forest(values: Floats, truth: Floats, weights: Floats, growth: Growth) -> Grown:
    """Independent trees on random rows and features, whose mean answer is a probability."""
    kind = {"objective": "regression", "boosting": "rf", "boost_from_average": False}
    return Grown(_train(values, truth, weights, growth, kind, None), 1.0 / growth.rounds)


def mean_odds(truth: Floats, weights: Floats) -> float:
    """The log-odds of the weighted mean, kept inside what so few rows can say."""
    total, hits = float(weights.sum()), float((truth * weights).sum())
    share = (hits + 0.5) / (total + 1.0)
    return float(np.log(share / (1.0 - share)))


# Private


def _train(
    values: Floats, truth: Floats, weights: Floats, growth: Growth, kind: dict[str, Any], start: Floats | None
) -> Any:
    import lightgbm

    settings = kind | {
        "num_leaves": growth.leaves,
        "min_data_in_leaf": growth.leaf_rows,
        "min_sum_hessian_in_leaf": 1e-3,
        "learning_rate": growth.rate,
        "feature_fraction_bynode": growth.columns,
        "bagging_fraction": growth.rows,
        "bagging_freq": 1 if growth.rows < 1.0 else 0,
        "lambda_l2": growth.ridge,
        "max_bin": 127,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": SEED,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(values, truth, weight=weights, init_score=start, params=settings, free_raw_data=True)
    return lightgbm.train(settings, data, num_boost_round=growth.rounds)
