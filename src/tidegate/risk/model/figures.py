"""The figures that say what scores were worth, as a model's knowledge carries them."""

from __future__ import annotations

from msgspec import Struct


class Captured(Struct, frozen=True):
    """Of the changes that had to be repaired, the share that lay in the riskiest `share`, with its 95 % interval."""

    share: float
    captured: float
    low: float
    high: float


class TableRow(Struct, frozen=True):
    """Changes of which `said` was said on average; of them the share `came` had to be repaired."""

    said: float
    came: float
    changes: int


class Evaluation(Struct, frozen=True):
    """Figures on changes that the models which scored them had not seen, of which the fate is known by now.

    Changes younger than the age at which nine of ten repairs are known are left out; `changes` is what remains,
    `repaired` those of them that had to be repaired, committed from `since` to `until` (Unix seconds). A figure is None
    where it has no meaning: too few changes, or no probability yet. AUC has a 95 % bootstrap interval, and so has what
    it gains (`gain_*`, paired) over that of the lines added alone. `calibration_floor` is the error that perfect
    probabilities would show on so few changes; `constant_brier` that of saying the mean of everybody.
    """

    changes: int
    repaired: int
    since: int
    until: int
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    lines_added_auc: float | None = None
    precision_area: float | None = None
    brier: float | None = None
    constant_brier: float | None = None
    calibration_error: float | None = None
    calibration_floor: float | None = None
    calibrated_changes: int = 0
    captures: tuple[Captured, ...] = ()
    table: tuple[TableRow, ...] = ()
    gain_low: float | None = None
    gain_high: float | None = None
