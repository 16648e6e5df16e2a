"""A judgement as one HTML page: no scripts, nothing loaded, light and dark."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from tidegate.report.escape import markup
from tidegate.rollout.canary.plot import PLOT_STYLE, plot_svg
from tidegate.rollout.canary.say import change, number, percent
from tidegate.rollout.canary.values import Judgement, Measured, MetricResult

MOST_PLOTS = 200
STYLE = (
    ":root{color-scheme:light dark;--line:#d8dee4;--dim:#59636e;--back:#fff;--text:#1f2328;--bad:#a40e26;"
    "--good:#116329;--wait:#7d4e00}@media(prefers-color-scheme:dark){:root{--line:#30363d;--dim:#9198a1;"
    "--back:#0d1117;--text:#e6edf3;--bad:#ff938a;--good:#56d364;--wait:#e3b341}}"
    "body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}"
    "main{max-width:48rem;margin:0 auto;padding:2rem 1rem 4rem}h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 0}"
    ".bad{color:var(--bad)}.good{color:var(--good)}.wait{color:var(--wait)}.dim{color:var(--dim)}p{margin:.3rem 0}"
) + PLOT_STYLE
POLICY = f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
_CLASSES = {
    "promote": "good",
    "fine": "good",
    "roll back": "bad",
    "regressed": "bad",
    "hold": "wait",
    "undecided": "wait",
    "no data": "wait",
}


def render_judgement_html(judgement: Judgement, measured: Sequence[Measured]) -> str:
    """The page: the decision, its reasons, then each metric in words with its plot, up to `MOST_PLOTS` of them."""
    first, last = (datetime.fromtimestamp(at, UTC) for at in (judgement.start, judgement.end))
    title = f"Canary: {judgement.decision}"
    reasons = "".join(f"<li>{markup(reason)}</li>" for reason in judgement.reasons)
    plots = {one.metric.name: one for one in measured}
    metrics = "".join(_metric(one, plots.get(one.name), judgement) for one in judgement.metrics[:MOST_PLOTS])
    rest = len(judgement.metrics) - MOST_PLOTS
    more = f"<p>{rest} metrics more are in the JSON.</p>" if rest > 0 else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{markup(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body><main>'
        f'<h1 class="{_CLASSES[judgement.decision]}">{markup(title)}</h1>'
        f'<p class="dim">{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC, judge: {judgement.judge}'
        f"{'' if judgement.score is None else f', score {judgement.score:g}'}</p>"
        f"<ul>{reasons}</ul>{metrics}{more}</main></body></html>\n"
    )


# Private


def _metric(one: MetricResult, measured: Measured | None, judgement: Judgement) -> str:
    figures = ""
    if one.canary is not None and one.baseline is not None:
        if one.kind == "count":
            figures = f"{percent(one.canary)} of requests against {percent(one.baseline)}; "
        else:
            moved = f", {change(one.change)}" if one.change is not None else ""
            figures = f"{number(one.canary)} against {number(one.baseline)}{moved}; "
    plot = plot_svg(measured, one, judgement.start, judgement.end) if measured is not None else ""
    return (
        f'<section><h2>{markup(one.name)} <span class="{_CLASSES[one.state]}">'
        f"{markup(one.classification or one.state)}</span></h2>"
        f"<p>{markup(figures + one.says)}</p>{plot}</section>"
    )
