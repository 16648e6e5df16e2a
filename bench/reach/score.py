"""Scores: what a predictor says of every covered function, held against the tests that executed it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

BINS = 10


class Pair(NamedTuple):
    """One function and one test: the probability that was said, and whether the test did execute the function."""

    probability: float
    true: bool


class Score(NamedTuple):
    """Means over the scored functions, as shares.

    `safe`: no test missed. `radius`: the predicted share of all tests; `ratio`: by the true one. `false_zero`: nothing
    predicted. `ece` compares stated with true shares in ten bins of equally many of the named pairs, `ece_width` in ten
    bins of equal width, `ece_all` in bins of equally many of all pairs, those that were not named at 0. `map`: mean
    average precision of the ranking; tests that were not named come last, by name.
    """

    functions: int
    recall: float
    precision: float
    f1: float
    safe: float
    radius: float
    ratio: float
    false_zero: float
    ece: float
    ece_width: float
    ece_all: float
    map: float


def score(
    truth: Mapping[str, Any], answer: Callable[[str], Mapping[str, float]], threshold: float = 0.0
) -> tuple[Score, list[Pair]]:
    """The score on one project. A test is predicted when its probability is above `threshold`.

    Truth by file (no ":" in the names of tests) takes the surest test of a file.
    """
    tests: list[str] = truth["tests"]
    by_file = all(":" not in test for test in tests)
    known = set(tests)
    rows: list[tuple[float, ...]] = []
    pairs: list[Pair] = []
    shares: list[tuple[float, float]] = []
    for name, function in truth["functions"].items():
        if not function["tests"] or function["import"]:
            continue
        real = {tests[number] for number in function["tests"]}
        said = {t: p for t, p in _folded(answer(name), by_file).items() if t in known and p > 0}
        chosen = {test for test, probability in said.items() if probability > threshold}
        hits = len(chosen & real)
        recall, precision = hits / len(real), hits / len(chosen) if chosen else 0.0
        f1 = 2 * recall * precision / (recall + precision) if hits else 0.0
        rows.append((recall, precision, f1, float(hits == len(real)), float(not chosen), _ap(said, real, tests)))
        shares.append((len(chosen) / len(tests), len(real) / len(tests)))
        pairs += [Pair(said.get(test, 0.0), test in real) for test in tests]
    means = [_mean([row[column] for row in rows]) for column in range(6)]
    radius, true_radius = _mean([s for s, _ in shares]), _mean([s for _, s in shares])
    named = [pair for pair in pairs if pair.probability > 0]
    ratio = radius / true_radius if true_radius else math.nan
    errors = calibration(named), calibration(named, equal_width=True), calibration(pairs)
    return Score(len(rows), *means[:4], radius, ratio, means[4], *errors, means[5]), pairs


def calibration(pairs: Sequence[Pair], *, equal_width: bool = False) -> float:
    """The expected calibration error. Pairs of the same probability are never split between two bins."""
    ordered = sorted(pairs, key=lambda pair: pair.probability)
    bins: dict[int, list[Pair]] = {}
    start = 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end].probability == ordered[start].probability:
            end += 1
        middle = (start + end) / 2 / len(ordered)
        where = ordered[start].probability if equal_width else middle
        bins.setdefault(min(BINS - 1, int(where * BINS)), []).extend(ordered[start:end])
        start = end
    gaps = (
        len(found) * abs(_mean([p.probability for p in found]) - _mean([float(p.true) for p in found]))
        for found in bins.values()
    )
    return sum(gaps) / len(ordered) if ordered else 0.0


def mean_score(scores: Sequence[Score]) -> Score:
    """The mean over projects, each with the same weight."""
    return Score(
        sum(s.functions for s in scores), *(_mean([s[n] for s in scores]) for n in range(1, len(Score._fields)))
    )


# Private


def _folded(said: Mapping[str, float], by_file: bool) -> dict[str, float]:
    if not by_file:
        return dict(said)
    files: dict[str, float] = {}
    for test, probability in said.items():
        path = test.partition(":")[0]
        files[path] = max(files.get(path, 0.0), probability)
    return files


def _ap(said: Mapping[str, float], real: set[str], tests: Sequence[str]) -> float:
    ranked = sorted(tests, key=lambda test: (-said.get(test, 0.0), test))
    hits, total = 0, 0.0
    for position, test in enumerate(ranked, 1):
        if test in real:
            hits += 1
            total += hits / position
    return total / len(real)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
