"""Fits and judges the logit of `commits.py` from the features that it kept."""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from bench.production.commits_plant import FIT, KEPT_BACK, Project

NAMES = tuple("gone size line innermost function file unrun ran peak ochiai all words said".split())
COVERAGE = frozenset("unrun ran peak ochiai all unheld mass".split())
OLDER = tuple("always innermost line function unheld ochiai peak mass".split())
BOUNDS: dict[str, tuple[float | None, float | None]] = {
    **dict.fromkeys(("gone", "unrun"), (None, 0.0)),
    **dict.fromkeys(("size", "always"), (None, None)),
}
"""Evidence never counts against what it speaks for."""
RIDGE = 0.5
RISK = 0.5
NONE_SHARE = 0.15


class Case:
    """One fault as matrices: a row for each commit, then one for older code."""

    def __init__(self, project: str, row: dict[str, Any], *, covered: bool = True) -> None:
        self.project, self.culprit = project, row["culprit"]
        self.oids = list(row["changes"])
        self.x = np.zeros((len(self.oids) + 1, len(NAMES) + len(OLDER)))
        for at, values in enumerate(row["changes"].values()):
            self.x[at, : len(NAMES)] = [values.get(name, 0.0) for name in NAMES]
        self.x[-1, len(NAMES) :] = [row["older"].get(name, 0.0) for name in OLDER]
        if not covered:
            for at, name in enumerate(NAMES):
                self.x[:, at] *= name not in COVERAGE
            for at, name in enumerate(OLDER, len(NAMES)):
                self.x[:, at] *= name not in COVERAGE
        self.truth = self.oids.index(self.culprit) if self.culprit else len(self.oids)
        self.number = row["number"]


def read_cases(out: Path, projects: tuple[Project, ...], *, covered: bool) -> list[Case]:
    found = []
    for project in projects:
        file = out / f"{project.name}.features.json"
        if file.exists():
            found += [Case(project.name, row, covered=covered) for row in json.loads(file.read_bytes())]
    return found


def fit(cases: list[Case]) -> np.ndarray:
    older = sum(not case.culprit for case in cases)
    weight_of_older = NONE_SHARE / (1 - NONE_SHARE) * (len(cases) - older) / older if older else 1.0
    weights = [1.0 if case.culprit else weight_of_older for case in cases]

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = RIDGE / 2 * float(w @ w), RIDGE * w
        for case, weight in zip(cases, weights, strict=True):
            p = chances(case, w)
            total -= weight * math.log(max(p[case.truth], 1e-300))
            slope = slope + weight * (p @ case.x - case.x[case.truth])
        return total, slope

    start = np.zeros(len(NAMES) + len(OLDER))
    bounds = [BOUNDS.get(name, (0.0, None)) for name in (*NAMES, *OLDER)]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def chances(case: Case, w: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    scores = case.x @ w / temperature
    parts = np.exp(scores - scores.max())
    return np.asarray(parts / parts.sum())


def temperature_of(cases: list[Case], w_of: dict[str, np.ndarray]) -> float:
    """By cross-validation over projects, each judged by weights that never saw it: the least loss, and then as much
    more as it takes for answers of .8 and over to be right 96 times in 100."""
    judged = {t / 20: [(c, chances(c, w_of[c.project], t / 20)) for c in cases] for t in range(12, 81)}
    losses = {t: -sum(math.log(max(p[c.truth], 1e-300)) for c, p in pairs) for t, pairs in judged.items()}
    best = min(losses, key=lambda t: losses[t])
    for t, pairs in judged.items():
        sure = [p.argmax() == c.truth for c, p in pairs if p.max() >= 0.8]
        if t >= best and (not sure or sum(sure) >= 0.96 * len(sure)):
            return t
    return max(judged)


def table(name: str, judged: list[tuple[Case, np.ndarray]]) -> str:
    changes = [(case, p) for case, p in judged if case.culprit]
    if not changes:
        return f"{name}: none"
    ranks = [int((p[:-1] > p[case.truth]).sum() + (p[:-1] == p[case.truth]).sum()) for case, p in changes]
    top = [sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 3, 5)]
    sure = [(p.argmax() == case.truth) for case, p in judged if p.max() >= 0.8]
    loss = -sum(math.log(max(p[case.truth], 1e-300)) for case, p in judged) / len(judged)
    text = f"{name:16} n {len(changes):3}  top-1 {top[0]:.3f}  top-3 {top[1]:.3f}  top-5 {top[2]:.3f}  loss {loss:.2f}"
    text += f"  >=.8: {sum(sure)}/{len(sure)}" + (f" {sum(sure) / len(sure):.3f}" if sure else "")
    older = [(case, p) for case, p in judged if not case.culprit]
    if older:
        said = sum(p.argmax() == case.truth for case, p in older)
        wrong = sum(p[:-1].max() >= 0.8 for _, p in older)
        text += f"  none: {said}/{len(older)} first, {wrong} convicted"
    return text


def learn(out: Path, *, covered: bool, shown: bool) -> dict[str, Any]:
    """Fit one table, print its figures, and answer it."""
    cases, kept = read_cases(out, FIT, covered=covered), read_cases(out, KEPT_BACK, covered=covered)
    names = sorted({case.project for case in cases})
    folds = {name: fit([case for case in cases if case.project != name]) for name in names}
    temperature = temperature_of(cases, folds)
    w = fit(cases)
    print("\n" + ("with" if covered else "without"), "coverage; temperature", temperature)
    by_project: dict[str, list[tuple[Case, np.ndarray]]] = defaultdict(list)
    for case in cases:
        by_project[f"cv {case.project}"].append((case, chances(case, folds[case.project], temperature)))
    print(table("cv all", [one for rows in by_project.values() for one in rows]))
    if shown:
        judged = [(case, chances(case, w, temperature)) for case in kept]
        for case, p in judged:
            by_project[case.project].append((case, p))
        print(table("kept back", judged))
    for name, rows in sorted(by_project.items()):
        print(table(name, rows))
    weights = {name: round(float(v), 3) for name, v in zip(NAMES, w, strict=False) if v}
    older = {name: round(float(v), 3) for name, v in zip(OLDER, w[len(NAMES) :], strict=True) if v}
    print(weights, older)
    return {"weights": weights | {"risk": RISK}, "older": older, "temperature": temperature, "faults": len(cases)}


def main() -> int:
    out = Path(sys.argv[1])
    shown = "--kept" in sys.argv
    tables = {name: learn(out, covered=name == "covered", shown=shown) for name in ("covered", "uncovered")}
    if "--write" in sys.argv:
        names = ", ".join(project.name for project in FIT if (out / f"{project.name}.features.json").exists())
        about = (
            f"Conditional logits fitted by bench/production/commits.py on faults planted in {names}; ridge {RIDGE}; "
            "temperatures by cross-validation over projects; `risk` is set, not fitted: planted faults do not know it; "
            f"that older code is {NONE_SHARE:.0%} of incidents is set too."
        )
        file = Path(sys.argv[sys.argv.index("--write") + 1])
        file.write_text(json.dumps({"about": about, **tables}, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
