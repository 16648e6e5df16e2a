"""What out-of-time scores were worth: the figures that `risk evaluate` shows and that a model carries with it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from tidegate.risk.features.frame import Floats, Frame
from tidegate.risk.model import metrics
from tidegate.risk.model.figures import Captured, Evaluation, TableRow
from tidegate.risk.model.forward import Forward
from tidegate.risk.model.maturity import MATURE, Seen
from tidegate.risk.values import REPAIRED

Flags: TypeAlias = NDArray[np.bool_]

SHARES = (0.05, 0.10, 0.20, 0.50)
FEWEST = 30


def evaluate(frame: Frame, forward: Forward, seen: Seen) -> Evaluation:
    """The evaluation of forward answers by what is known now.

    The ranking is judged by the changes that count as repaired, the probabilities by how sure that is: a label that is
    right four times in ten is four tenths of a repair.
    """
    silent = (seen.ripe >= MATURE) & (seen.known == 0)
    rows: Flags = np.isfinite(forward.raw) & (silent | _old(frame, seen))
    changes = int(rows.sum())
    share = seen.truth[rows]
    truth = (share >= REPAIRED).astype(np.float64)
    repaired = int(truth.sum())
    if changes < FEWEST or repaired in (0, changes):
        return Evaluation(changes, repaired, *_period(frame, rows))
    raw, chance = forward.raw[rows], forward.chance[rows]
    said = np.isfinite(chance)
    found = Evaluation(
        changes,
        repaired,
        *_period(frame, rows),
        precision_area=metrics.precision_area(raw, truth),
        captures=tuple(Captured(share, *metrics.capture(raw, truth, share)) for share in SHARES),
    )
    added = np.nan_to_num(frame.column("la")[rows]) if "la" in frame.names else None
    found = _with_ranking(found, raw, added, truth)
    return _with_probabilities(found, chance[said], share[said]) if said.sum() >= FEWEST else found


# Private


def _with_ranking(found: Evaluation, raw: Floats, added: Floats | None, truth: Floats) -> Evaluation:
    area = metrics.auc_interval(raw, truth)
    found = structs.replace(found, auc=area.value, auc_low=area.low, auc_high=area.high)
    if added is None:
        return found
    gain = metrics.gain_interval(raw, added, truth)
    lines = area.value - gain.value
    return structs.replace(found, lines_added_auc=lines, gain_low=gain.low, gain_high=gain.high)


def _with_probabilities(found: Evaluation, chance: Floats, truth: Floats) -> Evaluation:
    return structs.replace(
        found,
        brier=metrics.brier(chance, truth),
        constant_brier=float(np.var(truth)),
        calibration_error=metrics.calibration_error(chance, truth),
        calibration_floor=metrics.calibration_floor(chance),
        calibrated_changes=len(truth),
        table=tuple(TableRow(*row) for row in metrics.calibration_table(chance, truth, _bins(len(truth)))),
    )


def _bins(changes: int) -> int:
    """As many lines of a table as a person reads, and none of so few changes that it says nothing."""
    return max(1, min(10, changes // 50))


def _old(frame: Frame, seen: Seen) -> Flags:
    """Labelled changes as old as the youngest that silence acquits: younger ones would be all bad by choice."""
    silent = frame.at[(seen.known == 0) & (seen.ripe >= MATURE)]
    limit = silent.max() if len(silent) else np.iinfo(np.int64).min
    found: Flags = (seen.known > 0) & (frame.at <= limit)
    return found


def _period(frame: Frame, rows: Flags) -> tuple[int, int]:
    at = frame.at[rows]
    return (int(at.min()), int(at.max())) if len(at) else (0, 0)
