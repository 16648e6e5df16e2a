"""`tidegate insight`: is AI helping or hurting here, and is scrutiny keeping up."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import click

from tidegate.cli.options import json_option, moment, open_named, repo_option, style_here, write_result


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
    "--spend", type=click.Path(path_type=Path), metavar="CSV", help="What AI cost: day,tool,model,person,cost."
)
@click.option("--environment", default="production", show_default=True, help="Whose deployments count.")
@click.option("--branch", default="HEAD", show_default=True, metavar="REV", help="The branch that changes landed on.")
@click.option("--now", help="The moment of the question, RFC 3339; by default now.")
@json_option
@repo_option
def insight(
    since: str,
    by: tuple[str, ...],
    spend: Path | None,
    environment: str,
    branch: str,
    now: str | None,
    format_: str,
    repo: Path | None,
) -> None:
    """How fast changes go out and how often they have to be repaired, for agents and people, with intervals.

    Read from this repository alone: what landed, who wrote it as far as notes and marks say, what was repaired later,
    and the deployments that were reported here (`tidegate deploy`), or the tags of the branch where none were. Changes
    younger than 180 days are not judged. Nothing here is a proof of cause.
    """
    from tidegate.change.configuration import read_settings
    from tidegate.cli.risk import progress
    from tidegate.facts import to_json
    from tidegate.insight.answer import look
    from tidegate.insight.past import deployed_first, ran_of, read_releases, shipped_of
    from tidegate.insight.spend import read_costs
    from tidegate.insight.text import render_insight
    from tidegate.replay import moment_before, read_hindsight, read_past
    from tidegate.rollout.local import file_of, read_deployments

    costs = read_costs(spend) if spend is not None else ()
    seconds = int(datetime.fromisoformat(moment(now)).timestamp())
    show = progress() if sys.stderr.isatty() else None
    with open_named(repo) as repository:
        until = repository.resolve(branch)
        settings = read_settings(repository, until, os.environ).settings
        hindsight = read_hindsight(repository, until, settings, seconds, show)
        begin = moment_before(since, hindsight.now)
        past = list(read_past(repository, until, begin, settings, hindsight))
        deployments = read_deployments(file_of(repository)) or ()
        released = read_releases(repository, until)
        notes = []
        if deployments:
            order = repository.run("rev-list", "--first-parent", "--end-of-options", until).decode("ascii").split()
            released = deployed_first(deployments, order, environment)
        elif not released:
            notes.append("no tag lies on this branch, so that it is not known when changes went out")
        else:
            notes.append("lead time ends at the first tag that holds a change: no deployment was reported here")
        shipped = shipped_of(past, released, repository.path.name)
        ran = ran_of(deployments, {one.commit: one.writer for one in shipped}, environment)
        splits = tuple(dict.fromkeys(by))
        found = look(shipped, ran, begin, hindsight.now + 1, by=splits, costs=costs, notes=notes)
    write_result(to_json(found) if format_ == "json" else render_insight(found, style_here()))
