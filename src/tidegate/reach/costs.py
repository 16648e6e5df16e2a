"""What an edge costs on a path, and what the cost of a path says: probabilities are fitted on recorded runs."""

from __future__ import annotations

import math
from functools import cache

from tidegate.reach.fitted import BIAS, COSTS, RADIUS
from tidegate.reach.rules import RULES

BRANCHES = 6
WIDTHS = 4
FLOOR = 0.01
"""The smallest share of all entries that a symbol's radius is taken for."""

CUT = 0.002
"""What is less likely is left out: chosen on the design half, each project scored with costs fitted on the others."""

_NOT_RUN = {"inherit": 0.7, "mention": 2.0, "type": 2.5, "module": 1.5, "import": 1.0}
"""Edges that execute nothing matter to people: what they cost is a judgement and stands in no calibrated figure."""

_NAMED = {"text": (1.0, 1.5, 2.0, 2.5), "package": (1.0, 1.0, 1.0, 1.0)}
"""What texts and manifests name from outside the code, by width: a judgement too."""


def width_of(bearers: int) -> int:
    """The class of an edge by how many alternatives it stands beside: one, up to three, up to eight, more."""
    return 0 if bearers <= 1 else 1 if bearers <= 3 else 2 if bearers <= 8 else 3


@cache
def cost_table() -> tuple[float, ...]:
    """The cost of every rule, branch and width, at ((rule * BRANCHES) + branch) * WIDTHS + width."""
    costs = []
    for rule in RULES:
        known = [cost for (name, _, _), cost in COSTS.items() if name == rule.name]
        usual = _NOT_RUN.get(rule.name, sum(known) / len(known) if known else 1.0)
        for branch in range(BRANCHES):
            for width in range(WIDTHS):
                judged = _NAMED[rule.name][width] if rule.name in _NAMED else usual
                costs.append(COSTS.get((rule.name, branch, width), judged))
    return tuple(costs)


def probability(cost: float, radius: float) -> float:
    """How likely it is that an entry executes a symbol: from the cost of its strongest path to it, and the share of all
    entries that can execute it at all."""
    return 1 / (1 + math.exp(min(cost - BIAS - RADIUS * math.log(radius + FLOOR), 500.0)))


def head_start(radius: float) -> float:
    """What a path from a symbol of this radius costs before its first edge: so paths of several can be compared."""
    return -RADIUS * (math.log(radius + FLOOR) - math.log(FLOOR))


def of_cost(cost: float) -> float:
    """The probability of a path whose cost includes the head start of its origin."""
    return probability(cost, 0.0)


def cost_limit(cut: float = CUT) -> float:
    """The cost, head start included, at which the probability falls to `cut`."""
    return BIAS + RADIUS * math.log(FLOOR) + math.log(1 / cut - 1)
