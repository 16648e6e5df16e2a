"""`tidegate insight`: is AI helping or hurting here, and is scrutiny keeping up."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Literal

import click

from tidegate.cli.options import at_work, moment, open_named, repo_option, style_here, write_result


@click.command(name="insight")
@click.option("--since", default="12mo", show_default=True, metavar="SPAN|DAY", help="12mo, 90d, 2y, 2025-03-01.")
@click.option(
    "--by",
    multiple=True,
    default=("writer",),
    type=click.Choice(("writer", "tool", "model", "team", "repository")),
    help="How to split the figures; may be given several times.",
)
@click.option(
    "--spend",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="What AI cost: day,tool,cost or a vendor's export; repeatable.",
)
@click.option("--spend-tool", default="", metavar="TOOL", help="What a bill paid for where it does not say.")
@click.option("--environment", default="production", show_default=True, help="Whose deployments count.")
@click.option("--branch", default="HEAD", show_default=True, metavar="REV", help="The branch that changes landed on.")
@click.option(
    "--every", default="month", show_default=True, type=click.Choice(("week", "month")), help="Of the series."
)
@click.option(
    "--junit",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A report of a test run; repeatable.",
)
@click.option(
    "--format", "format_", type=click.Choice(("text", "json", "csv")), default="text", help="How the answer is written."
)
@click.option(
    "--briefing",
    type=click.Choice(("markdown", "html")),
    help="The last whole week on one page instead, beside the week before.",
)
@click.option("--now", help="The moment of the question, RFC 3339; by default now.")
@repo_option
def insight(
    since: str,
    by: tuple[str, ...],
    spend: tuple[Path, ...],
    spend_tool: str,
    environment: str,
    branch: str,
    every: Literal["week", "month"],
    junit: tuple[Path, ...],
    now: str | None,
    format_: str,
    briefing: str | None,
    repo: Path | None,
) -> None:
    """How fast changes go out and how often they have to be repaired, for agents and people, with intervals.

    Read from this repository alone: what landed, who wrote it as far as notes and marks say, what was repaired later,
    how long lines lived, and the deployments that were reported here (`tidegate deploy`), or the tags of the branch
    where none were. Changes younger than 180 days are not judged. Nothing here is a proof of cause.
    """
    from tidegate.change.configuration import read_settings
    from tidegate.cli.risk import progress
    from tidegate.facts import to_json
    from tidegate.insight.briefing_text import render_html, render_markdown
    from tidegate.insight.costs import read_bill
    from tidegate.insight.export import csv_of
    from tidegate.insight.local import Question, brief_here, read_here
    from tidegate.insight.text import render_insight

    asked = Question(
        since=since,
        branch=branch,
        now=int(datetime.fromisoformat(moment(now)).timestamp()),
        environment=environment,
        by=tuple(dict.fromkeys(by)),
        every=every,
        bills=tuple(read_bill(each, spend_tool) for each in spend),
        junit=junit,
    )
    with at_work("reading the history"), open_named(repo) as repository:
        settings = read_settings(repository, repository.resolve(branch), os.environ).settings
        show = progress() if sys.stderr.isatty() else None
        if briefing is not None:
            page = brief_here(repository, settings, asked, show)
        else:
            found = read_here(repository, settings, asked, show)
    if briefing is not None:
        write_result(render_html(page) if briefing == "html" else render_markdown(page))
    elif format_ == "text":
        write_result(render_insight(found, style_here()))
    else:
        write_result(to_json(found) if format_ == "json" else csv_of(found))
