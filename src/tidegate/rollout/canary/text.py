"""A judgement for a person at a terminal: what to do, why, and every metric with its figures and its course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tidegate.report.escape import terminal
from tidegate.report.layout import cut, pad, paint, wrap
from tidegate.report.style import Style
from tidegate.rollout.canary.plot import sparkline
from tidegate.rollout.canary.say import change, duration, number, percent
from tidegate.rollout.canary.values import Judgement, Measured, MetricResult

MOST_METRICS = 24
_COLOURS = {"promote": "green", "hold": "yellow", "roll back": "red"}
_STATE_COLOURS = {"fine": "green", "regressed": "red", "undecided": "yellow", "no data": "yellow"}
_ORDER: Mapping[str, int] = {"regressed": 0, "no data": 1, "undecided": 2, "fine": 3}
_SPARK = 24


def render_judgement_text(judgement: Judgement, measured: Sequence[Measured], style: Style) -> str:
    """The decision first, then its reasons, then the metrics, the worst first."""
    plots = {one.metric.name: one for one in measured}
    lines = [_head(judgement, style), ""]
    for reason in judgement.reasons:
        lines += wrap(_say(reason, style), style.width, "  ")
    if judgement.decision == "hold":
        lines += _wait(judgement, style)
    results = sorted(judgement.metrics, key=lambda one: (_ORDER[one.state], not one.critical))
    for one in results[:MOST_METRICS]:
        lines += ["", *_metric(one, plots.get(one.name), judgement, style)]
    if len(results) > MOST_METRICS:
        lines += ["", f"  and {len(results) - MOST_METRICS} metrics more, in --format json"]
    lines += ["", *wrap(_promise(judgement), style.width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


# Private


def _say(text: str, style: Style) -> str:
    return terminal(text, unicode=style.unicode)


def _head(judgement: Judgement, style: Style) -> str:
    word = paint(judgement.decision.upper(), style, "bold", _COLOURS[judgement.decision])
    first, last = (datetime.fromtimestamp(at, UTC) for at in (judgement.start, judgement.end))
    until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    score = f", score {judgement.score:g}" if judgement.score is not None else ""
    spent = duration(judgement.end - judgement.start)
    return f"{word}  canary of {spent}, {first:%Y-%m-%d %H:%M:%S} to {until} UTC{score}"


def _wait(judgement: Judgement, style: Style) -> list[str]:
    """How long it takes, where time is all that is missing."""
    blocking = [one for one in judgement.metrics if one.critical and one.state == "undecided"]
    waits = [one.wait for one in blocking if one.wait]
    if not waits or judgement.judge == "kayenta":
        return []
    requests = max((one.requests or 0 for one in blocking), default=0)
    more = f" or {requests:,} requests of the canary" if requests else ""
    return ["", *wrap(f"Needs about {duration(max(waits))} more{more}, if it stays as it is.", style.width, "  ")]


def _metric(one: MetricResult, measured: Measured | None, judgement: Judgement, style: Style) -> list[str]:
    state = one.classification if judgement.judge == "kayenta" else one.state
    name = cut(_say(one.name, style), 28, style)
    figures = ""
    if one.canary is not None and one.baseline is not None:
        if one.kind == "count":
            figures = f"{percent(one.canary)} of requests against {percent(one.baseline)}"
        else:
            figures = f"{number(one.canary)} against {number(one.baseline)}"
            figures += f", {change(one.change)}" if one.change is not None else ""
    note = "" if one.critical or judgement.judge == "kayenta" else " (not critical)"
    head = f"  {pad(name, 28)}  {paint(pad(state, 10), style, _STATE_COLOURS[one.state])}  {figures}{note}"
    lines = [head, *wrap(_say(one.says, style), style.width, "    ")]
    if measured is not None:
        bars = sparkline(measured, judgement.start, judgement.end, _SPARK, unicode=style.unicode)
        if any(bars):
            lines += [f"    canary    {bars[0]}", f"    baseline  {bars[1]}"]
    return lines


def _promise(judgement: Judgement) -> str:
    if judgement.judge == "kayenta":
        return "Judged as Kayenta does (NetflixACAJudge-v1.0), which promises no rate of errors. Nothing was executed."
    return (
        f"Of canaries like their baseline, at most {judgement.error_rate * 100:g} % are rolled back, over all metrics"
        " and however often one looks. Nothing was executed."
    )
