"""The three ways in which models read a feature: as it is, log-scaled, or as a rank in this repository's history."""

from __future__ import annotations

import numpy as np

from tidegate.risk.features.frame import Floats
from tidegate.risk.model.single import REACH, Reference, Space

GRID = 128


def reference_of(values: Floats) -> Reference:
    """The reference of a table of changes. Works on any number of rows, none included."""
    return Reference(
        tuple(_quantiles(column) for column in values.T),
        *zip(*(_scale(column) for column in log_scaled(values).T), strict=True),
    )


def log_scaled(values: Floats) -> Floats:
    """log(1 + x), odd, so that negative values keep order. Raw values flip the sign of a weight on one outlier."""
    found: Floats = np.sign(values) * np.log1p(np.abs(values))
    return found


def read_in(space: Space, values: Floats, reference: Reference) -> Floats:
    """A table as one kind of model reads it. A log-scaled value is never missing: unknown is usual there."""
    if space == "raw":
        return values
    if space == "log":
        centred = (log_scaled(values) - np.array(reference.middles)) / np.array(reference.spreads)
        clipped: Floats = np.clip(np.nan_to_num(centred, nan=0.0), -REACH, REACH)
        return clipped
    return np.column_stack(
        [_ranks(column, grid) for column, grid in zip(values.T, reference.quantiles, strict=True)]
    ).reshape(values.shape)


# Private


def _quantiles(column: Floats) -> tuple[float, ...]:
    known = column[np.isfinite(column)]
    if not len(known):
        return ()
    points = np.quantile(known, np.linspace(0.0, 1.0, GRID + 1), method="nearest")
    return tuple(float(f"{point:.9g}") for point in points)


def _ranks(column: Floats, grid: tuple[float, ...]) -> Floats:
    """Mid-ranks: equal values share the middle of the places that they fill."""
    if not grid:
        return np.full(len(column), np.nan)
    points = np.array(grid)
    below = np.searchsorted(points, column, "left") + np.searchsorted(points, column, "right")
    return np.where(np.isnan(column), np.nan, below / (2.0 * len(points)))


def _scale(column: Floats) -> tuple[float, float]:
    known = column[np.isfinite(column)]
    if not len(known):
        return 0.0, 1.0
    low, middle, high = (float(point) for point in np.quantile(known, [0.25, 0.5, 0.75]))
    spread = max((high - low) / 1.349, float(known.std()) / 2.0)
    return middle, spread if spread > 1e-9 else 1.0
