"""Figures in words for pages and briefings: a number never stands without its interval and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.insight.spend import Spending
from tidegate.insight.values import Figure

_TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_MINUS = "\u2212"
MOST_TOOLS = 5
FAR = 200.0
"""From so many of a unit on, ends of an interval of time are told each in its own."""


def said(figure: Figure, *, n: bool = True) -> str:
    """`4.8 % (1.6 to 10.9), n 104`, or why there is no number. The interval is in the unit of the number."""
    if figure.value is None or figure.low is None or figure.high is None:
        return figure.says or "not known"
    size, word = _unit(figure.unit, abs(figure.value))
    words = _interval(figure.value, figure.low, figure.high, size, word)
    if figure.unit == "seconds" and figure.high >= FAR * size:
        words = f"{_time(figure.value)} ({_time(figure.low)} to {_time(figure.high)})"
    return f"{words}, n {figure.n:,}" if n else words


def moved(figure: Figure) -> str:
    """The same of a difference: `+3.1 points (\u22121.0 to +7.2)`."""
    if figure.value is None or figure.low is None or figure.high is None:
        return figure.says or "cannot be told"
    size, word = _unit(figure.unit, max(abs(figure.low), abs(figure.high)))
    return _interval(figure.value, figure.low, figure.high, size, " points" if figure.unit == "share" else word, "+")


def percent(share: float) -> str:
    """Whole per cent, but never 0 or 100 for what is not."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{share * 100:.0f} %"


def money_of(amount: float) -> str:
    """`1,234`, `12.50`, `0.20`, `0.0031`: as many places as a cost needs to be told from another."""
    if amount >= 1000:
        return f"{amount:,.0f}"
    if amount >= 0.995 or amount == 0:
        return f"{amount:.2f}"
    return f"{amount:#.2g}" if amount >= 0.0001 else f"{amount:.1e}"


def cannot_join(found: Spending) -> Iterator[str]:
    """What of the costs, and of the changes, cannot be attributed: one sentence for each."""
    money = f" {found.currency}" if found.currency else ""
    if found.unjoined:
        whole = sum(amount for _, amount in found.unjoined)
        named = ", ".join(f"{tool} {money_of(amount)}" for tool, amount in found.unjoined[:MOST_TOOLS])
        more = f" and {len(found.unjoined) - MOST_TOOLS} more" if len(found.unjoined) > MOST_TOOLS else ""
        yield (
            f"{money_of(whole)}{money} went to tools that no shipped change names ({named}{more}): "
            "what came of it is not known"
        )
    if found.unpaid:
        yield f"changes name tools that no cost is given for: {', '.join(found.unpaid[:MOST_TOOLS])}"
    unpaid = sum(one.unpaid for one in found.returns)
    if unpaid:
        yield f"{unpaid:,} changes landed in months without a cost of their tool, and are not counted"
    if found.nameless:
        yield f"{found.nameless:,} changes do not say which tool wrote in them: what agents had in them is not counted"
    yield from found.notes


# Private


def _interval(value: float, low: float, high: float, size: float, word: str, plus: str = "") -> str:
    numbers = [each / size for each in (value, low, high)]
    places = 1 if size != 1.0 or word == " s" else max(_places(each) for each in numbers)
    first, *ends = (_number(each, places, plus) for each in numbers)
    return f"{first}{word} ({' to '.join(ends)})"


def _time(seconds: float) -> str:
    size, word = _unit("seconds", abs(seconds))
    return f"{seconds / size:,.1f}{word}"


def _unit(unit: str, largest: float) -> tuple[float, str]:
    if unit == "share":
        return 0.01, " %"
    if unit == "seconds":
        size, word = next((each for each in _TIMES if largest >= 2 * each[0]), _TIMES[-1])
        return size, f" {word}"
    return 1.0, {"times": " x", "index": ""}.get(unit, f" {unit}")


def _places(number: float) -> int:
    return 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2


def _number(number: float, places: int, plus: str) -> str:
    words = f"{abs(number):,.{places}f}"
    if not any(digit in words for digit in "123456789"):
        return words
    return (_MINUS if number < 0 else plus) + words
