"""Combines the evidence of all suspects and hypotheses into one ranking with probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tidegate.operate.values import Evidence, Hypothesis, Ranking, Suspect

Reasons = Sequence[Evidence]


def rank(suspects: Mapping[str, Reasons], hypotheses: Mapping[str, Reasons], *, temperature: float = 1.0) -> Ranking:
    """The softmax of the summed weights: a conditional logit over changes by commit and hypotheses by kind.

    A `temperature` over 1 flattens it; it is fitted on labelled incidents, so that a stated .8 is right .8 of the time.
    """
    scores = {("change", name): _sum(reasons) / temperature for name, reasons in suspects.items()}
    scores |= {("none", kind): _sum(reasons) / temperature for kind, reasons in hypotheses.items()}
    shares = _softmax(scores)
    ranked = [Suspect(change=n, probability=shares["change", n], evidence=_order(r)) for n, r in suspects.items()]
    causes = [Hypothesis(kind=k, probability=shares["none", k], evidence=_order(r)) for k, r in hypotheses.items()]
    return Ranking(
        suspects=tuple(sorted(ranked, key=lambda one: (-one.probability, one.change))),
        hypotheses=tuple(sorted(causes, key=lambda one: (-one.probability, one.kind))),
        none=math.fsum(cause.probability for cause in causes),
    )


# Private


def _sum(reasons: Reasons) -> float:
    return math.fsum(reason.weight for reason in reasons)


def _softmax(scores: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    if not scores:
        return {}
    top = max(scores.values())
    parts = {key: math.exp(score - top) for key, score in scores.items()}
    whole = math.fsum(parts.values())
    return {key: part / whole for key, part in parts.items()}


def _order(reasons: Reasons) -> tuple[Evidence, ...]:
    return tuple(sorted(reasons, key=lambda reason: (-abs(reason.weight), reason.kind, reason.says)))
