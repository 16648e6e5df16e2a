"""A backtest as text for a tired reader: one table, what it means, and what could not be known."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.policy.backtest.effort import Effort
from tidegate.policy.backtest.values import Backtest, Comparison, Figures, Named
from tidegate.report.backtest_words import (
    assumption,
    comparison_words,
    headline,
    hours_words,
    is_shown,
    lift_words,
    marks,
    meaning,
    named_words,
    not_known,
    others,
    percent,
    sources_words,
)
from tidegate.report.escape import terminal
from tidegate.report.layout import columns, cut, pad, paint, wrap
from tidegate.report.style import PLAIN, Style

MOST_NAMED = 20


def render_backtest(result: Backtest, style: Style = PLAIN, effort: Effort = Effort()) -> str:  # noqa: B008
    """The whole answer, at most as wide as the style."""
    lines = [*_wrapped(headline(result), style), *_wrapped(sources_words(result), style), ""]
    lines += _table(result, style)
    for sentence in meaning(result):
        lines += [*_wrapped(sentence, style), ""]
    for sentence in (*others(result), *not_known(result), assumption(effort)):
        lines += _wrapped(sentence, style)
    return "\n".join(line.rstrip() for line in lines)


def render_comparison(result: Comparison, names: tuple[str, str], style: Style = PLAIN) -> str:
    """Two policies side by side, and the repaired changes that only one of them holds."""
    first, second = result.first, result.second
    rows = [(f"{names[0]}, first", first.whole, ""), (f"{names[1]}, second", second.whole, "")]
    lines = [*_wrapped(headline(first), style), "", *_rows(rows, style), ""]
    for sentence in comparison_words(result):
        lines += [*_wrapped(sentence, style), ""]
    lines += _named("Repaired, and held by the second only:", result.only_second, style)
    lines += _named("Repaired, and held by the first only:", result.only_first, style)
    for sentence in not_known(second):
        lines += _wrapped(sentence, style)
    return "\n".join(line.rstrip() for line in lines)


# Private

_HEADS = ("held", "caught", "delayed", "hours")
_WIDTHS = (7, 9, 9, 8)
_LIFT = 18


def _table(result: Backtest, style: Style) -> list[str]:
    shown = [rule for rule in result.rules if is_shown(rule)]
    if not shown:
        return []
    rows = [(rule.id, rule.figures, marks(rule)) for rule in shown]
    if any(not marks(rule) for rule in shown):
        rows.append(("all that stop a change", result.whole, ""))
    legend = "caught: of those repaired later; delayed: of the others; lift: how much likelier than any change"
    return [*_rows(rows, style), *_wrapped(legend, style, "dim"), ""]


def _rows(rows: Sequence[tuple[str, Figures, str]], style: Style) -> list[str]:
    room = style.width - sum(_WIDTHS) - _LIFT
    head = pad("rule", room) + "".join(f"{word:>{width}}" for word, width in zip(_HEADS, _WIDTHS, strict=True))
    lines = [paint(f"{head}  lift", style, "dim")]
    for name, figures, said in rows:
        words = f"{terminal(name, unicode=style.unicode)}{f' ({said})' if said else ''}"
        if columns(words) > room - 1:
            lines.append(cut(words, style.width, style))
            words = ""
        cells = (
            f"{figures.held.count:,}",
            percent(figures.caught.value) if figures.caught.total else "-",
            percent(figures.delayed.value) if figures.delayed.total else "-",
            hours_words(figures.hours),
        )
        line = pad(words, room) + "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
        lines.append(f"{line}  {lift_words(figures)}")
    return lines


def _named(title: str, changes: Sequence[Named], style: Style) -> list[str]:
    if not changes:
        return []
    lines = [
        title,
        *(
            cut(f"  {terminal(named_words(c), 400, unicode=style.unicode)}", style.width, style)
            for c in changes[:MOST_NAMED]
        ),
    ]
    left = len(changes) - MOST_NAMED
    return [*lines, *([f"  and {left:,} more"] if left > 0 else []), ""]


def _wrapped(text: str, style: Style, *names: str) -> list[str]:
    shown = terminal(text, unicode=style.unicode)
    return [paint(line, style, *names) for line in wrap(shown, style.width)] if text else []
