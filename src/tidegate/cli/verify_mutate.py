"""`tidegate verify mutate`: put small faults into the changed lines, and see which tests notice. And `dismiss`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.cli.options import json_option, open_named, repo_option, style_here, write_result

_FILE = click.Path(path_type=Path)


@click.command(name="mutate")
@click.argument("change", required=False, default="", metavar="[CHANGE]")
@click.option("--staged", is_flag=True, help="The staged tree against HEAD.")
@click.option("--command", default="pytest -q", show_default=True, help="How the tests are run; it must run pytest.")
@click.option("--python", default="", help="The Python that runs the tests. [default: .venv, else the one on PATH]")
@click.option(
    "--budget", type=click.FloatRange(1), default=60.0, show_default=True, help="Seconds for all faults together."
)
@click.option("--at-once", type=click.IntRange(1, 64), default=2, show_default=True, help="Faults tried side by side.")
@click.option("--most", type=click.IntRange(1, 5000), default=100, show_default=True, help="Faults tried in all.")
@click.option(
    "--timeout", type=click.FloatRange(1), default=600.0, show_default=True, help="Seconds for one run of all tests."
)
@click.option("--config", type=_FILE, help="Settings in the place of those at the base of the change.")
@json_option
@repo_option
def mutate(
    change: str,
    staged: bool,
    command: str,
    python: str,
    budget: float,
    at_once: int,
    most: int,
    timeout: float,
    config: Path | None,
    format_: str,
    repo: Path | None,
) -> None:
    """Put small faults into the changed lines, and see which tests notice.

    CHANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch. It runs the tests of this
    repository with your rights, in a temporary folder: your working tree is not touched. At most one fault a line, in
    Python; for other languages give the report of their tool to `tidegate verify --mutation FILE`. What it finds is
    kept in .git/tidegate/verify for exactly this change, and `tidegate check` reads it.
    """
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.change.configuration import read_settings
    from tidegate.change.ends import Question
    from tidegate.change.read import read_change, read_ends
    from tidegate.facts import to_json
    from tidegate.report.mutation_text import render_mutation_text
    from tidegate.verify.mutate.journey import Request
    from tidegate.verify.mutate.journey import mutate as put_faults
    from tidegate.verify.mutate.kept import write_kept

    with open_named(repo) as repository:
        ends = read_ends(Question(change=change, staged=staged), repository)
        settings = read_settings(repository, ends.policy_at, os.environ, override=config).settings
        read = read_change(ends, repository, settings)
        click.echo(f"tidegate: runs {command!r} of this repository with your rights, in a temporary folder", err=True)
        request = Request(os.environ, command, python, budget, at_once, most, timeout)
        found = put_faults(read, repository, settings, request).mutation
        write_kept(repository.common_dir / "tidegate" / "verify", found)
    write_result(to_json(found) if format_ == "json" else render_mutation_text(found, change, style_here()))


@click.command(name="dismiss")
@click.argument("place", metavar="PATH:LINE")
@click.option("--because", required=True, help="Why no test should notice a fault in this line.")
@repo_option
def dismiss(place: str, because: str, repo: Path | None) -> None:
    """Put no more faults into this line, and remember why.

    The reason is written to .tidegate/mutants.toml. It counts once it is part of the base of a change: a change cannot
    dismiss what is asked of itself. When the text of the line changes, it is tried again.
    """
    from tidegate.report.escape import terminal
    from tidegate.verify.mutate.dismissals import PLACE
    from tidegate.verify.mutate.dismissals import dismiss as remember

    with open_named(repo) as repository:
        text = remember(repository.path, place, because)
    click.echo(f"{PLACE}: no faults in `{terminal(text, 200)}` once this file is at the base of a change")
