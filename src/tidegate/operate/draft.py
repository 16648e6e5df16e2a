"""The draft of a post-incident review: what is known, written down, with the places left open that only people fill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tidegate.operate.investigate.values import Case, Investigation
from tidegate.operate.resolution import Resolution
from tidegate.report.escape import code, markdown

MOST_EVIDENCE = 5
MOST_SUSPECTS = 3
_KINDS = {"roll_back": "a roll-back", "hot_fix": "a hot-fix", "forward_fix": "a forward fix"}


def draft_review(case: Case, found: Investigation, resolution: Resolution | None = None) -> str:
    """Markdown. Every fact names its source; what nobody knows stands there as an open question, never as a guess."""
    lines = [
        f"# {markdown(case.title, 160)}",
        "",
        *_summary(case, resolution),
        "",
        "## What caused it",
        "",
        *_causes(found),
        "",
        "## Timeline",
        "",
        "| time (UTC) | what | source |",
        "| --- | --- | --- |",
        *(f"| {_time(one.at)} | {_cell(one.says)} | {_cell(one.source)} |" for one in found.timeline),
        "",
        *_section("## Which signals moved first", (f"{_time(one.at)}: {one.says}" for one in found.movers)),
        *_section("## What the sources disagree on", (f"{one.one}; but {one.other}" for one in found.conflicts)),
        *_section(
            "## Incidents like it",
            (f"{one.past.title} ({_day(one.past.started)}): {one.past.cause or 'no cause'}" for one in found.similar),
        ),
        *_section("## What is not known", found.unknowns),
        "## For people to fill in",
        "",
        "- What did users notice, how many of them, and for how long?",
        "- What made it hard to see, or slow to mend?",
        "- Which rule, test or alert would have held it? Try it on the past with `tidegate policy backtest`.",
        "- Who does what, by when?",
        "",
    ]
    return "\n".join(lines)


# Private


def _summary(case: Case, resolution: Resolution | None) -> Iterator[str]:
    where = f"{case.service or 'an unnamed service'} in {case.environment or 'an unnamed environment'}"
    if case.ended is None:
        yield f"{markdown(where).capitalize()}, severity {case.severity}: since {_time(case.started)}, not over."
    else:
        lasted = (case.ended - case.started) / 60
        over = f"{_time(case.started)} to {_time(case.ended)}, {lasted:.0f} min"
        yield f"{markdown(where)}, severity {case.severity}: {over}."
    if resolution is not None:
        brought = resolution.deployment.revision[:12] or resolution.deployment.id
        yield f"Ended by {_KINDS[resolution.kind]} to {code(brought)}: {markdown(resolution.says)}."
    elif case.ended is not None:
        yield "What ended it is not known: no deployment was told of."


def _causes(found: Investigation) -> Iterator[str]:
    ranking = found.ranking
    for suspect in ranking.suspects[:MOST_SUSPECTS]:
        yield f"- Change {code(suspect.change[:12])}: {suspect.probability:.0%}"
        yield from (
            f"  - {markdown(one.says)}" + (f" ({markdown(one.source, 120)})" if one.source else "")
            for one in suspect.evidence[:MOST_EVIDENCE]
            if one.weight > 0
        )
    yield f"- None of the changes: {ranking.none:.0%}"
    for cause in ranking.hypotheses[:MOST_SUSPECTS]:
        if cause.probability >= 0.05:
            yield f"  - {markdown(cause.kind.replace('_', ' '))}: {cause.probability:.0%}"


def _section(heading: str, says: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    listed = [f"- {markdown(one, 400)}" for one in says]
    if listed:
        yield from (heading, "", *listed, "")


def _cell(text: str) -> str:
    return markdown(text, 300)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
