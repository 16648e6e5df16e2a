"""`tidegate provenance audit`: every attribution note and trace held against its commit."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.change.configuration import read_settings
from tidegate.cli.options import json_option, open_named, repo_option, style_here, write_result
from tidegate.provenance.audit_run import read_range, run_audit
from tidegate.report.audit import render_audit_json, render_audit_text


@click.command(name="audit")
@click.argument("range_", metavar="[RANGE]", required=False)
@click.option("--ref", "refs", multiple=True, help="Audit the notes under this ref only. May be given several times.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@json_option
@repo_option
def audit(range_: str | None, refs: tuple[str, ...], color: str, format_: str, repo: Path | None) -> int:
    """Check every attribution note against its commit (fsck for provenance).

    RANGE is BASE..HEAD or one commit; without it every note is checked. By default the refs and traces of the settings
    are read. Exits 1 when there are findings.
    """
    with open_named(repo) as repository:
        head = repository.resolve("HEAD") if repository.exists("HEAD") else ""
        settings = read_settings(repository, head, os.environ).settings
        commits = read_range(repository, range_) if range_ else None
        report = run_audit(repository, settings, refs, commits)
    if format_ == "json":
        write_result(render_audit_json(report))
    else:
        style = style_here(color)
        write_result(render_audit_text(report, style))
    return 0 if report.passed else 1
