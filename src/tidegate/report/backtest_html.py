"""A backtest as one page that needs nothing else: no network and no scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence

from tidegate.policy.backtest.effort import Effort
from tidegate.policy.backtest.values import Backtest, Comparison, Curve, Figures, Named, RuleFigures
from tidegate.report.backtest_svg import STYLE as SVG_STYLE
from tidegate.report.backtest_svg import curve_svg, months_svg, rules_svg
from tidegate.report.backtest_words import (
    SOURCES,
    assumption,
    between,
    comparison_words,
    day,
    headline,
    hours_words,
    is_shown,
    lift_words,
    marks,
    meaning,
    not_known,
    number_words,
    others,
    percent,
    sources_words,
)
from tidegate.report.escape import markup

STYLE = (
    """
:root{color-scheme:light dark;--line:#d8dee4;--dim:#59636e;--back:#fff;--text:#1f2328;--soft:#f6f8fa;--soft2:#cfd7df;
--a:#1f6feb;--b:#b35900;--c:#6e40c9}
@media (prefers-color-scheme:dark){:root{--line:#30363d;--dim:#9198a1;--back:#0d1117;--text:#e6edf3;--soft:#161b22;
--soft2:#3d444d;--a:#58a6ff;--b:#e3923c;--c:#bc8cff}}
body{margin:0;background:var(--back);color:var(--text);font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1100px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:20px;line-height:1.35;margin:0 0 8px}h2{font-size:16px;margin:0 0 8px}section{margin:28px 0}
.says{padding:8px 12px;border-left:4px solid var(--a);background:var(--soft);margin:8px 0}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:16px;align-items:start}
.plots{margin:16px 0}.beside{display:grid;gap:16px;min-width:0}
figure{margin:0;padding:12px;border:1px solid var(--line);border-radius:8px;min-width:0}
figcaption{font-weight:600;margin:0 0 8px}figure p{margin:8px 0 0;color:var(--dim);font-size:12px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:4px 12px 4px 0;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:500;font-size:12px;white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.l{white-space:nowrap}td.w{overflow-wrap:anywhere;min-width:140px}
code{font:12px ui-monospace,SFMono-Regular,"DejaVu Sans Mono",monospace}
.dim{color:var(--dim)}
"""
    + SVG_STYLE
)
MOST_ROWS = 200


def render_backtest_html(result: Backtest, effort: Effort = Effort()) -> str:  # noqa: B008 an immutable value
    """The page of one policy, every foreign text escaped. The content security policy allows its own style alone."""
    return _page(
        "Backtest", [*_head(result, "What this policy would have done"), *_body(result), *_foot(result, effort)]
    )


def render_comparison_html(
    result: Comparison,
    names: tuple[str, str],
    effort: Effort = Effort(),  # noqa: B008
) -> str:
    """The page of two policies over the same changes; the plots are those of the second."""
    first, second = result.first, result.second
    rows = [_figures_cells(f"{names[0]} (first)", first.whole), _figures_cells(f"{names[1]} (second)", second.whole)]
    body = [
        *_head(first, "Two policies over the same changes", told=comparison_words(result)),
        *_table("What stops a change", _COLUMNS, rows),
        *_named("Repaired, and held by the second only", result.only_second),
        *_named("Repaired, and held by the first only", result.only_first),
        f"<h2>The second: {markup(names[1], 200)}</h2>",
        *_body(second),
        *_foot(second, effort),
    ]
    return _page("Backtest of two policies", body)


# Private

_COLUMNS = ("", "held", "share", "caught", "95 % interval", "delayed", "hours", "lift")


def _page(title: str, body: Iterable[str]) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style></head><body><main>",
    ]
    return "\n".join([*head, *body, "</main></body></html>"]) + "\n"


def _head(result: Backtest, title: str, told: Iterable[str] | None = None) -> list[str]:
    said = [f'<p class="says">{markup(sentence)}</p>' for sentence in (meaning(result) if told is None else told)]
    return [
        f"<h1>{title}</h1>",
        f"<p>{markup(headline(result))} {markup(sources_words(result))}</p>",
        f'<p class="dim">{markup(result.policy, 300)}, policy <code>{markup(result.policy_digest[:16])}</code></p>',
        *said,
    ]


def _body(result: Backtest) -> list[str]:
    rules = [rule for rule in result.rules if is_shown(rule)]
    plots, beside = [], []
    if result.curves:
        note = (
            "All judged changes. The ring is the suggested line on the later 40 %, which it was not fitted on, with "
            "its 95 % interval. Numbered dots are the rules as they are."
        )
        plots.append(_figure("Caught against held", curve_svg(result), note))
    if rules:
        note = "Caught: of the changes repaired later, with the 95 % interval. Delayed: of the others."
        beside.append(_figure("Rule by rule", rules_svg(result), note))
    if result.months:
        note = "What all rules that stop a change would have held."
        beside.append(_figure("Month by month", months_svg(result), note))
    plots += ['<div class="beside">', *beside, "</div>"] if beside else []
    rows = [_figures_cells(_name(rule), rule.figures) for rule in rules]
    if any(not marks(rule) for rule in rules):
        rows.append(_figures_cells("all that stop a change", result.whole))
    return [
        *(['<div class="plots">', *plots, "</div>"] if plots else []),
        *_table("Rules", _COLUMNS, rows),
        *_lines("Other rules", others(result)),
        *_table("Where else a line could be drawn", _LINE_COLUMNS, [_line_cells(curve) for curve in _by_auc(result)]),
        *_named("Repaired, and held by no rule that stops a change", result.missed),
        *(part for rule in rules for part in _named(f"Newest caught by {rule.id}", rule.examples)),
    ]


def _foot(result: Backtest, effort: Effort) -> list[str]:
    tried = sum(curve.suggestion is not None for curve in result.curves)
    said = [*not_known(result), assumption(effort)]
    if tried > 1:
        said.append(
            f"{tried} numbers were tried: some will look good by chance. The suggestion was chosen on the first part."
        )
    return _lines("What this rests on, and what is not known", said)


def _name(rule: RuleFigures) -> str:
    return f"{rule.id} ({marks(rule)})" if marks(rule) else rule.id


def _figures_cells(name: str, figures: Figures) -> tuple[str, ...]:
    caught, delayed = figures.caught, figures.delayed
    return (
        name,
        f"{figures.held.count:,}",
        percent(figures.held.value),
        f"{caught.count:,} of {caught.total:,}",
        between(caught) if caught.total else "",
        percent(delayed.value) if delayed.total else "",
        hours_words(figures.hours),
        lift_words(figures),
    )


_LINE_COLUMNS = ("", "now", "AUC", "fitted", "held later", "caught later", "95 % interval", "verdict")


def _by_auc(result: Backtest) -> list[Curve]:
    return sorted(result.curves, key=lambda curve: (-curve.auc.value, curve.measure))


def _line_cells(curve: Curve) -> tuple[str, ...]:
    now = ", ".join(sorted({f"> {number_words(number)}" for number in curve.used.values()}))
    auc = f"{curve.auc.value:.2f} ({curve.auc.low:.2f} to {curve.auc.high:.2f})" if curve.auc.known else ""
    suggestion = curve.suggestion
    if suggestion is None:
        return (curve.measure, now, auc, "", "", "", "", "holds more than one in five, or nothing")
    judged = suggestion.judged
    return (
        curve.measure,
        now,
        auc,
        f"> {number_words(suggestion.threshold)}",
        percent(judged.held.value),
        percent(judged.caught.value),
        between(judged.caught),
        suggestion.verdict,
    )


def _named(title: str, changes: Sequence[Named]) -> list[str]:
    rows = [(c.oid[:10], day(c.landed_at), c.subject, SOURCES.get(c.source, c.source)) for c in changes]
    return _table(title, ("commit", "landed", "subject", "repaired by"), rows, numbers=False)


def _figure(title: str, svg: str, note: str) -> str:
    return f"<figure><figcaption>{title}</figcaption>{svg}<p>{markup(note)}</p></figure>"


def _lines(title: str, sentences: Iterable[str]) -> list[str]:
    said = [f"<p>{markup(sentence, 2000)}</p>" for sentence in sentences]
    return [f"<section><h2>{title}</h2>", *said, "</section>"] if said else []


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> list[str]:
    """A section with one table, none for no rows. With `numbers` every column but the first and last is of numbers."""
    if not rows:
        return []
    last = len(columns) - 1
    kinds = [_kind(place, last, numbers=numbers) for place in range(last + 1)]
    head = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in zip(columns, kinds, strict=True))
    body = [
        "<tr>"
        + "".join(f'<td class="{k}">{markup(cell, 300)}</td>' for cell, k in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows[:MOST_ROWS]
    ]
    left = len(rows) - MOST_ROWS
    more = [f"<p>and {left:,} more</p>"] if left > 0 else []
    table = [f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>', *body, "</tbody></table></div>"]
    return [f"<section><h2>{markup(title, 200)}</h2>", *table, *more, "</section>"]


def _kind(place: int, last: int, *, numbers: bool) -> str:
    """The class of a column: numbers, words that may break, or words that stand in one line."""
    if numbers:
        return "n" if 0 < place < last else "w"
    return "l" if place < 2 else ""
