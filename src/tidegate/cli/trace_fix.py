"""`tidegate trace-fix`: from a fix back to the changes that introduced what it repaired."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from tidegate.change.commits import read_commit_objects
from tidegate.change.configuration import read_settings
from tidegate.cli.options import json_option, open_named, repo_option, style_here, write_result
from tidegate.errors import InputError
from tidegate.report.trace_fix import render_trace_json, render_trace_text
from tidegate.risk.szz.told import tell
from tidegate.risk.szz.trace import trace_fix as trace


@click.command(name="trace-fix")
@click.argument("commit", metavar="COMMIT")
@click.option("--reported-at", help="When the fault was reported, such as 2026-05-01; later changes are innocent.")
@click.option("-v", "--verbose", is_flag=True, help="All suspects and all lines.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@json_option
@repo_option
def trace_fix(commit: str, reported_at: str | None, verbose: bool, color: str, format_: str, repo: Path | None) -> None:
    """Which changes introduced what this fix repaired, how likely each is, and who or what wrote them."""
    moment = _seconds(reported_at)
    with open_named(repo) as repository:
        oid = repository.resolve(commit)
        settings = read_settings(repository, oid, os.environ).settings
        found = trace(repository, oid, reported_at=moment)
        told = tell(repository, settings, found)
        fix = read_commit_objects(repository, [oid]).get(oid)
    subject = fix.subject if fix else ""
    if format_ == "json":
        write_result(render_trace_json(found, subject, told))
    else:
        write_result(render_trace_text(found, subject, told, style_here(color), verbose=verbose))


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a moment", where="--reported-at", mend="write it like 2026-05-01T12:00:00Z"
        ) from error
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())
