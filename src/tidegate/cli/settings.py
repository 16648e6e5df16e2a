"""`tidegate settings`: every setting, its value, and where it was set."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.change.configuration import read_settings
from tidegate.cli.options import json_option, open_named, repo_option, write_result
from tidegate.report.settings_text import render_settings_json, render_settings_text
from tidegate.settings import list_settings


@click.command(name="settings")
@click.option("--rev", "revision", default="HEAD", show_default=True, help="The revision that settings are read from.")
@click.option("--config", type=click.Path(path_type=Path), help="A settings file in the place of the revision's.")
@json_option
@repo_option
def settings(revision: str, config: Path | None, format_: str, repo: Path | None) -> None:
    """Every setting, its value, and where it was set.

    A check reads them from the base of the change; this shows what a change that starts at a revision would meet.
    """
    with open_named(repo) as repository:
        commit = repository.resolve(revision) if revision != "HEAD" or repository.exists("HEAD") else ""
        loaded = read_settings(repository, commit, os.environ, override=config)
    read_from = str(config) if config else f"{revision} ({commit[:7]})" if commit else "no commit yet: defaults"
    render = render_settings_json if format_ == "json" else render_settings_text
    write_result(render(list_settings(loaded), read_from))
