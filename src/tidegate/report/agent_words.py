"""How the changes of an agent fared, in words that nobody can mistake for a cause."""

from __future__ import annotations

from tidegate.facts import AgentEffect

WIDE = 3.0
"""Where the ends of an interval around 1 stand further apart than this factor, too little is known to say anything."""


def say_effect(effect: AgentEffect, usual: float, name: str = "") -> str:
    """The effect in one sentence that stands alone. `usual` is the share of other changes that had to be repaired.

    Odds are not what people take them for, so they are told as "times as often" at that share. `name` is how people
    call the tool.
    """
    agent = f"{name or effect.tool}'s" + (f" with {effect.model}" if effect.model else "")
    others = "others of the same size and place that declare no agent"
    times = [_times(odds, usual) for odds in (effect.odds_ratio, effect.low, effect.high)]
    ratio, low, high = _digits(*times)
    fits = f"{low} to {high} times fits (95 % interval, {effect.changes:,} changes)"
    if effect.low > 1 or effect.high < 1:
        more = "more" if effect.low > 1 else "less"
        return f"Changes declared as {agent} were repaired {more} often than {others}: {ratio} times as often; {fits}."
    if effect.high / max(effect.low, 1e-9) > WIDE:
        return f"Changes declared as {agent} are too few to compare with {others}: anything from {fits}."
    return (
        f"No difference is shown between changes declared as {agent} and {others}: the best guess is {ratio} times as "
        f"often, and {fits}."
    )


# Private


def _times(odds: float, usual: float) -> float:
    """How many times as often, for odds that are so many times those of a share (Zhang & Yu 1998)."""
    share = min(max(usual, 0.0), 1.0)
    return odds / (1.0 - share + share * odds)


def _digits(*ratios: float) -> list[str]:
    """One digit behind the point; more where an end would else be rounded onto the 1 that it does not reach."""
    for digits in (1, 2, 3):
        shown = [f"{ratio:.{digits}f}" for ratio in ratios]
        if all((float(text) > 1) == (ratio > 1) and float(text) > 0 for text, ratio in zip(shown, ratios, strict=True)):
            break
    return shown
