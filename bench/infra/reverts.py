"""Do effects predict which infrastructure changes are reverted? Fitted on the older part, answered on the newer.

    python -m bench.infra.reverts choose    families of features and penalties, judged inside the fit part alone
    python -m bench.infra.reverts           the one report on what no choice has seen
    python -m bench.infra.reverts landed    the same report on whole landings, drawn alike (bench/infra/landed.py)
    python -m bench.infra.reverts alarms    what `tidegate infra` says of the controls, which nobody reverted

A reverted commit and its controls stay together; these groups are in the order of the reverted commit. The first 60 %
are fitted and chosen on, the rest is reported, and the newest quarter of all again by itself. How the set was made
tells reverted from control as well as any feature (the line `how the set was made`), so the figure to read is `alike`:
the AUC over pairs of a reverted commit and a control that landed, were numbered and were titled in the same way.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from bench.infra.landed import read_landed
from bench.infra.reverted import Row, read_rows
from tidegate.infra.severity import ORDER
from tidegate.risk.features.frame import Floats
from tidegate.risk.model import metrics
from tidegate.risk.model.linear import fit_logistic, sigmoid

FIT, NEWEST = 0.60, 0.75
FOLDS, DRAWS, SHARE = 6, 2000, 0.10
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
FAMILIES: dict[str, tuple[str, ...]] = {
    "how the set was made": ("made",),
    "lines added": ("size: added",),
    "size": ("size",),
    "effects": ("effect",),
    "effects, change": ("effect", "change"),
    "words": ("words",),
    "past": ("past",),
    "size, past": ("size", "past"),
    "size, effects, past": ("size", "effect", "past"),
    "all but effects": ("size", "change", "words", "past"),
    "all": ("size", "effect", "change", "words", "past"),
}
Group = list[Row]
Learner = Callable[[Sequence[Row], Sequence[Row], tuple[str, ...]], Floats]


class Figures(NamedTuple):
    """AUC over all pairs and over pairs alike in how they landed, each with its 95 % interval over groups."""

    every: tuple[float, float, float]
    alike: tuple[float, float, float]
    hits: int
    asked: int

    def __str__(self) -> str:
        low, high = metrics.wilson(self.hits, self.asked)
        precision = f"{self.hits}/{self.asked} = {self.hits / max(1, self.asked):.2f} ({low:.2f} to {high:.2f})"
        return f"AUC {_interval(self.every)}  alike {_interval(self.alike)}  precision at 10 % {precision}"


def choose(rows: Sequence[Row]) -> None:
    """AUC of every family by cross-validation over time blocks of the fit part: all pairs / pairs alike."""
    fit, _ = parts(rows)
    for name, prefixes in FAMILIES.items():
        said = [f"{ridge:g}: {_pair(crossed(fit, logistic(ridge), prefixes))}" for ridge in RIDGES]
        print(f"{name:22} {'  '.join(said)}  trees: {_pair(crossed(fit, trees, prefixes))}")


def report(rows: Sequence[Row], learners: dict[str, Learner]) -> None:
    """Every family on the rest and on the newest quarter, fitted once on the fit part."""
    fit, rest = parts(rows)
    everything = [*fit, *rest]
    severity = np.array([row.features["effect: gravest"] for group in everything for row in group])
    print(f"severity alone, never fitted, on all {len(severity)}: {figures(everything, severity)}")
    newest = rest[round(NEWEST * (len(fit) + len(rest))) - len(fit) :]
    known = _known([row for group in fit for row in group], min(_at(row) for group in rest for row in group))
    for name, groups in (("the rest", rest), ("of it the newest quarter of all", newest)):
        asked = [row for group in groups for row in group]
        print(f"\n{name}: {sum(row.reverted for row in asked)} reverted, {sum(not row.reverted for row in asked)} not")
        for called, learner in learners.items():
            for family, prefixes in FAMILIES.items():
                print(f"  {called:8} {family:22} {figures(groups, learner(known, asked, prefixes))}")


def carriers(rows: Sequence[Row], prefixes: tuple[str, ...]) -> None:
    """How often each feature that is on or off stands in reverted commits and in controls, in both parts of the set."""
    print(f"\n{'':28} {'fit part':>22} {'the rest':>22}\n{'':28} reverted control lift   reverted control lift")
    for name in sorted(name for name in rows[0].features if name.startswith(prefixes)):
        told = []
        for groups in parts(rows):
            truth = np.array([row.reverted for group in groups for row in group])
            on = np.array([row.features[name] > 0 for group in groups for row in group])
            shares = on[truth].mean(), on[~truth].mean()
            lift = f"{shares[0] / shares[1]:5.1f}" if shares[1] else "    -"
            told.append(f"{shares[0]:7.1%} {shares[1]:7.1%} {lift}")
        print(f"{name:28} {'   '.join(told)}")


def alarms(rows: Sequence[Row]) -> None:
    """How grave `tidegate infra` calls changes that were never reverted, beside those that were."""
    for name, mine in (
        ("controls", [r for r in rows if not r.reverted]),
        ("reverted", [r for r in rows if r.reverted]),
    ):
        said = Counter(row.infra.get("severity", "none") for row in mine)
        unsure = sum(bool(row.infra.get("unjudged")) for row in mine)
        held = sum(row.infra.get("severity") in ("high", "critical") or bool(row.infra.get("unjudged")) for row in mine)
        told = ", ".join(f"{said[word]} {word}" for word in (*reversed(ORDER), "none"))
        low, high = metrics.wilson(held, len(mine))
        print(
            f"{name}: {len(mine)}: {told}; cannot judge {unsure}; held {held / len(mine):.1%} ({low:.1%} to {high:.1%})"
        )


def parts(rows: Sequence[Row]) -> tuple[list[Group], list[Group]]:
    """Groups of a reverted commit with its controls, oldest first, cut at `FIT`."""
    groups: dict[str, Group] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    ordered = sorted(groups.values(), key=lambda group: max((_at(row) for row in group if row.reverted), default=0.0))
    cut = round(FIT * len(ordered))
    return ordered[:cut], ordered[cut:]


def crossed(fit: Sequence[Group], learner: Learner, prefixes: tuple[str, ...]) -> tuple[float, float]:
    """AUC, over all pairs and over those alike, of the answers to each time block by the other blocks.

    Only pairs within a block count: answers of different fits cannot be compared.
    """
    every, alike = [], []
    for block in np.array_split(np.arange(len(fit)), FOLDS):
        inside = set(block.tolist())
        kept = [row for place, group in enumerate(fit) if place not in inside for row in group]
        asked = [row for place in sorted(inside) for row in fit[place]]
        scores = learner(kept, asked, prefixes)
        every.append((metrics.auc(scores, _truth(asked)), len(asked)))
        alike.append((_alike(asked, scores), len(asked)))
    return _mean(every), _mean(alike)


def logistic(ridge: float) -> Learner:
    """A logistic regression on standardised columns with this penalty."""

    def answer(fit: Sequence[Row], asked: Sequence[Row], prefixes: tuple[str, ...]) -> Floats:
        names = _names(fit, prefixes)
        table = _table(fit, names)
        centre, spread = table.mean(axis=0), table.std(axis=0)
        spread = np.where(spread < 1e-9, np.inf, spread)
        penalty = np.append(np.full(len(names), ridge), 1e-3)
        weights = fit_logistic((table - centre) / spread, _truth(fit), np.ones(len(fit)), penalty)
        return sigmoid((_table(asked, names) - centre) / spread @ weights[:-1] + weights[-1])

    return answer


def trees(fit: Sequence[Row], asked: Sequence[Row], prefixes: tuple[str, ...]) -> Floats:
    """Small boosted trees, for what no sum of columns says: the mean of five that differ by their luck alone."""
    import lightgbm

    names = _names(fit, prefixes)
    settings = {"objective": "binary", "num_leaves": 4, "learning_rate": 0.05, "min_data_in_leaf": 15, "verbose": -1}
    settings |= {"lambda_l2": 10.0, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1}
    settings |= {"deterministic": True, "num_threads": 1}
    said = []
    for seed in range(5):
        data = lightgbm.Dataset(_table(fit, names), _truth(fit))
        said.append(lightgbm.train({**settings, "seed": seed}, data, num_boost_round=150).predict(_table(asked, names)))
    return np.asarray(np.mean(said, axis=0), dtype=np.float64)


def figures(groups: Sequence[Group], scores: Floats) -> Figures:
    """What scores are worth. Intervals come from drawing whole groups, as rows of one group are not independent."""
    rows = [row for group in groups for row in group]
    truth, kinds = _truth(rows), _kinds(rows)
    ends = np.cumsum([len(group) for group in groups])
    places = [np.arange(end - len(group), end) for group, end in zip(groups, ends, strict=True)]
    luck = np.random.default_rng(1)
    drawn = []
    for _ in range(DRAWS):
        taken = np.concatenate([places[one] for one in luck.integers(0, len(places), len(places))])
        drawn.append((metrics.auc(scores[taken], truth[taken]), _within(kinds[taken], truth[taken], scores[taken])))
    low, high = np.nanpercentile(np.array(drawn), (2.5, 97.5), axis=0)
    top = np.argsort(-scores, kind="stable")[: round(SHARE * len(rows))]
    every, alike = metrics.auc(scores, truth), _within(kinds, truth, scores)
    return Figures((every, low[0], high[0]), (alike, low[1], high[1]), int(truth[top].sum()), len(top))


def main(asked: Sequence[str]) -> int:
    rows = list(read_landed() if asked == ["landed"] else read_rows())
    if asked == ["choose"]:
        choose(rows)
    elif asked == ["alarms"]:
        alarms(rows)
    else:
        report(rows, {"logistic": logistic(CHOSEN_RIDGE), "trees": trees})
        carriers(rows, ("effect", "change"))
    return 0


# Private

CHOSEN_RIDGE = 300.0
"""By `choose`, before anything of the report was seen."""


def _alike(rows: Sequence[Row], scores: Floats) -> float:
    """AUC over pairs that landed, were numbered and were titled in the same way; NaN without any."""
    return _within(_kinds(rows), _truth(rows), scores)


def _kinds(rows: Sequence[Row]) -> Floats:
    """A number for each way to land, to be numbered and to be titled."""
    made = _table(rows, _names(rows, ("made",)))
    return made @ (2.0 ** np.arange(made.shape[1]))


def _within(kinds: Floats, truth: Floats, scores: Floats) -> float:
    won = pairs = 0.0
    for kind in np.unique(kinds):
        mine = kinds == kind
        weight = float(truth[mine].sum() * (1.0 - truth[mine]).sum())
        if weight:
            won += weight * metrics.auc(scores[mine], truth[mine])
            pairs += weight
    return won / pairs if pairs else float("nan")


def _known(rows: Sequence[Row], until: float) -> list[Row]:
    """The rows whose fate was known by then: a revert that came later was no label yet, and teaches nothing."""
    return [row for row in rows if not row.reverted or datetime.fromisoformat(row.known_at).timestamp() <= until]


def _at(row: Row) -> float:
    return datetime.fromisoformat(row.at).timestamp()


def _names(rows: Sequence[Row], prefixes: tuple[str, ...]) -> list[str]:
    return [name for name in sorted(rows[0].features) if name.startswith(prefixes)]


def _table(rows: Sequence[Row], names: Sequence[str]) -> Floats:
    return np.array([[row.features[name] for name in names] for row in rows], dtype=np.float64)


def _truth(rows: Sequence[Row]) -> Floats:
    return np.array([float(row.reverted) for row in rows])


def _mean(values: Sequence[tuple[float, int]]) -> float:
    told = [(value, weight) for value, weight in values if value == value]
    return sum(value * weight for value, weight in told) / max(1, sum(weight for _, weight in told))


def _pair(values: tuple[float, float]) -> str:
    return f"{values[0]:.3f}/{values[1]:.3f}"


def _interval(values: tuple[float, float, float]) -> str:
    return f"{values[0]:.3f} ({values[1]:.3f} to {values[2]:.3f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
