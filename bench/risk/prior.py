"""The prior that ships, on repositories that it was not trained on: `python -m bench.risk.prior FOLDER`.

FOLDER is what `tidegate fleet LIST --keep FOLDER` kept. The repositories are dealt into six parts; each is scored by a
prior of the other five, without one label of its own, beside lines added alone. A change counts as repaired as
everywhere (`risk.values.REPAIRED`); those too young to be judged are left out. Bar: no worse than lines added on
average, and a file below 2 MB.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tidegate.fleet.run import read_example
from tidegate.risk.labels.delay import matured
from tidegate.risk.model.ladder import moved_prior
from tidegate.risk.model.metrics import auc
from tidegate.risk.model.model import Model, encode_model
from tidegate.risk.model.prior import Example, train_prior
from tidegate.risk.model.spaces import reference_of
from tidegate.risk.values import REPAIRED

PARTS = 6


def main(folder: Path) -> int:
    """Prints a line for each repository and the means; 1 where a bar is missed."""
    examples = {path.stem: read_example(path) for path in sorted(folder.glob("*.npz"))}
    rows = []
    for part in range(PARTS):
        prior = train_prior(example for at, example in enumerate(examples.values()) if at % PARTS != part)
        for name in list(examples)[part::PARTS]:
            found = _scores(examples[name], prior)
            if found is not None:
                rows.append(found)
                changes, repaired, told, lines = found
                print(f"{name:<32} {changes:>6} changes {repaired:>5} repaired  prior {told:.3f}  lines {lines:.3f}")
    told, plain = float(np.mean([row[2] for row in rows])), float(np.mean([row[3] for row in rows]))
    size = len(encode_model(train_prior(examples.values())))
    print(f"mean of {len(rows)}: prior {told:.4f}, lines added {plain:.4f}; file {size / 1e6:.2f} MB (bar 2)")
    return int(told < plain or size > 2_000_000)


def _scores(example: Example, prior: Model) -> tuple[int, int, float, float] | None:
    """Changes and repaired ones that can be judged, and the AUC of the prior and of lines added; None for too few."""
    old = matured(example.frame.at, example.now)
    truth = (example.targets.repaired[old] >= REPAIRED).astype(np.float64)
    if min(truth.sum(), len(truth) - truth.sum()) < 20:
        return None
    scores = moved_prior(prior, reference_of(example.frame.values)).raw_scores(example.frame.values[old])
    added = np.nan_to_num(example.frame.column("la")[old])
    return len(truth), int(truth.sum()), auc(scores, truth), auc(added, truth)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
