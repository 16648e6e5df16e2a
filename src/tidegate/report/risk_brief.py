"""Risk in two lines, for the check: how likely a repair is, what is hit then, and what moved it."""

from __future__ import annotations

from tidegate.facts import Facts, History, Risk, RiskFactor, is_known
from tidegate.report.escape import terminal
from tidegate.report.layout import cut, paint, percent
from tidegate.report.style import Style
from tidegate.risk.values import OUTSIDE


def render_risk(facts: Facts, style: Style) -> list[str]:
    """The part of a check about risk: at most two lines, none where nothing was collected.

    What is not known is said to be unknown; a rank alone is never said as a probability.
    """
    risk = facts.risk
    reasons = [unknown.reason for unknown in risk.unknowns]
    if reasons == ["not collected"]:
        return []
    if risk.status == "unknown":
        lines = [f"Risk  unknown: {'; '.join(dict.fromkeys(reasons)) or 'no reason given'}"]
    else:
        moved = factors_in_words(risk)
        lines = [f"Risk  {likelihood(risk, facts.history)}; {impact(risk)}", f"  {moved}" if moved else ""]
    shown = [cut(terminal(line, unicode=style.unicode), style.width, style) for line in lines if line]
    return [paint("Risk", style, "bold") + shown[0][len("Risk") :], *shown[1:]]


def likelihood(risk: Risk, history: History) -> str:
    """How likely a repair is, in words: `14 % of such changes were repaired within a year (usual: 9 %), high: ...`."""
    if is_outside(risk):
        return f"not rated: {risk.factors[0].words.partition(':')[0]}"
    rank = rank_in_words(risk)
    if is_known(risk, "probability"):
        usual = f" (usual: {percent(risk.usual).strip()})" if is_known(risk, "usual") and history.matured else ""
        return f"{percent(risk.probability).strip()} of such changes were repaired within a year{usual}" + (
            f", {rank}" if rank else ""
        )
    return rank or f"unknown: {_reason(risk, 'probability')}"


def is_outside(risk: Risk) -> bool:
    """Whether nothing was learnt of changes like this one; its figures then are those of a stranger."""
    return is_known(risk, "factors") and any(factor.name == OUTSIDE for factor in risk.factors)


def rank_in_words(risk: Risk) -> str:
    """The rank among earlier changes; "" where it is not known."""
    if not is_known(risk, "percentile"):
        return ""
    riskier = min(99, round(risk.percentile * 100))
    return f"{risk.band}: riskier than {riskier} of 100 changes here"


def impact(risk: Risk) -> str:
    """The impact in words."""
    if not is_known(risk, "impact"):
        least = f"{risk.impact_band} at least" if risk.impact else "unknown"
        return f"impact {least}"
    return f"impact {risk.impact_band}"


def factors_in_words(risk: Risk, most: int = 3) -> str:
    """What raised the probability most, then what the impact is made of. What was said is not said again."""
    raised: list[RiskFactor] = [factor for factor in risk.factors if factor.weight > 0]
    words = [factor.words for factor in raised[:most]] if is_known(risk, "factors") else []
    more = [one.words for one in risk.impact_factors if not any(said.startswith(one.words) for said in words)]
    return "; ".join([*words, *more[: max(1, most - len(words))]])


# Private


def _reason(risk: Risk, name: str) -> str:
    return next((one.reason for one in risk.unknowns if one.path == f"risk.{name}"), "no reason given")
