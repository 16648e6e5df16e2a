"""`tidegate who`: who or what wrote these lines, which prompt, which human answers for them."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.change.values import show_path
from tidegate.cli.options import json_option, open_named, repo_option, style_here, write_result
from tidegate.errors import InputError
from tidegate.provenance.who import parse_place, read_who
from tidegate.report.who import render_who_json, render_who_text


@click.command(name="who")
@click.argument("place", metavar="PATH[:LINE[-LINE]]")
@click.option("--rev", "revision", default="HEAD", show_default=True, help="The revision whose lines are meant.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@json_option
@repo_option
def who(place: str, revision: str, color: str, format_: str, repo: Path | None) -> None:
    """Who or what wrote these lines, which prompt, which human answers for them.

    Lines are those of the committed file. A line that nothing speaks for is unknown, which does not mean human.
    """
    asked = parse_place(place)
    with open_named(repo) as repository:
        path = _path_in(repository, asked.path, repo)
        commit = repository.resolve(revision)
        settings = read_settings(repository, commit, os.environ).settings
        runs = read_who(repository, settings, commit, path, asked.first, asked.last)
    if format_ == "json":
        write_result(render_who_json(show_path(path), commit, runs))
        return
    style = style_here(color)
    write_result(render_who_text(show_path(path), commit, runs, style, whole=not asked.first))


def _path_in(repository: Repository, path: str, repo: Path | None) -> bytes:
    """The path as the repository names it. Paths are taken from the current folder, or from the one of `--repo`."""
    folder = repo.resolve() if repo is not None else Path.cwd()
    full = Path(os.path.normpath(folder / path))
    full = full.parent.resolve() / full.name
    if not full.is_relative_to(repository.path) or full == repository.path:
        raise InputError(
            "this is not a file inside the repository", where=path, mend="name a file below its top folder"
        )
    return os.fsencode(full.relative_to(repository.path))
