"""What the gate demands of the size of a step: what it hits at most, and the error budget that is left."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tidegate.policy.case import one_line
from tidegate.rollout.bench import Bench, obligation, set_aside
from tidegate.rollout.document import Blast
from tidegate.rollout.gate import Obligation, State, Sums
from tidegate.rollout.hits import SEVERITIES

STALE_BUDGET_SECONDS = 600.0


def blast(bench: Bench, sums: Sums) -> Iterator[Obligation]:
    share = bench.question.share
    if share is not None and not 0 < share <= 1:
        share = None
    for limit in bench.environment.limits(share):
        step = "this deployment" if limit.share == 1 else f"a step to {limit.share * 100:g} % of the traffic"
        for words, value, most in _bounded(limit, sums):
            yield set_aside(bench, _within(step, words, value, most), "blast")


def budget(bench: Bench) -> Obligation:
    asked, said = bench.environment.error_budget, bench.situation.budget
    least = asked.at_least if asked is not None else 1.0
    text = f"at least {least * 100:g} % of the error budget is left"
    mend = "check the query of error_budget and its server"
    left = said.left if said is not None else None
    problem = "" if said is None else said.problem
    state: State = "unknown"
    if said is None or problem or left is None or not math.isfinite(left):
        why = f"it could not be asked: {one_line(problem)}" if problem else "nobody asked how much is left"
    elif left > 1.000001:
        why = f"the query says {left:.3g}, which is no share of 1"
    elif not bench.late - STALE_BUDGET_SECONDS <= said.at <= bench.now:
        why = "the answer is not of now"
    else:
        state, why = ("met" if left >= least else "unmet"), f"{left * 100:.3g} % is left"
        mend = "wait until it recovers, or mend what eats it"
    return set_aside(bench, obligation("budget", text, state, why, mend), "budget")


# Private


def _bounded(limit: Blast, sums: Sums) -> Iterator[tuple[str, float | str | None, float | str]]:
    """What is bounded: its words, what there is, and the most that there may be."""
    services = None if sums.services is None else len(sums.services)
    critical = None if sums.critical_services is None else len(sums.critical_services)
    found: list[tuple[str, float | str | None, float | str | None]] = [
        ("changes", sums.changes, limit.changes),
        ("changed lines", sums.lines, limit.lines),
        ("services within reach", services, limit.services),
        ("critical services within reach", critical, limit.critical_services),
        ("entry points within reach", sums.entry_points, limit.entry_points),
        ("probability of repair", sums.risk, limit.risk),
        ("severity of effects on infrastructure", sums.infra, limit.infra),
    ]
    yield from ((words, value, most) for words, value, most in found if most is not None)


def _within(step: str, words: str, value: float | str | None, most: float | str) -> Obligation:
    text = f"{step} hits at most {_figure(most)} {words}" if not isinstance(most, str) else f"{words}: {most} at most"
    if value is None:
        return obligation(
            "blast",
            text,
            "unknown",
            f"a change does not say its {words}",
            _TO_KNOW.get(words, "assess its changes again"),
        )
    fits = SEVERITIES.index(str(value)) <= SEVERITIES.index(most) if isinstance(most, str) else float(value) <= most
    why = f"it is {_figure(value)}"
    return obligation("blast", text, "met" if fits else "unmet", why, "deploy fewer changes, or in smaller steps")


_TO_KNOW = {"probability of repair": "let it be learnt: tidegate risk train"}


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
