"""`tidegate provenance recover`: bring line attribution back to the main branch after a squash or rebase merge."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.change.configuration import read_settings
from tidegate.cli.options import json_option, moment, open_named, repo_option, style_here, write_result
from tidegate.provenance.history import DEFAULT_REFS
from tidegate.provenance.identity import read_identity
from tidegate.provenance.recover import parse_scope, recover_lines
from tidegate.provenance.recovered import RECOVERED_REF, checked_ref, write_recovered, write_traces
from tidegate.report.recover import render_recover_json, render_recover_text


@click.command(name="recover")
@click.argument("range_", metavar="[RANGE]", default="")
@click.option(
    "--from-refs", "refs", multiple=True, metavar="PATTERN", help="Refs to look for sources in (gitignore style)."
)
@click.option("--write", is_flag=True, help="Write what was recovered as notes.")
@click.option("--ref", default=RECOVERED_REF, show_default=True, help="Where notes go; none is ever replaced.")
@click.option("--trace", type=click.Path(path_type=Path), help="Also write Agent Trace records to this new file.")
@click.option("--now", help="The moment to write down, RFC 3339; by default now.")
@json_option
@repo_option
def recover(
    range_: str,
    refs: tuple[str, ...],
    write: bool,
    ref: str,
    trace: Path | None,
    now: str | None,
    format_: str,
    repo: Path | None,
) -> None:
    """Bring line attribution back to the main branch after a squash or rebase merge.

    RANGE is BASE..HEAD or a commit; by default all commits of HEAD's first parents that have no note. Works offline,
    from refs that were fetched: git fetch origin '+refs/pull/*/head:refs/pull/*/head' '+refs/notes/*:refs/notes/*'
    """
    when = moment(now)
    with open_named(repo) as repository:
        checked_ref(ref)
        author = read_identity(repository, os.environ) if write else None
        settings = read_settings(repository, repository.resolve("HEAD"), os.environ).settings
        found = recover_lines(repository, settings, parse_scope(range_, refs or DEFAULT_REFS))
        written: list[str] = []
        if trace is not None:
            written += write_traces(trace, found, when)
        if author is not None:
            written += write_recovered(repository, ref, found, author, when)
    if format_ == "json":
        write_result(render_recover_json(found, tuple(written)))
        return
    style = style_here()
    write_result(render_recover_text(found, tuple(written), style))
