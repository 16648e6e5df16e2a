"""Co-change as a prediction: given one file of a commit, find the others. The newest 400 commits test what older teach.

    python -m bench.cochange FOLDER...         measures on each repository: plain coupling, then the shipped weights
    python -m bench.cochange --fit FOLDER...   fits weights on these repositories and prints them

A commit counts with 2 to 30 files that are there before it; each of them is asked in turn, and the answers are averaged
over the commit. R@k is the share of the others among the first k answers, MRR the mean of 1 / rank of the first.
Weights were fitted on ansible, flask, jinja, rich, express, gin and commons-lang, never on what is reported.
"""

from __future__ import annotations

import re
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tidegate.change.git import Repository, open_repository
from tidegate.reach.history import History, read_history
from tidegate.reach.partners import FEATURES, FITTED, PLAIN, Partner, Ranker, Weights

TESTED = 400
LIMIT = 5400


Array: TypeAlias = npt.NDArray[np.float64]


class Case(NamedTuple):
    """The files of a commit that were there before it."""

    files: tuple[str, ...]


class Material(NamedTuple):
    """The older history, the newest commits as cases, and who imports whom before those (Python only)."""

    older: History
    cases: list[Case]
    neighbours: Mapping[str, set[str]]


class Score(NamedTuple):
    """Means over the tested commits."""

    at_5: float
    at_10: float
    mrr: float
    commits: int


def split(path: Path) -> Material:
    """What one repository has to learn from and to be tested on."""
    with open_repository(path, bare=True) as repository:
        history = read_history(repository, repository.resolve("HEAD"), LIMIT)
        several = [number for number, commit in enumerate(history.commits) if len(commit.files) >= 2]
        tested = several[: min(TESTED, len(several) // 3)]
        older = history.commits[tested[-1] + 1 :]
        neighbours = read_neighbours(repository, older[0].oid)
    known = {file for commit in older for file in commit.files}
    named = [
        Case(tuple(history.paths[file] for file in history.commits[number].files if file in known)) for number in tested
    ]
    past = History(history.until, history.complete, history.paths, history.people, older)
    return Material(past, [case for case in named if len(case.files) >= 2], neighbours)


def read_neighbours(repository: Repository, commit: str) -> dict[str, set[str]]:
    """Who imports whom among Python files, by lines that begin with import or from: both ways."""
    listed = repository.run("ls-tree", "-r", "-z", "--name-only", commit).decode("utf-8", "replace").split("\0")
    paths = [path for path in listed if path.endswith(".py") and "\n" not in path]
    ends: dict[str, str] = {}
    for path in paths:
        parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
        for start in range(len(parts)):
            ends.setdefault(".".join(parts[start:]), path)
    found: dict[str, set[str]] = defaultdict(set)
    for path, blob in zip(paths, repository.read_blobs([f"{commit}:{path}" for path in paths]), strict=True):
        package = path.split("/")[:-1]
        for match in _IMPORT.finditer(blob.content.decode("utf-8", "replace")):
            dots, module = len(match[1] or ""), match[2] or match[4] or ""
            stem = ".".join([*package[: len(package) - dots + 1], *filter(None, [module])]) if dots else module
            names = [name.split(" as ")[0].strip() for name in (match[3] or "").strip("() ").split(",")]
            for name in (stem, *(f"{stem}.{name}" for name in names)):
                target = ends.get(name, path)
                if target != path:
                    found[path].add(target)
                    found[target].add(path)
    return found


def evaluate(ranker: Ranker, material: Material, *, near: bool = True) -> Score:
    totals = np.zeros(3)
    for case in material.cases:
        rows = []
        for path in case.files:
            partners = ranker.partners(path, material.neighbours.get(path, ()) if near else ())
            rows.append(_measure(partners, set(case.files) - {path}))
        totals += np.mean(rows, axis=0)
    at_5, at_10, mrr = totals / max(1, len(material.cases))
    return Score(float(at_5), float(at_10), float(mrr), len(material.cases))


def fit(materials: Sequence[Material], half_life: float, power: float) -> Weights:
    """Logistic regression on candidates of the cases; every repository weighs the same."""
    rows, truths, weights = [], [], []
    for older, cases, neighbours in materials:
        ranker = Ranker(older, Weights((0.0,) * len(FEATURES), half_life, power))
        own: list[tuple[tuple[float, ...], float]] = []
        for case in cases:
            for asked in case.files[:6]:
                others = set(case.files) - {asked}
                partners = ranker.partners(asked, neighbours.get(asked, ()))
                own += [(partner.features, float(partner.path in others)) for partner in partners]
        rows += [features for features, _ in own]
        truths += [truth for _, truth in own]
        weights += [1.0 / len(own)] * len(own)
    return Weights(_logistic(np.array(rows), np.array(truths), np.array(weights)), half_life, power)


def main(arguments: Sequence[str]) -> int:
    fitting = arguments[:1] == ["--fit"]
    folders = [Path(argument).resolve() for argument in arguments[fitting:]]
    if fitting:
        materials = [split(folder) for folder in folders]
        for half_life, power in ((365.0, 1.0), (730.0, 1.0)):
            fitted = fit(materials, half_life, power)
            mean = np.mean([evaluate(Ranker(material.older, fitted), material)[:3] for material in materials], axis=0)
            print(f"half-life {half_life:.0f} days, power {power}: R@5, R@10, MRR {mean.round(3)}")
            print("  ", tuple(round(value, 3) for value in fitted.values), flush=True)
        return 0
    print(f"{'repository':<16} {'n':>4}  {'plain':<14} {'fitted':<14} {'with imports':<14}   R@5/R@10/MRR")
    for folder in folders:
        material = split(folder)
        start = time.process_time()
        plain = evaluate(Ranker(material.older, PLAIN), material, near=False)
        scores = [evaluate(Ranker(material.older, FITTED), material, near=near) for near in (False, True)]
        took = time.process_time() - start
        cells = f"{_cell(plain):<14} {_cell(scores[0]):<14} {_cell(scores[1]):<14}"
        print(f"{_name(folder):<16} {plain.commits:>4}  {cells}   {took:.1f} s CPU", flush=True)
    return 0


# Private

_IMPORT = re.compile(
    r"(?m)^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)|import[ \t]+([\w.]+))"
)


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
