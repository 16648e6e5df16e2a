"""The plots of a backtest as SVG for its page: no scripts, all colours from the style of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tidegate.policy.backtest.measures import SIZE
from tidegate.policy.backtest.values import Backtest, Curve, Month, RuleFigures, Share
from tidegate.report.backtest_words import best_curve, is_shown, number_words, percent
from tidegate.report.escape import markup, plain
from tidegate.report.layout import grouped

WIDTH = 480
MOST_CURVES = 3
RISK = "risk.percentile"
MOST_RULES = 30

STYLE = """
svg{display:block;width:100%;height:auto}
svg text{font:11px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:var(--text)}
svg .dim{fill:var(--dim)}svg .end{text-anchor:end}svg .mid{text-anchor:middle}
.axis{stroke:var(--line);stroke-width:1;fill:none}
.chance{stroke:var(--dim);stroke-width:1;stroke-dasharray:3 4;fill:none}
.curve{fill:none;stroke-width:2}.c0{stroke:var(--a)}.c1{stroke:var(--b);stroke-dasharray:7 3}
.c2{stroke:var(--c);stroke-dasharray:2 3}
svg text.t0{fill:var(--a)}svg text.t1{fill:var(--b)}svg text.t2{fill:var(--c)}
.point{fill:var(--back);stroke:var(--a);stroke-width:2.5}.whisker{stroke:var(--a);stroke-width:1.5;fill:none}
.rule{fill:var(--dim)}.caught{fill:var(--a)}.delayed{fill:var(--soft2)}.missed{fill:var(--b)}.changes{fill:var(--soft2)}
.held{fill:var(--dim)}.span{stroke:var(--text);stroke-width:1;fill:none}
"""


def curve_svg(result: Backtest) -> str:
    """Caught against held, for the best number, for size, for chance and for the rules as they are."""
    curves = _chosen(result)
    left, top, side = 44, 24, 400
    height = top + side + 44 + 16 * len(curves)

    def x(share: float) -> float:
        return left + share * side

    def y(share: float) -> float:
        return top + (1 - share) * side

    parts = _frame(left, top, side, x, y)
    for number, curve in enumerate(curves):
        points = [(0.0, 0.0), *((p.held, p.caught) for p in curve.points), (1.0, 1.0)]
        path = "L".join(f"{_n(x(held))} {_n(y(caught))}" for held, caught in points)
        parts.append(f'<path class="curve c{number}" d="M{path}"><title>{markup(curve.measure)}</title></path>')
    parts += _dots(result, x, y)
    parts += _suggested(curves, x, y)
    for number, curve in enumerate(curves):
        line = top + side + 46 + 16 * number
        parts.append(f'<path class="curve c{number}" d="M{left} {line - 4}h28"/>')
        parts.append(f'<text class="t{number}" x="{left + 36}" y="{line}">{markup(_legend(curve))}</text>')
    return _svg("Caught against held", _curve_description(curves), height, parts)


def rules_svg(result: Backtest) -> str:
    """What each rule would have caught and delayed, as bars with the interval of what it caught."""
    rules = _rules(result)
    left, room, step = 16, WIDTH - 90, 50
    parts: list[str] = []
    for number, rule in enumerate(rules, 1):
        top = (number - 1) * step + 4
        parts.append(f'<text x="{left}" y="{top + 11}">{number}  {markup(rule.id, 60)}</text>')
        for place, (name, share) in enumerate((("caught", rule.figures.caught), ("delayed", rule.figures.delayed))):
            y = top + 17 + 11 * place
            parts.append(f'<rect class="{name}" x="{left}" y="{y}" width="{_n(share.value * room)}" height="8"/>')
            end = left + max(share.value, share.high if place == 0 else 0) * room + 8
            parts.append(f'<text class="dim" x="{_n(end)}" y="{y + 8}">{percent(share.value)} {name}</text>')
        parts.append(_whisker(rule.figures.caught, left, top + 21, room))
    return _svg("What each rule would have done", "Bars of what was caught and delayed", len(rules) * step + 8, parts)


def months_svg(result: Backtest) -> str:
    """Month by month: changes and how many of them were held, and below the repaired ones, caught and missed."""
    months = _thinned(result.months)
    if not months:
        return ""
    left, wide, high, low = 44, WIDTH - 56, 120, 70
    most = max(month.changes for month in months)
    repaired = max(1, *(month.repaired for month in months))
    step = wide / len(months)
    bar = max(1.0, step - 2 if step > 4 else step)
    parts = [f'<path class="axis" d="M{left} {high + 12}h{wide}M{left} {high + low + 44}h{wide}"/>']
    parts += [_tick(left, 20, most), _tick(left, high + 50, repaired)]
    parts.append(f'<text class="dim" x="{left}" y="10">changes, and those held (in front)</text>')
    parts.append(f'<text class="dim" x="{left}" y="{high + 36}">repaired later: caught (below), missed (above)</text>')
    for place, month in enumerate(months):
        x = left + place * step
        title = (
            f"{month.month}: {grouped(month.changes, 'change')}, {month.held:,} held; "
            f"{month.repaired:,} repaired, {month.caught:,} of them caught"
        )
        parts.append(f"<g><title>{markup(title)}</title>")
        scale = (high - 4) / most
        parts += [
            _bar(x, high + 12, bar, month.changes * scale, "changes"),
            _bar(x, high + 12, bar, month.held * scale, "held"),
        ]
        unit = (low - 4) / repaired
        base = high + low + 44
        parts.append(_bar(x, base, bar, month.caught * unit, "caught"))
        parts.append(_bar(x, base - month.caught * unit, bar, (month.repaired - month.caught) * unit, "missed"))
        parts.append("</g>")
    parts += _month_labels(months, left, step, high + low + 58)
    return _svg("Month by month", "Changes, held ones, and repaired ones of each month", high + low + 66, parts)


# Private

_Scale = Callable[[float], float]


def _chosen(result: Backtest) -> list[Curve]:
    """The best number, then size and risk, then the one that ranks best of the rest."""
    best = best_curve(result)
    ranked = sorted((c for c in result.curves if c.auc.known), key=lambda c: (-c.auc.value, c.measure))
    usual = [c for name in (SIZE, RISK) for c in ranked if c.measure == name]
    wanted = [*([best] if best else []), *usual, *ranked]
    return list({curve.measure: curve for curve in wanted}.values())[:MOST_CURVES]


def _rules(result: Backtest) -> list[RuleFigures]:
    return [rule for rule in result.rules if is_shown(rule)][:MOST_RULES]


def _frame(left: int, top: int, side: int, x: _Scale, y: _Scale) -> list[str]:
    parts = [f'<path class="axis" d="M{left} {top}v{side}h{side}"/>']
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<text class="dim mid" x="{_n(x(tick))}" y="{top + side + 14}">{tick * 100:.0f}</text>')
        parts.append(f'<text class="dim end" x="{left - 6}" y="{_n(y(tick) + 4)}">{tick * 100:.0f}</text>')
    parts.append(f'<text class="dim mid" x="{left + side / 2}" y="{top + side + 28}">% of all changes held</text>')
    parts.append(f'<text class="dim" x="{left - 30}" y="{top - 10}">% of the repaired ones caught</text>')
    parts.append(f'<path class="chance" d="M{_n(x(0))} {_n(y(0))}L{_n(x(1))} {_n(y(1))}"><title>chance</title></path>')
    parts.append(f'<text class="dim" x="{_n(x(0.86))}" y="{_n(y(0.8))}">chance</text>')
    return parts


def _dots(result: Backtest, x: _Scale, y: _Scale) -> list[str]:
    """The rules as they are. A number is left out where it would stand on another."""
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    for number, rule in enumerate(_rules(result), 1):
        at = x(rule.figures.held.value), y(rule.figures.caught.value)
        title = f"<title>{markup(rule.id)}</title>"
        parts.append(f'<circle class="rule" cx="{_n(at[0])}" cy="{_n(at[1])}" r="3">{title}</circle>')
        if all(abs(at[0] - a) > 14 or abs(at[1] - b) > 12 for a, b in taken):
            taken.append(at)
            parts.append(f'<text class="dim" x="{_n(at[0] + 6)}" y="{_n(at[1] + 10)}">{number}</text>')
    return parts


def _suggested(curves: Sequence[Curve], x: _Scale, y: _Scale) -> list[str]:
    suggestion = curves[0].suggestion if curves else None
    if suggestion is None or suggestion.verdict in ("too few", "no better than chance"):
        return []
    judged = suggestion.judged
    at, low, high = x(judged.held.value), y(judged.caught.low), y(judged.caught.high)
    words = f"> {number_words(suggestion.threshold)}"
    ends = "".join(f"M{_n(at - 5)} {_n(end)}h10" for end in (low, high))
    return [
        f'<path class="whisker" d="M{_n(at)} {_n(low)}V{_n(high)}{ends}"/>',
        f'<circle class="point" cx="{_n(at)}" cy="{_n(y(judged.caught.value))}" r="5"/>',
        f'<text class="t0" x="{_n(at + 10)}" y="{_n(y(judged.caught.value) + 18)}">{markup(words)}</text>',
    ]


def _curve_words(curve: Curve) -> str:
    return f"{curve.measure} (AUC {curve.auc.value:.2f}, {curve.auc.low:.2f} to {curve.auc.high:.2f})"


def _legend(curve: Curve) -> str:
    return f"{plain(curve.measure, 56)}, AUC {curve.auc.value:.2f}"


def _curve_description(curves: Sequence[Curve]) -> str:
    return "; ".join(_curve_words(curve) for curve in curves) or "nothing to draw"


def _whisker(share: Share, left: float, y: float, room: float) -> str:
    low, high = left + share.low * room, left + share.high * room
    return f'<path class="span" d="M{_n(low)} {y}H{_n(high)}M{_n(low)} {y - 3}v6M{_n(high)} {y - 3}v6"/>'


def _thinned(months: Sequence[Month]) -> list[Month]:
    """The months; years where there are more than ten of them."""
    if len(months) <= 120:
        return list(months)
    years: dict[str, Month] = {}
    for month in months:
        year = month.month[:4]
        sum_ = years.get(year, Month(year, 0, 0, 0, 0))
        years[year] = Month(
            year,
            sum_.changes + month.changes,
            sum_.repaired + month.repaired,
            sum_.held + month.held,
            sum_.caught + month.caught,
        )
    return list(years.values())


def _month_labels(months: Sequence[Month], left: float, step: float, y: float) -> list[str]:
    every = max(1, -(-len(months) * 52 // (WIDTH - 56)))
    return [
        f'<text class="dim" x="{_n(left + place * step)}" y="{_n(y)}">{markup(month.month)}</text>'
        for place, month in enumerate(months)
        if place % every == 0 and left + place * step < WIDTH - 46
    ]


def _tick(left: int, y: float, most: int) -> str:
    return f'<text class="dim end" x="{left - 6}" y="{_n(y)}">{most:,}</text>'


def _bar(x: float, bottom: float, width: float, height: float, name: str) -> str:
    if height <= 0:
        return ""
    return f'<rect class="{name}" x="{_n(x)}" y="{_n(bottom - height)}" width="{_n(width)}" height="{_n(height)}"/>'


def _svg(title: str, description: str, height: float, parts: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_n(height)}" role="img">',
            f"<title>{markup(title)}</title><desc>{markup(description, 600)}</desc>",
            *parts,
            "</svg>",
        ]
    )


def _n(value: float) -> str:
    """A number as short as it can be written, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")
