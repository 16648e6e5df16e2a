"""What the benches of risk share: forward answers over the newest part of a project, and the lines that are printed."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from bench.risk.tables import KAMEI, Project, widened
from tidegate.risk.features.frame import Floats, Targets
from tidegate.risk.model import metrics
from tidegate.risk.model.forward import Forward, run_forward
from tidegate.risk.model.linear import fit_logistic, sigmoid
from tidegate.risk.model.model import Model
from tidegate.risk.model.prior import Example, train_prior
from tidegate.risk.model.spaces import read_in, reference_of

SHARES = (0.05, 0.10, 0.20, 0.50)
BEFORE = 5
INSIDE = 6


class Figures(NamedTuple):
    """What scores were worth on the newest part of one project."""

    auc: float
    low: float
    high: float
    lines_added: float
    kamei: float
    precision: float
    brier: float
    ece: float
    floor: float
    changes: int


def answers(project: Project, targets: Targets, prior: Model | None = None) -> Forward:
    """Forward answers: blocks before the newest 20 % feed the calibration, the newest are answered in `INSIDE` more."""
    rows, split = len(project.frame.ids), project.split
    early = np.linspace(0.15 * rows, split, BEFORE + 1)
    late = np.linspace(split, rows, INSIDE + 1)
    edges = sorted({int(edge) for edge in (*early, *late)})
    return run_forward(project.frame, targets, edges, prior)


def figures(project: Project, forward: Forward) -> Figures:
    """The figures of the newest 20 %, judged by what became of them in the end."""
    split = project.split
    truth, raw, chance = project.truth[split:], forward.raw[split:], forward.chance[split:]
    said = np.isfinite(chance)
    area = metrics.auc_interval(raw, truth)
    return Figures(
        *area,
        metrics.auc(project.frame.column("la")[split:], truth),
        metrics.auc(kamei(project), truth),
        metrics.precision_area(raw, truth),
        metrics.brier(chance[said], truth[said]),
        metrics.calibration_error(chance[said], truth[said]),
        metrics.calibration_floor(chance[said]),
        len(truth),
    )


def kamei(project: Project) -> Floats:
    """The baseline: log-scaled logistic regression on the first 80 %, trained once, every label known."""
    values, split = np.column_stack([project.frame.column(name) for name in KAMEI]), project.split
    reference = reference_of(values[:split])
    ridge = np.append(np.full(values.shape[1], 1.0), 1e-3)
    table = read_in("log", values, reference)
    fit = fit_logistic(table[:split], project.truth[:split], np.ones(split), ridge)
    return sigmoid(np.einsum("ij,j->i", table[split:], fit[:-1]) + fit[-1])


def captures(project: Project, scores: Floats) -> str:
    """The share of repaired changes in the riskiest 5, 10, 20 and 50 %, each with its Wilson interval."""
    truth = project.truth[project.split :]
    found = [metrics.capture(scores[project.split :], truth, share) for share in SHARES]
    return "  ".join(
        f"{share:.0%}: {part.value:.3f} [{part.low:.2f}, {part.high:.2f}]"
        for share, part in zip(SHARES, found, strict=True)
    )


class Pooled(NamedTuple):
    """Calibration over the changes of all projects together: error, what luck alone would show, and how many."""

    ece: float
    floor: float
    changes: int


def pooled(answered: Iterable[tuple[Project, Forward]]) -> Pooled:
    """The calibration of all projects in one: few changes of a project then say little, instead of much by luck."""
    parts = [(project.truth[project.split :], forward.chance[project.split :]) for project, forward in answered]
    truth, chance = (np.concatenate(column) for column in zip(*parts, strict=True))
    said = np.isfinite(chance)
    error = metrics.calibration_error(chance[said], truth[said])
    return Pooled(error, metrics.calibration_floor(chance[said]), int(said.sum()))


def prior_without(name: str, pool: Iterable[Project], names: Sequence[str] = KAMEI) -> Model:
    """The prior of all other projects (leave one project out), of the features `names`; unknown where a table has no
    such column."""
    others = [widened(project, names) for project in pool if project.name != name]
    return train_prior(Example(project.frame, project.targets, int(project.frame.at[-1])) for project in others)


def mean(numbers: Iterable[float]) -> float:
    """The mean of the numbers that are some."""
    known = [number for number in numbers if not math.isnan(number)]
    return sum(known) / len(known) if known else math.nan


def heading() -> str:
    """The heading of `line`."""
    return (
        f"{'project':<28} {'n':>6} {'AUC':>6} {'95 % interval':>15} {'lines':>6} {'Kamei':>6} {'PR':>6} "
        f"{'Brier':>6} {'ECE':>6} {'luck':>6}"
    )


def line(name: str, found: Figures) -> str:
    """One project's figures. `luck` is the ECE that perfect probabilities would show on so few changes."""
    return (
        f"{name[:28]:<28} {found.changes:>6} {found.auc:6.4f}  [{found.low:5.3f}, {found.high:5.3f}] "
        f"{found.lines_added:6.4f} {found.kamei:6.4f} {found.precision:6.4f} "
        f"{found.brier:6.4f} {found.ece:6.4f} {found.floor:6.4f}"
    )


def mean_line(found: Sequence[Figures]) -> str:
    """The means over projects, every project alike."""
    middle = Figures._make(mean(float(part) for part in column) for column in zip(*found, strict=True))
    return line("mean", middle._replace(changes=sum(part.changes for part in found)))


def verdict(bars: Iterable[tuple[str, float, float, bool]]) -> int:
    """Prints each bar (what, measured, bar, whether it is met) and answers the exit code: 1 where one is missed."""
    missed = 0
    for what, measured, bar, met in bars:
        print(f"{'met   ' if met else 'MISSED'} {what}: {measured:.4f} (bar {bar})")
        missed += not met
    print(f"CPU {time.process_time():.0f} s")
    sys.stdout.flush()
    return 1 if missed else 0
