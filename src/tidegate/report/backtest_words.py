"""What a backtest says, in sentences that text and page share. Nothing here is escaped yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tidegate.policy.backtest.effort import Effort
from tidegate.policy.backtest.values import (
    Backtest,
    Comparison,
    Curve,
    Figures,
    Named,
    Ratio,
    RuleFigures,
    Share,
    Suggestion,
)
from tidegate.policy.case import listing
from tidegate.report.layout import grouped

MOSTLY_UNJUDGED = 0.2
"""Of a rule that could not be judged more often than this no figures are shown: the rest is no fair sample."""

FEWEST_SCORED = 100
FEW_CAUGHT = 3
"""Neither caught nor expected by chance: no lift is said."""
SOURCES = {
    "incident": "an incident",
    "rollback": "a roll-back",
    "hot-fix": "a hot-fix",
    "revert": "a revert",
    "fixes-trailer": "a trailer that names it",
    "issue-fix": "the fix of a reported bug",
    "fix": "a fix",
}


def day(seconds: int) -> str:
    """`2026-03-01`, in UTC."""
    return datetime.fromtimestamp(max(0, min(seconds, 253_402_300_799)), UTC).strftime("%Y-%m-%d")


def percent(share: float) -> str:
    """`39 %`; below ten per cent with a tenth, and nothing that happened reads as 0 %."""
    number = share * 100
    if 0 < number < 0.1:
        return "<0.1 %"
    return f"{number:.0f} %" if number >= 9.95 or not number else f"{number:.1f} %"


def between(share: Share) -> str:
    """`19 to 73 %`, the 95 % interval."""
    return f"{share.low * 100:.0f} to {share.high * 100:.0f} %"


def lift_words(figures: Figures) -> str:
    """`2.1 (1.2 to 3.4)`; "too few" where the interval says nothing."""
    lift, chance = figures.lift, figures.held.value * figures.caught.total
    if not figures.held.count:
        return ""
    if not lift.known or max(figures.caught.count, chance) < FEW_CAUGHT:
        return "too few"
    return f"{lift.value:.1f} ({lift.low:.1f} to {lift.high:.1f})"


def hours_words(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 9.95 or not hours else f"{hours:.1f}"


def number_words(number: float) -> str:
    """A threshold as a rule would write it."""
    return f"{number:,.0f}" if number == int(number) else f"{number:.3g}"


def headline(result: Backtest) -> str:
    """Which changes were looked at, and how many of them had to be repaired."""
    period = result.period
    if not period.changes:
        return "No change that landed here is old enough to be judged."
    when = f"between {day(period.first_at)} and {day(period.last_at)}"
    young = f" {period.young:,} more {_are(period.young)} too young to be judged." if period.young else ""
    count = period.repaired.count
    return (
        f"{grouped(period.changes, 'change')} landed {when} and can be judged; "
        f"{count:,} of them ({percent(period.repaired.value)}) had to be repaired later.{young}"
    )


def sources_words(result: Backtest) -> str:
    """Who says that the repaired changes were repaired."""
    known = [f"{SOURCES.get(source, source)} ({number:,})" for source, number in _by_number(result)]
    return f"Known by {listing(known, 8)}." if known else ""


def is_shown(rule: RuleFigures) -> bool:
    """Whether a rule has a row of its own: it held something, not everything, and could be judged."""
    return bool(rule.figures.held.count) and not rule.always and not is_unjudged(rule)


def is_unjudged(rule: RuleFigures) -> bool:
    """Whether so little of the past is known that the figures of a rule would mislead."""
    judged = rule.figures.held.total
    if rule.reasons and all(one.path.startswith("risk.") for one in rule.reasons):
        return judged < FEWEST_SCORED  # what came before the first model is missing, and nothing else
    return rule.unjudged > MOSTLY_UNJUDGED * (rule.unjudged + judged)


def marks(rule: RuleFigures) -> str:
    """What a reader must know beside the figures: a rule that only warns, a draft."""
    said = [] if rule.effect in ("hold", "block") else [f"{rule.effect}s"]
    return ", ".join(said + ([] if rule.mode == "enforce" else [rule.mode]))


def meaning(result: Backtest) -> Iterator[str]:
    """What the figures mean, in two or three sentences."""
    whole = result.whole
    if not result.period.changes:
        return
    if not whole.held.count:
        yield "The rules that stop a change would have stopped none of these."
    else:
        yield (
            f"Together the rules that stop a change would have held {whole.held.count:,} of {whole.held.total:,} "
            f"({percent(whole.held.value)}), among them {whole.caught.count:,} of the {whole.caught.total:,} that had "
            f"to be repaired ({percent(whole.caught.value)}, with an interval of {between(whole.caught)}), "
            f"and {percent(whole.delayed.value)} of the harmless ones, "
            f"for {hours_words(whole.hours)} hours of review. {chance_words(whole.lift)}"
        )
    yield best_words(result)
    if result.incidents.total:
        yield incident_words(result)


def incident_words(result: Backtest) -> str:
    """What would have been held of the changes that caused an incident, and by which rules."""
    whole = result.incidents
    some = sorted(
        (rule for rule in result.rules if rule.incidents.count), key=lambda rule: (-rule.incidents.count, rule.id)
    )
    named = ", ".join(f"{rule.id} {rule.incidents.count:,}" for rule in some[:5])
    return (
        f"Production counts {whole.total:,} of the changes, young ones too, as the cause of an incident; the rules "
        f"that stop a change would have held {whole.count:,} of them."
        + (f" Held by each rule: {named}." if named else " No rule asks anything of them.")
    )


def chance_words(lift: Ratio) -> str:
    if not lift.known:
        return "Too little is known to compare that with chance."
    if lift.low > 1:
        return f"A held change was {lift.value:.1f} times as likely to need repair as any change."
    if lift.high < 1:
        return f"That is worse than chance: a held change needed repair {lift.value:.1f} times as often as any change."
    return (
        f"That is no better than holding as many at random (lift {lift.value:.1f}, {lift.low:.1f} to {lift.high:.1f})."
    )


def best_curve(result: Backtest) -> Curve | None:
    """The curve whose threshold did best on the first part; the later part, which judges it, has no say in that."""
    fitted = [(curve, s) for curve in result.curves if (s := curve.suggestion) is not None and s.verdict != "too few"]
    fitted.sort(key=lambda pair: (-_gain(pair[1]), pair[0].measure))
    return fitted[0][0] if fitted else None


def best_words(result: Backtest) -> str:
    """The suggested threshold and what it is worth, or that there is none."""
    best = best_curve(result)
    if best is None or best.suggestion is None:
        return "Too few changes had to be repaired to suggest a threshold: at least 10 are needed in either part."
    if best.suggestion.verdict == "no better than chance":
        return (
            f"No threshold is suggested: the best number on the first 60 % of the changes, {best.measure}, was no "
            "better than chance on the rest."
        )
    return suggestion_words(best.measure, best.suggestion)


def suggestion_words(measure: str, suggestion: Suggestion) -> str:
    """What a threshold did on changes that it was not fitted on."""
    judged = suggestion.judged
    return (
        f"Suggested: hold what has {measure} > {number_words(suggestion.threshold)}. Fitted on the first 60 % of the "
        f"changes and judged on the rest, it held {percent(judged.held.value)} and caught "
        f"{percent(judged.caught.value)} of what had to be repaired ({between(judged.caught)}): {suggestion.words}."
    )


def not_known(result: Backtest) -> Iterator[str]:
    """What could not be known of the past, and which rules that leaves without an answer."""
    asking = sum(rule.asking for rule in result.rules if is_shown(rule))
    if asking:
        yield (
            "Who approved what is not known of the past, so a rule that asks for approvals counts as holding a change "
            "until they are given."
        )
    unjudged = [rule for rule in result.rules if is_unjudged(rule)]
    if unjudged:
        yield f"Not judged: {listing([f'{r.id} ({reasons_words(r)})' for r in unjudged], 12)}."
    partly = [f"{rule.id} ({_partly_words(rule)})" for rule in result.rules if _is_partly(rule)]
    if partly:
        yield f"Judged in part; the rest is left out of their figures: {listing(partly, 8)}."


def reasons_words(rule: RuleFigures) -> str:
    """`reach.services is not known of the past`."""
    shown = [f"{one.path}: {one.reason}" for one in rule.reasons[:1]]
    return "; ".join(shown) or "no reason was given"


def others(result: Backtest) -> Iterator[str]:
    """The rules without a row."""
    always = [rule.id for rule in result.rules if rule.always and not is_unjudged(rule)]
    if always:
        hours = result.whole_with_always.hours
        yield (
            f"{listing(always)} {'asks' if len(always) == 1 else 'ask'} it of nearly every change and so "
            f"{'chooses' if len(always) == 1 else 'choose'} none: left out above"
            + (f"; with {'it' if len(always) == 1 else 'them'}, {hours_words(hours)} hours." if hours else ".")
        )
    silent = [rule.id for rule in result.rules if not rule.figures.held.count and not rule.unjudged]
    if silent:
        yield f"Held nothing: {listing(silent, 20)}."


def assumption(effort: Effort = Effort()) -> str:  # noqa: B008 an immutable value
    """How hours were counted."""
    return (
        f"Hours are an assumption: {effort.lines_per_hour:g} lines written by hand an hour for each approval, "
        f"{effort.least:g} to {effort.most:g} hours."
    )


def comparison_words(result: Comparison) -> Iterator[str]:
    """What the second policy would have done otherwise than the first."""
    more, fewer = result.more, result.fewer
    if not more.held.count and not fewer.held.count:
        yield "Both would have held the same changes."
    if more.held.count:
        yield (
            f"The second would have held {grouped(more.held.count, 'change')} that the first lets pass, "
            f"{more.caught.count:,} of them repaired later."
        )
    if fewer.held.count:
        yield (
            f"The second would have let pass {grouped(fewer.held.count, 'change')} that the first holds, "
            f"{fewer.caught.count:,} of them repaired later."
        )
    hours = result.second.whole.hours - result.first.whole.hours
    if hours:
        yield f"In all it asks for {hours_words(abs(hours))} hours of review {'more' if hours > 0 else 'less'}."
    if result.always_differs:
        yield f"Left out, as one of them asks it of nearly every change: {listing(result.always_differs)}."


def named_words(change: Named) -> str:
    """`1a2b3c4d5e  2026-03-01  Add the parser (a revert)`."""
    source = SOURCES.get(change.source, change.source)
    return f"{change.oid[:10]}  {day(change.landed_at)}  {change.subject}" + (f" ({source})" if source else "")


# Private


def _is_partly(rule: RuleFigures) -> bool:
    if is_unjudged(rule) or not rule.unjudged:
        return False
    return not rule.figures.held.count or rule.unjudged > 0.01 * (rule.unjudged + rule.figures.held.total)


def _partly_words(rule: RuleFigures) -> str:
    none = "" if rule.figures.held.count else " could not be judged, and it held none of the others"
    return f"{grouped(rule.unjudged, 'change')}{none}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _by_number(result: Backtest) -> list[tuple[str, int]]:
    return sorted(result.period.sources.items(), key=lambda item: (-item[1], item[0]))


def _gain(suggestion: Suggestion) -> float:
    return suggestion.fitted.caught.value - suggestion.fitted.delayed.value
