"""Co-change as a prediction: given one file of a commit, find the others. The newest 400 commits test what older teach.

    python -m bench.cochange FOLDER...         measures on each repository: plain coupling, then the shipped weights
    python -m bench.cochange --fit FOLDER...   fits weights on these repositories and prints them

A commit counts with 2 to 30 files that are there before it; each of them is asked in turn, and the answers are averaged
over the commit. R@k is the share of the others among the first k answers, MRR the mean of 1 / rank of the first.
Weights were fitted on ansible, flask, jinja, rich, express, gin and commons-lang, never on what is reported.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tidegate.change.git import open_repository
from tidegate.reach.history import History, read_history
from tidegate.reach.partners import FEATURES, FITTED, PLAIN, Partner, Ranker, Weights

TESTED = 400
LIMIT = 5400


Array: TypeAlias = npt.NDArray[np.float64]


class Case(NamedTuple):
    """The files of a commit that were there before it."""

    files: tuple[str, ...]


class Score(NamedTuple):
    """Means over the tested commits."""

    at_5: float
    at_10: float
    mrr: float
    commits: int


def split(path: Path) -> tuple[History, list[Case]]:
    """The older history, and the newest commits as cases."""
    with open_repository(path, bare=True) as repository:
        history = read_history(repository, repository.resolve("HEAD"), LIMIT)
    several = [number for number, commit in enumerate(history.commits) if len(commit.files) >= 2]
    tested = several[: min(TESTED, len(several) // 3)]
    older = History(history.until, history.complete, history.paths, history.people, history.commits[tested[-1] + 1 :])
    known = {file for commit in older.commits for file in commit.files}
    cases = [history.commits[number] for number in tested]
    named = [Case(tuple(history.paths[file] for file in commit.files if file in known)) for commit in cases]
    return older, [case for case in named if len(case.files) >= 2]


def evaluate(ranker: Ranker, cases: Sequence[Case]) -> Score:
    totals = np.zeros(3)
    for case in cases:
        rows = [_measure(ranker.partners(path), set(case.files) - {path}) for path in case.files]
        totals += np.mean(rows, axis=0)
    at_5, at_10, mrr = totals / max(1, len(cases))
    return Score(float(at_5), float(at_10), float(mrr), len(cases))


def fit(repositories: Sequence[Path], half_life: float, power: float) -> Weights:
    """Logistic regression on candidates of sampled cases; every repository weighs the same."""
    rows, truths, weights = [], [], []
    for path in repositories:
        older, cases = split(path)
        ranker = Ranker(older, Weights((0.0,) * len(FEATURES), half_life, power))
        own: list[tuple[tuple[float, ...], float]] = []
        for case in cases:
            for asked in case.files[:6]:
                others = set(case.files) - {asked}
                own += [(partner.features, float(partner.path in others)) for partner in ranker.partners(asked)]
        rows += [features for features, _ in own]
        truths += [truth for _, truth in own]
        weights += [1.0 / len(own)] * len(own)
    return Weights(_logistic(np.array(rows), np.array(truths), np.array(weights)), half_life, power)


def main(arguments: Sequence[str]) -> int:
    fitting = arguments[:1] == ["--fit"]
    folders = [Path(argument).resolve() for argument in arguments[fitting:]]
    if fitting:
        for half_life in (120.0, 365.0, 1000.0, 3000.0):
            for power in (0.5, 1.0):
                fitted = fit(folders, half_life, power)
                scores = [evaluate(Ranker(older, fitted), cases)[:3] for older, cases in map(split, folders)]
                mean = np.mean(scores, axis=0)
                print(half_life, power, [f"{value:.3f}" for value in mean])
                print("    ", tuple(round(value, 3) for value in fitted.values), flush=True)
        return 0
    print(f"{'repository':<16} {'n':>4}  {'plain R@5 R@10 MRR':<20} {'fitted R@5 R@10 MRR':<20}")
    for folder in folders:
        older, cases = split(folder)
        start = time.process_time()
        plain, fitted = (evaluate(Ranker(older, weights), cases) for weights in (PLAIN, FITTED))
        took = time.process_time() - start
        cells = [_cell(plain), _cell(fitted)]
        print(f"{_name(folder):<16} {plain.commits:>4}  {cells[0]:<20} {cells[1]:<20} {took:.1f} s CPU", flush=True)
    return 0


# Private


def _measure(partners: Sequence[Partner], truth: set[str]) -> tuple[float, float, float]:
    ranks = [rank for rank, partner in enumerate(partners, 1) if partner.path in truth]
    first = 1.0 / ranks[0] if ranks else 0.0
    return (
        sum(rank <= 5 for rank in ranks) / len(truth),
        sum(rank <= 10 for rank in ranks) / len(truth),
        first,
    )


def _logistic(rows: Array, truths: Array, weights: Array) -> tuple[float, ...]:
    """Newton's method with a small ridge; columns are scaled for it and scaled back."""
    scale = np.maximum(rows.std(axis=0), 1e-9)
    scale[-1] = 1.0
    design = rows / scale
    weights = weights / weights.sum() * len(weights)
    found = np.zeros(design.shape[1])
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ found, -30, 30)))
        gradient = design.T @ (weights * (truths - chance)) - 1.0 * found
        curve = (design * (weights * chance * (1 - chance))[:, None]).T @ design + np.eye(len(found))
        step = np.linalg.solve(curve, gradient)
        found += step
        if float(np.abs(step).max()) < 1e-6:
            break
    return tuple(float(value) for value in found / scale)


def _cell(score: Score) -> str:
    return "/".join(f"{value:.2f}".removeprefix("0") for value in score[:3])


def _name(folder: Path) -> str:
    return folder.name if folder.name != "repo" else folder.parent.name.partition("+")[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
